"""Whatever somebody with full access to the database does, a diagnosis is given, and nothing is called well that is not."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from service.diagnosis import shown
from service.diagnosis.details import Asker
from service.diagnosis.diagnose import Diagnostics
from service.diagnosis.nodes import Nodes
from service.invoices import lookups, reading
from service.verification.chain import ChainReadings
from tests.integration import insider
from tests.integration.insider import REPRINTED, VOIDED, A, B
from tests.integration.test_recoveries import chain_of, copy_of
from tests.stores import Store
from verifier.trust import Trust

pytest_plugins = ["tests.store_fixtures"]

FINE = {A: "present", B: "present", VOIDED: "void", REPRINTED: "present"}
LOST, ALTERED, UNDECIDED = "lost_after_anchor", "altered", "undecided"
EXPECTED: dict[Callable[[Store], None], dict[str, str]] = {
    insider.change_an_amount_with_its_column: {A: ALTERED},
    insider.change_a_buyer: {A: ALTERED},
    insider.change_a_remark: {A: ALTERED},
    insider.change_a_drawer: {A: ALTERED},
    insider.change_a_number: {A: ALTERED},
    insider.change_a_search_column: {A: ALTERED},
    insider.re_salt: {A: ALTERED},
    insider.re_salt_a_reprint: {REPRINTED: ALTERED},
    insider.lose_a_section: {A: LOST},
    insider.delete_a_record: {A: LOST},
    insider.delete_content: {A: LOST},
    insider.delete_a_salts_row: {A: LOST},
    insider.swap_contents: {A: ALTERED, B: ALTERED},
    insider.swap_places: {A: ALTERED, B: ALTERED},
    insider.move_to_another_batch: {A: ALTERED},
    insider.move_a_copy: {A: ALTERED},
    insider.forge_a_void: {A: ALTERED},
    insider.duplicate_an_entry: {A: ALTERED},
    insider.roll_back_a_void: {VOIDED: ALTERED},
    insider.return_a_void_to_pending: {VOIDED: ALTERED},
    insider.alter_a_status_entry: {VOIDED: ALTERED},
    insider.alter_an_entrys_time: {A: ALTERED},
    insider.alter_a_key: {A: LOST},
    insider.alter_a_register_page: {A: UNDECIDED},
    insider.drop_a_register_page: {A: UNDECIDED},
    insider.truncate_the_middle: {VOIDED: ALTERED, REPRINTED: ALTERED},
    insider.rewrite_a_whole_batch: {A: ALTERED, B: ALTERED, VOIDED: ALTERED, REPRINTED: UNDECIDED},
}
"""What is said of the four invoices, where it is not what is said of a sound store. Reconciliation finds the other strategies: they
touch other invoices, or what no single invoice rests on.
"""


@pytest.fixture
def diagnostics(sqlite_store: Store) -> Iterator[Diagnostics]:
    trust = Trust(chain_of(sqlite_store), sqlite_store.keys.public, (sqlite_store.node.url,), heartbeat_s=86_400)
    readings, nodes = ChainReadings(trust, sqlite_store.http, {}), Nodes(())
    public = sqlite_store.keys.public
    yield Diagnostics(
        sqlite_store.database, chain_of(sqlite_store), public, readings, nodes, lambda _: frozenset(), (), Decimal(20)
    )
    nodes.close()


@pytest.mark.parametrize("spoil", list(insider.STRATEGIES), ids=lambda spoil: spoil.__name__)
def test_nobody_is_told_that_all_is_well(sqlite_store: Store, diagnostics: Diagnostics, spoil: Callable[[Store], None]) -> None:
    asked, files = {}, {}
    for number in FINE:
        with sqlite_store.database.read() as connection:
            content = reading.read_copy(connection, reading.get(connection, number, None).current().id).sections()
        asked[number] = lookups.read(number, content["header"]["issued_on"], content["totals"]["amount_with_tax"], None)
        files[number] = copy_of(sqlite_store, number)
    spoil(sqlite_store)
    now_ms = int(time.time() * 1000)
    for number, fine in FINE.items():
        expected = EXPECTED.get(spoil, {}).get(number, fine)
        by_facts = diagnostics.diagnose(shown.facts(asked[number], None), Asker("n"), now_ms)
        by_file = diagnostics.of_proof(files[number], Asker("n"), now_ms)
        assert by_facts.rule.verdict == expected
        assert by_file.rule.verdict in (expected, LOST) if expected == ALTERED else by_file.rule.verdict == expected
        assert by_facts.to_members("zh")
        assert by_file.to_members("en")
