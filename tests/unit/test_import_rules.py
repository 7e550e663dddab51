"""What import-linter cannot say: who may import frameworks, and what the pure files of the verifier may import at all."""

import ast
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PURE = {
    "canonical",
    "commitment",
    "entry",
    "errors",
    "fields",
    "merkle",
    "messages",
    "proof",
    "receipt",
    "register",
    "strict_json",
}
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


PURE_FILES = [file for file in files("verifier") if room(file) in PURE]
each = partial(pytest.mark.parametrize, "file", ids=lambda file: str(file.relative_to(ROOT)))


@each(PURE_FILES)
def test_a_pure_file_imports_no_input_or_output(file: Path) -> None:
    edges = {"asyncio", "http", "os", "pathlib", "selectors", "socket", "sqlite3", "ssl", "subprocess", "urllib"}
    for name in imported(file):
        package, module = name.split(".")[:2] if name.startswith("verifier.") else (name.split(".")[0], None)
        assert module in PURE if module else package not in edges, name


@each(files("verifier"))
def test_the_verifier_needs_few_packages(file: Path) -> None:
    optional = {"pikepdf", "pypdfium2", "zxingcpp", "PIL"} if room(file) == "pdf" else set()
    needed = {"cryptography", "orjson", "verifier"} | optional
    assert {name.split(".")[0] for name in imported(file)} <= sys.stdlib_module_names | needed


@each([file for file in files("service") if room(file) not in FASTAPI_ROOMS])
def test_frameworks_stay_at_the_edge(file: Path) -> None:
    assert not {name.split(".")[0] for name in imported(file)} & {"fastapi", "starlette"}


@each(files("verifier", "service", "client"))
def test_nothing_imports_scripts_or_tests(file: Path) -> None:
    assert not {name.split(".")[0] for name in imported(file)} & {"scripts", "tests"}


def test_the_client_imports_nothing_of_the_service() -> None:
    for file in files("client"):
        assert "service" not in {name.split(".")[0] for name in imported(file)}
