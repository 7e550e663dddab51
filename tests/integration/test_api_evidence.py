"""The zip of evidence: whole, confidential, written down, and confirmed by the verifier that lies in it."""

import json
import re
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from service.invoices import evidence
from service.invoices.proofs import NotProven
from tests.integration.api import S01, S10, Api
from verifier.anchors import parse_anchors
from verifier.cli import main as zhengpiao_verify
from verifier.verify import verify


def take(api: Api, number: str, headers: dict[str, str] | None = None) -> Any:
    return api.client.get(f"/v1/evidence/{number}", headers=headers or api.auditor)


def files_of(answer: Any) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_what_its_readme_says(api: Api) -> None:
    api.register("S10")
    api.anchor()
    answer = take(api, S10)
    assert answer.headers["content-disposition"] == f'attachment; filename="evidence-{S10}.zip"'
    files = files_of(answer)
    assert list(files) == [
        "README.zh-CN.txt",
        "README.en.txt",
        f"{S10}.proof.json",
        "anchors.json",
        "timeline.json",
        "receipt.json",
        "zhengpiao-verify.html",
        "SHA256SUMS",
    ]
    lines = [line.split("  ") for line in files.pop("SHA256SUMS").decode().splitlines()]
    sums = {name: sum_ for sum_, name in lines}
    assert sums == {name: sha256(data).hexdigest() for name, data in files.items()}
    chinese, english = files["README.zh-CN.txt"].decode(), files["README.en.txt"].decode()
    anchors = json.loads(files["anchors.json"])
    for readme in (chinese, english):
        for said in (S10, "anchors.json", api.settings.contract, str(api.settings.chain_id), anchors["anchors"]["1"]["log_root"]):
            assert said is not None
            assert said in readme
        assert "{" not in readme, "a gap was not filled"
        assert all(f"\n{name} " in readme for name in files if not name.startswith("README"))
    assert "登记有效" in chinese
    assert "Registered and valid" in english
    for line in filter(None, chinese.splitlines()):
        assert len(line) < 120, line
    receipt = json.loads(files["receipt.json"])
    assert receipt["commitment"] == api.client.get(f"/v1/invoices/{S10}", headers=api.auditor).json()["commitment"]
    assert [entry["kind"] for entry in json.loads(files["timeline.json"])["entries"]] == ["issue"]


def test_the_command_line_verifier_confirms_it(api: Api, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    api.register("S10")
    api.anchor()
    files = files_of(take(api, S10))
    for name in ("anchors.json", f"{S10}.proof.json"):
        (tmp_path / name).write_bytes(files[name])
    capsys.readouterr()
    assert zhengpiao_verify(["--anchors", str(tmp_path / "anchors.json"), str(tmp_path / f"{S10}.proof.json"), "--lang", "en"]) == 0
    said = capsys.readouterr().out
    command = re.search(r"It should say[^\n]*:\n\n(.*?)\n\n\S", files["README.en.txt"].decode(), flags=re.DOTALL)
    assert command is not None
    expected = [line[4:] for line in command[1].splitlines()]
    said_lines = [line.replace(f"{tmp_path}/", "") for line in said.rstrip().splitlines()]
    assert said_lines == expected, "what the README promises is what is said"


@pytest.mark.parametrize(("make", "verdict"), [("void", "void"), ("partly", "partly_reversed"), ("nothing", "pending")])
def test_the_status_is_what_it_is(api: Api, make: str, verdict: str) -> None:
    number = S01 if make == "partly" else S10
    api.register(*(("S01", "S06") if make == "partly" else ("S10",)))
    if make == "void":
        api.client.post(f"/v1/invoices/{S10}/void", json={"reason": "开票有误"}, headers=api.issuer)
    if make != "nothing":
        api.anchor()
    files = files_of(take(api, number))
    anchors = parse_anchors(files["anchors.json"])
    found = verify(files[f"{number}.proof.json"], [anchors]).verdict
    assert found == ("undecided" if make == "nothing" else verdict)
    if make == "nothing":  # nothing was ever anchored: there is no time to judge the promise by
        assert anchors.head == 0


def test_a_pending_one_is_pending_beside_what_is_anchored(api: Api) -> None:
    api.register("S01")
    api.anchor()
    api.register("S10")
    files = files_of(take(api, S10))
    assert verify(files[f"{S10}.proof.json"], [parse_anchors(files["anchors.json"])]).verdict == "pending"
    assert "已受理" in files["README.zh-CN.txt"].decode()


def test_taking_it_needs_a_purpose_and_is_written_down(api: Api) -> None:
    api.register("S10")
    api.anchor()
    assert take(api, S10, api.person("auditor", purpose=None).headers).json()["code"] == "purpose_missing"
    auditor = api.person("auditor", purpose="complaint")
    answers = [take(api, S10, auditor.headers), take(api, S10)]
    records = api.client.get(f"/v1/activity?object={S10}", headers=auditor.headers).json()["items"]
    assert [record["details"]["sha256"] for record in reversed(records)] == [sha256(a.content).hexdigest() for a in answers]
    assert [record["details"].get("purpose") for record in reversed(records)] == ["complaint", None]
    assert take(api, "26112999000000009999").status_code == 404
    assert take(api, S10, api.issuer).status_code == 403


def test_what_the_verifier_would_not_confirm_is_not_handed_out(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.register("S10")
    api.anchor()
    real = evidence._held
    monkeypatch.setattr(
        evidence, "_held", lambda *a: [one._replace(anchor=one.anchor._replace(log_root=bytes(32))) for one in real(*a)]
    )
    answer = take(api, S10)
    assert (answer.status_code, answer.json()["code"]) == (500, "not_proven")
    assert issubclass(NotProven, Exception)
