"""What two reviewers approved is done once, wholly or not at all, and undone by nothing that happens meanwhile."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from service import activity
from service.invoices import reading
from service.invoices.tables import acts, copies, invoices
from service.ledger.tables import entries, incidents
from service.reprints import cases, completing
from service.reprints.cases import Case
from service.reprints.reviewing import auth_of
from tests.integration.api import S01, S10, Api
from tests.integration.approved import case_about, complete, read
from tests.reprints import reissued
from tests.stores import reprint
from tests.unit.samples import sections_of
from verifier.commitment import SECTIONS
from verifier.entry import ZERO, Kind, number_key

NEW = "26112999000000000777"


def step(api: Api) -> bool:
    return completing.complete_next(api.database, api.context.keys, api.context.vault, api.settings, api.context.now_ms())


def record_of(api: Api, number: str) -> reading.Record:
    with api.database.read() as connection:
        return reading.get(connection, number, None)


def counts(api: Api) -> dict[str, int]:
    """Rows of every table that a completion writes to."""
    with api.database.read() as connection:
        tables = (entries, copies, invoices, acts, activity.activity)
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def history(api: Api, case: Case) -> list[cases.Moved]:
    with api.database.read() as connection:
        return cases.history(connection, case.id, api.context.vault)


def test_a_copy_is_a_new_copy_of_the_same_number(api: Api) -> None:
    [first] = api.register("S10")
    api.anchor()
    case = case_about(api)
    assert step(api)
    assert not step(api)
    done = read(api, case)
    record = record_of(api, S10)
    issue, made = record.stored
    assert (done.state, done.entry_id) == ("completed", made.id)
    assert (made.entry.kind, made.entry.other) == (Kind.REPRINT, issue.entry.copy)
    assert made.entry.auth == auth_of(done) != ZERO
    assert record.current() == made
    with api.database.read() as connection:
        old, new = (reading.read_copy(connection, one.id) for one in (issue, made))
        act = reading.act_of(connection, made.id)
        [said] = activity.read(connection, activity.Filter(object=case.id))
    assert act is not None
    assert (act.actor, case.id in act.reason) == ("system", True)
    for name, before, after, salt, fresh in zip(SECTIONS, old.canonical, new.canonical, old.salts, new.salts, strict=True):
        assert (before == after, salt == fresh) == ((False, False) if name == "provenance" else (True, True))
    assert new.sections()["provenance"] == {**old.sections()["provenance"], "reprint": {"ordinal": "1"}}
    assert old.commitment().hex() == first["commitment"]
    details = json.loads(said.details)
    assert (said.actor, said.action, details["auth"], details["number"]) == ("system", "reprint_complete", auth_of(done).hex(), S10)
    assert history(api, case)[-1].actor == "system"


def test_a_reissue_voids_the_original_and_names_it(api: Api) -> None:
    api.register("S10")
    api.anchor()
    case = case_about(api, kind="reissue", replacement=reissued(sections_of("S10"), NEW), replacement_by="f" * 16)
    assert step(api)
    done = read(api, case)
    [issue] = record_of(api, NEW).stored
    _, void = record_of(api, S10).stored
    assert (done.state, done.entry_id) == ("completed", issue.id)
    assert (issue.entry.kind, issue.entry.other) == (Kind.ISSUE, number_key(S10))
    assert (void.entry.kind, void.entry.other) == (Kind.VOID, number_key(NEW))
    assert issue.entry.auth == void.entry.auth == auth_of(done)
    api.anchor()
    with api.database.read() as connection:
        stored = connection.execute(
            select(entries.c.seq, entries.c.accepted_with).where(entries.c.id.in_((issue.id, void.id)))
        ).all()
        act = reading.act_of(connection, void.id)
        row = connection.execute(select(invoices).where(invoices.c.id == issue.id)).one()
        said = completing.result_of(connection, done)
    assert len(set(stored)) == 1, "one transaction, one batch"
    assert act.other_number == NEW
    assert row.issuer == "f" * 16
    assert said == {"number": NEW, "state": "final", "document_ready": True}


def test_a_reprint_of_a_reprint_and_of_what_is_partly_reversed(api: Api) -> None:
    api.register("S01")
    api.register("S06")  # reverses a part of S01
    assert record_of(api, S01).status == "partly_reversed"
    api.anchor()
    for ordinal in "123":
        case = case_about(api, S01)
        assert complete(api, case)
        record = record_of(api, S01)
        assert record.status == "partly_reversed"
        with api.database.read() as connection:
            provenance = reading.read_copy(connection, record.current().id).sections()["provenance"]
        assert provenance["reprint"] == {"ordinal": ordinal}
    api.anchor()
    copies_of = [one.entry.copy for one in record_of(api, S01).stored if one.entry.kind in (Kind.ISSUE, Kind.REPRINT)]
    assert len(set(copies_of)) == 4


def _void(api: Api) -> None:
    answer = api.client.post(f"/v1/invoices/{S10}/void", json={"reason": "开票有误"}, headers=api.issuer)
    assert answer.status_code == 200, answer.text


def _reprint(api: Api) -> None:
    reprint(api.database, api.context.keys, S10)


def _take_the_number(api: Api) -> None:
    other = sections_of("S10")
    other["header"]["number"] = NEW
    assert api.submit(other).status_code == 201


MEANWHILE: list[tuple[Callable[[Api], None], str, str]] = [
    (_void, "copy", "已作废"),
    (_void, "reissue", "已作废"),
    (_reprint, "copy", "换成另一份"),
    (_take_the_number, "reissue", "新号码"),
]


@pytest.mark.parametrize(("meanwhile", "kind", "told"), MEANWHILE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_has_become_impossible_is_given_up_with_a_reason(api: Api, meanwhile: Any, kind: Any, told: str) -> None:
    api.register("S10")
    api.anchor()
    replacement = reissued(sections_of("S10"), NEW) if kind == "reissue" else None
    case = case_about(api, kind=kind, replacement=replacement)
    meanwhile(api)
    before = counts(api)
    assert step(api)
    assert not step(api)
    assert read(api, case).state == "rejected"
    last = history(api, case)[-1]
    assert (last.event, last.actor) == ("give_up", "system")
    assert told in (last.reason or "")
    assert counts(api) == {**before, "activity": before["activity"] + 1}


def test_the_reason_is_in_the_applicants_language(lite: Api) -> None:
    lite.register("S10")
    case = case_about(lite, language="en")
    _void(lite)
    assert complete(lite, case)
    assert "voided" in (history(lite, case)[-1].reason or "")


def test_lost_content_waits_and_keeps_nobody_else_waiting(api: Api) -> None:
    api.register("S10", "S01")
    api.anchor()
    stuck, other = case_about(api, S10), case_about(api, S01)
    with api.database.write() as connection:
        connection.execute(text("UPDATE invoices SET lines = NULL WHERE number = :n"), {"n": S10})
    assert step(api)
    assert (read(api, stuck).state, read(api, other).state) == ("approved", "completed")
    with api.database.read() as connection:
        assert connection.execute(select(incidents.c.code, incidents.c.detail)).all() == [("reprint_stuck", stuck.id)]
    assert not step(api), "and it is not tried all the time"
    lines = json.dumps(sections_of("S10")["lines"], ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    with api.database.write() as connection:
        connection.execute(text("UPDATE invoices SET lines = :lines WHERE number = :n"), {"n": S10, "lines": lines})
    assert complete(api, stuck)
    assert read(api, stuck).state == "completed"


def test_altered_content_is_not_reprinted(lite: Api) -> None:
    lite.register("S10")
    lite.anchor()
    case = case_about(lite, S10)
    with lite.database.write() as connection:
        connection.execute(text("UPDATE invoices SET notes = :notes WHERE number = :n"), {"n": S10, "notes": b'{"remark":"x"}'})
    assert not complete(lite, case)
    assert len(record_of(lite, S10).stored) == 1


@pytest.mark.parametrize("kind", ["copy", "reissue"])
def test_two_workers_complete_it_once(api: Api, kind: Any) -> None:
    api.register("S10")
    api.anchor()
    case = case_about(api, kind=kind, replacement=reissued(sections_of("S10"), NEW) if kind == "reissue" else None)
    before = counts(api)
    start = threading.Barrier(4)
    done: list[bool] = []

    def work() -> None:
        start.wait()
        done.append(complete(api, case))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    after = counts(api)
    made = 1 if kind == "copy" else 2
    assert after["entries"] == before["entries"] + made
    assert after["activity"] == before["activity"] + 1
    assert [moved.event for moved in history(api, case)].count("complete") == 1


def test_completing_beside_a_void_has_one_effect(api: Api) -> None:
    """Whichever comes first: never a void of a copy that is not the current one, never a reprint of what is void."""
    for n in range(6):
        sections = sections_of("S10")
        sections["header"]["number"] = number = f"2611299900000001{n:04}"
        assert api.submit(sections).status_code == 201
        case = case_about(api, number)
        start = threading.Barrier(2)
        answers: list[Any] = []

        def void(number: str = number, start: threading.Barrier = start, answers: list[Any] = answers) -> None:
            start.wait()
            answers.append(api.client.post(f"/v1/invoices/{number}/void", json={"reason": "开票有误"}, headers=api.issuer))

        thread = threading.Thread(target=void)
        thread.start()
        start.wait()
        assert complete(api, case)
        thread.join()
        assert answers[0].status_code == 200
        kinds = [stored.entry.kind for stored in record_of(api, number).stored]
        if read(api, case).state == "completed":
            assert kinds == [Kind.ISSUE, Kind.REPRINT, Kind.VOID]
        else:
            assert kinds == [Kind.ISSUE, Kind.VOID]


class Killed(Exception):
    pass


@pytest.mark.parametrize("kind", ["copy", "reissue"])
def test_a_worker_killed_at_any_statement_leaves_all_or_nothing(api: Api, kind: Any) -> None:
    api.register("S10")
    api.anchor()
    case = case_about(api, kind=kind, replacement=reissued(sections_of("S10"), NEW) if kind == "reissue" else None)
    before = counts(api)
    lived = 0
    while True:
        left = lived

        def die(*_: Any) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1

        event.listen(api.database.engine, "before_cursor_execute", die)
        try:
            assert complete(api, case)
            break
        except Killed:
            lived += 1
        finally:
            event.remove(api.database.engine, "before_cursor_execute", die)
        assert counts(api) == before, lived
        assert read(api, case).state == "approved"
    assert lived > 10
    assert read(api, case).state == "completed"


def test_the_applicant_is_told_once_that_the_document_is_ready(api: Api) -> None:
    api.register("S10")
    api.anchor()
    case = case_about(api, delivery="collect")
    vault = api.context.vault

    def tell() -> bool:
        return completing.announce_ready(api.database, vault, api.settings, api.context.now_ms())

    assert not tell()
    assert complete(api, case)
    assert not tell(), "not final yet"
    with api.database.read() as connection:
        said = completing.result_of(connection, read(api, case), vault)
        assert completing.result_of(connection, read(api, case)) == {"number": S10, "state": "pending", "document_ready": False}
    assert said is not None
    assert len(said["pickup_code"]) == 8
    api.anchor()
    assert tell()
    assert not tell()
    assert read(api, case).ready_at is not None
    with api.database.read() as connection:
        assert completing.result_of(connection, read(api, case), vault) == {**said, "state": "final", "document_ready": True}


def test_nothing_is_completed_while_the_chain_is_in_doubt(lite: Api) -> None:
    lite.register("S10")
    case = case_about(lite)
    lite.write_health(trouble="wrong_chain")
    assert not step(lite)
    lite.write_health()
    assert step(lite)
    assert read(lite, case).state == "completed"
