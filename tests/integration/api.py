"""The API under test: an application on a database, keys of every role, and a client that holds each answer to /openapi.json."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from service.api import cookies
from service.api.catalogue import PROBLEMS
from service.app import create_app
from service.auth import keys, people, sessions
from service.auth.keys import Role
from service.auth.people import PersonRole
from service.auth.sessions import Purpose
from service.config import Settings
from service.ledger import health, outbox, sealing
from service.ledger.tables import batches
from service.migrations.schema import metadata
from tests.unit.samples import sections_of
from verifier.anchors import Anchors
from verifier.chain import Anchor
from verifier.commitment import SECTIONS
from verifier.question import Question
from verifier.report import Report
from verifier.verify import verify

CONTRACT = "0x" + "5f" * 20
S01, S06, S10 = "26112999000000000001", "26112999000000000006", "26112999000000000010"
SELLER = "91110108MAXXXX015B"
"""Of S01, S06, S07, S10 and S11."""

_JSON = re.compile(r"application/(?:problem\+)?json")


class Client(TestClient):
    """Every answer is one that the document promises, and nothing in its path or query is secret."""

    def request(self, method: str, url: Any, **options: Any) -> Any:
        answer = super().request(method, url, **options)
        if method != "OPTIONS" and str(url) != "/openapi.json":
            check_answer(self.app, method, answer)  # type: ignore[arg-type]
        return answer


def check_answer(app: FastAPI, method: str, answer: Any) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", answer.headers["request-id"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    sent_type = answer.headers.get("content-type", "").partition(";")[0]
    if sent_type == "application/problem+json":
        validate(app, {"$ref": "#/components/schemas/Problem"}, answer.json())
        code = answer.json()["code"]
        assert answer.status_code == answer.json()["status"]
        assert any(name.partition("/")[0] == code for name in PROBLEMS)
        return
    assert answer.status_code < 400, answer.text
    operation = find_operation(app, method, answer.request.url.path)
    content = operation["responses"][str(answer.status_code)]["content"]
    assert sent_type in content, sent_type
    if _JSON.fullmatch(sent_type):
        validate(app, content[sent_type]["schema"], answer.json())


def find_operation(app: FastAPI, method: str, path: str) -> dict[str, Any]:
    for template, operations in sorted(app.openapi()["paths"].items(), key=lambda item: item[0].count("{")):
        if method.lower() in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: dict[str, Any] = operations[method.lower()]
            return found
    raise AssertionError(f"{method} {path} is not in the document")


def validate(app: FastAPI, schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**schema, "components": app.openapi()["components"]}).validate(value)


class Signed(NamedTuple):
    """Somebody with a session: the headers that go with each of their requests."""

    id: str
    login: str
    headers: dict[str, str]


class Api:
    """`now` moves the service's clock, in seconds."""

    def __init__(self, url: str, **settings: Any) -> None:
        fixed = {"contract": CONTRACT, "receipt_key": "22" * 32, "data_keys": f"1:{'33' * 32}", "anonymous_per_minute": 0}
        given = {**fixed, "rpc_timeout_s": 30, "database_url": url, **settings}
        self.settings = Settings(_env_file=None, **given)  # type: ignore[call-arg]  # pydantic-settings takes it
        self.app = create_app(self.settings)
        self.context = self.app.state.context
        self.database = self.context.database
        metadata.create_all(self.database.engine)
        self.client = Client(self.app, raise_server_exceptions=False)
        self._keys: dict[tuple[Role, tuple[str, ...]], str] = {}
        self.write_health()

    def key(self, role: Role, *bound: str) -> dict[str, str]:
        """The header with a key of that role; the same key each time."""
        if (role, bound) not in self._keys:
            with self.database.write() as connection:
                _, self._keys[role, bound] = keys.create_key(connection, role, bound, "test")
        return {"Authorization": f"Bearer {self._keys[role, bound]}"}

    def person(self, role: PersonRole, *sellers: str, name: str = "某人", purpose: Purpose | None = "routine_audit") -> "Signed":
        """Somebody new, who has just signed in."""
        now_ms = self.context.now_ms()
        with self.database.write() as connection:
            made, _ = people.create(connection, f"{secrets.token_hex(4)}@example.cn", name, role, frozenset(sellers), now_ms)
            token = sessions.begin(connection, made, None, now_ms).token
            session = sessions.read(connection, token, now_ms)
            assert session is not None
            if purpose is not None:
                sessions.choose_purpose(connection, session, purpose, "", now_ms)
        headers = {"Cookie": f"{cookies.SESSION}={token}", cookies.CSRF_HEADER: session.csrf}
        return Signed(made.id, made.login, headers)

    @property
    def issuer(self) -> dict[str, str]:
        return self.key("issuer", SELLER)

    @property
    def auditor(self) -> dict[str, str]:
        return self.key("auditor")

    def submit(self, sections: Any, profile: str = "as_issued", **options: Any) -> Any:
        """POST /v1/invoices by the seller's own key."""
        if "headers" not in options:
            seller = sections["seller"].get("tax_id", SELLER) if isinstance(sections, dict) else SELLER
            options["headers"] = self.key("issuer", seller)
        return self.client.post("/v1/invoices", json={"profile": profile, "sections": sections}, **options)

    def register(self, *names: str) -> list[dict[str, Any]]:
        """Samples, one after the other."""
        made = []
        for name in names:
            answer = self.submit(sections_of(name))
            assert answer.status_code == 201, answer.text
            made.append(answer.json())
        return made

    def ask(self, number: str, commitment: str | None = None, **more: Any) -> Any:
        """POST /v1/proofs."""
        return self.client.post("/v1/proofs", json={"number": number, **({"commitment": commitment} if commitment else {}), **more})

    def listed(self, path: str, headers: dict[str, str], limit: int) -> list[Any]:
        """The items of a list, page by page to its end."""
        found: list[Any] = []
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = self.client.get(path, params={"limit": limit, **cursor}, headers=headers).json()
            found += page["items"]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] is not None else None
        return found

    def anchor(self, state: outbox.State = "final") -> int:
        """Seal what is pending and bring it as far as `state`, without a chain: the seq."""
        now_ms = int(time.time() * 1000)
        with self.database.write() as connection:
            sealed = sealing.seal(connection, self.context.keys, now_ms, first_seq=1, heartbeat=True)
            assert sealed is not None
        self.move(state)
        return sealed.seq

    def move(self, state: outbox.State) -> None:
        """Bring every batch as far as `state`."""
        way: list[tuple[outbox.State, outbox.Event, dict[str, int]]] = [
            ("broadcast", "sent", {}),
            ("mined", "found", {"block_number": 7, "block_time": int(time.time())}),
            ("final", "finalized", {"final_at": int(time.time() * 1000)}),
        ]
        order = ["sealed", "broadcast", "mined", "final"]
        with self.database.write() as connection:
            for item in outbox.open_items(connection):
                for reached, event, facts in way:
                    if order.index(item.state) < order.index(reached) <= order.index(state):
                        item = outbox.move(connection, item, event, **facts)

    def write_health(self, **changes: Any) -> None:
        """What the worker would have said now."""
        now = time.time()
        values: dict[str, Any] = dict.fromkeys(health.Health._fields, 0)
        values |= {"seen_at": now, "trouble": None, "since": None, "detail": None, "left_out": "", "final_time": int(now)}
        values |= changes
        with self.database.write() as connection:
            health.write(connection, health.Health(**{n: v for n, v in values.items() if n in health.Health._fields}))
        self.context._status = None

    def anchors_file(self) -> Anchors:
        """What the contract would hold of the final anchors."""
        with self.database.read() as connection:
            newest = outbox.newest_final(connection)
            rows = connection.execute(batches.select()).all()
        found = {row.seq: Anchor(row.log_root, row.register_root, row.size, int(time.time()), True) for row in rows}
        assert newest is not None
        final = {seq: anchor for seq, anchor in found.items() if seq <= newest.seq}
        return Anchors(self.context.chain, self.context.keys.public, newest.seq, final)

    def verdict(self, data: bytes, number: str | None = None, commitment: str | None = None) -> Report:
        """What a verifier says that has the anchors file; with the question, if there is one."""
        question = Question(number, bytes.fromhex(commitment) if commitment else None) if number else None
        return verify(data, [self.anchors_file()], question)


@contextmanager
def running_api(url: str, **settings: Any) -> Iterator[Api]:
    """The application with its lifespan."""
    api = Api(url, **settings)
    try:
        with api.client:
            yield api
    finally:
        api.database.close()


def proof_file(sections: dict[str, Any], answered: dict[str, Any]) -> bytes:
    """What an issuer makes of what it sent and what it was answered: a complete pending proof file."""
    shown = {**sections, **answered["sections"]}
    return orjson.dumps(
        {
            "protocol": "zp1",
            "chain": answered["chain"],
            "sections": {name: {"salt": answered["salts"][name], "value": shown[name]} for name in SECTIONS},
            "entry": answered["entry"],
            "receipt": answered["receipt"],
        }
    )
