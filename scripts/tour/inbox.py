"""What the demo's people receive: a mail server, an SMS provider and a webhook receiver in one process, and a page that shows it.

    python -m scripts.tour.inbox FOLDER [--port N] [--smtp-port N]

Prints one line of JSON when it listens: {"url", "smtp_url", "sms_url", "webhook_url"}. Each thing that arrives becomes a file in
FOLDER: .eml, .sms.json, .webhook.json. What comes a second time (by Message-ID, Idempotency-Key or webhook-id) is counted, and kept
once, as a careful receiver does. SMS_SECRET, where it is set, is what requests to the provider must be signed with.
"""

import argparse
import json
import os
import re
import signal
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from scripts.tour.inbox_page import page
from service.reprints.notice_texts import TEXTS

MAX_BYTES = 1 << 20
_LINE = 2000
_ID = re.compile(r"[^A-Za-z0-9_-]+")


class Inbox:
    """Everything that arrived, oldest first. `on_arrival` is called before a sender learns that it was taken over."""

    def __init__(self, folder: Path, on_arrival: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.folder = folder
        self.arrived: list[dict[str, Any]] = []
        self.repeats = 0
        self._on_arrival = on_arrival
        self._known: set[str] = set()
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, channel: str, id_: str, suffix: str, data: bytes, shown: dict[str, Any]) -> None:
        """Keep it, unless it was kept before."""
        with self._lock:
            if f"{channel} {id_}" in self._known:
                self.repeats += 1
                return
            self._known.add(f"{channel} {id_}")
            name = f"{len(self.arrived) + 1:04d}-{_ID.sub('_', id_)[:60]}{suffix}"
            draft = self.folder / f".{name}"
            draft.write_bytes(data)
            draft.rename(self.folder / name)
            message = {"id": id_, "channel": channel, "at": int(time.time() * 1000), "file": name, **shown}
            self.arrived.append(message)
        if self._on_arrival is not None:
            self._on_arrival(message)

    def keep_mail(self, data: bytes, to: list[str]) -> None:
        message = message_from_bytes(data, policy=default)
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        shown = {
            "to": ", ".join(to),
            "subject": str(message["subject"]),
            "text": plain.get_content() if plain is not None else "",
            "html": html.get_content() if html is not None else None,
        }
        self.keep("email", str(message["message-id"]), ".eml", data, shown)

    def keep_sms(self, id_: str, body: bytes) -> None:
        """A provider has the templates under their names, and fills them in."""
        sent = json.loads(body)
        text = TEXTS[sent["template"].removeprefix("reprint_")][sent["language"]].sms or ""
        shown = {"to": sent["to"], "subject": sent["template"], "text": text.format_map(sent["parameters"])}
        self.keep("sms", id_, ".sms.json", body, shown)

    def keep_webhook(self, id_: str, path: str, body: bytes) -> None:
        said = json.loads(body)
        text = json.dumps(said.get("data"), ensure_ascii=False, indent=2)
        self.keep("webhook", id_, ".webhook.json", body, {"to": path, "subject": said.get("type"), "text": text})


class Servers:
    """The two servers, each in a thread, until `close`. Port 0: a free one."""

    def __init__(self, inbox: Inbox, port: int = 0, smtp_port: int = 0, sms_secret: str | None = None) -> None:
        self.inbox = inbox
        self._smtp = _Smtp(("127.0.0.1", smtp_port), _Conversation)
        self._smtp.inbox = inbox
        self._http = _Http(("127.0.0.1", port), _Page)
        self._http.inbox = inbox
        self._http.sms_secret = sms_secret
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.smtp_url = f"smtp://127.0.0.1:{self._smtp.server_address[1]}"
        for server in (self._smtp, self._http):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def to_json(self) -> dict[str, str]:
        return {"url": self.url, "smtp_url": self.smtp_url, "sms_url": f"{self.url}/sms", "webhook_url": f"{self.url}/webhooks"}

    def close(self) -> None:
        for server in (self._smtp, self._http):
            server.shutdown()
            server.server_close()


class _Smtp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    inbox: Inbox


class _Http(ThreadingHTTPServer):
    block_on_close = False
    inbox: Inbox
    sms_secret: str | None


class _Conversation(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs to hand a message over."""

    timeout = 30

    def handle(self) -> None:
        to: list[str] = []
        self._say(220, "inbox of the demo")
        while line := self.rfile.readline(_LINE):
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            verb = verb.upper()
            if verb == "QUIT":
                self._say(221, "bye")
                return
            if verb == "DATA":
                self._say(354, "go on")
                cast(_Smtp, self.server).inbox.keep_mail(self._data(), to)
                to = []
            elif verb == "RCPT":
                to.append(rest.partition("<")[2].partition(">")[0])
            elif verb not in ("EHLO", "HELO", "MAIL", "RSET", "NOOP"):
                self._say(502, "not here")
                continue
            self._say(250, "ok")

    def _data(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline(MAX_BYTES)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b".") else line)
        return b"".join(lines)

    def _say(self, code: int, text: str) -> None:
        self.wfile.write(f"{code} {text}\r\n".encode())


class _Page(BaseHTTPRequestHandler):
    """`/` the page, `/messages.json`, `/messages/N.html` an e-mail's HTML; POST /sms and /webhooks/…"""

    timeout = 30
    server_version = "demo"
    sys_version = ""

    @property
    def _inbox(self) -> Inbox:
        return cast(_Http, self.server).inbox

    def do_GET(self) -> None:
        inbox, path = self._inbox, self.path.partition("?")[0]
        if path == "/":
            self._answer(200, "text/html; charset=utf-8", page(inbox.arrived).encode())
        elif path == "/messages.json":
            said = {"messages": inbox.arrived, "repeats": inbox.repeats}
            self._answer(200, "application/json", json.dumps(said, ensure_ascii=False).encode())
        elif (found := re.fullmatch(r"/messages/([0-9]{1,6})\.html", path)) and int(found[1]) < len(inbox.arrived):
            html = inbox.arrived[int(found[1])].get("html")
            self._answer(200 if html else 404, "text/html; charset=utf-8", (html or "").encode())
        else:
            self._answer(404, "text/plain", b"")

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_BYTES:
            self._answer(413, "text/plain", b"")
            return
        body, path = self.rfile.read(size), self.path.partition("?")[0]
        try:
            if path == "/sms":
                secret = cast(_Http, self.server).sms_secret
                if secret is not None:
                    Webhook(secret).verify(body, dict(self.headers))
                self._inbox.keep_sms(self.headers["Idempotency-Key"], body)
            elif path.startswith("/webhooks"):
                self._inbox.keep_webhook(self.headers["webhook-id"], path, body)
            else:
                self._answer(404, "text/plain", b"")
                return
        except WebhookVerificationError:
            self._answer(401, "text/plain", b"")
        except (KeyError, TypeError, ValueError):
            self._answer(400, "text/plain", b"")
        else:
            self._answer(204, None, b"")

    def _answer(self, status: int, media_type: str | None, body: bytes) -> None:
        self.send_response(status)
        if media_type is not None:
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def main() -> int:
    parser = argparse.ArgumentParser("inbox")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    servers = Servers(Inbox(options.folder), options.port, options.smtp_port, os.environ.get("SMS_SECRET"))
    print(json.dumps(servers.to_json()), flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    servers.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
