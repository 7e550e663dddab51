"""Settings: `ZHENGPIAO_…` variables, a `.env` file, and for secrets also a file named by `ZHENGPIAO_…_FILE`."""

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from verifier.receipt import key_id

_PREFIX = "ZHENGPIAO_"
_WHSEC = re.compile(r"whsec_(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SECRETS = (
    "node_keys",
    "follow_key",
    "receipt_key",
    "anchor_key",
    "deployer_key",
    "data_keys",
    "database_url",
    "smtp_url",
    "sms_secret",
    "payment_key",
    "payment_secret",
)


class Settings(BaseSettings):
    """Every setting of the service with its default; docs/operations.md lists them."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_file=".env", extra="ignore", frozen=True)

    env: Literal["dev", "production"] = "dev"
    database_url: SecretStr = SecretStr("sqlite:///var/zhengpiao.db")
    rpc_urls: Annotated[tuple[str, ...], NoDecode] = ("http://127.0.0.1:8545",)
    public_rpc_urls: Annotated[tuple[str, ...] | None, NoDecode] = None
    """Endpoints that the trust file names; None: `rpc_urls` in dev, and none in production, where those may hold secrets."""
    contract: str | None = None
    chain_id: int = 31337
    public_url: str = "http://127.0.0.1:8000"
    nodes: Annotated[tuple[str, ...], NoDecode] = ()
    """Query nodes that reconciliation and diagnoses look at, by URL."""
    node_keys: SecretStr | None = None
    """An API key of each of `nodes` for its register pages, comma-separated, in that order."""
    follow: str | None = None
    """URL of the service that this process follows: then it is a query node."""
    service_keys: Annotated[tuple[str, ...], NoDecode] = ()
    """Public keys (Ed25519, 32 bytes in hex) of the service that a node follows, for its trust file."""
    follow_key: SecretStr | None = None
    """API key of the service that a query node or a mirror follows."""

    regions: Annotated[tuple[str, ...], NoDecode] = ()
    """The first two digits of the region codes that this registry is for; empty: all of them."""
    reprint_fee: Decimal = Field(default=Decimal("20.00"), ge=0, max_digits=9, decimal_places=2)
    """What a reprint costs where the registry is not at fault, in CNY."""
    reprint_days: int = Field(default=1826, ge=1)
    """The reprint period: so long after its date a reprint of an invoice is given."""
    reprint_case_days: int = Field(default=14, ge=1)
    """How long an applicant has for materials, and for a fee; then the case expires."""
    reprint_review_days: int = Field(default=7, ge=1)
    """In that time a reviewer should decide; a case never expires by our being late."""

    material_max_bytes: int = Field(default=10 * 2**20, ge=1, le=32 * 2**20)
    """Of one file that an applicant for a reprint sends."""
    material_max_pages: int = Field(default=20, ge=1, le=200)
    materials_max_count: int = Field(default=10, ge=1)
    """Files of one case."""
    materials_keep_days: int = Field(default=90, ge=0)
    """So long materials are kept after their case has closed."""

    smtp_url: SecretStr | None = None
    """Where e-mail is handed over: `smtp://user:password@host:port` or `smtps://…`; None: e-mail waits in the queue."""
    smtp_from: str = "no-reply@localhost"
    """Whom it is from: an address, or `name <address>`."""
    sms_url: str | None = None
    """Of the SMS provider; None: SMS waits in the queue."""
    sms_secret: SecretStr | None = None
    """`whsec_` and base64, shared with the provider: it signs what is sent there."""
    webhooks_anywhere: bool = False
    """Let webhooks lead to private addresses, other ports and http: for dev only."""
    webhook_give_up_days: int = Field(default=5, ge=1)
    """A webhook that fails for so long is disabled."""
    delivery_keep_days: int = Field(default=30, ge=1)
    """So long the text and the recipient of a message are kept after it was sent or given up."""

    payment_methods: Annotated[tuple[str, ...], NoDecode] = ("bank_transfer",)
    """How a reprint that is charged is paid for: bank_transfer, provider."""
    payment_account: str = ""
    """Where bank transfers go, as applicants are told: holder, bank, account number."""
    payment_url: str | None = None
    """The payment provider (service/reprints/provider.py says what it has to speak)."""
    payment_key: SecretStr | None = None
    """By which the provider knows us."""
    payment_secret: SecretStr | None = None
    """whsec_ and base64: signs the provider's call-backs."""
    payment_tolerance_s: int = Field(default=300, ge=1)
    """How far the time of a call-back may be from ours."""

    receipt_key: SecretStr | None = None
    """Ed25519 private key, 32 bytes in hex, that signs receipts."""
    anchor_key: SecretStr | None = None
    """Private key of the anchoring role, 32 bytes in hex."""
    deployer_key: SecretStr | None = None
    """Private key that `zhengpiao deploy` pays with."""

    data_keys: SecretStr | None = None
    """Keys that encrypt at rest, as `version:32 bytes in hex`, comma-separated: `1:…,2:…`; the highest version is used."""

    promise_s: int = Field(default=60, ge=1)
    """What a receipt promises: anchored within that many seconds."""
    troubled_promise_s: int = Field(default=86_400, ge=1)
    """The same while the chain or the worker is in trouble."""
    heartbeat_s: int = Field(default=3600, ge=1)
    note_s: int = Field(default=600, ge=1)
    """How often the head of the activity log is anchored, where it has changed."""
    idempotency_s: int = Field(default=30 * 86_400, ge=86_400)
    """So long a write may be asked for again by its Idempotency-Key; then the worker forgets it."""
    grace_s: int = Field(default=300, ge=0)
    max_lag_s: int = Field(default=3600, ge=1)
    confirmations: int | None = Field(default=None, ge=1)
    """Blocks that make an anchor final, for a chain that has no finalized block; None: the chain's own finality."""

    reconcile_s: int = Field(default=86_400, ge=0)
    """How often the worker compares the whole store with the chain; 0: only when it is told to."""

    max_backlog: int = Field(default=500_000, ge=1)
    """Accepted entries that are not sealed yet; above that, writes get 503."""
    anonymous_per_minute: int = Field(default=600, ge=0)
    """Requests that one network (IPv4 /32, IPv6 /64) may POST without a key; 0: any number."""
    threads: int = Field(default=8, ge=1)
    """Threads of an API process for handlers. For more load: more processes, not threads (docs/decisions/0002-one-colour.md)."""
    poll_s: float = Field(default=0.25, gt=0)
    """How often the worker looks for new entries and new blocks."""
    worker_silent_s: int = Field(default=30, ge=1)
    """After that long without a sign of life of the worker, receipts promise less."""
    rpc_timeout_s: float = Field(default=5.0, gt=0)
    stuck_s: int = Field(default=30, ge=1)
    """A transaction that is not mined after that long is replaced by one with a higher fee."""
    max_fee_gwei: float = Field(default=500.0, gt=0)
    """Fee cap of one unit of gas; above that the worker waits and raises an alarm."""

    @property
    def public_service_keys(self) -> dict[str, bytes]:
        """`service_keys` by key id."""
        keys = [bytes.fromhex(key) for key in self.service_keys]
        return {key_id(key): key for key in keys}

    @field_validator("rpc_urls", "public_rpc_urls", "nodes", "service_keys", "regions", "payment_methods", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("regions")
    @classmethod
    def _region_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(len(code) == 2 and code.isascii() and code.isdigit() for code in value):
            raise ValueError("a region is two digits, such as 11")
        return value

    @field_validator("payment_methods")
    @classmethod
    def _payment_methods(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= {"bank_transfer", "provider"}:
            raise ValueError("a payment method is bank_transfer or provider")
        return value

    @field_validator("contract")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None or value == "":
            return None
        if len(value) != 42 or not value.startswith("0x"):
            raise ValueError("an address is 0x and 40 hex digits")
        bytes.fromhex(value[2:])
        return value.lower()

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in _SECRETS:
            path = os.environ.get(f"{_PREFIX}{name.upper()}_FILE")
            if path and not values.get(name):
                values[name] = Path(path).read_text().strip()
        return values

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        given = (self.payment_url, self.payment_key, self.payment_secret)
        if "provider" in self.payment_methods and None in given:
            raise ValueError("a payment provider needs ZHENGPIAO_PAYMENT_URL, ZHENGPIAO_PAYMENT_KEY and ZHENGPIAO_PAYMENT_SECRET")
        if self.payment_secret is not None and not _WHSEC.fullmatch(self.payment_secret.get_secret_value()):
            raise ValueError("ZHENGPIAO_PAYMENT_SECRET is not whsec_ and base64 of 24 bytes or more")
        return self

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.env == "production" and not self.public_url.startswith("https://"):
            raise ValueError("ZHENGPIAO_PUBLIC_URL must be https in production")
        if self.env == "production" and self.webhooks_anywhere:
            raise ValueError("ZHENGPIAO_WEBHOOKS_ANYWHERE is for dev only")
        return self


def secret_bytes(secret: SecretStr | None, variable: str) -> bytes:
    """The 32 bytes of a private key in hex. Raises ValueError, which never shows the key."""
    if secret is None:
        raise ValueError(f"{variable} is not set")
    try:
        key = bytes.fromhex(secret.get_secret_value().removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError(f"{variable} is not 32 bytes in hex")
    return key
