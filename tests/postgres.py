"""A throw-away PostgreSQL, for tests."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql


class PostgresCluster:
    """Databases are reached by a socket in a folder of the cluster's own, so that no port can be taken."""

    def __init__(self, socket_folder: Path, server: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self._socket_folder = socket_folder
        self._server = server
        self._created = 0
        self.start()

    def start(self) -> None:
        """Until it answers."""
        self._process = self._server()
        _wait_until_it_answers(self._process, self._socket_folder)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order; SIGQUIT is a crash, from which the next start recovers."""
        self._process.send_signal(how)
        self._process.wait()

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of the databases."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._socket_folder}"

    def create_database(self, template: str | None = None) -> str:
        """The name of a new database: empty, or a copy of `template`, to which nobody may be connected."""
        self._created += 1
        name = f"test_{self._created}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template or "template0")))
        return name

    def drop_database(self, name: str) -> None:
        """Drops it even if a connection was left open."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self._socket_folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def postgres_cluster() -> Iterator[PostgresCluster]:
    """Runs PostgreSQL in a temporary folder until the block ends, at the latest with this process.

    PostgreSQL refuses to run as root: then it runs as the user that its package made.
    """
    folder = Path(tempfile.mkdtemp(prefix="zp-pg-"))
    options: dict[str, Any] = {"cwd": folder}
    if os.getuid() == 0:
        options |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(folder, "postgres", "postgres")
    programs, data, log = _programs(), folder / "data", folder / "log"
    initdb = [f"{programs}/initdb", f"--pgdata={data}", "--username=postgres", "--auth=trust", "--encoding=UTF8"]
    initdb += ["--locale=C.UTF-8", "--no-sync", "--no-instructions"]
    server = ["setpriv", "--pdeathsig", "QUIT", f"{programs}/postgres", "-D", str(data), "-k", str(folder), "-h", ""]
    # Durability is given up for speed: only a crash of the machine would need it.
    server += ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_connections=200"]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        output = stack.enter_context(log.open("wb"))
        subprocess.run(initdb, stdout=output, stderr=output, check=True, **options)
        cluster = PostgresCluster(folder, lambda: subprocess.Popen(server, stdout=output, stderr=output, **options))
        stack.callback(cluster.stop, signal.SIGQUIT)
        yield cluster


def _programs() -> Path:
    """The folder with initdb and postgres: the newest that Debian has, or that on the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if installed:
        return installed[-1]
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise RuntimeError("PostgreSQL is not installed: run scripts/setup")


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
