"""The process that signs many: the same signatures, and nothing is lost when somebody stops it, or whoever started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.bindings import crypto_sign_seed_keypair

from service.ledger import receipts
from service.ledger import signer as signer_module
from service.ledger.receipts import ReceiptKeys
from service.ledger.signer import Signer
from service.processes import Gone

SEED = bytes(range(32))
KEY = crypto_sign_seed_keypair(SEED)[1]
MESSAGES = [os.urandom(190) for _ in range(3_000)]  # more than a pipe holds


@pytest.fixture
def signer() -> Iterator[Signer]:
    made = Signer()
    made.timeout_s = 60  # with the first question it is started, too
    yield made
    made.close()


def pid_of(signer: Signer) -> int:
    assert signer.pid is not None
    return signer.pid


def test_it_signs_as_rfc_8032_says(signer: Signer) -> None:
    other = Ed25519PrivateKey.from_private_bytes(SEED)
    assert signer.sign(KEY, MESSAGES) == [other.sign(message) for message in MESSAGES]
    first = pid_of(signer)
    assert signer.sign(KEY, MESSAGES[:1]) == [other.sign(MESSAGES[0])]
    assert pid_of(signer) == first


def test_who_asks_when_it_was_killed_is_told_and_the_next_starts_another(signer: Signer) -> None:
    signer.sign(KEY, MESSAGES[:1])
    first = pid_of(signer)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(Gone):
        signer.sign(KEY, MESSAGES)
    assert signer.sign(KEY, MESSAGES[:2]) == signer.sign(KEY, MESSAGES[:2])
    assert pid_of(signer) != first


def test_one_that_hangs_is_not_waited_for_long(signer: Signer) -> None:
    signer.sign(KEY, MESSAGES[:1])
    signer.timeout_s = 0.2
    os.kill(pid_of(signer), signal.SIGSTOP)
    with pytest.raises(Gone):
        signer.sign(KEY, MESSAGES)


def test_an_answer_that_was_not_waited_for_is_not_taken_for_the_next(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_pipe: object) -> bytes:
        raise KeyboardInterrupt

    expected = signer.sign(KEY, MESSAGES[:2])
    with monkeypatch.context() as patch:
        patch.setattr("service.processes._read", interrupt)
        with pytest.raises(KeyboardInterrupt):
            signer.sign(KEY, MESSAGES[2:4])
    assert signer.sign(KEY, MESSAGES[:2]) == expected


def test_an_answer_that_nobody_waits_for_is_in_nobodys_way(signer: Signer) -> None:
    expected = signer.sign(KEY, MESSAGES[:2])
    for _ in range(4):
        signer.begin(question(MESSAGES))  # its answer is longer than a pipe, and so are four questions
    assert signer.sign(KEY, MESSAGES[:2]) == expected


def test_questions_are_answered_in_order_though_all_are_put_at_once(signer: Signer) -> None:
    asked = [MESSAGES[at : at + 40] for at in range(0, 400, 40)]
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda some: signer.begin(question(some)), asked))
    for some, answer in zip(asked, answers, strict=True):
        assert answer() == b"".join(signer.sign(KEY, some))


def test_all_who_wait_for_one_that_was_killed_are_told(signer: Signer) -> None:
    signer.sign(KEY, MESSAGES[:1])
    os.kill(pid_of(signer), signal.SIGSTOP)
    answers = [signer.begin(question(MESSAGES[:9])) for _ in range(3)]
    os.kill(pid_of(signer), signal.SIGKILL)
    for answer in answers:
        with pytest.raises(Gone):
            answer()
    assert len(signer.sign(KEY, MESSAGES[:9])) == 9


def question(messages: Sequence[bytes]) -> bytes:
    return signer_module._HEAD.pack(KEY, len(messages[0])) + b"".join(messages)


def test_receipts_are_signed_where_no_process_can_be_started(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_command: Sequence[str]) -> None:
        raise OSError("Cannot allocate memory")

    monkeypatch.setattr("service.processes.start", refuse)
    monkeypatch.setattr(receipts, "SIGNER", signer)
    keys, entries = ReceiptKeys(SEED, 1, bytes(20)), [os.urandom(146) for _ in range(40)]
    assert keys.sign_all(entries, 5) == [keys.sign(entry, 5) for entry in entries]


def test_it_goes_on_while_others_of_its_group_are_stopped(signer: Signer) -> None:
    signer.sign(KEY, MESSAGES[:1])
    for each in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid_of(signer), each)
    assert len(signer.sign(KEY, MESSAGES[:9])) == 9


def test_receipts_are_signed_all_the_same_without_it(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ReceiptKeys(SEED, 1, bytes(20))
    entries = [os.urandom(146) for _ in range(40)]
    monkeypatch.setattr(receipts, "SIGNER", signer)
    signed = keys.sign_all(entries, 5)
    os.kill(pid_of(signer), signal.SIGKILL)
    assert keys.sign_all(entries, 5) == signed == [keys.sign(entry, 5) for entry in entries]
    assert keys.are_valid(entries, signed) == [True] * 40


def test_it_ends_with_whoever_started_it() -> None:
    program = (
        "import sys, time; from service.ledger.signer import SIGNER; SIGNER.timeout_s = 60;"
        f"SIGNER.sign(bytes.fromhex('{KEY.hex()}'), [b'x']); print(SIGNER.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    until = time.monotonic() + 60
    while is_running(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
