"""Where lie the tokens under which telemetry is pushed: known by their digests only, each for one site."""

from __future__ import annotations

from typing import Protocol

import msgspec

from sekisho.model.instants import Instant

__all__ = ["PushToken", "PushTokenStore"]


class PushToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token to push telemetry with, known by its digest only: for one site, until an instant."""

    digest: str
    site: str
    made: Instant
    expires: Instant
    revoked: bool = False


class PushTokenStore(Protocol):
    """Every write is durable before it returns. Raises Unavailable where the disk refuses, and Corrupt."""

    def save_push_token(self, token: PushToken) -> None: ...

    def load_push_tokens(self) -> tuple[PushToken, ...]: ...

    def revoke_push_token(self, digest: str) -> None: ...
