"""A running service, over HTTP: api.md's conventions, and what its answers mean for a command."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from service.cli.outcome import Exit, Failed, language
from verifier.messages import Language
from verifier.transport import is_url

TIMEOUT_S = 60.0
_TRIES = 4
"""Of a request that is answered with 503, 429 or not at all, as long as repeating it can do no harm."""
_LONGEST_WAIT_S = 10.0

Answer = requests.Response


class Remote:
    """The service at `url`, asked with an API key. Every failure is Failed, with the service's own words."""

    def __init__(self, url: str, key: str | None, language: Language) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._session = requests.Session()
        self._session.headers["Accept-Language"] = language
        self._session.auth = self._authorize  # a function, so that no ~/.netrc takes its place

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """The answer, if it is a success. GET, and whatever has an Idempotency-Key, is repeated a few times before it fails."""
        repeatable = method == "GET" or "Idempotency-Key" in (headers or {})
        for left in reversed(range(_TRIES if repeatable else 1)):
            try:
                answer = self._session.request(
                    method,
                    self.url + path,
                    params=query,
                    json=json,
                    data=data,
                    headers=headers,
                    timeout=timeout_s,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                if left:
                    time.sleep(0.5)
                    continue
                unknown = "" if method == "GET" else "; whether it was done is unknown"
                detail = f"no answer from {self.url} ({type(error).__name__}){unknown}. Ask again"
                raise Failed(Exit.UNAVAILABLE, "no_answer", detail) from None
            if 200 <= answer.status_code < 300:
                return answer
            if answer.status_code not in (429, 503) or not left:
                raise _failure(answer)
            time.sleep(_retry_after_s(answer))
        raise AssertionError("unreachable")

    def ask_json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """The same, of an answer that is a JSON object."""
        answer = self.ask(method, path, **request)
        value = _json(answer)
        if value is None:
            raise _unexpected(Exit.UNAVAILABLE, answer)
        return value

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def remote(*, needs_key: bool = True) -> Remote:
    """As ZHENGPIAO_URL and ZHENGPIAO_KEY, or ZHENGPIAO_KEY_FILE, say."""
    key = os.environ.get("ZHENGPIAO_KEY")
    file = os.environ.get("ZHENGPIAO_KEY_FILE")
    if not key and file:
        try:
            key = Path(file).read_text().strip()
        except OSError as error:
            raise Failed(Exit.CONFIGURATION, "settings", f"ZHENGPIAO_KEY_FILE: {file}: {error.strerror}") from None
    if not key and needs_key:
        raise Failed(Exit.NOT_ALLOWED, "not_authenticated", "an API key is needed: set ZHENGPIAO_KEY or ZHENGPIAO_KEY_FILE")
    url = os.environ.get("ZHENGPIAO_URL") or "http://127.0.0.1:8000"
    if not is_url(url):
        raise Failed(Exit.CONFIGURATION, "settings", "ZHENGPIAO_URL is not an http or https address")
    return Remote(url, key, language())


def _failure(answer: Answer) -> Failed:
    status = answer.status_code
    if status in (401, 403):
        exit_ = Exit.NOT_ALLOWED
    elif status < 400 or status == 429 or status >= 500:
        exit_ = Exit.UNAVAILABLE
    else:
        exit_ = Exit.REFUSED
    problem = _json(answer)
    if problem is None or "code" not in problem:
        return _unexpected(exit_, answer)
    errors = problem.get("errors") or []
    lines = [problem.get("detail") or problem.get("title") or problem["code"]]
    lines += [f"  {found.get('pointer')}: {found.get('detail')} ({found.get('code')})" for found in errors]
    members = {name: value for name, value in problem.items() if name not in ("type", "title", "detail", "code")}
    return Failed(exit_, problem["code"], "\n".join(lines), **members)


def _unexpected(exit_: Exit, answer: Answer) -> Failed:
    return Failed(exit_, "unexpected_answer", f"{answer.url} answered with {answer.status_code}, and not as this service does")


def _json(answer: Answer) -> dict[str, Any] | None:
    try:
        value = answer.json()
    except requests.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _retry_after_s(answer: Answer) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said) if said.isdecimal() else 1.0, _LONGEST_WAIT_S)
