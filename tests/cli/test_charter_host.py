"""`sekisho charter host` and `retire-host`: a host comes and goes by drafts that are shown, signed and in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.agent.measuring import measure_agent
from sekisho.model.chips import known_chips
from sekisho.model.statements import HostEnrolled, HostRetired, parse_payload
from tests import factory
from tests.cli.governing import Governor

Capture = pytest.CaptureFixture[str]
ENROLLERS = ("authority-1", "operator-1")


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def command(
    governor: Governor, out: Path, *more: str, device: str = "cpu=host CPU, 4 cores:1e12"
) -> list[str | Path]:
    """The command with every flag that is needed."""
    who = ("--host", "node-1", "--public", governor.public("node-1"), "--organisation", "Operator")
    where = ("--site", "site-1", "--jurisdiction", "JP", "--log", governor.log)
    what = ("--device", device, "--driver", "process")
    return ["charter", "host", *who, *where, *what, *more, "--out", out]


def test_a_host_is_enrolled_changed_and_retired(governor: Governor, capsys: Capture) -> None:
    """The draft holds what the flags say; signed, it is in force; a second one is loud about its differences."""
    out, again, leave = (governor.path(f"{name}.json") for name in ("host", "again", "leave"))
    shown = governor.answer(capsys, *command(governor, out, "--canary", "run-1"))
    assert (shown["difference"], shown["warnings"]) == ([], [])
    fact = parse_payload(out.read_bytes()).predicate
    assert isinstance(fact, HostEnrolled)
    assert (fact.counter, fact.agent, fact.canary) == ("C0", measure_agent(), "run-1")
    assert fact.public == factory.signer("node-1").public.to_text()
    (device,) = fact.devices
    assert (device.device, device.chip) == ("cpu", "host CPU, 4 cores")
    assert (device.peak_flop_per_s, device.basis) == (str(10**12), "declared")
    governor.done("charter", out, *ENROLLERS)
    assert governor.state.regime.hosts["node-1"] == fact

    changed = command(governor, again, "--agent-digest", "1" * 64, device="cpu=NVIDIA H100 SXM")
    shown = governor.answer(capsys, *changed)
    codes = [row["code"] for row in shown["warnings"]]
    assert codes == ["host-device", "host-field", "host-field"]  # the agent and the canary

    flags = ("--host", "node-1", "--reason", "sold", "--out", leave, "--log", governor.log)
    governor.answer(capsys, "charter", "retire-host", *flags)
    assert isinstance(parse_payload(leave.read_bytes()).predicate, HostRetired)
    governor.done("charter", leave, *ENROLLERS)
    assert "node-1" not in governor.state.regime.hosts


def test_a_chip_of_the_table_brings_its_fastest_peak(governor: Governor, capsys: Capture) -> None:
    """Without a peak the table bounds the device, and the page says so."""
    out = governor.path("host.json")
    governor.answer(capsys, *command(governor, out, device="GPU-1=NVIDIA H100 SXM"))
    fact = parse_payload(out.read_bytes()).predicate
    assert isinstance(fact, HostEnrolled)
    chip = known_chips().find("NVIDIA H100 SXM")
    assert chip is not None
    (device,) = fact.devices
    assert (device.chip, device.basis) == (chip.name, "table")
    assert device.peak_flop_per_s == str(chip.fastest_peak_flop_per_s)


@pytest.mark.parametrize(
    ("more", "device", "words"),
    [
        ((), "GPU-1", "--device"),
        ((), "GPU-1=", "--device"),
        ((), "GPU-1=NVIDIA H100 SXM:fast", "--device"),
        ((), "GPU-1=a chip that nobody made", "NAME=CHIP:PEAK"),
        (("--device", "cpu=host CPU, 4 cores:1"), "cpu=host CPU, 4 cores:1", "stands twice"),
        (("--counter", "C2"), "cpu=host CPU, 4 cores:1", "charter tpm enrol"),
        (("--agent-digest", "newest"), "cpu=host CPU, 4 cores:1", "agent"),
        (("--driver", "magic"), "cpu=host CPU, 4 cores:1", "driver"),
    ],
)
def test_what_enrols_no_host_is_refused_by_its_flag(
    governor: Governor, capsys: Capture, more: tuple[str, ...], device: str, words: str
) -> None:
    """The flag or field is named, with the way on, and nothing is written."""
    out = governor.path("host.json")
    assert governor.call(*command(governor, out, *more, device=device)) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_host_that_nobody_enrolled_is_not_retired(governor: Governor, capsys: Capture) -> None:
    """A mistyped name is found before anybody signs."""
    out = governor.path("leave.json")
    flags = ("--host", "node-9", "--reason", "sold", "--out", out, "--log", governor.log)
    assert governor.call("charter", "retire-host", *flags) == 1
    assert "not enrolled" in capsys.readouterr().err
    assert not out.exists()
