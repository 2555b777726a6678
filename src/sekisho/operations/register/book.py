"""The book that a group of captures is decided by: what the store knows, loaded in bulk, and what the group added.

What a group speaks of is loaded at once; whatever `take` asks for beyond that is loaded when it asks. The one writer
is the only one who changes the store, so all of it is of one moment; what the group changes lies over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from sekisho.model.custody import Movement, Standing
from sekisho.operations.register.foreseeing import foresee
from sekisho.ports.register_store import EventRow, RegisterStore
from sekisho.registry.custody.book import Captured, Taking
from sekisho.registry.custody.facts import may_change
from sekisho.registry.epcis import event_of
from sekisho.registry.epcis.event import Event
from sekisho.registry.terms import RegisterTerms

__all__ = ["StoreBook", "captured_of", "epcs_of"]

K = TypeVar("K")
V = TypeVar("V")
_DEEPEST: Final = 16
"""Levels of containers that are loaded ahead: chip, board, server, rack, container are five."""


class StoreBook:
    """A `registry.custody.Book` over a store. For one thread, and for as long as nobody else changes the store."""

    def __init__(self, store: RegisterStore) -> None:
        self._store = store
        # What was loaded, or put in its place by a taking; None and "" where the store knows nothing.
        self._standings: dict[str, Standing | None] = {}
        self._containers: dict[str, str] = {}
        self._movements: dict[str, Movement | None] = {}
        self._identities: dict[tuple[str, str], str | None] = {}
        self._device_keys: dict[str, str | None] = {}
        # What was loaded, and beside it what the group adds and takes away.
        self._inside: dict[str, tuple[str, ...]] = {}
        self._moved: dict[str, dict[str, bool]] = {}
        self._histories: dict[str, tuple[Captured, ...]] = {}
        self._added: dict[str, list[Captured]] = {}
        self._by_hash: dict[str, tuple[Captured, ...]] = {}
        self._hashed: dict[str, list[Captured]] = {}
        self._voided: set[int] = set()
        self._waiting: dict[str, tuple[Captured, ...]] = {}
        # Events whose wait the group began, changed or ended, with what they wait for now.
        self._waits_for: dict[int, frozenset[str]] = {}
        self._early: dict[str, list[Captured]] = {}
        self._who_waits: dict[int, Captured] = {}

    # --- what is asked -------------------------------------------------------------------------

    def standing(self, epc: str) -> Standing | None:
        if epc not in self._standings:
            self._load_standings((epc,))
        return self._standings[epc]

    def inside(self, epc: str) -> Sequence[str]:
        if epc not in self._inside:
            self._load_inside((epc,))
        moved = self._moved.get(epc)
        if not moved:
            return self._inside[epc]
        kept = [child for child in self._inside[epc] if moved.get(child, True)]
        known = set(kept)
        return (*kept, *(child for child, is_in in moved.items() if is_in and child not in known))

    def container(self, epc: str) -> str:
        if epc not in self._containers:
            self._load_containers((epc,))
        return self._containers[epc]

    def history(self, epc: str) -> Sequence[Captured]:
        if epc not in self._histories:
            self._load_histories((epc,))
        known = (*self._histories[epc], *self._added.get(epc, ()))
        return tuple(row for row in known if row.number not in self._voided)

    def waiting(self, epc: str) -> Sequence[Captured]:
        if epc not in self._waiting:
            self._load_waiting((epc,))
        known = (*self._waiting[epc], *self._early.get(epc, ()))
        everywhere = frozenset((epc,))
        found = {
            row.number: row for row in known if epc in self._waits_for.get(row.number, everywhere)
        }
        return tuple(found[number] for number in sorted(found))

    def movement(self, reference: str) -> Movement | None:
        if reference not in self._movements:
            self._load_movements((reference,))
        return self._movements[reference]

    def by_hash(self, hash_id: str) -> Captured | None:
        if hash_id not in self._by_hash:
            self.load_hashes((hash_id,))
        known = (*self._by_hash[hash_id], *self._hashed.get(hash_id, ()))
        standing = (row for row in known if row.number not in self._voided)
        # Where it came unsigned and endorsed, the endorsed one.
        return max(standing, key=lambda row: bool(row.parties or row.powers), default=None)

    def by_identity(self, maker: str, serial: str) -> str | None:
        key = (maker, serial)
        if key not in self._identities:
            self.load_identities((key,), ())
        return self._identities[key]

    def by_device_key(self, device_key: str) -> str | None:
        if device_key not in self._device_keys:
            self.load_identities((), (device_key,))
        return self._device_keys[device_key]

    def find_waiting(self, number: int) -> Captured:
        """An event that waits, of those that `waiting` has given; KeyError for any other."""
        return self._who_waits[number]

    # --- what is loaded ahead ------------------------------------------------------------------

    def load_ahead(self, coming: Sequence[Captured], terms: RegisterTerms) -> None:
        """Load at once what deciding these events will mostly ask for."""
        events = [captured.event for captured in coming]
        named = list(dict.fromkeys(epc for event in events for epc in epcs_of(event)))
        self._load_standings(named)
        self._load_waiting(named)
        self._load_around(named)
        parents = {event.parent for event in events}
        self._load_down([epc for epc in named if epc not in parents])
        self._load_histories([epc for epc in named if self._standings[epc] is None])
        references = {s.movement for s in self._standings.values() if s is not None and s.movement}
        foreseen = foresee(coming, terms)
        self._load_movements([*references, *foreseen.references])
        self.load_identities(foreseen.serials, foreseen.device_keys)
        self.load_hashes(foreseen.hash_ids)

    def load_hashes(self, hash_ids: Sequence[str]) -> None:
        """Load at once the events that these hash ids name."""
        missing = _missing(hash_ids, self._by_hash)
        if missing:
            found = self._store.find_hashes(missing)
            self._by_hash.update((key, _in_effect(found.get(key, ()))) for key in missing)

    def load_identities(
        self, serials: Sequence[tuple[str, str]], device_keys: Sequence[str]
    ) -> None:
        """Load at once who bears these makers' serials and device keys."""
        _fill(self._identities, serials, self._store.find_identities)
        _fill(self._device_keys, device_keys, self._store.find_device_keys)

    def _load_around(self, epcs: Sequence[str]) -> None:
        """What these lie in, and what that lies in, up to the outermost."""
        level = list(epcs)
        for _ in range(_DEEPEST):
            self._load_containers(level)
            level = _missing(
                [parent for e in level if (parent := self._containers[e])], self._containers
            )
            if not level:
                break
            self._load_standings(level)

    def _load_down(self, epcs: Sequence[str]) -> None:
        """What lies in these, and in that, down to the innermost."""
        level = list(epcs)
        for _ in range(_DEEPEST):
            self._load_inside(level)
            level = [child for epc in level for child in self._inside[epc]]
            level = _missing(level, self._inside)
            if not level:
                break
            self._load_standings(level)
            self._load_waiting(level)

    def _load_standings(self, epcs: Sequence[str]) -> None:
        _fill(self._standings, epcs, self._store.load_standings)

    def _load_movements(self, references: Sequence[str]) -> None:
        _fill(self._movements, references, self._store.load_movements)

    def _load_containers(self, epcs: Sequence[str]) -> None:
        missing = _missing(epcs, self._containers)
        if missing:
            found = self._store.load_containers(missing)
            self._containers.update((epc, found.get(epc, "")) for epc in missing)

    def _load_inside(self, epcs: Sequence[str]) -> None:
        missing = _missing(epcs, self._inside)
        if missing:
            found = self._store.load_inside(missing)
            self._inside.update((epc, found.get(epc, ())) for epc in missing)

    def _load_waiting(self, epcs: Sequence[str]) -> None:
        missing = _missing(epcs, self._waiting)
        if missing:
            found = self._store.load_waiting(missing)
            for epc in missing:
                rows = tuple(captured_of(row) for row in found.get(epc, ()))
                self._waiting[epc] = rows
                self._who_waits.update((row.number, row) for row in rows)

    def _load_histories(self, epcs: Sequence[str]) -> None:
        missing = _missing(epcs, self._histories)
        if missing:
            found = self._store.load_history(missing)
            for epc in missing:
                told = map(captured_of, found.get(epc, ()))
                self._histories[epc] = tuple(filter(may_change, told))

    # --- what a taking changes -----------------------------------------------------------------

    def apply(self, captured: Captured, taking: Taking) -> None:
        """Let the book say what it says once a taking is done."""
        if taking.outcome == "waiting":
            self._who_waits[captured.number] = captured
            self._waits_for[captured.number] = frozenset(taking.waits_for)
            for epc in taking.waits_for:
                self._early.setdefault(epc, []).append(captured)
            return
        self._waits_for[captured.number] = frozenset()
        for epc in taking.gone:
            self._forget(epc)
        for epc, standing in taking.standings.items():
            self._stand(epc, standing)
        for child, parent in taking.contained.items():
            self._put(child, parent)
        self._movements.update(taking.movements)
        if taking.voids is not None:
            self._voided.add(taking.voids)
        if taking.outcome == "taken":
            self._remember(captured, taking)

    def _stand(self, epc: str, standing: Standing) -> None:
        self._standings[epc] = standing
        identity = standing.identity
        self._identities[identity.maker, identity.serial] = epc
        if identity.device_key:
            self._device_keys[identity.device_key] = epc

    def _forget(self, epc: str) -> None:
        standing = self.standing(epc)
        self._standings[epc] = None
        if standing is None:
            return
        identity = standing.identity
        if self.by_identity(identity.maker, identity.serial) == epc:
            self._identities[identity.maker, identity.serial] = None
        if identity.device_key and self.by_device_key(identity.device_key) == epc:
            self._device_keys[identity.device_key] = None

    def _put(self, child: str, parent: str) -> None:
        before = self.container(child)
        if before:
            self._moved.setdefault(before, {})[child] = False
        self._containers[child] = parent
        if parent:
            self._moved.setdefault(parent, {})[child] = True

    def _remember(self, captured: Captured, taking: Taking) -> None:
        past = taking.touches if may_change(captured) else ()
        for epc in dict.fromkeys(touch.epc for touch in past):
            self._added.setdefault(epc, []).append(captured)
        if captured.event.error is None:
            self._hashed.setdefault(captured.hash_id, []).append(captured)


def captured_of(row: EventRow) -> Captured:
    """A stored event as `take` reads it."""
    return Captured(
        number=row.number,
        event=event_of(row.document),
        hash_id=row.hash_id,
        key=row.key,
        parties=frozenset(row.parties),
        powers=frozenset(row.powers),
        received=row.received,
    )


def epcs_of(event: Event) -> Iterable[str]:
    """Every EPC that an event itself names."""
    yield from event.epcs
    if event.parent:
        yield event.parent
    yield from event.children
    yield from event.inputs
    yield from event.outputs


def _in_effect(rows: Sequence[EventRow]) -> tuple[Captured, ...]:
    """Those that took effect, were not voided and are no error declarations."""
    effective = (row for row in rows if row.outcome == "taken" and row.voided_by is None)
    return tuple(c for c in map(captured_of, effective) if c.event.error is None)


def _missing(keys: Iterable[K], known: Mapping[K, object]) -> list[K]:
    return [key for key in dict.fromkeys(keys) if key not in known]


def _fill(
    known: dict[K, V | None], keys: Sequence[K], load: Callable[[Sequence[K]], Mapping[K, V]]
) -> None:
    """Load what is not known yet; None for what the store does not know."""
    missing = _missing(keys, known)
    if missing:
        found = load(missing)
        known.update((key, found.get(key)) for key in missing)
