"""A batch's tree as tiles of 256 leaves: a proof reads two of them, whatever the batch's size (RFC 9162 section 2.1.3)."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, insert, select

from service.ledger.tables import tiles
from verifier.merkle import inclusion_path, tree_hash

WIDTH = 256


def write(connection: Connection, seq: int, leaves: Sequence[bytes]) -> bytes:
    """Store the tiles of a batch and return its log root.

    After eight levels of pairing, node i of the tree is the root of tile i, complete or not: so the roots of the tiles are the
    leaves of the tree above them.
    """
    pieces = [leaves[start : start + WIDTH] for start in range(0, len(leaves), WIDTH)]
    roots = [tree_hash(piece) for piece in pieces]
    rows = [{"seq": seq, "level": 0, "tile": n, "hashes": b"".join(piece)} for n, piece in enumerate(pieces)]
    if len(roots) > 1:
        rows.append({"seq": seq, "level": 1, "tile": 0, "hashes": b"".join(roots)})
    if rows:
        connection.execute(insert(tiles), rows)
    return tree_hash(roots)


def path(connection: Connection, seq: int, index: int, size: int) -> list[bytes]:
    """The inclusion path of leaf `index` in batch `seq` of `size` leaves."""
    tile = index // WIDTH
    wanted = [(0, tile)] if size <= WIDTH else [(0, tile), (1, 0)]
    found: list[bytes] = []
    for (level, number), at in zip(wanted, (index % WIDTH, tile), strict=False):
        query = select(tiles.c.hashes).where(tiles.c.seq == seq, tiles.c.level == level, tiles.c.tile == number)
        found += inclusion_path(_split(connection.execute(query).scalar_one()), at)
    return found


def leaves(connection: Connection, seq: int) -> Iterator[bytes]:
    """The leaf hashes of a batch in order, a tile (up to 256 × 32 bytes) at a time."""
    query = select(tiles.c.hashes).where(tiles.c.seq == seq, tiles.c.level == 0).order_by(tiles.c.tile)
    yield from connection.scalars(query.execution_options(yield_per=64))


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + 32] for start in range(0, len(hashes), 32)]
