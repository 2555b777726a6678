"""A checkpoint with deterministic bytes: equal training gives equal files, and a changed file is refused.

Container: the line `SEKISHO-CANARY-1`, the header's length (8 bytes, little-endian), the header in RFC 8785 form, the
arrays one after the other (little-endian float32, row by row), SHA-256 of everything before it. No pickle, no padding.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from sekisho.canary.flop import NetworkShape
from sekisho.canary.network import Network
from sekisho.model.amounts import format_flop, parse_flop
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.wire import canonical, from_json, parse_canonical

__all__ = ["CheckpointRecord", "load_checkpoint", "pack_checkpoint", "parse_checkpoint"]

MAGIC = b"SEKISHO-CANARY-1\n"
MAX_HEADER = 65_536
MAX_CHECKPOINT = 1 << 30
_DTYPE = np.dtype("<f4")
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class CheckpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`checkpoint.json`: what the agent reads. `sha256` is over the whole file, `flop` the total at `step`."""

    step: int
    sha256: str
    bytes: int
    flop: str
    path: str


class _ArrayRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    shape: tuple[_Count, ...]


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    arrays: tuple[_ArrayRow, ...]
    flop: str
    network: NetworkShape
    seed: _Count
    step: _Count


def pack_checkpoint(network: Network) -> bytes:
    """The network as checkpoint bytes; a function of its state and nothing else."""
    named = network.arrays()
    header = canonical(
        _Header(
            arrays=tuple(_ArrayRow(name=name, shape=value.shape) for name, value in named.items()),
            flop=format_flop(network.flop),
            network=network.shape,
            seed=network.seed,
            step=network.step,
        )
    )
    body = b"".join(value.astype(_DTYPE, order="C").tobytes() for value in named.values())
    data = MAGIC + len(header).to_bytes(8, "little") + header + body
    return data + hashlib.sha256(data).digest()


def parse_checkpoint(data: bytes, *, path: str = "checkpoint") -> Network:
    """The network that `data` holds, ready to go on. Raises Corrupt where one byte is missing, added or changed."""
    body, digest = data[:-32], data[-32:]
    if not data.startswith(MAGIC) or not hmac.compare_digest(hashlib.sha256(body).digest(), digest):
        raise _corrupt(path, "is truncated, altered, or no canary checkpoint")
    start = len(MAGIC) + 8
    size = int.from_bytes(body[len(MAGIC) : start], "little")
    if size > MAX_HEADER or start + size > len(body):
        raise _corrupt(path, "has a header that does not fit")
    try:
        header = from_json(_Header, parse_canonical(body[start : start + size]), path="header")
        flop = parse_flop(header.flop, path="header.flop")
    except InvalidInput as error:
        raise _corrupt(path, f"has a bad header: {error}") from None
    # Before anything of the claimed size is allocated: parameters and two moments each.
    if 3 * header.network.parameters * _DTYPE.itemsize != len(body) - start - size:
        raise _corrupt(path, "does not hold the arrays of its network")
    network = Network(header.network, header.seed)
    network.flop, network.step = flop, header.step
    _fill(network, header, body[start + size :], path)
    return network


def load_checkpoint(path: Path) -> Network:
    """Read a checkpoint file. Raises Corrupt for a bad one, InvalidInput where it cannot be read or is too large."""
    try:
        if path.stat().st_size > MAX_CHECKPOINT:
            raise InvalidInput(f"is larger than {MAX_CHECKPOINT} bytes", path=str(path))
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    return parse_checkpoint(data, path=str(path))


def _fill(network: Network, header: _Header, body: bytes, path: str) -> None:
    named = network.arrays()
    expected = tuple(_ArrayRow(name=name, shape=value.shape) for name, value in named.items())
    if header.arrays != expected:
        raise _corrupt(path, "does not hold the arrays of its network")
    offset = 0
    for value in named.values():
        value[...] = np.frombuffer(body, _DTYPE, value.size, offset).reshape(value.shape)
        offset += value.size * _DTYPE.itemsize


def _corrupt(path: str, what: str) -> Corrupt:
    return Corrupt(f"{path}: {what}", remedy="resume from another checkpoint")
