"""Checkpoints: deterministic bytes, resumed bit for bit, every change refused."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest

from sekisho.canary.checkpoint import load_checkpoint, pack_checkpoint, parse_checkpoint
from sekisho.canary.flop import NetworkShape
from sekisho.canary.network import Network, make_task
from sekisho.model.errors import Corrupt, InvalidInput

SHAPE = NetworkShape(widths=(6, 10, 3), batch=8)


def _trained(steps: int, network: Network | None = None) -> Network:
    network = network or Network(SHAPE, seed=4)
    task = make_task(SHAPE, 4)
    while network.step < steps:
        network.train_step(*task.batch(network.step, SHAPE.batch))
    return network


def test_resumed_training_equals_uninterrupted_training() -> None:
    """Weights, moments, step and FLOP after an interruption are those of a training without one, bit for bit."""
    whole = _trained(60)
    resumed = _trained(60, parse_checkpoint(pack_checkpoint(_trained(23))))
    assert pack_checkpoint(resumed) == pack_checkpoint(whole)
    assert resumed.flop == whole.flop
    for one, other in zip(whole.parameters, resumed.parameters, strict=True):
        assert np.array_equal(one, other)


def test_there_and_back() -> None:
    """Packing what was parsed gives the same bytes."""
    data = pack_checkpoint(_trained(3))
    assert pack_checkpoint(parse_checkpoint(data)) == data


def test_golden_container() -> None:
    """The container's bytes are fixed: magic, length, canonical header, arrays, digest."""
    network = Network(NetworkShape(widths=(1, 1), batch=1), seed=0)
    network.weights[0][...] = 1.0
    header = (
        b'{"arrays":[{"name":"parameter/0","shape":[1,1]},{"name":"parameter/1","shape":[1]},'
        b'{"name":"moment-1/0","shape":[1,1]},{"name":"moment-1/1","shape":[1]},'
        b'{"name":"moment-2/0","shape":[1,1]},{"name":"moment-2/1","shape":[1]}],'
        b'"flop":"0","network":{"batch":1,"widths":[1,1]},"seed":0,"step":0}'
    )
    body = b"SEKISHO-CANARY-1\n" + len(header).to_bytes(8, "little") + header
    body += b"\x00\x00\x80\x3f" + bytes(20)
    assert pack_checkpoint(network) == body + hashlib.sha256(body).digest()


def test_truncated_checkpoint_is_refused() -> None:
    """However much is missing at the end, the checkpoint is refused."""
    data = pack_checkpoint(_trained(1))
    for size in (0, 5, 17, 30, 60, len(data) // 2, len(data) - 1):
        with pytest.raises(Corrupt, match="resume from another"):
            parse_checkpoint(data[:size])


def test_altered_checkpoint_is_refused(dice: random.Random) -> None:
    """One changed bit anywhere, or one byte more, is refused."""
    data = pack_checkpoint(_trained(1))
    for _ in range(200):
        changed = bytearray(data)
        changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        with pytest.raises(Corrupt):
            parse_checkpoint(bytes(changed))
    with pytest.raises(Corrupt):
        parse_checkpoint(data + b"\0")


def test_forged_size_allocates_nothing() -> None:
    """A header that claims a huge network over few bytes is refused before memory is taken, digest right or not."""
    data = pack_checkpoint(Network(NetworkShape(widths=(1, 1), batch=1), seed=0))
    forged = data[:-32].replace(b'"widths":[1,1]', b'"widths":[16384,16384,16384]')
    grown = len(forged) - len(data[:-32])
    length = int.from_bytes(data[17:25], "little") + grown
    forged = forged[:17] + length.to_bytes(8, "little") + forged[25:]
    with pytest.raises(Corrupt, match="does not hold the arrays"):
        parse_checkpoint(forged + hashlib.sha256(forged).digest())


def test_missing_file_is_bad_input(tmp_path: Path) -> None:
    """A path that cannot be read is named."""
    with pytest.raises(InvalidInput, match="nothing"):
        load_checkpoint(tmp_path / "nothing.canary")
