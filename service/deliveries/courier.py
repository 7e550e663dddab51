"""Couriers: take what is due, send it, and write down what came of it. Each channel has threads of its own: a webhook that does not
answer keeps no one-time code waiting.

Any number of them may work in any number of processes: a delivery is taken in a transaction that one alone can win. They may be
killed at any point: see queue.py.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from service.config import Settings
from service.db import Database
from service.deliveries import endpoints, events, queue
from service.deliveries.mail import Mailer, mailbox
from service.deliveries.outcomes import Failed
from service.deliveries.queue import CHANNELS, LEASE_MS, Channel, Taken
from service.deliveries.sms import SmsProvider
from service.deliveries.timing import LONGEST_PAUSE_S, TRIES, pause_ms
from service.deliveries.webhooks import Sender, Webhooks
from service.vault import NotDecrypted, Vault, vault

log = structlog.get_logger(__name__)

POLL_S = 0.5
_LANES: dict[Channel, int] = {"email": 1, "sms": 1, "webhook": 3}
"""Threads of a channel."""
_AFTER_TROUBLE_S = 5.0
_FORGET_S = 3600.0
_DAY_MS = 86_400_000


class Rules(NamedTuple):
    """`give_up_days` of failure disable an endpoint; texts are kept `keep_days` after they were sent or given up."""

    give_up_days: int = 5
    keep_days: int = 30
    lease_ms: int = LEASE_MS


class Courier:
    """Sends by `senders`; what belongs to a channel that has none waits. `clock` gives seconds since 1970 UTC, `chance` [0, 1)."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        senders: Mapping[Channel, Sender],
        rules: Rules = Rules(),  # noqa: B008 - nothing changes it
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._vault = vault
        self._senders = dict(senders)
        self._rules = rules
        self._clock = clock
        self._chance = chance
        self._forgot_at = 0.0

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that it can send by."""
        return tuple(channel for channel in CHANNELS if channel in self._senders)

    def step(self, channel: Channel) -> bool:
        """Send one thing that is due by a channel. Whether there was any; the events that webhooks wait for are spread before."""
        now_ms = self._now_ms()
        if channel == "webhook":
            self._spread(now_ms)
        with self._database.read() as connection:
            waiting = queue.waiting(connection, (channel,), now_ms)
        for id_ in waiting:
            taken = self._take(id_, now_ms)
            if taken is not None:
                self._deliver(taken)
                return True
        return False

    def forget(self) -> None:
        """Delete what is kept no longer: texts with their recipients, and events."""
        before = self._now_ms() - self._rules.keep_days * _DAY_MS
        with self._database.write() as connection:
            count = queue.forget(connection, before)
            events.forget(connection, before)
        if count:
            log.info("deliveries_forgotten", count=count)

    def forget_now_and_then(self) -> None:
        """The same, once an hour."""
        now = self._clock()
        if not 0 <= now - self._forgot_at < _FORGET_S:
            self._forgot_at = now
            self.forget()

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _spread(self, now_ms: int) -> None:
        with self._database.read() as connection:
            if not events.is_waiting(connection):
                return
        with self._database.write() as connection:
            events.spread(connection, self._vault, now_ms)

    def _take(self, id_: int, now_ms: int) -> Taken | None:
        try:
            with self._database.write() as connection:
                return queue.take(connection, id_, self._vault, now_ms, self._rules.lease_ms)
        except NotDecrypted:
            log.error("delivery_not_readable", id=id_)
            with self._database.write() as connection:
                queue.give_up(connection, id_, now_ms, "not_readable")
            return None

    def _deliver(self, taken: Taken) -> None:
        failed = self._send(taken)
        now_ms = self._now_ms()
        with self._database.write() as connection:
            if failed is None:
                is_mine = queue.settle(connection, taken, "sent", now_ms)
            elif failed.is_final or taken.tries >= TRIES:
                is_mine = queue.settle(connection, taken, "dead", now_ms, error=failed.code, status=failed.status)
            else:
                pause = max(pause_ms(taken.tries, self._chance()), 1000 * min(failed.retry_after_s, LONGEST_PAUSE_S))
                due_at = now_ms + pause
                is_mine = queue.settle(connection, taken, "queued", now_ms, due_at=due_at, error=failed.code, status=failed.status)
            is_disabled = is_mine and self._note(connection, taken, failed, now_ms)
        if is_disabled:
            log.warning("webhook_disabled", endpoint=taken.endpoint_id)
        if failed is None:
            log.info("delivered", channel=taken.channel, event_name=taken.event, id=taken.id, tries=taken.tries)
        else:
            log.warning("not_delivered", channel=taken.channel, id=taken.id, code=failed.code, status=failed.status)

    def _send(self, taken: Taken) -> Failed | None:
        """Why it was not delivered; None where it was."""
        now_ms = self._now_ms()
        if taken.expires_at is not None and now_ms >= taken.expires_at:
            return Failed("too_late", is_final=True)
        if taken.tries > TRIES:  # whoever took it so often died of it
            return Failed("given_up", is_final=True)
        try:
            self._senders[taken.channel](taken, now_ms)
        except Failed as failed:
            return failed
        except DBAPIError:
            raise  # the lease lets another try have it
        except Exception as error:
            log.error("delivery_failed", channel=taken.channel, id=taken.id, exc_info=error)
            return Failed("internal")
        return None

    def _note(self, connection: Connection, taken: Taken, failed: Failed | None, now_ms: int) -> bool:
        """What a webhook's endpoint learns of it. Whether it was disabled by that."""
        if taken.endpoint_id is None:
            return False
        if failed is None:
            endpoints.note_success(connection, taken.endpoint_id)
            return False
        days = self._rules.give_up_days
        return endpoints.note_failure(connection, taken.endpoint_id, failed, self._vault, now_ms, self._chance(), days)


class Rounds:
    """Couriers at work in threads of this process, until `stop` is set. What they meet ends none of them."""

    def __init__(self, courier: Courier, stop: threading.Event) -> None:
        self._courier = courier
        self._stop = stop
        lanes = [channel for channel in courier.channels for _ in range(_LANES[channel])]
        self._threads = [
            # Daemons: a process that is to end does not wait for another machine. What they were sending is sent again.
            threading.Thread(target=self._work, args=(channel, n == 0), name=f"courier-{channel}-{n}", daemon=True)
            for n, channel in enumerate(lanes)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until each has finished what it was sending, so long at most."""
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self, channel: Channel, forgets: bool) -> None:
        while not self._stop.is_set():
            pause = POLL_S
            try:
                if forgets:
                    self._courier.forget_now_and_then()
                pause = 0.0 if self._courier.step(channel) else POLL_S
            except DBAPIError as error:
                log.error("database_unavailable", step=f"courier_{channel}", kind=type(error.orig).__name__)
                pause = _AFTER_TROUBLE_S
            except Exception as error:
                log.error("courier_failed", channel=channel, exc_info=error)
                pause = _AFTER_TROUBLE_S
            self._stop.wait(pause)


def build(settings: Settings, database: Database) -> Courier | None:
    """A courier as the settings say; None where nothing can be encrypted, so that nothing was queued. Raises ValueError."""
    if settings.data_keys is None:
        return None
    keys = vault(settings)
    senders = senders_of(settings)
    senders["webhook"] = Webhooks(database, keys, anywhere=settings.webhooks_anywhere)
    return Courier(database, keys, senders, Rules(settings.webhook_give_up_days, settings.delivery_keep_days))


def senders_of(settings: Settings) -> dict[Channel, Sender]:
    """Those that go to a machine of the operator's choice. Raises ValueError for a setting that is none."""
    senders: dict[Channel, Sender] = {}
    if settings.smtp_url is not None:
        box = mailbox(settings.smtp_url.get_secret_value(), settings.smtp_from, must_encrypt=settings.env == "production")
        senders["email"] = Mailer(box)
    if settings.sms_url is not None:
        secret = "" if settings.sms_secret is None else settings.sms_secret.get_secret_value()
        senders["sms"] = SmsProvider(settings.sms_url, secret)
    return senders
