"""The training loop: steps at a stated pace, a status four times a second, checkpoints when asked."""

from __future__ import annotations

import math
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec

from sekisho.canary.checkpoint import CheckpointRecord, load_checkpoint, pack_checkpoint
from sekisho.canary.durable import write_whole
from sekisho.canary.flop import NetworkShape
from sekisho.canary.network import Network, make_task
from sekisho.model.amounts import format_flop
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical, sha256_hex

__all__ = ["CanarySettings", "Wishes", "train"]

STATUS_EVERY_S = 0.25
REST_EVERY_S = (
    0.005  # computing time between two rests: short enough that a signal is heard at once
)
LONGEST_REST_S = 0.25


class CanarySettings(msgspec.Struct, frozen=True, kw_only=True):
    """One training: where it writes, what it learns, how hard it works. `pace` is the share of time computing."""

    out: Path
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    run: str = "canary"
    pace: float = 0.5
    resume: Path | None = None
    steps: int | None = None
    shape: NetworkShape = NetworkShape()


class Wishes:
    """What signals asked for; they are granted between two steps, where the state is whole."""

    def __init__(self) -> None:
        self.checkpoint = False
        self.end = False

    def listen(self) -> None:
        """SIGUSR1 asks for a checkpoint, SIGTERM and SIGINT for a checkpoint and the end."""
        signal.signal(signal.SIGUSR1, self._hear)
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, number: int, _: FrameType | None) -> None:
        self.checkpoint = True
        self.end = self.end or number != signal.SIGUSR1


class _Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    run: str
    step: int
    loss: float | None
    flop: str
    checkpoint: CheckpointRecord | None = None


def train(settings: CanarySettings, wishes: Wishes) -> Network:
    """Learn until told to end, or for `steps` steps in all; always leaves a checkpoint when it ends by itself.

    Raises InvalidInput for a seed that is not the checkpoint's or a folder that cannot be written, Corrupt for a bad
    checkpoint.
    """
    network = _open(settings)
    task = make_task(network.shape, settings.seed)
    record: CheckpointRecord | None = None
    pacer = _Pacer(settings.pace)
    _write_status(settings, network, record)
    written = time.monotonic()
    while True:
        # Read once a round: a wish that comes in the middle of it is whole in the next one.
        over = wishes.end or (settings.steps is not None and network.step >= settings.steps)
        if wishes.checkpoint or over:
            wishes.checkpoint = False
            record = _write_checkpoint(settings.out, network)
        if over or time.monotonic() - written >= STATUS_EVERY_S:
            _write_status(settings, network, record)
            written = time.monotonic()
        if over:
            return network
        network.train_step(*task.batch(network.step, network.shape.batch))
        pacer.rest()


def _open(settings: CanarySettings) -> Network:
    if not 0 < settings.pace <= 1:
        raise InvalidInput("must lie above 0 and at most at 1", path="--pace")
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"cannot be made: {error.strerror}", path=str(settings.out)) from None
    if settings.resume is None:
        return Network(settings.shape, settings.seed)
    network = load_checkpoint(settings.resume)
    if network.seed != settings.seed:
        raise InvalidInput(f"the checkpoint was trained with seed {network.seed}", path="--seed")
    return network


class _Pacer:
    """Rests in proportion to processor time used, so that a freeze in between does not count as work."""

    def __init__(self, pace: float) -> None:
        self._rest_per_work = (1 - pace) / pace
        self._since = time.process_time()

    def rest(self) -> None:
        worked = time.process_time() - self._since
        if worked < REST_EVERY_S or self._rest_per_work == 0:
            return
        time.sleep(min(worked * self._rest_per_work, LONGEST_REST_S))
        self._since = time.process_time()


def _write_checkpoint(out: Path, network: Network) -> CheckpointRecord:
    """The file first, then the record that names it: a crash between them leaves a good file that nobody names."""
    data = pack_checkpoint(network)
    path = out / f"checkpoint-{network.step}.canary"
    write_whole(path, data, durable=True)
    record = CheckpointRecord(
        step=network.step,
        sha256=sha256_hex(data),
        bytes=len(data),
        flop=format_flop(network.flop),
        path=str(path),
    )
    write_whole(out / "checkpoint.json", canonical(record), durable=True)
    return record


def _write_status(
    settings: CanarySettings, network: Network, record: CheckpointRecord | None
) -> None:
    """Not durable: after a power cut an older status is as good, since it is a view of the work, not the work."""
    status = _Status(
        run=settings.run,
        step=network.step,
        loss=None if math.isnan(network.loss) else network.loss,
        flop=format_flop(network.flop),
        checkpoint=record,
    )
    write_whole(settings.out / "status.json", canonical(status), durable=False)
