"""How test files are spread over workers."""

from __future__ import annotations

from pathlib import Path

from tests.ports import FIRST, STRETCH, STRETCHES, free_ports
from tests.spreading import REAL_TIME, TOGETHER, choose_next, seconds_of_files, unit_of

ROOT = Path(__file__).parents[1]
LIVE = REAL_TIME[1]
SECONDS = {LIVE: 30.0, "tests/long.py": 20.0}


def test_long_files_come_first_then_those_with_many_tests() -> None:
    """Known seconds decide, and between files of whose length nothing is known the number of tests."""
    waiting = {"tests/few.py": 2, "tests/long.py": 1, "tests/many.py": 9}
    order = []
    while waiting:
        order.append(choose_next(waiting, (), SECONDS))
        del waiting[order[-1]]
    assert order == ["tests/long.py", "tests/many.py", "tests/few.py"]


def test_real_time_is_bound_by_one_worker_at_a_time() -> None:
    """A second such file waits as long as there is anything else, and then no longer."""
    other = next(entry for entry in REAL_TIME if entry != LIVE)
    waiting = {LIVE: 5, "tests/few.py": 1}
    assert choose_next(waiting, (), SECONDS) == LIVE
    assert choose_next(waiting, ["tests/long.py"], SECONDS) == LIVE
    assert choose_next(waiting, [other], SECONDS) == "tests/few.py"
    assert choose_next({LIVE: 5}, [other], SECONDS) == LIVE


def test_files_of_one_system_go_together() -> None:
    """Any other file is a unit of its own."""
    for name, files in TOGETHER.items():
        assert {unit_of(file) for file in files} == {name}
    assert unit_of("tests/test_spreading.py") == "tests/test_spreading.py"


def test_the_lists_name_what_is_there() -> None:
    """A test file that is renamed keeps its place in all lists."""
    named = [
        *REAL_TIME,
        *seconds_of_files(),
        *(file for files in TOGETHER.values() for file in files),
    ]
    assert [n for n in named if n not in TOGETHER and not (ROOT / n).exists()] == []
    assert seconds_of_files()


def test_a_port_is_nobody_elses() -> None:
    """Ports are this process's own, below those that the kernel hands out, and none comes twice in a row."""
    found = free_ports(20) + free_ports(20)
    assert len(set(found)) == len(found) == 40
    assert {port // STRETCH for port in found} == {found[0] // STRETCH}
    assert all(FIRST < port < FIRST + STRETCH * STRETCHES for port in found)
