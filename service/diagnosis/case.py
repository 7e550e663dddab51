"""What a diagnosis rests on: the hops with their evidence, and what rules.py asks about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from service.diagnosis.typing_errors import TypingError

HopName = Literal[
    "shown",
    "registered",
    "submitted",
    "accepted",
    "sealed",
    "broadcast",
    "mined",
    "final",
    "promise",
    "content",
    "status",
    "delivered",
    "visible",
]
HOPS: tuple[HopName, ...] = HopName.__args__  # type: ignore[attr-defined]

HopState = Literal["done", "missing", "differs", "unknown", "not_applicable"]
"""`missing`: it has not come to that, or is not there any more; `unknown`: who could tell did not answer."""
HOP_STATES: tuple[HopState, ...] = HopState.__args__  # type: ignore[attr-defined]

Material = Literal["facts", "code", "proof", "receipt"]
"""What the asker shows: what stands on the invoice; number and commitment; a proof file; an acknowledgement."""

Reached = Literal["nowhere", "accepted", "sealed", "broadcast", "mined", "final"]
"""The last hop on the way to the chain that an entry has come to."""

Content = Literal["whole", "lost", "altered"]

ShownBy = Literal["absence", "status", "copy", "later_anchor"]


class Hop(NamedTuple):
    """`at` in ms since 1970 UTC, where a time belongs to it; `evidence` as JSON."""

    hop: HopName
    state: HopState
    at: int | None = None
    evidence: dict[str, Any] = {}


class Breach(NamedTuple):
    """A promise that was not kept (protocol.md section 6), times in seconds since 1970 UTC by the chain.

    `in_time` is the last final anchor that could have kept it, (seq, time), None where there was none; `late` the one that holds
    the entry now. `shown_by` is what the anchor in time shows: that the number was absent, its status still valid, the copy that
    was to be replaced still current; `later_anchor` where it shows none of these.
    """

    deadline: int
    in_time: tuple[int, int] | None
    late: tuple[int, int] | None
    shown_by: ShownBy


class NodeSaid(NamedTuple):
    """What a query node answers: `seq` is the anchor up to which it has come, where it told."""

    node: str
    state: Literal["visible", "behind", "missing", "unknown"]
    seq: int | None = None


@dataclass
class Case:
    """One invoice, or what somebody takes for one. Each member says by itself what the rules ask for."""

    material: Material
    number: str | None = None

    # what was shown
    is_forged: bool = False
    is_foreign: bool = False
    """Of another registry or protocol, or signed by a key that is not one of ours: nothing can be said about it here."""
    is_proven: bool = False
    """The chain bears out that this very entry was anchored: by the proof file that was shown, or by our own records."""
    has_content: bool = False
    """A copy from which content can be restored."""
    is_holder: bool = False
    """The asker holds this invoice: by its commitment, its proof file or receipt, or by a key for its seller or buyer."""
    typing_errors: Sequence[TypingError] = ()
    tells_errors: bool = False
    """The asker may be told which fields they are in."""

    # what we have
    is_registered: bool = False
    """Something of this number was accepted, by our records."""
    in_register: bool | None = None
    """The anchored register has the number; None: not known."""
    reached: Reached = "nowhere"
    content: Content | None = None
    is_entry_sound: bool = True
    """Our entries lead to the anchored roots, as far as that was compared."""
    is_register_sound: bool = True
    """So do our register pages, where this number would stand."""
    status: str | None = None
    state: str | None = None
    is_replaced: bool = False
    breach: Breach | None = None
    is_other_region: bool = False

    is_behind: bool = False
    """The contract holds more than we know of: what is not here may be there."""

    # the chain
    is_chain_known: bool = True
    """It could be read, and what was final is there."""

    # beyond
    is_delivered: bool | None = None
    """None: no central record follows."""
    nodes: Sequence[NodeSaid] = ()

    wait_until: int | None = None
    """ms since 1970 UTC: by then the next hop is due."""
    hops: list[Hop] = field(default_factory=list)
