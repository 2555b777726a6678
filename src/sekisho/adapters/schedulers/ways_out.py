"""How a process of ours leaves a control group that somebody has put it into, in each hierarchy of that group."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from sekisho.adapters.schedulers.cgroups import find_cgroup_mount

__all__ = ["WaysOut"]

_OWN = Path("/proc/self/cgroup")


class WaysOut:
    """The places to go to from a group: where this process is when this is made, the group above, the top."""

    def __init__(self, hierarchies: Sequence[tuple[str, Path]]) -> None:
        """`hierarchies`: version 1's controller, empty for version 2, with the group's folder there."""
        own = _own_groups()
        self._ways: list[tuple[Path, ...]] = []
        for controller, folder in hierarchies:
            mount = find_cgroup_mount(controller or None)
            if mount is not None:
                home = mount / own.get(controller, "/").lstrip("/")
                places = dict.fromkeys((home, folder.parent, mount))
                self._ways.append(tuple(place / "cgroup.procs" for place in places))

    def let_out(self, pid: int) -> None:
        """Move a process by the first way that is open; nothing happens where all are barred."""
        for ways in self._ways:
            for way in ways:
                with contextlib.suppress(OSError):
                    way.write_text(str(pid))
                    break


def _own_groups() -> dict[str, str]:
    """Our group by controller, version 2's under the empty name (cgroups(7): hierarchy, controllers, path)."""
    found: dict[str, str] = {}
    for line in _OWN.read_text().splitlines():
        _, controllers, name = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), name))
    return found
