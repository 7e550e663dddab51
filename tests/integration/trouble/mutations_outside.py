"""Protections against what others do, switched off one by one: what is read of the chain, and what is sent to it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from service import anchoring
from service.anchoring import Anchoring
from service.chain import Anchored, Chain, Endpoint, NotSent, View, contract, endpoint
from service.ledger import health, outbox
from service.trouble import Trouble
from tests.integration.trouble.mutation import mutation
from verifier.transport import HttpClient

# what is read


@mutation("node_fails_to_call")
def an_error_counts_as_nothing_held(patch: pytest.MonkeyPatch) -> None:
    true = contract._anchored

    def anchored(endpoint: Any, answer: Any) -> Anchored | None:
        return None if answer.get("error") else true(endpoint, answer)

    patch.setattr(contract, "_anchored", anchored)


@mutation("node_answers_zeros")
def zeros_count_as_an_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Endpoint, "data", lambda _self, _answer, length: bytes(length))


@mutation("node_is_slow")
def patience_has_no_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(endpoint, "HttpClient", lambda _: HttpClient(60))


@mutation("node_answers_nonsense")
def the_status_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    true = HttpClient.__call__
    patch.setattr(HttpClient, "__call__", lambda *asked: true(*asked)._replace(status=200))


@mutation("node_answers_anything")
def numbers_may_be_of_any_size(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(endpoint, "TOO_LARGE", 2**300)
    patch.setattr(contract, "TOO_LARGE", 2**300)
    patch.setattr(anchoring, "MAX_GWEI", 2**300)


@mutation("two_endpoints_disagree")
def the_first_endpoint_is_believed(patch: pytest.MonkeyPatch) -> None:
    true = Chain._agreed
    patch.setattr(Chain, "_agreed", lambda self, endpoints, *rest: true(self, endpoints[:1], *rest))


@mutation("one_of_two_endpoints_is_frozen_for_an_hour")
def nobody_is_left_out_for_being_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contract, "BEHIND_S", 10**9)


@mutation("one_of_two_endpoints_is_down")
def an_endpoint_that_is_down_is_a_contradiction(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contract, "_CONTRADICTIONS", frozenset((Trouble.UNREACHABLE,)))


@mutation("an_endpoint_that_lags_is_no_vanished_anchor")
def what_was_final_is_not_remembered(patch: pytest.MonkeyPatch) -> None:
    true = Chain.view
    patch.setattr(Chain, "view", lambda self, seqs, known=None: true(self, seqs))


@mutation("an_endpoint_a_block_behind_is_no_trouble")
def every_endpoint_must_stand_at_the_same_block(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contract, "BEHIND_S", 0)


@mutation("another_chain_answers")
def the_chain_id_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    true = Chain._blocks

    def blocks(self: Chain, endpoint: Any, known: Any) -> Any:
        self.chain_id = int(endpoint.batch([("eth_chainId", [])])[0]["result"], 16)
        return true(self, endpoint, known)

    patch.setattr(Chain, "_blocks", blocks)


@mutation("there_is_no_code_at_the_address")
def code_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    true = Endpoint.value
    patch.setattr(Endpoint, "value", lambda self, answer: "0x01" if answer.get("result") == "0x" else true(self, answer))


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
    patch.setattr(contract, "_UNDERPRICED", ())
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
    patch.setattr(contract, "_UNDERPRICED", ())


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
