"""The keeper of weights' keys in a home: its own key, and the sealed keys that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.adapters.keys.deposit_keys import HpkeSealer, create_deposit_key, load_deposit_key
from sekisho.adapters.storage.weights_keys import WeightsKeyFolder
from sekisho.model.errors import InvalidInput
from sekisho.operations.key_release import KeyKeeper
from sekisho.signing.sealing import X25519Opener

if TYPE_CHECKING:
    from sekisho.app.home import Home
    from sekisho.operations.desk import Desk

__all__ = ["destroy_weights_key", "open_keeper", "open_keeper_key"]

KEEPER_KEY = "weights.pem"
FOLDER = "weights"


def open_keeper_key(home: Home) -> X25519Opener:
    """The key to which weights' keys are sealed for this home; made where there is none. Raises InvalidInput."""
    path = home.keys / KEEPER_KEY
    if not home.keys.is_dir():
        raise InvalidInput(
            "there is no home of a control plane here",
            path=str(home.path),
            remedy="name one with --home",
        )
    return load_deposit_key(path) if path.exists() else create_deposit_key(path)


def open_keeper(home: Home, desk: Desk) -> KeyKeeper:
    """The keeper of a running control plane."""
    return KeyKeeper(
        desk,
        WeightsKeyFolder(home.path / FOLDER),
        opener=open_keeper_key(home),
        sealer=HpkeSealer(),
    )


def destroy_weights_key(home: Home, leaf: str) -> bool:
    """Destroy a home's copy of one key, whether or not its control plane runs; False where there is none."""
    if not (home.path / FOLDER).is_dir():
        raise InvalidInput("keeps no keys of weights", path=str(home.path))
    return WeightsKeyFolder(home.path / FOLDER).destroy(leaf)
