"""Attacks on a fixed set: devices that are other than enrolled, counters that say nothing, ways around a limit."""

from __future__ import annotations

import msgspec

from sekisho.agent.device_settings import ExemptDevice
from sekisho.agent.events import LinksRead
from sekisho.licensing.device_set import Expected, check_set
from sekisho.licensing.egress import LinkSides
from sekisho.ports.device_census import SeenDevice
from sekisho.ports.link_counters import LinkCount
from tests.devices import bound_to, count, enrolled, rig_with, seen, working
from tests.fakes import Rig, predicates


def detail_of(rig: Rig, code: str) -> str:
    found = predicates(rig.control, "finding-raised")
    (detail,) = [fact.detail for fact in found if fact.finding == code]  # type: ignore[attr-defined]  # of this kind
    return str(detail)


def codes_of(*devices: SeenDevice, expected: Expected) -> list[str]:
    names = tuple(device.device for device in expected.enrolled)
    found = check_set(expected, bound_to(*names), "host-1", devices)
    assert found.verdict == "fails"
    return [fault.code for fault in found.faults]


def test_dummy_device_with_a_moved_id() -> None:
    """A part of another model or with less memory under an enrolled id, or beside its owner, is found.

    One that tells the same id, model and memory, alone, is not: nothing here asks the silicon (inspection does).
    """
    expected = Expected(enrolled=(enrolled("GPU-1", memory_bytes=80 << 30),))

    assert codes_of(seen("GPU-1", chip="Tesla T4"), expected=expected) == ["device-not-as-enrolled"]
    small = seen("GPU-1", memory_bytes=16 << 30)
    assert codes_of(small, expected=expected) == ["device-not-as-enrolled"]
    assert codes_of(seen("GPU-1"), seen("GPU-1"), expected=expected) == ["device-twice"]
    same = check_set(expected, bound_to("GPU-1"), "host-1", (seen("GPU-1"),))
    assert same.verdict == "holds"  # the limit that the docstring names


def test_chip_of_another_licences_set() -> None:
    """A chip of the same licensee's other licence, put in or enrolled later, runs nothing under this one."""
    rig = rig_with()
    count(rig, seen("GPU-0"), seen("GPU-OF-LICENCE-2"))
    assert rig.doing() == "none"
    assert "GPU-OF-LICENCE-2" in detail_of(rig, "device-foreign")

    later = Expected(enrolled=(enrolled("GPU-0"), enrolled("GPU-OF-LICENCE-2")))
    found = check_set(later, bound_to("GPU-0"), "host-1", (seen("GPU-0"), seen("GPU-OF-LICENCE-2")))
    assert [fault.code for fault in found.faults] == ["device-set-changed"]
    shared = msgspec.structs.replace(later, licensed=("GPU-0", "GPU-7"))
    licence = bound_to("GPU-0", "GPU-7", hosts=("host-1", "host-2"))
    found = check_set(shared, licence, "host-1", (seen("GPU-0"), seen("GPU-OF-LICENCE-2")))
    assert [fault.code for fault in found.faults] == ["device-not-licensed"]


def test_a_list_of_the_set_that_was_made_up() -> None:
    """The list of all ids is unsigned, but only the right one has the root that the licence was issued with."""
    expected = Expected(enrolled=(enrolled("GPU-8"),), licensed=("GPU-1", "GPU-8"))
    licence = bound_to("GPU-1", "GPU-2", hosts=("host-1", "host-2"))

    found = check_set(expected, licence, "host-1", (seen("GPU-8"),))
    assert (found.verdict, found.faults[0].code) == ("fails", "device-set-changed")


def test_chip_hot_plugged_during_a_lease() -> None:
    """Under a lease that runs: new work is refused at the first look, running work is frozen at the second."""
    rig = rig_with()
    count(rig, seen("GPU-0"), times=3)
    assert rig.doing() == "running"

    count(rig, seen("GPU-0"), seen("GPU-NEW", slot="00000000:99:00.0"))
    assert rig.doing() == "running"
    assert rig.duty.decision is not None
    assert not rig.duty.decision.new_work
    assert "GPU-NEW" in detail_of(rig, "device-foreign")
    count(rig, seen("GPU-0"), seen("GPU-NEW"))
    assert rig.doing() == "frozen"


def test_chip_taken_out_during_a_lease() -> None:
    """The work does not go on with what is left, nor with another chip in its place."""
    rig = rig_with()
    count(rig, seen("GPU-0"), times=2)
    count(rig, seen("GPU-OTHER"), times=2)

    assert rig.doing() == "frozen"
    assert "GPU-OTHER" in detail_of(rig, "device-swapped")
    assert "host-1/device-0" in detail_of(rig, "device-missing")


def test_driver_unloaded_to_hide_a_chip() -> None:
    """No driver is no reading: after the grace nothing new runs, and it is never the whole set."""
    rig = rig_with()
    count(rig, seen("GPU-0"), times=2)
    count(rig, times=4, why="NVML: driver not loaded")

    assert rig.duty.decision is not None
    assert not rig.duty.decision.new_work
    assert "driver not loaded" in detail_of(rig, "devices-unreadable")


def test_counters_stuck_at_zero_while_power_is_high() -> None:
    """Never idle: a finding under a lease, and without one a device at work."""
    hot = seen("GPU-0", power_mw=650_000)
    licensed = rig_with()
    count(licensed, seen("GPU-0"))
    count(licensed, hot, times=3)
    assert licensed.doing() == "running"
    assert "power is high" in detail_of(licensed, "counters-stuck")

    unlicensed = rig_with()
    unlicensed.control.is_silent = True
    count(unlicensed, hot, times=3)
    unlicensed.control.is_silent = False
    unlicensed.run_for(2)
    assert unlicensed.doing() == "none"
    assert "GPU-0 is at work by no process" in detail_of(unlicensed, "busy-without-lease")


def test_bursts_between_looks() -> None:
    """Work in one look of three is not found: shorter than six seconds it escapes, and is within no lease.

    What it can compute is bounded by a third of the device's time; the recorder's samples find it.
    """
    rig = rig_with()
    rig.control.is_silent = True
    for _ in range(4):
        count(rig, working("GPU-0", 7))
        count(rig, seen("GPU-0"), times=2)
        assert rig.duty.decision is not None
        assert "busy-without-lease" not in rig.duty.decision.findings
    count(rig, working("GPU-0", 7), times=3)
    assert rig.duty.decision is not None
    assert "busy-without-lease" in rig.duty.decision.findings


def test_exempt_word_for_a_licensed_chip() -> None:
    """Naming an enrolled device exempt takes it out of no set: it must be there, and its work is told."""
    rig = rig_with(exempt=(ExemptDevice(device="GPU-0", reason="spare"),))
    count(rig, times=2)
    assert rig.doing() == "none"
    assert "host-1/device-0" in detail_of(rig, "device-missing")


def test_egress_over_a_second_interface() -> None:
    """An interface that nobody named counts as outside, and is named."""
    rig = rig_with(census="none", links=LinkSides(outside=("eth0",), inside=("ib*",)), egress=1000)
    rig.run_for(2)
    for step in range(4):
        sent = {"eth0": 0, "ib0": 10**12 * step, "usb0": 10**7 * step}
        counts = tuple(
            LinkCount(interface=name, sent_bytes=bytes_, source="proc-net-dev")
            for name, bytes_ in sent.items()
        )
        rig.duty.hear(LinksRead(at_s=rig.clock.elapsed_s(), counts=counts))
        rig.run_for(6)

    assert "usb0" in detail_of(rig, "egress-unnamed-interface")
    assert "of 1000 allowed" in detail_of(rig, "egress-over-limit")


def test_memory_heavy_low_flops_nodes() -> None:
    """What this cannot see: a node outside the set that holds weights and lends memory over a licensed link.

    Below the limit its traffic is as any other's; who is at the other end no counter of this host says.
    """
    rig = rig_with(census="none", links=LinkSides(outside=("eth0",)), egress=1_000_000_000)
    rig.run_for(2)
    for step in range(4):
        counts = (LinkCount(interface="eth0", sent_bytes=10**9 * 5 * step, source="proc-net-dev"),)
        rig.duty.hear(LinksRead(at_s=rig.clock.elapsed_s(), counts=counts))
        rig.run_for(6)
    assert rig.control.codes() == []
