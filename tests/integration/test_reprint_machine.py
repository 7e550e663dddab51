"""Everything that can happen to reprint cases, in any order: Hypothesis drives the services themselves, on SQLite.

What is expected is written here once more and by other means than the services': the ways between the states as a list, and for
each decision what must hold for it to be taken. `ZHENGPIAO_REPRINT_STEPS=100000` makes it a long run.
"""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select

from service.central import acknowledgements
from service.config import Settings
from service.db import Database
from service.deliveries import queue
from service.deliveries.tables import deliveries
from service.diagnosis import shown
from service.diagnosis.details import Asker
from service.diagnosis.diagnose import Diagnostics
from service.diagnosis.nodes import Nodes
from service.errors import Refused
from service.invoices import acting, lookups, reading
from service.invoices.submitting import Issuer
from service.ledger import outbox, sealing
from service.ledger.receipts import receipt_keys
from service.ledger.tables import batches
from service.reprints import cases, confirming, materials, payments, receiving, replacement, reviewing, steps, tokens
from service.reprints.applying import Application, CaseKind, Delivery
from service.reprints.cases import Case
from service.reprints.chores import Chores
from service.reprints.fees import Decision as FeeDecision
from service.reprints.reviewing import Reviewer, Said
from service.reprints.transitions import EVENTS
from service.vault import vault
from tests.integration.api import Api, running_api
from tests.reprints import reissued
from tests.stores import number_of, simple_invoices
from verifier.anchors import Anchors
from verifier.chain import Anchor
from verifier.entry import Kind
from verifier.fields import Chain
from verifier.question import Question

STEPS = int(os.environ.get("ZHENGPIAO_REPRINT_STEPS", "2000"))
PER_EXAMPLE = 50
LONG = 20_000
"""From so many steps on every event of the table must have come about."""
NUMBERS = range(1000, 1003)
NAME, ADDRESS = "欧阳申请", "ouyang.shenqing@example.cn"
REVIEWERS = tuple(Reviewer(f"{n:016x}", f"reviewer{n}@registry.example") for n in range(1, 4))
OPERATOR = "f" * 16
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PAGE = b"\x89PNG of a paper"

WAYS: dict[str | None, str] = {
    None: "started",
    "started": "submitted rejected cancelled expired",
    "submitted": "submitted materials_pending rejected cancelled expired",
    "materials_pending": "materials_submitted rejected cancelled expired",
    "materials_submitted": "fee_due review_1",
    "fee_due": "review_1 review_2 materials_pending rejected cancelled expired",
    "review_1": "review_2 fee_due materials_pending rejected cancelled",
    "review_2": "approved materials_pending rejected cancelled",
    "approved": "completed materials_pending rejected cancelled",
}
"""From each state those that may follow; between two steps nothing stays in materials_submitted."""
CLOSED = {"completed", "rejected", "cancelled", "expired"}

RARELY = st.sampled_from((True, *[False] * 7))

seen: Counter[str] = Counter()
"""Events that came about, and refusals, over all examples: a machine that never gets anywhere proves nothing."""


class Template(NamedTuple):
    """A store with three final invoices, which a central record does not have yet; copied for each example."""

    file: Path
    settings: Settings
    sections: dict[str, dict[str, Any]]
    commitments: dict[str, str]
    now_ms: int


class _Readings(NamedTuple):
    """The contract as the batches of this store have it."""

    world: "Machine"

    def reader(self, at_least: int = 0) -> Anchors:
        return self.world.anchors()


template: Template


@pytest.fixture(scope="module", autouse=True)
def _template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    global template
    file = tmp_path_factory.mktemp("machine") / "template.db"
    with running_api(f"sqlite:///{file}") as api:
        api.anchor()
        with api.database.write() as connection:
            acknowledgements.acknowledge(connection, "central", 1, api.context.keys, api.context.now_ms())
        template = _filled(api, file)
    _checkpoint(file)
    yield
    seen.clear()


def _filled(api: Api, file: Path) -> Template:
    made, commitments = {}, {}
    for sections in simple_invoices(NUMBERS):
        answer = api.submit(sections)
        assert answer.status_code == 201, answer.text
        number = sections["header"]["number"]
        made[number], commitments[number] = {**sections, **answer.json()["sections"]}, answer.json()["commitment"]
    api.anchor()
    return Template(file, api.settings, made, commitments, api.context.now_ms())


def _checkpoint(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


class Machine(RuleBasedStateMachine):
    """One store with a few invoices; people who apply, review, pay and issue in any order, while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.file = template.file.with_name(f"example-{os.getpid()}.db")
        for old in self.file.parent.glob(f"{self.file.name}*"):
            old.unlink()
        shutil.copyfile(template.file, self.file)
        self.database = Database(f"sqlite:///{self.file}", pool_size=2)
        sqlalchemy_event.listen(self.database.engine, "connect", _unsafe)  # a power cut is no part of this
        self.settings = template.settings
        self.vault = vault(self.settings)
        self.keys = receipt_keys(self.settings)
        self.now_ms = template.now_ms + HOUR_MS
        assert self.settings.contract is not None
        chain = Chain(self.settings.chain_id, bytes.fromhex(self.settings.contract[2:]))
        self.has_central = False
        self.diagnostics = Diagnostics(
            self.database,
            chain,
            self.keys.public,
            _Readings(self),  # type: ignore[arg-type]
            Nodes(()),
            lambda _: ["central"] if self.has_central else [],
            (),
            self.settings.reprint_fee,
        )
        self.chain = chain
        self.chores = Chores(self.database, self.keys, self.vault, self.settings, lambda: self.now_ms / 1000)
        self.ids: list[str] = []
        self.lengths: dict[str, int] = {}
        self.approved: dict[str, list[tuple[str, str]]] = {}
        """By case: reviewer and hash of what they were shown, of the approvals that count."""
        self.new_numbers = iter(range(5000, 9000))
        self.has_changed = False

    # how things are

    def anchors(self) -> Anchors:
        with self.database.read() as connection:
            newest = outbox.newest_final(connection)
            rows = connection.execute(batches.select()).all()
        assert newest is not None
        now = self.now_ms // 1000
        final = {row.seq: Anchor(row.log_root, row.register_root, row.size, now, True) for row in rows if row.seq <= newest.seq}
        return Anchors(self.chain, self.keys.public, newest.seq, final)

    def case(self, id_: str) -> Case:
        with self.database.read() as connection:
            return cases.get(connection, id_)

    def open_ids(self) -> list[str]:
        return [id_ for id_ in self.ids if self.case(id_).state not in CLOSED]

    def do(self, work: Callable[[Any], Any]) -> str | None:
        """In one transaction: the code of a refusal, None where it was done."""
        try:
            with self.database.write() as connection:
                work(connection)
        except Refused as refused:
            seen[f"refused:{refused.code}"] += 1
            return refused.code
        finally:
            self.has_changed = True
        return None

    def of_case(self, id_: str, work: Callable[..., Any], *rest: Any) -> str | None:
        """`work` on the locked case, with vault, settings and time behind what else it takes."""
        return self.do(lambda c: work(c, cases.lock(c, id_), *rest, self.vault, self.settings, self.now_ms))

    def pick(self, data: st.DataObject, ids: list[str]) -> str:
        """By its place: ids are random, and what is drawn must not depend on them."""
        return ids[data.draw(st.integers(0, len(ids) - 1))]

    # applying

    @initialize(data=st.data(), number=st.sampled_from(NUMBERS), delivered=st.booleans())
    def begin(self, data: st.DataObject, number: int, delivered: bool) -> None:
        self.open(data, number, by_code=False, delivered=delivered, reviewer=False)

    @rule(data=st.data(), number=st.sampled_from(NUMBERS), by_code=st.booleans(), delivered=st.booleans(), reviewer=st.booleans())
    def open(self, data: st.DataObject, number: int, by_code: bool, delivered: bool, reviewer: bool) -> None:
        self.has_central = not delivered
        name = number_of(number)
        header, totals = template.sections[name]["header"], template.sections[name]["totals"]
        asked = lookups.read(name, header["issued_on"], totals["amount_with_tax"], None)
        what = shown.code(Question(name, bytes.fromhex(template.commitments[name]))) if by_code else shown.facts(asked, None)
        found = self.diagnostics.diagnose(what, Asker("192.0.2.0/24"), self.now_ms)
        by = data.draw(st.sampled_from(REVIEWERS)).id if reviewer else None
        before = {self.case(id_).number for id_ in self.open_ids()}

        def work(connection: Any) -> None:
            self.ids.append(confirming.open_case(connection, found, by, self.vault, self.settings, self.now_ms).id)

        code = self.do(work)
        if name in before:
            assert code is not None, "one open case for a number"
        elif found.rule.verdict in ("present", "not_delivered_to_central"):
            assert code in (None, "reprint_not_yet"), code
        if code is None:
            case = self.case(self.ids[-1])
            expected = {"present": "charged", "not_delivered_to_central": "free", "replaced": "undetermined"}
            assert case.fee == expected.get(found.rule.verdict, case.fee)
            seen[f"fee:{case.fee}"] += 1

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data(), kind=st.sampled_from(("copy", "copy", "reissue")), of_reviewer=st.integers(0, 5))
    def apply(self, data: st.DataObject, kind: Any, of_reviewer: int) -> None:
        address = REVIEWERS[0].login if of_reviewer == 0 else ADDRESS
        delivery: Delivery = data.draw(st.sampled_from(("download", "collect")))
        application = Application(kind, f"{NAME}遗失", delivery, NAME, "", "email", address, "zh-CN", {})
        self.of_case(self.pick(data, self.open_ids()), steps.apply, application)

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data(), is_right=st.booleans())
    def give_code(self, data: st.DataObject, is_right: bool) -> None:
        self._give_code(self.pick(data, self.open_ids()), is_right)

    def _give_code(self, id_: str, is_right: bool) -> None:
        with self.database.read() as connection:
            query = select(deliveries).where(deliveries.c.object == id_, deliveries.c.event == "code")
            row = connection.execute(query.order_by(deliveries.c.id.desc()).limit(1)).one_or_none()
        if row is None:
            return
        text = orjson.loads(self.vault.decrypt(row.message, queue._context(row.uid)))["text"]
        code = re.findall(r"(?<![0-9A-Za-z])[0-9]{6}(?![0-9A-Za-z-])", text)[0]
        given = code if is_right else f"{(int(code) + 1) % 10**6:06}"
        tries = []

        def work(connection: Any) -> None:
            tries.append(steps.sign_in(connection, id_, given, self.vault, self.settings, self.now_ms))

        assert self.do(work) is None
        if not is_right:
            assert tries == [None]
        if tries[0] is not None:
            with self.database.read() as connection:
                assert tokens.case_of(connection, tries[0], self.now_ms) == id_

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data())
    def ask_for_code(self, data: st.DataObject) -> None:
        self.of_case(self.pick(data, self.open_ids()), steps.send_code)

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data(), type_=st.sampled_from(materials.TYPES))
    def send_material(self, data: st.DataObject, type_: Any) -> None:
        id_ = self.pick(data, self.open_ids())
        self.do(lambda c: materials.add(c, cases.lock(c, id_), type_, len(PAGE), [PAGE], self.vault, 10, self.now_ms))

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data())
    def submit(self, data: st.DataObject) -> None:
        id_ = self.pick(data, self.open_ids())
        before = self.case(id_)
        with self.database.read() as connection:
            missing = materials.missing(connection, before)
        code = self.of_case(id_, steps.submit)
        assert (code is None) == (before.state == "materials_pending" and not missing), code

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data(), is_meant=RARELY)
    def cancel(self, data: st.DataObject, is_meant: bool) -> None:
        if not is_meant:
            return
        id_ = self.pick(data, self.open_ids())
        assert self.do(lambda c: steps.cancel(c, cases.lock(c, id_), NAME, self.vault, self.settings, self.now_ms)) is None

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), by=st.sampled_from((OPERATOR, *(one.id for one in REVIEWERS))), fen=st.sampled_from((2000, 2000, 1999)))
    def pay(self, data: st.DataObject, by: str, fen: int) -> None:
        """A bank transfer that staff confirm; once more, too late, or of another amount."""
        id_ = self.pick(data, self.ids)
        self.do(lambda c: payments.open_payment(c, cases.lock(c, id_), "bank_transfer", self.now_ms))
        with self.database.read() as connection:
            known = payments.of_case(connection, id_)
        if known:
            reference = known[-1].reference
            self.do(lambda c: receiving.confirm_transfer(c, id_, reference, fen, by, self.vault, self.settings, self.now_ms))

    # reviewing

    def may_approve(self, case: Case, reviewer: Reviewer, fee: str | None) -> bool:
        """What must hold for an approval of what is shown now; written once more, from the issue."""
        with self.database.read() as connection:
            status = reading.get(connection, case.number, None).status
            took_money = reviewer.id in payments.confirmers(connection, case.id)
        is_applicant = case.opened_by == reviewer.id or (case.application is not None and self.address(case) == reviewer.login)
        if case.state not in ("review_1", "review_2") or is_applicant or took_money or status not in ("valid", "partly_reversed"):
            return False
        if case.state == "review_1":
            return fee is not None if case.fee == "undetermined" else fee in (None, case.fee)
        is_complete = case.kind == "copy" or case.replacement is not None
        return reviewer.id != case.first_reviewer and is_complete and fee in (None, case.fee)

    def review(self, id_: str, said: Said, reviewer: Reviewer) -> str | None:
        """The code of a refusal, None where it was decided."""
        return self.do(lambda c: reviewing.review(c, cases.lock(c, id_), said, reviewer, self.vault, self.settings, self.now_ms))

    def address(self, case: Case) -> str:
        return str(orjson.loads(self.vault.decrypt(case.application, f"reprint/{case.id}/application"))["address"])

    @precondition(lambda self: self.open_ids())
    @rule(
        data=st.data(),
        reviewer=st.sampled_from(REVIEWERS),
        fee=st.sampled_from((None, None, "free", "charged")),
        is_stale=st.sampled_from((False, False, False, True)),
    )
    def approve(self, data: st.DataObject, reviewer: Reviewer, fee: Any, is_stale: bool) -> None:
        case = self.case(self.pick(data, self.open_ids()))
        try:
            with self.database.read() as connection:
                hashed = reviewing.hash_of_shown(reviewing.facts(connection, case, self.vault))
        except Refused:
            hashed = bytes(32)
        said = Said("approve", "证据不足以认定", bytes(32) if is_stale else hashed, fee)
        is_allowed = self.may_approve(case, reviewer, fee) and not is_stale
        code = self.review(case.id, said, reviewer)
        assert (code is None) == is_allowed, code
        if code is None:
            self.approved.setdefault(case.id, []).append((reviewer.id, hashed.hex()))

    @precondition(lambda self: self.open_ids())
    @rule(
        data=st.data(),
        reviewer=st.sampled_from(REVIEWERS),
        decision=st.sampled_from(("return", "return", "reject")),
    )
    def send_back(self, data: st.DataObject, reviewer: Reviewer, decision: Any) -> None:
        id_ = self.pick(data, self.open_ids())
        said = Said(decision, f"请{NAME}补充", None, None)
        if (
            self.do(lambda c: reviewing.review(c, cases.lock(c, id_), said, reviewer, self.vault, self.settings, self.now_ms))
            is None
        ):
            self.approved.pop(id_, None)

    # the issuer, time, the worker

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data())
    def send_replacement(self, data: st.DataObject) -> None:
        case = self.case(self.pick(data, self.open_ids()))
        sections = reissued(template.sections[case.number], number_of(next(self.new_numbers)))
        sender = Issuer("issuer", frozenset([sections["seller"]["tax_id"]]))
        self.do(lambda c: replacement.send(c, case.id, sections, sender, self.now_ms))

    @rule(number=st.sampled_from(NUMBERS), is_meant=RARELY)
    def void(self, number: int, is_meant: bool) -> None:
        """Now and then an issuer voids what a case is about."""
        if is_meant:
            self._void(number_of(number))

    def _void(self, number: str) -> None:
        def work(connection: Any) -> None:
            record = reading.get(connection, number, None)
            acting.void(connection, record, "开票有误", None, "issuer", self.keys, self.now_ms, self.now_ms + 60_000)

        self.do(work)

    @rule(hours=st.sampled_from((0.01, 0.01, 1, 3, 30, 24 * 8, 24 * 15)))
    def wait(self, hours: float) -> None:
        self.now_ms += int(hours * HOUR_MS)

    @rule()
    def work(self) -> None:
        """The worker's chores, each twice."""
        self.has_changed = True
        self.chores._looked_at = dict.fromkeys(self.chores._looked_at, 0.0)
        waiting = {id_: self.case(id_) for id_ in self.open_ids()}
        for step in self.chores.steps():
            while step():
                pass
            step()
        for id_, before in waiting.items():
            after = self.case(id_)
            if after.state == "expired":
                assert before.state in ("started", "submitted", "materials_pending", "fee_due"), "what waits for us does not expire"
                assert before.due_at <= self.now_ms
            assert before.state != "approved" or after.state in ("completed", "rejected")

    @rule()
    def anchor(self) -> None:
        """Everything that was accepted becomes final."""
        self.has_changed = True
        with self.database.write() as connection:
            if sealing.seal(connection, self.keys, self.now_ms, first_seq=1) is None:
                return
            for item in outbox.open_items(connection):
                item = outbox.move(connection, item, "sent")
                item = outbox.move(connection, item, "found", block_number=7, block_time=self.now_ms // 1000)
                outbox.move(connection, item, "finalized", final_at=self.now_ms)

    @precondition(lambda self: self.open_ids())
    @rule(data=st.data(), times=st.integers(1, 4))
    def go_on(self, data: st.DataObject, times: int) -> None:
        """The right next steps of a case, whatever they are: so that many come to their end."""
        id_ = self.pick(data, self.open_ids())
        kind: CaseKind = data.draw(st.sampled_from(("copy", "copy", "copy", "reissue")))
        for _ in range(times):
            case = self.case(id_)
            if case.state == "started":
                code = self.of_case(id_, steps.apply, Application(kind, "遗失", "download", NAME, "", "email", ADDRESS, "en", {}))
                assert code is None or (code, kind) == ("reprint_copy_only", "reissue")
            elif case.state == "submitted":
                self._give_code(id_, is_right=True)
            elif case.state == "materials_pending":
                self.do(lambda c: self._add_all(c, id_))
                assert self.of_case(id_, steps.submit) is None
            elif case.state == "fee_due":
                self._pay(id_)
            elif case.state in ("review_1", "review_2"):
                if data.draw(RARELY):
                    self.now_ms += 8 * DAY_MS
                    self.work()
                self._approve(case, data.draw(st.sampled_from(("free", "charged"))))
            elif case.state == "approved":
                if data.draw(RARELY):
                    self._void(case.number)
                self.work()
                self.anchor()

    def _pay(self, id_: str) -> None:
        self.do(lambda c: payments.open_payment(c, cases.lock(c, id_), "bank_transfer", self.now_ms))
        with self.database.read() as connection:
            reference = next(one.reference for one in payments.of_case(connection, id_) if one.state == "open")
        paid = (id_, reference, 2000, OPERATOR, self.vault, self.settings, self.now_ms)
        assert self.do(lambda c: receiving.confirm_transfer(c, *paid)) is None
        assert self.case(id_).state in ("review_1", "review_2")

    def _add_all(self, connection: Any, id_: str) -> None:
        for type_ in materials.TYPES:
            materials.add(connection, cases.lock(connection, id_), type_, 1, [PAGE], self.vault, 99, self.now_ms)

    def _approve(self, case: Case, decision: FeeDecision) -> None:
        if case.kind == "reissue" and case.replacement is None:
            sections = reissued(template.sections[case.number], number_of(next(self.new_numbers)))
            sender = Issuer("issuer", frozenset([sections["seller"]["tax_id"]]))
            self.do(lambda c: replacement.send(c, case.id, sections, sender, self.now_ms))
            case = self.case(case.id)
        fee = decision if case.fee == "undetermined" else None
        able = [one for one in REVIEWERS if self.may_approve(case, one, fee)]
        if not able:
            return
        with self.database.read() as connection:
            hashed = reviewing.hash_of_shown(reviewing.facts(connection, case, self.vault))
        said = Said("approve", "证据不足以认定", hashed, fee)
        for other in set(REVIEWERS) - set(able):
            assert self.review(case.id, said, other) is not None
        assert self.review(case.id, said._replace(shown=bytes(32)), able[0]) == "shown_differs"
        assert self.review(case.id, said, able[0]) is None
        self.approved.setdefault(case.id, []).append((able[0].id, hashed.hex()))

    # what must hold after each of them

    @invariant()
    def holds(self) -> None:
        seen["steps"] += 1
        if not self.has_changed:
            return
        self.has_changed = False
        with self.database.read() as connection:
            rows = [cases.get(connection, id_) for id_ in self.ids]
            for case in rows:
                self._no_step_is_skipped(connection, case)
                self._two_people_approved(case)
                self._fee_is_by_evidence(connection, case)
            self._one_open_case_and_one_current_copy(connection, rows)

    def _no_step_is_skipped(self, connection: Any, case: Case) -> None:
        moves = cases.history(connection, case.id, self.vault)
        assert [one.round for one in moves] == list(range(1, len(moves) + 1))
        before = None
        for one in moves:
            assert one.source == before
            assert one.target in WAYS[one.source].split(), one
            before = one.target
        assert before == case.state
        known = self.lengths.get(case.id, 0)
        seen.update(one.event for one in moves[known:])
        assert not (known and moves[known - 1].target in CLOSED and len(moves) > known), "nothing leaves a closed state"
        self.lengths[case.id] = len(moves)
        if case.state in ("approved", "completed"):
            since = max((n for n, one in enumerate(moves) if one.event == "return"), default=0)
            by = {one.event: one.actor for one in moves[since:]}
            first = by.get("approve_first", by.get("charge_after_review"))
            assert first is not None
            assert by["approve_second"] not in (first, None)
            assert "confirm_contact" in {one.event for one in moves}
            assert case.fee != "charged" or case.paid_at is not None, "nothing is approved unpaid"

    def _two_people_approved(self, case: Case) -> None:
        approvals = [orjson.loads(one) for one in (case.first_approval, case.second_approval) if one is not None]
        assert [one["by"] for one in approvals] == [one for one in (case.first_reviewer, case.second_reviewer) if one is not None]
        if case.state in ("approved", "completed"):
            assert len({one["by"] for one in approvals}) == 2
            assert case.opened_by not in {one["by"] for one in approvals}
            assert self.address(case) not in {one.login for one in REVIEWERS if one.id in {said["by"] for said in approvals}}
        if case.state in ("review_2", "approved", "completed"):
            assert [(one["by"], one["shown"]) for one in approvals] == self.approved[case.id], "each approved what they were shown"

    def _fee_is_by_evidence(self, connection: Any, case: Case) -> None:
        if case.responsible == "system":
            assert (case.fee, case.fee_fen, case.fee_decided_by) == ("free", 0, None), "the system was at fault"
        rows = payments.of_case(connection, case.id)
        if case.fee != "charged":
            assert not [row for row in rows if row.paid_at is not None]
        assert len([row for row in rows if row.state == "paid"]) <= 1, "never paid twice"
        if case.state in CLOSED - {"completed"}:
            assert not [row for row in rows if row.state == "paid"], "it is owed back"

    def _one_open_case_and_one_current_copy(self, connection: Any, rows: list[Case]) -> None:
        busy = [case.number for case in rows if case.state not in CLOSED]
        assert len(busy) == len(set(busy))
        for number in map(number_of, NUMBERS):
            record = reading.get(connection, number, None)
            done = [case for case in rows if case.number == number and case.state == "completed"]
            copied = [case for case in done if case.kind == "copy"]
            reprints = [one for one in record.stored if one.entry.kind is Kind.REPRINT]
            assert [one.id for one in reprints] == sorted(case.entry_id for case in copied)
            for case in copied:
                made = next(one for one in reprints if one.id == case.entry_id)
                assert made.entry.auth == reviewing.auth_of(case)
            assert record.current().entry.copy == (reprints or record.stored)[-1 if reprints else 0].entry.copy
            if any(case.kind == "reissue" for case in done):
                assert record.status == "void"
                assert len([case for case in done if case.kind == "reissue"]) == 1

    def teardown(self) -> None:
        """Nothing personal is outside of its store, which is encrypted."""
        wanted = [NAME.encode(), ADDRESS.encode()]
        with self.database.read() as connection:
            tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
            for table in tables:
                for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                    for value in row:
                        held = value if isinstance(value, bytes) else str(value).encode()
                        assert not any(text in held for text in wanted), table
        self.database.close()


def _unsafe(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def test_whatever_happens_to_a_case(capsys: pytest.CaptureFixture[str]) -> None:
    examples = -(-STEPS * 5 // (4 * PER_EXAMPLE))  # some end early
    bounds = settings(
        max_examples=examples,
        stateful_step_count=PER_EXAMPLE,
        deadline=None,
        database=None,
        derandomize=STEPS < LONG,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=bounds)
    assert {"complete", "approve_second", "reject"} <= seen.keys()
    assert STEPS < LONG or set(EVENTS) <= seen.keys()
    with capsys.disabled():
        print(f"\n{seen['steps']:,} steps: {dict(seen)}")
