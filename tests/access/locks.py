"""Locked weights for tests: a header, a key, and a keeper over a desk."""

from __future__ import annotations

import io
import secrets

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sekisho.access.weights import LockHeader, lock_stream
from sekisho.adapters.keys.deposit_keys import HpkeSealer
from sekisho.adapters.storage.weights_keys import WeightsKeyFolder
from sekisho.model.errors import Unavailable
from sekisho.model.statements import AccessTerms, Reference, Scope, WeightsLocked
from sekisho.model.wire import canonical
from sekisho.operations.desk import Admitted
from sekisho.operations.key_release import KeyKeeper
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.signing import Envelope
from sekisho.signing.keys import Signer
from sekisho.signing.sealing import X25519Opener
from sekisho.signing.weights import KeyRequest, commit_key, seal_deposit, sign_request
from tests import factory as f
from tests.desks import TestDesk

__all__ = ["KEY", "SALT", "Deskless", "KeeperRig", "header_of", "locked_bytes"]

KEY, SALT = bytes(range(32)), bytes(range(16))
LICENCE = Reference(log=f.ORIGIN, leaf="1" * 64)


def header_of(*, chunk: int = 16, licence: Reference = LICENCE, file: int = 0) -> LockHeader:
    return LockHeader(
        model="model-1",
        licence=licence,
        key=commit_key(KEY, SALT),
        key_salt=SALT.hex(),
        file_salt=f"{file:064x}",
        chunk=chunk,
    )


def locked_bytes(plain: bytes, header: LockHeader | None = None) -> bytes:
    target = io.BytesIO()
    lock_stream(io.BytesIO(plain), target, header or header_of(), KEY)
    return target.getvalue()


class KeeperRig:
    """A desk with licence LIC-1 for host-1, weights locked under it, and their key with the keeper."""

    def __init__(self, desk: TestDesk) -> None:
        self.desk = desk
        self.opener = X25519Opener(X25519PrivateKey.generate())
        self.shelf = WeightsKeyFolder(desk.folder / "weights")
        self.keeper = KeyKeeper(desk.desk, self.shelf, opener=self.opener, sealer=HpkeSealer())
        desk.desk.on_recorded(self.keeper.take_recorded)
        self.licence = desk.licensed()
        fact = WeightsLocked(
            effective=desk.clock.now(),
            model="model-1",
            party="party-1",
            licence=Reference(log=f.ORIGIN, leaf=self.licence.leaf),
            plaintext="1" * 64,
            ciphertext="2" * 64,
            bytes=100,
            key=commit_key(KEY, SALT),
        )
        self.locked = desk.desk.admit(f.signed(fact, f.PARTY).raw)

    def deposit(self, *, drawn: bytes = KEY, **changes: object) -> str:
        sealed = seal_deposit(drawn, SALT, "2" * 64, self.opener.key, HpkeSealer())
        return self.keeper.take_deposit(canonical(msgspec.structs.replace(sealed, **changes)))

    def request(
        self, *, host: str = "host-1", by: Signer = f.HOST, **changes: object
    ) -> tuple[Envelope, X25519Opener]:
        opener = X25519Opener(X25519PrivateKey.generate())
        request = KeyRequest(
            log=f.ORIGIN,
            host=host,
            locked=self.locked.leaf,
            public=opener.key.to_text(),
            nonce=secrets.token_hex(16),
            at=self.desk.clock.now(),
        )
        return sign_request(msgspec.structs.replace(request, **changes), by), opener

    def order(self, kind: str, *, access: AccessTerms | None = None) -> Admitted:
        plan = OrderPlan(
            kind=kind,  # type: ignore[arg-type]  # the test's own word
            scope=Scope(hosts=("host-1",)),
            effect="suspend-access" if kind == "suspend-access" else "freeze",
            lasts_s=600,
            legal_basis="Test act",
            appeal="in writing",
            access=access,
        )
        order = draft_order(self.desk.desk.state, plan, now=self.desk.clock.now())
        return self.desk.desk.admit(f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)


class Deskless:
    """Implements ports.KeyDesk over a keeper, or is silent."""

    def __init__(self, keeper: KeyKeeper) -> None:
        self.keeper = keeper
        self.is_silent = False
        self.asked: list[bytes] = []

    def send_key_request(self, envelope: bytes) -> bytes:
        if self.is_silent:
            raise Unavailable("nobody there")
        self.asked.append(envelope)
        return self.keeper.release(envelope)
