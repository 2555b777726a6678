"""The systemd units: what they forbid each part, what they must leave to the work, and that systemd reads them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from sekisho.agent.units import AGENT_UNIT, WATCHDOG_UNIT, UnitsPlace, make_units
from sekisho.model.errors import InvalidInput

DEPLOYED = Path(__file__).parents[2] / "deploy" / "systemd"
KINDS = [
    UnitsPlace(),
    UnitsPlace(driver="cgroup", starts=False),
    UnitsPlace(driver="slurm", starts=False),
]


def read(text: str) -> RawConfigParser:
    """A unit as sections of keys, each once."""
    parser = RawConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their case
    parser.read_string(text)
    return parser


@pytest.mark.parametrize("place", KINDS, ids=lambda place: place.driver)
def test_both_parts_give_up_what_they_do_not_need(place: UnitsPlace) -> None:
    """No new rights for either; for the agent no capability at all and a file system to read."""
    units = {name: read(text)["Service"] for name, text in make_units(place).items()}
    for service in units.values():
        assert service["NoNewPrivileges"] == "yes"
        assert service["Restart"] == "always"
        assert service["ProtectSystem"] in {"full", "strict"}
    agent, watchdog = units[AGENT_UNIT], units[WATCHDOG_UNIT]
    assert (agent["CapabilityBoundingSet"], agent["ProtectSystem"]) == ("", "strict")
    assert agent["User"] == "sekisho"
    assert "User" not in watchdog
    assert "CAP_SYS_ADMIN" not in watchdog["CapabilityBoundingSet"]
    assert "CAP_NET" not in watchdog["CapabilityBoundingSet"]
    assert "--allow-user sekisho" in watchdog["ExecStart"]


def test_only_a_watchdog_that_starts_nothing_is_cut_off() -> None:
    """Work inherits what its starter was forbidden: network and devices are taken only where none is started."""
    starts, supervises, speaks = (
        read(make_units(place)[WATCHDOG_UNIT])["Service"] for place in KINDS
    )
    for forbidden in ("PrivateNetwork", "PrivateDevices", "DevicePolicy", "ProtectClock"):
        assert forbidden not in starts
    assert supervises["PrivateNetwork"] == "yes"
    assert supervises["RestrictAddressFamilies"] == "AF_UNIX"
    assert "AF_INET" in speaks["RestrictAddressFamilies"]
    for service in (starts, supervises):
        assert service.get("ProtectControlGroups") is None
        assert service["Delegate"] == "yes"


@pytest.mark.parametrize("name", [AGENT_UNIT, WATCHDOG_UNIT])
def test_the_units_in_deploy_are_those_that_are_printed(name: str) -> None:
    """`deploy/systemd` holds the units of the process driver at their usual places."""
    assert (DEPLOYED / name).read_text(encoding="utf-8") == make_units(UnitsPlace())[name]


@pytest.mark.parametrize("place", KINDS, ids=lambda place: place.driver)
def test_systemd_understands_every_line(place: UnitsPlace, tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say; where it is missing, every key is one that we have looked up."""
    import msgspec

    here = msgspec.structs.replace(place, python=sys.executable, agent_user="root")
    known: set[str] = set()
    for name, text in make_units(here).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        known |= set(read(text)["Service"])
    if shutil.which("systemd-analyze"):
        paths = [str(tmp_path / name) for name in (WATCHDOG_UNIT, AGENT_UNIT)]
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *paths],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        said = [line for line in done.stderr.splitlines() if "sekisho-" in line]
        assert (done.returncode, said) == (0, [])
    assert len(known) > 25


def test_an_agent_that_counts_devices_may_open_them() -> None:
    """Only there, and nothing but them: what counts nothing opens no accelerator."""
    plain, counting = (
        make_units(UnitsPlace(counts=counts))[AGENT_UNIT] for counts in (False, True)
    )
    assert "nvidia" not in plain
    assert counting.replace("DeviceAllow=char-nvidia* rw\n", "") == plain


@pytest.mark.parametrize("name", [AGENT_UNIT, WATCHDOG_UNIT])
@pytest.mark.parametrize("has_release", [True, False])
def test_a_unit_starts_the_release_that_is_current(
    name: str, has_release: bool, tmp_path: Path
) -> None:
    """From its own folder and not through the link; without one, from what the interpreter has."""
    if has_release:
        (tmp_path / "releases" / "7").mkdir(parents=True)
        (tmp_path / "current").symlink_to("releases/7")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "[$PYTHONPATH] $*"\n')
    python.chmod(0o755)
    place = UnitsPlace(python=str(python), releases=str(tmp_path))
    line = read(make_units(place)[name])["Service"]["ExecStart"]
    # What systemd makes of the line: `$$` is a dollar, quotes as a shell has them.
    words = [word.replace("$$", "$") for word in shlex.split(line)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10)

    path, _, rest = done.stdout.partition("] ")
    assert path == f"[{tmp_path / 'releases' / '7'}" if has_release else path == "["
    assert rest.startswith("-P -m sekisho.agent.")


@pytest.mark.parametrize(
    "releases", ["/var/lib/sekisho", "/var/lib/sekisho/r", "/opt/a b", "/opt/$(x)", "/a/../b", "r"]
)
def test_no_unit_starts_what_the_agent_could_write(releases: str) -> None:
    """Root starts the watchdog: a folder within the agent's home is refused, and so is what no unit can hold."""
    with pytest.raises(InvalidInput, match="--releases"):
        make_units(UnitsPlace(releases=releases))


def test_further_charters_have_their_homes_in_the_agent_s_unit() -> None:
    """One agent with every home, each of which it may write; the privileged part knows of none."""
    units = make_units(UnitsPlace(homes=("/var/lib/sekisho-eu",)))
    agent, watchdog = (read(units[name])["Service"] for name in (AGENT_UNIT, WATCHDOG_UNIT))
    assert "--home /var/lib/sekisho --home /var/lib/sekisho-eu" in agent["ExecStart"]
    assert agent["ReadWritePaths"] == "/var/lib/sekisho /var/lib/sekisho-eu"
    assert "sekisho-eu" not in str(dict(watchdog))
    with pytest.raises(InvalidInput, match="lies in the agent's home"):
        make_units(UnitsPlace(homes=("/opt/sekisho",)))
