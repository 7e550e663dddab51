"""The two verifiers, written apart from one text, must say the same of any file: not the verdict alone, but each check."""

import json
import os
import random
import shutil
import subprocess
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha512
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.mutations import mutated
from verifier import messages
from verifier.anchors import parse_anchors
from verifier.entry import Entry, Kind
from verifier.errors import Malformed
from verifier.question import Question
from verifier.receipt import key_id, receipt_message
from verifier.verify import verify

ROOT = Path(__file__).parents[2]
PROOFS = ROOT / "tests" / "vectors" / "proofs"
NODE = shutil.which("node", path=f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
COUNT = int(os.environ.get("ZHENGPIAO_MUTATIONS", "10000"))

VECTORS: list[dict[str, Any]] = json.loads((PROOFS / "index.json").read_text())
SOUND = [vector for vector in VECTORS if vector["verdict"] not in ("malformed", "forged")]


class Case(NamedTuple):
    """A proof file, an anchors file, and a question of {"number", "commitment"} or None."""

    proof: bytes
    anchors: bytes
    question: Mapping[str, str | None] | None

    def to_line(self) -> str:
        anchors = self.anchors.decode("utf-8", "replace")
        return json.dumps({"proof_b64": b64encode(self.proof).decode(), "anchors": anchors, "question": self.question}) + "\n"


def case(vector: Mapping[str, Any]) -> Case:
    return Case((PROOFS / vector["file"]).read_bytes(), (PROOFS / vector["anchors"]).read_bytes(), vector["question"])


def mutation(seed: int) -> Case:
    """Mostly of a file that is sound; sometimes beside another's anchors or question, or with changed anchors."""
    dice = random.Random(seed)
    vector = dice.choice(SOUND)
    proof, anchors, question = case(vector)
    if dice.random() < 0.9:
        proof = mutated(proof, dice)
    if dice.random() < 0.1:
        anchors = (PROOFS / dice.choice(VECTORS)["anchors"]).read_bytes()
    if dice.random() < 0.1:
        anchors = mutated(anchors, dice).decode("utf-8", "replace").encode()
    if dice.random() < 0.2:
        question = dice.choice((None, {"number": vector_number(proof), "commitment": None}, dice.choice(VECTORS)["question"]))
    return Case(proof, anchors, question)


def vector_number(proof: bytes) -> str:
    """The number that the file speaks of, or one that no file here has."""
    try:
        value = json.loads(proof)
        number = value.get("number") or value["sections"]["header"]["value"]["number"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "NONE"
    return number if isinstance(number, str) and number.isalnum() and number.isascii() and number.isupper() else "NONE"


def by_python(case: Case) -> dict[str, Any]:
    try:
        anchors = parse_anchors(case.anchors)
    except Malformed:
        return {"usage": True}
    question = None
    if case.question:
        commitment = case.question["commitment"]
        question = Question(case.question["number"] or "", bytes.fromhex(commitment) if commitment else None)
    return comparable(json.loads(json.dumps(verify(case.proof, [anchors], question).to_dict("en"))))


def comparable(report: dict[str, Any]) -> dict[str, Any]:
    """All of a report but why no file was read: which flaw is found first, and how it is quoted, is not the protocol's concern."""
    if "usage" in report:
        return {"usage": True}
    checks = report["checks"]
    if checks[0]["result"] != "pass":
        checks[0].pop("detail")
    return report


def compare(tmp_path: Path, cases: list[Case]) -> Counter[str]:
    """Both verifiers on each case; how often which verdict."""
    assert NODE, "node is not installed"
    lines, answers = tmp_path / "cases", tmp_path / "reports"
    with lines.open("w") as file:
        file.writelines(case.to_line() for case in cases)
    with lines.open() as asked, answers.open("w") as answered:
        command = [NODE, str(ROOT / "tests" / "web" / "verify_lines.mjs")]
        with subprocess.Popen(command, stdin=asked, stdout=answered) as javascript:
            expected = [by_python(case) for case in cases]
        assert javascript.returncode == 0
    verdicts: Counter[str] = Counter()
    with answers.open() as reports:
        for number, (case, python, line) in enumerate(zip(cases, expected, reports, strict=True)):
            report = comparable(json.loads(line))
            assert report == python, (number, case)
            verdicts[report.get("verdict", "usage")] += 1
    return verdicts


def test_on_every_vector(tmp_path: Path) -> None:
    compare(tmp_path, [case(vector) for vector in VECTORS])


def test_on_random_changes(tmp_path: Path) -> None:
    verdicts = compare(tmp_path, [mutation(seed) for seed in range(COUNT)])
    # The changes must reach every corner, or agreement says little.
    assert set(verdicts) == {"usage", *(vector["verdict"] for vector in VECTORS)}, verdicts


def signed_by(forge: Callable[[Ed25519PrivateKey, bytes], bytes]) -> Case:
    """The valid file under a key of our own, with a signature that `forge` makes."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key().public_bytes_raw()
    proof = json.loads((PROOFS / "valid.proof.json").read_bytes())
    anchors = json.loads((PROOFS / "anchors.json").read_bytes())
    entry = Entry(
        Kind.ISSUE,
        proof["entry"]["recorded_at"],
        *(bytes.fromhex(proof["entry"][name]) for name in ("key", "copy", "other", "auth")),
    )
    contract = bytes.fromhex(proof["chain"]["contract"][2:])
    message = receipt_message(proof["chain"]["chain_id"], contract, entry.encode(), proof["receipt"]["deadline"])
    proof["receipt"] |= {"key_id": key_id(public), "signature": forge(key, message).hex()}
    anchors["service_keys"] = {key_id(public): public.hex()}
    return Case(json.dumps(proof).encode(), json.dumps(anchors).encode(), None)


ORDER = 2**252 + 27742317777372353535851937790883648493


def scalar_and_order(key: Ed25519PrivateKey, message: bytes) -> bytes:
    """The honest signature, its scalar written another way."""
    signature = key.sign(message)
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")


def identity(key: Ed25519PrivateKey, message: bytes) -> bytes:
    """A signature whose R is the neutral element: RFC 8032's equation holds, and the key can be read off it."""
    r = (1).to_bytes(32, "little")
    secret = int.from_bytes(sha512(key.private_bytes_raw()).digest()[:32], "little") & (2**254 - 8) | 2**254
    challenge = int.from_bytes(sha512(r + key.public_key().public_bytes_raw() + message).digest(), "little")
    return r + (challenge * secret % ORDER).to_bytes(32, "little")


@pytest.mark.parametrize(
    ("forge", "verdict"),
    [
        (lambda key, message: key.sign(message), "valid"),
        (scalar_and_order, "forged"),
        (identity, "forged"),
        (lambda key, message: key.sign(message + b"x"), "forged"),
        (lambda key, message: bytes(64), "forged"),
        (lambda key, message: b"\xff" * 64, "forged"),
    ],
)
def test_on_odd_signatures(tmp_path: Path, forge: Callable[[Ed25519PrivateKey, bytes], bytes], verdict: str) -> None:
    assert compare(tmp_path, [signed_by(forge)]) == {verdict: 1}


@pytest.mark.parametrize("table", ["SENTENCES", "WORDS"])
def test_on_every_sentence(table: str) -> None:
    """The same code never says two things; each has a few sentences of its own."""
    assert NODE, "node is not installed"
    script = f'import {{ {table} }} from "./verifier/web/messages.js"; console.log(JSON.stringify({table}))'
    written = subprocess.run(
        [NODE, "--input-type=module", "-e", script], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    javascript, python = json.loads(written), getattr(messages, table)
    assert {code: javascript[code] for code in javascript.keys() & python.keys()} == {
        code: list(python[code]) for code in javascript.keys() & python.keys()
    }
