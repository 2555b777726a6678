"""The families of generated workloads, and one call that makes a trace of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import msgspec

from sekisho.metering.tensor_clocks import tensor_clocks
from sekisho.metering.workloads import serving, training
from sekisho.metering.workloads.draws import Draws
from sekisho.metering.workloads.kernels import Kernel, Machine
from sekisho.metering.workloads.simulation import Conditions, simulate
from sekisho.metering.workloads.trace import Kind, Trace
from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput

__all__ = ["START_US", "Family", "families", "generate"]

START_US: Final = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z, where every trace begins."""
_CHIPS: Final = ("H100 SXM5", "H100 SXM5", "A100 SXM4 80GB")
_FP8_CHIPS: Final = ("H100 SXM5", "H200 SXM")


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of workload; traces of one family differ by their seed: chip, sizes, pauses, power cap.

    `number_format` is what an honest operator declares ("" where the matrix unit is not what it is about).
    """

    name: str
    kind: Kind
    number_format: str
    what: str
    program: Callable[[Machine, Draws], Iterator[Kernel]]
    chips: tuple[str, ...] = _CHIPS
    cap: tuple[float, float] = (0.85, 1.0)
    memory: tuple[float, float] = (0.4, 0.95)


def _training(
    name: str, what: str, program: Callable[..., Iterator[Kernel]], **more: object
) -> Family:
    fields = {"number_format": "bf16", "kind": "training", **more}
    return Family(name=name, what=what, program=program, **fields)  # type: ignore[arg-type]  # fields of Family


def _inference(
    name: str, what: str, program: Callable[..., Iterator[Kernel]], **more: object
) -> Family:
    return _training(name, what, program, kind="inference", **more)


def _other(
    name: str, what: str, program: Callable[..., Iterator[Kernel]], **more: object
) -> Family:
    return _training(name, what, program, **{"kind": "other", "number_format": "", **more})


_FP8 = partial(training.dense_training, number_format="fp8")
_ALL: Final = (
    _training("dense-pretraining", "a language model in BF16", training.dense_training),
    _training(
        "dense-pretraining-fp8",
        "the same with products in FP8 and attention in BF16",
        _FP8,
        number_format="fp8",
        chips=_FP8_CHIPS,
    ),
    _training("moe-pretraining", "experts with ragged products", training.moe_training),
    _training("long-context-training", "attention over long texts", training.long_context),
    _training("fine-tuning", "a small model, texts of many lengths", training.small_fine_tuning),
    _training("lora", "thin adapters on frozen weights", training.lora),
    _training("rl-rollouts", "generating, then training on it", training.rl_rollouts),
    _training("diffusion-training", "a U-Net", training.diffusion_training),
    _training("vision-transformer", "197 tokens an image", training.vision_transformer),
    _training("cnn-training", "convolutions in FP16", training.cnn_training, number_format="fp16"),
    _training(
        "cnn-training-tf32",
        "convolutions in TF32",
        training.tf32_cnn_training,
        number_format="tf32",
    ),
    _training("recommendation", "embeddings and narrow layers", training.recommendation),
    _training("offloaded-training", "optimiser on the host", training.offloaded_training),
    _training(
        "throttled-training", "a power cap at half", training.dense_training, cap=(0.42, 0.6)
    ),
    _training("diluted-training", "steps among pauses", training.diluted_training),
    _training("disguised-training", "bursts that look like a service", training.disguised_training),
    _inference("batch-inference", "long inputs, many texts at once", serving.batch_inference),
    _inference(
        "batch-inference-fp8",
        "the same with products in FP8",
        partial(serving.batch_inference, number_format="fp8"),
        number_format="fp8",
        chips=_FP8_CHIPS,
    ),
    _inference("streaming-inference", "requests as they come", serving.streaming_inference),
    _inference("speculative-decoding", "drafted and checked", serving.speculative_decoding),
    _inference("diffusion-sampling", "images from noise", serving.diffusion_sampling),
    _other("gemm-burn", "large products in BF16", serving.gemm_burn, number_format="bf16"),
    _other(
        "gemm-burn-fp8",
        "large products in FP8",
        partial(serving.gemm_burn, number_format="fp8"),
        number_format="fp8",
        chips=_FP8_CHIPS,
    ),
    _other("fp64-products", "double precision on the matrix unit", serving.fp64_products),
    _other("fft", "FP32 transforms, no matrix product", serving.fourier),
    _other("rendering", "shading on the FP32 pipe", serving.rendering),
    _other("memory-stream", "memory at its limit", serving.memory_stream),
    _other("idle-weights", "weights loaded, nobody asks", serving.idle_weights),
)
_BY_NAME: Final[Mapping[str, Family]] = {family.name: family for family in _ALL}


def families() -> tuple[Family, ...]:
    """All families, in the order in which reports list them."""
    return _ALL


def generate(family: str, *, seed: int, seconds: int = 600, hz: int = 10) -> Trace:
    """A trace of one family: the same for the same arguments, on every machine.

    Raises InvalidInput for an unknown family, or where seconds or hz are not from 1 to 86,400 and 1 to 100.
    """
    found = _BY_NAME.get(family)
    if found is None:
        raise InvalidInput(
            f"no family {family[:40]!r}", remedy=f"write one of {', '.join(_BY_NAME)}"
        )
    if not (1 <= seconds <= 86_400 and 1 <= hz <= 100):
        raise InvalidInput("a trace lasts 1 to 86,400 seconds at 1 to 100 readings a second")
    draws = Draws(family, seed)
    machine = _machine(draws.pick(found.chips))
    conditions = Conditions(
        cap=draws.between(*found.cap), memory_share=draws.between(*found.memory)
    )
    program = found.program(machine, draws)
    columns = simulate(machine, program, conditions, draws, seconds=seconds, hz=hz)
    count = len(columns.readings["util_ppm"])
    return Trace(
        family=found.name,
        kind=found.kind,
        seed=seed,
        chip=machine.chip.name,
        hz=hz,
        number_format=found.number_format,
        at_us=tuple(START_US + i * 10**6 // hz for i in range(count)),
        readings=columns.readings,
        operations=columns.operations,
        done=columns.done,
    )


def _machine(name: str) -> Machine:
    chip = known_chips().find(name)
    if chip is None:
        raise InvalidInput(f"no chip {name!r} in the chip table")
    return Machine(chip=chip, row=tensor_clocks()[chip.name])
