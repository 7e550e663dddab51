"""Protections of what is written down, said and kept, switched off one by one."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import DBAPIError

from service import anchoring, db, worker
from service.anchoring import Anchoring
from service.chain import Anchored, Chain, ChainTrouble, View
from service.db import Database
from service.ledger import health, incidents, outbox, pruning, register, sealing
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import incidents as incidents_table
from tests.integration.trouble.mutation import mutation

# what is written down


@mutation("a_transaction_is_reverted")
def a_receipt_is_enough(patch: pytest.MonkeyPatch) -> None:
    true = Anchoring._look

    def look(self: Anchoring, *others: Any) -> View:
        seen = true(self, *others)
        latest = dict(seen.latest)
        with self._database.read() as connection:
            for item in outbox.open_items(connection):
                for attempt in outbox.attempts(connection, item.seq):
                    [answer] = self._chain._endpoints[0].batch([("eth_getTransactionReceipt", ["0x" + attempt.hash.hex()])])
                    if answer.get("result"):
                        at = int(answer["result"]["blockNumber"], 16)
                        latest[item.seq] = Anchored(item.log_root, item.register_root, item.size, seen.latest_block.time, at)
        return View(**{**seen.__dict__, "latest": latest})

    patch.setattr(Anchoring, "_look", look)


@mutation("another_service_anchored_our_roots")
def only_what_we_sent_is_ours(patch: pytest.MonkeyPatch) -> None:
    true = Anchoring._look

    def look(self: Anchoring, *others: Any) -> View:
        seen = true(self, *others)
        with self._database.read() as connection:
            attempts = {item.seq: outbox.attempts(connection, item.seq) for item in outbox.open_items(connection)}
        for seq, some in attempts.items():
            calls = [("eth_getTransactionReceipt", ["0x" + attempt.hash.hex()]) for attempt in some]
            receipts = [answer.get("result") or {} for answer in self._chain._endpoints[0].batch(calls)]
            if not any(receipt.get("status") == "0x1" for receipt in receipts):
                seen.latest.pop(seq, None)
                seen.final.pop(seq, None)
        return seen

    patch.setattr(Anchoring, "_look", look)


@mutation("another_anchorer_takes_the_seq", "reorganised_3_deep_and_replaced")
def roots_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(anchoring, "_is_same", lambda _, held: held is not None)


@mutation("reorganised_1_deep_and_gone", "reorganised_5_deep_and_gone", "reorganised_4_deep_and_moved", "finality_by_confirmations")
def what_was_mined_stays_mined(patch: pytest.MonkeyPatch) -> None:
    true = anchoring._has_moved
    patch.setattr(anchoring, "_has_moved", lambda item, view: anchoring._ours(item, view) is not None and true(item, view))


@mutation("moved_to_another_block_of_the_same_height")
def only_the_height_is_compared(patch: pytest.MonkeyPatch) -> None:
    true = anchoring._has_moved

    def has_moved(item: outbox.Item, view: View) -> bool:
        found = anchoring._ours(item, view)
        is_at = found is not None and found.block_number == item.block_number
        return true(item, view) and not (is_at and item.seq not in view.final)

    patch.setattr(anchoring, "_has_moved", has_moved)


@mutation("reorganised_2_deep_and_gone")
def mined_counts_as_final(patch: pytest.MonkeyPatch) -> None:
    true = Chain.view

    def view(self: Chain, *asked: Any) -> View:
        seen = true(self, *asked)
        return View(**{**seen.__dict__, "final": seen.latest, "final_head": seen.head, "final_block": seen.latest_block})

    patch.setattr(Chain, "view", view)


@mutation("another_anchorer_takes_the_seq", "another_anchorer_takes_many_seqs")
def nobody_gives_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Anchoring, "_give_way", lambda *_: False)


@mutation("another_anchorer_takes_a_seq_with_later_batches_sealed")
def later_batches_are_kept(patch: pytest.MonkeyPatch) -> None:
    true = Chain.view

    def view(self: Chain, seqs: Sequence[int], known: Any = None) -> View:
        seen = true(self, seqs, known)
        return View(**{**seen.__dict__, "final_head": min([seen.final_head, *(s for s in seen.final if s not in seen.latest)])})

    patch.setattr(Chain, "view", view)
    unseal = sealing.unseal_from

    def unseal_one(connection: Any, seq: int) -> None:
        newest = sealing.newest_seq(connection) or 0
        if newest == seq:
            unseal(connection, seq)

    patch.setattr(sealing, "unseal_from", unseal_one)


@mutation("another_anchorer_takes_a_seq_while_nothing_waits")
def no_note_is_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sealing, "note_foreign", lambda *_: None)


@mutation("another_anchorer_is_there_before_the_first_invoice")
def what_the_contract_would_refuse_is_sealed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sealing, "_is_allowed", lambda *_: True)


@mutation("old_pages_are_pruned_before_batches_are_sealed_again")
def pages_are_pruned_up_to_what_is_sealed(patch: pytest.MonkeyPatch) -> None:
    def newest(connection: Any) -> Any:
        items = outbox.open_items(connection)
        return items[-1] if items else None

    true = outbox.newest_final
    patch.setattr(pruning, "outbox", _Outbox(lambda connection: newest(connection) or true(connection)))
    patch.setattr(pruning, "BATCHES_AT_ONCE", 10**6)


class _Outbox(NamedTuple):
    newest_final: Callable[[Any], Any]


@mutation("a_pending_entry_is_tampered_with")
def receipts_are_not_checked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ReceiptKeys, "are_valid", lambda _self, entries, _receipts: [True] * len(entries))


# what is said


@mutation("node_goes_down_and_comes_back", "the_contract_is_paused", "the_database_is_locked")
def receipts_always_promise_the_usual_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(health, "promise_s", lambda _last, _now, settings: settings.promise_s)


@mutation("the_clock_jumps_back")
def promises_are_by_our_clock_alone(patch: pytest.MonkeyPatch) -> None:
    true = health.promise_s

    def promise_s(last: health.Health | None, now: float, settings: Any) -> int:
        return true(last._replace(final_time=0) if last else None, now, settings)

    patch.setattr(health, "promise_s", promise_s)


@mutation("the_clock_jumps_back")
def what_was_signed_in_a_time_to_come_is_not_late(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Anchoring, "_is_late", lambda self, attempt: self._clock() - attempt.signed_at / 1000 >= self._policy.stuck_s)


@mutation("the_only_endpoint_is_frozen_for_an_hour", "the_clock_jumps_ahead", "fees_rise_over_what_was_offered")
def what_stops_nothing_is_not_said(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Anchoring, "_check_fluent", lambda *_: None)


@mutation("fees_rise_over_the_cap", "the_contract_is_paused", "a_pending_entry_is_tampered_with")
def every_round_is_an_incident(patch: pytest.MonkeyPatch) -> None:
    def record(connection: Any, now_ms: int, code: str, seq: Any, detail: str, **_: Any) -> None:
        connection.execute(insert(incidents_table), {"at": now_ms, "code": code, "seq": seq, "detail": detail})

    patch.setattr(incidents, "record", record)
    patch.setattr(Anchoring, "_report", _report_as_if_new)


def _report_as_if_new(self: Anchoring, trouble: ChainTrouble | None, view: View | None) -> None:
    with self._database.write() as connection:
        last = health.read(connection)
        health.write(connection, anchoring._word(self._clock(), trouble, view, last))
        if trouble:
            incidents.record(connection, 0, str(trouble.code), None, trouble.detail)


@mutation("the_worker_meets_an_unknown_error")
def an_unknown_error_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Anchoring, "fail", lambda *_: None)


@mutation("the_worker_meets_an_unknown_error")
def a_failing_worker_runs_hot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(worker, "_SITS_OUT", 0)


# what is kept


@mutation("the_database_is_full", database="postgresql")
def it_is_acknowledged_whether_it_is_stored_or_not(patch: pytest.MonkeyPatch) -> None:
    true = Database.write

    @contextmanager
    def write(self: Database) -> Any:
        with suppress(DBAPIError), true(self) as connection:
            yield connection

    patch.setattr(Database, "write", write)


@mutation("the_database_is_restarted", "the_database_crashes", database="postgresql")
def a_connection_is_taken_to_live_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(db, "create_engine", lambda url, **options: create_engine(url, **{**options, "pool_pre_ping": False}))


@mutation("a_second_worker_is_faster")
def what_was_not_asked_for_is_not_held(patch: pytest.MonkeyPatch) -> None:
    true = anchoring._has_moved
    patch.setattr(anchoring, "_has_moved", lambda item, view: true(item, View(**{**view.__dict__, "seqs": view.seqs | {item.seq}})))


@mutation("three_workers_work_at_once", database="postgresql")
def being_second_is_an_error(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(worker, "is_unique_violation", lambda _: False)


@mutation("nothing_happens_for_a_day")
def there_are_no_heartbeats(patch: pytest.MonkeyPatch) -> None:
    true = sealing.seal
    patch.setattr(sealing, "seal", lambda *rest, heartbeat, **options: true(*rest, heartbeat=False, **options))


@mutation("another_anchorer_takes_a_seq_with_later_batches_sealed", "another_anchorer_takes_the_seq")
def pages_of_what_is_sealed_again_are_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(register, "discard_from", lambda *_: None)
