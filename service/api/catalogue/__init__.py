"""Every problem that the API can answer with: its status, and what it says in Chinese and English (api.md, "Conventions").

A sentence is looked up by its code and, where a code has several, by `params["case"]`, as in service/messages.py, which has the
findings of content. tests/unit/test_problems.py holds that no code that is raised anywhere lacks its sentences here.
"""

from collections.abc import Mapping

from service.api.catalogue.errors import ERRORS
from service.api.catalogue.invoices import INVOICES
from service.api.catalogue.problem import Problem
from service.api.catalogue.reprints import REPRINTS
from service.api.catalogue.requests import REQUESTS
from service.api.catalogue.staff import STAFF
from service.messages import FILES, FINDINGS, Language
from service.messages import sentence as sentence_of_finding

__all__ = ["ERRORS", "PROBLEMS", "RELAXED", "Problem", "detail_of_error", "find", "member", "sentence"]

ROOMS = (REQUESTS, INVOICES, STAFF, REPRINTS)
PROBLEMS: dict[str, Problem] = {code: problem for room in ROOMS for code, problem in room.items()}

STATUS_WORDS: dict[str, tuple[str, str]] = {
    "valid": ("有效", "valid"),
    "void": ("作废", "void"),
    "reversed": ("红冲", "reversed"),
    "partly_reversed": ("部分红冲", "partly reversed"),
    "released": ("已释放", "released"),
    "awaiting_approval": ("待审批", "awaiting approval"),
}

RELAXED: dict[str, tuple[str, str]] = {
    "env_dev": ("这是开发或演示环境。", "This is an environment for development or demonstration."),
    "one_endpoint": ("只通过一个节点读取区块链。", "The chain is read through one endpoint alone."),
    "public_url_http": ("公开地址没有用 https。", "The public URL is not https."),
    "confirmations": ("以区块确认数代替区块链自己的最终性。", "A number of confirmations stands for the chain's own finality."),
    "anonymous_unlimited": ("匿名请求没有频率限制。", "Requests without a key are not limited."),
    "webhooks_anywhere": ("推送可以发往任何地址，包括内网。", "Webhooks may lead anywhere, to private addresses too."),
    "sqlite": ("数据库是单机的 SQLite。", "The database is SQLite, on one machine."),
}
"""What /status says of each control that is less strict than it can be."""

_OF_CONTENT = frozenset(key.partition("/")[0] for key in FINDINGS)
_BAD_FILE = ("文件无法导入", "The file cannot be imported")


def find(code: str, params: Mapping[str, str] | None = None) -> Problem:
    """The problem of a code. One that is not in any catalogue is a defect: KeyError."""
    case = (params or {}).get("case") or (params or {}).get("status")
    found = PROBLEMS.get(f"{code}/{case}") or PROBLEMS.get(code)
    return found if found is not None else Problem(422, _BAD_FILE, FILES[code])


def sentence(text: tuple[str, str], params: Mapping[str, str], language: Language) -> str:
    """One of two sentences, filled; a status is said in words."""
    english = language == "en"
    words = {name: STATUS_WORDS[value][english] for name, value in params.items() if name == "status" and value in STATUS_WORDS}
    return text[english].format_map({**params, **words})


def detail_of_error(code: str, params: Mapping[str, str], language: Language, pointer: str) -> str:
    """The sentence of one of `errors`: about content as messages.py has it, about the request by ERRORS or PROBLEMS."""
    if code in _OF_CONTENT:
        return sentence_of_finding(code, params, language, pointer)
    case = params.get("case")
    pair = ERRORS.get(f"{code}/{case}") or ERRORS.get(code) or PROBLEMS[code].detail
    return sentence(pair, {"place": member(pointer, language), **params}, language)


def member(pointer: str, language: Language) -> str:
    """What a pointer into a body leads to: a member by its name, since whoever reads this wrote it."""
    if not pointer:
        return ("请求体", "the body")[language == "en"]
    return pointer[1:] if pointer.count("/") == 1 else pointer
