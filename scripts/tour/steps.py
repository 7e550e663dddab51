"""The steps of the demo, in order. Each one raises StepFailed, or Failed with the service's words, where it does not hold."""

import json
import os
import re
import secrets
import shlex
import sys
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from rich.console import Console
from rich.text import Text

from scripts.tour.processes import Processes, StepFailed, environment, run
from scripts.tour.staffing import create_logins
from scripts.tour.words import say
from service.auth.keys import Role, create_key
from service.cli.remote import Remote
from service.db import Database
from service.vault import Vault
from verifier.messages import Language

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
SAMPLES = ROOT / "tests/samples"
INVOICES: dict[str, Any] = {
    invoice["id"]: invoice["sections"] for invoice in json.loads((SAMPLES / "invoices.json").read_bytes())["invoices"]
}
REGISTERED = [f"S{n:02}" for n in range(1, 11)]
VOIDED = "S08"
OFFICIAL = SAMPLES / "tax-xml/official-special.xml"
OFFICIAL_NUMBER = "23440000000000100001"
OFFICIAL_SELLER = "91440000000000000X"
EXPECTED = {"S10": ("valid", 0), "official": ("valid", 0), "S01": ("partly_reversed", 3), "S08": ("void", 1)}
"""Verdict and exit status of zhengpiao-verify at the end."""
SHOWN_WHOLE = "S10"

MAPPING = ROOT / "scripts/central_record.toml"
"""How the columns of the central record are to be read."""
FILES = ("demo.json", "demo.env", "trust.json", "deployment.json")
"""What the demo writes into its folder, beside its database, logs/ and proofs/."""

CHAIN_ID = 31337
# Accounts of every Anvil: 10,000 ether each, and no secret.
DEPLOYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADMIN = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
ANCHOR_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
PAUSER = "0x90f79bf6eb2c4f870365e785982e1f101e93b906"


class Place:
    """The demo's folder, and its voice."""

    def __init__(self, folder: Path, language: Language) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.proofs = folder / "proofs"
        self.inbox = folder / "inbox"
        self.language = language
        self._console = Console(highlight=False, soft_wrap=True)

    def word(self, key: str, /, **values: object) -> str:
        return say(self.language, key, **values)

    def say(self, key: str, /, style: str = "", **values: object) -> None:
        self.print(self.word(key, **values), style)

    def done(self, key: str, /, **values: object) -> None:
        """A step that held."""
        self._console.print(Text.assemble(("✓ ", "green"), self.word(key, **values)))

    def print(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style))


@dataclass(frozen=True)
class Demo:
    """A running demo. `issuers` are API keys by the tax id of their seller, `logins` what people sign in with."""

    place: Place
    processes: Processes
    url: str
    keys: dict[str, str]
    issuers: dict[str, str]
    logins: dict[str, dict[str, str]]

    def as_issuer_of(self, seller: str) -> Remote:
        return Remote(self.url, self.issuers[seller], self.place.language)

    def as_role(self, role: str) -> Remote:
        return Remote(self.url, self.keys[role], self.place.language)

    def as_nobody(self) -> Remote:
        return Remote(self.url, None, self.place.language)


@dataclass(frozen=True)
class Surroundings:
    """What surrounds the service: a query node, and a central record that is not ours. `settings` are the service's own."""

    settings: dict[str, str]
    node_url: str
    node_settings: dict[str, str]
    central: Path
    inbox_url: str


def start(place: Place, processes: Processes, port: int, node_port: int) -> tuple[Demo, Surroundings]:
    """Chain, contract, database, service, worker and keys; demo.json is written when the service answers."""
    rpc_url = _start_chain(place, processes)
    data_key = secrets.token_bytes(32)
    url = f"http://127.0.0.1:{port}"
    settings = {
        "DATABASE_URL": f"sqlite:///{place.folder / 'demo.db'}",
        "RPC_URLS": rpc_url,
        "CHAIN_ID": str(CHAIN_ID),
        "PUBLIC_URL": url,
        "RECEIPT_KEY": secrets.token_hex(32),
        "ANCHOR_KEY": ANCHOR_KEY,
        "DATA_KEYS": f"1:{data_key.hex()}",
    }
    inbox = _start_inbox(place, processes, settings)
    _start_payment_provider(place, processes, settings)
    node_url = f"http://127.0.0.1:{node_port}"
    chain = {"RPC_URLS": rpc_url, "CHAIN_ID": str(CHAIN_ID)}
    node_settings = {**chain, "DATABASE_URL": f"sqlite:///{place.folder / 'node.db'}", "PUBLIC_URL": node_url}
    with ThreadPoolExecutor(3) as pool:
        deploying = pool.submit(_deploy, place, settings)
        migrate = [PROGRAMS / "zhengpiao", "migrate"]
        migrating = [pool.submit(run, migrate, environment(one), place.folder) for one in (settings, node_settings)]
        deployment, _ = deploying.result(), [one.result() for one in migrating]
    place.done("contract", contract=deployment["contract"], block=deployment["block"])
    settings["CONTRACT"] = node_settings["CONTRACT"] = deployment["contract"]
    settings |= {"NODES": node_url, "NODE_KEYS": _create_node_key(node_settings["DATABASE_URL"])}
    serve = [PROGRAMS / "zhengpiao", "serve", "--port", str(port)]
    processes.start("service", serve, environment(settings), place.folder)
    start_worker(place, processes, settings)
    logins = create_logins(settings["DATABASE_URL"], Vault({1: data_key}))
    demo = Demo(place, processes, url, *_create_keys(settings["DATABASE_URL"]), logins)
    processes.wait_for(f"{url}/readyz", lambda: answer(f"{url}/readyz"), 60)
    place.done("service", url=url)
    around = Surroundings(settings, node_url, node_settings, place.folder / "central.db", inbox)
    _write_files(demo, rpc_url, deployment["contract"], around)
    # Receipts promise little before the worker has looked at the chain.
    processes.wait_for("worker", lambda: _is_anchoring(answer(f"{url}/status")), 60)
    place.done("keys", count=len(demo.keys) + len(demo.issuers) - 1, file=place.folder / "demo.json")
    place.done("logins", logins=", ".join(demo.logins), url=url)
    place.done("inbox", url=inbox)
    place.done("payments", url=settings["PAYMENT_URL"])
    return demo, around


def start_worker(place: Place, processes: Processes, settings: dict[str, str]) -> None:
    processes.start("worker", [PROGRAMS / "zhengpiao", "worker"], environment(settings), place.folder)


def _start_chain(place: Place, processes: Processes) -> str:
    # The program itself: what node_modules/.bin has is a Node script, and ending that would leave its child behind.
    anvil = next((ROOT / "node_modules/@foundry-rs").glob("anvil-*/bin/anvil"))
    flags = ["--port", "0", "--block-time", "1", "--slots-in-an-epoch", "1", "--prune-history", "64"]
    log = processes.start("anvil", [anvil, *flags], environment({}), place.folder)
    processes.wait_for("anvil", lambda: "Listening on" in log.read_text(), 30)
    found = re.search(r"Listening on (\S+)", log.read_text())
    assert found is not None
    place.done("chain", url=f"http://{found[1]}", chain_id=CHAIN_ID)
    return f"http://{found[1]}"


def _start_inbox(place: Place, processes: Processes, settings: dict[str, str]) -> str:
    """Where everything goes that the service sends; `settings` are told so. Returns the address of its page."""
    secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
    command = [sys.executable, "-m", "scripts.tour.inbox", place.inbox]
    log = processes.start("inbox", command, {**environment({}), "SMS_SECRET": secret}, ROOT)
    processes.wait_for("inbox", lambda: log.read_text().endswith("\n"), 30)
    told = json.loads(log.read_text())
    settings |= {"SMTP_URL": told["smtp_url"], "SMTP_FROM": "证票演示 <no-reply@zhengpiao.example>"}
    settings |= {"SMS_URL": told["sms_url"], "SMS_SECRET": secret, "WEBHOOKS_ANYWHERE": "true"}
    return str(told["url"])


def _start_payment_provider(place: Place, processes: Processes, settings: dict[str, str]) -> None:
    """Where applicants pay, beside a bank account; `settings` are told so."""
    key, secret = secrets.token_urlsafe(24), "whsec_" + b64encode(secrets.token_bytes(32)).decode()
    command = [sys.executable, "-m", "scripts.tour.payment_provider"]
    known = {**environment({}), "PAYMENT_KEY": key, "PAYMENT_SECRET": secret}
    log = processes.start("payment_provider", command, known, ROOT)
    processes.wait_for("payment_provider", lambda: log.read_text().endswith("\n"), 30)
    settings |= {"PAYMENT_URL": json.loads(log.read_text())["url"], "PAYMENT_KEY": key, "PAYMENT_SECRET": secret}
    settings |= {"PAYMENT_METHODS": "provider,bank_transfer", "PAYMENT_ACCOUNT": "发票登记簿（演示），示例银行，0000 1234 5678"}


def _deploy(place: Place, settings: dict[str, str]) -> dict[str, Any]:
    record = ["--record", place.folder / "deployment.json"]
    command = [PROGRAMS / "zhengpiao", "deploy", "--admin", ADMIN, "--pauser", PAUSER, "--json", *record]
    made: dict[str, Any] = json.loads(run(command, environment({**settings, "DEPLOYER_KEY": DEPLOYER_KEY}), place.folder))
    return made


def _create_keys(database_url: str) -> tuple[dict[str, str], dict[str, str]]:
    """One key of each role, and an issuer's for every seller of the samples."""
    first = INVOICES["S01"]
    sellers = [*dict.fromkeys(INVOICES[id_]["seller"]["tax_id"] for id_ in REGISTERED), OFFICIAL_SELLER]
    bound: dict[Role, list[str]] = {
        "recipient": [first["buyer"]["tax_id"]],
        "auditor": [],
        "central": [],
        "node": [],
        "operator": [],
    }
    database = Database(database_url)
    with database.write() as connection:
        issuers = {seller: create_key(connection, "issuer", [seller], "test", label="demo")[1] for seller in sellers}
        keys = {"issuer": issuers[first["seller"]["tax_id"]]}
        for role, tax_ids in bound.items():
            keys[role] = create_key(connection, role, tax_ids, "test", label=f"demo: {role}")[1]
    database.close()
    return keys, issuers


def _create_node_key(database_url: str) -> str:
    """For our reconciliation to read the node's register pages: the node has keys of its own."""
    database = Database(database_url)
    with database.write() as connection:
        key = create_key(connection, "auditor", [], "test", label="reconciliation")[1]
    database.close()
    return key


def answer(url: str) -> dict[str, Any] | None:
    """None while it does not answer, or not with a success."""
    try:
        answer = requests.get(url, timeout=5)
        found: dict[str, Any] | None = answer.json() if answer.ok else None
    except requests.RequestException:
        return None
    return found


def _is_anchoring(status: dict[str, Any] | None) -> bool:
    return status is not None and status["worker_seen_at"] is not None and status["trouble"] is None


def _write_files(demo: Demo, rpc_url: str, contract: str, around: Surroundings) -> None:
    """trust.json for verifiers; demo.json for programs and demo.env for shells, which hold keys."""
    trust = demo.as_role("auditor").ask("GET", "/v1/trust")
    _write(demo.place.folder / "trust.json", trust.text)
    own_seller = INVOICES["S01"]["seller"]["tax_id"]
    facts = {
        "url": demo.url,
        "rpc_url": rpc_url,
        "chain_id": CHAIN_ID,
        "contract": contract,
        "service_keys": trust.json()["service_keys"],
        "trust": "trust.json",
        "keys": demo.keys,
        "issuers": {seller: key for seller, key in demo.issuers.items() if seller != own_seller},
        "node_url": around.node_url,
        "inbox_url": around.inbox_url,
        "central": {"database_url": f"sqlite:///{around.central}", "mapping": str(MAPPING)},
        "logins": demo.logins,
    }
    variables = {"ZHENGPIAO_URL": demo.url, "ZHENGPIAO_KEY": demo.keys["issuer"], "AUDITOR_KEY": demo.keys["auditor"]}
    shell = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    _write(demo.place.folder / "demo.env", shell)
    _write(demo.place.folder / "demo.json", json.dumps(facts, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    """For its owner alone, and never half."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def tour(demo: Demo, meanwhile: Callable[[Demo], None]) -> None:
    """From registration to the verdicts; `meanwhile` is shown while the chain takes its time."""
    for id_ in REGISTERED:
        _register(demo, id_)
    _void(demo)
    _import_official(demo)
    meanwhile(demo)
    numbers = [*(number_of(id_) for id_ in REGISTERED), OFFICIAL_NUMBER]
    wait_until_final(demo, numbers)
    _verify(demo)


def number_of(id_: str) -> str:
    return OFFICIAL_NUMBER if id_ == "official" else str(INVOICES[id_]["header"]["number"])


def _register(demo: Demo, id_: str) -> None:
    sections = INVOICES[id_]
    seller = sections["seller"]
    said = demo.as_issuer_of(seller["tax_id"]).ask_json(
        "POST",
        "/v1/invoices",
        json={"profile": "as_issued", "external_id": id_, "sections": sections},
        headers={"Idempotency-Key": f"demo-{id_}"},
    )
    if said["number"] != number_of(id_):
        raise StepFailed(demo.place.word("not_registered", id=id_, said=said))
    amount = sections["totals"]["amount_with_tax"]
    demo.place.done("registered", id=id_, number=f"{number_of(id_):<21}", amount=f"{amount:>12}", seller=seller["name"])
    for finding in said["findings"]:
        demo.place.print("      " + demo.place.word("finding", **finding), "dim")


def _void(demo: Demo) -> None:
    seller = INVOICES[VOIDED]["seller"]["tax_id"]
    path = f"/v1/invoices/{quote(number_of(VOIDED))}/void"
    reason = INVOICES[VOIDED]["notes"].get("remark") or "开票有误"
    headers = {"Idempotency-Key": f"demo-void-{VOIDED}"}
    said = demo.as_issuer_of(seller).ask_json("POST", path, json={"reason": reason}, headers=headers)
    if said["status"] != "void":
        raise StepFailed(str(said))
    demo.place.done("voided", id=VOIDED, number=number_of(VOIDED))


def _import_official(demo: Demo) -> None:
    issuer = demo.as_issuer_of(OFFICIAL_SELLER)
    headers = {"Content-Type": "application/xml", "Idempotency-Key": "demo-official"}
    job: dict[str, Any] = issuer.ask_json("POST", "/v1/imports", data=OFFICIAL.read_bytes(), headers=headers)

    def is_done() -> bool:
        nonlocal job
        job = issuer.ask_json("GET", f"/v1/imports/{job['id']}")
        return bool(job["state"] == "done")

    demo.processes.wait_for("import", is_done, 30)
    [row] = job["rows"]
    if row["problem"] or row["number"] != OFFICIAL_NUMBER:
        raise StepFailed(demo.place.word("row_refused", said=json.dumps(row, ensure_ascii=False)))
    demo.place.done("imported", number=OFFICIAL_NUMBER)
    for finding in row["findings"]:
        demo.place.print("      " + demo.place.word("finding", **finding), "dim")


def wait_until_final(demo: Demo, numbers: list[str]) -> None:
    auditor = demo.as_role("auditor")
    waiting = list(numbers)

    def are_final() -> bool:
        while waiting:
            if auditor.ask_json("GET", f"/v1/invoices/{quote(waiting[-1])}")["state"] != "final":
                return False
            waiting.pop()
        return True

    demo.processes.wait_for("final", are_final, 90)
    head = auditor.ask_json("GET", "/v1/anchors/head")
    demo.place.done("final", seq=head["seq"], block=head["block"])


def _verify(demo: Demo) -> None:
    """With the program that knows nothing of the service: the proof file, and what the chain holds."""
    place, auditor = demo.place, demo.as_role("auditor")
    place.done("verifying")
    verify = [PROGRAMS / "zhengpiao-verify", "--trust", place.folder / "trust.json"]
    for name, (expected, status) in EXPECTED.items():
        file = f"{name}.proof.json"
        (place.proofs / file).write_bytes(auditor.ask("GET", f"/v1/invoices/{quote(number_of(name))}/proof").content)
        report = json.loads(run([*verify, "--json", file], environment({}), place.proofs, expected=status))
        if report["verdict"] != expected:
            raise StepFailed(place.word("wrong_verdict", name=name, expected=expected, found=report["verdict"]))
        said = run([*verify, file], environment({}), place.proofs, expected=status).strip().splitlines()
        for line in said if name == SHOWN_WHOLE else said[:2]:
            place.print(f"    {line}")


def show_what_next(demo: Demo) -> None:
    """Lines that work as they stand, in the project's folder."""
    place = demo.place
    here = place.folder.relative_to(ROOT) if place.folder.is_relative_to(ROOT) else place.folder
    invoice = f"$ZHENGPIAO_URL/v1/invoices/{number_of('S01')}"
    bearer = '-H "Authorization: Bearer $ZHENGPIAO_KEY"'
    body = "-H 'Content-Type: application/json' -d"
    commands = [
        ("", f". {here}/demo.env"),
        ("try_search", f"""curl -s $ZHENGPIAO_URL/v1/invoices/search {bearer} {body} '{{"amount_from": "10000.00"}}'"""),
        ("try_timeline", f"curl -s {invoice}/timeline {bearer}"),
        ("try_own", f'curl -s "{invoice}/proof?disclose=header,seller,totals" {bearer} > s01.proof.json'),
        ("try_verify", f".venv/bin/zhengpiao-verify --trust {here}/trust.json s01.proof.json"),
        ("try_absent", f"""curl -s $ZHENGPIAO_URL/v1/proofs {body} '{{"number": "26112999000000009999"}}'"""),
    ]
    place.print("")
    place.say("next", style="bold")
    for name, command in commands:
        if name:
            place.print(f"  # {place.word(name)}", "dim")
        place.print(f"  {command}")
    place.print("")
    place.say("try_desk", url=demo.url, password=demo.logins["auditor"]["password"])
    login = f"json.load(open('{here}/demo.json'))['logins']['auditor']"
    place.print(f"""  .venv/bin/python -c "import json, pyotp; print(pyotp.TOTP({login}['totp_secret']).now())\"""")
    place.print("")
    place.say("try_read", url=demo.url)
