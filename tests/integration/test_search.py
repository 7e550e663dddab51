"""Any text finds the invoices in which it stands, on both databases, behind the worker."""

from typing import Any

import pytest
from sqlalchemy import select, text

from service.invoices import indexing
from service.invoices.indexing import Indexer
from service.invoices.tables import search_progress
from service.ledger import outbox, sealing
from service.migrations.schema import metadata
from tests.integration.api import S01, S10, SELLER, Api
from tests.stores import simple_invoices
from tests.unit.samples import sections_of

NUMBERS = {name: sections_of(name)["header"]["number"] for name in ("S01", "S02", "S03", "S10")}


def find(api: Api, q: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
    answer = api.client.post("/v1/invoices/search", json={"q": q, **more}, headers=headers or api.auditor)
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(api: Api, q: str, **more: Any) -> set[str]:
    return {item["number"] for item in find(api, q, **more)["items"]}


def index(api: Api) -> int:
    """Take in everything; how many steps moved."""
    indexer, steps = Indexer(api.database), 0
    while indexer.step():
        steps += 1
    return steps


def test_any_text_finds_the_invoices_in_which_it_stands(api: Api) -> None:
    api.register("S01", "S02", "S03", "S10")
    api.anchor("sealed")
    assert index(api) == 1
    seller = sections_of("S01")["seller"]["name"]
    assert numbers(api, seller) >= {S01, S10}
    assert numbers(api, seller[2:4]) >= {S01, S10}, "a word of two characters"
    for name, number in NUMBERS.items():
        sections = sections_of(name)
        assert number in numbers(api, number)
        assert number in numbers(api, number[-8:])
        assert number in numbers(api, number[:6])
        assert number in numbers(api, sections["lines"][0]["item"].replace("*", " "))
        assert number in numbers(api, f"{sections['totals']['amount_with_tax']} {sections['seller']['name'][:2]}")
        assert number in numbers(api, sections["buyer"]["name"])
    assert numbers(api, "没有这样的词") == set()
    assert numbers(api, "***") == set()
    assert numbers(api, seller, number=S10) == {S10}
    assert numbers(api, seller, amount_from="1000000000.00") == set()


def test_a_buyer_is_found_by_tax_id_or_else_by_name(api: Api) -> None:
    api.register("S01", "S02", "S03", "S10")
    bought = sections_of("S01")
    bought["header"]["number"] = "26112000009000000001"
    bought["buyer"] = {"name": "东城商贸", "tax_id": SELLER}
    assert api.submit(bought).status_code == 201
    api.anchor("sealed")
    assert by_buyer(api, SELLER) == (set(), 5)
    index(api)
    assert by_buyer(api, SELLER) == ({"26112000009000000001"}, 0), "not what it sold"
    assert by_buyer(api, SELLER, number=S01) == (set(), 0)
    for sections in map(sections_of, NUMBERS):
        buyer = sections["buyer"].get("tax_id") or sections["buyer"]["name"]
        assert sections["header"]["number"] in by_buyer(api, buyer)[0]
        assert by_buyer(api, buyer[:-1]) == (set(), 0), "all of it"
        assert sections["header"]["number"] in by_buyer(api, buyer, q=sections["seller"]["name"][:2])[0]


def by_buyer(api: Api, buyer: str, **more: Any) -> tuple[set[str], int]:
    """The numbers that are found, and how many more there may be."""
    said = api.client.post("/v1/invoices/search", json={"buyer": buyer, **more}, headers=api.auditor).json()
    return {item["number"] for item in said["items"]}, said["indexed"]["behind"]


def test_an_issuer_finds_its_own_alone(api: Api) -> None:
    api.register("S01", "S02")
    api.anchor("sealed")
    index(api)
    mine = find(api, "26", headers=api.issuer)["items"]
    assert {item["seller"]["tax_id"] for item in mine} == {SELLER}
    assert len(numbers(api, "26")) == 2


def test_the_answer_says_how_far_the_index_is(api: Api) -> None:
    assert find(api, "东城")["indexed"] == {"seq": 0, "index": 0, "behind": 0}
    api.register("S01")
    assert find(api, "东城")["indexed"] == {"seq": 0, "index": 0, "behind": 1}
    api.anchor("sealed")
    assert index(api) == 1
    assert find(api, "东城")["indexed"] == {"seq": 1, "index": 0, "behind": 0}
    api.register("S02", "S03")
    assert find(api, "东城")["indexed"]["behind"] == 2
    assert NUMBERS["S02"] not in numbers(api, NUMBERS["S02"])
    assert api.client.post("/v1/invoices/search", json={}, headers=api.auditor).json()["indexed"] is None
    api.anchor("sealed")
    api.anchor("sealed")  # a heartbeat
    index(api)
    assert find(api, "东城")["indexed"] == {"seq": 2, "index": 1, "behind": 0}
    assert index(api) == 0, "nothing is left"


def test_pages_go_on_where_they_ended(api: Api) -> None:
    submissions = list(simple_invoices(range(30)))
    for sections in submissions:
        assert api.submit(sections).status_code == 201
    api.anchor("sealed")
    index(api)
    seen: list[str] = []
    cursor = None
    while True:
        page = find(api, "2611", limit=7, **({"cursor": cursor} if cursor else {}))
        seen += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [sections["header"]["number"] for sections in reversed(submissions)]


def test_many_are_taken_in_a_few_at_a_time_and_nobody_waits(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "AT_ONCE", 4)
    for sections in simple_invoices(range(1000, 1010)):
        api.submit(sections)
    api.anchor("sealed")
    monkeypatch.setattr(indexing, "BUSY", 0)
    api.register("S01")
    assert not Indexer(api.database).step(), "while entries wait to be sealed, the index does"
    monkeypatch.setattr(indexing, "BUSY", 1000)
    assert index(api) == 3
    assert len(numbers(api, "2611")) == 10


def test_two_indexers_and_a_second_sealing_change_nothing(api: Api) -> None:
    api.register("S01", "S10")
    api.anchor("sealed")
    first, second = Indexer(api.database), Indexer(api.database)
    assert first.step()
    assert not second.step()
    with api.database.write() as connection:
        sealing.unseal_from(connection, 1)
        sealing.record_foreign(connection, 1, bytes(32), bytes(32), 1)
        outbox.add_final(connection, 1, block_number=1, block_time=1)
    api.anchor("sealed")
    index(api)
    assert numbers(api, S10) == {S10}
    with api.database.read() as connection:
        grams = "rowid" if api.database.is_sqlite else "id"
        rows = list(connection.execute(text(f"SELECT {grams} FROM invoice_grams")).scalars())
        assert len(rows) == len(set(rows)) == 2
        assert connection.execute(select(search_progress.c.seq)).scalar_one() == 2


def test_the_index_goes_with_the_tables(api: Api) -> None:
    with api.database.write() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    api.register("S10")
    api.anchor("sealed")
    index(api)
    assert numbers(api, S10) == {S10}
