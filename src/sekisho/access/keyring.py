"""The host's side of locked weights: it holds the key in memory for as long as a lease, and lets go of it in time.

Half-way through each lease it asks anew, with a fresh key and a fresh nonce. A refusal ends it at once; silence when
lease and grace are over. Then the key is overwritten and whoever serves is told to stop. Python leaves copies of bytes
behind that nobody can overwrite: against somebody who reads this process's memory none of this helps.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sekisho.access.weights import LockHeader
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.ports.clock import Clock
from sekisho.ports.weights_keys import KeyDesk
from sekisho.signing.keys import Signer
from sekisho.signing.sealing import X25519Opener
from sekisho.signing.weights import KeyRequest, open_release, sign_request

__all__ = ["HeldKey"]

ASK_AGAIN_S = 5.0


class HeldKey:
    """The key of one locked file on one host. Not for threads: one loop asks, renews and lets go."""

    def __init__(  # noqa: PLR0913  # who asks whom for what, and who is told
        self,
        header: LockHeader,
        locked: str,
        *,
        host: str,
        log: str,
        signer: Signer,
        desk: KeyDesk,
        clock: Clock,
        on_drop: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._header = header
        self._locked = locked
        self._host = host
        self._log = log
        self._signer = signer
        self._desk = desk
        self._clock = clock
        self._on_drop = on_drop
        self._key: bytearray | None = None
        self._ends_s = self._asks_s = 0.0
        self.why = ""

    @property
    def is_held(self) -> bool:
        return self._key is not None

    def key(self) -> bytes:
        """A copy, for decrypting. Raises Unavailable where the key is not held (any more)."""
        if self._key is None:
            raise Unavailable(self.why or "the key was not asked for yet")
        return bytes(self._key)

    def ask(self) -> None:
        """Ask the keeper and hold the key. Raises StateConflict or NotAuthorised as it refuses, Unavailable."""
        asked_s = self._clock.elapsed_s()
        opener = X25519Opener(X25519PrivateKey.generate())
        request = KeyRequest(
            log=self._log,
            host=self._host,
            locked=self._locked,
            public=opener.key.to_text(),
            nonce=secrets.token_hex(16),
            at=self._clock.now(),
        )
        envelope = sign_request(request, self._signer)
        sealed = self._desk.send_key_request(envelope.raw)
        released, key = open_release(sealed, envelope.digest, opener, self._header.key)
        self._overwrite()
        self._key = bytearray(key)
        # From when it was asked, so that a slow answer lengthens nothing.
        self._asks_s = asked_s + released.lease_s / 2
        self._ends_s = asked_s + released.lease_s + released.grace_s

    def look(self) -> float:
        """Renew or let go where it is time; gives the seconds after which to look again."""
        now = self._clock.elapsed_s()
        if self._key is None:
            return ASK_AGAIN_S
        if now >= self._ends_s:
            self.drop("the keeper was silent past the lease and its grace")
            return ASK_AGAIN_S
        if now >= self._asks_s:
            self._renew(now)
        return max(min(self._asks_s, self._ends_s) - self._clock.elapsed_s(), 0.0)

    def drop(self, why: str) -> None:
        """Overwrite the key and tell whoever serves. Harmless where it is gone already."""
        if self._key is None:
            return
        self._overwrite()
        self.why = why
        self._on_drop(why)

    def _renew(self, now: float) -> None:
        try:
            self.ask()
        except Unavailable:
            self._asks_s = now + ASK_AGAIN_S
        except SekishoError as error:
            self.drop(f"the keeper refused: {error.message}")

    def _overwrite(self) -> None:
        if self._key is not None:
            self._key[:] = bytes(len(self._key))
        self._key = None
