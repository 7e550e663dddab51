"""The custody timeline with its last two hops, beyond the chain: delivered to a central record, visible at query nodes."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection

from service.db import Database
from service.diagnosis import delivery
from service.diagnosis.evidence import Registry
from service.diagnosis.nodes import Nodes
from service.errors import Refused
from service.invoices import reading
from service.invoices.reading import Record
from verifier.chain import ChainReader
from verifier.question import Question

Entries = list[dict[str, Any]]


class _Current(NamedTuple):
    """The current copy, where it is final: which entry of the timeline made it, its batch, what nodes are asked."""

    place: int
    seq: int
    question: Question


def of_record(connection: Connection, record: Record, registry: Registry) -> Entries:
    """reading.timeline, with what central records have acknowledged: a hop for each of them that has the entry's batch."""
    entries = reading.timeline(connection, record)
    central = sorted(registry.central(connection))
    for stored, entry in zip(record.stored, entries, strict=True):
        if entry["state"] == "final" and stored.seq is not None:
            _insert(entry, _delivered(connection, stored.seq, central, registry))
    return entries


def read(
    database: Database,
    registry: Registry,
    nodes: Nodes,
    reader: Callable[[], ChainReader],
    number: str,
    sellers: frozenset[str] | None,
    now_ms: int,
) -> Entries:
    """The same, with what each query node shows of the current copy. Raises Refused("not_found") as reading.get does."""
    with database.read() as connection:
        record = reading.get(connection, number, sellers)
        entries = of_record(connection, record, registry)
        current = _current(connection, record, entries) if nodes.are_any else None
    if current is not None:
        said = [one._asdict() for one in nodes.ask(current.question, current.seq, reader())]
        _insert(entries[current.place], [{"hop": "visible", "at": reading.at(now_ms), "nodes": said}])
    return entries


def _delivered(connection: Connection, seq: int, central: list[str], registry: Registry) -> Entries:
    hops = (delivery.hop_of(connection, seq, [one], registry.chain, registry.keys) for one in central)
    return [{"hop": hop.hop, "at": reading.at(hop.at), **hop.evidence} for hop in hops if hop.at is not None]


def _current(connection: Connection, record: Record, entries: Entries) -> _Current | None:
    """None while it is on its way, and where its content is gone: a node could not be asked for it."""
    made_by = record.current()
    place = record.stored.index(made_by)
    if entries[place]["state"] != "final" or made_by.seq is None:
        return None
    try:
        commitment = reading.read_copy(connection, made_by.id).commitment()
    except Refused:
        return None
    return _Current(place, made_by.seq, Question(record.number, commitment))


def _insert(entry: dict[str, Any], more: Entries) -> None:
    """Behind the way to the chain; what was restored later stands behind them."""
    hops = entry["hops"]
    at = next((i for i, hop in enumerate(hops) if hop["hop"] == "restored"), len(hops))
    hops[at:at] = more
