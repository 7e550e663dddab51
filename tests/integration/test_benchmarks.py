"""The benchmarks still run. At this scale their figures mean nothing, and none of them is asked for."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.benchmarks.measure import TINY


@pytest.mark.parametrize(
    "name", ["trees", "verification", "registration", "sealing", "proofs", "threads", "reconciliation", "memory"]
)
def test_a_benchmark_runs(name: str, tmp_path: Path) -> None:
    found = list(import_module(f"tests.benchmarks.{name}").figures(TINY, tmp_path))
    assert found
    for figure in found:
        assert figure.value > 0, figure
        assert figure.name
        assert figure.ours


def test_figures_of_diagnoses_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    diagnoses = import_module("tests.benchmarks.diagnoses")
    found = diagnoses.figures(TINY)
    assert [figure.value > 0 for figure in found] == [True] * 3
