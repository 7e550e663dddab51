"""Documents say what is: their links lead somewhere, and what they list is what the code has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import SecretStr

from service.api.catalogue import PROBLEMS
from service.app import create_app
from service.cli import app
from service.cli.outcome import Exit
from service.config import _SECRETS, Settings
from service.messages import FILES, FINDINGS
from service.trouble import Trouble

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPERATIONS = (ROOT / "docs/operations.md").read_text()
API = (ROOT / "docs/api.md").read_text()
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """The fragments of a document's headings, as GitHub makes them."""
    without_code = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(without_code)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        if re.match(r"https?:", target):
            continue
        name, _, fragment = target.partition("#")
        file = document.parent / name if name else document
        assert file.exists(), target
        assert not fragment or fragment in anchors(file), target


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text()
    for decision in sorted((ROOT / "docs/decisions").glob("*.md")):
        title = decision.read_text().partition("\n")[0].removeprefix("# ").partition(". ")[2]
        assert f"[{title}](decisions/{decision.name})" in index


def rows(heading: str, document: str = OPERATIONS) -> Iterator[list[str]]:
    """The rows of the first table below a heading, its head left out."""
    section = re.split(r"^#+ ", document.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    table = re.search(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    assert table is not None
    for line in table[0].splitlines()[2:]:
        yield [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split(" | ")]


def written(default: object) -> str:
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, tuple):
        default = ",".join(default)
    return "unset" if default is None else f"`{default}`" if default != "" else "empty"


def test_every_setting_is_listed_with_its_default() -> None:
    listed = {row[0].strip("` †"): row[1] for row in rows("Settings")}
    assert listed == {f"ZHENGPIAO_{name.upper()}": written(field.default) for name, field in Settings.model_fields.items()}


def test_what_may_come_from_a_file_is_marked() -> None:
    marked = {row[0].split("`")[1] for row in rows("Settings") if "†" in row[0]}
    assert marked == {f"ZHENGPIAO_{name.upper()}" for name in _SECRETS}


def codes(function: str, position: int, *files: Path) -> set[str]:
    """The fixed codes that `function` is called with in the given files."""
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
                argument = node.args[position] if len(node.args) > position else None
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(argument.value)
    return found


def test_every_trouble_is_explained_in_its_own_words() -> None:
    assert list(rows("Troubles")) == [[f"`{t}`", t.meaning, t.remedy, "alarm" if t.is_alarm else ""] for t in Trouble]
    for code in codes("ChainTrouble", 0, ROOT / "service/deployment.py"):
        assert f"`{code}`" in OPERATIONS


def test_every_incident_is_explained() -> None:
    kinds = codes("incidents.record", 2, *(ROOT / "service").rglob("*.py"))
    assert {row[0].strip("`") for row in rows("Incidents")} == kinds - set(Trouble)


def words_of(command: Any, *path: str) -> Iterator[tuple[str, set[str]]]:
    """Every command below `command` with its options."""
    for name, below in getattr(command, "commands", {}).items():
        yield from words_of(below, *path, name)
    yield " ".join(path), {option for parameter in command.params for option in parameter.opts}


GROUPS = ("keys", "users", "activity")


def test_commands_and_options_that_are_named_exist() -> None:
    known = dict(words_of(typer.main.get_command(app)))
    named = set()
    for document in DOCUMENTS:
        words = rf"zhengpiao ((?:(?:{'|'.join(GROUPS)}) )?[a-z][a-z-]*)([^`\n]*)"
        for command, rest in re.findall(words, "\n".join(code_of(document))):
            assert command in known or command in GROUPS, (document.name, command)
            assert set(re.findall(r"--[a-z-]+", rest)) <= known.get(command, set()) | {"--json"}, (document.name, command, rest)
            named.add(command)
    in_company = {"keys list", "keys generate-chain-key", "users invite", "users list", "users disable"}
    assert known.keys() - named - {"", *GROUPS} - in_company == set()


def test_scripts_that_are_named_exist() -> None:
    for document in DOCUMENTS:
        for name in re.findall(r"scripts/([a-z_-]+(?:\.(?:py|toml)\b)?)", document.read_text()):
            assert (ROOT / "scripts" / name).exists(), (document.name, name)


def code_of(document: Path) -> Iterator[str]:
    """Blocks and spans of code."""
    text = document.read_text()
    blocks = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
    yield from blocks.findall(text)
    yield from re.findall(r"`([^`]+)`", blocks.sub("", text))


@pytest.fixture(scope="module")
def openapi(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("api")
    settings = {"contract": "0x" + "11" * 20, "receipt_key": "11" * 32, "database_url": f"sqlite:///{folder / 'unused.db'}"}
    return create_app(Settings(_env_file=None, **settings)).openapi()  # type: ignore[arg-type, call-arg]


def test_every_operation_is_listed_with_its_roles(openapi: dict[str, Any]) -> None:
    listed = {row[0].strip("`"): row[1] for row in rows("Operations", API)}
    served = {
        f"{method.upper()} {path}": ", ".join(operation.get("x-roles", ["anyone"]))
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    }
    assert listed == served


def test_every_problem_is_listed() -> None:
    listed = {row[0].strip("`"): int(row[1]) for row in rows("Problems", API)}
    assert listed == {code: problem.status for code, problem in PROBLEMS.items() if "/" not in code}


def test_every_finding_and_every_trouble_with_a_file_is_listed() -> None:
    for code in {code.partition("/")[0] for code in (*FINDINGS, *FILES)}:
        assert f"`{code}`" in API or code.startswith("qr_"), code


def test_every_exit_status_is_listed() -> None:
    table = OPERATIONS.partition("| exit status | means |")[2].partition("\n\n")[0]
    assert {int(found) for found in re.findall(r"^\| (\d+) \|", table, flags=re.MULTILINE)} == set(Exit)
