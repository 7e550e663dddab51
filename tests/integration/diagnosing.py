"""For tests of diagnoses: a world (tests/world.py) whose invoices get lost, and what the service says of them."""

import copy
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from service.invoices import reading
from service.ledger.entries import append
from tests.integration.api import check_answer
from tests.oracle import Kept
from tests.stores import Store
from tests.world import World, world
from verifier.entry import ZERO, Entry, Kind
from verifier.question import Question


class Lost:
    """A world with people who ask. `key` is an issuer's of the seller, who also registers."""

    def __init__(self, made: World) -> None:
        self.world, self.context = made, made.context
        self.is_reading_kept = False

    def ask(self, body: Any, *, as_issuer: bool = False, media_type: str = "application/json", language: str = "en") -> Any:
        """POST /v1/diagnoses: the whole answer."""
        headers = {"Content-Type": media_type, "Accept-Language": language}
        if as_issuer:
            headers |= self.world._headers
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        # A reading is used for seconds, and here time stands still: it is old, or it stays new however long a request takes.
        self.context.diagnostics._readings._read_at = 1e9 if self.is_reading_kept else -1e9
        answer = self.world.client.post("/v1/diagnoses", content=content, headers=headers)
        check_answer(self.world.app, "POST", answer)
        return answer

    def diagnose(self, body: Any, **options: Any) -> dict[str, Any]:
        answer = self.ask(body, **options)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def of_facts(self, one: Kept, **options: Any) -> dict[str, Any]:
        return self.diagnose(facts_of(one), **options)

    def of_code(self, one: Kept) -> dict[str, Any]:
        return self.diagnose({"number": one.number, "commitment": one.answer["commitment"]})

    def of_receipt(self, one: Kept) -> dict[str, Any]:
        return self.diagnose({"entry": one.answer["entry"], "receipt": one.answer["receipt"], "number": one.number})

    def of_file(self, data: bytes) -> dict[str, Any]:
        return self.diagnose(data, media_type="application/vnd.zhengpiao.proof+json")

    def recover(self, data: bytes, media_type: str = "application/vnd.zhengpiao.proof+json") -> Any:
        headers = {"Content-Type": media_type, "Accept-Language": "en"}
        answer = self.world.client.post("/v1/recoveries", content=data, headers=headers)
        check_answer(self.world.app, "POST", answer)
        return answer

    def proof(self, one: Kept) -> bytes:
        """What a recipient keeps: sections 0 to 3."""
        status, data = self.world.proof(one)
        assert status == 200, data
        return data

    def whole_proof(self, one: Kept) -> bytes:
        status, data = self.world.ask("GET", f"/v1/invoices/{one.number}/proof")
        assert status == 200, data
        return data

    def verdict(self, file: bytes, question: Question) -> str:
        """What a verifier says now."""
        self.world.oracle._reader = self.world.oracle._new_reader()
        return self.world.oracle.verdict(file, question)

    def reverse(self, one: Kept, amount: str) -> None:
        """Register a red-letter invoice of `amount` (negative) against it."""
        sections = copy.deepcopy(one.sections)
        sections["header"]["number"] = "26112998" + one.number[-12:]
        sections["totals"] |= {"amount": amount, "tax": "0.00", "amount_with_tax": amount}
        sections["provenance"] = {"original": {"number": one.number, "relation": "reverses"}}
        status, answer = self.world.ask("POST", "/v1/invoices", {"profile": "as_issued", "sections": sections})
        assert status == 201, answer

    def reprint(self, one: Kept) -> None:
        """A new copy of it, as a reprint makes one."""
        store = Store(self.world.url, self.world.node, self.world.contract)
        store.keys = self.context.keys
        store.reprint(one.number)
        store.close()

    def release(self, one: Kept) -> None:
        """Two operators found that it was registered in error."""
        with self.context.database.write() as connection:
            record = reading.get(connection, one.number, None)
            entry = Entry(Kind.RELEASE, self.context.now_ms(), one.entry.key, one.entry.copy, ZERO, ZERO)
            record.history.add(entry)
            append(connection, [(entry, record.history.ordinal)], self.context.keys, self.context.now_ms() + 60_000)

    def sql(self, *statements: str, **values: Any) -> None:
        """What an insider does: no foreign key stops them."""
        with closing(sqlite3.connect(self.world.url.removeprefix("sqlite:///"))) as free, free:
            for statement in statements:
                free.execute(statement, {name: value for name, value in values.items() if f":{name}" in statement})

    def delete(self, one: Kept, *tables: str) -> None:
        """The rows of one invoice in copies, invoices and entries, as far as they are named."""
        of_entry = "IN (SELECT id FROM entries WHERE entry = :entry)"
        where = {"copies": f"entry_id {of_entry}", "invoices": f"id {of_entry}", "entries": "entry = :entry"}
        self.sql(*(f"DELETE FROM {table} WHERE {where[table]}" for table in where if table in tables), entry=one.entry.encode())


def facts_of(one: Kept, **changes: str) -> dict[str, str]:
    """What stands on it."""
    header, totals = one.sections["header"], one.sections["totals"]
    said = {"number": one.number, "issued_on": header["issued_on"], "amount_with_tax": totals["amount_with_tax"]}
    return {name: value for name, value in (said | changes).items() if value}


def check(found: dict[str, Any], verdict: str, responsible: str, action: str, fee: str) -> dict[str, Any]:
    told = found["verdict"], found["responsible"], found["next_action"]["code"], found["fee"]["kind"]
    assert told == (verdict, responsible, action, fee), found
    assert all(found["sentences"].values())
    return found


def hops(found: dict[str, Any]) -> dict[str, str]:
    return {hop["hop"]: hop["state"] for hop in found["evidence"]}


def evidence(found: dict[str, Any], name: str) -> dict[str, Any]:
    said: dict[str, Any] = next(hop["evidence"] for hop in found["evidence"] if hop["hop"] == name)
    return said


@contextmanager
def lost(folder: Path, **settings: Any) -> Iterator[Lost]:
    with world(f"sqlite:///{folder / 'world.db'}", settings=settings) as made:
        yield Lost(made)
