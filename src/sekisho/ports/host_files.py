"""The few files in which a host keeps what it must not forget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["HostFiles"]


class HostFiles(Protocol):
    """Files by plain name in one folder of one agent.

    `save` and `append` are durable before they return; `save` is whole or not at all, `append` may leave a torn last
    line after a crash, which `load_lines` takes away for good. Raises Corrupt where a file cannot be read.
    """

    def load(self, name: str) -> bytes | None: ...

    def save(self, name: str, data: bytes) -> None: ...

    def append(self, name: str, line: bytes) -> None: ...

    def load_lines(self, name: str) -> Iterator[bytes]: ...
