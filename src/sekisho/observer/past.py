"""What each living process was before: who started it, what it called itself, in which groups it has been. Pure.

Work that renames itself, leaves its parent, its control group or its user is still the process that it was. Seen once
as work, or as started by work, it stays work for as long as it lives. What began and moved between two notes is missed.
"""

from __future__ import annotations

from typing import Final

from sekisho.observer.process_table import ProcessRow, ProcessTable
from sekisho.observer.work_tree import TreeSelectors, WorkSigns

__all__ = ["PastProcesses"]

MOST_ROWS: Final = 200_000
MOST_FACES: Final = 8
"""Kept of one process: names and groups under which it was seen; the first ones stay."""
_Identity = tuple[int, int]


class PastProcesses:
    """Notes on the processes of one host, one look after the other."""

    def __init__(self) -> None:
        self._faces: dict[_Identity, list[ProcessRow]] = {}
        self._parents: dict[_Identity, _Identity] = {}
        self.is_cut = False

    def note(self, table: ProcessTable) -> None:
        """Remember what a look showed; the dead are forgotten once nobody alive descends from them."""
        by_pid = {row.pid: row.identity for row in table.rows}
        for row in table.rows:
            self._note_face(row)
            parent = by_pid.get(row.parent)
            if parent is not None and row.identity not in self._parents:
                self._parents[row.identity] = parent  # the first one: who started it
        self._forget(set(by_pid.values()))

    def work(self, selectors: TreeSelectors) -> frozenset[_Identity]:
        """Every process that was work in a former look by these signs, or descends from one that was."""
        rows = [face for faces in self._faces.values() for face in faces]
        signs = WorkSigns(selectors)
        keepers = {row.identity for row in rows if signs.keeps(row)}
        found = {row.identity for row in rows if signs.fit(row)} | keepers
        pending = [child for child in self._parents if child not in found]
        below = {child for child in pending if self._descends(child, found)}
        return frozenset((found | below) - keepers)

    def _note_face(self, row: ProcessRow) -> None:
        faces = self._faces.setdefault(row.identity, [])
        looks = (row.command, row.cgroup, row.groups)
        if len(faces) < MOST_FACES and all(
            (face.command, face.cgroup, face.groups) != looks for face in faces
        ):
            faces.append(row)

    def _descends(self, child: _Identity, roots: set[_Identity]) -> bool:
        seen: set[_Identity] = set()
        at = self._parents.get(child)
        while at is not None and at not in seen:
            if at in roots:
                return True
            seen.add(at)
            at = self._parents.get(at)
        return False

    def _forget(self, alive: set[_Identity]) -> None:
        needed = set(alive)
        for identity in alive:
            at = self._parents.get(identity)
            while at is not None and at not in needed:
                needed.add(at)
                at = self._parents.get(at)
        self.is_cut = self.is_cut or len(needed) > MOST_ROWS
        if len(needed) > MOST_ROWS:
            needed = alive
        for gone in self._faces.keys() - needed:
            del self._faces[gone]
        for gone in self._parents.keys() - needed:
            del self._parents[gone]
