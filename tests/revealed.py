"""A home with a lease and its end in it, both deposited for three holders: what `sekisho disclosure` works on."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.adapters.storage import FileTileStore
from sekisho.model.wire import canonical
from sekisho.signing import TrustRoot
from sekisho.signing.sealing import X25519Opener
from tests import factory as f
from tests.desks import TestDesk
from tests.operations.test_depositing import closed

__all__ = ["TestHome", "make_home", "write_holder"]


class TestHome(msgspec.Struct, frozen=True, kw_only=True):
    """The folder, its root, and the payload digests and disclosures of the two statements that conceal something."""

    __test__ = False
    folder: Path
    root: TrustRoot
    granted: str
    closed: str
    disclosures: dict[str, tuple[str, ...]]
    leaves: dict[str, str]

    @property
    def log(self) -> FileTileStore:
        return FileTileStore(self.folder / "public" / "log")


def make_home(folder: Path, *, holders: int = 3) -> TestHome:
    """A home as `up` leaves one behind, its newest checkpoint cosigned."""
    folder.mkdir(mode=0o700, parents=True)
    with TestDesk(folder, holders=holders) as desk:
        closing = closed(desk)
        desk.clock.move(1)
        desk.desk.mark_time()
        desk.cosigned()
        (granted,) = [r for r in desk.desk.recorded() if r.verified.kind == "lease-granted"]
        made = TestHome(
            folder=folder,
            root=desk.root,
            granted=granted.verified.digest,
            closed=closing.digest,
            disclosures=desk.private.load_disclosures(),
            leaves={granted.verified.digest: granted.leaf, closing.digest: closing.leaf},
        )
    (folder / "public").mkdir()
    (folder / "log").rename(folder / "public" / "log")
    (folder / "trust.json").write_bytes(canonical(made.root) + b"\n")
    (folder / "keys").mkdir(mode=0o700)
    _write_pem(folder / "keys" / "log.pem", f.LOG.private)
    _write_pem(folder / "keys" / "operator.pem", f.OPERATOR.private)
    return made


def write_holder(folder: Path, name: str, holder: X25519Opener) -> Path:
    """A holder's private key as its file."""
    path = folder / f"{name}.x25519"
    _write_pem(path, holder._private)
    return path


def _write_pem(path: Path, key: Ed25519PrivateKey | X25519PrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
