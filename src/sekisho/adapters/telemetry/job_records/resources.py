"""How many chips a scheduler's record names, and of which kind; and what a comment says of the run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

__all__ = ["Chips", "Said", "chips_in_tres", "chips_of_tres", "said_in", "uuids_in"]

_UUID: Final = re.compile(
    r"\b(?:GPU|MIG)-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", re.ASCII
)
_SAID: Final = re.compile(r"\bsekisho\.(run|parents|format)=([^\s;|]{1,256})", re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_USUAL: Final = 512  # characters


class Chips(msgspec.Struct, frozen=True, kw_only=True):
    """A count, and the kind where all of them are of one."""

    count: int = 0
    kind: str = ""
    mixed: bool = False


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote beside a job: `sekisho.run=NAME sekisho.parents=A,B sekisho.format=fp8`."""

    run: str = ""
    parents: tuple[str, ...] = ()
    format: str = ""


def chips_in_tres(text: str) -> Chips:
    """The chips in trackable resources such as `cpu=64,gres/gpu:h100=8`; what has no plain count is left out."""
    return _usual_chips(text) if len(text) <= _USUAL else _read_chips(text)


def _read_chips(text: str) -> Chips:
    pairs = (part.rpartition("=") for part in text.split(",") if "gpu" in part)
    return chips_of_tres((n.strip(), int(c)) for n, _, c in pairs if n and _COUNT.fullmatch(c))


_usual_chips = lru_cache(maxsize=4096)(_read_chips)  # a cluster grants few different shapes


def chips_of_tres(resources: Iterable[tuple[str, int]]) -> Chips:
    """`gres/gpu` counts them all; `gres/gpu:TYPE` says their kind, and counts them where the first is missing."""
    total = 0
    kinds: dict[str, int] = {}
    for name, count in resources:
        if name == "gres/gpu":
            total = max(total, count)
        elif name.startswith("gres/gpu:") and count:
            kinds[name.removeprefix("gres/gpu:")] = count
    typed = sum(kinds.values())
    count = total or typed
    kind = next(iter(kinds)) if len(kinds) == 1 and typed == count else ""
    return Chips(count=count, kind=kind, mixed=bool(kinds) and not kind)


def uuids_in(*texts: str) -> tuple[str, ...]:
    """The UUIDs of devices in comments and bindings, each once, in order."""
    found = (uuid for text in texts for uuid in _UUID.findall(text))
    return tuple(dict.fromkeys(found))


def said_in(*texts: str) -> Said:
    """What comments say of the run; the first of each counts."""
    found: dict[str, str] = {}
    for text in texts:
        for key, value in _SAID.findall(text):
            found.setdefault(key, value)
    parents = tuple(part for part in found.get("parents", "").split(",") if part)
    return Said(run=found.get("run", ""), parents=parents, format=found.get("format", ""))
