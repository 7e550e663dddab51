"""deploy: the contract, once."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service.cli.outcome import Exit, Failed, Json, console, print_fields, print_json, progress_console
from service.cli.settings import load_settings
from service.config import Settings, secret_bytes

_DAY_S = 86_400
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def add_to(app: typer.Typer) -> None:
    app.command()(deploy)


def deploy(
    admin: Annotated[str, typer.Option(metavar="ADDRESS", help="Grants and revokes the roles.")],
    pauser: Annotated[str, typer.Option(metavar="ADDRESS", help="May stop anchoring.")],
    anchorer: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Anchors; by default the account of ZHENGPIAO_ANCHOR_KEY.")
    ] = None,
    first_seq: Annotated[int, typer.Option(min=1, help="1, or the predecessor's last sequence number plus 1.")] = 1,
    admin_delay_s: Annotated[int, typer.Option(min=0, help="Seconds before a new admin can accept.")] = 3 * _DAY_S,
    record: Annotated[Path, typer.Option(help="Where the deployment is written down.")] = Path("var/deployment.json"),
    again: Annotated[bool, typer.Option("--again", help="Deploy another one although there is one; its record is kept.")] = False,
    as_json: Json = False,
) -> None:
    """Put the contract on the chain, paid by ZHENGPIAO_DEPLOYER_KEY, and check that its code there is the committed one.

    A run that was cut short goes on where it stopped. Where a contract is deployed, or ZHENGPIAO_CONTRACT names one, it refuses.
    """
    settings = load_settings()
    if settings.contract and not again:
        raise Failed(Exit.REFUSED, "already_deployed", "ZHENGPIAO_CONTRACT names a contract already; --again deploys another one")
    from service import deployment  # slow to import
    from service.chain import ChainTrouble

    key = _secret(settings, "deployer_key")
    terms = deployment.Terms(
        first_seq,
        _address("--admin", admin),
        _address("--anchorer", anchorer) if anchorer else deployment.address_of(_secret(settings, "anchor_key")),
        _address("--pauser", pauser),
        admin_delay_s,
    )
    if len({terms.admin, terms.anchorer, terms.pauser}) < 3:
        raise Failed(Exit.USAGE, "roles", "admin, anchorer and pauser must be three different accounts")
    try:
        with progress_console.status("Waiting for the chain…"):
            node = deployment.Node(settings.rpc_urls, settings.chain_id, settings.rpc_timeout_s)
            made = deployment.deploy(node, settings.chain_id, key, terms, record, again=again)
    except deployment.AlreadyDeployed as error:
        detail = f"{error}. --again deploys another one"
        raise Failed(Exit.REFUSED, "already_deployed", detail, contract=error.record.contract) from None
    except deployment.NotDeployed as error:
        raise Failed(Exit.REFUSED, "not_deployed", str(error)) from None
    except ChainTrouble as error:
        raise Failed(Exit.UNAVAILABLE, error.code, error.detail) from None
    shown = {name: value for name, value in asdict(made).items() if name != "raw"}
    if as_json:
        print_json(shown)
    else:
        print_fields(shown)
        console.print(f"\nIts code on chain is the committed one. Written down in {record}. Set this for serve and worker:")
        console.print(f"\n    ZHENGPIAO_CONTRACT={made.contract}\n    ZHENGPIAO_CHAIN_ID={made.chain_id}")


def _secret(settings: Settings, name: str) -> bytes:
    try:
        return secret_bytes(getattr(settings, name), f"ZHENGPIAO_{name.upper()}")
    except ValueError as error:
        raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None


def _address(option: str, value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise Failed(Exit.USAGE, "usage", f"{option} is not an address: 0x and 40 hex digits")
    return value.lower()
