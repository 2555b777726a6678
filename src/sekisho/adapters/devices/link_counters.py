"""What this host's interfaces have sent, from `/proc/net/dev` and, where there is a fabric, the ports' own counters.

`port_xmit_data` counts words of four bytes over all lanes of a port (the kernel's ABI document for
`/sys/class/infiniband`); the kernel's network counters do not see what a fabric's hardware sends by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sekisho.model.errors import Unavailable
from sekisho.ports.link_counters import LinkCount

__all__ = ["KernelLinks", "parse_net_dev"]

WORD_BYTES: Final = 4
SENT_COLUMN: Final = (
    8  # of the columns behind the interface's name: eight received, then bytes sent
)
MAX_TABLE: Final = 1 << 20
MAX_COUNTER: Final = 64


class KernelLinks:
    """`LinkCounters` of the network namespace that the agent stands in."""

    def __init__(
        self,
        table: Path = Path("/proc/net/dev"),
        fabric: Path = Path("/sys/class/infiniband"),
    ) -> None:
        self._table = table
        self._fabric = fabric

    def read(self) -> tuple[LinkCount, ...]:
        try:
            with self._table.open("rb") as file:
                body = file.read(MAX_TABLE)
        except OSError as error:
            raise Unavailable(f"{self._table} cannot be read: {error.strerror}") from None
        return (*parse_net_dev(body.decode("utf-8", "replace")), *self._ports())

    def _ports(self) -> list[LinkCount]:
        """Ports whose counter can be read; one that cannot is not there, and its absence is judged."""
        found: list[LinkCount] = []
        for path in sorted(self._fabric.glob("*/ports/*/counters/port_xmit_data")):
            try:
                with path.open("rb") as file:
                    words = int(file.read(MAX_COUNTER))
            except (OSError, ValueError):
                continue
            device, port = path.parts[-5], path.parts[-3]
            found.append(
                LinkCount(
                    interface=f"{device}/{port}",
                    sent_bytes=words * WORD_BYTES,
                    source="infiniband-port-xmit-data",
                )
            )
        return found


def parse_net_dev(text: str) -> tuple[LinkCount, ...]:
    """The rows of `/proc/net/dev`. Raises Unavailable for a table that is none: a format that nobody knows."""
    found: list[LinkCount] = []
    for line in text.splitlines()[2:]:
        name, colon, rest = line.rpartition(":")
        columns = rest.split()
        if not colon or len(columns) <= SENT_COLUMN or not columns[SENT_COLUMN].isdecimal():
            raise Unavailable(f"/proc/net/dev has a line that nobody knows: {line[:120]!r}")
        sent = int(columns[SENT_COLUMN])
        found.append(LinkCount(interface=name.strip(), sent_bytes=sent, source="proc-net-dev"))
    return tuple(found)
