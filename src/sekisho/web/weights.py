"""Keys of locked weights over HTTP: the keeper's own key, keys handed in, keys asked for by hosts."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from litestar import Controller, get, post
from litestar.params import RawBody

from sekisho.model.wire import encode_base64
from sekisho.web.description import EnvelopeOperation, KeyOperation, ReadOperation
from sekisho.web.plane import Lent
from sekisho.web.problems import TAKING, declare_problems

__all__ = ["WeightsApi"]


class KeeperKey(msgspec.Struct, frozen=True, kw_only=True):
    """To which key weights' keys are sealed: base64 of its SPKI, and its id. Compare it by another way first."""

    public: str
    key_id: str


class KeyKept(msgspec.Struct, frozen=True, kw_only=True):
    """Which locked weights the keeper now holds the key of."""

    locked: str


class SealedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key sealed to the fresh key of a request: base64."""

    sealed: str


class WeightsApi(Controller):
    """Every route of /api/v1/weights."""

    path = "/api/v1/weights"

    @get(
        "/keeper",
        operation_class=ReadOperation,
        responses=declare_problems(HTTPStatus.SERVICE_UNAVAILABLE),
        sync_to_thread=False,
    )
    def show_keeper(self, plane: Lent) -> KeeperKey:
        """The keeper's public key. An address is no proof of whose it is."""
        key = plane.control.weights.key
        return KeeperKey(public=key.to_text(), key_id=key.key_id)

    @post(
        "/keys",
        status_code=HTTPStatus.OK,
        operation_class=KeyOperation,
        responses=TAKING,
        sync_to_thread=True,
    )
    def take_key(self, body: RawBody, plane: Lent) -> KeyKept:
        """Keep a key that was sealed to the keeper, for weights that the log says are locked with it."""
        return KeyKept(locked=plane.control.weights.take_deposit(body))

    @post(
        "/requests",
        status_code=HTTPStatus.OK,
        operation_class=EnvelopeOperation,
        responses=TAKING,
        sync_to_thread=True,
    )
    def release_key(self, body: RawBody, plane: Lent) -> SealedKey:
        """Give a host the key that its signed request asks for, if it may have it now."""
        return SealedKey(sealed=encode_base64(plane.control.weights.release(body)))
