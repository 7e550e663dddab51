"""`zhengpiao serve` and `worker` as processes: they start, say no where they cannot, and end in order."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from service import migrations
from service.cli.outcome import Exit
from service.db import Database
from tests.ports import held_port

ZHENGPIAO = str(Path(sys.executable).with_name("zhengpiao"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a migrated database, with all keys, and a chain that does not answer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHENGPIAO_")}
    url = f"sqlite:///{tmp_path / 'zhengpiao.db'}"
    database = Database(url)
    migrations.migrate(database)
    database.close()
    return kept | {
        "ZHENGPIAO_DATABASE_URL": url,
        "ZHENGPIAO_RPC_URLS": "http://127.0.0.1:9",
        "ZHENGPIAO_CONTRACT": "0x" + "11" * 20,
        "ZHENGPIAO_RECEIPT_KEY": "11" * 32,
        "ZHENGPIAO_ANCHOR_KEY": "11" * 32,
    }


@pytest.fixture
def port() -> Iterator[int]:
    with held_port() as held:
        yield held


def started(*arguments: str, environment: dict[str, str], folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    log = folder / "log"
    with log.open("wb") as output, subprocess.Popen([ZHENGPIAO, *arguments], env=environment, cwd=folder, stderr=output) as process:
        try:
            yield process, log
        finally:
            process.kill()


def wait_until_it_answers(url: str) -> requests.Response:
    deadline = time.monotonic() + 60
    while True:
        try:
            return requests.get(url, timeout=30)
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("workers", [1, 2])
def test_serving_ends_in_order_and_leaves_no_process(workers: int, environment: dict[str, str], port: int, tmp_path: Path) -> None:
    arguments = ["serve", "--port", str(port), "--workers", str(workers)]
    for process, _ in started(*arguments, environment=environment, folder=tmp_path):
        assert wait_until_it_answers(f"http://127.0.0.1:{port}/readyz").json() == {"status": "ok"}
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)
        psutil.wait_procs(children, 30)
        assert not [child for child in children if child.is_running()]


def test_in_production_every_line_of_the_log_is_json_without_anything_personal(
    environment: dict[str, str], port: int, tmp_path: Path
) -> None:
    environment |= {"ZHENGPIAO_ENV": "production", "ZHENGPIAO_PUBLIC_URL": "https://registry.example"}
    key = "zp_live_mij3fr2dy6_" + "a" * 52 + "bcdefgh"
    for process, log in started("serve", "--port", str(port), environment=environment, folder=tmp_path):
        wait_until_it_answers(f"http://127.0.0.1:{port}/livez")
        headers = {"Authorization": f"Bearer {key}"}
        requests.get(f"http://127.0.0.1:{port}/v1/invoices/26112999000000000001", headers=headers, timeout=30)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        [asked] = [line for line in lines if line.get("route") == "/v1/invoices/{number}"]
        assert asked["status"] == 401
        assert "a" * 52 not in log.read_text()
        assert "26112999000000000001" not in log.read_text()


def test_a_taken_port_is_said(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([ZHENGPIAO, "serve", "--port", port], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == Exit.UNAVAILABLE
    assert f"cannot serve at 127.0.0.1:{port}" in done.stderr


def test_the_worker_says_what_keeps_it_and_ends_in_order(environment: dict[str, str], tmp_path: Path) -> None:
    for process, log in started("worker", environment=environment, folder=tmp_path):
        deadline = time.monotonic() + 60
        while "unreachable" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == Exit.DONE
        assert "worker_stopped" in log.read_text()
        done = subprocess.run([ZHENGPIAO, "status", "--json"], env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == Exit.REFUSED
        assert json.loads(done.stdout)["trouble"]["code"] == "unreachable"
