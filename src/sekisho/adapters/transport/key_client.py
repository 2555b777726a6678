"""The keeper of weights' keys over HTTP, as a host and a party see it."""

from __future__ import annotations

import msgspec

from sekisho.adapters.transport.control_client import ControlClient
from sekisho.model.wire import decode_base64

__all__ = ["KeyClient"]


class _Sealed(msgspec.Struct, frozen=True, kw_only=True):
    sealed: str


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    locked: str


class KeyClient(ControlClient):
    """Implements ports.KeyDesk. Raises what the control plane's client raises; nothing in an answer is believed."""

    def send_key_request(self, envelope: bytes) -> bytes:
        answer = self._ask(_Sealed, "POST", "/api/v1/weights/requests", envelope)
        return decode_base64(answer.sealed, path="sealed key")

    def send_key_deposit(self, raw: bytes) -> str:
        """Hand a sealed key in; the leaf of the weights that it locks."""
        return self._ask(_Kept, "POST", "/api/v1/weights/keys", raw).locked
