"""The proof file: parsed once, strictly, into something that cannot be wrong, and written back (protocol.md section 7).

Four shapes and no other. Who builds one fills the same types with bytes, and passes `to_json()` through `verify` before it is
handed out: the types hold what a file says, and only parse_proof asks for lengths and ranges.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import orjson

from verifier import strict_json
from verifier.canonical import canonical_each
from verifier.commitment import SALT_BYTES, SECTIONS
from verifier.entry import MAX_BATCH, Entry, Kind
from verifier.errors import Malformed, NotCanonical, OtherProtocol
from verifier.fields import Chain, chain, exactly, hashes, hex_bytes, hex_together, integer, number
from verifier.register import MAX_SIBLINGS, State, Status

T = TypeVar("T")

PROTOCOL = "zp1"
MEDIA_TYPE = "application/vnd.zhengpiao.proof+json"
SUFFIX = ".proof.json"
MAX_BYTES = 4 * 1024 * 1024
MAX_PATH = 16


class Opened(NamedTuple):
    """A section that is shown: its salt (16 bytes), its value, and the bytes of it that are hashed."""

    salt: bytes
    value: Any
    canonical: bytes

    def to_members(self) -> dict[str, object]:
        return {"salt": self.salt.hex(), "value": orjson.Fragment(self.canonical)}


class Withheld(NamedTuple):
    """A section that is not shown: its leaf hash."""

    leaf: bytes

    def to_members(self) -> dict[str, object]:
        return {"hash": self.leaf.hex()}


Section = Opened | Withheld


class Receipt(NamedTuple):
    """`key_id` is 16 hex digits, `deadline` in ms since 1970 UTC, `signature` 64 bytes."""

    key_id: str
    deadline: int
    signature: bytes

    def to_members(self) -> dict[str, object]:
        return {"key_id": self.key_id, "deadline": self.deadline, "signature": self.signature.hex()}


class Inclusion(NamedTuple):
    """Where in the log an entry is: batch, position, size of the batch, and the siblings from the leaf up."""

    seq: int
    index: int  # type: ignore[assignment]  # tuple.index is of no use here; this is the protocol's name
    size: int
    path: Sequence[bytes]

    def to_members(self) -> dict[str, object]:
        return {"seq": self.seq, "index": self.index, "size": self.size, "path": [node.hex() for node in self.path]}


class RegisterPath(NamedTuple):
    """The register as of which anchor, and the siblings from the root down."""

    seq: int
    siblings: Sequence[bytes]

    def to_members(self) -> dict[str, object]:
        return {"seq": self.seq, "siblings": [node.hex() for node in self.siblings]}


class Neighbour(NamedTuple):
    """The leaf that stands where an absent number would: key and H(state) of another number, 32 bytes each."""

    key: bytes
    state_hash: bytes


class PendingProof(NamedTuple):
    """An accepted entry that is not anchored yet. `sections` are eight, in the order of SECTIONS; the header is open."""

    chain: Chain
    sections: Sequence[Section]
    entry: Entry
    receipt: Receipt | None

    @property
    def number(self) -> str:
        return _header_number(self.sections)

    def to_json(self) -> bytes:
        return orjson.dumps(_invoice_members(self))


class AnchoredProof(NamedTuple):
    """An entry in an anchored batch, and the state of its number in the register of an anchor."""

    chain: Chain
    sections: Sequence[Section]
    entry: Entry
    receipt: Receipt | None
    inclusion: Inclusion
    register: RegisterPath
    state: State

    @property
    def number(self) -> str:
        return _header_number(self.sections)

    def to_json(self) -> bytes:
        register = {**self.register.to_members(), "state": _state_members(self.state)}
        return orjson.dumps({**_invoice_members(self), "inclusion": self.inclusion.to_members(), "register": register})


class AbsenceProof(NamedTuple):
    """No invoice has this number, as of an anchor. `neighbour` is None where the way of the number's key ends at nothing."""

    chain: Chain
    number: str
    register: RegisterPath
    neighbour: Neighbour | None

    def to_json(self) -> bytes:
        neighbour = self.neighbour and {"key": self.neighbour.key.hex(), "state_hash": self.neighbour.state_hash.hex()}
        return _number_json(self, {"state": None, "neighbour": neighbour})


class PresenceProof(NamedTuple):
    """An invoice has this number, as of an anchor: its state, or the hash of it where the asker has shown no commitment."""

    chain: Chain
    number: str
    register: RegisterPath
    state: State | bytes

    def to_json(self) -> bytes:
        if isinstance(self.state, bytes):
            return _number_json(self, {"state_hash": self.state.hex()})
        return _number_json(self, {"state": _state_members(self.state)})


Proof = AnchoredProof | PendingProof | AbsenceProof | PresenceProof


def open_section(salt: bytes, canonical: bytes) -> Opened:
    """A section as it is stored: its salt and the bytes that were hashed."""
    return Opened(salt, orjson.loads(canonical), canonical)


def parse_proof(data: bytes) -> Proof:
    """Raises Malformed where this is no proof file, and OtherProtocol where it is one that zp1 says nothing about."""
    if len(data) > MAX_BYTES:
        raise Malformed("form.size")
    value = strict_json.loads_plain(data)
    if type(value) is not dict or value.get("protocol") != PROTOCOL:
        value = _read_exactly(data)
    return _parse_number(value) if "number" in value else _parse_invoice(value)


def _read_exactly(data: bytes) -> dict[str, Any]:
    value, flaw, repeated = strict_json.read(data)
    if type(value) is not dict:
        raise Malformed("form.object")
    protocol = value.get("protocol")
    if type(protocol) is not str or "protocol" in repeated:
        raise Malformed("form.protocol")
    if protocol != PROTOCOL:
        raise OtherProtocol(protocol)
    if flaw:
        raise flaw
    return value


_NUMBER_MEMBERS = exactly("protocol", "chain", "number", "register")
_INVOICE_MEMBERS = {
    (anchored, has_receipt): exactly(
        *("protocol", "chain", "sections", "entry"),
        *(("inclusion", "register") if anchored else ()),
        *(("receipt",) if has_receipt else ()),
    )
    for anchored in (False, True)
    for has_receipt in (False, True)
}
_SECTIONS = exactly(*SECTIONS)
_LINES = SECTIONS.index("lines")
_VALUE_TYPES = [list if name == "lines" else dict for name in SECTIONS]
_TWO_MEMBERS = [2] * len(SECTIONS)
_SALT_AND_VALUE = itemgetter("salt", "value")
_OPENED = exactly("salt", "value")
_WITHHELD = exactly("hash")
_ENTRY = exactly(*Entry._fields)
_RECEIPT_MEMBERS = exactly(*Receipt._fields)
_INCLUSION = exactly(*Inclusion._fields)
_REGISTER = exactly("seq", "siblings", "state")
_REGISTER_ABSENCE = exactly("seq", "siblings", "state", "neighbour")
_REGISTER_HASH = exactly("seq", "siblings", "state_hash")
_STATE = exactly(*State._fields)
_NEIGHBOUR = exactly(*Neighbour._fields)
_KINDS = {kind.name.lower(): kind for kind in Kind}
_STATUSES = {status.name.lower(): status for status in Status}
KIND_NAMES = {kind: name for name, kind in _KINDS.items()}
STATUS_NAMES = {status: name for name, status in _STATUSES.items()}


def _parse_number(value: dict[str, Any]) -> AbsenceProof | PresenceProof:
    _, where, of, register = _NUMBER_MEMBERS(value, "")
    where, of = chain(where), number(of, "/number")
    if type(register) is dict and "state" not in register:
        seq, siblings, state_hash = _REGISTER_HASH(register, "/register")
        return PresenceProof(where, of, _register_path(seq, siblings), hex_bytes(state_hash, 32, "/register/state_hash"))
    if type(register) is dict and register["state"] is None:
        seq, siblings, _, neighbour = _REGISTER_ABSENCE(register, "/register")
        return AbsenceProof(where, of, _register_path(seq, siblings), _neighbour(neighbour))
    seq, siblings, state = _REGISTER(register, "/register")
    return PresenceProof(where, of, _register_path(seq, siblings), _state(state))


def _parse_invoice(value: dict[str, Any]) -> AnchoredProof | PendingProof:
    anchored = "inclusion" in value or "register" in value
    _INVOICE_MEMBERS[anchored, "receipt" in value](value, "")
    where, sections, entry = chain(value["chain"]), _sections(value["sections"]), _entry(value["entry"])
    receipt = _receipt(value["receipt"]) if "receipt" in value else None
    if not anchored:
        return PendingProof(where, sections, entry, receipt)
    inclusion = _inclusion(value["inclusion"])
    seq, siblings, state = _REGISTER(value["register"], "/register")
    return AnchoredProof(where, sections, entry, receipt, inclusion, _register_path(seq, siblings), _state(state))


def _sections(value: Any) -> tuple[Section, ...]:
    written = _SECTIONS(value, "/sections")
    opened = _all_open(written)
    if opened is not None:
        return opened
    parts = []
    for name, section in zip(SECTIONS, written, strict=True):
        try:
            parts.append(_section(name, section))
        except Malformed as error:
            raise Malformed(error.reason, f"/sections/{name}{error.pointer}", **error.details) from None
    number(value["header"]["value"].get("number"), "/sections/header/value/number")
    # Canonical bytes last, for all that are open at once.
    try:
        canonical = iter(canonical_each([part[1] for part in parts if len(part) == 2]))
    except NotCanonical as error:
        _, index, *rest = error.pointer.split("/")
        names = [name for name, part in zip(SECTIONS, parts, strict=True) if len(part) == 2]
        raise Malformed(f"canonical.{error.reason}", "/".join(("/sections", names[int(index)], "value", *rest))) from None
    return tuple([Opened(part[0], part[1], next(canonical)) if len(part) == 2 else Withheld(part[0]) for part in parts])


def _all_open(written: Sequence[Any]) -> tuple[Opened, ...] | None:
    """Sections that are all shown, as an issuer's and an auditor's are, looked at together, which is quicker.

    None where one is withheld or wrong: asking one after another says which, and what the first fault is.
    """
    try:
        salts, values = zip(*map(_SALT_AND_VALUE, written), strict=True)
    except (KeyError, TypeError):
        return None
    if [*map(len, written)] != _TWO_MEMBERS or [*map(type, values)] != _VALUE_TYPES or {*map(type, values[_LINES])} != {dict}:
        return None
    raw = hex_together(salts, SALT_BYTES)
    if raw is None:
        return None
    try:
        number(values[0].get("number"), "")
        return tuple(map(Opened, raw, values, canonical_each(values)))
    except (Malformed, NotCanonical):
        return None


def _section(name: str, section: Any) -> tuple[bytes, Any] | tuple[bytes]:
    """Salt and value of an open section, or the leaf hash of a withheld one."""
    if name != "header" and type(section) is dict and "hash" in section:
        (leaf,) = _WITHHELD(section, "")
        return (hex_bytes(leaf, 32, "/hash"),)
    salt, value = _OPENED(section, "")
    if name != "lines":
        if type(value) is not dict:
            raise Malformed("form.object", "/value")
    elif type(value) is not list or not value or any([type(line) is not dict for line in value]):  # noqa: C419  a list is quicker
        raise Malformed("form.lines", "/value")
    return hex_bytes(salt, SALT_BYTES, "/salt"), value


def _entry(value: Any) -> Entry:
    kind, recorded_at, key, copy, other, auth = _ENTRY(value, "/entry")
    return Entry(
        _named(kind, _KINDS, "/entry/kind"),
        integer(recorded_at, "/entry/recorded_at"),
        hex_bytes(key, 32, "/entry/key"),
        hex_bytes(copy, 32, "/entry/copy"),
        hex_bytes(other, 32, "/entry/other"),
        hex_bytes(auth, 32, "/entry/auth"),
    )


def _receipt(value: Any) -> Receipt:
    key_id, deadline, signature = _RECEIPT_MEMBERS(value, "/receipt")
    hex_bytes(key_id, 8, "/receipt/key_id")
    return Receipt(key_id, integer(deadline, "/receipt/deadline"), hex_bytes(signature, 64, "/receipt/signature"))


def _inclusion(value: Any) -> Inclusion:
    seq, index, size, path = _INCLUSION(value, "/inclusion")
    integer(size, "/inclusion/size", 1, MAX_BATCH)
    return Inclusion(
        integer(seq, "/inclusion/seq", 1),
        integer(index, "/inclusion/index", 0, size - 1),
        size,
        hashes(path, MAX_PATH, "/inclusion/path"),
    )


def _register_path(seq: Any, siblings: Any) -> RegisterPath:
    return RegisterPath(integer(seq, "/register/seq", 1), hashes(siblings, MAX_SIBLINGS, "/register/siblings"))


def _state(value: Any) -> State:
    status, version, seq, index, copy, other = _STATE(value, "/register/state")
    return State(
        _named(status, _STATUSES, "/register/state/status"),
        integer(version, "/register/state/version", 1, 2**32 - 1),
        integer(seq, "/register/state/seq", 1),
        integer(index, "/register/state/index", 0, MAX_BATCH - 1),
        hex_bytes(copy, 32, "/register/state/copy"),
        hex_bytes(other, 32, "/register/state/other"),
    )


def _neighbour(value: Any) -> Neighbour | None:
    if value is None:
        return None
    key, state_hash = _NEIGHBOUR(value, "/register/neighbour")
    return Neighbour(hex_bytes(key, 32, "/register/neighbour/key"), hex_bytes(state_hash, 32, "/register/neighbour/state_hash"))


def _named(value: Any, names: dict[str, T], pointer: str) -> T:
    found = names.get(value) if type(value) is str else None
    if found is None:
        raise Malformed("form.name", pointer)
    return found


def _header_number(sections: Sequence[Section]) -> str:
    header = sections[0]
    assert isinstance(header, Opened), "the header is always open"
    found: str = header.value["number"]
    return found


def _invoice_members(proof: PendingProof | AnchoredProof) -> dict[str, object]:
    entry = proof.entry
    written: dict[str, object] = {
        "protocol": PROTOCOL,
        "chain": proof.chain.to_members(),
        "sections": {name: section.to_members() for name, section in zip(SECTIONS, proof.sections, strict=True)},
        "entry": {
            "kind": KIND_NAMES[entry.kind],
            "recorded_at": entry.recorded_at,
            "key": entry.key.hex(),
            "copy": entry.copy.hex(),
            "other": entry.other.hex(),
            "auth": entry.auth.hex(),
        },
    }
    if proof.receipt:
        written["receipt"] = proof.receipt.to_members()
    return written


def _number_json(proof: AbsenceProof | PresenceProof, shown: dict[str, object]) -> bytes:
    register = {**proof.register.to_members(), **shown}
    return orjson.dumps({"protocol": PROTOCOL, "chain": proof.chain.to_members(), "number": proof.number, "register": register})


def _state_members(state: State) -> dict[str, object]:
    return {
        "status": STATUS_NAMES[state.status],
        "version": state.version,
        "seq": state.seq,
        "index": state.index,
        "copy": state.copy.hex(),
        "other": state.other.hex(),
    }
