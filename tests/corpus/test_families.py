"""The corpus's workloads, rehearsed on the processor in small shapes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "corpus"


@pytest.fixture(scope="module")
def corpus() -> Iterator[tuple[Any, Any]]:
    """The modules `operations` and `families`, as the script beside them imports them."""
    sys.path.insert(0, str(FOLDER))
    try:
        import families  # type: ignore[import-not-found]  # a script's folder, not a package
        import operations  # type: ignore[import-not-found]  # as above

        yield operations, families
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("families", "operations"):
            sys.modules.pop(name, None)


def test_at_least_twenty_families_of_every_label(corpus: tuple[Any, Any]) -> None:
    """Training, inference, other and idle are there, twenty families and more."""
    found = corpus[1].FAMILIES.values()
    assert len(found) >= 20
    assert {family.label for family in found} == {"training", "inference", "other", "idle"}


def test_each_family_runs_and_counts_the_same_again(corpus: tuple[Any, Any]) -> None:
    """Two runs of a step count the same operations, and only rest counts none."""
    operations, families = corpus
    backend = operations.NumpyBackend()
    for family in families.FAMILIES.values():
        counts = []
        for _ in range(2):
            run = operations.Operations(backend)
            family.step(run, families.SMALL)
            counts.append(run.total)
        assert counts[0] == counts[1], family.name
        assert (counts[0] > 0) == (family.label != "idle"), family.name


def test_a_training_step_costs_what_its_products_cost(corpus: tuple[Any, Any]) -> None:
    """One layer three times: 24 d^2 t for the weights and 4 d t^2 for attention, by hand."""
    operations, families = corpus
    size = families.SMALL
    run = operations.Operations(operations.NumpyBackend())
    families.FAMILIES["dense pre-training"].step(run, size)
    d, t = size.width, size.tokens
    assert run.flop["tensor bf16"] == 3 * size.layers * (24 * d * d * t + 4 * d * t * t)


def test_what_is_counted_is_what_the_processor_was_asked_for(corpus: tuple[Any, Any]) -> None:
    """Every product reaches the back end in the shape that was counted."""
    operations, families = corpus
    asked: list[int] = []

    class Listening(operations.NumpyBackend):  # type: ignore[misc, name-defined]  # from a script
        def product(self, batch: int, m: int, n: int, k: int, number_format: str) -> None:
            asked.append(2 * batch * m * n * k)

        def convolution(self, images: int, size: int, into: int, out: int, kernel: int) -> None:
            asked.append(2 * images * size**2 * into * out * kernel**2)

    run = operations.Operations(Listening())
    for family in families.FAMILIES.values():
        family.step(run, families.SMALL)
    assert sum(asked) == run.flop["tensor bf16"]


def test_the_families_of_the_fft_count_no_tensor_work(corpus: tuple[Any, Any]) -> None:
    """What runs on the plain pipes is counted there: a tensor meter must not find it."""
    operations, families = corpus
    for name in ("rendering", "Fourier transforms"):
        run = operations.Operations(operations.NumpyBackend())
        families.FAMILIES[name].step(run, families.SMALL)
        assert set(run.flop) == {"fp32"}


def test_a_rehearsal_writes_the_truth_of_each_run(tmp_path: Path) -> None:
    """The script, as the guide has it, leaves one line for each family, with digits for FLOP."""
    words = ["--rehearse", "--seconds", "0.05", "--into", str(tmp_path), "--family", "LoRA"]
    subprocess.run([sys.executable, str(FOLDER / "record.py"), *words], check=True, timeout=60)
    (line,) = (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    truth = json.loads(line)
    assert truth["family"] == "LoRA"
    assert truth["steps"] > 0
    assert int(truth["flop"]["tensor bf16"]) > 0
    assert truth["recorded"] is False
