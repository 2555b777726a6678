"""Notices by webhook: one POST each, its body signed with a secret that receiver and sender share.

`sekisho-signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA-256 over `SECONDS.BODY`: the same as for events of the
register. A receiver recomputes it, and takes no older time than it likes.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from sekisho.adapters.transport.webhook_client import HttpWebhooks
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.ports.clock import Clock
from sekisho.ports.notifier import Notice
from sekisho.ports.subscriptions import Delivery

__all__ = ["MIN_SECRET", "WebhookNotifier"]

MIN_SECRET: Final = 32


class WebhookNotifier:
    """Implements ports.Notifier. Raises InvalidInput for an address or a secret that will not do."""

    def __init__(self, url: str, secret: bytes, clock: Clock) -> None:
        if len(secret) < MIN_SECRET:
            raise InvalidInput(
                f"a secret of {len(secret)} bytes is too short",
                path="secret_file",
                remedy="head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE",
            )
        self._webhooks = HttpWebhooks()
        self._webhooks.check(url)
        self._url = url
        self._secret = secret
        self._clock = clock

    def tell(self, notice: Notice) -> None:
        body = canonical(notice)
        seconds = self._clock.now().us // 1_000_000
        mac = hmac.new(self._secret, b"%d." % seconds + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "sekisho-notice": notice.notice,
            "sekisho-event": notice.event,
            "sekisho-signature": f"t={seconds},v1={mac}",
        }
        self._webhooks.deliver(Delivery(url=self._url, body=body, headers=headers))

    def close(self) -> None:
        self._webhooks.close()
