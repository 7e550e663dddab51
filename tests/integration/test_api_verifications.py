"""What the service says about what people hold, against a real chain: files, PDFs, pictures, and what is none of them."""

import io
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from PIL import Image

from service.formats import qr
from service.worker import build
from tests.chain import Chain, RegistryContract
from tests.integration.api import S01, S06, S10, Api, proof_file
from tests.stores import reprint
from tests.unit.samples import sections_of
from tests.unit.verifier.test_pdf import attach, page_with, saved
from tests.vector_files import PROOFS
from verifier.chain import RpcReader
from verifier.question import Question
from verifier.transport import Answer, Post
from verifier.trust import parse_trust
from verifier.verify import verify

PUBLIC_URL = "https://registry.example"
S02 = "26317999000000000002"


class OnChain:
    """The API with its worker on a chain. `requests` counts what the verifications ask the chain."""

    def __init__(self, url: str, node: Chain, contract: RegistryContract, **settings: Any) -> None:
        self.node = node
        self.api = Api(
            url,
            contract=contract.address,
            chain_id=node.chain_id,
            rpc_urls=(node.url,),
            anchor_key=node.accounts[2].private_key,
            public_url=PUBLIC_URL,
            **settings,
        )
        self.worker = build(self.api.settings, self.api.database)
        self.requests = 0
        readings = self.api.context.verification._readings
        post: Post = readings._post

        def counted(url: str, body: bytes, max_bytes: int) -> Answer:
            self.requests += 1
            return post(url, body, max_bytes)

        readings._post = counted

    def final(self) -> None:
        """Work until everything accepted is final."""
        deadline = time.monotonic() + 60
        while True:
            self.worker.run_once()
            self.api.context._status = None
            status = self.api.client.get("/status").json()
            if status["backlog"] == 0 and status["final_head"] and status["final_head"] == status["sealed_head"]:
                return
            assert time.monotonic() < deadline, status
            time.sleep(0.05)

    def register(self, *names: str) -> list[dict[str, Any]]:
        self.worker.run_once()
        self.api.context._status = None
        return self.api.register(*names)

    def verify(self, data: bytes, media_type: str = "application/octet-stream", **headers: str) -> dict[str, Any]:
        answer = self.api.client.post("/v1/verifications", content=data, headers={"Content-Type": media_type, **headers})
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report

    def document(self, number: str) -> bytes:
        answer = self.api.client.get(f"/v1/invoices/{number}/document.pdf", headers=self.api.issuer)
        assert answer.status_code == 200, answer.text
        return bytes(answer.content)

    def void(self, number: str) -> None:
        answer = self.api.client.post(f"/v1/invoices/{number}/void", json={"reason": "开票有误"}, headers=self.api.issuer)
        assert answer.status_code == 200


@pytest.fixture
def service(database_url: str, chain: Chain, contract: RegistryContract) -> Iterator[OnChain]:
    made = OnChain(database_url, chain, contract)
    with made.api.client:
        yield made


def result(report: dict[str, Any], name: str) -> Any:
    return next(check for check in report["checks"] if check["name"] == name)


def picture(text: str) -> bytes:
    return qr.png(qr.symbol(text))


def test_a_proof_file_gets_the_report_that_a_verifier_of_ones_own_makes(service: OnChain) -> None:
    [said] = service.register("S10")
    sections = sections_of("S10")
    service.final()
    proof = service.api.ask(S10, said["commitment"]).content
    report = service.verify(
        proof, "application/vnd.zhengpiao.proof+json", **{"Content-Disposition": 'attachment; filename="x.json"'}
    )
    own: dict[str, Any] = verify(proof, [RpcReader(parse_trust(service.api.context.trust))], file="x.json").to_dict()
    for one in (report, own):
        assert one["verdict"] == "valid"
        assert one["source"]["endpoints"] == [service.node.url]
        del one["source"]["block"]
        result(one, "final")["detail"] = ""
    assert report == own
    pending = proof_file(sections, said)
    renewed = service.verify(pending)
    assert (renewed["verdict"], renewed["disclosed"]) == ("valid", list(sections))
    changed = orjson.loads(proof)
    changed["sections"]["totals"]["value"]["amount_with_tax"] = "1.00"
    assert service.verify(orjson.dumps(changed))["verdict"] == "forged"


def test_an_old_file_is_judged_by_the_newest_proof(service: OnChain) -> None:
    [said] = service.register("S10")
    service.final()
    old = service.api.ask(S10, said["commitment"]).content
    old_pdf = service.document(S10)
    service.void(S10)
    service.final()
    for data in (old, old_pdf):
        report = service.verify(data)
        assert (report["verdict"], report["status"]) == ("void", "void")
    reprinted = service.register("S02")[0]
    service.final()
    first = service.api.ask(S02, reprinted["commitment"]).content
    reprint(service.api.database, service.api.context.keys, S02)
    service.final()
    assert service.verify(first)["verdict"] == "replaced"
    assert service.verify(picture(reprinted["links"]["verify"]))["verdict"] == "replaced"


def test_pdfs_and_pictures_by_form_and_by_body(service: OnChain) -> None:
    [said, red] = service.register("S01", "S06")
    service.final()
    pdf = service.document(S01)
    report = service.verify(pdf, "application/pdf")
    assert (report["verdict"], report["number"], len(report["disclosed"])) == ("partly_reversed", S01, 8)
    assert "registry.example" in result(report, "form")["detail"]
    link = red["links"]["verify"]
    for kind in ("PNG", "JPEG", "WEBP"):
        written = io.BytesIO()
        Image.open(io.BytesIO(picture(link))).convert("L").save(written, kind)
        by_code = service.verify(written.getvalue(), "image/jpeg")
        assert (by_code["verdict"], by_code["number"], by_code["disclosed"]) == (
            "valid",
            S06,
            ["header", "seller", "totals", "provenance"],
        )
    answer = service.api.client.post(
        "/v1/verifications", files={"file": ("../发票 1.pdf", pdf, "application/pdf")}, headers={"Accept-Language": "en"}
    )
    assert (answer.json()["verdict"], answer.json()["file"]) == ("partly_reversed", "发票 1.pdf")
    assert "agrees" in result(answer.json(), "form")["detail"] or "is that of the page" in result(answer.json(), "form")["detail"]
    without = page_with(said["links"]["verify"])
    assert service.verify(saved(without))["verdict"] == "partly_reversed"


def test_a_genuine_attachment_on_another_page_is_forged(service: OnChain) -> None:
    [first, second] = service.register("S10", "S02")
    service.final()
    proof = service.api.ask(S10, first["commitment"]).content
    pdf = page_with(second["links"]["verify"])
    attach(pdf, proof)
    report = service.verify(saved(pdf))
    assert report["verdict"] == "forged"
    assert S02 in result(report, "content")["detail"]
    assert S10 in result(report, "content")["detail"]
    bare = page_with()
    attach(bare, proof)
    uncompared = service.verify(saved(bare))
    assert uncompared["verdict"] == "valid"
    assert "未比对" in result(uncompared, "form")["detail"]


def test_what_nobody_registered_and_what_is_not_final_yet(service: OnChain) -> None:
    service.register("S10")
    service.final()
    link = f"{PUBLIC_URL}/v#"
    assert service.verify(picture(link + Question(S10, bytes(32)).to_text()))["verdict"] == "not_current"
    assert service.verify(picture(link + Question("26112999000000000099", bytes(32)).to_text()))["verdict"] == "absent"
    [said] = service.register("S02")
    waiting = service.verify(picture(said["links"]["verify"]))
    assert waiting["verdict"] == "pending"
    unknown = service.verify(picture(link + Question(S02, bytes(32)).to_text()))
    assert unknown["verdict"] == "undecided"  # something about the number is not final


def test_other_sites_codes_and_what_is_no_proof(service: OnChain) -> None:
    [said] = service.register("S10")
    service.final()
    text = said["links"]["verify"].removeprefix(PUBLIC_URL)
    lookalike = service.verify(picture("https://registry.exarnple" + text))
    assert lookalike["verdict"] == "undecided"
    assert "registry.exarnple" in result(lookalike, "form")["detail"]
    assert "registry.example" in result(lookalike, "form")["detail"]
    expected = {
        picture("https://weixin.example/pay"): "malformed",
        picture("01,32,,26112999000000000010,50000.00,20261009,,A1B2"): "undecided",
        b"{}": "malformed",
        b"hello": "malformed",
        b"\xff\xfe": "malformed",
        b"%PDF-1.7 broken": "malformed",
        b"\x89PNG\r\n\x1a\n broken": "malformed",
        b"PK\x03\x04" + bytes(100): "malformed",
        b'{"protocol":"zp9"}': "undecided",
        (PROOFS / "valid.proof.json").read_bytes(): "undecided",  # of another contract
    }
    for data, verdict in expected.items():
        report = service.verify(data)
        assert report["verdict"] == verdict, (data[:40], report)
        assert all(check["detail"] for check in report["checks"])


def test_what_cannot_be_read_at_all_is_a_problem(service: OnChain) -> None:
    post = service.api.client.post
    empty = post("/v1/verifications", content=b"")
    assert (empty.status_code, empty.json()["code"]) == (422, "invalid_request")
    large = post("/v1/verifications", content=bytes(32 * 2**20 + 1))
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    no_file = post("/v1/verifications", files={"other": b"x"})
    assert no_file.status_code in (400, 422)
    broken = post("/v1/verifications", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert (broken.status_code, broken.json()["code"]) == (400, "malformed_body")
    assert post("/v1/verifications?x=1", content=b"{}").status_code == 422


def test_a_check_adds_no_round_trip_to_the_chain(service: OnChain) -> None:
    said = service.register("S01", "S02", "S10")
    service.final()
    proofs = [service.api.ask(one["number"], one["commitment"]).content for one in said]
    service.verify(proofs[0])
    before, began = service.requests, time.monotonic()
    for n in range(60):
        assert service.verify(proofs[n % 3])["verdict"] in ("valid", "partly_reversed")
    passed = time.monotonic() - began
    assert service.requests - before <= 4 * (passed / 2.0 + 1), (service.requests - before, passed)


def test_an_endpoint_that_is_down_decides_nothing(service: OnChain) -> None:
    [said] = service.register("S10")
    service.final()
    proof = service.api.ask(S10, said["commitment"]).content
    readings = service.api.context.verification._readings
    readings._trust = readings._trust._replace(rpc_urls=("http://127.0.0.1:9",))
    readings._current = None
    for data in (proof, picture(said["links"]["verify"]), service.document(S10)):
        report = service.verify(data)
        assert report["verdict"] == "undecided"
        assert result(report, "final")["result"] == "could_not_check"


def test_endpoints_that_nobody_is_to_know_are_not_named(tmp_path: Any, chain: Chain, contract: RegistryContract) -> None:
    secret = OnChain(f"sqlite:///{tmp_path / 'x.db'}", chain, contract, env="production")
    with secret.api.client:
        [said] = secret.register("S10")
        secret.final()
        report = secret.verify(secret.api.ask(S10, said["commitment"]).content)
    assert (report["verdict"], report["source"]["endpoints"]) == ("valid", ["endpoint 1"])
    assert chain.url not in str(report)
