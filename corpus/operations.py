"""Operations that run on a device and count themselves: the truth that a meter is held against.

Every call does the work and adds its operations, counted from its shape, a multiply-accumulate as two. Nothing is
estimated: what is counted was asked of the device in just that shape, and what the device does besides (tiles that
are padded, copies, launches) is not work and is not counted.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import Any, Protocol

__all__ = ["Backend", "NumpyBackend", "Operations", "TorchBackend"]


class Backend(Protocol):
    """Where the work is done. Operands are made once for each shape and used again."""

    name: str

    def product(self, batch: int, m: int, n: int, k: int, number_format: str) -> None: ...

    def convolution(self, images: int, size: int, into: int, out_of: int, kernel: int) -> None: ...

    def transform(self, batch: int, points: int) -> None: ...

    def pointwise(self, numbers: int) -> None: ...

    def gather(self, rows: int, width: int) -> None: ...

    def to_host(self, numbers: int) -> None: ...

    def wait(self) -> None: ...


class Operations:
    """Runs and counts. `flop` by pipe and number format: `tensor bf16`, `fp32`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.flop: Counter[str] = Counter()
        self.calls = 0

    @property
    def total(self) -> int:
        return sum(self.flop.values())

    def product(
        self, m: int, n: int, k: int, *, batch: int = 1, number_format: str = "bf16"
    ) -> None:
        """`batch` products (m x k)(k x n): 2 m n k each."""
        self._backend.product(batch, m, n, k, number_format)
        self._count(f"tensor {number_format}", 2 * batch * m * n * k)

    def convolution(self, images: int, size: int, into: int, out_of: int, kernel: int) -> None:
        """A square convolution with padding: 2 operations for each output, input channel and place of the kernel."""
        self._backend.convolution(images, size, into, out_of, kernel)
        self._count("tensor bf16", 2 * images * size * size * into * out_of * kernel * kernel)

    def transform(self, batch: int, points: int) -> None:
        """Fourier transforms of a power of two: 5 n log2 n operations each, as is the custom; no tensor pipe."""
        self._backend.transform(batch, points)
        self._count("fp32", batch * 5 * points * round(math.log2(points)))

    def pointwise(self, numbers: int) -> None:
        """A multiply and an add for each number, on the plain pipes."""
        self._backend.pointwise(numbers)
        self._count("fp32", 2 * numbers)

    def gather(self, rows: int, width: int) -> None:
        """Rows of a table, as an embedding reads them: memory moves, nothing is computed."""
        self._backend.gather(rows, width)
        self.calls += 1

    def to_host(self, numbers: int) -> None:
        """Numbers to the host and back: links move, nothing is computed."""
        self._backend.to_host(numbers)
        self.calls += 1

    def rest(self, seconds: float) -> None:
        """Nothing, for so long; what was asked for before is done first."""
        self._backend.wait()
        time.sleep(seconds)

    def wait(self) -> None:
        self._backend.wait()

    def _count(self, kind: str, flop: int) -> None:
        self.flop[kind] += flop
        self.calls += 1


class NumpyBackend:
    """This machine's processor: for rehearsing the workloads, not for recording them."""

    name = "numpy"

    def __init__(self) -> None:
        import numpy as np

        self._np = np
        self._kept: dict[tuple[Any, ...], Any] = {}

    def product(self, batch: int, m: int, n: int, k: int, number_format: str) -> None:
        # One number format for all: the count does not depend on it, and a processor has few.
        del number_format
        self._np.matmul(self._ones(batch, m, k), self._ones(batch, k, n))

    def convolution(self, images: int, size: int, into: int, out_of: int, kernel: int) -> None:
        self._np.matmul(
            self._ones(images * size * size, into * kernel * kernel),
            self._ones(into * kernel * kernel, out_of),
        )

    def transform(self, batch: int, points: int) -> None:
        self._np.fft.fft(self._ones(batch, points), axis=1)

    def pointwise(self, numbers: int) -> None:
        self._ones(numbers) * 1.5 + 2.5

    def gather(self, rows: int, width: int) -> None:
        self._ones(rows, width)[self._np.arange(rows)[::-1]]

    def to_host(self, numbers: int) -> None:
        self._ones(numbers).copy()

    def wait(self) -> None:
        return

    def _ones(self, *shape: int) -> Any:
        if shape not in self._kept:
            self._kept[shape] = self._np.ones(shape, dtype=self._np.float32)
        return self._kept[shape]


class TorchBackend:
    """An NVIDIA device through PyTorch. Nobody has run this yet: docs/untested.md says so until somebody has."""

    name = "torch"

    def __init__(self, device: str = "cuda:0") -> None:
        import torch

        self._torch = torch
        self._device = torch.device(device)
        self._kept: dict[tuple[Any, ...], Any] = {}
        self._formats = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}

    def product(self, batch: int, m: int, n: int, k: int, number_format: str) -> None:
        left = self._random(number_format, batch, m, k)
        self._torch.bmm(left, self._random(number_format, batch, k, n))

    def convolution(self, images: int, size: int, into: int, out_of: int, kernel: int) -> None:
        self._torch.nn.functional.conv2d(
            self._random("bf16", images, into, size, size),
            self._random("bf16", out_of, into, kernel, kernel),
            padding="same",
        )

    def transform(self, batch: int, points: int) -> None:
        self._torch.fft.fft(self._random("fp32", batch, points))

    def pointwise(self, numbers: int) -> None:
        self._random("fp32", numbers).mul(1.5).add_(2.5)

    def gather(self, rows: int, width: int) -> None:
        table = self._random("bf16", max(rows, 1 << 20), width)
        table[self._torch.randint(table.shape[0], (rows,), device=self._device)]

    def to_host(self, numbers: int) -> None:
        self._random("bf16", numbers).cpu().to(self._device)

    def wait(self) -> None:
        self._torch.cuda.synchronize(self._device)

    def _random(self, number_format: str, *shape: int) -> Any:
        # Random, since a device draws less power on ones.
        key = (number_format, *shape)
        if key not in self._kept:
            made = self._torch.randn(shape, device=self._device)
            self._kept[key] = made.to(self._formats[number_format])
        return self._kept[key]
