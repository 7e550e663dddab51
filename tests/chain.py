"""A throw-away chain and the contract on it, for tests."""

import json
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import eth_abi
from eth_utils.crypto import keccak

ROOT = Path(__file__).resolve().parent.parent
# The program itself: what node_modules/.bin has is a Node script, and killing that would leave its child behind.
ANVIL = next((ROOT / "node_modules/@foundry-rs").glob("anvil-*/bin/anvil"))
CHAIN_ID = 31337


class RpcError(Exception):
    """The node answered with an error. `data` holds what the contract reverted with, "0x…"."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message"))
        self.code: int = error["code"]
        self.data: str = error.get("data") or "0x"


@dataclass(frozen=True)
class Account:
    address: str
    private_key: str = field(repr=False)


# The accounts of every Anvil and Hardhat node: unlocked, and with 10,000 ether each.
ACCOUNTS = (
    Account("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    Account("0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    Account("0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc", "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    Account("0x90f79bf6eb2c4f870365e785982e1f101e93b906", "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    Account("0x15d34aaf54267db7d7c367839aaf71a00a2c6a65", "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
)


@dataclass(frozen=True)
class Chain:
    url: str
    chain_id: int = CHAIN_ID
    accounts: tuple[Account, ...] = ACCOUNTS

    def rpc(self, method: str, *params: object) -> Any:
        """The result of one JSON-RPC call. Raises RpcError, and OSError where nothing answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        """Mines at once. After 3 blocks what came before them is finalized."""
        self.rpc("anvil_mine", hex(blocks))

    def send(self, sender: str, data: str, to: str | None = None) -> dict[str, Any]:
        """Sends from one of the unlocked accounts, mines, and returns the receipt. Raises RpcError if it reverts."""
        transaction = {"from": sender, "data": data, "to": to}
        transaction_hash = self.rpc("eth_sendTransaction", {k: v for k, v in transaction.items() if v})
        self.mine()
        receipt: dict[str, Any] = self.rpc("eth_getTransactionReceipt", transaction_hash)
        assert receipt["status"] == "0x1", receipt
        return receipt


@contextmanager
def anvil(port: int = 0, **options: object) -> Iterator[Chain]:
    """Runs Anvil on a free port (or `port`) until the block ends: a block a second, finalized two behind the latest.

    `options` are further flags: anvil(gas_limit=1, no_mining=True) is --gas-limit 1 --no-mining. It ends with this process in any
    case.
    """
    flags: dict[str, object] = {"block_time": 1, "slots_in_an_epoch": 1, "prune_history": 64} | options
    command = ["setpriv", "--pdeathsig", "KILL", str(ANVIL), "--port", str(port)]
    if flags.pop("no_mining", False):
        command.append("--no-mining")
        flags.pop("block_time")
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        command += [flag] if value is True else [flag, str(value)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield Chain(f"http://{_listening(process, output)}")
        finally:
            process.kill()
            process.wait()


def _listening(process: subprocess.Popen[bytes], output: IO[bytes]) -> str:
    """host:port, as soon as Anvil says that it listens there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        output.seek(0)
        printed = output.read().decode()
        if found := re.search(r"Listening on (\S+)", printed):
            return found[1]
        if process.poll() is not None:
            raise RuntimeError(f"anvil ended with {process.returncode}:\n{printed}")
        time.sleep(0.02)
    raise RuntimeError(f"anvil did not listen within 30 s:\n{printed}")


class RegistryContract:
    """The contract of the project, deployed on `chain`. Reads come from the latest block unless a block is given."""

    ARTIFACT = json.loads((ROOT / "verifier/abi/InvoiceAnchor.json").read_bytes())

    def __init__(self, chain: Chain, address: str, admin: str, anchorer: str, pauser: str) -> None:
        self.chain, self.address = chain, address
        self.admin, self.anchorer, self.pauser = admin, anchorer, pauser

    @classmethod
    def deploy(cls, chain: Chain, first_seq: int = 1, admin_delay: int = 0) -> "RegistryContract":
        """Deploys it with accounts 1, 2 and 3 as admin, anchorer and pauser, and mines."""
        deployer, admin, anchorer, pauser = (account.address for account in chain.accounts[:4])
        data = cls.ARTIFACT["bytecode"] + _encode("constructor", [first_seq, admin, anchorer, pauser, admin_delay]).hex()
        return cls(chain, chain.send(deployer, data)["contractAddress"], admin, anchorer, pauser)

    def anchor(self, seq: int, log_root: bytes, size: int, register_root: bytes) -> dict[str, Any]:
        """Anchors as the anchorer, mines, and returns the receipt. Raises RpcError if the contract refuses."""
        return self.transact(self.anchorer, "anchor", seq, log_root, size, register_root)

    def transact(self, sender: str, function: str, *arguments: object) -> dict[str, Any]:
        return self.chain.send(sender, self.call_data(function, *arguments), self.address)

    @staticmethod
    def topic(event: str) -> str:
        """The first topic of an event, given with its types."""
        return "0x" + keccak(text=event).hex()

    def call(self, function: str, *arguments: object, block: str = "latest") -> Any:
        """What a view function returns: a tuple where it is more than one value."""
        transaction = {"to": self.address, "data": self.call_data(function, *arguments)}
        answer = bytes.fromhex(self.chain.rpc("eth_call", transaction, block)[2:])
        values = eth_abi.abi.decode([output["type"] for output in _described(function)["outputs"]], answer)
        return values if len(values) > 1 else values[0]

    def head(self, block: str = "latest") -> int:
        number: int = self.call("head", block=block)
        return number

    def call_data(self, function: str, *arguments: object) -> str:
        types = ",".join(argument["type"] for argument in _described(function)["inputs"])
        return "0x" + (keccak(text=f"{function}({types})")[:4] + _encode(function, arguments)).hex()


def _described(name: str) -> dict[str, Any]:
    """The ABI's description of a function, or of the "constructor"."""
    abi: list[dict[str, Any]] = RegistryContract.ARTIFACT["abi"]
    return next(item for item in abi if name in (item.get("name"), item["type"]))


def _encode(name: str, arguments: Sequence[object]) -> bytes:
    return eth_abi.abi.encode([argument["type"] for argument in _described(name)["inputs"]], arguments)
