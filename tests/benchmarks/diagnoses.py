"""How much a diagnosis costs beside a proof request: `python -m tests.benchmarks.diagnoses` prints it; exit 1 if a goal is missed.

Both by the work of a request without HTTP, over the same store on a real chain, in turn. Reading a proof file includes checking it.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import orjson

from service.db import Database
from service.diagnosis import shown
from service.diagnosis.details import Asker
from service.diagnosis.diagnose import Diagnosis, Diagnostics
from service.diagnosis.nodes import Nodes
from service.invoices import lookups, proofs, reading
from service.verification.chain import ChainReadings
from tests.benchmarks.measure import FULL, TINY, Figure, Scale, at_most, timed
from tests.chain import RegistryContract, anvil
from tests.stores import Store, build, number_of
from verifier.fields import Chain
from verifier.question import Question
from verifier.trust import Trust

GOAL = 3.0
NUMBERS = [number_of(n) for n in range(1010, 1300)]
STRANGER = Asker("192.0.2.0/24")


class Bench:
    """A store with some hundred anchored invoices, and what is asked about them."""

    def __init__(self, store: Store) -> None:
        self.chain = Chain(store.node.chain_id, bytes.fromhex(store.contract.address[2:]))
        self.database: Database = store.database
        trust = Trust(self.chain, store.keys.public, (store.node.url,), heartbeat_s=86_400)
        readings = ChainReadings(trust, store.http, {})
        self.diagnostics = Diagnostics(
            store.database, self.chain, store.keys.public, readings, Nodes(()), lambda _: frozenset(), (), Decimal(20)
        )
        self.commitments: list[bytes] = []
        self.typed: list[lookups.Asked] = []
        self.files: list[bytes] = []
        with store.database.read() as connection:
            for number in NUMBERS:
                record = reading.get(connection, number, None)
                copy = reading.read_copy(connection, record.current().id)
                content = copy.sections()
                facts = content["header"]["issued_on"], content["totals"]["amount_with_tax"]
                self.commitments.append(copy.commitment())
                self.typed.append(lookups.read(number, *facts, None))
                self.files.append(proofs.answer(connection, self.chain, number, copy.commitment()).to_json())

    def prove(self, n: int) -> bytes:
        with self.database.read() as connection:
            return proofs.answer(connection, self.chain, NUMBERS[n], self.commitments[n]).to_json()

    def of_facts(self, n: int) -> bytes:
        return self._said(self.diagnostics.diagnose(shown.facts(self.typed[n], None), STRANGER, 0))

    def of_code(self, n: int) -> bytes:
        return self._said(self.diagnostics.diagnose(shown.code(Question(NUMBERS[n], self.commitments[n])), STRANGER, 0))

    def of_file(self, n: int) -> bytes:
        return self._said(self.diagnostics.of_proof(self.files[n], STRANGER, 0))

    @staticmethod
    def _said(found: Diagnosis) -> bytes:
        assert found.rule.verdict == "present", found.rule.verdict
        return orjson.dumps(found.to_members("zh"))


def figures(scale: Scale) -> list[Figure]:
    with anvil() as node, tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'bench.db'}", node, RegistryContract.deploy(node))
        build(store)
        bench = Bench(store)
        count = min(len(NUMBERS), scale.proofs)
        made = [
            _compare(name, scale.rounds, range(count), ask, bench.prove)
            for name, ask in (("facts", bench.of_facts), ("a code", bench.of_code), ("a proof file", bench.of_file))
        ]
        store.close()
    return made


def _compare(
    name: str, rounds: int, numbers: Sequence[int], ask: Callable[[int], object], prove: Callable[[int], object]
) -> Figure:
    def all_of(work: Callable[[int], object]) -> Callable[[], object]:
        return lambda: [work(n) for n in numbers]

    pairs = [(timed(all_of(ask)), timed(all_of(prove))) for _ in range(rounds + 1)][1:]
    ours, other = [mine for mine, _ in pairs], [theirs for _, theirs in pairs]
    return at_most(f"diagnosis by {name}, to a proof request", GOAL, ours, other, len(numbers), "request")


def main() -> int:
    found = figures(TINY if "--tiny" in sys.argv else FULL)
    for figure in found:
        mark = "ok  " if figure.holds else "MISS"
        print(f"{mark} {figure.name}: {figure.value:.2f} (at most {figure.limit:g}): {figure.ours}, {figure.other}")
    return 0 if all(figure.holds for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
