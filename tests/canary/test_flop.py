"""FLOP are counted from shapes; here they are counted again from the array operations that really ran."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sekisho.canary.flop import SCALARS_PER_STEP, NetworkShape, step_flop, step_flop_table
from sekisho.canary.network import Network, Task, make_task


class Tally:
    def __init__(self) -> None:
        self.flop = 0


class Counted(np.ndarray[Any, np.dtype[np.float32]]):
    """An array that counts what is done with it, by what the operation took in and gave out."""

    tally: Tally | None = None

    def __array_finalize__(self, other: object) -> None:
        if isinstance(other, Counted):
            self.tally = other.tally

    def __array_ufunc__(self, ufunc: Any, method: Any, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(x) for x in inputs]
        outputs = options.pop("out", None)
        if outputs:
            options["out"] = tuple(np.asarray(x) for x in outputs)
        result = getattr(ufunc, method)(*plain, **options)
        tally = self.tally or next(
            x.tally for x in (*inputs, *(outputs or ())) if isinstance(x, Counted) and x.tally
        )
        if ufunc is np.matmul:
            tally.flop += 2 * plain[0].shape[0] * plain[0].shape[1] * plain[1].shape[1]
        elif method == "reduce":
            tally.flop += plain[0].size - np.asarray(result).size
        else:
            tally.flop += np.asarray(result).size
        return outputs[0] if outputs else _counted(np.asarray(result), tally)


def _counted(array: Any, tally: Tally) -> Any:
    view = np.asarray(array).view(Counted)
    view.tally = tally
    return view


@pytest.mark.parametrize(
    "shape",
    [
        NetworkShape(),
        NetworkShape(widths=(3, 5), batch=2),
        NetworkShape(widths=(7, 4, 6, 5, 2), batch=9),
        NetworkShape(widths=(1, 1, 1), batch=1),
    ],
)
def test_the_count_equals_the_operations_that_ran(shape: NetworkShape) -> None:
    """One real step, watched operation by operation, takes exactly the FLOP that the shapes predict."""
    tally = Tally()
    network = Network(shape, seed=5)
    for arrays in (network.weights, network.biases, network.moments_1, network.moments_2):
        arrays[:] = [_counted(array, tally) for array in arrays]
    inputs, targets = make_task(shape, 5).batch(0, shape.batch)

    network.train_step(_counted(inputs, tally), _counted(targets, tally))

    assert tally.flop + SCALARS_PER_STEP == step_flop(shape)
    assert network.flop == step_flop(shape)


def test_a_watched_network_learns_the_same() -> None:
    """The counting array changes no result, so what it counts is the real step."""
    shape = NetworkShape(widths=(4, 8, 2), batch=4)
    plain, watched = Network(shape, seed=1), Network(shape, seed=1)
    watched.weights = [_counted(w, Tally()) for w in watched.weights]
    inputs, targets = make_task(shape, 1).batch(0, 4)
    assert watched.train_step(inputs, targets) == plain.train_step(inputs, targets)
    for one, other in zip(plain.parameters, watched.parameters, strict=True):
        assert np.array_equal(one, np.asarray(other))


def test_products_are_2mnk() -> None:
    """Of a step's FLOP the matrix products are 2mnk each: three per layer, two for the first."""
    shape = NetworkShape(widths=(10, 20, 30), batch=7)
    products = [flop for name, flop in step_flop_table(shape) if "product" in name]
    assert products == [2 * 7 * 10 * 20, 2 * 7 * 20 * 30]
    backward = sum(f for name, f in step_flop_table(shape) if "weights" in name or "input" in name)
    assert backward == 2 * 7 * 10 * 20 + 2 * (2 * 7 * 20 * 30)


def test_loss_falls_clearly() -> None:
    """Three hundred steps take nine tenths of the loss away, on rows that were not trained on too."""
    shape = NetworkShape()
    network, task = Network(shape, seed=11), make_task(shape, 11)
    held_out = Task(task.inputs[-1024:], task.targets[-1024:])
    before = _error(network, held_out)
    for step in range(300):
        network.train_step(*task.batch(step % 50, shape.batch))
    assert network.loss < 0.1
    assert _error(network, held_out) < 0.6 * before
    assert network.flop == 300 * step_flop(shape)


def _error(network: Network, task: Task) -> float:
    value = task.inputs
    for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        value = value @ weight + bias
        if index < len(network.weights) - 1:
            value = np.maximum(value, 0)
    return float(np.mean((value - task.targets) ** 2))


def test_gradients_agree_with_differences() -> None:
    """The backward pass by hand agrees with what moving one weight does to the loss."""
    shape = NetworkShape(widths=(3, 6, 2), batch=8)
    network, task = Network(shape, seed=2), make_task(shape, 2)
    inputs, targets = task.batch(0, 8)
    outputs = network._forward(inputs)
    difference = outputs[-1] - targets
    gradients = network._backward(inputs, outputs, difference * np.float32(2 / difference.size))
    batch = Task(inputs, targets)
    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        index = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
        kept, reach = parameter[index], np.float32(1e-2)
        parameter[index] = kept + reach
        above = _error(network, batch)
        parameter[index] = kept - reach
        below = _error(network, batch)
        parameter[index] = kept
        assert math.isclose((above - below) / (2 * reach), gradient[index], rel_tol=0.05)
