"""A whole store from nothing: the log and the register from a mirror, the content from copies that people kept, all of it proven.

Batch by batch the mirror's entries are rebuilt and compared with the contract before they are kept; then each copy proves itself
against what is there. An invoice of which nobody has a copy is known by its entries: it can be proven to exist, and not be read.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select, text

from service.central.feed import Batch, FromDatabase
from service.central.following import Follower, Standing
from service.central.mirror import DESCRIPTION, FILE
from service.db import Database
from service.diagnosis import proving
from service.diagnosis.recovery import By, Source, recover
from service.errors import Refused
from service.formats.sandbox import Sandbox
from service.invoices.tables import copies
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import batches, entries
from verifier.carried import MAX_FILE_BYTES, is_pdf
from verifier.chain import ChainReader
from verifier.errors import Malformed
from verifier.fields import Chain

ACTOR = "rebuild"
SUFFIXES = (".json", ".pdf")
COPIES_AT_ONCE = 100
"""In one transaction."""


class NotEmpty(Exception):
    """The database holds something that is not from this mirror."""


class OtherMirror(Exception):
    """The folder holds no mirror, or one of another contract."""


class Useless(NamedTuple):
    """A file that restored nothing, and why: the code of a problem."""

    file: Path
    code: str


class Rebuilt(NamedTuple):
    """`whole` and `in_part` count the files that restored something, `known` those whose content was here already.

    `numbers` are all in the log, `with_content` those of them that can be read.
    """

    standing: Standing
    entries: int
    whole: int
    in_part: int
    known: int
    useless: Sequence[Useless]
    numbers: int
    with_content: int


def rebuild(
    database: Database,
    mirror: Path,
    folder: Path,
    open_reader: Callable[[], ChainReader],
    keys: ReceiptKeys,
    on_progress: Callable[[str, int], None] | None = None,
) -> Rebuilt:
    """Into an empty database, or one that an earlier run of this left half-done. `on_progress` is told of each batch and copy.

    Raises OtherMirror, NotEmpty, FeedRefused where the mirror is not what was anchored, ChainUnavailable.
    """
    chain = open_reader().chain
    _check_mirror(mirror, chain)
    source = Database(f"sqlite:///{mirror / FILE}", pool_size=2)
    try:
        _check_empty(database, source)

        def on_batch(batch: Batch) -> None:
            if on_progress is not None:
                on_progress("batch", batch.seq)

        standing = Follower(database, open_reader, FromDatabase(source, "entries"), "entries").sync(on_batch)
    finally:
        source.close()
    _set_sequence(database)
    whole, in_part, known, useless = _restore(database, folder, chain, open_reader(), keys, on_progress)
    with database.read() as connection:
        count = connection.scalar(select(func.count()).select_from(entries)) or 0
        numbers, with_content = _count_numbers(connection)
    return Rebuilt(standing, count, whole, in_part, known, useless, numbers, with_content)


def _check_mirror(mirror: Path, chain: Chain) -> None:
    try:
        described = orjson.loads((mirror / DESCRIPTION).read_bytes())
        is_ours = described["chain"] == chain.to_members() and (mirror / FILE).is_file()
    except (OSError, ValueError, KeyError, TypeError):
        raise OtherMirror(f"{mirror} holds no mirror") from None
    if not is_ours:
        raise OtherMirror(f"{mirror} holds a mirror of another contract")


def _check_empty(database: Database, source: Database) -> None:
    newest = select(batches.c.seq, batches.c.log_root, batches.c.register_root).order_by(batches.c.seq.desc()).limit(1)
    with database.read() as connection:
        ours = connection.execute(newest).one_or_none()
        has_entries = connection.scalar(select(entries.c.id).limit(1)) is not None
    if ours is None and not has_entries:
        return
    theirs = None
    if ours is not None:
        with source.read() as connection:
            theirs = connection.execute(newest.where(batches.c.seq == ours.seq)).one_or_none()
    if theirs is None or tuple(theirs) != tuple(ours or ()):
        raise NotEmpty("the database holds records that are not from this mirror; rebuild writes into an empty one")


def _set_sequence(database: Database) -> None:
    if not database.is_sqlite:
        with database.write() as connection:
            connection.execute(text("SELECT setval('entries_id_seq', greatest(1, (SELECT max(id) FROM entries)))"))


def _restore(
    database: Database,
    folder: Path,
    chain: Chain,
    reader: ChainReader,
    keys: ReceiptKeys,
    on_progress: Callable[[str, int], None] | None,
) -> tuple[int, int, int, list[Useless]]:
    whole = in_part = known = done = 0
    useless: list[Useless] = []
    sandbox = Sandbox()
    try:
        for some in _chunks(files_in(folder)):
            with database.write() as connection:
                for file in some:
                    try:
                        restored, is_part = _restore_one(connection, file, chain, reader, keys, sandbox)
                    except Refused as refused:
                        useless.append(Useless(file, refused.code))
                        continue
                    whole += restored and not is_part
                    in_part += restored and is_part
                    known += not restored
            done += len(some)
            if on_progress is not None:
                on_progress("copy", done)
    finally:
        sandbox.close()
    return whole, in_part, known, useless


def files_in(folder: Path) -> Iterator[Path]:
    """Those that may be copies, in order of their names."""
    return (file for file in sorted(folder.rglob("*")) if file.suffix in SUFFIXES and file.is_file())


def _chunks(files: Iterable[Path]) -> Iterator[list[Path]]:
    left = iter(files)
    while some := list(islice(left, COPIES_AT_ONCE)):
        yield some


def _restore_one(
    connection: Connection, file: Path, chain: Chain, reader: ChainReader, keys: ReceiptKeys, sandbox: Sandbox
) -> tuple[bool, bool]:
    """Whether it restored something, and whether something is missing still. A refusal leaves no trace."""
    data = _read(file)
    proof_file, source = proof_in(data, chain, sandbox)
    with connection.begin_nested():
        proven = proving.prove(connection, proving.parse(proof_file), reader)
        by = By(ACTOR, source, sha256(data).digest(), int(time.time() * 1000))
        made = recover(connection, proven, reader, keys, by)
    return bool(made.restored), bool(made.lost or made.altered)


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise Refused("not_a_proof")
    return file.read_bytes()


def proof_in(data: bytes, chain: Chain, sandbox: Sandbox) -> tuple[bytes, Source]:
    """The proof file that a file is, carries, or makes: an issuer's sections with the acknowledgement. Raises Refused."""
    if is_pdf(data):
        try:
            proofs = sandbox.read(data).proofs
        except Malformed:
            proofs = ()
        if len(proofs) != 1:
            raise Refused("not_a_proof")
        return proofs[0], "pdf"
    try:
        value: Any = orjson.loads(data)
    except ValueError:
        raise Refused("not_a_proof") from None
    if isinstance(value, dict) and value.keys() == {"sections", "acknowledgement"}:
        return proving.of_issuer(value["sections"], value["acknowledgement"], chain), "sections"
    return data, "proof"


def _count_numbers(connection: Connection) -> tuple[int, int]:
    """Numbers in the log, and those of which some copy can be read."""
    issues = select(entries.c.key).where(func.substr(entries.c.entry, 10, 1) == b"\x01")
    numbers = connection.scalar(select(func.count()).select_from(issues.distinct().subquery())) or 0
    readable = select(entries.c.key).join(copies, copies.c.entry_id == entries.c.id).distinct()
    return numbers, connection.scalar(select(func.count()).select_from(readable.subquery())) or 0
