"""E-mail over SMTP. A message is the same bytes at every try, so that a repeat is recognised by its Message-ID.

The standard library's smtplib: the courier is a thread that waits for one server at a time, as everything here is synchronous
(docs/decisions/0002-one-colour.md), so a library for event loops would only be wrapped in one.
"""

import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from service.deliveries.outcomes import Failed
from service.deliveries.queue import Taken

TIMEOUT_S = 20.0
_PORTS = {"smtp": 587, "smtps": 465}
# A long URL that is folded would become an encoded word, which no program follows; a line may have 998 characters (RFC 5322).
_POLICY = SMTP.clone(max_line_length=900)


class Mailbox(NamedTuple):
    """Where mail is handed over, and who it is from. `must_encrypt`: not without TLS."""

    host: str
    port: int
    is_tls: bool
    user: str | None
    password: str | None
    sender: Address
    must_encrypt: bool


def mailbox(url: str, sender: str, *, must_encrypt: bool) -> Mailbox:
    """Of `smtp://user:password@host:port` (STARTTLS where it is offered) or `smtps://…`, and `name <address>` or an address.

    Raises ValueError, which never shows the password.
    """
    target = urlsplit(url)
    if target.scheme not in _PORTS or not target.hostname:
        raise ValueError("ZHENGPIAO_SMTP_URL is smtp:// or smtps:// and a host")
    name, _, address = sender.rpartition("<")
    user = None if target.username is None else unquote(target.username)
    password = None if target.password is None else unquote(target.password)
    try:
        from_ = Address(display_name=name.strip(), addr_spec=address.rstrip(">").strip())
        port = target.port or _PORTS[target.scheme]
    except (ValueError, IndexError):
        raise ValueError("ZHENGPIAO_SMTP_FROM is no address, or ZHENGPIAO_SMTP_URL has no port") from None
    if not from_.domain:
        raise ValueError("ZHENGPIAO_SMTP_FROM is no address")
    return Mailbox(target.hostname, port, target.scheme == "smtps", user, password, from_, must_encrypt)


def compose(box: Mailbox, taken: Taken) -> EmailMessage:
    """What is sent, from what was queued: to, subject, text, html, language, unsubscribe (a link, or null)."""
    said: dict[str, Any] = taken.message
    message = EmailMessage(policy=_POLICY)
    message["From"] = box.sender
    message["To"] = said["to"]
    message["Subject"] = said["subject"]
    message["Date"] = datetime.fromtimestamp(taken.created_at // 1000, UTC)
    message["Message-ID"] = f"<{taken.uid}@{box.sender.domain}>"
    message["Content-Language"] = "zh-CN" if said["language"] == "zh" else "en"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
    if said.get("unsubscribe"):
        message["List-Unsubscribe"] = f"<{said['unsubscribe']}>"
    message.set_content(said["text"], cte="base64")  # for servers that do not take 8 bits
    if said.get("html"):
        message.add_alternative(said["html"], subtype="html", cte="base64")
        message.set_boundary(f"={taken.uid}")
    return message


class Mailer:
    """Hands messages over."""

    def __init__(self, box: Mailbox) -> None:
        self._box = box

    def __call__(self, taken: Taken, _now_ms: int) -> None:
        """Returns when the server has taken it over. Raises Failed: unreachable, not_secure, refused, deferred, login_refused."""
        box = self._box
        message = compose(box, taken)
        try:
            with _connect(box) as server:
                server.send_message(message, box.sender.addr_spec, [taken.message["to"]])
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()  # it has the message: whatever happens now is no failure
        except smtplib.SMTPRecipientsRefused as error:
            status = next(iter(error.recipients.values()))[0]
            raise _refused(status) from None
        except smtplib.SMTPAuthenticationError as error:
            raise Failed("login_refused", status=error.smtp_code) from None
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code) from None
        except ssl.SSLError:
            raise Failed("not_secure") from None
        except TimeoutError:
            raise Failed("timed_out") from None
        except (smtplib.SMTPException, OSError):
            raise Failed("unreachable") from None


def _refused(status: int) -> Failed:
    """5yz is for ever, 4yz for now (RFC 5321 section 4.2.1)."""
    return Failed("refused", status=status, is_final=True) if status >= 500 else Failed("deferred", status=status)


def _connect(box: Mailbox) -> smtplib.SMTP:
    own = box.sender.domain  # else smtplib asks the name service what this machine is called
    if box.is_tls:
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(box.host, box.port, own, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(box.host, box.port, own, timeout=TIMEOUT_S)
    try:
        server.ehlo_or_helo_if_needed()
        if not box.is_tls and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        elif not box.is_tls and box.must_encrypt:
            raise Failed("not_secure")
        if box.user is not None:
            server.login(box.user, box.password or "")
    except BaseException:
        server.close()
        raise
    return server
