"""mirror, and what `serve --follow` does beside serving."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service import logs, migrations
from service.cli.outcome import Exit, Failed, Json, console, print_json, progress_console
from service.cli.settings import load_settings, open_database
from service.config import Settings
from verifier.errors import ChainUnavailable, Malformed
from verifier.fields import Chain
from verifier.trust import Trust, parse_trust

if TYPE_CHECKING:
    from service.central.following import Source
    from service.reconciliation.working import ChainAccess


def add_to(app: typer.Typer) -> None:
    app.command()(mirror)


def mirror(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the mirror is, or will be.")],
    sections: Annotated[
        bool, typer.Option("--sections", help="Keep the section leaves too (confidential; auditors only).")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="The service to follow; else this machine's own database."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring a verified copy of log, leaves and register up to date; it goes on where it was cut off.

    Over HTTP with the auditor's key in ZHENGPIAO_FOLLOW_KEY. Each batch is rebuilt and compared with the contract of the settings
    before it is kept. Status 0 when the mirror is as far as the contract, 1 where the feed is not what was anchored.
    """
    settings = load_settings()
    from service.central import mirror as room
    from service.central.following import FeedRefused
    from service.central.remote import RemoteFailed

    try:
        with _sources(settings, source, sections=sections) as (feed, access):
            standing = room.mirror(folder, feed, access.reader, sections=sections, on_batch=_said)
    except FeedRefused as error:
        raise Failed(Exit.REFUSED, "feed_refused", f"the feed is not what was anchored: {error}", seq=error.seq) from None
    except RemoteFailed as error:
        raise Failed(Exit.UNAVAILABLE, "no_answer", f"{error}. Ask again: nothing is lost") from None
    except ChainUnavailable as error:
        raise Failed(Exit.UNAVAILABLE, "chain_unavailable", str(error)) from None
    except room.OtherMirror as error:
        raise Failed(Exit.INPUT, "other_mirror", str(error)) from None
    members = {"folder": str(folder), "seq": standing.seq, "head": standing.head, "behind": standing.behind}
    if as_json:
        print_json(members)
    else:
        behind = "as far as the contract" if not standing.behind else f"{standing.behind} behind the contract"
        console.print(f"{folder}: batch {standing.seq}, {behind}")


def _said(batch: object) -> None:
    if progress_console.is_terminal:
        progress_console.print(f"batch {getattr(batch, 'seq', '')}", end="\r")


@contextmanager
def _sources(settings: Settings, url: str | None, *, sections: bool) -> Iterator["tuple[Source, ChainAccess]"]:
    """(feed, access to the chain): from another machine, or from this one's database."""
    from service.central import feed
    from service.central.remote import Remote
    from service.reconciliation.working import ChainAccess

    if settings.contract is None:
        raise Failed(Exit.CONFIGURATION, "settings", "ZHENGPIAO_CONTRACT is not set")
    if url is None:
        from service.ledger.receipts import public_keys

        try:
            access = ChainAccess(settings, public_keys(settings))
        except ValueError as error:
            raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
        with open_database(settings) as database:
            try:
                yield feed.FromDatabase(database, "leaves" if sections else "entries"), access
            finally:
                access.close()
        return
    remote = Remote(url, _follow_key(settings))
    access = ChainAccess(settings, dict(_pinned_trust(settings, remote.trust(), url).service_keys))
    try:
        yield remote.feed(sections=sections), access
    finally:
        access.close()
        remote.close()


def _follow_key(settings: Settings) -> str | None:
    return None if settings.follow_key is None else settings.follow_key.get_secret_value()


def _pinned_trust(settings: Settings, data: bytes, url: str) -> Trust:
    """The service's trust file, if it is about the contract of our own settings: chain and contract are never taken from it."""
    try:
        trust = parse_trust(data)
    except Malformed as error:
        raise Failed(Exit.INPUT, "bad_trust", f"the trust file of {url} is none: {error}") from None
    ours = Chain(settings.chain_id, bytes.fromhex((settings.contract or "0x")[2:]))
    if trust.chain != ours:
        there = f"chain {trust.chain.chain_id}, contract 0x{trust.chain.contract.hex()}"
        raise Failed(Exit.CONFIGURATION, "other_contract", f"{url} is anchored elsewhere: {there}")
    return trust


@contextmanager
def following(url: str) -> Iterator[None]:
    """Make this process, and those that it starts, a query node; following goes on in a thread until the block ends."""
    settings = load_settings()
    from service.central.node import Node, follow_in_background
    from service.central.remote import Remote, RemoteFailed
    from service.reconciliation.working import ChainAccess

    if settings.contract is None:
        raise Failed(Exit.CONFIGURATION, "settings", "ZHENGPIAO_CONTRACT is not set")
    logs.configure(settings.env)
    remote = Remote(url, _follow_key(settings))
    try:
        trust = _pinned_trust(settings, remote.trust(), url)
    except RemoteFailed as error:
        raise Failed(Exit.UNAVAILABLE, "no_answer", str(error)) from None
    os.environ["ZHENGPIAO_FOLLOW"] = url
    os.environ["ZHENGPIAO_SERVICE_KEYS"] = ",".join(key.hex() for key in trust.service_keys.values())
    # A node promises nothing; what would sign is a key that nobody trusts, and no write comes so far.
    os.environ.setdefault("ZHENGPIAO_RECEIPT_KEY", secrets.token_hex(32))
    with open_database(settings, migrated=False) as database:
        migrations.migrate(database)
        access = ChainAccess(settings, dict(trust.service_keys))
        telling = Remote(url, _follow_key(settings))  # a session of its own, beside a feed that may be under way
        node = Node(database, access.reader, remote.feed(), settings.max_lag_s, acknowledge=telling.acknowledge)
        end = follow_in_background(node, settings.poll_s)
        try:
            yield
        finally:
            end()
            access.close()
            telling.close()
            remote.close()
