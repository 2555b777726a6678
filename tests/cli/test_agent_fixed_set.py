"""`sekisho agent shape` and `sekisho agent exempt`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.adapters.telemetry.job_records.table import parse_allocations_csv
from sekisho.cli.main import call
from sekisho.metering.allotment import allot
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import DeviceSeen
from sekisho.settings import Settings
from tests.netns import two_spaces

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Exit code, answer and complaint of a command line."""

    def tell(*words: str) -> tuple[int, str, str]:
        settings = Settings(home=tmp_path / "home", trust_file=tmp_path / "trust.json")
        code = call(list(words), settings)
        said = capsys.readouterr()
        return code, said.out, said.err

    return tell


def test_exempt_devices_are_accounted_apart(tmp_path: Path, told: Told) -> None:
    """The table is one that the whole-device account reads: the device's time is exempt, none of it unattributed."""
    settings = {
        "host": "host-1",
        "control": "",
        "run": "run-1",
        "devices": {"exempt": [{"device": "GPU-X", "reason": "display wall"}]},
    }
    (tmp_path / "agent.json").write_text(json.dumps(settings), encoding="utf-8")

    code, out, _ = told(
        *f"agent exempt --home {tmp_path} --site site-1 --from 2026-01-01 --to 2026-01-02".split()
    )

    assert code == 0
    allocations = parse_allocations_csv(out.encode(), site="").allocations
    day = Period(Instant.parse("2026-01-01T00:00:00Z"), Instant.parse("2026-01-02T00:00:00Z"))
    device = DeviceSeen(device="GPU-X", site="site-1", host="host-1", first=day.start, last=day.end)
    (account,) = allot(day, [device], allocations).accounts
    assert account.exempt_ms == account.device_ms == 86_400_000
    assert account.unattributed_ms == 0


@pytest.mark.parametrize(
    ("devices", "path"),
    [
        ({"exempt": [{"device": "GPU-X"}]}, "devices.exempt[0]"),
        ({"exempt": [{"device": "GPU-X", "reason": ""}]}, "devices.exempt[0].reason"),
        ({"census": "dcgm"}, "devices.census"),
        ({"links": {"outside": "eth0"}}, "devices.links.outside"),
        ({"except": []}, "devices"),
    ],
)
def test_settings_that_say_something_else_are_refused(
    tmp_path: Path, told: Told, devices: object, path: str
) -> None:
    """By file and field: no device is exempt without a reason."""
    settings = {"host": "host-1", "control": "", "run": "run-1", "devices": devices}
    (tmp_path / "agent.json").write_text(json.dumps(settings), encoding="utf-8")

    words = f"agent exempt --home {tmp_path} --site site-1 --from 2026-01-01"
    code, _, said = told(*words.split())
    assert code == 2
    assert f"agent.json: {path}" in said or f"agent.json.{path}" in said


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("--interface out", "--rate"),
        ("--interface out --rate 5", "rate"),
        ("--interface -out --rate 5000", "interface"),
        ("--interface out --rate 5000 --inside nowhere", "inside"),
        ("--interface out --rate 5000 --remove --check", "--remove"),
    ],
)
def test_bad_words_are_refused_by_name(words: str, path: str, told: Told) -> None:
    """Before anything is asked of the kernel."""
    code, _, said = told("agent", "shape", *words.split())
    assert code == 2
    assert path in said


def test_a_dry_run_says_what_the_kernel_would_be_told(told: Told) -> None:
    """And asks nothing of it: the interface need not be there."""
    code, out, _ = told(
        *"agent shape --interface nowhere --rate 1000000 --dry-run --inside 10.0.0.0/8 --json".split()
    )
    plan = json.loads(out)
    assert (code, plan["state"]) == (0, "would-limit")
    assert plan["commands"][0] == "tc qdisc add dev nowhere root handle 5ec1: htb default 2"


@pytest.mark.netns
def test_on_checked_and_off_again(tmp_path: Path, told: Told) -> None:
    """Exit codes tell: 1 while it is not on, 0 while it is."""
    with two_spaces() as spaces:
        words = f"agent shape --interface out --netns {spaces.here} --state {tmp_path} --rate 5000"
        steps = (" --check", "", " --check", " --remove", " --check", " --remove")
        found = [told(*(words + step + " --json").split()) for step in steps]
    states = [json.loads(out)["state"] for _, out, _ in found]
    assert [code for code, _, _ in found] == [1, 0, 0, 0, 1, 0]
    assert states[3:] == ["removed", "not-limited", "nothing-to-remove"]
