"""The Promela models: searched whole at small bounds, their mutants fail, their names are the code's."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from tests.simulation.spinning import (
    HONEST,
    MODELS,
    MUTANTS,
    ORDER_MUTANTS,
    ORDERS,
    SMALL,
    SMALL_ORDERS,
    Row,
    judge,
    search,
    trail,
)

ENVIRONMENT = {
    "lease": {"forget_lease", "reboot", "clone", "keep", "restore", "time", "fate"},
    "orders": {"draft", "witness", "time"},
}
COMPLETE = """
(Spin Version 6.5.2 -- 6 December 2019)
Full statespace search for:
State-vector 136 byte, depth reached 72, errors: 0
  2242130 states, stored
  329.1	total actual memory usage
pan: elapsed time 9.31 seconds
"""


@pytest.mark.spin
@pytest.mark.parametrize("row", SMALL + SMALL_ORDERS, ids=lambda row: f"{row.model}: {row.name}")
def test_the_honest_model_holds_in_every_state_of_small_bounds(row: Row) -> None:
    """Invariants 1, 2, 3, 4 and 7 hold where the search was complete; `make verify-model` searches more ticks."""
    found = search(row, limit_s=120, optimise="-O0")

    assert (found.verdict, found.why) == ("holds", "")
    assert found.states > 10_000


@pytest.mark.spin
@pytest.mark.soak
@pytest.mark.parametrize("row", HONEST + ORDERS, ids=lambda row: f"{row.model}: {row.name}")
def test_the_honest_model_holds_at_its_full_bounds(row: Row) -> None:
    """What `make verify-model` prints, within ten minutes and 8 GB."""
    found = search(row)

    assert (found.verdict, found.why) == ("holds", "")
    assert found.memory_mib < 8_000


@pytest.mark.spin
@pytest.mark.parametrize("row", MUTANTS + ORDER_MUTANTS, ids=lambda row: f"{row.model}: {row.name}")
def test_each_mutant_has_a_counterexample(row: Row) -> None:
    """A model with one defect of the protocol fails by an assertion, not by a truncated search."""
    found = search(row, limit_s=120, optimise="-O0")

    assert found.verdict == "fails"
    assert found.why


@pytest.mark.spin
def test_a_counterexample_is_told_step_by_step() -> None:
    """The trail of a mutant begins with a request and ends where the invariant breaks."""
    row = next(row for row in MUTANTS if row.mutant == "NO_WATCHDOG")
    steps = trail(row, limit_s=60)

    assert {"STEP Ask", "STEP Grant", "STEP Accept", "STEP Begin"} <= {
        " ".join(step.split()[:2]) for step in steps
    }


@pytest.mark.parametrize(
    "said",
    [
        "error: max search depth too small",
        "pan: out of memory",
        "pan: reached -DMEMLIM bound: memory limit",
        "Warning: Search not completed",
    ],
)
def test_a_search_that_was_cut_short_holds_nothing(said: str) -> None:
    """Without errors found, but not whole: unverifiable, and why."""
    assert judge(COMPLETE).verdict == "holds"
    cut = judge(COMPLETE + said + "\n")
    assert cut.verdict == "unverifiable"
    assert cut.why in said


def test_a_search_that_said_nothing_holds_nothing() -> None:
    """A killed pan leaves no last words."""
    assert judge("").verdict == "unverifiable"
    assert judge("bitstate search\nerrors: 0\n").verdict == "unverifiable"


@pytest.mark.parametrize("model", ["lease", "orders"])
def test_every_process_and_step_of_a_model_bears_a_name_of_the_code(model: str) -> None:
    """Above each proctype and inline stands the Python name that it stands for, and that exists."""
    text = (MODELS / f"{model}.pml").read_text()
    named = re.findall(r"/\* = ([^*]*?) \*/\n(?:#.*\n)?(?:inline|proctype) (\w+)", text)
    all_names = re.findall(r"^(?:inline|proctype) (\w+)", text, re.MULTILINE)

    assert sorted(all_names) == sorted(name for _, name in named)
    for told, name in named:
        if told.startswith("environment"):
            assert name in ENVIRONMENT[model], name
            continue
        module, _, path = told.partition(":")
        found = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)


@pytest.mark.parametrize(
    ("model", "mutants", "honest"),
    [("lease", MUTANTS, HONEST + SMALL), ("orders", ORDER_MUTANTS, ORDERS + SMALL_ORDERS)],
    ids=["lease", "orders"],
)
def test_every_mutant_of_a_model_is_searched(
    model: str, mutants: tuple[Row, ...], honest: tuple[Row, ...]
) -> None:
    """None is forgotten, and the honest rows have no defect."""
    text = (MODELS / f"{model}.pml").read_text()
    defined = set(re.findall(r"^#define ([A-Z_]+) \d+\b", text, re.MULTILINE))
    used = set(re.findall(r"MUTANT [!=]= ([A-Z_]+)", text))

    assert used == {row.mutant for row in mutants}
    assert used <= defined
    assert not any(row.mutant for row in honest)
