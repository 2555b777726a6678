"""The rule packs of a regime: as they ship, as the home keeps them, as its log published them, and which count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import msgspec

from sekisho.app.home import Home
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import LicenceIssued, PackPublished, PackReference
from sekisho.model.wire import sha256_hex
from sekisho.operations.publishing import (
    PublicationPlan,
    declared_requests,
    draft_publication,
    named,
    published_bytes,
)
from sekisho.operations.running import decide_run
from sekisho.operations.state import State
from sekisho.rules import Pack, load_pack, pack_names

__all__ = [
    "KnownPack",
    "PackPlace",
    "PublicationPlan",
    "RuleShelf",
    "collect_packs",
    "declared_requests",
    "draft_publication",
    "keep_pack",
]

PackPlace: TypeAlias = Literal["shipped", "kept", "missing"]


class KnownPack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that is at hand, or that the log names; `counts` where the regime decides by it now.

    `pack` is None, and `problem` says why, where its bytes are not at hand or cannot be read whole.
    """

    reference: PackReference
    pack: Pack | None
    place: PackPlace
    published: PackPublished | None = None
    counts: bool = False
    problem: str = ""


class RuleShelf:
    """Every pack that people may read and decide by here."""

    def __init__(self, home: Home, state: Callable[[], State]) -> None:
        self._home = home
        self._state = state

    def packs(self, now: Instant) -> tuple[KnownPack, ...]:
        """By name: what is published in the log, then what ships or is kept and is not published."""
        state = self._state()
        known = {fact.pack: fact for fact in state.shelf.published.values()}
        counting = {
            fact.pack for name in state.shelf.names() if (fact := state.pack_in_force(name, now))
        }
        shipped = [load_pack(name).reference for name in pack_names()]
        references = dict.fromkeys((*known, *shipped))
        rows = (
            self._known(reference, shipped, known.get(reference), reference in counting)
            for reference in references
        )
        return tuple(sorted(rows, key=lambda row: (row.reference.name, row.reference.version)))

    def find(self, name: str, now: Instant, version: str = "") -> Pack | None:
        """The pack of a name: of that version, else the one that counts here, else as it ships; None where none is.

        Where the bytes of the one that counts are not at hand there is none: what it replaced must not answer for it.
        Raises InvalidInput where the pack that was found cannot be read whole.
        """
        state = self._state()
        if version:
            return self._of_version(state, name, version)
        counting = state.pack_in_force(name, now)
        if counting is not None:
            return self._home.find_pack(counting.pack)
        return load_pack(name) if name in pack_names() else None

    def warnings_of(self, licence: LicenceIssued) -> tuple[str, ...]:
        """What a licence's decision rests on that is recalled, stale or beyond its pack; none where nobody can tell.

        The run is judged again by the pack that the licence names, at the instant of the licence.
        """
        state = self._state()
        try:
            pack = self._home.find_pack(licence.decision.pack)
            if pack is None:
                return ()
            return decide_run(state, licence.run, pack, now=licence.effective).warnings
        except (InvalidInput, StateConflict):
            return ()

    def names(self) -> tuple[str, ...]:
        """Every name under which a pack can be asked for."""
        return tuple(sorted({*pack_names(), *self._state().shelf.names()}))

    def _of_version(self, state: State, name: str, version: str) -> Pack | None:
        published = state.shelf.find(name, version)
        if published is not None:
            return self._home.find_pack(published.pack)
        found = load_pack(name) if name in pack_names() else None
        return found if found is not None and found.version == version else None

    def _known(
        self,
        reference: PackReference,
        shipped: list[PackReference],
        published: PackPublished | None,
        counts: bool,
    ) -> KnownPack:
        problem = ""
        try:
            pack = self._home.find_pack(reference)
        except InvalidInput as error:
            pack, problem = None, str(error)
        place: PackPlace = "shipped" if reference in shipped else "kept"
        return KnownPack(
            reference=reference,
            pack=pack,
            place=place if pack is not None else "missing",
            published=published,
            counts=counts,
            problem=problem,
        )


def collect_packs(home: Home, state: State) -> dict[str, bytes]:
    """The bytes that a bundle carries: every published pack and what it is laid over, by `<name>-<version>`."""

    def bases_of(reference: PackReference) -> Iterable[PackReference]:
        try:
            pack = home.find_pack(reference)
        except InvalidInput:
            return ()
        return pack.over if pack is not None else ()

    published = [fact.pack for fact in state.shelf.published.values()]
    return dict(published_bytes(published, home.find_pack_bytes, bases_of))


def keep_pack(home: Home, state: State, pack: Pack, data: bytes) -> tuple[str, ...]:
    """Keep a pack's bytes, and those of its bases, where bundles find them; the names of what is kept now.

    Bytes of a version that was drafted and never published give way; published ones never. A crash leaves some of
    them kept: the next call keeps the rest. Raises StateConflict, and InvalidInput where a base is not at hand.
    """
    found = [(pack.reference, data)]
    for base in pack.over:
        below = home.find_pack_bytes(base)
        if below is None:
            raise InvalidInput(
                f"its base {named(base)} is not at hand with the digest that it names",
                path=pack.name,
                remedy="keep that pack's file in the home's packs folder first",
            )
        found.append((base, below))
    for reference, content in reversed(found):
        _keep(home, state, reference, content)
    return tuple(named(reference) for reference, _ in found)


def _keep(home: Home, state: State, reference: PackReference, data: bytes) -> None:
    path = home.packs / f"{reference.name}-{reference.version}.yaml"
    published = {fact.pack.sha256 for fact in state.shelf.published.values()}
    try:
        home.packs.mkdir(exist_ok=True, mode=0o700)
        if path.exists() and sha256_hex(path.read_bytes()) not in published:
            path.unlink()
        home.save_pack(reference.name, reference.version, data)
    except OSError as error:
        raise StateConflict(f"{path.name} cannot be kept: {error.strerror}") from None
