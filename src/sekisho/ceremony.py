"""Wires what a key holder does on a machine of their own: read a log, draft, look, sign, hand in.

`cli` imports this where `app` would be too much: the base installation has neither SQLAlchemy nor Litestar.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys import create_key, load_key
from sekisho.adapters.storage.file_tiles import FileTileStore
from sekisho.ledger import Cosigned
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.wire import from_json, parse_json
from sekisho.operations.countersigning import (
    Footing,
    ForeignDocument,
    KeyWithoutPower,
    power_for,
    verify_countersign,
)
from sekisho.operations.difference import (
    Change,
    OrderDifference,
    check_licence,
    compare_charter,
    compare_order,
)
from sekisho.operations.founding import FoundingPlan, WitnessPlan, draft_founding
from sekisho.operations.ordering import BlastRadius, OrderPlan, draft_order, preview_order
from sekisho.operations.reading import claimed_origin, read_state
from sekisho.operations.running import LicencePlan, RunRefused, decide_run, draft_licence
from sekisho.operations.state import State, facts_under
from sekisho.ports.tile_store import TileStore
from sekisho.signing import TrustRoot

__all__ = [
    "BlastRadius",
    "Change",
    "Footing",
    "ForeignDocument",
    "FoundingPlan",
    "KeyWithoutPower",
    "LicencePlan",
    "OrderDifference",
    "OrderPlan",
    "PublicLog",
    "RunRefused",
    "State",
    "SystemClock",
    "WitnessPlan",
    "check_licence",
    "claimed_origin",
    "compare_charter",
    "compare_order",
    "create_file",
    "create_key",
    "decide_run",
    "draft_founding",
    "draft_licence",
    "draft_order",
    "facts_under",
    "load_disclosures",
    "load_key",
    "open_log",
    "power_for",
    "preview_order",
    "read_log",
    "replace_file",
    "send_statement",
    "verify_countersign",
]

# Where a log's files lie below what people name: the log itself, a bundle or a server, a home.
_BELOW = ("", "log", "public/log")
_MAX_DISCLOSURES = 64 * 1024 * 1024


class PublicLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log that was read and checked whole: what it says, and the witnessed checkpoint that it was read under."""

    state: State
    cosigned: Cosigned


def open_log(place: str) -> TileStore:
    """The files of a log: a folder with `checkpoint` in it, a bundle, a home, or an address (https, or this machine).

    Raises InvalidInput where nothing like a log is there, Unavailable where an address does not answer.
    """
    if "://" in place:
        from sekisho.adapters.transport.http_tiles import HttpTileStore

        below: list[TileStore] = [HttpTileStore(f"{place.rstrip('/')}/{n}") for n in _BELOW[:2]]
    else:
        below = [FileTileStore(Path(place).expanduser() / name) for name in _BELOW]
    found = next((store for store in below if store.exists("checkpoint")), None)
    if found is None:
        raise InvalidInput(
            "there is no log here (no file `checkpoint`)",
            path=place[:200],
            remedy="name the folder or address with `checkpoint` and `tile/` in it",
        )
    return found


def read_log(
    store: TileStore, root: TrustRoot, disclosures: Mapping[str, tuple[str, ...]] | None = None
) -> PublicLog:
    """Read and check a whole public log under a trust root; raises what `read_state` raises."""
    state, cosigned = read_state(store, root, disclosures)
    return PublicLog(state=state, cosigned=cosigned)


def load_disclosures(path: str) -> dict[str, tuple[str, ...]]:
    """A bundle's `disclosures.json`: disclosure texts by leaf digest."""
    with Path(path).open("rb") as stream:
        data = stream.read(_MAX_DISCLOSURES + 1)
    return from_json(
        dict[str, tuple[str, ...]], parse_json(data, path=path, limit=_MAX_DISCLOSURES), path=path
    )


def create_file(path: Path, data: bytes) -> None:
    """Write a new file durably. Raises StateConflict where one is there: a draft never takes another's place."""
    if path.exists() or path.is_symlink():
        raise StateConflict(f"{path}: a file is already there", remedy="name another file")
    replace_file(path, data, mode=0o644)


def send_statement(control: str, envelope: bytes) -> dict[str, object]:
    """Hand an envelope in at a control plane; where it now stands in the log, as the control plane says."""
    from sekisho.adapters.transport.statement_desk import send_envelope

    placed = send_envelope(control, envelope)
    return {
        "index": placed.index,
        "leaf": placed.leaf,
        "digest": placed.digest,
        "fresh": placed.fresh,
    }
