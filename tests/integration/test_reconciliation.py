"""Our own store against a real chain: sound stores, killed runs, several processes, and what a run says of itself."""

from pathlib import Path

from tests.stores import Store

pytest_plugins = ["tests.store_fixtures"]


def test_a_sound_store_matches(store: Store) -> None:
    run, found = store.reconcile()
    assert found == []
    assert run.matches
    assert run.done == run.total > 0
    assert run.block_hash


def test_a_sound_store_matches_with_a_mirror_and_two_processes(store: Store, built_mirror: Path) -> None:
    run, found = store.reconcile(mirror=built_mirror, processes=2)
    assert found == []
    assert run.matches
