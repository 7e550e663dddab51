"""scripts/demo as a newcomer runs it, the README's tour against it, and the verifier on a machine that has nothing else."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pyotp
import pytest
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).resolve().parents[2]
OFFICIAL = "23440000000000100001"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("ZHENGPIAO_", "LC_", "LANG"))}
PROOFS = ("S10", "official", "S01", "S08")


class Demo:
    """A demo that runs in `var`."""

    def __init__(self, var: Path, *options: str) -> None:
        self.var = var
        var.mkdir(exist_ok=True)
        self.printed = var.parent / f"{var.name}.printed"
        command = [str(part) for part in (ROOT / "scripts/demo", "--port", "0", "--var", var, *options)]
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=ENVIRONMENT)

    def wait_for(self, text: str, timeout_s: float = 180) -> None:
        deadline = time.monotonic() + timeout_s
        while text not in self.printed.read_text():
            assert self.process.poll() is None, self.printed.read_text()
            assert time.monotonic() < deadline, self.printed.read_text()
            time.sleep(0.05)

    def end(self, number: signal.Signals | None = None) -> int:
        """Its exit status, after which none of its processes may be there."""
        started = [process for process in programs() if is_below(process, self.var)]
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(300)
        left = [process for process in (*started, *programs()) if process.is_running() and is_below(process, self.var)]
        assert left == [], [process.cmdline() for process in left]
        return status

    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.var / "demo.json").read_bytes())
        return found


def programs() -> list[psutil.Process]:
    return list(psutil.process_iter())


def is_below(process: psutil.Process, folder: Path) -> bool:
    """Whether a program of the demo in `folder`: they all run in it."""
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except psutil.Error:
        return False


@pytest.fixture(scope="module")
def installing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, "subprocess.Popen[bytes]"]]:
    """`pip install .` without extras in an environment of its own, going on while the demo starts."""
    folder = tmp_path_factory.mktemp("elsewhere")
    copied = folder / "source"  # so that the build leaves nothing in the project
    for name in ("verifier", "service"):
        shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copied)
    environment, pip = folder / "venv", folder / "venv/bin/pip"
    steps = f"'{sys.executable}' -m venv '{environment}' && '{pip}' install --quiet --disable-pip-version-check '{copied}'"
    with subprocess.Popen(["bash", "-c", steps], env=ENVIRONMENT) as process:
        yield environment, process


@pytest.fixture(scope="module")
def demo(installing: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo") / "var")
    try:
        running.wait_for("Running.", 300)
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_it_writes_what_programs_need(demo: Demo) -> None:
    settings = demo.settings()
    assert list(settings)[:8] == ["url", "rpc_url", "chain_id", "contract", "service_keys", "trust", "keys", "issuers"]
    assert settings["node_url"].startswith("http://127.0.0.1:")
    assert settings["central"]["database_url"] == f"sqlite:///{demo.var}/central.db"
    assert list(settings["logins"]) == ["reviewer", "reviewer_2", "auditor", "operator"]
    assert list(settings["keys"]) == ["issuer", "recipient", "auditor", "central", "node", "operator"]
    invoices = json.loads((ROOT / "tests/samples/invoices.json").read_bytes())["invoices"][:10]
    sellers = {invoice["sections"]["seller"]["tax_id"] for invoice in invoices} | {"91440000000000000X"}
    assert settings["issuers"].keys() == sellers - {invoices[0]["sections"]["seller"]["tax_id"]}
    trust = json.loads((demo.var / settings["trust"]).read_bytes())
    assert trust["chain"] == {"chain_id": settings["chain_id"], "contract": settings["contract"]}
    assert trust["service_keys"] == settings["service_keys"]
    for name in ("demo.json", "demo.env"):
        assert (demo.var / name).stat().st_mode & 0o077 == 0, "it holds keys"


def test_its_people_sign_in(demo: Demo) -> None:
    settings = demo.settings()
    for name, login in settings["logins"].items():
        said = {"login": login["login"], "password": login["password"], "code": pyotp.TOTP(login["totp_secret"]).now()}
        answer = httpx2.post(f"{settings['url']}/v1/session", json=said, headers={"Origin": settings["url"]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["person"]["login"] == name


def test_its_auditor_works_at_the_desk_over_plain_http(demo: Demo, browser: Browser) -> None:
    """Cookies that are Secure and of the host alone, without TLS: a browser trusts an address of its own machine."""
    settings = demo.settings()
    login = settings["logins"]["auditor"]
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{settings['url']}/audit/invoices/26112999000000000010")
    assert page.url.startswith(f"{settings['url']}/sign-in?next=/audit/invoices/")
    page.fill("#field-login", login["login"])
    page.fill("#field-password", login["password"])
    # Each code is good once, and that of now was used above.
    page.fill("#field-code", pyotp.TOTP(login["totp_secret"]).at(time.time() + 30))
    page.click("form button[type=submit]")
    page.select_option("dialog #field-purpose", "complaint")
    page.fill("dialog #field-reference", "2026-0317")
    page.click("dialog button[type=submit]")
    expect(page.locator(".proof .word")).to_have_text("登记有效")
    story = page.locator(".story")
    for said in ("demo: central，已确认至第", "可查到", "来自证明文件"):
        expect(story).to_contain_text(said)
    expect(page.locator("ul.lines").first).to_contain_text("登记有效，截至第")
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert cookies.keys() == {"__Host-zhengpiao-session", "__Host-zhengpiao-device"}
    assert all(cookie["secure"] and cookie["httpOnly"] for cookie in cookies.values())
    page.goto(f"{settings['url']}/audit/charts")
    expect(page.locator("figure").last.locator("svg.drawing")).to_contain_text("demo: node")
    context.close()
    assert not faults, faults


def test_the_tour_shows_every_verdict(demo: Demo) -> None:
    printed = demo.printed.read_text()
    for id_ in (*(f"S{n:02}" for n in range(1, 11)), OFFICIAL):
        assert id_ in printed
    for verdict in ("S10.proof.json: Registered and valid", "official.proof.json: Registered and valid"):
        assert verdict in printed
    assert "S01.proof.json: Partly reversed" in printed
    assert "S08.proof.json: Void" in printed
    promised = [json.loads((demo.var / f"proofs/{name}.proof.json").read_bytes()) for name in PROOFS]
    assert all(proof["receipt"]["deadline"] - proof["entry"]["recorded_at"] <= 61_000 for proof in promised)


def test_the_tour_shows_each_trouble_found_and_named(demo: Demo) -> None:
    printed = demo.printed.read_text()
    for found in (
        "missing 26317999000000000002",
        "altered 26112999000000000003",
        "missing_there 011002400111-99000007",
        "differs 26442999000000000005 amount_with_tax",
        "lagging",
        "Reconciled once more",
    ):
        assert found in printed
    metrics = httpx2.get(f"{demo.settings()['url']}/metrics").text
    opened = [line for line in metrics.splitlines() if line.startswith("zhengpiao_findings{")]
    assert all(line.endswith(" 0.0") for line in opened), opened


def test_the_tour_shows_where_invoices_get_lost(demo: Demo) -> None:
    printed = demo.printed.read_text()
    verdicts = dict.fromkeys(re.findall(r"^    \S+  ([a-z_]+): ", printed, flags=re.MULTILINE))
    told = ("detail_mismatch", "never_submitted", "lost_after_anchor", "altered", "delivered_not_visible", "forged")
    assert tuple(verdicts)[-len(told) :] == told
    assert {"accepted_not_sealed", "present", "node_lagging"} <= verdicts.keys()
    assert printed.count("Restored ") == 3


def test_a_second_demo_in_the_same_folder_is_refused(demo: Demo) -> None:
    before = demo.settings()
    done = subprocess.run([ROOT / "scripts/demo", "--exit", "--var", demo.var], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 1
    assert "is running in" in done.stdout
    assert demo.settings() == before


def commands(readme: str) -> list[str]:
    """The shell blocks of the tour."""
    text = (ROOT / readme).read_text()
    return re.findall(r"^```sh\n(.*?)^```", re.split(r"^## ", text, flags=re.MULTILINE)[2], flags=re.MULTILINE | re.DOTALL)


def test_the_tour_of_the_readme_works_as_it_stands(demo: Demo, tmp_path: Path) -> None:
    for name, target in {".venv": ROOT / ".venv", "tests": ROOT / "tests", "var": demo.var}.items():
        (tmp_path / name).symlink_to(target)
    script = "set -euo pipefail\n" + "\n".join(commands("README.md"))
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=ENVIRONMENT)
    transcript = done.stdout + done.stderr
    assert done.returncode == 0, transcript
    for said in (
        '"number": "26112999000000000010"',
        '"hop": "final"',
        "s10.proof.json: Registered and valid",
        "forged.proof.json: Does not match the record",
        "absent.proof.json: Not registered",
        '"number": "26112999000000000999"',
        '"state": "mined"',
        "v#26112999000000000998.",
        "another.proof.json (",
        "(number_taken)",
    ):
        assert said in transcript, (said, transcript)
    assert transcript.count("exit status 1") + transcript.count("exit status 2") in (3, 4)  # the last proof may be pending
    assert '"title"' not in transcript, "a problem was answered"


def test_both_readmes_have_the_same_commands() -> None:
    def bare(block: str) -> str:
        return re.sub(r'"(exit status|退出状态) ', '"', re.sub(r"(^|\s+)# .*$", "", block, flags=re.MULTILINE))

    assert [bare(block) for block in commands("README.md")] == [bare(block) for block in commands("README.zh-CN.md")]


def test_the_verifier_alone_is_enough(demo: Demo, installing: tuple[Path, "subprocess.Popen[bytes]"], tmp_path: Path) -> None:
    """The "Done when" of it all: the official invoice is valid to whoever has the trust file, the proof file and nothing else."""
    environment, pip = installing
    assert pip.wait(300) == 0
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "refuses.py").write_text(
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.partition('.')[0] == 'service':\n"
        "            raise ImportError('not on this machine')\n"
        "sys.meta_path.insert(0, Refuse())\n"
    )
    (packages / "refuses.pth").write_text("import refuses\n")
    python = environment / "bin/python"
    refused = subprocess.run([python, "-c", "import service"], capture_output=True, text=True, env=ENVIRONMENT, cwd=tmp_path)
    assert "not on this machine" in refused.stderr
    files = ["--trust", demo.var / "trust.json", demo.var / "proofs/official.proof.json"]
    verify = [str(part) for part in (environment / "bin/zhengpiao-verify", "--json", *files)]
    done = subprocess.run(verify, capture_output=True, text=True, env=ENVIRONMENT, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["verdict"], report["number"]) == ("valid", OFFICIAL)
    assert {check["result"] for check in report["checks"]} == {"pass"}
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, check=True, env=ENVIRONMENT)
    installed = {package["name"] for package in json.loads(listed.stdout)}
    assert installed <= {"zhengpiao", "cryptography", "orjson", "cffi", "pycparser", "pip", "setuptools", "typing_extensions"}


def test_ctrl_c_leaves_nothing_behind(demo: Demo) -> None:
    assert len([process for process in programs() if is_below(process, demo.var)]) >= 3
    assert demo.end(signal.SIGINT) == 0


def test_it_begins_anew_in_the_same_folder_and_ends_after_the_tour(demo: Demo) -> None:
    before = demo.settings()
    again = Demo(demo.var, "--exit")
    assert again.end() == 0, again.printed.read_text()
    assert again.settings()["keys"] != before["keys"]


def test_a_chain_that_dies_ends_the_demo(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "var")
    demo.wait_for("A chain at")
    [chain] = [process for process in programs() if is_below(process, demo.var) and "anvil" in process.name()]
    chain.kill()
    assert demo.end() == 1
    assert "It did not work out: " in demo.printed.read_text()


def test_sigterm_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "var", "--exit")
    demo.wait_for("A chain at")
    assert demo.end(signal.SIGTERM) == 130
