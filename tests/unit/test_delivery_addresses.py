"""Where a webhook may lead, whatever a name is made to resolve to."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from service.deliveries.addresses import check_url, is_public, resolve
from service.deliveries.outcomes import Failed
from service.deliveries.posting import post

_PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::6810:84e5", "64:ff9b::808:808"]
_PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",  # noqa: S104 - as a target it is this machine
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "2001:db8::1",
    "::ffff:8.8.8.8",  # nobody's name has it: what it would be good for is to be taken for something else
    "2001::1",
]


@pytest.mark.parametrize("text", _PUBLIC)
def test_public_addresses_are_allowed(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", _PRIVATE)
def test_what_is_not_public_is_refused_in_every_disguise(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://example.com:8443/",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com/#fragment",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://",
        "https:///x",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://example.com/" + "x" * 2000,
        "",
    ],
)
def test_urls_that_no_webhook_may_have(url: str) -> None:
    with pytest.raises(Failed) as failure:
        check_url(url)
    assert failure.value.is_final


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:443/a?b=c", "https://发票.example/x"])
def test_urls_that_it_may_have(url: str) -> None:
    if not url.isascii():
        url = "https://xn--jlqv04d.example/x"
    assert check_url(url).hostname is not None


def test_in_dev_they_may_be_neighbours() -> None:
    assert check_url("http://127.0.0.1:8080/x", anywhere=True).port == 8080
    with pytest.raises(Failed):
        check_url("ftp://127.0.0.1/", anywhere=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "0", "localhost", "127.0.0.1."])
def test_other_spellings_of_this_machine_are_refused_by_what_they_resolve_to(host: str) -> None:
    with pytest.raises(Failed) as failure:
        resolve(host, 443)
    assert failure.value.code in ("address_not_public", "name_unknown")


def _rows(*addresses: str) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    with pytest.raises(Failed, match="address_not_public"):
        resolve("both.example", 443, lambda *_, **__: _rows("8.8.8.8", "10.0.0.1"))
    with pytest.raises(Failed, match="address_not_public"):
        resolve("zone.example", 443, lambda *_, **__: _rows("fe80::1%eth0"))
    assert resolve("good.example", 443, lambda *_, **__: _rows("8.8.8.8", "1.1.1.1", "8.8.8.8")) == ["8.8.8.8", "1.1.1.1"]


def test_a_name_without_an_address_is_unknown() -> None:
    def nowhere(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(Failed, match="name_unknown"):
        resolve("gone.example", 443, nowhere)
    with pytest.raises(Failed, match="name_unknown"):
        resolve("empty.example", 443, lambda *_, **__: [])


def test_a_name_that_resolves_otherwise_a_moment_later_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [_rows("8.8.8.8"), _rows("127.0.0.1"), _rows("127.0.0.1")]
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    def resolver(host: str, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return answers.pop(0)

    def connect(address: tuple[str, int], **_: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("service.deliveries.posting.socket.create_connection", connect)
    with pytest.raises(Failed, match="unreachable"):
        post(check_url("https://rebinding.example/hook"), b"{}", {}, resolver=resolver)
    assert (asked, connected) == (["rebinding.example"], [("8.8.8.8", 443)])
