"""A reprint case over the API, as its applicant and its reviewers take it through its steps. The chain is what the batches say."""

import re
from typing import Any, NamedTuple

import orjson
from sqlalchemy import select

from service import activity
from service.deliveries import queue
from service.deliveries.tables import deliveries
from service.reprints import cases, materials
from service.reprints.chores import Chores
from tests.integration.api import S01, Api, Signed
from verifier.anchors import Anchors

FACTS = {"number": S01, "issued_on": "2026-09-01", "amount_with_tax": "27232.82"}
NAME, ADDRESS = "欧阳申请", "ouyang.shenqing@example.cn"
APPLICATION: dict[str, Any] = {
    "kind": "copy",
    "reason": "原件遗失，报销需要",
    "delivery": "download",
    "name": NAME,
    "contact": {"channel": "email", "address": ADDRESS},
}
PNG = b"\x89PNG of an identity paper"
DAY_S = 86_400.0


class Readings(NamedTuple):
    """The contract as the batches have it."""

    api: Api

    def reader(self, at_least: int = 0) -> Anchors:
        return self.api.anchors_file()


class Reprinting:
    """Registers S01 and S10, final. `later` moves the service's clock, in seconds."""

    def __init__(self, api: Api, *names: str) -> None:
        self.api = api
        self.later = 0.0
        before = api.context.clock
        api.context.clock = lambda: before() + self.later
        self.registered = api.register(*(names or ("S01", "S10")))
        api.anchor()
        api.context.diagnostics._readings = Readings(api)
        self.vault = api.context.vault
        self.chores = Chores(api.database, api.context.keys, self.vault, api.settings, lambda: api.context.clock())

    # the applicant

    def open(self, body: Any = None, **options: Any) -> Any:
        return self.api.client.post("/v1/reprints", json=FACTS if body is None else body, **options)

    def opened(self, body: Any = None, **options: Any) -> "Applicant":
        answer = self.open(body, **options)
        assert answer.status_code == 201, answer.text
        return Applicant(self, answer.json()["id"], answer.json()["token"])

    def applied(self, body: Any = None, **changes: Any) -> "Applicant":
        """A case whose contact is confirmed."""
        applicant = self.opened(body)
        answer = applicant.post("application", APPLICATION | changes)
        assert answer.status_code == 200, answer.text
        applicant.confirm()
        return applicant

    def handed_in(self, body: Any = None, **changes: Any) -> "Applicant":
        """A case whose fee is due, or that waits for the first review."""
        applicant = self.applied(body, **changes)
        applicant.send_materials()
        answer = applicant.post("submit", {})
        assert answer.status_code == 200, answer.text
        return applicant

    def code_of(self, case_id: str) -> str:
        """The newest code that was sent."""
        with self.api.database.read() as connection:
            query = select(deliveries).where(deliveries.c.object == case_id, deliveries.c.event == "code")
            row = connection.execute(query.order_by(deliveries.c.id.desc()).limit(1)).one()
        message = orjson.loads(self.vault.decrypt(row.message, queue._context(row.uid)))
        text = message["text"] if row.channel == "email" else str(message["parameters"])
        found = re.search(r"(?<![0-9A-Za-z])[0-9]{6}(?![0-9A-Za-z-])", text)
        assert found is not None, text
        return found[0]

    def events(self, case_id: str) -> list[str]:
        """What was sent to people about a case, in order."""
        with self.api.database.read() as connection:
            query = select(deliveries.c.event).where(deliveries.c.object == case_id, deliveries.c.channel != "webhook")
            return list(connection.scalars(query.order_by(deliveries.c.id)))

    # the desk

    def reviewer(self, name: str = "审核员") -> Signed:
        return self.api.person("reviewer", name=name)

    def view(self, case_id: str, reviewer: Signed) -> dict[str, Any]:
        answer = self.api.client.get(f"/v1/reprints/{case_id}/review", headers=reviewer.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def decide(self, case_id: str, reviewer: Signed, decision: str = "approve", **more: Any) -> Any:
        body = {"decision": decision, **more}
        if decision == "approve" and "shown" not in body:
            body["shown"] = self.view(case_id, reviewer)["shown"]
        return self.api.client.post(f"/v1/reprints/{case_id}/reviews", json=body, headers=reviewer.headers)

    def approved(self, case_id: str, *reviewers: Signed, **more: Any) -> None:
        for reviewer in reviewers or (self.reviewer("甲"), self.reviewer("乙")):
            answer = self.decide(case_id, reviewer, **more)
            assert answer.status_code == 200, answer.text

    def actions(self, case_id: str) -> list[tuple[str, str]]:
        """(action, actor) of the activity log, oldest first."""
        with self.api.database.read() as connection:
            found = activity.read(connection, activity.Filter(object=case_id))
        return [(record.action, record.actor) for record in reversed(found)]

    def work(self) -> None:
        """Every chore of the worker until none moves anything."""
        self.chores._looked_at = dict.fromkeys(self.chores._looked_at, 0.0)
        for step in self.chores.steps():
            while step():
                pass

    def case(self, case_id: str) -> Any:
        """Its row."""
        with self.api.database.read() as connection:
            return cases.get(connection, case_id)


class Applicant:
    """Somebody with the token of a case."""

    def __init__(self, world: Reprinting, id_: str, token: str) -> None:
        self.world, self.id, self.token = world, id_, token

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self) -> dict[str, Any]:
        answer = self.world.api.client.get(f"/v1/reprints/{self.id}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def post(self, what: str, body: Any, **options: Any) -> Any:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.world.api.client.post(f"/v1/reprints/{self.id}/{what}", json=body, headers=headers, **options)

    def sign_in(self, code: str) -> Any:
        return self.world.api.client.post(f"/v1/reprints/{self.id}/session", json={"code": code})

    def confirm(self) -> None:
        """The token that counts from now on comes for the code."""
        answer = self.sign_in(self.world.code_of(self.id))
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]

    def send_materials(self) -> None:
        """Everything that is required, as if it had been drawn."""
        world = self.world
        with world.api.database.write() as connection:
            case = cases.lock(connection, self.id)
            for type_ in materials.missing(connection, case):
                materials.add(connection, case, type_, len(PNG), [PNG], world.vault, 10, world.api.context.now_ms())
