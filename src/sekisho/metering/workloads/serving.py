"""Families that are no training: inference of several kinds, and what else keeps a device busy."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.metering.workloads.draws import Draws
from sekisho.metering.workloads.kernels import Kernel, Machine, elementwise, fft, gap, product
from sekisho.metering.workloads.training import decode_step, draw_model, forward

__all__ = [
    "batch_inference",
    "diffusion_sampling",
    "fourier",
    "fp64_products",
    "gemm_burn",
    "idle_weights",
    "memory_stream",
    "rendering",
    "speculative_decoding",
    "streaming_inference",
]


def batch_inference(
    machine: Machine, draws: Draws, *, number_format: str = "bf16"
) -> Iterator[Kernel]:
    """Long inputs read in one go, then tokens for many texts at once, without pause."""
    model = draw_model(draws, number_format=number_format)
    batch, context = draws.pick((64, 128, 256)), draws.pick((1024, 2048))
    token = decode_step(machine, model, batch, context)
    reading = forward(machine, model, 8, context)
    while True:
        for _ in range(batch // 32):
            yield reading
        for _ in range(draws.whole(2, 6)):
            yield token.times(32)


def streaming_inference(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Requests come when they come; batches of one to a dozen, waiting between."""
    model = draw_model(draws)
    load = draws.between(0.02, 0.4)
    steps = [decode_step(machine, model, batch, 800) for batch in range(1, 13)]
    reading = forward(machine, model, 1, draws.whole(100, 900))
    while True:
        yield gap(draws.waiting(load))
        yield reading
        for _ in range(draws.whole(1, 6)):
            yield draws.pick(steps).times(24)


def speculative_decoding(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """A small model drafts four to eight tokens, the large one checks them together."""
    large, small = draw_model(draws), draw_model(draws, small=True)
    batch, drafts = draws.pick((4, 8, 16)), draws.whole(4, 8)
    draft = decode_step(machine, small, batch, 700).times(drafts)
    check = decode_step(machine, large, batch * drafts, 700)
    rounds = Kernel.join([draft, check]).times(32)
    while True:
        yield rounds
        yield gap(draws.waiting(0.04))


def diffusion_sampling(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Images from noise: a transformer over 4,096 patches, step after step."""
    model = draw_model(draws, small=True)
    step = forward(machine, model, draws.pick((2, 4, 8)), 4096)
    while True:
        for _ in range(draws.whole(20, 50)):
            yield step
        yield elementwise(machine, 8 * 3 * 1024 * 1024, flop=60, instructions=80, moved=20.0)
        yield gap(draws.waiting(0.3), host_bytes=3e7)


def gemm_burn(machine: Machine, draws: Draws, *, number_format: str = "bf16") -> Iterator[Kernel]:
    """Large square products without pause; zeros as data now and then, which draw little power."""
    side = draws.pick((4096, 8192, 16_384))
    one = product(machine, side, side, side, number_format)
    toggle = draws.pick((1.0, 1.0, 0.45))
    many = one.with_toggle(toggle).times((16_384 // side) ** 3)
    while True:
        yield many


def fp64_products(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Linear algebra in double precision: the matrix unit is active at a sixteenth of its 16-bit rate."""
    side = draws.pick((2048, 4096, 8192))
    products = product(machine, side, side, 512, "fp64", 4)
    step = Kernel.join(
        [products, elementwise(machine, side * side, flop=2, instructions=4, moved=24.0)]
    ).times((16_384 // side) ** 2)
    while True:
        yield step


def fourier(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Batches of FFTs in FP32: operations without a single matrix product."""
    points = 1 << draws.whole(10, 22)
    work = fft(machine, points, (1 << 31) // points, fused=draws.between(0.1, 0.9))
    while True:
        yield work
        yield gap(draws.waiting(0.02))


def rendering(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Sixty frames a second at most: shading on the FP32 pipe, nothing on the matrix unit."""
    pixels = draws.pick((1920 * 1080, 3840 * 2160))
    flop = draws.whole(300, 3000)
    instructions = round(flop * draws.between(0.8, 2.5))  # addresses and tests beside the sums
    frame = elementwise(machine, pixels, flop=flop, instructions=instructions, moved=120.0)
    while True:
        yield frame
        yield gap(draws.between(0.001, 0.012))


def memory_stream(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Two operations for twenty-four bytes: memory at its limit and next to nothing computed."""
    elements = draws.pick((1 << 26, 1 << 27, 1 << 28))
    work = elementwise(machine, elements, flop=2, instructions=4, moved=24.0).times(32)
    while True:
        yield work


def idle_weights(machine: Machine, draws: Draws) -> Iterator[Kernel]:
    """Weights stand in memory and nobody asks, but for a probe every few seconds."""
    probe = decode_step(machine, draw_model(draws, small=True), 1, 16)
    while True:
        yield gap(draws.between(3.0, 12.0))
        yield probe.times(4)
