"""From an accepted entry to a final anchor, on a real chain and both databases."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from service.anchoring import Anchoring, Policy
from service.chain import Chain
from service.db import Database, metadata
from service.ledger import health, notes, outbox, register, sealing, tiles
from service.ledger.entries import append, histories
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import entries
from tests.chain import Chain as Node
from tests.chain import RegistryContract
from verifier.entry import ZERO, Entry, Kind, number_key
from verifier.merkle import leaf_hash, root_from_path
from verifier.register import root_from_presence

POLICY = Policy(heartbeat_s=3600, stuck_s=30, max_fee=500 * 10**9)


class Ledger:
    """A ledger on its way to `contract`, and the steps of its worker."""

    def __init__(self, url: str, node: Node, contract: RegistryContract, policy: Policy = POLICY) -> None:
        self.database = Database(url)
        metadata.create_all(self.database.engine)
        self.node, self.contract = node, contract
        self.keys = ReceiptKeys(bytes(range(32)), node.chain_id, bytes.fromhex(contract.address[2:]))
        self.chain = Chain([node.url], contract.address, node.chain_id, key=bytes.fromhex(node.accounts[2].private_key[2:]))
        self.policy = policy
        self.worker = self.new_worker()

    def new_worker(self) -> Anchoring:
        return Anchoring(self.database, self.chain, self.keys, self.policy)

    def accept(self, *numbers: str, kind: Kind = Kind.ISSUE) -> None:
        """One entry a number, in one transaction."""
        with self.database.write() as connection:
            known = histories(connection, [number_key(number) for number in numbers])
            made = []
            for number in numbers:
                history = known[number_key(number)]
                copy = history.state.copy if history.state else leaf_hash(number.encode())
                entry = Entry(kind, int(time.time() * 1000), number_key(number), copy, ZERO, ZERO)
                history.add(entry)
                made.append((entry, history.ordinal))
            append(connection, made, self.keys, int(time.time() * 1000) + 60_000)

    def until(self, state: str, timeout_s: float = 15) -> None:
        """Work until nothing is pending and every batch has come as far as `state`."""
        order = ["sealed", "broadcast", "mined", "final"]
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.worker.run_once()
            with self.database.read() as connection:
                items = outbox.open_items(connection)
                pending = connection.scalar(select(entries.c.id).where(entries.c.seq.is_(None)).limit(1))
            if pending is None and all(order.index(item.state) >= order.index(state) for item in items):
                return
            time.sleep(0.05)
        raise AssertionError(f"not {state} within {timeout_s} s: {items}, {self.trouble()}")

    def trouble(self) -> str | None:
        with self.database.read() as connection:
            last = health.read(connection)
        return last.trouble if last else None

    def check(self) -> None:
        """Every sealed entry leads to the log root on chain, and the register to its root."""
        with self.database.read() as connection:
            final = outbox.newest_final(connection)
            assert final is not None
            assert register.root_at(connection, final.seq) == self.contract.call("anchorAt", final.seq)[1]
            for row in connection.execute(select(entries.c.entry, entries.c.key, entries.c.seq, entries.c.index)):
                log_root, _, size, _, _ = self.contract.call("anchorAt", row.seq)
                path = tiles.path(connection, row.seq, row[3], size)
                assert root_from_path(leaf_hash(row.entry), row[3], size, path) == log_root
                proof = register.prove(connection, final.seq, row.key)
                assert proof.end is not None
                assert root_from_presence(*proof.end, proof.siblings) == final.register_root


@pytest.fixture
def ledger(database_url: str, chain: Node, contract: RegistryContract) -> Iterator[Ledger]:
    made = Ledger(database_url, chain, contract)
    yield made
    made.database.close()


def test_entries_become_final_and_prove_themselves(ledger: Ledger) -> None:
    ledger.accept("26112999000000000001", "26112999000000000002")
    ledger.until("final")
    ledger.accept("26112999000000000001", kind=Kind.VOID)
    ledger.accept(*(f"2611299900000001{n:04}" for n in range(600)))
    ledger.until("final")
    assert ledger.contract.head() >= 2
    ledger.check()
    assert ledger.trouble() is None


def test_the_first_anchor_is_a_heartbeat_so_that_absence_can_be_proven(ledger: Ledger) -> None:
    ledger.until("final")
    log_root, register_root, size, _, _ = ledger.contract.call("anchorAt", 1)
    assert (log_root, register_root, size) == (ZERO, ZERO, 0)


def test_an_idle_service_has_an_entry_mined_within_two_blocks(ledger: Ledger) -> None:
    ledger.until("final")
    before = int(ledger.node.rpc("eth_blockNumber"), 16)
    ledger.accept("26112999000000000003")
    ledger.until("mined")
    with ledger.database.read() as connection:
        item = outbox.open_items(connection)[-1]
    assert item.block_number is not None
    assert item.block_number - before <= 2


def test_a_row_without_our_promise_is_never_sealed(ledger: Ledger) -> None:
    ledger.accept("26112999000000000001")
    with ledger.database.write() as connection:
        connection.execute(entries.update().values(signature=bytes(64)))
    ledger.accept("26112999000000000002")
    for _ in range(3):
        ledger.worker.run_once()
    with ledger.database.read() as connection:
        placed = connection.execute(select(entries.c.seq).order_by(entries.c.id)).scalars().all()
        assert placed[0] is None
        assert placed[1] == sealing.newest_seq(connection)


def test_every_step_can_run_twice_and_by_two_workers(ledger: Ledger) -> None:
    ledger.accept("26112999000000000001")
    second = ledger.new_worker()
    for _ in range(40):
        second.run_once()
        ledger.worker.run_once()
        time.sleep(0.05)
    ledger.until("final")
    assert ledger.contract.head() == 1
    ledger.check()


def test_another_anchorer_took_the_seq(ledger: Ledger) -> None:
    ledger.until("final")
    ledger.contract.anchor(2, b"\x07" * 32, 5, b"\x08" * 32)
    ledger.accept("26112999000000000001")
    ledger.until("final", timeout_s=30)
    assert ledger.contract.head() == 3
    ledger.check()


def test_heads_of_other_logs_are_anchored_as_notes(ledger: Ledger) -> None:
    heads = [bytes([n]) * 32 for n in (1, 2, 3)]
    for n, head in enumerate(heads):
        now_ms = 1_795_600_000_000 + n * 1000
        with ledger.database.write() as connection:
            assert notes.is_due(connection, "activity", head, now_ms, every_ms=1000)
            notes.take_down(connection, "activity", head, ledger.keys, now_ms, now_ms + 60_000)
            assert not notes.is_due(connection, "activity", head, now_ms + 5000, every_ms=1000)
            assert not notes.is_due(connection, "activity", bytes(31) + b"\x09", now_ms + 999, every_ms=1000)
        if n != 1:
            ledger.until("mined")
    with ledger.database.read() as connection:
        assert notes.heads(connection, "activity") == heads
        assert register.root_at(connection, ledger.contract.head()) == ZERO
    sizes = [ledger.contract.call("anchorAt", seq)[2] for seq in range(1, ledger.contract.head() + 1)]
    assert sum(sizes) == 3
