"""The trust file: what a verifier is given to trust, apart from the material (protocol.md section 8)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from verifier import strict_json
from verifier.errors import Malformed
from verifier.fields import Chain, chain, hex_bytes, integer, members
from verifier.proof import PROTOCOL
from verifier.receipt import is_public_key, key_id
from verifier.strict_json import shortened
from verifier.transport import is_url

_REQUIRED = frozenset(("protocol", "chain"))
_TIMES = ("promise_s", "heartbeat_s", "grace_s", "max_lag_s")
_OPTIONAL = frozenset(("service_keys", "rpc_urls", "finality", *_TIMES))


class Trust(NamedTuple):
    """`service_keys`: Ed25519 public keys (32 bytes) by key id. `confirmations`: how many blocks below the latest one F is; None:
    the chain itself says what is finalized. The times are in seconds.
    """

    chain: Chain
    service_keys: Mapping[str, bytes] = MappingProxyType({})
    rpc_urls: tuple[str, ...] = ()
    confirmations: int | None = None
    promise_s: int = 60
    heartbeat_s: int = 3600
    grace_s: int = 300
    max_lag_s: int = 3600

    def to_json(self) -> bytes:
        finality = "finalized" if self.confirmations is None else {"confirmations": self.confirmations}
        return orjson.dumps(
            {
                "protocol": PROTOCOL,
                "chain": self.chain.to_members(),
                "service_keys": {name: key.hex() for name, key in self.service_keys.items()},
                "rpc_urls": list(self.rpc_urls),
                "finality": finality,
                "promise_s": self.promise_s,
                "heartbeat_s": self.heartbeat_s,
                "grace_s": self.grace_s,
                "max_lag_s": self.max_lag_s,
            }
        )


def parse_trust(data: bytes) -> Trust:
    """Raises Malformed, also for a member that the protocol does not know: what is trusted is not guessed at."""
    value = strict_json.loads(data)
    members(value, _REQUIRED, "", _OPTIONAL)
    protocol(value)
    given = {name: integer(value[name], f"/{name}") for name in _TIMES if name in value}
    return Trust(
        chain(value["chain"]),
        service_keys(value.get("service_keys", {})),
        _rpc_urls(value.get("rpc_urls", [])),
        _confirmations(value.get("finality", "finalized")),
        **given,
    )


def merge_trust(files: Sequence[Trust]) -> Trust | None:
    """Several files about one contract: all their endpoints have to agree. None where the files ask for different things."""
    first = files[0]
    if any(file[3:] != first[3:] for file in files):
        return None
    keys = {name: key for file in files for name, key in file.service_keys.items()}
    return first._replace(service_keys=keys, rpc_urls=tuple(dict.fromkeys(url for file in files for url in file.rpc_urls)))


def protocol(value: dict[str, Any]) -> None:
    """What is trusted must speak of this protocol."""
    if value["protocol"] != PROTOCOL:
        raise Malformed("form.protocol")


def service_keys(value: Any) -> dict[str, bytes]:
    """Ed25519 public keys by the key id that each of them has."""
    if type(value) is not dict:
        raise Malformed("form.object", "/service_keys")
    keys = {}
    for name, written in value.items():
        pointer = f"/service_keys/{shortened(name)}"
        key = hex_bytes(written, 32, pointer)
        if key_id(key) != name or not is_public_key(key):
            raise Malformed("form.key_id", pointer)
        keys[name] = key
    return keys


def _rpc_urls(value: Any) -> tuple[str, ...]:
    if type(value) is not list or len(value) > 100:
        raise Malformed("form.list", "/rpc_urls", most=100)
    for index, url in enumerate(value):
        if type(url) is not str or not is_url(url):
            raise Malformed("form.url", f"/rpc_urls/{index}")
    return tuple(value)


def _confirmations(value: Any) -> int | None:
    if value == "finalized":
        return None
    members(value, frozenset(("confirmations",)), "/finality")
    return integer(value["confirmations"], "/finality/confirmations")
