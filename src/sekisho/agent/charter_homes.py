"""The homes of an agent: one folder for each charter that its host stands under; the first says what the work is.

Each home is whole by itself: trust root, host key, counter, memory, and where its control plane answers. What starts
and stops the work is said once, in the first; the others say the same or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from sekisho.agent.host import AgentSettings
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import from_json, parse_json
from sekisho.signing import TrustRoot, parse_policy

__all__ = ["CharterHome", "load_homes", "load_settings", "load_trust"]

MAX_DOCUMENT = 1 << 20
MOST_CHARTERS = 8
OF_THE_WORK = (
    *("command", "environment", "out", "resume", "cores", "user", "driver"),
    *("cgroup", "slurm", "kubernetes", "watchdog", "devices"),
)
"""Fields of agent.json about the one work that all charters watch."""


class CharterHome(msgspec.Struct, frozen=True, kw_only=True):
    """One charter's home, with what the first home says of the work; `name` is how its fellows speak of it."""

    home: Path
    settings: AgentSettings
    root: TrustRoot
    name: str


def load_homes(homes: Sequence[Path]) -> tuple[CharterHome, ...]:
    """Every home named, and those that the first home's agent.json names as `charters`, in this order.

    Raises InvalidInput naming the file and the field: a home or a charter twice, another work, a list in a list.
    """
    first = load_settings(homes[0])
    named = [homes[0] / place.home for place in first.charters]
    folders = [*homes, *named]
    if len(folders) > MOST_CHARTERS:
        raise InvalidInput(f"more than {MOST_CHARTERS} charters", path="--home")
    _check_once([str(folder.resolve()) for folder in folders], folders, "is named twice")
    roots = [load_trust(folder) for folder in folders]
    _check_once([root.charter for root in roots], folders, "trusts a charter that another one has")
    found = [first, *(_fit(first, load_settings(folder), folder) for folder in folders[1:])]
    return tuple(
        CharterHome(home=folder, settings=settings, root=root, name=_name(root, roots))
        for folder, settings, root in zip(folders, found, roots, strict=True)
    )


def load_settings(home: Path) -> AgentSettings:
    """`agent.json` of a home. Raises InvalidInput naming the file and the field."""
    path = home / "agent.json"
    return from_json(AgentSettings, parse_json(_read(path), path=str(path)), path=str(path))


def load_trust(home: Path) -> TrustRoot:
    """`trust.json` of a home. Raises InvalidInput naming the file."""
    path = home / "trust.json"
    return parse_policy(_read(path), path=str(path))


def _fit(first: AgentSettings, other: AgentSettings, home: Path) -> AgentSettings:
    """A further home's settings with the first one's work."""
    path = home / "agent.json"
    if other.charters:
        raise InvalidInput(
            "only the first home names others", path=f"{path}: charters", remedy="leave it out"
        )
    silent = AgentSettings(host=other.host, control=other.control, run=other.run)
    for field in OF_THE_WORK:
        said = getattr(other, field)
        if said not in (getattr(silent, field), getattr(first, field)):
            raise InvalidInput(
                "says otherwise than the first home",
                path=f"{path}: {field}",
                remedy="leave it out: what holds the work is said once",
            )
    if first.admits and other.run != first.run:
        raise InvalidInput(
            f"is not {first.run}: a job can name one run only",
            path=f"{path}: run",
            remedy="declare the run under the same name there",
        )
    return msgspec.structs.replace(other, **{name: getattr(first, name) for name in OF_THE_WORK})


def _check_once(keys: Sequence[str], folders: Sequence[Path], what: str) -> None:
    for key, folder in zip(keys, folders, strict=True):
        if keys.count(key) > 1:
            raise InvalidInput(what, path=str(folder), remedy="one home for each charter")


def _name(root: TrustRoot, roots: Sequence[TrustRoot]) -> str:
    """The log's origin, with the charter's first digits where two charters stand in one log."""
    alike = [one for one in roots if one.origin == root.origin]
    return root.origin if len(alike) == 1 else f"{root.origin} {root.charter[-64:][:8]}"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}",
            path=str(path),
            remedy="name the agent's own folder; docs/guide/agent.md says what stands in it",
        ) from None
