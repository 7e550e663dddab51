"""Bringing sealed batches to the chain: look, confirm, seal, prepare, broadcast. Each step is one transaction and can run twice.

A step that dies half-way leaves a row in the outbox from which the next run goes on: signed bytes are stored before they are sent,
and what the contract holds decides, not what we remember having sent (decisions 8 and 9, protocol.md section 5).
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from service.chain import GAS_LIMIT, Anchored, Chain, ChainTrouble, NotSent, View
from service.db import Database
from service.ledger import health, outbox, sealing
from service.ledger.entries import count_pending
from service.ledger.outbox import Attempt, Item
from service.ledger.receipts import ReceiptKeys

log = structlog.get_logger()

MAX_REVERTED = 3
"""Reverted transactions of one batch after which the worker waits before it pays for another."""
REPORT_S = 2
"""Seconds between two signs of life that say the same."""
FOREIGN_AT_ONCE = 100
"""Foreign anchors that are written down in one step."""


class Policy(NamedTuple):
    """How patient and how generous the worker is; fees in wei for one unit of gas, times in seconds."""

    heartbeat_s: int
    stuck_s: int
    max_fee: int


class Anchoring:
    """The steps, for one contract. `clock` gives seconds since 1970 UTC."""

    def __init__(
        self, database: Database, chain: Chain, keys: ReceiptKeys, policy: Policy, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._chain = chain
        self._keys = keys
        self._policy = policy
        self._clock = clock
        self._first_seq: int | None = None
        self._looked_at: bytes | None = None

    def run_once(self) -> bool:
        """All steps once; True where something moved. Trouble is written down for everybody and ends the round."""
        try:
            view = self._look()
            moved = self._confirm(view)
            if self._give_way(view):
                return True
            self._may_go_on(view)
            moved = self._seal(view) or moved
            moved = self._send(view) or moved
        except ChainTrouble as trouble:
            self._report(trouble)
            return False
        self._report(None, view)
        return moved

    # look

    def _look(self) -> View:
        with self._database.read() as connection:
            seqs = [item.seq for item in outbox.open_items(connection)]
            final = outbox.newest_final(connection)
        view = self._chain.view([*seqs, *([final.seq] if final else [])])
        if final and not _is_same(final, view.final.get(final.seq)):
            raise ChainTrouble(
                "final_vanished", f"anchor {final.seq} was final and is not there at block {view.final_block.number}"
            )
        return view

    # confirm

    def _give_way(self, view: View) -> bool:
        """Another anchorer took a seq, finally: its batch counts as empty, and ours is sealed again under the next one."""
        with self._database.read() as connection:
            newest = sealing.newest_seq(connection)
            lost = [i.seq for i in outbox.open_items(connection) if i.seq in view.final and not _is_same(i, view.final[i.seq])]
        first = lost[0] if lost else self._next_seq(newest)
        if first > view.final_head:
            return False
        held = self._chain.view(range(first, min(view.final_head, first + FOREIGN_AT_ONCE - 1) + 1)).final
        with self._database.write() as connection:
            if lost:
                sealing.unseal_from(connection, first)
            for seq, anchored in sorted(held.items()):
                sealing.record_foreign(connection, seq, anchored.log_root, anchored.register_root, self._now_ms())
                outbox.add_final(connection, seq, anchored.block_number, anchored.time, self._now_ms())
                log.error("foreign_anchor", seq=seq)
        return True

    def _confirm(self, view: View) -> bool:
        """Write down what the contract holds of the open batches, in order."""
        moved = False
        if not view.latest:
            return False
        with self._database.write() as connection:
            for item in outbox.open_items(connection):
                moved = self._confirm_one(connection, item, view) or moved
        return moved

    def _confirm_one(self, connection: Connection, item: Item, view: View) -> bool:
        final = view.final.get(item.seq)
        found = final or view.latest.get(item.seq)
        if found is None or not _is_same(item, found):
            if item.state != "mined":
                return False
            outbox.move(connection, item, "reorganised", block_number=None, block_time=None)
            log.warning("reorganised", seq=item.seq)
            return True
        moved = False
        if item.state != "mined" or item.block_number != found.block_number:
            item = outbox.move(connection, item, "found", block_number=found.block_number, block_time=found.time)
            log.info("mined", seq=item.seq, size=item.size, block=found.block_number)
            moved = True
        if final is not None:
            outbox.move(connection, item, "finalized", final_at=self._now_ms())
            log.info("final", seq=item.seq)
            moved = True
        return moved

    # seal

    def _seal(self, view: View) -> bool:
        """Seal what has gathered while the last batch was on its way, or a heartbeat when one is due."""
        first_seq = self._next_seq(None)
        with self._database.read() as connection:
            items = outbox.open_items(connection)
            newest = sealing.newest_seq(connection)
            last = items[-1] if items else outbox.newest_final(connection)
            has_pending = count_pending(connection, 1) > 0
        is_due = last is None or view.latest_block.time - (last.block_time or 0) >= self._policy.heartbeat_s
        is_settled = view.head == self._next_seq(newest) - 1 and all(item.state == "mined" for item in items)
        if not is_settled or not (has_pending or is_due):
            return False
        with self._database.write() as connection:
            if sealing.newest_seq(connection) != newest:
                return False  # another worker was faster
            sealed = sealing.seal(connection, self._keys, self._now_ms(), first_seq=first_seq, heartbeat=is_due)
            if sealed is None:
                return False
            for id_ in sealed.refused:
                sealing.record_incident(connection, self._now_ms(), "not_promised", sealed.seq, f"pending entry {id_}")
        log.info("sealed", seq=sealed.seq, size=sealed.size, refused=len(sealed.refused))
        return True

    # prepare and broadcast

    def _send(self, view: View) -> bool:
        """See to the transaction of the first batch that is not mined; one is in flight at a time."""
        with self._database.read() as connection:
            waiting = [item for item in outbox.open_items(connection) if item.state != "mined"]
            attempts = outbox.attempts(connection, waiting[0].seq) if waiting else []
        if not waiting or waiting[0].seq in view.latest:  # another's, not final yet: a reorganisation may give the seq back
            return False
        item = waiting[0]
        if item.state == "broadcast" and view.latest_block.hash == self._looked_at:
            return False
        self._looked_at = view.latest_block.hash
        attempt = self._choose(view, item, attempts)
        if attempt is None:
            return False
        with self._database.write() as connection:
            if attempt not in attempts:
                outbox.add_attempt(connection, item.seq, attempt)
        try:
            self._chain.send(attempt.raw)
        except NotSent as error:
            raise ChainTrouble("not_sent", str(error)) from error
        with self._database.write() as connection:
            current = next((other for other in outbox.open_items(connection) if other.seq == item.seq), None)
            if current is not None and (current.state, "sent") in outbox.TRANSITIONS:
                sent_at = {} if item.state == "broadcast" else {"broadcast_at": self._now_ms()}
                outbox.move(connection, current, "sent", **sent_at)
        log.info("broadcast", seq=item.seq, attempt=len(attempts) + (attempt not in attempts), max_fee=attempt.max_fee)
        return True

    def _choose(self, view: View, item: Item, attempts: list[Attempt]) -> Attempt | None:
        """The transaction to send now: a new one, the same bytes again, or one with a higher fee; None: wait."""
        if not attempts:
            return self._sign(view, item, view.nonce, 0, 0)
        last = attempts[-1]
        outcomes = [(attempt, *self._chain.outcome(attempt.hash)) for attempt in attempts]
        if any(succeeded for _, _, succeeded in outcomes):
            return None  # mined in a block that the next view shows
        reverted = sum(succeeded is False for _, _, succeeded in outcomes)
        waited = self._clock() - last.signed_at / 1000
        if view.nonce > last.nonce:  # reverted, or the nonce went to something else
            if reverted >= MAX_REVERTED and waited < self._policy.stuck_s:
                raise ChainTrouble("reverted", f"{reverted} transactions for anchor {item.seq} were reverted")
            return self._sign(view, item, view.nonce, 0, 0)
        if not outcomes[-1][1]:
            return last  # not sent before a crash, or dropped from the pool
        if waited < self._policy.stuck_s:
            return None
        return self._sign(view, item, last.nonce, last.max_fee, last.tip)

    def _sign(self, view: View, item: Item, nonce: int, old_fee: int, old_tip: int) -> Attempt:
        """A node takes a replacement only if both fees are at least a tenth higher."""
        tip = max(view.tip, old_tip * 9 // 8 + 1 if old_tip else 0)
        fee = max(2 * view.base_fee + tip, old_fee * 9 // 8 + 1 if old_fee else 0)
        if fee > self._policy.max_fee:
            if old_fee >= self._policy.max_fee or view.base_fee + view.tip > self._policy.max_fee:
                raise ChainTrouble("fee_cap", f"{fee} wei a unit of gas would be over the cap of {self._policy.max_fee}")
            if old_fee * 9 // 8 + 1 > self._policy.max_fee:
                raise ChainTrouble("fee_cap", f"the last transaction pays {old_fee}, a replacement would be over the cap")
            fee = self._policy.max_fee
        tip = min(tip, fee)
        hash_, raw = self._chain.sign_anchor(nonce, item.seq, item.log_root, item.size, item.register_root, max_fee=fee, tip=tip)
        return Attempt(hash_, nonce, fee, tip, raw, self._now_ms())

    def _may_go_on(self, view: View) -> None:
        """Raise what would make any transaction fail: none is paid for then, and accepted entries gather meanwhile."""
        if view.paused:
            raise ChainTrouble("paused", "the contract is paused")
        if not view.may_anchor:
            raise ChainTrouble("role_missing", "the anchoring key does not hold the anchoring role")
        if view.balance < GAS_LIMIT * (view.base_fee + view.tip):
            raise ChainTrouble("no_funds", "the anchoring key cannot pay for a transaction")

    # afterwards

    def _report(self, trouble: ChainTrouble | None, view: View | None = None) -> None:
        now = self._clock()
        with self._database.read() as connection:
            last = health.read(connection)
        seen = last[4:] if last else (0, 0, 0, 0)
        if view is not None:
            seen = (view.head, view.final_head, view.final_block.number, view.final_block.time)
        code, detail = (trouble.code, trouble.detail[:500]) if trouble else (None, None)
        if last and (last.trouble, last.head, last.final_head) == (code, *seen[:2]) and abs(now - last.seen_at) < REPORT_S:
            return
        with self._database.write() as connection:
            health.write(connection, health.Health(now, code, now if trouble else None, detail, *seen))
        if code != (last and last.trouble):
            log.log(logging.ERROR if trouble else logging.INFO, "trouble", code=code, detail=detail)

    def _next_seq(self, newest: int | None) -> int:
        if newest is not None:
            return newest + 1
        if self._first_seq is None:
            self._first_seq = self._chain.first_seq()
        return self._first_seq

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _is_same(item: Item, held: Anchored | None) -> bool:
    return held is not None and (held.log_root, held.register_root, held.size) == (item.log_root, item.register_root, item.size)
