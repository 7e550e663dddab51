"""Both verifiers read the vectors' anchors from a real chain and say what they say with the anchors file."""

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson
import pytest

from tests.chain import Chain, RegistryContract, anvil
from verifier.chain import RpcReader
from verifier.question import Question
from verifier.transport import Answer
from verifier.trust import parse_trust
from verifier.verify import verify

ROOT = Path(__file__).parents[2]
PROOFS = ROOT / "tests" / "vectors" / "proofs"
NODE = shutil.which("node", path=f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
ANCHORS: dict[str, Any] = json.loads((PROOFS / "anchors.json").read_text())
FIRST_TIME = 1_795_600_000
"""Just before the vectors' first anchor: the chain lives in their time."""
VECTORS = [
    vector
    for vector in json.loads((PROOFS / "index.json").read_text())
    # Of this one the deadline is head's very time; F is later than head here.
    if vector["anchors"] == "anchors.json" and vector["file"] != "pending_deadline_is_head.proof.json"
]


@dataclass(frozen=True)
class Registry:
    chain: Chain
    trust: dict[str, Any]

    @property
    def now(self) -> int:
        return int(self.chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """The vectors' anchors at the vectors' address, which is where the first contract of a new chain comes to stand."""
    with anvil(no_mining=True, timestamp=FIRST_TIME) as chain:
        contract = RegistryContract.deploy(chain)
        assert contract.address == ANCHORS["chain"]["contract"]
        for seq, anchor in ANCHORS["anchors"].items():
            contract.anchor(int(seq), bytes.fromhex(anchor["log_root"]), anchor["size"], bytes.fromhex(anchor["register_root"]))
        chain.mine(5)
        # Without grace, as with an anchors file. The same node under two names is asked as two.
        urls = [chain.url, chain.url.replace("127.0.0.1", "localhost")]
        members = {name: ANCHORS[name] for name in ("protocol", "chain", "service_keys")}
        yield Registry(chain, {**members, "rpc_urls": urls, "grace_s": 0})


def by_javascript(registry: Registry, vectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert NODE, "node is not installed"
    lines = [
        json.dumps(
            {
                "proof_b64": b64encode((PROOFS / vector["file"]).read_bytes()).decode(),
                "trust": registry.trust,
                "now": registry.now,
                "question": vector["question"],
            }
        )
        for vector in vectors
    ]
    command = [NODE, str(ROOT / "tests" / "web" / "verify_lines.mjs")]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, check=True, text=True, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines()]


def post(url: str, body: bytes, max_bytes: int) -> Answer:
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as response:
        return Answer(response.status, response.read(max_bytes))


def by_python(registry: Registry, vector: dict[str, Any]) -> dict[str, Any]:
    now = registry.now
    reader = RpcReader(parse_trust(orjson.dumps(registry.trust)), post, clock=lambda: now)
    asked = vector["question"]
    question = Question(asked["number"], bytes.fromhex(asked["commitment"])) if asked else None
    report = verify((PROOFS / vector["file"]).read_bytes(), [reader], question)
    written: dict[str, Any] = json.loads(json.dumps(report.to_dict("en")))
    return written


def test_every_vector_by_both(registry: Registry) -> None:
    for vector, javascript in zip(VECTORS, by_javascript(registry, VECTORS), strict=True):
        python = by_python(registry, vector)
        for report in (javascript, python):
            if report["checks"][0]["result"] != "pass":
                report["checks"][0].pop("detail")
        assert javascript == python, vector["file"]
        assert javascript["verdict"] == vector["verdict"], vector["file"]
