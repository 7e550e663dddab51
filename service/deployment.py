"""Putting the contract on a chain, once: the signed transaction is kept in a record before it is sent, so that a second run goes on
where the first one stopped, and deploys nothing twice.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from service.chain import ChainTrouble, Endpoint

_ARTIFACT = json.loads(files("verifier").joinpath("abi/InvoiceAnchor.json").read_bytes())
_CREATION_CODE = bytes.fromhex(_ARTIFACT["bytecode"][2:])
RUNTIME_CODE = bytes.fromhex(_ARTIFACT["deployedBytecode"][2:])
"""What a chain holds at the contract's address: the same for every deployment, since the contract has no immutables."""

_POLL_S = 0.25
_PATIENCE_S = 300


class Terms(NamedTuple):
    """What the constructor is given; addresses are "0x…" in lower case, the delay is in seconds."""

    first_seq: int
    admin: str
    anchorer: str
    pauser: str
    admin_delay_s: int


@dataclass(frozen=True)
class Record:
    """A deployment as it is kept in a file. What is None was not mined yet.

    `raw` is the signed transaction, `code_hash` the keccak256 of the code on chain, as block explorers show it.
    """

    chain_id: int
    first_seq: int
    admin: str
    anchorer: str
    pauser: str
    admin_delay_s: int
    deployer: str
    nonce: int
    transaction: str
    raw: str
    contract: str | None = None
    block: int | None = None
    block_hash: str | None = None
    code_hash: str | None = None


class NotDeployed(Exception):
    """Nothing was deployed, or not what should have been; the text says which, and what to do."""


class AlreadyDeployed(NotDeployed):
    """The record's contract is on the chain, and is what this program would deploy."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"deployed already: contract {record.contract}, block {record.block}")
        self.record = record


class Node:
    """The first endpoint that answers; each call raises ChainTrouble."""

    def __init__(self, urls: tuple[str, ...], chain_id: int, timeout_s: float) -> None:
        trouble: ChainTrouble | None = None
        for url in urls:
            endpoint = Endpoint(url, timeout_s)
            try:
                [answer] = endpoint.batch([("eth_chainId", [])])
            except ChainTrouble as error:
                trouble = error
                continue
            found = int(answer["result"], 16) if "result" in answer else None
            if found != chain_id:
                raise ChainTrouble("wrong_chain", f"{url} is on chain {found}, not {chain_id}")
            self._endpoint = endpoint
            return
        raise trouble or ChainTrouble("unreachable", "no endpoint is set")

    def ask(self, method: str, *params: object) -> Any:
        """The result, None where the node has none. A refusal is ChainTrouble("refused") with the node's words."""
        [answer] = self._endpoint.batch([(method, list(params))])
        if "error" in answer:
            raise ChainTrouble("refused", str(answer["error"].get("message", answer["error"]))[:300])
        return answer.get("result")


def _read(path: Path) -> Record | None:
    """Raises NotDeployed where the file is none of ours."""
    try:
        return Record(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise NotDeployed(f"{path} is no record of a deployment") from error


def deploy(node: Node, chain_id: int, key: bytes, terms: Terms, path: Path, *, again: bool = False) -> Record:
    """The contract on chain and its record at `path`; what a run before this one began is finished, whatever `terms` say.

    With `again` another contract is deployed, and the old record is kept beside the new one.
    Raises AlreadyDeployed, NotDeployed, ChainTrouble.
    """
    record = _read(path)
    if record is not None and record.chain_id != chain_id:
        raise NotDeployed(f"{path} is of chain {record.chain_id}, not {chain_id}: name another file")
    if record is not None and not again:
        if _is_on_chain(node, record):
            raise AlreadyDeployed(record)
        if terms != Terms(*(getattr(record, name) for name in Terms._fields)):
            raise NotDeployed(f"{path} was begun with other options: give the same ones, or --again")
        return _finish(node, record, path)
    signed = _sign(node, chain_id, key, terms)
    if record is not None:
        path.rename(path.with_name(f"{path.stem}.{record.contract or record.transaction}{path.suffix}"))
    _write(path, signed, new=True)
    return _finish(node, signed, path)


def address_of(key: bytes) -> str:
    """The account of a private key, "0x…" in lower case."""
    return str(Account.from_key(key).address).lower()


def _sign(node: Node, chain_id: int, key: bytes, terms: Terms) -> Record:
    account = Account.from_key(key)
    data = "0x" + (_CREATION_CODE + encode(["uint64", "address", "address", "address", "uint48"], list(terms))).hex()
    nonce = int(node.ask("eth_getTransactionCount", account.address, "pending"), 16)
    gas = int(node.ask("eth_estimateGas", {"from": account.address, "data": data}), 16) * 6 // 5
    base_fee = int(node.ask("eth_getBlockByNumber", "latest", False).get("baseFeePerGas", "0x0"), 16)
    tip = int(node.ask("eth_maxPriorityFeePerGas"), 16)
    max_fee = 2 * base_fee + tip
    if int(node.ask("eth_getBalance", account.address, "latest"), 16) < gas * max_fee:
        raise NotDeployed(f"{account.address} cannot pay for the deployment, up to {gas * max_fee} wei")
    signed = account.sign_transaction(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "value": 0,
            "data": data,
            "gas": gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
        }
    )
    return Record(
        chain_id=chain_id,
        **terms._asdict(),
        deployer=account.address.lower(),
        nonce=nonce,
        transaction="0x" + bytes(signed.hash).hex(),
        raw="0x" + bytes(signed.raw_transaction).hex(),
    )


def _finish(node: Node, record: Record, path: Path) -> Record:
    """From a record to a contract that is mined and is the committed one, however far the last run came."""
    deadline = time.monotonic() + _PATIENCE_S
    receipt = node.ask("eth_getTransactionReceipt", record.transaction)
    if receipt is None:
        _send(node, record, path)
    while receipt is None:
        if time.monotonic() > deadline:
            raise ChainTrouble("not_mined", f"{record.transaction} is sent and not mined yet: run the same command again")
        time.sleep(_POLL_S)
        receipt = node.ask("eth_getTransactionReceipt", record.transaction)
    if receipt["status"] != "0x1":
        path.unlink()
        raise NotDeployed(f"the chain reverted {record.transaction}: nothing was deployed")
    contract = receipt["contractAddress"].lower()
    code = bytes.fromhex(node.ask("eth_getCode", contract, receipt["blockNumber"])[2:])
    if code != RUNTIME_CODE:
        raise NotDeployed(f"the code at {contract} is not the committed one: do not use this contract")
    done = replace(
        record,
        contract=contract,
        block=int(receipt["blockNumber"], 16),
        block_hash=receipt["blockHash"],
        code_hash="0x" + keccak(code).hex(),
    )
    _write(path, done)
    return done


def _is_on_chain(node: Node, record: Record) -> bool:
    """Whether the record's contract is there; raises NotDeployed where something else is."""
    if record.contract is None:
        return False
    code = bytes.fromhex(node.ask("eth_getCode", record.contract, "latest")[2:])
    if code and code != RUNTIME_CODE:
        raise NotDeployed(f"the code at {record.contract} is not the committed one: do not use this contract")
    return bool(code)


def _send(node: Node, record: Record, path: Path) -> None:
    used = int(node.ask("eth_getTransactionCount", record.deployer, "latest"), 16)
    if used > record.nonce:
        raise NotDeployed(f"{record.deployer} used nonce {record.nonce} for something else: {path} leads nowhere, move it away")
    try:
        node.ask("eth_sendRawTransaction", record.raw)
    except ChainTrouble as trouble:
        if "already" not in trouble.detail:  # known, or imported
            raise


def _write(path: Path, record: Record, *, new: bool = False) -> None:
    """All or nothing, also if the machine stops meanwhile. Raises NotDeployed for a `new` one where another run was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with draft.open("w") as file:
        json.dump({name: value for name, value in asdict(record).items() if value is not None}, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    if not new:
        draft.replace(path)
        return
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise NotDeployed(f"another run is writing {path}: run the same command again") from None
    finally:
        draft.unlink()
