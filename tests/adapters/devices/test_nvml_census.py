"""Devices counted through NVML, by a stand-in for its library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.nvml_stubs import build_stub, environment

pytestmark = pytest.mark.nvml

# Each look under the words given; what a look raises is told as text.
LOOKS = """
import json, os, sys
import msgspec
from sekisho.adapters.devices.nvml_census import NvmlCensus
from sekisho.model.errors import Unavailable

census, found = NvmlCensus(fresh_every=2), []
for words in sys.argv[1:]:
    os.environ["SEKISHO_NVML_STUB"] = words
    try:
        found.append(msgspec.to_builtins(census.seen()))
    except Unavailable as error:
        found.append(str(error))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_stub(tmp_path_factory.mktemp("nvml"))


def looks(stub: Path, *words: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", LOOKS, *words],
        env=environment(stub, ""),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def test_each_device_is_told_with_name_model_slot_and_activity(stub: Path) -> None:
    """As NVML has them; a process comes with its ancestors, up to the first one."""
    ((one, two),) = looks(stub, f"gpus=2 busy-pid={os.getpid()}")

    assert one["device"] == "GPU-00000000-0000-0000-0000-000000000000"
    assert (one["chip"], one["slot"]) == ("NVIDIA H100 80GB HBM3", "00000000:10:00.0")
    assert (one["util_ppm"], two["util_ppm"]) == (900_000, 910_000)
    assert (one["power_mw"], one["power_limit_mw"]) == (600_000, 700_000)
    assert one["memory_bytes"] == 80 << 30
    assert one["processes"][0]["pid"] == os.getpid()
    assert os.getppid() in one["processes"][0]["ancestors"]
    assert two["processes"] == []


def test_a_device_that_was_plugged_in_is_counted_a_few_looks_later(stub: Path) -> None:
    """The library counts when it is initialised, so it is initialised again."""
    found = looks(stub, "gpus=1", "gpus=2", "gpus=2", "gpus=1", "gpus=1")
    assert [len(devices) for devices in found] == [1, 1, 2, 2, 1]


def test_what_is_withheld_is_absent_and_not_zero(stub: Path) -> None:
    """Without the permission there is no power and no process, and that is no quiet device."""
    (((one,)),) = looks(stub, "no-permission")
    assert one["power_mw"] is None
    assert one["processes"] is None
    assert one["lost"] == ""


def test_a_device_that_does_not_answer_says_so(stub: Path) -> None:
    """By name where it still tells one, else by its number."""
    ((_, two),) = looks(stub, "gpus=2 fallen=1")
    ((nameless, other),) = looks(stub, "gpus=2 bad-name")

    assert (two["device"][-1], two["lost"]) == ("1", "GPU is lost")
    assert (nameless["device"], nameless["lost"]) == ("device 0", "GPU is lost")
    assert other["lost"] == ""


def test_no_driver_is_unavailable_and_is_asked_again(stub: Path) -> None:
    """What cannot be counted is never none; when the driver is back, so is the count."""
    gone, back = looks(stub, "no-driver", "gpus=2")
    assert "NVML" in gone
    assert len(back) == 2
