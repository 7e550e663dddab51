#!/usr/bin/env python3
"""Replays the log of a Zhengpiao registry and compares every root with what the contract held, without any code of the project.

    audit_independently.py MIRROR_OR_EXPORT ANCHORS [--number N …] [--states FILE] [--json]

MIRROR_OR_EXPORT is a folder that `zhengpiao mirror` wrote, a file of the feed's lines (`GET /v1/feed`), or JSON {"batches": {seq:
[entry in hex, …]}}. ANCHORS is an anchors file (protocol.md section 8): take it from the chain yourself, or from whom you trust.
`--number` tells the state of a number at the end; `--states` writes all of them, a line each.

It needs Python 3.11 and nothing else, and was written from protocol.md alone: what it says does not depend on the service's code
being right. Memory: about half a gigabyte for a million numbers. Exit status: 0 everything is as anchored, 1 something is not,
2 something could not be checked, 64 usage, 65 a file that is none.
"""

import argparse
import json
import sqlite3
import struct
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

ZERO = bytes(32)
ISSUE, VOID, REVERSE, REPRINT, REVERSE_PART, NOTE, RELEASE = range(1, 8)
VALID, VOIDED, REVERSED, PARTLY_REVERSED, RELEASED = range(1, 6)
STATUSES = {VALID: "valid", VOIDED: "void", REVERSED: "reversed", PARTLY_REVERSED: "partly_reversed", RELEASED: "released"}
BUCKET_BITS = 16


class Unreadable(Exception):
    """A file is not what it should be."""


class Violation(Exception):
    """An entry that the replay table does not allow (section 4)."""


def node(left: bytes, right: bytes) -> bytes:
    """H(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def log_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 by its recursion, on leaf hashes; zero of none."""
    if not leaves:
        return ZERO
    stack: list[tuple[int, bytes]] = []  # (number of leaves, root) of complete subtrees, largest first
    for leaf in leaves:
        stack.append((1, leaf))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (size, right), (_, left) = stack.pop(), stack.pop()
            stack.append((2 * size, node(left, right)))
    while len(stack) > 1:
        (size, right), (more, left) = stack.pop(), stack.pop()
        stack.append((size + more, node(left, right)))
    return stack[0][1]


def number_key(number: str) -> bytes:
    """H("zp1/number" || 0x00 || number)."""
    return sha256(b"zp1/number\x00" + number.encode("ascii")).digest()


class Entry:
    """Section 3: "zp1/entry" || u8(kind) || u64(recorded_at) || key || copy || other || auth."""

    def __init__(self, data: bytes) -> None:
        if len(data) != 146 or data[:9] != b"zp1/entry" or not 1 <= data[9] <= 7:
            raise Violation("not an entry")
        self.leaf = sha256(b"\x00" + data).digest()
        self.kind = data[9]
        self.key, self.copy, self.other = data[18:50], data[50:82], data[82:114]


class Number:
    """What is true of one number, and every copy that was ever one of it."""

    __slots__ = ("copies", "copy", "index", "other", "seq", "status", "version")

    def __init__(self) -> None:
        self.status = self.version = self.seq = self.index = 0
        self.copy = self.other = ZERO
        self.copies: tuple[bytes, ...] = ()

    def state(self) -> bytes:
        """Section 4: "zp1/state" || u8(status) || u32(version) || u64(seq) || u32(index) || copy || other."""
        return b"zp1/state" + struct.pack(">BIQI", self.status, self.version, self.seq, self.index) + self.copy + self.other


class Register:
    """The register as replayed so far: numbers by key, and its root, kept up to date from the buckets that changed."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, Number] = {}
        self._buckets: dict[int, dict[bytes, bytes]] = {}
        self._nodes: list[dict[int, tuple[bytes, bool]]] = [{} for _ in range(BUCKET_BITS + 1)]
        self._changed: set[int] = set()

    def apply(self, entry: Entry, seq: int, index: int) -> None:
        """One line of the table of section 4. Raises Violation, and changes nothing then."""
        if entry.kind == NOTE:
            return
        number = self.numbers.get(entry.key)
        if entry.kind == ISSUE:
            if number is not None and number.status != RELEASED:
                raise Violation(f"a second content for a number that has one since entry {number.index} of batch {number.seq}")
            if number is not None and entry.copy in number.copies:
                raise Violation("a copy that was one of this number before")
            number = number or Number()
            self.numbers[entry.key] = number
            self._set(number, VALID, number.version + 1, entry.copy, entry.other)
        else:
            self._change(number, entry)
            assert number is not None
        number.seq, number.index = seq, index
        bucket = int.from_bytes(entry.key[:2], "big")
        self._buckets.setdefault(bucket, {})[entry.key] = sha256(number.state()).digest()
        self._changed.add(bucket)

    def _change(self, number: Number | None, entry: Entry) -> None:
        if number is None:
            raise Violation("a number that was never issued")
        allowed = (VALID,) if entry.kind in (VOID, RELEASE) else (VALID, PARTLY_REVERSED)
        if number.status not in allowed:
            raise Violation(f"not allowed while the number is {STATUSES[number.status]}")
        if entry.kind == REPRINT:
            if entry.other != number.copy:
                raise Violation("a reprint of a copy that is not the current one")
            if entry.copy in number.copies:
                raise Violation("a copy that was one of this number before")
            self._set(number, number.status, number.version + 1, entry.copy, number.other)
            return
        if entry.copy != number.copy:
            raise Violation("about a copy that is not the current one")
        status = {VOID: VOIDED, REVERSE: REVERSED, REVERSE_PART: PARTLY_REVERSED, RELEASE: RELEASED}[entry.kind]
        self._set(number, status, number.version, number.copy, ZERO if entry.kind == RELEASE else entry.other)

    @staticmethod
    def _set(number: Number, status: int, version: int, copy: bytes, other: bytes) -> None:
        number.status, number.version, number.copy, number.other = status, version, copy, other
        if copy not in number.copies:
            number.copies = (*number.copies, copy)

    def root(self) -> bytes:
        """A subtree with one leaf is that leaf, one with none is zero, every other the hash of its halves."""
        nodes = self._nodes
        for bucket in self._changed:
            leaves = [sha256(b"\x00" + key + state).digest() for key, state in sorted(self._buckets[bucket].items())]
            nodes[BUCKET_BITS][bucket] = subtree(sorted(self._buckets[bucket]), leaves, BUCKET_BITS), len(leaves) == 1
        changed = self._changed
        for depth in range(BUCKET_BITS - 1, -1, -1):
            changed = {place >> 1 for place in changed}
            for place in changed:
                left, right = (nodes[depth + 1].get(2 * place + side, (ZERO, False)) for side in (0, 1))
                nodes[depth][place] = joined(left, right)
        self._changed = set()
        return nodes[0].get(0, (ZERO, False))[0]


def joined(left: tuple[bytes, bool], right: tuple[bytes, bool]) -> tuple[bytes, bool]:
    """Two halves as one, each (hash, whether it is a single leaf)."""
    for one, other in ((left, right), (right, left)):
        if one[0] == ZERO and (other[1] or other[0] == ZERO):
            return other
    return node(left[0], right[0]), False


def subtree(keys: list[bytes], leaves: list[bytes], depth: int) -> bytes:
    """The root over sorted keys that share their first `depth` bits."""
    if len(leaves) == 1:
        return leaves[0]
    cut = sum(not key[depth // 8] >> (7 - depth % 8) & 1 for key in keys)
    if cut == 0:
        return node(ZERO, subtree(keys, leaves, depth + 1))
    if cut == len(keys):
        return node(subtree(keys, leaves, depth + 1), ZERO)
    return node(subtree(keys[:cut], leaves[:cut], depth + 1), subtree(keys[cut:], leaves[cut:], depth + 1))


Batch = tuple[int, list[bytes]]


def read_log(path: Path) -> Iterator[Batch]:
    """(seq, entries) in order, from any of the three forms."""
    if path.is_dir():
        path /= "mirror.db"
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    if start == b"SQLite format 3\x00":
        yield from _read_mirror(path)
    else:
        yield from _read_text(path)


def _read_mirror(path: Path) -> Iterator[Batch]:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            for (seq,) in connection.execute("SELECT seq FROM batches ORDER BY seq").fetchall():
                rows = connection.execute('SELECT entry FROM entries WHERE seq = ? ORDER BY "index"', (seq,))
                yield seq, [row[0] for row in rows]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Unreadable(f"{path}: {error}") from None


def _read_text(path: Path) -> Iterator[Batch]:
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline()
            whole = first + file.read() if first.strip() == "{" or '"batches"' in first else None
            if whole is not None:
                for seq, entries in sorted(json.loads(whole)["batches"].items(), key=lambda item: int(item[0])):
                    yield int(seq), [bytes.fromhex(entry) for entry in entries]
                return
            seq = 0
            gathered: list[bytes] = []
            for line in (first, *([] if not first else file)):
                piece = json.loads(line)
                if piece["seq"] != seq:
                    if seq:
                        yield seq, gathered
                    seq, gathered = piece["seq"], []
                gathered += [bytes.fromhex(one["entry"]) for one in piece["entries"]]
            if seq:
                yield seq, gathered
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{path}: {type(error).__name__}: {error}") from None


def read_anchors(path: Path) -> tuple[int, dict[int, dict[str, object]]]:
    """(head, anchors by seq)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if "anchors" not in value:
            raise Unreadable(f"{path}: holds no anchors")
        anchors = {int(seq): anchor for seq, anchor in value["anchors"].items()}
        return int(value.get("head", max(anchors))), anchors
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path}: {error}") from None


class Audit:
    """What was seen. `wrong` is not as anchored or not allowed, `unchecked` could not be compared, `foreign` is another's."""

    def __init__(self) -> None:
        self.register = Register()
        self.batches = self.entries = 0
        self.wrong: list[str] = []
        self.unchecked: list[str] = []
        self.foreign: list[str] = []
        self._is_last_foreign = False

    def run(self, log: Iterable[Batch], head: int, anchors: dict[int, dict[str, object]]) -> None:
        """Replay and compare, batch by batch."""
        last = 0
        for seq, entries in log:
            if last and seq != last + 1:
                self.wrong.append(f"batch {last + 1}: missing from the log, the next one is {seq}")
            self._batch(seq, entries, anchors.get(seq))
            last = seq
        if self._is_last_foreign:
            self.unchecked.append(f"batch {last}: whether it is a foreign one, only the next batch tells")
        if last < head:
            self.wrong.append(f"batches {last + 1} to {head}: anchored, and missing from the log")

    def _batch(self, seq: int, entries: list[bytes], anchor: dict[str, object] | None) -> None:
        leaves = []
        for index, data in enumerate(entries):
            try:
                entry = Entry(data)
                leaves.append(entry.leaf)
                self.register.apply(entry, seq, index)
            except Violation as violation:
                self.wrong.append(f"batch {seq}, entry {index}: {violation}")
        self.batches += 1
        self.entries += len(entries)
        if anchor is None:
            self.unchecked.append(f"batch {seq}: not in the anchors file")
            return
        self._is_last_foreign = not entries and anchor["size"] != 0
        if self._is_last_foreign:
            # Another anchorer's counts as empty (section 5). Entries that were hidden so would be missed by the next register root.
            self.foreign.append(f"batch {seq}: the contract holds {anchor['size']} entries that are none of this log")
            return
        if log_root(leaves).hex() != anchor["log_root"] or len(entries) != anchor["size"]:
            self.wrong.append(f"batch {seq}: the log root is not the anchored one")
        if self.register.root().hex() != anchor["register_root"]:
            self.wrong.append(f"batch {seq}: the register root is not the anchored one")

    def status_of(self, number: str) -> str:
        """The verdict at the end: absent, or the status."""
        found = self.register.numbers.get(number_key(number))
        return "absent" if found is None else STATUSES[found.status]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("log", type=Path, help="a mirror's folder, a file of feed lines, or JSON with batches")
    parser.add_argument("anchors", type=Path, help="an anchors file")
    parser.add_argument("--number", action="append", default=[], help="tell the state of this number at the end")
    parser.add_argument("--states", type=Path, help="write every key with its state here, a line each, in hex")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    try:
        options = parser.parse_args()
    except SystemExit as ended:
        return 64 if ended.code else 0
    audit = Audit()
    try:
        audit.run(read_log(options.log), *read_anchors(options.anchors))
    except Unreadable as error:
        print(f"audit: {error}", file=sys.stderr)
        return 65
    if options.states:
        with options.states.open("w", encoding="ascii") as file:
            for key, number in sorted(audit.register.numbers.items()):
                file.write(f"{key.hex()} {number.state().hex()}\n")
    statuses = {number: audit.status_of(number) for number in options.number}
    report(audit, statuses, as_json=options.json)
    return 1 if audit.wrong else 2 if audit.unchecked else 0


def report(audit: Audit, statuses: dict[str, str], *, as_json: bool) -> None:
    """For people, or for machines."""
    if as_json:
        found = {"batches": audit.batches, "entries": audit.entries, "numbers": len(audit.register.numbers)}
        said = {"wrong": audit.wrong, "unchecked": audit.unchecked, "foreign": audit.foreign, "statuses": statuses}
        print(json.dumps({**found, "register_root": audit.register.root().hex(), **said}))
        return
    for line in audit.wrong:
        print(f"WRONG      {line}")
    for line in audit.unchecked:
        print(f"unchecked  {line}")
    for line in audit.foreign:
        print(f"foreign    {line}")
    for number, status in statuses.items():
        print(f"{number}  {status}")
    counted = f"{audit.batches} batches, {audit.entries} entries, {len(audit.register.numbers)} numbers"
    verdict = "NOT as anchored" if audit.wrong else "not wholly checked" if audit.unchecked else "all as anchored"
    print(f"{counted}: {verdict}")


if __name__ == "__main__":
    sys.exit(main())
