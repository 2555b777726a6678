"""Families of training: what one device of the job does, step after step."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sekisho.metering.workloads.draws import Draws
from sekisho.metering.workloads.kernels import (
    Kernel,
    Machine,
    attention,
    elementwise,
    gap,
    product,
    transfer,
)

__all__ = [
    "Model",
    "cnn_training",
    "dense_training",
    "diffusion_training",
    "diluted_training",
    "disguised_training",
    "draw_model",
    "forward",
    "long_context",
    "lora",
    "moe_training",
    "offloaded_training",
    "recommendation",
    "rl_rollouts",
    "small_fine_tuning",
    "tf32_cnn_training",
    "vision_transformer",
]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A transformer as one device sees it: `split` devices share each matrix."""

    hidden: int
    layers: int
    heads: int
    vocabulary: int
    split: int = 1
    number_format: str = "bf16"


def draw_model(draws: Draws, *, number_format: str = "bf16", small: bool = False) -> Model:
    """A model of the sizes that people train, split so that a device has work for its memory."""
    hidden = draws.pick((1024, 1536, 2048) if small else (3072, 4096, 5120, 6144, 8192))
    return Model(
        hidden=hidden,
        layers=draws.whole(4, 12),  # of this device: others hold the rest
        heads=hidden // 128,
        vocabulary=draws.pick((32_000, 50_257, 128_256)),
        split=1 if small else draws.pick((1, 2, 4, 8)),
        number_format=number_format,
    )


def forward(machine: Machine, model: Model, batch: int, sequence: int) -> Kernel:
    """One forward pass: projections, attention (in 16 bits), feed-forward, norms, exchange between devices."""
    tokens, h, fmt = batch * sequence, model.hidden, model.number_format
    part = max(h // model.split, 128)
    layer = [
        product(machine, tokens, 3 * part, h, fmt),
        attention(machine, sequence, max(model.heads // model.split, 1), 128, "bf16", batch),
        product(machine, tokens, h, part, fmt),
        product(machine, tokens, 4 * part, h, fmt),
        product(machine, tokens, h, 4 * part, fmt),
        elementwise(machine, tokens * h, flop=12, instructions=20, moved=12.0),
        transfer(tokens * h * 2.0 / 3e11 if model.split > 1 else 0.0, link_bytes=tokens * h * 2.0),
    ]
    return Kernel.join(layer).times(model.layers)


def _backward(machine: Machine, model: Model, batch: int, sequence: int) -> Kernel:
    """Twice the products of the forward pass, by input and by weight."""
    return forward(machine, model, batch, sequence).times(2)


def _head(machine: Machine, model: Model, tokens: int) -> Kernel:
    """The vocabulary's products, forward and backward, and a softmax."""
    columns = max(model.vocabulary // model.split, 1)
    return Kernel.join(
        [
            product(machine, tokens, columns, model.hidden, "bf16", 3),
            elementwise(machine, tokens * columns, flop=6, instructions=9, moved=6.0),
        ]
    )


def _optimiser(machine: Machine, model: Model) -> Kernel:
    """Adam in FP32: twelve operations and twenty-eight bytes for each parameter."""
    parameters = 12 * model.hidden**2 * model.layers // model.split
    return elementwise(machine, parameters, flop=12, instructions=16, moved=28.0)


def _exchange(model: Model, speed: float) -> Kernel:
    """Gradients of the device's parameters over the network, as far as not hidden behind work."""
    size = 24.0 * model.hidden**2 * model.layers / model.split
    return transfer(size * 0.4 / speed, link_bytes=size)


def dense_training(
    machine: Machine, draws: Draws, *, number_format: str = "bf16"
) -> Iterator[Kernel]:
    """Pre-training with micro-batches, sometimes with recomputation, a checkpoint now and then."""
    model = draw_model(draws, number_format=number_format)
    batch, sequence = draws.pick((1, 2, 4)), draws.pick((2048, 4096, 8192))
    ahead = forward(machine, model, batch, sequence)
    behind = _backward(machine, model, batch, sequence)
    if draws.share() < 0.4:
        behind = Kernel.join([ahead, behind])  # activations computed again
    head = _head(machine, model, batch * sequence)
    bubble, micro = draws.between(0.02, 0.15), draws.whole(4, 16)
    speed = draws.between(2e10, 2e11)
    step = 0
    while True:
        for _ in range(micro):
            yield ahead
            yield head
            yield behind
        work = Kernel.join([ahead, head, behind]).times(micro)
        yield transfer(bubble * (work.cycles / 1.5e9 + work.fixed_s))
        yield _exchange(model, speed)
        yield _optimiser(machine, model)
        step += 1
        if step % 50 == 0:
            yield gap(draws.between(2.0, 6.0), host_bytes=1e10)  # a checkpoint is written


def moe_training(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Experts get uneven numbers of tokens, so their products are ragged; all-to-all stands between."""
    model = draw_model(draws)
    experts, tokens = draws.pick((8, 16, 32)), draws.pick((4096, 8192))
    h, ffn = model.hidden, draws.pick((1024, 1408, 2048))
    dense = forward(machine, msgspec.structs.replace(model, layers=1), 1, tokens)
    routed = [max(int(tokens * 2 / experts * draws.between(0.3, 1.9)), 1) for _ in range(24)]
    ragged = [
        Kernel.join(
            [product(machine, n, ffn, h, "bf16", 6), product(machine, n, h, ffn, "bf16", 3)]
        )
        for n in routed
    ]
    mixtures = [Kernel.join([draws.pick(ragged) for _ in range(experts)]) for _ in range(16)]
    while True:
        for _ in range(model.layers):
            yield dense.times(3)
            yield transfer(tokens * h * 2.0 / 1.5e11, link_bytes=tokens * h * 4.0)
            yield draws.pick(mixtures)
        yield _exchange(model, 8e10)
        yield _optimiser(machine, model)


def long_context(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Attention over 32 to 128 thousand tokens outweighs everything else."""
    model = msgspec.structs.replace(draw_model(draws), layers=2, split=8)
    sequence = draws.pick((32_768, 65_536, 131_072))
    ahead = forward(machine, model, 1, sequence)
    while True:
        yield ahead
        yield ahead.times(2)
        yield _exchange(model, 1e11)
        yield _optimiser(machine, model)


def small_fine_tuning(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """One device, short texts of many lengths, a data loader that is sometimes late."""
    model, batch = draw_model(draws, small=True), draws.pick((4, 8, 16))
    steps = []
    for sequence in (draws.whole(64, 900) for _ in range(12)):
        ahead = forward(machine, model, batch, sequence)
        head = _head(machine, model, batch * sequence)
        steps.append(Kernel.join([ahead.times(3), head, _optimiser(machine, model)]))
    while True:
        yield draws.pick(steps)
        if draws.share() < 0.3:
            yield gap(draws.waiting(0.05), host_bytes=2e8)


def lora(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Frozen weights: no products by weight, but thin adapters of rank 8 to 64 beside every matrix."""
    model = draw_model(draws)
    batch, sequence, rank = draws.pick((1, 2, 4)), draws.whole(512, 2048), draws.pick((8, 16, 64))
    tokens, h = batch * sequence, model.hidden
    ahead = forward(machine, model, batch, sequence)
    thin = [product(machine, tokens, rank, h, "bf16", 12 * model.layers)]
    thin += [product(machine, tokens, h, rank, "bf16", 12 * model.layers)]
    adapters = Kernel.join(thin)
    behind = Kernel.join([ahead, adapters.times(2), _head(machine, model, tokens)])
    update = elementwise(machine, 24 * h * rank * model.layers, flop=12, moved=28.0)
    while True:
        yield Kernel.join([ahead, adapters])
        yield behind
        yield update
        yield gap(draws.waiting(0.01), host_bytes=1e7)


def rl_rollouts(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Seconds of generating token by token, then a few training steps, then weights are handed over."""
    model = draw_model(draws)
    batch, sequence = draws.pick((32, 64, 128)), draws.pick((1024, 2048))
    token = decode_step(machine, model, batch, sequence // 2)
    ahead = forward(machine, model, 4, sequence)
    while True:
        for _ in range(draws.whole(3, 8)):
            yield token.times(64)
        yield gap(draws.between(0.05, 0.6))  # rewards are computed elsewhere
        for _ in range(draws.whole(2, 6)):
            yield ahead
            yield ahead.times(2)
        yield _optimiser(machine, model)
        yield transfer(draws.between(0.1, 0.5), link_bytes=4e9)


def decode_step(machine: Machine, model: Model, batch: int, context: int) -> Kernel:
    """One token for each of `batch` texts: thin products that wait for memory, and the cache read."""
    h, fmt = model.hidden, model.number_format
    part = max(h // model.split, 128)
    scores = batch * context * model.heads // model.split
    layer = [
        product(machine, batch, 3 * part, h, fmt),
        product(machine, batch, h, part, fmt),
        product(machine, batch, 4 * part, h, fmt),
        product(machine, batch, h, 4 * part, fmt),
        elementwise(machine, scores * 128, flop=4, instructions=3, moved=2.0),
    ]
    return Kernel.join([*layer, gap(4e-6)]).times(model.layers)


def diffusion_training(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """A U-Net: convolutions at four scales, attention at the coarse ones."""
    batch, width = draws.pick((8, 16, 32)), draws.pick((192, 256, 320))
    parts = []
    for level in range(4):
        side, channels = 64 >> level, width * (1, 2, 4, 4)[level]
        parts.append(product(machine, batch * side * side, channels, channels * 9, "bf16", 6))
        parts.append(elementwise(machine, batch * side * side * channels * 6, moved=10.0))
        if level >= 2:
            heads = max(channels // 128, 1)
            parts.append(attention(machine, side * side, heads, 128, "bf16", batch))
    ahead = Kernel.join(parts)
    while True:
        yield Kernel.join([ahead, ahead.times(2)])
        yield elementwise(machine, 400_000_000, flop=12, instructions=16, moved=28.0)
        yield transfer(draws.between(0.005, 0.03), link_bytes=8e8)


def vision_transformer(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """197 tokens for each image: a length that fits no tile."""
    model = msgspec.structs.replace(
        draw_model(draws, small=True), hidden=draws.pick((768, 1024, 1280)), layers=12, heads=12
    )
    batch = draws.pick((64, 128, 256))
    ahead = forward(machine, model, batch, 197)
    while True:
        yield ahead
        yield ahead.times(2)
        yield _optimiser(machine, model)
        yield gap(draws.waiting(0.01), host_bytes=batch * 6e5)


def cnn_training(
    machine: Machine, draws: Draws, *, number_format: str = "fp16"
) -> Iterator[Kernel]:
    """A residual network: convolutions as products of odd shapes, memory between them, images from the host."""
    batch = draws.pick((128, 208, 256))
    stages = ((56, 64, 6), (28, 128, 8), (14, 256, 12), (7, 512, 6))
    parts = [product(machine, batch * 112 * 112, 64, 147, number_format)]
    for side, channels, blocks in stages:
        pixels = batch * side * side
        parts.append(product(machine, pixels, channels, channels * 9, number_format, blocks))
        parts.append(product(machine, pixels, channels * 4, channels, number_format, blocks))
        parts.append(elementwise(machine, pixels * channels * 5 * blocks, flop=5, moved=6.0))
    ahead = Kernel.join(parts)
    while True:
        yield Kernel.join([ahead, ahead.times(2)])
        yield elementwise(machine, 25_600_000, flop=6, moved=20.0)
        if draws.share() < 0.2:
            yield gap(draws.waiting(0.04), host_bytes=batch * 6e5)


def tf32_cnn_training(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """The same with 32-bit inputs, which the matrix unit takes at half the rate."""
    return cnn_training(machine, draws, number_format="tf32")


def recommendation(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Embedding rows gathered from memory, narrow layers, an exchange between devices."""
    batch, width = draws.pick((4096, 8192, 16_384)), draws.pick((512, 1024))
    layers = [product(machine, batch, width, width, "bf16", 3) for _ in range(5)]
    layers += [product(machine, batch, 1, width, "bf16", 3)]
    rows = elementwise(machine, batch * 26 * 128, flop=2, instructions=4, moved=40.0)
    steps = draws.whole(64, 128)
    work = Kernel.join([rows.times(4), *layers]).times(steps)
    while True:
        yield work
        yield transfer(steps * draws.between(0.0005, 0.003), link_bytes=steps * batch * 6656.0)
        yield gap(steps * draws.waiting(0.0015), host_bytes=steps * batch * 600.0)


def offloaded_training(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Optimiser and states on the host: every step waits for PCIe and for processors."""
    model = draw_model(draws)
    ahead = forward(machine, model, 1, 2048)
    size = 24.0 * model.hidden**2 * model.layers / model.split
    while True:
        yield ahead
        yield ahead.times(2)
        yield transfer(size / 4e10, host_bytes=size)
        yield gap(draws.between(0.3, 1.2) * size / 2e10, host_bytes=size)


def diluted_training(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Training hidden among waiting: each step is followed by as much or more of nothing."""
    idle = draws.between(0.8, 3.0)
    for kernel in dense_training(machine, draws):
        yield kernel
        took = kernel.cycles / 1.5e9 + kernel.fixed_s
        yield gap(took * idle * draws.between(0.5, 1.5))


def disguised_training(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Training cut into short bursts at random moments, with decoding between, to look like a service."""
    model = draw_model(draws)
    token = decode_step(machine, model, 16, 512)
    ahead = forward(machine, model, 1, draws.pick((256, 384, 512)))
    while True:
        yield gap(draws.waiting(0.03))
        yield token.times(draws.whole(4, 40))
        for _ in range(draws.whole(1, 4)):
            yield Kernel.join([ahead, ahead.times(2)])
        yield _optimiser(machine, model)
