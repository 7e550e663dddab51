"""Tiles give the paths and the root of the tree itself, whatever its size."""

import os
from pathlib import Path

import pytest
from sqlalchemy import insert

from service.db import Database
from service.ledger import tiles
from service.ledger.tables import batches
from service.migrations.schema import metadata
from verifier.merkle import inclusion_path, tree_hash

_SIZES = (1, 2, 3, 5, 127, 128, 129, 255, 256, 257, 300, 511, 512, 513, 700)


@pytest.mark.parametrize("size", _SIZES)
def test_a_path_is_read_from_two_tiles(tmp_path: Path, size: int) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    metadata.create_all(database.engine)
    leaves = [os.urandom(32) for _ in range(size)]
    batch = {"seq": 1, "log_root": bytes(32), "size": size, "register_root": bytes(32), "sealed_at": 0, "foreign": 0}
    with database.write() as connection:
        connection.execute(insert(batches), batch)
        assert tiles.write(connection, 1, leaves) == tree_hash(leaves)
        for index in {*range(0, size, 37), 0, size - 1, min(255, size - 1), min(256, size - 1)}:
            assert tiles.path(connection, 1, index, size) == inclusion_path(leaves, index)
        assert b"".join(tiles.leaves(connection, 1)) == b"".join(leaves)
    database.close()


def test_no_leaves_make_no_tiles() -> None:
    assert tiles.made_of([]) == ({}, bytes(32))


def test_every_width_is_told_by_a_tiles_length() -> None:
    for width in range(1, tiles.WIDTH + 1):
        leaves = [bytes([n, 1]) * 16 for n in range(width)]
        assert tiles.leaves_in(tiles.made_of(leaves)[0][0, 0]) == b"".join(leaves)


@pytest.mark.parametrize("length", [0, 31, 64, 32 * 512])
def test_what_is_no_tile_has_no_leaves(length: int) -> None:
    assert tiles.leaves_in(bytes(length)) == b""
