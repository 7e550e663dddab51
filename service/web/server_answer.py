"""The look-up for browsers without JavaScript: the server compares, and says that nobody else has checked."""

from typing import Any, NamedTuple

from service.api import catalogue
from service.api.context import Context
from service.diagnosis import shown
from service.diagnosis.details import Asker
from service.errors import Refused
from service.invoices import guessing, lookups
from service.messages import Language
from verifier.errors import ChainUnavailable

FIELDS = ("number", "issued_on", "amount")
_ERRORS = {"number": "error.number", "issued_on": "error.date", "amount": "error.amount", "amount_with_tax": "error.amount"}


class Said(NamedTuple):
    """An answer as the template shows it; keys of the catalogue, but for `detail`, which is a sentence already."""

    status: int
    role: str
    icon: str
    word: str
    sentence: str | None = None
    detail: str | None = None
    of_status: str | None = None
    advice: str | None = None
    tries_left: int | None = None
    diagnosis: dict[str, Any] | None = None
    """Where it got lost, as `POST /v1/diagnoses` answers it: of what is not here, or does not match."""


class Answered(NamedTuple):
    """`wrong` names the fields that must be corrected, with the key of what is said beside each; else there is an answer."""

    wrong: dict[str, str]
    said: Said | None


_MATCH_LOOKS = {
    "valid": ("neutral", "check", "found.match"),
    "partly_reversed": ("caution", "half", "verdict.partly_reversed"),
    "reversed": ("bad", "reversed", "verdict.reversed"),
    "void": ("bad", "void", "verdict.void"),
}


def answer(context: Context, host: str | None, typed: dict[str, str], language: Language) -> Answered:
    """To what a form has sent; `typed` has the fields of the form, as they were typed."""
    network, now_ms = guessing.network_of(host), context.now_ms()
    of = "amount_with_tax" if typed["with_tax"] == "1" else "amount"
    try:
        asked = lookups.read(typed["number"], typed["issued_on"], **{"amount": None, "amount_with_tax": None, of: typed["amount"]})
        found = lookups.look_up(context.database, context.chain, asked, network, now_ms)
    except Refused as refused:
        wrong = {name: _ERRORS[name] for name in (finding.pointer[1:] for finding in refused.findings) if name in _ERRORS}
        if wrong:
            return Answered({"amount" if name.startswith("amount") else name: key for name, key in wrong.items()}, None)
        said = _refused(refused, language)
        lost = _diagnosis(context, asked, network, now_ms, language) if refused.code == "content_lost" else None
        return Answered({}, said._replace(diagnosis=lost))
    if found.result == "match":
        return Answered({}, _said(found))
    return Answered({}, _said(found)._replace(diagnosis=_diagnosis(context, asked, network, now_ms, language)))


def _diagnosis(context: Context, asked: lookups.Asked, network: str, now_ms: int, language: Language) -> dict[str, Any] | None:
    """None where it cannot be made now: the answer to the look-up stands by itself."""
    try:
        return context.diagnostics.diagnose(shown.facts(asked, None), Asker(network), now_ms).to_members(language)
    except (Refused, ChainUnavailable):
        return None


def _said(found: lookups.Found) -> Said:
    if found.result == "match":
        status = found.status or "valid"
        role, icon, word = _MATCH_LOOKS.get(status, _MATCH_LOOKS["valid"])
        advice = "advice.match" if word == "found.match" else f"advice.{status}"
        return Said(200, role, icon, word, "found.match.sentence", of_status=f"status.{status}", advice=advice)
    if found.result == "mismatch":
        left = found.tries_left
        return Said(200, "bad", "differs", "found.mismatch", "found.mismatch.sentence", advice="advice.mismatch", tries_left=left)
    if found.result == "not_registered":
        left = found.tries_left
        return Said(200, "bad", "absent", "verdict.absent", "sentence.absent.now", advice="advice.absent", tries_left=left)
    return Said(200, "neutral", "question", "verdict.undecided", "found.not_yet_known", advice="advice.undecided")


def _refused(refused: Refused, language: Language) -> Said:
    problem = catalogue.find(refused.code, refused.params)
    detail = catalogue.sentence(problem.detail, refused.params, language)
    advice = "advice.limited" if problem.status == 429 else "advice.undecided"
    return Said(problem.status, "neutral", "question", "verdict.undecided", detail=detail, advice=advice)


def form_of(fields: dict[str, list[str]]) -> dict[str, Any]:
    """What was typed, to stand in the form again."""
    typed = {name: fields.get(name, [""])[0][:100] for name in FIELDS}
    return {**typed, "with_tax": "0" if fields.get("with_tax") == ["0"] else "1"}
