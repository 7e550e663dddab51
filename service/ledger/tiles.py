"""A batch's tree as tiles of 256 leaves, with all nodes between: a path is read from two of them, and nothing is hashed for it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from sqlalchemy import Connection, and_, select
from sqlalchemy.exc import NoResultFound

from service.db import Lookup, Rows, insert_rows
from service.ledger.tables import tiles
from verifier.merkle import EMPTY, tree_levels

WIDTH = 256


def made_of(leaves: Sequence[bytes]) -> tuple[dict[tuple[int, int], bytes], bytes]:
    """The tiles of a batch, by (level, number), and its log root.

    After eight levels of pairing, node i of the tree is the root of tile i, complete or not: so the roots of the tiles are the
    leaves of the tile above them.
    """
    made: dict[tuple[int, int], bytes] = {}
    roots: Sequence[bytes] = leaves
    for level in (0, 1):
        trees = [tree_levels(roots[start : start + WIDTH]) for start in range(0, len(roots), WIDTH)]
        if level == 0 or len(trees[0][0]) > 1:
            made |= {(level, n): b"".join(chain.from_iterable(tree)) for n, tree in enumerate(trees)}
        roots = [tree[-1][0] for tree in trees]
        if not roots:
            return {}, EMPTY
    return made, roots[0]


def write(connection: Connection, seq: int, leaves: Sequence[bytes]) -> bytes:
    """Store the tiles of a batch and return its log root."""
    made, root = made_of(leaves)
    rows = [(seq, *place, hashes) for place, hashes in made.items()]
    insert_rows(connection, Rows(tiles, ("seq", "level", "tile", "hashes"), rows))
    return root


Place = tuple[int, int, int]
"""(seq, index of a leaf in that batch, size of the batch)."""

_tiles = Lookup(
    {"seq": tiles.c.seq.type, "level": tiles.c.level.type, "tile": tiles.c.tile.type},
    lambda wanted: (
        select(tiles.c.seq, tiles.c.level, tiles.c.tile, tiles.c.hashes)
        .select_from(wanted)
        .join(tiles, and_(tiles.c.seq == wanted.c.seq, tiles.c.level == wanted.c.level, tiles.c.tile == wanted.c.tile))
    ),
)


def paths(connection: Connection, places: Sequence[Place]) -> list[list[bytes] | None]:
    """The inclusion path of each leaf (RFC 9162 section 2.1.3); None where a tile that it needs is gone."""
    wanted = {(seq, 0, index // WIDTH) for seq, index, _ in places} | {(seq, 1, 0) for seq, _, size in places if size > WIDTH}
    found = {(seq, level, tile): hashes for seq, level, tile, hashes in _tiles(connection, sorted(wanted))}
    return [_path(found, *place) for place in places]


def path(connection: Connection, seq: int, index: int, size: int) -> list[bytes]:
    """The same of one. Raises NoResultFound where a tile is gone."""
    found = paths(connection, [(seq, index, size)])[0]
    if found is None:
        raise NoResultFound(f"batch {seq}, leaf {index}")
    return found


def _path(found: Mapping[tuple[int, int, int], bytes], seq: int, index: int, size: int) -> list[bytes] | None:
    tile, at = divmod(index, WIDTH)
    lower, upper = found.get((seq, 0, tile)), found.get((seq, 1, 0))
    if lower is None or (upper is None and size > WIDTH):
        return None
    return path_in_tile(lower, at) + (path_in_tile(upper, tile) if upper is not None else [])


def path_in_tile(hashes: bytes, at: int) -> list[bytes]:
    """The siblings of leaf `at` of a tile, from the leaf up."""
    width = _WIDTHS[len(hashes) // 32]
    found = []
    start = 0
    while width > 1:
        sibling = at ^ 1
        if sibling < width:
            found.append(hashes[start + 32 * sibling : start + 32 * sibling + 32])
        start += 32 * width
        width = width + 1 >> 1
        at >>= 1
    return found


def leaves(connection: Connection, seq: int) -> Iterator[bytes]:
    """The leaf hashes of a batch in order, a tile (up to 256 × 32 bytes) at a time."""
    query = select(tiles.c.hashes).where(tiles.c.seq == seq, tiles.c.level == 0).order_by(tiles.c.tile)
    return map(leaves_in, connection.scalars(query.execution_options(yield_per=64)))


def leaves_in(hashes: bytes) -> bytes:
    """The leaf hashes of a tile; of what is no tile, none."""
    return hashes[: 32 * _WIDTHS.get(len(hashes) // 32, 0)]


def _nodes(width: int) -> int:
    """How many nodes a tree of so many leaves has in all its levels, where an odd last one stands in the level above again."""
    return width if width < 2 else width + _nodes(width + 1 >> 1)


_WIDTHS = {_nodes(width): width for width in range(1, WIDTH + 1)}
