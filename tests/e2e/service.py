"""The real application on a real chain, without people: its worker's steps, and what an issuer asks of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from service.worker import build
from tests.chain import Chain, RegistryContract
from tests.e2e.site import Served
from tests.integration.api import Api


class Service:
    """Each step when a test wants it."""

    def __init__(self, chain: Chain, contract: RegistryContract, database: Path) -> None:
        self.api = Api(
            f"sqlite:///{database}",
            contract=contract.address,
            chain_id=chain.chain_id,
            rpc_urls=(chain.url,),
            anchor_key=chain.accounts[2].private_key,
            public_url="http://localhost",
            max_lag_s=10**9,
        )
        self.served = Served(self.api.app, "localhost")
        self.worker: Any = build(self.api.settings, self.api.database)
        self.client = httpx2.Client(base_url=self.served.url, timeout=30)
        self.hosts = [self.served.url[7:], chain.url[7:]]
        self.work()

    def close(self) -> None:
        self.client.close()
        self.served.stop()
        self.api.database.close()

    def work(self) -> None:
        self.worker.run_once()
        self.api.context._status = None

    def register(self, sections: dict[str, Any]) -> Any:
        answer = self.client.post(
            "/v1/invoices",
            json={"profile": "as_issued", "sections": sections},
            headers=self.api.key("issuer", sections["seller"]["tax_id"]),
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def finish(self, *numbers: str) -> None:
        """Work until what is known of these is final."""
        deadline = time.monotonic() + 60
        while any(self.state(number) != "final" for number in numbers):
            assert time.monotonic() < deadline
            self.work()
            time.sleep(0.05)

    def state(self, number: str) -> str:
        state: str = self.client.get(f"/v1/invoices/{number}", headers=self.api.auditor).json()["state"]
        return state

    def link(self, made: Any) -> str:
        """Where its QR code leads, on this host."""
        return f"{self.served.url}/v{made['links']['verify'].partition('/v')[2]}"


@contextmanager
def serving(chain: Chain, folder: Path) -> Iterator[Service]:
    """On a contract of its own, with its database in that folder."""
    service = Service(chain, RegistryContract.deploy(chain), folder / "service.db")
    try:
        yield service
    finally:
        service.close()
