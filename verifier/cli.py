"""zhengpiao-verify: checks proof files on a machine that has nothing of the service (api.md, "Command line")."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import NoReturn, TypeVar

import orjson

from verifier.anchors import Anchors, collect, merge_anchors, parse_anchors
from verifier.carried import MAX_FILE_BYTES, is_pdf, unread_carried, verify_carried
from verifier.chain import ChainReader, RpcReader
from verifier.errors import ChainUnavailable, Malformed
from verifier.fields import Chain, hex_bytes
from verifier.messages import Language, sentence
from verifier.proof import MAX_BYTES, AnchoredProof, PendingProof, Proof
from verifier.question import Question, parse_question
from verifier.report import Check, Report, exit_status
from verifier.retrieve import renew, retrieve
from verifier.strict_json import MAX_INTEGER
from verifier.summary import summary
from verifier.transport import HttpClient, is_url
from verifier.trust import Trust, merge_trust, parse_trust
from verifier.verify import unread, verify

USAGE_ERROR, INTERNAL_ERROR, INTERRUPTED = 64, 70, 130
"""Exit statuses beside those of the verdicts. A file that cannot be read is a usage error: nothing is verified then."""

T = TypeVar("T", Anchors, Trust)

_READING_S = 60
"""A chain reading is used for so long; a node forgets the state of old blocks."""


class _UsageError(Exception):
    """`code` is one of messages.py."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params = params

    def sentence(self, language: Language) -> str:
        params = {name: value.sentence(language) if isinstance(value, Malformed) else value for name, value in self.params.items()}
        return sentence(self.code, params, language)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of protocol.md section 8; 64 for a usage error and 70 for a crash, never 1 or 2."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    language = _language(given, os.environ)
    try:
        with contextlib.suppress(AttributeError):  # whatever stands in for a stream
            sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
            sys.stderr.reconfigure(errors="replace")  # type: ignore[union-attr]
        return _run(_parser(language).parse_args(given), language)
    except _UsageError as error:
        print(sentence("cli.error", {"reason": error.sentence(language)}, language), file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # nobody reads on; what was printed so far is no conclusion
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERNAL_ERROR
    except Exception as error:  # noqa: BLE001  the outermost boundary: a crash must look like no verdict
        print(sentence("cli.internal", {"reason": f"{type(error).__name__}: {error}"}, language), file=sys.stderr)
        return INTERNAL_ERROR


def _run(options: argparse.Namespace, language: Language) -> int:
    files: list[str] = options.files + [value for value in options.rpc if "://" not in value]
    question = _question(options.question)
    given = _Given(options)
    if not files and question is None and options.save_anchors is None:
        raise _UsageError("cli.nothing")
    if not files and question is not None and not options.mirror:
        raise _UsageError("cli.no_mirror")
    for file in files:
        if file != "-":
            _readable(file)
    verdicts: list[str] = []
    proofs: list[Proof] = []
    for report in _reports(files, question, given, options.mirror):
        _print(report, language, as_json=options.json, first=not verdicts)
        verdicts.append(report.verdict)
        if report.proof:
            proofs.append(report.proof)
    if options.save_anchors and not _save(options.save_anchors, given.readers(), proofs if files or question else None, language):
        verdicts.append("undecided")
    return exit_status(verdicts)


def _reports(files: Sequence[str], question: Question | None, given: "_Given", mirrors: Sequence[str]) -> Iterator[Report]:
    for file in files:
        name = "<stdin>" if file == "-" else file
        try:
            data = _read(file)
        except OSError as error:
            yield unread(Check("form", "could_not_check", "form.unreadable", {"reason": error.strerror}), name)
            continue
        if is_pdf(data):
            yield _of_pdf(data, question, given, mirrors, name)
            continue
        report = verify(data, given.readers(), question, file=name)
        yield renew(report, given.readers(), mirrors, given.post, question)
    if not files and question is not None:
        yield retrieve(question, given.readers(), mirrors, given.post)


def _of_pdf(data: bytes, question: Question | None, given: "_Given", mirrors: Sequence[str], name: str) -> Report:
    try:
        from verifier.pdf import read_pdf  # its packages are optional
    except ImportError:
        return unread_carried(Malformed("carried.no_reader"), name)
    try:
        carried = read_pdf(data)
    except Malformed as error:
        return unread_carried(error, name)
    return verify_carried(carried, given.readers(), question, mirrors=mirrors, post=given.post, file=name)


class _Given:
    """What is trusted: a reader for each contract."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.post = HttpClient()
        endpoints = [value for value in options.rpc if "://" in value]
        for option, urls in (("--rpc", endpoints), ("--mirror", options.mirror)):
            for url in urls:
                if not is_url(url):
                    raise _unusable(option, url, Malformed("form.url"))
        self._anchors = [merge_anchors(files) for files in _by_chain(_parsed(options.anchors, parse_anchors))]
        self._trusts = _trusts(options, endpoints)
        if bool(self._anchors) == bool(self._trusts):
            raise _UsageError("cli.two_sources" if self._trusts else "cli.no_source")
        self._readers: Sequence[ChainReader] = self._anchors
        self._since = -float(_READING_S)

    def readers(self) -> Sequence[ChainReader]:
        if self._trusts and time.monotonic() - self._since >= _READING_S:
            self._readers = [RpcReader(trust, self.post) for trust in self._trusts]
            self._since = time.monotonic()
        return self._readers


def _trusts(options: argparse.Namespace, endpoints: Sequence[str]) -> list[Trust]:
    trusts = []
    for files in _by_chain(_parsed(options.trust, lambda data, _: parse_trust(data))):
        trust = merge_trust(files)
        if trust is None:
            raise _UsageError("cli.trust_differs")
        trusts.append(trust._replace(rpc_urls=tuple(endpoints) or trust.rpc_urls))
    is_complete = options.chain_id is not None and options.contract is not None
    if not trusts and endpoints:
        if not is_complete:
            raise _UsageError("cli.rpc_incomplete")
        return [Trust(Chain(_chain_id(options.chain_id), _contract(options.contract)), rpc_urls=tuple(endpoints))]
    if options.chain_id is not None or options.contract is not None:
        raise _UsageError("cli.chain_without_rpc")
    if any(not trust.rpc_urls for trust in trusts):
        raise _UsageError("cli.no_endpoint")
    return trusts


def _by_chain(parsed: Iterable[T]) -> list[list[T]]:
    """Files about one contract belong together."""
    groups: dict[Chain, list[T]] = {}
    for file in parsed:
        groups.setdefault(file.chain, []).append(file)
    return list(groups.values())


def _parsed(paths: Sequence[str], parse: Callable[[bytes, str], T]) -> Iterator[T]:
    for path in paths:
        try:
            yield parse(Path(path).read_bytes(), path)
        except OSError as error:
            raise _UsageError("cli.unreadable", path=path, reason=error.strerror) from None
        except Malformed as error:
            raise _UsageError("cli.unusable", path=path, reason=error) from None


def _unusable(option: str, value: str, error: Malformed) -> _UsageError:
    return _UsageError("cli.value", option=option, value=value, reason=error)


def _question(text: str | None) -> Question | None:
    try:
        return None if text is None else parse_question(text)
    except Malformed as error:
        raise _UsageError("cli.unusable", path="--question", reason=error) from None


def _chain_id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > MAX_INTEGER:
        raise _unusable("--chain-id", text, Malformed("form.range", "--chain-id"))
    return int(text)


def _contract(text: str) -> bytes:
    try:
        return hex_bytes(text.lower().removeprefix("0x"), 20, "--contract")
    except Malformed as error:
        raise _unusable("--contract", text, error) from None


def _readable(path: str) -> None:
    """A mistyped name is found before anything is verified."""
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise _UsageError("cli.unreadable", path=path, reason=error.strerror) from None


def _read(path: str) -> bytes:
    """No more than is needed to see that it is too large."""
    with contextlib.nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
        return data + file.read(MAX_FILE_BYTES + 1 - len(data)) if is_pdf(data) else data


def _print(report: Report, language: Language, *, as_json: bool, first: bool) -> None:
    if as_json:
        sys.stdout.flush()
        sys.stdout.buffer.write(orjson.dumps(report.to_dict(language), option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
    else:
        print(summary(report, language) if first else "\n" + summary(report, language), flush=True)


def _save(path: str, readers: Sequence[ChainReader], proofs: Sequence[Proof] | None, language: Language) -> bool:
    """Write what the readers say of the anchors that the proofs need, or of all: the whole file or nothing."""
    if len(readers) != 1:
        raise _UsageError("cli.several_chains")
    try:
        anchors = collect(readers[0], None if proofs is None else _seqs(proofs))
    except ChainUnavailable as error:
        print(sentence("cli.not_saved", {"reason": sentence(error.reason, error.details, language)}, language), file=sys.stderr)
        return False
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(anchors.to_json())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _UsageError("cli.unwritable", path=path, reason=error.strerror) from None
    print(sentence("cli.saved", {"count": len(anchors.anchors), "path": path}, language), file=sys.stderr)
    return True


def _seqs(proofs: Iterable[Proof]) -> set[int]:
    seqs = set()
    for proof in proofs:
        if not isinstance(proof, PendingProof):
            seqs.add(proof.register.seq)
        if isinstance(proof, AnchoredProof):
            seqs.update((proof.inclusion.seq, proof.state.seq))
    return seqs


def _language(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """By --lang, else by the locale in the order of POSIX."""
    for option, value in pairwise([*arguments, ""]):
        if option.startswith("--lang"):
            return "zh" if option == "--lang=zh" or (option == "--lang" and value == "zh") else "en"
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """argparse would exit with 2, which says *undecided* here."""
        raise _UsageError(message)


def _parser(language: Language) -> _Parser:
    def say(code: str) -> str:
        return sentence(code, {}, language)

    parser = _Parser(prog="zhengpiao-verify", description=say("cli.description"), epilog=say("cli.exit"), allow_abbrev=False)
    parser.add_argument("files", nargs="*", metavar="FILE", help=say("cli.files"))
    parser.add_argument("--trust", action="append", default=[], metavar="FILE", help=say("cli.trust"))
    parser.add_argument("--anchors", action="append", default=[], metavar="FILE", help=say("cli.anchors"))
    parser.add_argument("--rpc", action="extend", nargs="+", default=[], metavar="URL", help=say("cli.rpc"))
    parser.add_argument("--chain-id", metavar="N", help=say("cli.chain_id"))
    parser.add_argument("--contract", metavar="ADDRESS", help=say("cli.contract"))
    parser.add_argument("--question", metavar="N.C", help=say("cli.question"))
    parser.add_argument("--mirror", action="append", default=[], metavar="URL", help=say("cli.mirror"))
    parser.add_argument("--save-anchors", metavar="FILE", help=say("cli.save_anchors"))
    parser.add_argument("--json", action="store_true", help=say("cli.json"))
    parser.add_argument("--lang", choices=("zh", "en"), help=say("cli.lang"))
    parser.add_argument("--version", action="version", version=f"zhengpiao {version('zhengpiao')}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
