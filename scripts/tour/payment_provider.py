"""A payment provider for the demo and for tests, as service/reprints/provider.py describes one. No money is moved by it.

    python -m scripts.tour.payment_provider [--port N]

Prints one line of JSON when it listens: {"url"}. PAYMENT_KEY is what whoever asks must show, PAYMENT_SECRET (whsec_ and base64)
what its call-backs are signed with. /pay/ID is the page with the button; / lists every payment. It imports nothing of the service.
"""

import argparse
import hmac
import json
import os
import secrets
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

TRIES = 6
FIRST_PAUSE_S = 0.5
MAX_BYTES = 1 << 16

_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif }}
main {{ max-width: 420px; margin: 48px auto; padding: 0 16px }}
h1 {{ font-size: 22px }} dt {{ opacity: .7 }} dd {{ margin: 0 0 12px; font-size: 20px; font-variant-numeric: tabular-nums }}
button {{ width: 100%; min-height: 48px; font: inherit; border: 0; border-radius: 8px; background: #1d4ed8; color: #fff }}
p {{ opacity: .8 }}
</style><main>{body}</main></html>"""


@dataclass
class Payment:
    """`state`: open, paid or refunded."""

    id: str
    asked: dict[str, str]
    state: str = "open"
    refund: str = ""


@dataclass
class Provider:
    """What was asked for, by what it was asked under; `calls` counts each call-back that was taken over."""

    key: str
    secret: str
    payments: dict[str, Payment] = field(default_factory=dict)
    by_key: dict[str, Any] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, asked: dict[str, str], idempotency_key: str) -> Payment:
        with self.lock:
            found = self.by_key.get(idempotency_key)
            if found is None:
                found = self.by_key[idempotency_key] = Payment(f"pay_{secrets.token_hex(8)}", asked)
                self.payments[found.id] = found
            return cast(Payment, found)

    def pay(self, payment: Payment) -> bool:
        """Whether it was open until now."""
        with self.lock:
            if payment.state != "open":
                return False
            payment.state = "paid"
        self.call_back(payment, "payment.paid")
        return True

    def refund(self, payment: Payment) -> bool:
        """Whether there is something to be refunded, now or before."""
        with self.lock:
            if payment.state == "open":
                return False
            payment.state = "refunded"
            payment.refund = payment.refund or f"ref_{secrets.token_hex(8)}"
        return True

    def call_back(self, payment: Payment, type_: str) -> None:
        """In a thread of its own, tried again as a provider does."""
        said = {"type": type_, "payment": payment.id, "reference": payment.asked["reference"]}
        body = json.dumps({**said, "amount": payment.asked["amount"], "currency": payment.asked["currency"]}).encode()
        id_ = f"evt_{secrets.token_hex(8)}"
        threading.Thread(target=self._deliver, args=(payment.asked["notify_url"], id_, body), daemon=True).start()

    def _deliver(self, url: str, id_: str, body: bytes) -> None:
        for n in range(TRIES):
            try:
                with urllib.request.urlopen(self._request(url, id_, body), timeout=10):  # noqa: S310  whoever has the key says where
                    self.calls.append({"id": id_, "body": json.loads(body)})
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(FIRST_PAUSE_S * 2**n)

    def _request(self, url: str, id_: str, body: bytes) -> urllib.request.Request:
        timestamp = str(int(time.time()))
        key = b64decode(self.secret.removeprefix("whsec_"))
        signed = b64encode(hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, sha256)).decode()
        headers = {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signed}"}
        return urllib.request.Request(url, body, {**headers, "Content-Type": "application/json"})  # noqa: S310


class Handler(BaseHTTPRequestHandler):
    server_version = "payment-provider"

    @property
    def provider(self) -> Provider:
        return cast(Server, self.server).provider

    def do_GET(self) -> None:
        payment = self._of_path("/pay/")
        if self.path == "/":
            items = "".join(
                f'<li><a href="/pay/{one.id}">{escape(one.asked["reference"])}</a> ¥{escape(one.asked["amount"])} {one.state}</li>'
                for one in self.provider.payments.values()
            )
            self._page("付款 Payments", f"<h1>演示付款平台 · Demo payments</h1><ul>{items}</ul>")
        elif payment is not None:
            self._page("付款 Pay", _body(payment))
        else:
            self._json({"error": "not found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BYTES))
        paying = self._of_path("/pay/")
        if paying is not None:
            self.provider.pay(paying)
            self.send_response(303)
            self.send_header("Location", paying.asked["return_url"])
            self.end_headers()
            return
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {self.provider.key}"):
            self._json({"error": "key"}, 401)
            return
        asked, idempotency_key = json.loads(body or b"{}"), self.headers.get("Idempotency-Key", "")
        refunding = self._of_path("/payments/", "/refund")
        if self.path == "/payments" and idempotency_key:
            made = self.provider.create(asked, idempotency_key)
            self._json({"id": made.id, "url": f"http://{self.headers['Host']}/pay/{made.id}"}, 201)
        elif refunding is not None and self.provider.refund(refunding):
            self._json({"id": refunding.refund, "state": "done"}, 200)
        else:
            self._json({"error": "not found"}, 404)

    def _of_path(self, before: str, after: str = "") -> Payment | None:
        path = self.path.partition("?")[0]
        if not path.startswith(before) or not path.endswith(after):
            return None
        return self.provider.payments.get(path[len(before) : len(path) - len(after)])

    def _json(self, members: dict[str, Any], status: int) -> None:
        self._answer(json.dumps(members).encode(), "application/json", status)

    def _page(self, title: str, body: str) -> None:
        self._answer(_PAGE.format(title=escape(title), body=body).encode(), "text/html; charset=utf-8", 200)

    def _answer(self, data: bytes, type_: str, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, provider: Provider) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.provider = provider

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _body(payment: Payment) -> str:
    facts = (
        ("收款方 To", "发票登记簿（演示）"),
        ("事由 For", payment.asked["subject"]),
        ("金额 Amount", f"¥{payment.asked['amount']}"),
    )
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    back = escape(payment.asked["return_url"])
    if payment.state == "open":
        act = '<form method="post"><button autofocus>支付 Pay</button></form>'
    else:
        said = "已付款 Paid" if payment.state == "paid" else "已退款 Refunded"
        act = f'<p role="status">{said}</p><p><a href="{back}">返回 Back</a></p>'
    return f"<h1>演示付款平台 · Demo payments</h1><p>不涉及真钱。No money is moved.</p><dl>{listed}</dl>{act}"


def main() -> int:
    parser = argparse.ArgumentParser("payment_provider")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    server = Server(options.port, Provider(os.environ["PAYMENT_KEY"], os.environ["PAYMENT_SECRET"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": server.url}), flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.shutdown()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
