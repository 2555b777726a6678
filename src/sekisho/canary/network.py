"""A multilayer perceptron written by hand: forward, backward and Adam in float32, deterministic for a seed."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.canary.flop import NetworkShape, step_flop

__all__ = ["Array", "Network", "Task", "make_task"]

Array: TypeAlias = npt.NDArray[np.float32]

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8  # Adam's usual values (arXiv 1412.6980)
TASK_ROWS = 8192


class Task(msgspec.Struct, frozen=True):
    """What is to be learned: `inputs` (rows, in) and `targets` (rows, out)."""

    inputs: Array
    targets: Array

    def batch(self, step: int, rows: int) -> tuple[Array, Array]:
        """The rows of `step`: views, in turn, so that a resumed run sees the same ones."""
        start = (step % (len(self.inputs) // rows)) * rows
        return self.inputs[start : start + rows], self.targets[start : start + rows]


def make_task(shape: NetworkShape, seed: int) -> Task:
    """Noise-free answers of a hidden random network: learnable, never read from a file, the same for a seed."""
    draw = np.random.default_rng([seed, 1])
    width_in, width_out, hidden = shape.widths[0], shape.widths[-1], 32
    rows = max(TASK_ROWS, shape.batch)
    inputs = draw.standard_normal((rows, width_in), dtype=np.float32)
    first = draw.standard_normal((width_in, hidden), dtype=np.float32) / np.float32(
        math.sqrt(width_in)
    )
    second = draw.standard_normal((hidden, width_out), dtype=np.float32) / np.float32(
        math.sqrt(hidden)
    )
    return Task(inputs, np.tanh(inputs @ first) @ second)


class Network:
    """Weights, Adam's moments, and the count of what was spent on them.

    `step` is the number of steps done, `flop` their exact sum (flop.py has the rule), `loss` the mean squared error
    of the last batch before its step.
    """

    def __init__(self, shape: NetworkShape, seed: int) -> None:
        draw = np.random.default_rng([seed, 2])
        self.shape = shape
        self.seed = seed
        self.step = 0
        self.flop = 0
        self.loss = math.nan
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        for m, n in pairwise(shape.widths):
            scale = np.float32(math.sqrt(2 / m))
            self.weights.append(draw.standard_normal((m, n), dtype=np.float32) * scale)
            self.biases.append(np.zeros(n, dtype=np.float32))
        self.moments_1 = [np.zeros_like(p) for p in self.parameters]
        self.moments_2 = [np.zeros_like(p) for p in self.parameters]

    @property
    def parameters(self) -> list[Array]:
        return [*self.weights, *self.biases]

    def arrays(self) -> dict[str, Array]:
        """Everything that a checkpoint must hold, by name."""
        named: dict[str, Array] = {}
        for kind, values in (
            ("parameter", self.parameters),
            ("moment-1", self.moments_1),
            ("moment-2", self.moments_2),
        ):
            named.update({f"{kind}/{index}": value for index, value in enumerate(values)})
        return named

    def train_step(self, inputs: Array, targets: Array) -> float:
        """One step of Adam on one batch; yields the batch's loss before it."""
        outputs = self._forward(inputs)
        difference = outputs[-1] - targets
        size = difference.size
        self.loss = float(np.add.reduce(difference * difference, axis=None)) / size
        gradients = self._backward(inputs, outputs, difference * np.float32(2 / size))
        self.step += 1
        self._adam(gradients)
        self.flop += step_flop(self.shape)
        return self.loss

    def _forward(self, inputs: Array) -> list[Array]:
        outputs: list[Array] = []
        value = inputs
        last = len(self.weights) - 1
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            value = value @ weight
            value += bias
            if index < last:
                np.maximum(value, np.float32(0), out=value)
            outputs.append(value)
        return outputs

    def _backward(self, inputs: Array, outputs: list[Array], gradient: Array) -> list[Array]:
        """Gradients in the order of `parameters`."""
        by_weight: list[Array] = []
        by_bias: list[Array] = []
        for index in reversed(range(len(self.weights))):
            before = outputs[index - 1] if index else inputs
            by_weight.insert(0, before.T @ gradient)
            by_bias.insert(0, np.add.reduce(gradient, axis=0))
            if index:
                gradient = gradient @ self.weights[index].T
                gradient *= before > np.float32(0)
        return [*by_weight, *by_bias]

    def _adam(self, gradients: list[Array]) -> None:
        t = self.step
        rate = np.float32(RATE * math.sqrt(1 - BETA_2**t) / (1 - BETA_1**t))
        moments = zip(self.parameters, gradients, self.moments_1, self.moments_2, strict=True)
        for parameter, gradient, first, second in moments:
            np.multiply(first, np.float32(BETA_1), out=first)
            np.add(first, gradient * np.float32(1 - BETA_1), out=first)
            np.multiply(second, np.float32(BETA_2), out=second)
            square = gradient * gradient
            np.multiply(square, np.float32(1 - BETA_2), out=square)
            np.add(second, square, out=second)
            update = np.sqrt(second)
            update += np.float32(EPSILON)
            np.divide(first, update, out=update)
            update *= rate
            np.subtract(parameter, update, out=parameter)
