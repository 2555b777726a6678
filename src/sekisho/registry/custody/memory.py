"""A book in memory: for rebuilding, for tests, and laid over another book while one event releases others."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.model.custody import Movement, Standing
from sekisho.registry.custody.book import Book, Captured, Taking
from sekisho.registry.custody.facts import may_change

__all__ = ["MemoryBook"]


class MemoryBook:
    """A `Book` that takings are applied to; what it does not know itself it asks `base` for. For one thread."""

    def __init__(self, base: Book | None = None) -> None:
        self._base = base
        self.standings: dict[str, Standing | None] = {}
        self.movements: dict[str, Movement] = {}
        self._containers: dict[str, str] = {}
        self._inside: dict[str, dict[str, None]] = {}
        self._histories: dict[str, list[Captured]] = {}
        self._voided: set[int] = set()
        self._waiting: dict[str, dict[int, Captured]] = {}
        self._waits: dict[int, tuple[Captured, tuple[str, ...]]] = {}
        self._settled: set[int] = set()
        self._hashes: dict[str, list[Captured]] = {}
        self._identities: dict[tuple[str, str], str | None] = {}
        self._device_keys: dict[str, str | None] = {}

    # --- what is asked -------------------------------------------------------------------------

    def standing(self, epc: str) -> Standing | None:
        if epc in self.standings or self._base is None:
            return self.standings.get(epc)
        return self._base.standing(epc)

    def inside(self, epc: str) -> Sequence[str]:
        own = self._inside.get(epc)
        if own is None:
            return () if self._base is None else self._base.inside(epc)
        return tuple(own)

    def container(self, epc: str) -> str:
        if epc in self._containers or self._base is None:
            return self._containers.get(epc, "")
        return self._base.container(epc)

    def history(self, epc: str) -> Sequence[Captured]:
        own = self._histories.get(epc, ())
        if self._base is None and not self._voided:
            return tuple(own)
        known = (*(() if self._base is None else self._base.history(epc)), *own)
        return tuple(row for row in known if row.number not in self._voided)

    def waiting(self, epc: str) -> Sequence[Captured]:
        own = self._waiting.get(epc, {})
        if self._base is None:
            return tuple(own[number] for number in sorted(own))
        found = {row.number: row for row in (*self._base.waiting(epc), *own.values())}
        return tuple(found[n] for n in sorted(found) if n not in self._settled)

    def movement(self, reference: str) -> Movement | None:
        if reference in self.movements or self._base is None:
            return self.movements.get(reference)
        return self._base.movement(reference)

    def by_hash(self, hash_id: str) -> Captured | None:
        """Where it came unsigned and endorsed, the endorsed one."""
        own = [row for row in self._hashes.get(hash_id, ()) if row.number not in self._voided]
        known = self._base.by_hash(hash_id) if self._base is not None else None
        if known is not None and known.number not in self._voided:
            own.append(known)
        return max(own, key=lambda row: bool(row.parties or row.powers), default=None)

    def by_identity(self, maker: str, serial: str) -> str | None:
        if (maker, serial) in self._identities or self._base is None:
            return self._identities.get((maker, serial))
        return self._base.by_identity(maker, serial)

    def by_device_key(self, device_key: str) -> str | None:
        if device_key in self._device_keys or self._base is None:
            return self._device_keys.get(device_key)
        return self._base.by_device_key(device_key)

    def find_waiting(self, number: int) -> Captured | None:
        """An event that waits in this book itself."""
        found = self._waits.get(number)
        return found[0] if found else None

    # --- what a taking changes -----------------------------------------------------------------

    def apply(self, taking: Taking, captured: Captured) -> None:
        """Let the book say what it says once a taking is done."""
        self._settle(captured)
        if taking.outcome == "waiting":
            self._settled.discard(captured.number)
            self._waits[captured.number] = (captured, taking.waits_for)
            for epc in taking.waits_for:
                self._waiting.setdefault(epc, {})[captured.number] = captured
            return
        for epc in taking.gone:
            self._forget(epc)
        for epc, standing in taking.standings.items():
            self._stand(epc, standing)
        for child, parent in taking.contained.items():
            self._put(child, parent)
        self.movements.update(taking.movements)
        if taking.voids is not None:
            self._voided.add(taking.voids)
        if taking.outcome == "taken":
            past = taking.touches if may_change(captured) else ()
            for epc in dict.fromkeys(touch.epc for touch in past):
                self._histories.setdefault(epc, []).append(captured)
            if captured.event.error is None:
                self._hashes.setdefault(captured.hash_id, []).append(captured)

    def _settle(self, captured: Captured) -> None:
        self._settled.add(captured.number)
        _, waited_for = self._waits.pop(captured.number, (captured, ()))
        for epc in waited_for:
            self._waiting[epc].pop(captured.number, None)

    def _stand(self, epc: str, standing: Standing) -> None:
        self.standings[epc] = standing
        identity = standing.identity
        self._identities[identity.maker, identity.serial] = epc
        if identity.device_key:
            self._device_keys[identity.device_key] = epc

    def _forget(self, epc: str) -> None:
        standing = self.standing(epc)
        self.standings[epc] = None
        if standing is not None:
            self._identities[standing.identity.maker, standing.identity.serial] = None
            if standing.identity.device_key:
                self._device_keys[standing.identity.device_key] = None

    def _put(self, child: str, parent: str) -> None:
        before = self.container(child)
        if before:
            self._contents(before).pop(child, None)
        self._containers[child] = parent
        if parent:
            self._contents(parent)[child] = None

    def _contents(self, epc: str) -> dict[str, None]:
        if epc not in self._inside:
            known = () if self._base is None else self._base.inside(epc)
            self._inside[epc] = dict.fromkeys(known)
        return self._inside[epc]
