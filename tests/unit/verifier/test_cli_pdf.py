"""zhengpiao-verify FILE.pdf: the attachment is verified, the code on the page too, and what is missing is said."""

import builtins
import io
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.verifier.test_carried import LINK, OTHER, VALID
from tests.unit.verifier.test_pdf import attach, page_with, saved
from tests.vector_files import PROOFS
from verifier.carried import MAX_FILE_BYTES
from verifier.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main([*arguments, "--anchors", str(PROOFS / "anchors.json"), "--json", "--lang", "en"])
    return status, orjson.loads(capsys.readouterr().out)


def pdf(*codes: str, proof: bytes | None = VALID) -> bytes:
    made = page_with(*codes)
    if proof is not None:
        attach(made, proof)
    return saved(made)


@pytest.mark.parametrize(
    ("data", "status", "verdict", "said"),
    [
        (pdf(LINK), 0, "valid", "is that of the page's QR code (registry.example)"),
        (pdf(), 0, "valid", "compare the page yourself"),
        (pdf(f"https://registry.example/v#{OTHER.to_text()}"), 1, "forged", "well formed"),
        (pdf(LINK, proof=b"{}"), 65, "malformed", "protocol"),
        (pdf(proof=None), 65, "malformed", "no proof file attached"),
        (pdf(LINK, proof=None), 2, "undecided", "--mirror"),
        (b"%PDF-1.7 broken", 65, "malformed", "damaged"),
        (b"%PDF-1.7" + bytes(MAX_FILE_BYTES), 2, "undecided", "32 MiB"),
    ],
)
def test_a_pdf_has_the_exit_status_of_its_verdict(
    data: bytes, status: int, verdict: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.pdf"
    file.write_bytes(data)
    exit_status, report = run(capsys, str(file))
    assert (exit_status, report["verdict"], report["file"]) == (status, verdict, str(file))
    assert said in report["checks"][0]["detail"]


def test_a_pdf_comes_by_standard_input_and_beside_other_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pdf(LINK))))
    assert run(capsys, "-")[0] == 0
    file = tmp_path / "x.pdf"
    file.write_bytes(pdf(LINK))
    anchors = str(PROOFS / "anchors.json")
    assert main([str(file), str(PROOFS / "valid.proof.json"), str(PROOFS / "void.proof.json"), "--anchors", anchors]) == 1
    assert capsys.readouterr().out.count("registry.example") == 1


def test_the_question_of_the_person_counts_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.pdf"
    file.write_bytes(pdf(LINK))
    assert run(capsys, str(file), "--question", LINK)[1]["verdict"] == "valid"
    assert run(capsys, str(file), "--question", OTHER.to_text())[1]["verdict"] == "forged"


def test_without_the_packages_that_is_said_and_nothing_concluded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.pdf"
    file.write_bytes(pdf(LINK))
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "verifier.pdf":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    status, report = run(capsys, str(file))
    assert (status, report["verdict"]) == (2, "undecided")
    assert "zhengpiao[pdf]" in report["checks"][0]["detail"]
