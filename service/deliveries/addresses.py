"""Where a webhook may lead: to addresses of the public internet alone, whatever its name is made to resolve to.

Somebody who may name a URL must not make this machine ask its neighbours (server-side request forgery). So the name is resolved
once, every address that it has is looked at, and the connection is made to an address that was looked at: a name that resolves
otherwise a moment later (DNS rebinding) changes nothing.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from service.deliveries.outcomes import Failed
from verifier.transport import is_url

Resolver = Callable[..., list[tuple[Any, ...]]]
"""As socket.getaddrinfo."""

HTTPS_PORT = 443
MAX_URL = 2000

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: how a machine that has IPv6 alone reaches the IPv4 address in the last 32 bits."""
_REFUSED = (
    # Public by number in some versions of Python, but answered by the host of a virtual machine: Azure's WireServer, and Oracle's
    # metadata among the protocol assignments. The other clouds' are link-local, unique local or of the shared space.
    ipaddress.ip_network("168.63.129.16/32"),
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("64:ff9b:1::/48"),
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Whether it is of the public internet, for one machine. What only holds an IPv4 address, for whichever router, is none."""
    if address.version == 6:
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return False
    if any(address in network for network in _REFUSED):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def check_url(url: str, *, anywhere: bool = False) -> SplitResult:
    """Its parts, if a webhook may lead there as far as it can be told without asking for its name: https, port 443, no user.

    `anywhere`: http, other ports and this machine's neighbours too (dev only). Raises Failed("url_not_allowed").
    """
    if len(url) > MAX_URL or not is_url(url):
        raise Failed("url_not_allowed", is_final=True)
    target = urlsplit(url)
    has_user = target.username is not None or target.password is not None
    is_usual = target.scheme == "https" and target.port in (None, HTTPS_PORT)
    if has_user or target.fragment or not (is_usual or anywhere):
        raise Failed("url_not_allowed", is_final=True)
    try:
        if not anywhere and not is_public(ipaddress.ip_address(target.hostname or "")):
            raise Failed("address_not_public", is_final=True)
    except ValueError:
        pass  # a name: what it resolves to is looked at before each delivery
    return target


def resolve(host: str, port: int, resolver: Resolver = socket.getaddrinfo, *, anywhere: bool = False) -> list[str]:
    """The addresses of `host`, in the order in which to try them.

    Raises Failed("name_unknown"), or Failed("address_not_public") if any of them is not: a name of ours for inside and outside is
    none to send to.
    """
    try:
        found = resolver(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise Failed("name_unknown") from None
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not addresses:
        raise Failed("name_unknown")
    if not anywhere and not all(_is_public_text(address) for address in addresses):
        raise Failed("address_not_public")
    return addresses


def _is_public_text(address: str) -> bool:
    try:
        return is_public(ipaddress.ip_address(address))
    except ValueError:  # with a zone (fe80::1%eth0), or nothing that is known
        return False
