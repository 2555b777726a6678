"""Who may push telemetry, and for which site: a push token, or the assertion of an enrolled fleet agent.

A token is made for one site, shown once, and known here by its digest. Whatever site a body names, what it says stands
under the site of its token. Tokens are never logged and never part of an error's words.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Name
from sekisho.model.wire import from_json
from sekisho.operations.register.fleet import Fleet, TokenRefused, UnknownToken
from sekisho.ports.clock import Clock
from sekisho.ports.push_token_store import PushToken, PushTokenStore

__all__ = ["PushPlan", "Pusher", "Pushers", "make_push_token", "revoke_push_token"]

KNOWN_FOR_S: Final = 1.0
"""A token that was made or revoked beside a running server counts there after so long."""
MAX_LASTS_S: Final = 10 * 365 * 86_400
_TOKEN: Final = re.compile(r"skm_[0-9a-f]{64}")
# A folder's name in the store of telemetry: a site that no folder can bear would have every body refused.
_SITE: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?", re.ASCII)


class PushPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a push token is to be good for."""

    site: str
    lasts_s: int = 365 * 86_400


class Pusher(msgspec.Struct, frozen=True, kw_only=True):
    """Who pushes: for which site; `renewed` is an agent's next assertion, where its own has had its first half."""

    site: str
    renewed: str = ""


def make_push_token(
    store: PushTokenStore, plan: PushPlan, *, now: Instant, secret: bytes
) -> tuple[str, PushToken]:
    """Keep a token's digest and give its text, which nobody can read again. Raises InvalidInput."""
    if len(secret) != 32:
        raise InvalidInput("a token has 32 random bytes")
    from_json(Name, plan.site, path="site")
    if _SITE.fullmatch(plan.site) is None:
        raise InvalidInput(
            "is no name that telemetry can be kept under",
            path="site",
            remedy="use letters, digits and . _ - that begin and end with a letter or digit",
        )
    if not 60 <= plan.lasts_s <= MAX_LASTS_S:
        raise InvalidInput("a token lasts from one minute to ten years", path="lasts")
    text = f"skm_{secret.hex()}"
    token = PushToken(
        digest=_digest(text), site=plan.site, made=now, expires=now.plus(plan.lasts_s)
    )
    # Crash before or while it is kept: its text was not shown, and nobody has it.
    store.save_push_token(token)
    return text, token


def revoke_push_token(store: PushTokenStore, digest: str) -> PushToken:
    """End a token, named by the first eight or more digits of its digest. Raises InvalidInput."""
    named = [token for token in store.load_push_tokens() if token.digest.startswith(digest)]
    if len(digest) < 8 or len(named) != 1:
        raise InvalidInput(
            f"{len(named)} push tokens begin with {digest[:64]!r}",
            path="token",
            remedy="sekisho meter tokens",
        )
    store.revoke_push_token(named[0].digest)
    return named[0]


class Pushers:
    """Tells who pushes. Safe to ask from any thread.

    The tokens are few and are held in memory, read anew once a second where somebody asks: a flood of wrong tokens
    costs a digest each, and no look into the database.
    """

    def __init__(self, store: PushTokenStore, fleet: Fleet, clock: Clock) -> None:
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, PushToken] = {}
        self._read_s = -KNOWN_FOR_S

    def identify(self, text: str) -> Pusher:
        """Who bears this token. Raises what an assertion raises, but for what is none of the two.

        UnknownToken: nobody here gave it. TokenRefused: it is over or revoked.
        """
        if _TOKEN.fullmatch(text) is None:
            try:
                site, renewed = self._fleet.identify(text)
            except InvalidInput:
                raise UnknownToken(
                    "is neither a push token (skm_ and 64 digits) nor a fleet agent's assertion",
                    remedy="sekisho meter token --site SITE; an agent enrols again",
                ) from None
            return Pusher(site=site, renewed=renewed)
        return self._judge(text, self._load())

    def recall(self, text: str) -> Pusher | None:
        """Who bears a good push token, where the tokens were read within the second; never waits for anything."""
        if self._clock.elapsed_s() - self._read_s >= KNOWN_FOR_S or not _TOKEN.fullmatch(text):
            return None
        try:
            return self._judge(text, self._known)
        except (UnknownToken, TokenRefused):
            return None

    def _judge(self, text: str, known: Mapping[str, PushToken]) -> Pusher:
        digest = _digest(text)
        token = known.get(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            raise UnknownToken("no such push token was made here", remedy="sekisho meter token")
        if token.revoked or token.expires <= self._clock.now():
            raise TokenRefused("the push token is over", remedy="sekisho meter token")
        return Pusher(site=token.site)

    def _load(self) -> Mapping[str, PushToken]:
        with self._lock:
            now_s = self._clock.elapsed_s()
            if now_s - self._read_s >= KNOWN_FOR_S:
                self._known = {token.digest: token for token in self._store.load_push_tokens()}
                self._read_s = now_s
            return self._known


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
