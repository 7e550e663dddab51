"""One diagnosis: read what is shown, gather the evidence, hold it against the chain, ask the nodes, decide."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from service.db import Database
from service.diagnosis import custody, evidence, shown, words
from service.diagnosis.case import HOPS, Case, Hop, HopState, NodeSaid
from service.diagnosis.details import Asker
from service.diagnosis.evidence import Gathered, Registry
from service.diagnosis.nodes import Nodes
from service.diagnosis.rules import Rule, decide
from service.diagnosis.shown import Shown
from service.invoices import guessing, reading
from service.ledger import outbox
from service.messages import Language
from service.verification.chain import ChainReadings
from verifier.chain import ChainReader
from verifier.errors import ChainUnavailable
from verifier.fields import Chain
from verifier.proof import AbsenceProof
from verifier.question import Question
from verifier.report import Report

LINKS = {
    "restore_from_copy": "/v1/recoveries",
    "find_copy": "/v1/recoveries",
    "apply_for_reprint": "/reprint",
    "show_receipt": "/v1/proofs",
}
"""Where the next step is taken."""
RETRY_MS = 60_000
CURRENCY = "CNY"

_CONFIDENTIAL = ("external_id", "entry", "receipt", "other_number")
"""Evidence that only who holds the invoice gets to see."""


class Diagnosis(NamedTuple):
    """`tries_left`: wrong guesses that the client's network has left today; None where nothing was guessed."""

    case: Case
    rule: Rule
    hops: list[Hop]
    now_ms: int
    reprint_fee: Decimal
    tries_left: int | None

    @property
    def is_told(self) -> bool:
        """Whether the asker may hear what the invoice is: they hold it, or what they typed was compared and is right."""
        is_matched = self.case.content == "whole" and self.rule.verdict != "detail_mismatch"
        return self.case.is_holder or is_matched

    def to_members(self, language: Language) -> dict[str, Any]:
        case, rule = self.case, self.rule
        fee: dict[str, Any] = {"kind": rule.fee, "rests_on": rule.rests_on}
        if rule.fee == "charged":
            fee |= {"amount": f"{self.reprint_fee:.2f}", "currency": CURRENCY}
        return {
            "verdict": rule.verdict,
            "number": case.number,
            "status": case.status if self.is_told else None,
            "state": case.state if self.is_told else None,
            "responsible": rule.responsible,
            "evidence": [_hop_members(hop, language) for hop in self.hops],
            "next_action": self._next_action(language),
            "fee": fee,
            "sentences": {
                "title": words.say(words.TITLES[rule.verdict], language),
                "verdict": words.say(words.DETAILS[rule.verdict], language),
                "responsible": words.say(words.RESPONSIBLE[rule.responsible], language),
                "next_action": words.say(words.ACTIONS[rule.next_action], language),
                "fee": words.say(words.FEES[rule.fee], language, amount=f"{self.reprint_fee:.2f}"),
            },
            "tries_left": self.tries_left,
        }

    def _next_action(self, language: Language) -> dict[str, Any]:
        case, code = self.case, self.rule.next_action
        action: dict[str, Any] = {"code": code}
        if code == "wait" and case.wait_until is not None and case.wait_until > self.now_ms:
            action["until"] = reading.at(case.wait_until)
        if code == "try_again":
            action["until"] = reading.at(self.now_ms + RETRY_MS)
        if code in LINKS:
            action["link"] = LINKS[code]
        if code == "check_details" and case.tells_errors and case.typing_errors:
            action["fields"] = [
                {
                    "field": error.field,
                    "slip": error.slip,
                    "sentence": words.say(words.SLIPS[error.slip], language, field=words.say(words.FIELDS[error.field], language)),
                }
                for error in case.typing_errors
            ]
        return action


def _hop_members(hop: Hop, language: Language) -> dict[str, Any]:
    written = {name: _written(value, language) for name, value in hop.evidence.items()}
    return {
        "hop": hop.hop,
        "state": hop.state,
        "at": None if hop.at is None else reading.at(hop.at),
        "evidence": written,
        "hop_name": words.say(words.HOPS[hop.hop], language),
        "state_name": words.say(words.STATES[hop.state], language),
    }


def _written(value: Any, language: Language) -> Any:
    if isinstance(value, Report):
        return {name: said for name, said in value.to_dict(language).items() if name != "file"}
    return orjson.Fragment(value.to_json()) if isinstance(value, AbsenceProof) else value


class Diagnostics:
    """For the threads of one process. `public_keys` are the service's by key id, `central` the ids of central records' API keys."""

    def __init__(
        self,
        database: Database,
        chain: Chain,
        public_keys: Mapping[str, bytes],
        readings: ChainReadings,
        nodes: Nodes,
        central: Callable[[Connection], Collection[str]],
        regions: tuple[str, ...],
        reprint_fee: Decimal,
    ) -> None:
        self._database = database
        self.registry = Registry(chain, public_keys, frozenset(regions), central)
        self._readings = readings
        self._nodes = nodes
        self._reprint_fee = reprint_fee

    def reader(self) -> ChainReader:
        """The contract as of just now, as far as our newest final anchor. Raises ChainUnavailable if no endpoint is set."""
        with self._database.read() as connection:
            newest = outbox.newest_final(connection)
        return self._readings.reader(newest.seq if newest else 0)

    def of_proof(self, data: bytes, asker: Asker, now_ms: int) -> Diagnosis:
        """Raises Refused("not_a_proof")."""
        reader = self.reader()
        return self._diagnose(shown.proof(data, reader), asker, now_ms, reader)

    def diagnose(self, what: Shown, asker: Asker, now_ms: int) -> Diagnosis:
        """Raises Unavailable("too_many_guesses") where facts are guessed and no try is left."""
        return self._diagnose(what, asker, now_ms, self.reader())

    def custody(self, number: str, sellers: frozenset[str] | None, now_ms: int) -> list[dict[str, Any]]:
        """The custody timeline up to the nodes, for who may see `sellers`' invoices (None: all). Raises Refused("not_found")."""
        return custody.read(self._database, self.registry, self._nodes, self.reader, number, sellers, now_ms)

    def _diagnose(self, what: Shown, asker: Asker, now_ms: int, reader: ChainReader) -> Diagnosis:
        final_time = _time(reader)
        left = None
        with self._database.read() as connection:
            gathered = evidence.gather(connection, what, asker, self.registry, final_time)
            case = gathered.case
            guess = what.asked.guess() if what.asked is not None and not case.is_holder else None
            if guess is not None:
                left = guessing.check(connection, "facts", what.key, asker.network, now_ms, guess)
        if what.flaw is None:
            evidence.compare(gathered, reader, now_ms)
        self._ask_nodes(gathered, reader)
        rule = decide(case)
        if guess is not None and _is_wrong(case):
            with self._database.write() as connection:
                left = guessing.count(connection, "facts", what.key, asker.network, now_ms, guess)
        case.hops.append(_shown_hop(what, case))
        diagnosis = Diagnosis(case, rule, [], now_ms, self._reprint_fee, left)
        return diagnosis._replace(hops=_told(diagnosis))

    def _ask_nodes(self, gathered: Gathered, reader: ChainReader) -> None:
        """Of what is final and whole, and no guess."""
        case, subject = gathered.case, gathered.subject
        if case.reached != "final" or case.typing_errors or gathered.commitment is None or subject is None or subject.seq is None:
            return
        assert case.number is not None
        case.nodes = self._nodes.ask(Question(case.number, gathered.commitment), subject.seq, reader)
        case.hops.append(_visible_hop(case.nodes))


def _time(reader: ChainReader) -> int | None:
    try:
        return reader.block().time
    except ChainUnavailable:
        return None


def _is_wrong(case: Case) -> bool:
    """A guess that was compared with something, and did not match."""
    return bool(case.typing_errors) or (not case.is_registered and case.in_register is not True)


def _shown_hop(what: Shown, case: Case) -> Hop:
    state: HopState = "differs" if case.is_forged or case.is_foreign or case.typing_errors else "done"
    found: dict[str, Any] = {"material": what.material}
    if what.report is not None:
        found["report"] = what.report
    return Hop("shown", state, None, found)


def _visible_hop(said: list[NodeSaid] | Any) -> Hop:
    if not said:
        return Hop("visible", "not_applicable")
    states = {one.state for one in said}
    state: HopState = "missing" if states & {"missing", "behind"} else "done" if "visible" in states else "unknown"
    return Hop("visible", state, None, {"nodes": [one._asdict() for one in said]})


def _told(diagnosis: Diagnosis) -> list[Hop]:
    """The hops that the asker gets to see, in order."""
    case = diagnosis.case
    hops = case.hops
    if diagnosis.rule.verdict == "detail_mismatch" and not case.is_holder:
        hops = [hop for hop in hops if hop.hop == "shown"]
    if not diagnosis.is_told:
        hops = [hop for hop in hops if hop.hop != "status"]
    if diagnosis.rule.verdict == "lost_after_anchor":
        hops = [hop for hop in hops if hop.hop != "promise"]
    if not case.is_holder:
        hops = [hop._replace(evidence={n: v for n, v in hop.evidence.items() if n not in _CONFIDENTIAL}) for hop in hops]
    return sorted(hops, key=lambda hop: HOPS.index(hop.hop))
