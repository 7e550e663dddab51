"""zhengpiao-verify: what it prints, and that its exit status is never a verdict by accident."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.verifier.fake_chain import NOW, ONE, TWO, Endpoints, Node
from tests.vector_files import PROOFS, anchors, proof_file
from verifier import cli
from verifier.question import Question
from verifier.report import CHECKS
from verifier.retrieve import retrieve
from verifier.transport import Answer, Post

ROOT = Path(__file__).parents[3]
ANCHORS = str(PROOFS / "anchors.json")
CONTRACT = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
VALID_QUESTION = Question("26112983965558933682", bytes.fromhex("cab566a70398600309282cc56b2c0b7fd9e879ef2220db196be115819b0ff62d"))

Run = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line; status, standard output, standard error."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)

    def running(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capfd.readouterr()
        return status, out, err

    return running


def path(name: str) -> str:
    return str(PROOFS / f"{name}.proof.json")


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    """Two endpoints, to which the command line posts."""
    endpoints = Endpoints({ONE: Node(), TWO: Node()})
    monkeypatch.setattr(cli, "HttpClient", lambda: endpoints)
    monkeypatch.setattr("time.time", lambda: NOW)
    return endpoints


@pytest.fixture
def trust(tmp_path: Path) -> str:
    file = tmp_path / "trust.json"
    given = json.loads((PROOFS / "anchors.json").read_bytes())
    members = {name: given[name] for name in ("protocol", "chain", "service_keys")}
    file.write_text(json.dumps({**members, "rpc_urls": [ONE, TWO]}))
    return str(file)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("valid", 0),
        ("amount_fail", 1),
        ("void", 1),
        ("replaced_original", 1),
        ("absent", 1),
        ("stale", 2),
        ("pending", 2),
        ("chain_other", 2),
        ("protocol_other", 2),
        ("partly_reversed", 3),
        ("registered", 3),
        ("truncated_fail", 65),
        ("duplicate_member_fail", 65),
    ],
)
def test_exit_status(run: Run, name: str, status: int) -> None:
    assert run(path(name), "--anchors", ANCHORS)[0] == status


def test_exit_status_of_several(run: Run) -> None:
    for names, status in (
        (["valid", "valid_reprint"], 0),
        (["valid", "partly_reversed"], 3),
        (["partly_reversed", "stale"], 2),
        (["stale", "truncated_fail"], 65),
        (["truncated_fail", "void", "valid"], 1),
    ):
        assert run(*map(path, names), "--anchors", ANCHORS)[0] == status


def test_json_is_one_report_a_line(run: Run) -> None:
    status, out, err = run(path("valid"), path("absent"), "--anchors", ANCHORS, "--json", "--lang", "zh")
    reports = [json.loads(line) for line in out.splitlines()]
    assert [(report["file"], report["verdict"]) for report in reports] == [(path("valid"), "valid"), (path("absent"), "absent")]
    assert [check["name"] for check in reports[0]["checks"]] == list(CHECKS)
    assert reports[0]["checks"][0]["detail"] == "证明文件格式正确。"
    assert reports[0]["source"] == {"kind": "anchors_file", "endpoints": [ANCHORS], "block": None}
    assert (status, err) == (1, "")


def test_words_for_a_clerk(run: Run) -> None:
    _, out, _ = run(path("valid"), "--anchors", ANCHORS, "--lang", "zh")
    lines = out.splitlines()
    assert lines[0].endswith(": 登记有效")
    assert "由北京示例软件股份有限公司于2026-11-25" in lines[1]
    assert "现行有效" in lines[1]
    for shown in ("26112983965558933682", "1060.00", "2026-09-01", "税务平台", ANCHORS):
        assert shown in out
    _, out, _ = run(path("valid"), "--anchors", ANCHORS, "--lang", "en")
    assert "Registered and valid" in out
    assert "not that the tax platform issued" in out


@pytest.mark.parametrize(
    ("name", "word", "sentence"),
    [
        ("partly_reversed", "部分红冲", "请核对余额"),
        ("replaced_original", "已被补打替换", "这一份已失效"),
        ("void", "已作废", "将其作废"),
        ("reversed", "已红冲", "全额冲销"),
        ("released", "登记已撤回", "曾被误登记"),
        ("amount_fail", "与存证不符", "请向开票方核实"),
        ("absent", "查无此票", "登记簿中没有这个号码"),
        ("registered", "号码已登记", "内容未出示，无法比对"),
        ("pending", "已受理，待上链", "已签发受理回执"),
        ("stale", "内容属实，状态待更新", "请联网取得最新状态"),
        ("chain_other", "暂不能确定", "这并不表示发票有问题"),
        ("truncated_fail", "无法识别", "这不是证明文件或本系统的二维码"),
        ("presence_partly_reversed", "部分红冲", "内容未出示"),
    ],
)
def test_each_verdict_in_the_words_of_the_pages(run: Run, name: str, word: str, sentence: str) -> None:
    _, out, _ = run(path(name), "--anchors", ANCHORS, "--lang", "zh")
    assert out.splitlines()[0].endswith(f": {word}")
    assert sentence in out
    _, english, _ = run(path(name), "--anchors", ANCHORS, "--lang", "en")
    body = english.replace("北京示例软件股份有限公司", "")
    assert not any("\u4e00" <= character <= "\u9fff" for character in body)


@pytest.mark.parametrize(
    ("environment", "is_chinese"),
    [
        ({}, False),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "C"}, False),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_GB.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "zh"}, True),
    ],
)
def test_the_language_is_that_of_the_locale(
    run: Run, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], is_chinese: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _, out, _ = run(path("valid"), "--anchors", ANCHORS)
    assert ("登记有效" in out) == is_chinese
    assert "登记有效" in run(path("valid"), "--anchors", ANCHORS, "--lang=zh")[1]


def test_a_file_cannot_write_lines_of_its_own(run: Run, tmp_path: Path) -> None:
    """Text in a section may have line feeds, and a file name anything."""
    proof = json.loads(proof_file("pending"))
    proof["sections"]["seller"]["value"]["name"] = "X\n  ✓ 登记有效"
    odd = tmp_path / "a\x1b[2J\nvalid.proof.json"
    odd.write_text(json.dumps(proof))
    _, out, _ = run(odd, "--anchors", ANCHORS, "--lang", "zh")
    assert "\x1b" not in out
    assert "✓ 登记有效" not in out.splitlines()
    assert len(out.splitlines()) == len(run(path("amount_fail"), "--anchors", ANCHORS, "--lang", "zh")[1].splitlines())


USAGE_ERRORS: list[tuple[list[str], str]] = [
    ([], "--trust"),
    ([path("valid")], "--trust"),
    (["--anchors", ANCHORS], "proof file"),
    ([path("valid"), "--bogus"], "--bogus"),
    ([path("valid"), "--anchors"], "--anchors"),
    ([path("valid"), "--anchors", ANCHORS, "--lang", "fr"], "--lang"),
    ([path("valid"), "--anchors", "nowhere.json"], "nowhere.json"),
    ([path("valid"), "--anchors", path("valid")], "anchors"),
    ([path("valid"), "--anchors", str(PROOFS)], "directory"),
    ([path("valid"), "--trust", ANCHORS], "“anchors”"),
    (["nowhere.json", "--anchors", ANCHORS], "nowhere.json"),
    ([path("valid"), "nowhere.json", "--anchors", ANCHORS], "nowhere.json"),
    ([str(PROOFS), "--anchors", ANCHORS], "directory"),
    ([path("valid"), "--rpc", ONE], "--chain-id"),
    ([path("valid"), "--rpc", ONE, "--chain-id", "1"], "--contract"),
    ([path("valid"), "--chain-id", "1", "--contract", CONTRACT], "--rpc"),
    ([path("valid"), "--rpc", ONE, "--chain-id", "x", "--contract", CONTRACT], "--chain-id"),
    ([path("valid"), "--rpc", ONE, "--chain-id", "0" * 5000, "--contract", CONTRACT], "--chain-id"),
    ([path("valid"), "--rpc", ONE, "--chain-id", "1", "--contract", "0x12"], "--contract"),
    ([path("valid"), "--rpc", "ftp://x", "--chain-id", "1", "--contract", CONTRACT], "--rpc"),
    ([path("valid"), "--rpc", "http://", "--chain-id", "1", "--contract", CONTRACT], "--rpc"),
    ([path("valid"), "--anchors", ANCHORS, "--rpc", ONE, "--chain-id", "1", "--contract", CONTRACT], "exclude"),
    ([path("valid"), "--anchors", ANCHORS, "--mirror", "mirror.example"], "--mirror"),
    ([path("valid"), "--anchors", ANCHORS, "--question", "123"], "--question"),
    (["--anchors", ANCHORS, "--question", VALID_QUESTION.to_text()], "--mirror"),
    ([path("valid"), "--anchors", ANCHORS, "--save-anchors", "/nowhere/at/all.json"], "/nowhere/at/all.json"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"), USAGE_ERRORS, ids=lambda value: " ".join(value)[-60:] if isinstance(value, list) else ""
)
def test_usage_errors(run: Run, arguments: list[str], said: str) -> None:
    status, out, err = run(*arguments)
    assert status == 64
    assert err.startswith("usage error: ")
    assert said in err
    assert "Traceback" not in err
    assert out == "" or "--save-anchors" in arguments


def test_usage_errors_in_chinese(run: Run) -> None:
    status, _, err = run("--anchors", path("valid"), "--lang", "zh")
    assert status == 64
    assert err.startswith("用法错误：")
    assert "缺少成员“anchors”" in err


def test_a_mistyped_file_is_found_before_anything_is_verified(run: Run) -> None:
    status, out, _ = run(path("void"), "nowhere.json", "--anchors", ANCHORS)
    assert (status, out) == (64, "")


def test_a_wrong_question_is_not_printed(run: Run) -> None:
    """It holds a commitment, perhaps with a slip."""
    text = VALID_QUESTION.to_text()[:-1]
    assert text not in run(path("valid"), "--anchors", ANCHORS, "--question", text)[2]


@pytest.mark.parametrize("error", [RuntimeError("boom"), RecursionError(), MemoryError(), AssertionError()])
def test_a_crash_is_no_verdict(run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def crash(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "verify", crash)
    status, out, err = run(path("void"), "--anchors", ANCHORS)
    assert (status, out) == (70, "")
    assert err.startswith("Internal error")


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "verify", interrupt)
    assert run(path("void"), "--anchors", ANCHORS)[0] == 130


def test_a_file_that_breaks_off_while_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(cli, "_read", broken)
    status, out, _ = run(path("void"), "--anchors", ANCHORS)
    assert status == 2
    assert "Input/output error" in out


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(proof_file("valid"))))
    status, out, _ = run("-", "--anchors", ANCHORS)
    assert (status, out.splitlines()[0]) == (0, "<stdin>: Registered and valid")


def test_help_and_version(run: Run) -> None:
    status, out, _ = run("--help", "--lang", "zh")
    assert status == 0
    assert "退出码" in out
    assert run("--version")[0] == 0


@pytest.mark.parametrize("question", [VALID_QUESTION.to_text(), "https://host.example/v#" + VALID_QUESTION.to_text()])
def test_a_question(run: Run, question: str) -> None:
    assert run(path("valid"), "--anchors", ANCHORS, "--question", question)[0] == 0
    assert run(path("void"), "--anchors", ANCHORS, "--question", question)[0] == 1


# The chain


def test_a_trust_file(run: Run, chain: Endpoints, trust: str) -> None:
    status, out, _ = run(path("valid"), path("absent"), "--trust", trust, "--json")
    reports = [json.loads(line) for line in out.splitlines()]
    assert [report["verdict"] for report in reports] == ["valid", "absent"]
    assert reports[0]["source"]["endpoints"] == [ONE, TWO]
    assert status == 1
    assert len(chain.requests) <= 6, "F is read once for all files"


def test_endpoints_without_a_trust_file(run: Run, chain: Endpoints) -> None:
    where = ["--chain-id", "31337", "--contract", CONTRACT.upper().replace("0X", "0x")]
    for endpoints in (["--rpc", ONE, TWO], ["--rpc", ONE, "--rpc", TWO]):
        status, out, _ = run(path("valid"), *endpoints, *where, "--json")
        assert (status, json.loads(out)["source"]["endpoints"]) == (0, [ONE, TWO])
    status, out, _ = run("--rpc", ONE, path("valid"), *where, "--lang", "zh")
    assert status == 0
    assert "只询问了一个节点" in out


def test_endpoints_in_place_of_those_of_the_trust_file(run: Run, chain: Endpoints, trust: str) -> None:
    _, out, _ = run(path("valid"), "--trust", trust, "--rpc", ONE, "--json")
    report = json.loads(out)
    assert report["source"]["endpoints"] == [ONE]
    assert report["checks"][4]["result"] == "pass", "the trust file's keys hold"


def test_a_trust_file_without_an_endpoint(run: Run, chain: Endpoints, tmp_path: Path) -> None:
    file = tmp_path / "trust.json"
    file.write_text(json.dumps({"protocol": "zp1", "chain": {"chain_id": 31337, "contract": CONTRACT}}))
    assert run(path("valid"), "--trust", file)[0] == 64
    assert run(path("valid"), "--trust", file, "--rpc", ONE)[0] == 0


def test_several_trust_files(run: Run, chain: Endpoints, trust: str, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**json.loads(Path(trust).read_bytes()), "grace_s": 1}))
    assert run(path("valid"), "--trust", trust, "--trust", trust)[0] == 0
    assert run(path("valid"), "--trust", trust, "--trust", other)[0] == 64


def test_a_dead_chain_is_undecided(run: Run, chain: Endpoints, trust: str) -> None:
    del chain.nodes[TWO]
    status, out, _ = run(path("valid"), path("void"), "--trust", trust, "--lang", "zh")
    assert status == 2
    assert out.count("暂不能确定") == 2
    assert f"节点 {TWO} 没有回答" in out
    assert len(chain.requests) == 2


def test_several_anchors_files(run: Run, tmp_path: Path) -> None:
    old = str(PROOFS / "anchors-head-not-final.json")
    status, out, _ = run(path("valid"), "--anchors", old, "--anchors", ANCHORS, "--json")
    assert (status, json.loads(out)["source"]["endpoints"]) == (0, [old, ANCHORS])
    other = str(PROOFS / "anchors-of-another-contract.json")
    assert run(path("valid"), "--anchors", other, "--anchors", ANCHORS)[0] == 0


# Anchors for later


def test_save_the_anchors_that_a_file_needs(run: Run, chain: Endpoints, trust: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    assert run(path("valid"), "--trust", trust, "--save-anchors", saved)[0] == 0
    assert sorted(json.loads(saved.read_bytes())["anchors"]) == ["3", "9"]
    assert run(path("valid"), "--anchors", saved)[0] == 0
    assert run(path("void"), "--anchors", saved)[0] == 2


def test_save_every_anchor(run: Run, chain: Endpoints, trust: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text("an older one")
    status, out, err = run("--trust", trust, "--save-anchors", saved, "--lang", "zh")
    assert (status, out) == (0, "")
    assert "9" in err
    assert json.loads(saved.read_bytes()) == json.loads(anchors().to_json())
    assert [file.name for file in tmp_path.iterdir() if "part" in file.name] == []


def test_anchors_that_cannot_be_read_are_not_saved(run: Run, chain: Endpoints, trust: str, tmp_path: Path) -> None:
    chain.nodes.clear()
    saved = tmp_path / "saved.json"
    status, _, err = run("--trust", trust, "--save-anchors", saved)
    assert status == 2
    assert "were not saved" in err
    assert not saved.exists()


def test_save_anchors_of_one_contract_at_a_time(run: Run, tmp_path: Path) -> None:
    other = str(PROOFS / "anchors-of-another-contract.json")
    arguments = ["--anchors", ANCHORS, "--anchors", other, "--save-anchors", tmp_path / "saved.json"]
    assert run(*arguments)[0] == 64


# Mirrors


def mirror(files: dict[str, bytes]) -> Post:
    def post(url: str, body: bytes, max_bytes: int) -> Answer:
        return Answer(200, files[json.loads(body)["number"]])

    return post


def test_a_mirror_is_asked_where_no_file_is_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "HttpClient", lambda: mirror({VALID_QUESTION.number: proof_file("valid")}))
    arguments = ["--anchors", ANCHORS, "--question", VALID_QUESTION.to_text(), "--mirror", "http://m.example", "--json"]
    status, out, _ = run(*arguments)
    assert (status, json.loads(out)["file"]) == (0, "http://m.example")


def test_a_mirror_renews_a_stale_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    number = json.loads(proof_file("stale"))["sections"]["header"]["value"]["number"]
    monkeypatch.setattr(cli, "HttpClient", lambda: mirror({number: proof_file("void")}))
    assert run(path("stale"), "--anchors", ANCHORS)[0] == 2
    status, out, _ = run(path("stale"), "--anchors", ANCHORS, "--mirror", "http://m.example", "--json")
    assert (status, json.loads(out)["verdict"]) == (1, "void")


def test_a_bad_mirror(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "HttpClient", lambda: mirror({VALID_QUESTION.number: proof_file("amount_fail")}))
    status, out, _ = run("--anchors", ANCHORS, "--question", VALID_QUESTION.to_text(), "--mirror", "http://m.example")
    assert status == 2
    assert "Cannot be told yet" in out


# Another process


def process(*arguments: str, code: str = "from verifier.cli import main; import sys; sys.exit(main())", **environment: str) -> Any:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROOFS,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_it_runs_where_importing_the_service_raises() -> None:
    code = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('service', 'sqlalchemy', 'web3', 'fastapi', 'typer', 'pydantic', 'lxml'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "try:\n"
        "    import service\n"
        "except ImportError:\n"
        "    from verifier.cli import main\n"
        "    sys.exit(main())\n"
    )
    done = process("valid.proof.json", "--anchors", "anchors.json", code=code)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"valid.proof.json: " in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-8"])
def test_any_terminal(encoding: str) -> None:
    done = process("valid.proof.json", "--anchors", "anchors.json", "--lang", "zh", PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert ("登记有效" in done.stdout.decode(encoding)) == (encoding != "ascii")
    written = process("valid.proof.json", "--anchors", "anchors.json", "--lang", "zh", "--json", PYTHONIOENCODING=encoding)
    assert json.loads(written.stdout)["verdict"] == "valid", "JSON is UTF-8 everywhere"


def test_nobody_reads_on() -> None:
    """A broken pipe is no verdict."""
    code = (
        "import os, sys\n"
        "read, write = os.pipe()\n"
        "os.close(read)\n"
        "os.dup2(write, 1)\n"
        "from verifier.cli import main\n"
        "sys.exit(main())\n"
    )
    done = process("void.proof.json", "--anchors", "anchors.json", code=code)
    assert done.returncode == 70


def test_the_library_functions_take_no_network_by_themselves() -> None:
    assert retrieve(VALID_QUESTION, [anchors()], [], mirror({})).verdict == "undecided"
