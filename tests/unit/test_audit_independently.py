"""The independent audit reaches what the vectors say, and sees what is not so. Its process has nothing of the project's code."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/audit_independently.py"
VECTORS = ROOT / "tests/vectors/replay.json"

_spec = importlib.util.spec_from_file_location("audit_independently", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)


@pytest.fixture
def vectors() -> Any:
    return json.loads(VECTORS.read_bytes())


def audited(log: Path, anchors: Path, *options: str) -> tuple[int, Any]:
    """In an isolated process: `-I -S` has neither this folder nor any installed package."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(log), str(anchors), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_it_reaches_the_roots_and_states_of_the_vectors(vectors: Any, tmp_path: Path) -> None:
    status, report = audited(VECTORS, VECTORS, "--states", str(tmp_path / "states"))
    assert status == 0, report
    assert report["register_root"] == vectors["anchors"][str(len(vectors["batches"]))]["register_root"]
    states = dict(line.split() for line in (tmp_path / "states").read_text().splitlines())
    assert states == vectors["states"]


def test_it_refuses_what_the_vectors_refuse(vectors: Any, tmp_path: Path) -> None:
    for refused in vectors["refused_after"]:
        following = str(len(vectors["batches"]) + 1)
        batches = {**vectors["batches"], following: [refused["entry"]]}
        log = tmp_path / "log.json"
        log.write_text(json.dumps({"batches": batches}))
        status, report = audited(log, VECTORS)
        assert status == 1, refused["why"]
        assert report["wrong"][0].startswith(f"batch {following}, entry 0")


def test_a_second_content_for_a_number_is_named_with_the_first(vectors: Any, tmp_path: Path) -> None:
    again = next(one["entry"] for one in vectors["refused_after"] if one["why"] == "number already issued")
    log = tmp_path / "log.json"
    log.write_text(json.dumps({"batches": {**vectors["batches"], "99": [again]}}))
    _, report = audited(log, VECTORS)
    assert "a second content for a number that has one since entry 0 of batch 2" in " ".join(report["wrong"])


@pytest.mark.parametrize("change", ["entry", "order", "gap", "cut", "register_root", "anchor"])
def test_it_sees_what_is_not_as_anchored(vectors: Any, tmp_path: Path, change: str) -> None:
    batches, anchors = vectors["batches"], vectors["anchors"]
    if change == "entry":
        batches["3"][5] = batches["3"][5][:-1] + f"{int(batches['3'][5][-1], 16) ^ 1:x}"
    elif change == "order":
        batches["2"][0], batches["2"][1] = batches["2"][1], batches["2"][0]
    elif change == "gap":
        del batches["2"]
    elif change == "cut":
        del batches[str(len(batches))]
    elif change == "register_root":
        anchors["3"]["register_root"] = "00" * 32
    else:
        del anchors["3"]
    log, other = tmp_path / "log.json", tmp_path / "anchors.json"
    log.write_text(json.dumps({"batches": batches}))
    other.write_text(json.dumps({"anchors": anchors}))
    status, report = audited(log, other)
    assert status == (2 if change == "anchor" else 1), report


def test_a_file_that_is_none_is_said_so(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("junk")
    assert audited(junk, VECTORS)[0] == 65
    assert audited(VECTORS, junk)[0] == 65
    assert audited(tmp_path / "nothing", VECTORS)[0] == 65


def test_it_imports_the_standard_library_alone() -> None:
    lines = SCRIPT.read_text().splitlines()
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)
