"""Reading a public log under a trust root."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import DamagedTile, QuorumMissing, WrongOrigin
from sekisho.ledger.fsck import check_log
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.operations.reading import claimed_origin, policy_of, read_state
from sekisho.ports.tile_store import NotStored
from sekisho.signing import ForgedRegime
from tests import factory
from tests.cli.ceremonies import PAUSED, sealed_until
from tests.factory_bundle import Cast, write_folder


@pytest.fixture
def store(tmp_path: Path) -> FileTileStore:
    write_folder(tmp_path, sealed_until(PAUSED).files)
    return FileTileStore(tmp_path / "log")


ROOT = sealed_until(PAUSED).root


def test_a_log_is_folded_under_its_root(store: FileTileStore) -> None:
    """State and checkpoint are those of the whole tree, and the files hold throughout."""
    state, cosigned = read_state(store, ROOT)
    assert state.size == cosigned.checkpoint.size
    assert list(state.regime.hosts) == ["host-1"]
    assert state.orders.heads["pause/JP"].number == 1
    assert check_log(store, policy_of(ROOT)).holds
    assert claimed_origin(store) == factory.ORIGIN


def test_disclosures_open_the_books(store: FileTileStore, tmp_path: Path) -> None:
    """Without them the lease is undisclosed, with them it is in the books."""
    from sekisho.ceremony import load_disclosures

    (hidden,) = read_state(store, ROOT)[0].licences.licences.values()
    opened = load_disclosures(str(tmp_path / "disclosures.json"))
    (known,) = read_state(store, ROOT, opened)[0].licences.licences.values()
    assert (hidden.undisclosed, hidden.book.leased) == (1, 0)
    assert (known.undisclosed, known.book.leased > 0) == (0, True)


def test_a_log_of_a_forged_regime_does_not_pass(store: FileTileStore) -> None:
    """The right log key and witnesses with another first charter: ForgedRegime."""
    with pytest.raises(ForgedRegime):
        read_state(store, msgspec.structs.replace(ROOT, charter="sha256:" + "0" * 64))


def test_a_log_without_its_witnesses_does_not_pass(store: FileTileStore) -> None:
    """A checkpoint that the root's witnesses did not cosign is refused, and so is another log's key."""
    other = Cast(salt=" other").root()
    with pytest.raises((BadSignature, QuorumMissing)):
        read_state(store, other)
    swapped = msgspec.structs.replace(ROOT, log=other.log)
    with pytest.raises(InvalidInput, match="own log key"):
        read_state(store, swapped)


def test_a_policy_that_names_two_logs_lets_only_the_roots_own_pass(store: FileTileStore) -> None:
    """A root for one origin is not satisfied by another log of its policy."""
    note = factory.signer("second log")
    from sekisho.signing.notes import NoteSigner

    second = NoteSigner("second.example/log", note.private).verifier.to_text()
    both = msgspec.structs.replace(ROOT, log=second, witnesses=f"log {second}\n{ROOT.witnesses}")
    with pytest.raises(WrongOrigin):
        read_state(store, both)


@pytest.mark.parametrize("kind", ["entries", "0"])
def test_every_changed_byte_of_a_tile_is_found(store: FileTileStore, kind: str) -> None:
    """A changed entry or hash is a damaged tile, a missing one is not stored."""
    path = next(p for p in store.root.rglob("*") if p.is_file() and p.parent.parent.name == kind)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedTile):
        read_state(store, ROOT)
    path.unlink()
    with pytest.raises(NotStored):
        read_state(store, ROOT)
