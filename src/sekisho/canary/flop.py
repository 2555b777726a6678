"""How many floating-point operations one training step takes, counted exactly from its shapes.

The rule: a matrix product of (m, k) and (k, n) is 2mnk; every other array operation (add, subtract, multiply, divide,
square root, compare) is one per element that it yields; a sum of a values into b is a - b; the eight numbers that a
step computes outside arrays (Adam's step size, the mean's division) are one each. Making the task's data is input
preparation and is not counted, as 6ND does not count it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import msgspec

__all__ = ["SCALARS_PER_STEP", "NetworkShape", "step_flop", "step_flop_table"]

SCALARS_PER_STEP = 8
ADAM_PER_PARAMETER = 12  # first moment 3, second moment 4, update 5

_Width = Annotated[int, msgspec.Meta(ge=1, le=16_384)]


class NetworkShape(msgspec.Struct, frozen=True, kw_only=True):
    """Widths of the layers from input to output, and rows per batch."""

    widths: Annotated[tuple[_Width, ...], msgspec.Meta(min_length=2, max_length=16)] = (
        64,
        256,
        256,
        16,
    )
    batch: _Width = 128

    @property
    def parameters(self) -> int:
        return sum(m * n + n for m, n in pairwise(self.widths))


def step_flop_table(shape: NetworkShape) -> tuple[tuple[str, int], ...]:
    """Each operation of one step with its FLOP, in the order in which the step does them."""
    rows: list[tuple[str, int]] = []
    b = shape.batch
    layers = list(pairwise(shape.widths))
    for index, (m, n) in enumerate(layers):
        rows += [(f"forward {index}: product", 2 * b * m * n), (f"forward {index}: bias", b * n)]
        if index < len(layers) - 1:
            rows.append((f"forward {index}: rectifier", b * n))
    out = b * shape.widths[-1]
    rows += [
        ("loss: difference and square", 2 * out),
        ("loss: sum", out - 1),
        ("loss: gradient", out),
    ]
    for index, (m, n) in reversed(list(enumerate(layers))):
        rows += [
            (f"backward {index}: weights", 2 * b * m * n),
            (f"backward {index}: bias", (b - 1) * n),
        ]
        if index > 0:
            rows += [
                (f"backward {index}: input", 2 * b * m * n),
                (f"backward {index}: mask", 2 * b * m),
            ]
    rows.append(("Adam", ADAM_PER_PARAMETER * shape.parameters))
    rows.append(("scalars", SCALARS_PER_STEP))
    return tuple(rows)


def step_flop(shape: NetworkShape) -> int:
    """FLOP of one training step: forward, loss, backward and Adam."""
    return sum(flop for _, flop in step_flop_table(shape))
