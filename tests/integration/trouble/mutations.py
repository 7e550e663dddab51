"""Protections of the product, each switched off: the scenario beside it has to fail then, or it would prove nothing."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import DBAPIError

from service import anchoring, chain, db, worker
from service.anchoring import Anchoring
from service.chain import Anchored, Chain, ChainTrouble, NotSent, View
from service.db import Database
from service.ledger import health, incidents, outbox, pruning, register, sealing
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import incidents as incidents_table
from service.trouble import Trouble
from verifier.transport import HttpClient

Patch = Callable[[pytest.MonkeyPatch], None]


class Mutation(NamedTuple):
    what: str
    scenario: str
    patch: Patch
    database: str = "sqlite"


MUTATIONS: list[Mutation] = []


def mutation(scenario: str, *others: str, database: str = "sqlite") -> Callable[[Patch], Patch]:
    """Registers a way to switch one protection off, for each of these scenarios."""

    def register_it(patch: Patch) -> Patch:
        MUTATIONS.extend(Mutation(patch.__name__, name, patch, database) for name in (scenario, *others))
        return patch

    return register_it


# what is read


@mutation("node_fails_to_call")
def an_error_counts_as_nothing_held(patch: pytest.MonkeyPatch) -> None:
    true = chain._anchored

    def anchored(endpoint: Any, answer: Any) -> Anchored | None:
        return None if answer.get("error") else true(endpoint, answer)

    patch.setattr(chain, "_anchored", anchored)


@mutation("node_answers_zeros")
def zeros_count_as_an_answer(patch: pytest.MonkeyPatch) -> None:
    true = chain._data
    patch.setattr(
        chain, "_data", lambda endpoint, answer, length: true(endpoint, answer, length) if answer.get("error") else bytes(length)
    )


@mutation("node_is_slow")
def patience_has_no_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "HttpClient", lambda _: HttpClient(60))


@mutation("node_answers_nonsense")
def the_status_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    true = HttpClient.__call__
    patch.setattr(HttpClient, "__call__", lambda *asked: true(*asked)._replace(status=200))


@mutation("node_answers_anything")
def numbers_may_be_of_any_size(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "_TOO_LARGE", 2**300)
    patch.setattr(anchoring, "MAX_GWEI", 2**300)


@mutation("two_endpoints_disagree")
def the_first_endpoint_is_believed(patch: pytest.MonkeyPatch) -> None:
    true = Chain._agreed
    patch.setattr(Chain, "_agreed", lambda self, endpoints, *rest: true(self, endpoints[:1], *rest))


@mutation("one_of_two_endpoints_is_frozen_for_an_hour")
def nobody_is_left_out_for_being_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "BEHIND_S", 10**9)


@mutation("one_of_two_endpoints_is_down")
def an_endpoint_that_is_down_is_a_contradiction(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "_CONTRADICTIONS", frozenset((Trouble.UNREACHABLE,)))


@mutation("an_endpoint_that_lags_is_no_vanished_anchor")
def what_was_final_is_not_remembered(patch: pytest.MonkeyPatch) -> None:
    true = Chain.view
    patch.setattr(Chain, "view", lambda self, seqs, known=None: true(self, seqs))


@mutation("an_endpoint_a_block_behind_is_no_trouble")
def every_endpoint_must_stand_at_the_same_block(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "BEHIND_S", 0)


@mutation("another_chain_answers")
def the_chain_id_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    true = Chain._blocks

    def blocks(self: Chain, endpoint: Any, known: Any) -> Any:
        self.chain_id = int(endpoint.batch([("eth_chainId", [])])[0]["result"], 16)
        return true(self, endpoint, known)

    patch.setattr(Chain, "_blocks", blocks)


@mutation("there_is_no_code_at_the_address")
def code_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    true = chain._value
    patch.setattr(chain, "_value", lambda endpoint, answer: "0x01" if answer.get("result") == "0x" else true(endpoint, answer))


@mutation("what_was_final_is_rewritten", "what_was_final_seems_gone", "the_chain_is_reset")
def what_is_final_is_not_looked_at_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outbox, "newest_final", lambda _: None)


@mutation("what_was_final_is_rewritten", "another_chain_answers")
def proofs_are_handed_out_in_any_trouble(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(health, "NOTHING_PROVEN", frozenset())


# what is sent


@mutation("an_endpoint_swallows_transactions")
def transactions_go_to_one_endpoint(patch: pytest.MonkeyPatch) -> None:
    true = Chain.send

    def send(self: Chain, raw: bytes) -> None:
        every, self._endpoints = self._endpoints, self._endpoints[:1]
        try:
            true(self, raw)
        finally:
            self._endpoints = every

    patch.setattr(Chain, "send", send)


@mutation("a_transaction_is_dropped_from_the_pool")
def what_was_sent_is_taken_to_be_in_the_pool(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Chain, "knows", lambda *_: True)


@mutation("the_only_endpoint_swallows_transactions")
def what_nobody_has_is_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Chain, "knows", lambda *_: True)


@mutation("a_transaction_is_dropped_when_fees_have_risen")
def what_is_too_cheap_is_sent_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "_UNDERPRICED", ())
    true = Anchoring._choose

    def choose(self: Anchoring, view: View, item: outbox.Item, attempts: Sequence[outbox.Attempt]) -> outbox.Attempt | None:
        return attempts[-1] if attempts else true(self, view, item, attempts)

    patch.setattr(Anchoring, "_choose", choose)


@mutation("fees_rise_over_what_was_offered", "fees_rise_over_the_cap")
def nothing_is_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Anchoring, "_is_late", lambda *_: False)


@mutation("fees_rise_over_the_cap", "fees_are_over_the_cap_from_the_start", "a_node_suggests_a_mad_tip")
def there_is_no_cap(patch: pytest.MonkeyPatch) -> None:
    true = Anchoring._price

    def price(self: Anchoring, *rest: Any) -> tuple[int, int]:
        self._policy = self._policy._replace(max_fee=10**18)
        return true(self, *rest)

    patch.setattr(Anchoring, "_price", price)


@mutation("another_transaction_has_the_nonce")
def being_too_cheap_is_trouble(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "_UNDERPRICED", ())


@mutation("another_transaction_has_the_nonce")
def a_spent_nonce_is_used_on(patch: pytest.MonkeyPatch) -> None:
    true = Anchoring._choose

    def choose(self: Anchoring, view: View, item: Any, attempts: Sequence[outbox.Attempt]) -> Any:
        return attempts[-1] if attempts and item.state == "broadcast" else true(self, view, item, attempts)

    patch.setattr(Anchoring, "_choose", choose)


@mutation("no_endpoint_takes_transactions")
def what_was_given_to_a_node_is_sent(patch: pytest.MonkeyPatch) -> None:
    true = Chain.send

    def send(self: Chain, raw: bytes) -> None:
        with suppress(NotSent):
            true(self, raw)

    patch.setattr(Chain, "send", send)


@mutation("the_worker_dies_before_sending")
def what_was_signed_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outbox, "attempts", lambda *_: [])


@mutation("the_worker_dies_after_sending")
def it_is_sent_before_it_is_stored(patch: pytest.MonkeyPatch) -> None:
    store = outbox.add_attempt
    waiting: list[Any] = []
    patch.setattr(outbox, "add_attempt", lambda connection, seq, attempt: waiting.append((seq, attempt)))
    move = outbox.move

    def move_and_store(connection: Any, item: Any, happened: Any, **facts: object) -> Any:
        if happened == "sent":
            for seq, attempt in waiting:
                store(connection, seq, attempt)
            waiting.clear()
        return move(connection, item, happened, **facts)

    patch.setattr(outbox, "move", move_and_store)


@mutation("the_contract_is_paused", "the_role_is_revoked", "another_anchorer_takes_the_seq")
def nothing_is_asked_of_the_contract_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Anchoring, "_check_allowed", lambda *_: None)


@mutation("the_contract_would_refuse_the_anchor")
def whatever_would_be_refused_is_paid_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Chain, "refusal", lambda *_: None)


@mutation("the_key_cannot_pay")
def the_balance_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    true = Chain.view

    def view(self: Chain, *asked: Any) -> View:
        return View(**{**true(self, *asked).__dict__, "balance": 10**24})

    patch.setattr(Chain, "view", view)


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
    patch.setattr(anchoring, "is_unique_violation", lambda _: False)


@mutation("nothing_happens_for_a_day")
def there_are_no_heartbeats(patch: pytest.MonkeyPatch) -> None:
    true = sealing.seal
    patch.setattr(sealing, "seal", lambda *rest, heartbeat, **options: true(*rest, heartbeat=False, **options))


@mutation("another_anchorer_takes_a_seq_with_later_batches_sealed", "another_anchorer_takes_the_seq")
def pages_of_what_is_sealed_again_are_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(register, "discard_from", lambda *_: None)
