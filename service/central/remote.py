"""Another service or node, over HTTP: its feed, its newest anchor, its register pages."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson
import requests

from service.central.feed import MAX_LINE_BYTES, Piece, from_line
from verifier.errors import Malformed

TIMEOUT_S = 30.0


class RemoteFailed(Exception):
    """It gave no answer, or one that is none. The text says what, without secrets."""


class Remote:
    """The service at `url`, asked with an API key of its. Everything that it says is checked by whoever uses it."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._key = key
        self._session.auth = self._authorize  # a function, so that no ~/.netrc takes its place
        self.received = 0
        """Bytes of all answers so far, as they came."""

    def close(self) -> None:
        self._session.close()

    def feed(self, *, sections: bool = False) -> "RemoteFeed":
        """What the key may have of the feed; `sections` for an auditor."""
        return RemoteFeed(self, sections)

    def pieces(self, after: int, *, sections: bool = False) -> Iterator[Piece]:
        """The feed behind seq `after`."""
        query = {"after": str(after)} | ({"sections": "true"} if sections else {})
        with self._get("/v1/feed", query, stream=True) as answer:
            try:
                for line in _lines(answer):
                    self.received += len(line)
                    yield from_line(line)
            except (requests.RequestException, Malformed) as error:
                raise RemoteFailed(f"the feed of {self.url} breaks off ({type(error).__name__})") from None

    def head(self) -> int:
        """Seq of its newest final anchor; 0 before the first."""
        with self._get("/v1/anchors/head", {}, allowed=(404,)) as answer:
            return 0 if answer.status_code == 404 else int(_object(answer)["seq"])

    def pages(self, seq: int, paths: Sequence[str]) -> dict[str, bytes]:
        """Its register pages under these paths as of anchor `seq`."""
        with self._get("/v1/register/pages", {"seq": str(seq), "prefix": ",".join(paths)}) as answer:
            self.received += len(answer.content)
            try:
                found = {path: bytes.fromhex(page) for path, page in _object(answer)["pages"].items() if path in paths}
            except (KeyError, TypeError, ValueError, AttributeError):
                raise RemoteFailed(f"the answer of {self.url} holds no pages") from None
        return found

    def acknowledge(self, cursor: int) -> None:
        """Tell it that everything up to batch `cursor` has arrived."""
        try:
            answer = self._session.post(
                self.url + "/v1/central/acknowledgements", json={"cursor": cursor}, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise RemoteFailed(f"no answer from {self.url} ({type(error).__name__})") from None
        if answer.status_code != 200:
            raise RemoteFailed(f"{self.url}/v1/central/acknowledgements answered {answer.status_code}")

    def trust(self) -> bytes:
        """Its trust file, as it is."""
        with self._get("/v1/trust", {}) as answer:
            return answer.content

    def _get(self, path: str, query: dict[str, str], *, stream: bool = False, allowed: tuple[int, ...] = ()) -> requests.Response:
        try:
            answer = self._session.get(self.url + path, params=query, timeout=TIMEOUT_S, allow_redirects=False, stream=stream)
        except requests.RequestException as error:
            raise RemoteFailed(f"no answer from {self.url} ({type(error).__name__})") from None
        if answer.status_code != 200 and answer.status_code not in allowed:
            with answer:
                hint = ": it needs an API key of its own" if answer.status_code == 401 else ""
                raise RemoteFailed(f"{self.url}{path} answered {answer.status_code}{hint}")
        return answer

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class RemoteFeed(NamedTuple):
    """A Source."""

    remote: Remote
    sections: bool

    def pieces(self, after: int) -> Iterator[Piece]:
        return self.remote.pieces(after, sections=self.sections)


def _object(answer: requests.Response) -> Any:
    try:
        value = orjson.loads(answer.content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RemoteFailed(f"{answer.url.partition('?')[0]} answered what is no JSON object")
    return value


def _lines(answer: requests.Response) -> Iterator[bytes]:
    """Whole lines; one that does not end is none."""
    rest = b""
    for chunk in answer.iter_content(1 << 16):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE_BYTES:
            raise Malformed("a line of the feed is too long")
    if rest:
        raise Malformed("the feed ends in the middle of a line")
