"""Every change that an applicant should hear of has its words, in both languages, and they fill in."""

import re
from pathlib import Path
from typing import get_args

import pytest

from service.messages import Language
from service.reprints.notice_texts import COMMON, OWED, TEXTS
from service.reprints.notices import sms_parameters
from service.reprints.transitions import EVENTS, TRANSITIONS, owed_by

SILENT = {
    "open": "nobody has given a contact yet",
    "apply": "the contact gets its code",
    "submit": "what follows at once is told: charge or begin_review",
}
KNOWN = {"case", "number", "amount", "link", "until", "owed", "code", "minutes", "reason", "reference", "new_number", "unsubscribe"}


def test_every_event_has_its_words_or_a_reason_to_have_none() -> None:
    assert {event for event in EVENTS if event not in TEXTS} == set(SILENT)


@pytest.mark.parametrize("event", TEXTS)
@pytest.mark.parametrize("language", get_args(Language))
def test_words_fill_in_and_are_short(event: str, language: Language) -> None:
    text = TEXTS[event][language]
    params = {name: f"<{name}>" for name in KNOWN}
    for part in (text.subject, text.said, text.next, text.sms or ""):
        assert set(sms_parameters(part)) <= KNOWN
        assert "{" not in part.format_map(params)
        assert bool(re.search(r"[一-鿿]", part)) == (language == "zh" and bool(part))
    assert len(text.subject) <= 70
    # A Chinese SMS has 70 characters, 67 in each part of a longer one; parameters are about as long as their names.
    assert text.sms is None or len(text.sms) <= 134


def test_both_languages_say_the_same_things() -> None:
    assert set(get_args(Language)) == set(COMMON)
    for event, by_language in TEXTS.items():
        names = [{part: set(sms_parameters(getattr(text, part) or "")) for part in text._fields} for text in by_language.values()]
        assert names[0] == names[1], event
        assert len({text.sms is None for text in by_language.values()}) == 1
    assert COMMON["zh"].keys() == COMMON["en"].keys()


def test_a_reminder_knows_what_every_confirmed_applicant_owes() -> None:
    before = {"started", "submitted"}  # the contact is not confirmed: nobody may be reminded
    owing = {one.target for one in TRANSITIONS if owed_by(one.target) == "applicant"}
    assert owing - before == set(OWED)


def test_no_word_promises_more_than_the_registry_knows() -> None:
    said = "".join(part or "" for by in TEXTS.values() for text in by.values() for part in text)
    assert not re.search(r"真发票|假发票|\bgenuine\b|\bfake\b", said)


def test_the_templates_to_register_are_those_that_are_sent() -> None:
    document = (Path(__file__).parents[2] / "docs/notices.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", document, flags=re.MULTILINE))
    sent = {(f"reprint_{event}", language, text.sms) for event, by in TEXTS.items() for language, text in by.items() if text.sms}
    assert listed == sent
