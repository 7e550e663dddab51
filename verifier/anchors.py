"""The anchors file: what a contract holds, for use without a network (protocol.md section 8). It is read as a chain is."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from verifier import strict_json
from verifier.chain import MAX_CALLS, Anchor, Block, ChainReader, Origin, Reading
from verifier.entry import MAX_BATCH
from verifier.errors import ChainUnavailable, Malformed
from verifier.fields import Chain, chain, hex_bytes, integer, members
from verifier.proof import PROTOCOL
from verifier.strict_json import shortened
from verifier.trust import protocol, service_keys

_MEMBERS = frozenset(("protocol", "chain", "service_keys", "head", "anchors"))
_ANCHOR_MEMBERS = frozenset(Anchor._fields)
_SEQ = re.compile(r"[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Anchors:
    """What anchors files say of one contract. A ChainReader whose time is that of head, and that gives no grace.

    `head` is the newest final one, or 0 while there is none. `names` say where it came from; `contested` are the seqs on which
    several files differ.
    """

    chain: Chain
    service_keys: Mapping[str, bytes]
    head: int
    anchors: Mapping[int, Anchor]
    names: tuple[str, ...] = ()
    contested: frozenset[int] = frozenset()
    grace_s: int = 0

    @cached_property
    def origin(self) -> Origin:
        return Origin("anchors_file", self.names)

    def block(self) -> Block:
        return self._reading().block

    def read(self, seqs: Iterable[int]) -> Reading:
        return self._reading()

    def anchor(self, seq: int) -> Anchor:
        if seq in self.contested:
            raise ChainUnavailable("chain.files_differ", seq=seq)
        if seq not in self.anchors:
            raise ChainUnavailable("chain.not_in_file", seq=seq)
        return self.anchors[seq]

    def _reading(self) -> Reading:
        if isinstance(self._outcome, ChainUnavailable):
            raise self._outcome
        return self._outcome

    @cached_property
    def _outcome(self) -> Reading | ChainUnavailable:
        """Head is there and final, and none above it is."""
        if self.head in self.contested:
            return ChainUnavailable("chain.files_differ", seq=self.head)
        newest = self.anchors.get(self.head)
        if newest is None or not newest.final:
            return ChainUnavailable("chain.head_missing", seq=self.head)
        for seq, anchor in self.anchors.items():
            if anchor.final and seq > self.head:
                return ChainUnavailable("chain.final_above_head", seq=seq, head=self.head)
        return Reading(Block(None, None, newest.time), self.head, newest)

    def to_json(self) -> bytes:
        anchors = {
            str(seq): {
                "log_root": anchor.log_root.hex(),
                "register_root": anchor.register_root.hex(),
                "size": anchor.size,
                "time": anchor.time,
                "final": anchor.final,
            }
            for seq, anchor in sorted(self.anchors.items())
        }
        keys = {name: key.hex() for name, key in self.service_keys.items()}
        return orjson.dumps(
            {"protocol": PROTOCOL, "chain": self.chain.to_members(), "service_keys": keys, "head": self.head, "anchors": anchors}
        )


def parse_anchors(data: bytes, name: str = "") -> Anchors:
    """`name` is where it came from, for the report. Raises Malformed."""
    value = strict_json.loads(data)
    members(value, _MEMBERS, "")
    protocol(value)
    anchors = value["anchors"]
    if type(anchors) is not dict:
        raise Malformed("form.object", "/anchors")
    return Anchors(
        chain(value["chain"]),
        service_keys(value["service_keys"]),
        integer(value["head"], "/head"),
        {_seq(seq): _anchor(anchor, f"/anchors/{seq[:16]}") for seq, anchor in anchors.items()},
        (name,) if name else (),
    )


def merge_anchors(files: Sequence[Anchors]) -> Anchors:
    """Several files about one contract: the highest head counts, and a seq on which they differ can tell nothing."""
    merged: dict[int, Anchor] = {}
    contested: set[int] = set().union(*(file.contested for file in files))
    for file in files:
        for seq, anchor in file.anchors.items():
            known = merged.setdefault(seq, anchor)
            if known[:-1] != anchor[:-1]:
                contested.add(seq)
            elif anchor.final:
                merged[seq] = anchor
    return Anchors(
        files[0].chain,
        {name: key for file in files for name, key in file.service_keys.items()},
        max(file.head for file in files),
        merged,
        tuple(name for file in files for name in file.names),
        frozenset(contested),
    )


def _seq(written: str) -> int:
    if not _SEQ.fullmatch(written):
        raise Malformed("form.range", f"/anchors/{shortened(written)}")
    return integer(int(written), f"/anchors/{written}", 1)


def _anchor(value: Any, pointer: str) -> Anchor:
    members(value, _ANCHOR_MEMBERS, pointer)
    if type(value["final"]) is not bool:
        raise Malformed("form.boolean", f"{pointer}/final")
    return Anchor(
        hex_bytes(value["log_root"], 32, f"{pointer}/log_root"),
        hex_bytes(value["register_root"], 32, f"{pointer}/register_root"),
        integer(value["size"], f"{pointer}/size", 0, MAX_BATCH),
        integer(value["time"], f"{pointer}/time", 1),
        value["final"],
    )


def collect(reader: ChainReader, seqs: Iterable[int] | None) -> Anchors:
    """What `reader` says of `seqs` and head, as far as it knows them; of every seq if None. Raises ChainUnavailable."""
    if seqs is None and isinstance(reader, Anchors):
        return reader
    head = reader.read(()).head
    held: dict[int, Anchor] = {}
    for seq in _downwards(reader, head) if seqs is None else {*seqs, head}:
        try:
            anchor = reader.anchor(seq)
        except ChainUnavailable:
            if seq == head or seqs is None:
                raise
            continue
        if anchor is not None:
            held[seq] = anchor
        elif seqs is None:  # this contract took its first one later
            break
    return Anchors(reader.chain, reader.service_keys, head, held)


def _downwards(reader: ChainReader, head: int) -> Iterator[int]:
    """From head down to 1, read in portions."""
    for top in range(head, 0, -MAX_CALLS):
        portion = range(top, max(top - MAX_CALLS, 0), -1)
        reader.read(portion)
        yield from portion
