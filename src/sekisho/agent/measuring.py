"""What runs on a host, by its bytes: the digest that an enrolment gives of the agent where no release is named."""

from __future__ import annotations

from pathlib import Path

from sekisho.model.wire import canonical, sha256_hex

__all__ = ["measure_agent"]


def measure_agent() -> str:
    """SHA-256 over the agent's own sources in this installation, in lower-case hexadecimal."""
    folder = Path(__file__).parent
    sources = {path.name: sha256_hex(path.read_bytes()) for path in sorted(folder.glob("*.py"))}
    return sha256_hex(canonical(sources))
