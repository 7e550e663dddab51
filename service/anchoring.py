"""Bringing sealed batches to the chain: look, confirm, seal, prepare, broadcast. Each step is one transaction and can run twice.

A step that dies half-way leaves a row in the outbox from which the next run goes on: signed bytes are stored before they are sent,
and what the contract holds decides, not what we remember having sent (decisions 8 and 9, protocol.md section 5).
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from service.chain import GAS_LIMIT, Anchored, Block, Chain, ChainTrouble, NotSent, View
from service.db import Database
from service.ledger import health, incidents, outbox, sealing
from service.ledger.entries import count_pending
from service.ledger.outbox import Attempt, Item
from service.ledger.receipts import ReceiptKeys
from service.trouble import Trouble

log = structlog.get_logger(__name__)

REPORT_S = 2
"""Seconds between two signs of life that say the same."""
PASSING_S = 10
"""Endpoints that are a block apart meet again: for so long after the last good view that is no trouble."""
QUIET_MS = 3_600_000
"""The same alarm is no new incident for so long: it may come and go."""
CLOCK_S = 600
"""How far the chain's time may be ahead of ours before our clock is taken to be wrong; receipts reckon with less than that."""
FOREIGN_AT_ONCE = 100
"""Foreign anchors that are written down in one step."""
NOTE_MS = 86_400_000
"""What the note about a foreign anchor promises."""
MAX_GWEI = 2**63 - 1
"""What the database can store: the accounts of development chains have more."""

_PASSING = frozenset((Trouble.UNSETTLED, Trouble.BEHIND))


class Policy(NamedTuple):
    """How patient and how generous the worker is; fees in wei for one unit of gas, times in seconds."""

    heartbeat_s: int
    stuck_s: int
    max_fee: int
    promise_s: int = 60
    max_lag_s: int = 3600


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
        self._looked_at: tuple[int, bytes] | None = None
        self._underpriced: bytes | None = None

    def run_once(self) -> bool:
        """All steps once; True where something moved. Trouble is written down for everybody, and ends the round."""
        moved, view, trouble = False, None, None
        try:
            view = self._look()
            moved = self._confirm(view)
            if self._give_way(view):
                return True
            self._check_allowed(view)
            moved = self._seal(view) or moved
            moved = self._send(view) or moved
            self._check_fluent(view)
        except ChainTrouble as found:
            trouble = found
        self._report(trouble, view)
        return moved

    # look

    def _look(self, others: Sequence[int] = ()) -> View:
        """The contract now, with the batches that are not final yet, the newest that is, and `others`."""
        with self._database.read() as connection:
            seqs = [item.seq for item in outbox.open_items(connection)]
            final = outbox.newest_final(connection)
        known = None
        if final and final.final_block is not None and final.final_hash is not None:
            known = Block(final.final_block, final.final_hash, final.block_time or 0)
        view = self._chain.view(sorted({*seqs, *others, *([final.seq] if final else [])}), known)
        if final and not _is_same(final, view.final.get(final.seq)):
            raise ChainTrouble(Trouble.FINAL_VANISHED, f"anchor {final.seq} was final and is not there")
        return view

    # confirm

    def _confirm(self, view: View) -> bool:
        """Write down what the contract holds of the open batches, in order."""
        with self._database.read() as connection:
            if not any(_has_moved(item, view) for item in outbox.open_items(connection)):
                return False
        with self._database.write() as connection:
            for item in outbox.open_items(connection, lock=True):
                if _has_moved(item, view):
                    self._confirm_one(connection, item, view)
        return True

    def _confirm_one(self, connection: Connection, item: Item, view: View) -> None:
        final = view.final.get(item.seq)
        found = _ours(item, view)
        if found is None:
            outbox.move(connection, item, "reorganised", block_number=None, block_time=None)
            log.warning("reorganised", seq=item.seq)
            return
        if item.state != "mined" or (item.block_number, item.block_time) != (found.block_number, found.time):
            item = outbox.move(connection, item, "found", block_number=found.block_number, block_time=found.time)
            log.info("mined", seq=item.seq, size=item.size, block=found.block_number)
        if _is_same(item, final):
            evidence = {"final_block": view.final_block.number, "final_hash": view.final_block.hash}
            outbox.move(connection, item, "finalized", final_at=self._now_ms(), **evidence)
            log.info("final", seq=item.seq)

    def _give_way(self, view: View) -> bool:
        """Another anchorer took a seq, finally: its batch counts as empty, and ours is sealed again under the next one.

        What follows such a seq is given up too, even if it holds our roots: they were reckoned with the batch that is not there.
        """
        with self._database.read() as connection:
            newest = sealing.newest_seq(connection)
            lost = [i.seq for i in outbox.open_items(connection) if i.seq in view.final and not _is_same(i, view.final[i.seq])]
        first = lost[0] if lost else _next_seq(newest, view)
        if first > view.final_head:
            return False
        last = min(view.final_head, first + FOREIGN_AT_ONCE - 1)
        held_now = self._look(range(first, last + 1)).final
        with self._database.write() as connection:
            if sealing.newest_seq(connection) != newest or not held_now.keys() >= set(range(first, last + 1)):
                return False  # another worker was faster, or an endpoint is slower
            sealing.unseal_from(connection, first)
            for seq in range(first, last + 1):
                held = held_now[seq]
                sealing.record_foreign(connection, seq, held.log_root, held.register_root, self._now_ms())
                facts = {"block_number": held.block_number, "block_time": held.time, "final_at": self._now_ms()}
                outbox.add_final(connection, seq, **facts)
            if last == view.final_head:
                sealing.note_foreign(connection, self._keys, self._now_ms(), self._now_ms() + NOTE_MS)
            detail = f"seq {first} to {last} hold anchors that are not ours"
            incidents.record(connection, self._now_ms(), "foreign_anchor", first, detail)
        log.error("foreign_anchor", first=first, last=last)
        return True

    # seal

    def _check_allowed(self, view: View) -> None:
        """Raise what would make any transaction fail: none is paid for then, and accepted entries gather meanwhile."""
        if view.paused:
            raise ChainTrouble(Trouble.PAUSED, "the contract is paused")
        if not view.may_anchor:
            raise ChainTrouble(Trouble.ROLE_MISSING, "the anchoring key does not hold the anchoring role")
        with self._database.read() as connection:
            waiting = [item.seq for item in _unmined(outbox.open_items(connection)) if item.seq in view.seqs]
            seq = waiting[0] if waiting else _next_seq(sealing.newest_seq(connection), view)
        if seq <= view.head:  # not final yet: a reorganisation may give it back
            raise ChainTrouble(Trouble.SEQ_TAKEN, f"another anchor has seq {seq}")

    def _seal(self, view: View) -> bool:
        """Seal what has gathered while the last batch was on its way, or a heartbeat when one is due."""
        with self._database.read() as connection:
            items = outbox.open_items(connection)
            newest = sealing.newest_seq(connection)
            last = items[-1] if items else outbox.newest_final(connection)
            has_pending = count_pending(connection, 1) > 0
        is_due = last is None or view.latest_block.time - (last.block_time or 0) >= self._policy.heartbeat_s
        is_settled = view.head == _next_seq(newest, view) - 1 and not _unmined(items)
        if not is_settled or not (has_pending or is_due):
            return False
        with self._database.write() as connection:
            if sealing.newest_seq(connection) != newest:
                return False  # another worker was faster
            sealed = sealing.seal(connection, self._keys, self._now_ms(), first_seq=view.first_seq, heartbeat=is_due)
            if sealed is None:
                return False
            for id_ in sealed.refused:
                incidents.record(connection, self._now_ms(), "not_promised", None, f"pending entry {id_}")
        log.info("sealed", seq=sealed.seq, size=sealed.size, refused=len(sealed.refused))
        return True

    # prepare and broadcast

    def _send(self, view: View) -> bool:
        """See to the transaction of the first batch that is not mined; one is in flight at a time."""
        with self._database.read() as connection:
            waiting = _unmined(outbox.open_items(connection))
            attempts = outbox.attempts(connection, waiting[0].seq) if waiting else []
        if not waiting or waiting[0].seq != view.head + 1:
            return False
        item = waiting[0]
        looked_at = (item.seq, view.latest_block.hash)
        if item.state == "broadcast" and looked_at == self._looked_at:
            return False
        attempt = self._choose(view, item, attempts)
        if attempt is not None and not self._broadcast(item, attempt, is_new=attempt not in attempts):
            return True
        self._looked_at = looked_at
        return attempt is not None

    def _choose(self, view: View, item: Item, attempts: Sequence[Attempt]) -> Attempt | None:
        """The transaction to send now: a new one, the same bytes again, or a dearer one in its place; None: wait.

        Only those with the account's next nonce count: an earlier one was reverted, a later one may come to nothing.
        """
        ours = [attempt for attempt in attempts if attempt.nonce == view.nonce]
        if not ours:
            return self._sign(view, item, None)
        last = ours[-1]
        if last.hash == self._underpriced:
            return self._sign(view, item, last)
        if item.state == "sealed":
            return last  # stored before a crash, and perhaps not sent
        if not self._chain.knows(last.hash):  # dropped from the pool
            return last if last.max_fee >= view.base_fee else self._sign(view, item, last)
        return self._sign(view, item, last) if self._is_late(last) else None

    def _sign(self, view: View, item: Item, replaced: Attempt | None) -> Attempt:
        anchor = (item.seq, item.log_root, item.size, item.register_root)
        refusal = self._chain.refusal(view.latest_block, *anchor)
        if refusal is not None:
            raise ChainTrouble(Trouble.REVERTED, f"anchor {item.seq} would be refused with {refusal[:74]}")
        max_fee, tip = self._price(view, item.seq, replaced)
        hash_, raw = self._chain.sign_anchor(view.nonce, *anchor, max_fee=max_fee, tip=tip)
        return Attempt(hash_, view.nonce, max_fee, tip, raw, self._now_ms())

    def _price(self, view: View, seq: int, replaced: Attempt | None) -> tuple[int, int]:
        """(highest fee, tip), in wei for one unit of gas: room for base fees twice as high, within the cap and the balance.

        A node takes a replacement only if both are at least a tenth higher.
        """
        lowest, tip = view.base_fee, view.tip
        if replaced is not None:
            lowest, tip = max(lowest, replaced.max_fee * 9 // 8 + 1), max(tip, replaced.tip * 9 // 8 + 1)
        if lowest > self._policy.max_fee:
            raise ChainTrouble(Trouble.FEE_CAP, f"anchor {seq} would cost more than {self._policy.max_fee} wei a unit of gas")
        affordable = view.balance // GAS_LIMIT
        if lowest > affordable:
            raise ChainTrouble(Trouble.NO_FUNDS, "the anchoring key cannot pay for a transaction")
        max_fee = max(lowest, min(2 * view.base_fee + tip, self._policy.max_fee, affordable))
        return max_fee, min(tip, max_fee)

    def _broadcast(self, item: Item, attempt: Attempt, *, is_new: bool) -> bool:
        """Store, then send; False where it pays too little, so that the next round has to sign a dearer one."""
        if is_new:
            with self._database.write() as connection:
                outbox.add_attempt(connection, item.seq, attempt)
        try:
            self._chain.send(attempt.raw)
        except NotSent as error:
            if not error.is_underpriced:
                raise ChainTrouble(Trouble.NOT_SENT, str(error)) from error
            self._underpriced = attempt.hash
            return False
        with self._database.write() as connection:
            current = next((other for other in outbox.open_items(connection, lock=True) if other.seq == item.seq), None)
            if current is not None and (current.state, "sent") in outbox.TRANSITIONS:
                sent_at = {} if item.state == "broadcast" else {"broadcast_at": self._now_ms()}
                outbox.move(connection, current, "sent", **sent_at)
        log.info("broadcast", seq=item.seq, again=not is_new, max_fee=attempt.max_fee)
        return True

    # afterwards

    def _check_fluent(self, view: View) -> None:
        """Raise what stops nothing and yet endangers promises."""
        now = self._clock()
        with self._database.read() as connection:
            waiting = _unmined(outbox.open_items(connection))
            attempts = outbox.attempts(connection, waiting[0].seq) if waiting else []
        if any(map(self._is_late, attempts)):
            raise ChainTrouble(Trouble.STUCK, f"anchor {waiting[0].seq} is not mined; {len(attempts)} transactions were sent")
        if view.latest_block.time > now + CLOCK_S:
            raise ChainTrouble(Trouble.CLOCK_BEHIND, f"block {view.latest_block.number} is of a time to come")
        if now - view.latest_block.time > self._policy.promise_s:
            raise ChainTrouble(Trouble.NO_BLOCKS, f"block {view.latest_block.number} is the newest")
        if now - view.final_block.time > self._policy.max_lag_s:
            raise ChainTrouble(Trouble.NO_FINALITY, f"block {view.final_block.number} is the newest final one")

    def _is_late(self, attempt: Attempt) -> bool:
        """Whether it is stuck; also where our clock went back behind its signing, since how long it waits is not known then."""
        return not 0 <= self._clock() - attempt.signed_at / 1000 < self._policy.stuck_s

    def fail(self, detail: str) -> None:
        """Write down that a round met an error that none of the steps knows."""
        self._report(ChainTrouble(Trouble.WORKER_FAILED, detail), None)

    def _report(self, trouble: ChainTrouble | None, view: View | None) -> None:
        """Tell everybody: at once what is new, and every REPORT_S that the worker is alive."""
        now = self._clock()
        with self._database.read() as connection:
            last = health.read(connection)
        word = _word(now, trouble, view, last)
        since_last = abs(now - last.seen_at) if last else float("inf")
        is_change = word.trouble != (last.trouble if last else None)
        if is_change and word.trouble in _PASSING and since_last < PASSING_S:
            return
        if last and since_last < REPORT_S and _news(word) == _news(last):
            return
        with self._database.write() as connection:
            health.write(connection, word)
            if is_change and trouble and isinstance(trouble.code, Trouble) and trouble.code.is_alarm:
                incidents.record(connection, self._now_ms(), str(trouble.code), None, trouble.detail, quiet_ms=QUIET_MS)
        if is_change:
            log.log(logging.ERROR if trouble else logging.INFO, "trouble", code=word.trouble, detail=word.detail)
        if word.left_out != (last.left_out if last else ""):
            log.warning("endpoints_left_out", endpoints=word.left_out)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _word(now: float, trouble: ChainTrouble | None, view: View | None, last: health.Health | None) -> health.Health:
    code, since, detail = (str(trouble.code), now, trouble.detail[:500]) if trouble else (None, None, None)
    if view is not None:
        final, left_out = view.final_block, ", ".join(view.left_out)[:500]
        seen = (view.head, view.final_head, final.number, final.time, min(view.balance // 10**9, MAX_GWEI), left_out)
        return health.Health(now, code, since, detail, *seen)
    if last is not None:
        return last._replace(seen_at=now, trouble=code, since=since, detail=detail)
    return health.Health(now, code, since, detail, 0, 0, 0, 0, 0, "")


def _news(word: health.Health) -> tuple[object, ...]:
    return word.trouble, word.head, word.final_head, word.left_out


def _next_seq(newest: int | None, view: View) -> int:
    return view.first_seq if newest is None else newest + 1


def _unmined(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.state != "mined"]


def _is_same(item: Item, held: Anchored | None) -> bool:
    return held is not None and (held.log_root, held.register_root, held.size) == (item.log_root, item.register_root, item.size)


def _ours(item: Item, view: View) -> Anchored | None:
    """Where the contract holds the batch; None where it does not, or holds another one under its seq."""
    for held in (view.final.get(item.seq), view.latest.get(item.seq)):
        if held is not None:
            return held if _is_same(item, held) else None
    return None


def _has_moved(item: Item, view: View) -> bool:
    """Whether the outbox says something else of the batch than the contract; one that was not asked for has not moved."""
    found = _ours(item, view)
    if item.seq not in view.seqs or (found is None and item.state != "mined"):
        return False
    is_known = (
        item.state == "mined" and found is not None and (item.block_number, item.block_time) == (found.block_number, found.time)
    )
    return not is_known or item.seq in view.final
