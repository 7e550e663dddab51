"""What import-linter cannot say: who may import frameworks, and what the pure files of the verifier may import at all."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EDGES_OF_THE_VERIFIER = {"chain", "pdf", "verify", "cli"}
FASTAPI_ROOMS = {"app", "api", "web", "auth"}


def files(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def imported(file: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = file.relative_to(ROOT).with_suffix("").parts
            start = [".".join(parts[: -node.level])] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room(file: Path) -> str:
    """service/api/problems.py -> api"""
    return file.relative_to(ROOT).with_suffix("").parts[1]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rooms = {"pure_file": ["verifier"], "service_file": ["service"], "product_file": ["verifier", "service", "client"]}
    for name, folders in rooms.items():
        if name in metafunc.fixturenames:
            found = [file for file in files(*folders) if name != "pure_file" or room(file) not in EDGES_OF_THE_VERIFIER]
            metafunc.parametrize(name, found, ids=lambda file: str(file.relative_to(ROOT)))


def test_a_pure_file_imports_little(pure_file: Path) -> None:
    allowed = sys.stdlib_module_names | {"cryptography", "orjson"}
    input_and_output = {"asyncio", "http", "os", "pathlib", "selectors", "socket", "sqlite3", "ssl", "subprocess", "urllib"}
    for name in imported(pure_file):
        package, *rest = name.split(".")
        if package == "verifier":
            assert rest[0] not in EDGES_OF_THE_VERIFIER, name
        else:
            assert package in allowed - input_and_output, name


def test_frameworks_stay_at_the_edge(service_file: Path) -> None:
    if room(service_file) not in FASTAPI_ROOMS:
        assert not {name.split(".")[0] for name in imported(service_file)} & {"fastapi", "starlette"}


def test_nothing_imports_scripts_or_tests(product_file: Path) -> None:
    assert not {name.split(".")[0] for name in imported(product_file)} & {"scripts", "tests"}


def test_the_client_imports_nothing_of_the_service() -> None:
    for file in files("client"):
        assert "service" not in {name.split(".")[0] for name in imported(file)}
