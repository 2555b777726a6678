"""What every test stands on: which tests are chosen, and the seed of the long counts."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.adapters.schedulers.groups import may_make
from tests.mounts import may_mount
from tests.netns import may_make_spaces
from tests.postgres import Server, find_postgres, start_server
from tests.slurms import Cluster, find_slurm, start_cluster
from tests.users import may_change_user

# A busy machine is no defect: the tests of speed are in bench/.
settings.register_profile("sekisho", deadline=None, print_blob=True)
settings.load_profile("sekisho")


def _is_there(program: str) -> Callable[[], bool]:
    return lambda: shutil.which(program) is not None


_NEEDS: Mapping[str, Callable[[], bool]] = {
    "browser": _is_there("chromium"),
    "hsm": _is_there("softhsm2-util"),
    "postgres": lambda: find_postgres() is not None,
    "prometheus": _is_there("prometheus"),
    "mounts": may_mount,
    "groups": lambda: may_make("v2") or may_make("v1"),
    "plain_user": lambda: os.geteuid() != 0 or may_change_user(),
    "users": may_change_user,
    "netns": may_make_spaces,
    "nvml": _is_there("gcc"),  # which builds the stand-in for NVML
    "slurm": find_slurm,
    "spin": lambda: bool(shutil.which("spin") and shutil.which("gcc")),
    "spark": lambda: bool(shutil.which("java") and find_spec("pyspark")),
    "tpm": lambda: bool(shutil.which("swtpm_setup") and find_spec("tpm2_pytss")),
}
"""What tests with a mark need of the machine. In CI nothing may be missing, so there they stay and fail."""


def _is_left_out(item: pytest.Item, config: pytest.Config) -> bool:
    if item.get_closest_marker("testdata") and not os.environ.get("SEKISHO_TEST_DATA"):
        return True
    if not os.environ.get("CI"):
        needs = (_NEEDS[mark.name] for mark in item.iter_markers() if mark.name in _NEEDS)
        if not all(is_met() for is_met in needs):
            return True
    asked = str(config.getoption("markexpr"))
    return item.get_closest_marker("soak") is not None and "soak" not in asked


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects, never skips, what this machine or this call does not ask for."""
    left_out = [item for item in items if _is_left_out(item, config)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _is_left_out(item, config)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """With several workers the files are spread as tests/spreading.py says; None: as asked for otherwise."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.spreading import Spread  # late: only the process that spreads has need of it

    return Spread(config, log)


def pytest_report_header() -> str:
    """The seed first, so that a long count that failed can be run again."""
    data = os.environ.get("SEKISHO_TEST_DATA") or "unset: tests marked testdata are left out"
    return f"seed: {seed_of_this_call()} (SEKISHO_SEED)\ntest data: {data}"


def seed_of_this_call() -> int:
    """The number that all random schedules of this call start from; 0 unless SEKISHO_SEED is set."""
    return int(os.environ.get("SEKISHO_SEED", "0"))


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Randomness for one test, the same again under the same SEKISHO_SEED."""
    return random.Random(f"{seed_of_this_call()} {request.node.nodeid}")


@pytest.fixture
def public_records() -> Path:
    """The folder of real public records; only for tests marked testdata."""
    return Path(os.environ["SEKISHO_TEST_DATA"])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL for this call, started by the first test that asks; only for tests marked postgres."""
    with start_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of this test's own, empty."""
    postgres_server.demand_up()
    name = f"test_{sha256(request.node.nodeid.encode()).hexdigest()[:16]}"
    yield postgres_server.create(name)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Cluster]:
    """A Slurm cluster with the gate installed, for this call; only for tests marked slurm."""
    with start_cluster(gated=True) as cluster:
        yield cluster


@pytest.fixture
def slurm(slurm_cluster: Cluster) -> Iterator[Cluster]:
    """That cluster with no job in it and a gate that only advises."""
    slurm_cluster.advise()
    yield slurm_cluster
    slurm_cluster.clear()
