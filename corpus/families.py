"""Workload families: what a device is asked to do, step by step, in shapes that real work has.

Only the shapes matter to a meter, so no family trains anything: weights and data are random. A family is what must be
held out whole when a classifier or a meter is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from operations import Operations

__all__ = ["FAMILIES", "FULL", "SMALL", "Family", "Size"]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large the pieces are: `width` of a model, `tokens` of a batch, `images`, `points`, and how long a rest is."""

    width: int
    heads: int
    layers: int
    tokens: int
    images: int
    side: int
    points: int
    rest_s: float


SMALL = Size(width=32, heads=2, layers=1, tokens=16, images=1, side=8, points=64, rest_s=0.0)
"""For a processor, in tests."""
FULL = Size(
    width=4096, heads=32, layers=4, tokens=8192, images=64, side=56, points=1 << 20, rest_s=0.2
)
"""For one device with 80 GB."""

Step = Callable[[Operations, Size], None]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One way of using a device; `trains` is what a classifier should say of it."""

    name: str
    label: Literal["training", "inference", "other", "idle"]
    step: Step
    what: str


def _layer(run: Operations, size: Size, tokens: int, *, seen: int = 0) -> None:
    """One transformer layer forward; `seen` tokens stand in the cache already."""
    d, keys = size.width, seen + tokens
    run.product(tokens, 3 * d, d)
    run.product(tokens, keys, d // size.heads, batch=size.heads)
    run.product(tokens, d // size.heads, keys, batch=size.heads)
    run.product(tokens, d, d)
    run.product(tokens, 4 * d, d)
    run.pointwise(tokens * 4 * d)
    run.product(tokens, d, 4 * d)


def _train(run: Operations, size: Size, *, tokens: int | None = None, times: int = 3) -> None:
    """Forward, and backward at twice the cost: `times` 3; with recomputation 4."""
    for _ in range(size.layers * times):
        _layer(run, size, tokens or size.tokens)
    run.pointwise(12 * size.width * size.width * size.layers)  # the optimiser


def _infer(run: Operations, size: Size, *, tokens: int, seen: int) -> None:
    for _ in range(size.layers):
        _layer(run, size, tokens, seen=seen)


def _experts(run: Operations, size: Size) -> None:
    """A mixture of eight experts, two for each token."""
    for _ in range(size.layers * 3):
        run.product(size.tokens, 8, size.width)
        for _ in range(8):
            run.product(size.tokens // 4, 4 * size.width, size.width)
            run.product(size.tokens // 4, size.width, 4 * size.width)


def _lora(run: Operations, size: Size) -> None:
    for _ in range(size.layers * 2):
        _layer(run, size, size.tokens // 4)
        run.product(size.tokens // 4, 16, size.width)
        run.product(size.tokens // 4, size.width, 16)


def _rollouts(run: Operations, size: Size) -> None:
    """Reinforcement learning: many short decodings, then a little training."""
    for seen in range(16):
        _infer(run, size, tokens=size.heads, seen=seen + 1)
    _train(run, size, tokens=size.tokens // 8)


def _diffuse(run: Operations, size: Size) -> None:
    for _ in range(3):
        for channels in (32, 64):
            run.convolution(size.images, size.side, channels, channels, 3)
        _layer(run, size, size.tokens // 8)


def _convolve(run: Operations, size: Size) -> None:
    for _ in range(3):
        for channels in (16, 32, 64):
            run.convolution(size.images, size.side, channels, channels, 3)
        run.pointwise(size.images * size.side * size.side * 64)


def _recommend(run: Operations, size: Size) -> None:
    run.gather(size.tokens * 26, 16)
    for _ in range(3):
        run.product(size.tokens, 64, 416)
        run.product(size.tokens, 16, 64)


def _stream(run: Operations, size: Size) -> None:
    """One answer at a time, a token at a time."""
    _infer(run, size, tokens=1, seen=size.tokens)


def _speculate(run: Operations, size: Size) -> None:
    """A draft of four tokens by a small model, checked at once by the large one."""
    for _ in range(4):
        run.product(1, size.width, size.width // 4)
    _infer(run, size, tokens=4, seen=size.tokens)


def _offload(run: Operations, size: Size) -> None:
    run.to_host(12 * size.width * size.width)
    _train(run, size)


def _throttled(run: Operations, size: Size) -> None:
    _train(run, size)
    run.rest(4 * size.rest_s)


def _diluted(run: Operations, size: Size) -> None:
    """Training between bursts of something that looks like serving."""
    _train(run, size, tokens=size.tokens // 4)
    for _ in range(4):
        _stream(run, size)
        run.rest(size.rest_s / 4)


def _disguised(run: Operations, size: Size) -> None:
    """Training in single-token steps, so that it moves memory as decoding does."""
    for _ in range(8):
        _train(run, size, tokens=8)


def _render(run: Operations, size: Size) -> None:
    for _ in range(16):
        run.pointwise(size.images * size.side * size.side * 16)


def _burn(run: Operations, size: Size) -> None:
    run.product(4 * size.width, 4 * size.width, 4 * size.width)


_ALL = (
    Family(name="dense pre-training", label="training", step=_train, what="transformer, bf16"),
    Family(
        name="recomputed pre-training",
        label="training",
        step=lambda run, size: _train(run, size, times=4),
        what="activations computed twice: work done, beyond 6ND",
    ),
    Family(
        name="expert pre-training", label="training", step=_experts, what="two of eight experts"
    ),
    Family(
        name="fine-tuning",
        label="training",
        step=lambda run, size: _train(run, size, tokens=size.tokens // 4),
        what="small batches",
    ),
    Family(name="LoRA", label="training", step=_lora, what="small matrices beside frozen ones"),
    Family(name="RL rollouts", label="training", step=_rollouts, what="decoding, then updates"),
    Family(
        name="diffusion training", label="training", step=_diffuse, what="convolutions, attention"
    ),
    Family(name="convolutional training", label="training", step=_convolve, what="images"),
    Family(name="recommendation", label="training", step=_recommend, what="tables, small products"),
    Family(
        name="offloaded training", label="training", step=_offload, what="optimiser on the host"
    ),
    Family(
        name="throttled training", label="training", step=_throttled, what="rests between steps"
    ),
    Family(name="diluted training", label="training", step=_diluted, what="mixed with serving"),
    Family(name="disguised training", label="training", step=_disguised, what="as if decoding"),
    Family(
        name="batch inference",
        label="inference",
        step=lambda run, size: _infer(run, size, tokens=size.tokens, seen=0),
        what="long prompts",
    ),
    Family(name="streaming inference", label="inference", step=_stream, what="token by token"),
    Family(
        name="speculative inference", label="inference", step=_speculate, what="draft, then check"
    ),
    Family(
        name="embedding",
        label="inference",
        step=lambda run, size: _infer(run, size, tokens=size.tokens // 16, seen=0),
        what="short texts",
    ),
    Family(name="rendering", label="other", step=_render, what="plain pipes only"),
    Family(
        name="Fourier transforms",
        label="other",
        step=lambda run, size: run.transform(size.images, size.points),
        what="plain pipes and memory",
    ),
    Family(name="product burn", label="other", step=_burn, what="one large product, for stress"),
    Family(
        name="weights loaded",
        label="idle",
        step=lambda run, size: run.rest(max(size.rest_s, 0.001)),
        what="memory full, nothing asked",
    ),
)

FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}
