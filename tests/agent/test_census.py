"""Looks beside the duty, and a real agent that counts devices through a stand-in for NVML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sekisho.agent.census import Census
from sekisho.agent.device_settings import DeviceSettings
from sekisho.agent.events import DevicesCounted, LinksRead
from sekisho.licensing.device_set import root_of
from sekisho.model.errors import Unavailable
from sekisho.model.statements import LeaseTerms, Span
from sekisho.model.wire import canonical
from sekisho.ports.device_census import SeenDevice
from sekisho.ports.link_counters import LinkCount
from tests.agent.homes import living, wait_until, write_home
from tests.devices import seen
from tests.fakes import FakeControl
from tests.nvml_stubs import build_stub
from tests.served import SystemFakeClock, served


class Parts:
    """Devices and links that fail when told to; each reading takes a second."""

    def __init__(self) -> None:
        self.now = 10.0
        self.fails = False

    def elapsed_s(self) -> float:
        return self.now

    def seen(self) -> tuple[SeenDevice, ...]:
        self._pass("NVML: no driver")
        return (seen("GPU-0"),)

    def read(self) -> tuple[LinkCount, ...]:
        self._pass("no table")
        return (LinkCount(interface="eth0", sent_bytes=1, source="proc-net-dev"),)

    def _pass(self, why: str) -> None:
        self.now += 1
        if self.fails:
            raise Unavailable(why)


def test_a_look_is_as_old_as_its_beginning() -> None:
    """A driver that takes long gives a reading of when it was asked."""
    parts, told = Parts(), list[DevicesCounted | LinksRead]()
    Census(parts, parts, told.append, parts.elapsed_s).look_once()

    assert [event.at_s for event in told] == [10.0, 11.0]
    assert told[0] == DevicesCounted(at_s=10.0, seen=(seen("GPU-0"),))


def test_what_cannot_be_read_is_told_with_why() -> None:
    """Neither is left out, and the one does not keep the other from being read."""
    parts, told = Parts(), list[DevicesCounted | LinksRead]()
    parts.fails = True
    Census(parts, parts, told.append, parts.elapsed_s).look_once()

    assert [event.why for event in told] == ["NVML: no driver", "no table"]


def test_nobody_is_asked_who_is_not_there() -> None:
    """Links alone, devices alone, or neither."""
    parts, told = Parts(), list[DevicesCounted | LinksRead]()
    Census(None, None, told.append, parts.elapsed_s).look_once()
    assert told == []


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "nvml"
    folder.mkdir()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(build_stub(folder)))


def open_home(home: Path, control: FakeControl, url: str) -> None:
    """A home that counts: the enrolled device is the stand-in's first, the licence is bound to it."""
    write_home(home, control, url)
    devices = DeviceSettings(names={"host-1/device-0": "GPU-00000000-0000-0000-0000-000000000000"})
    settings = json.loads((home / "agent.json").read_bytes())
    (home / "agent.json").write_bytes(canonical({**settings, "devices": devices}))
    now = control.now()
    control.license(
        devices=1,
        devices_root=root_of(("host-1/device-0",)),
        lease=LeaseTerms(interval_s=60, grace_s=2, quantum_s=1),
        budget_flop="1" + "0" * 20,
        period=Span(start=now.plus(-60), end=now.plus(86_400)),
    )


@pytest.mark.nvml
@pytest.mark.slow
@pytest.mark.usefixtures("stub")
def test_a_real_agent_runs_on_its_own_set_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the enrolled device alone the work runs; with a second one beside it, it never starts."""
    for words, starts in (("gpus=1 util=0 power-mw=70000", True), ("gpus=2 util=0", False)):
        monkeypatch.setenv("SEKISHO_NVML_STUB", words)
        control = FakeControl(SystemFakeClock())
        home = tmp_path / f"home-{starts}"
        with served(control) as url:
            open_home(home, control, url)
            with living(home) as alive:
                if starts:
                    wait_until(lambda link=alive: link.state() == "running")  # type: ignore[misc]  # bound now
                    assert control.codes() == []
                else:
                    wait_until(lambda c=control: "device-foreign" in c.codes())  # type: ignore[misc]  # bound now
                    assert "quantum" not in control.stages()
