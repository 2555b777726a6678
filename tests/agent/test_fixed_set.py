"""An agent that counts its devices: what it does about another set, about work without a lease, and about links."""

from __future__ import annotations

import pytest

from sekisho.agent.decide import Act, LeaseFacts, SetFacts, Situation, decide
from sekisho.agent.device_settings import ExemptDevice
from sekisho.agent.events import LinksRead
from sekisho.licensing.egress import LinkSides
from sekisho.model.statements import Mode
from sekisho.ports.device_census import SeenProcess
from sekisho.ports.link_counters import LinkCount
from tests.devices import count, rig_with, seen, working
from tests.fakes import Rig, predicates

LEASE = LeaseFacts(mode="kill", grace_s=2.0, ends_s=40.0)


def details(rig: Rig, code: str) -> list[str]:
    found = predicates(rig.control, "finding-raised")
    return [fact.detail for fact in found if fact.finding == code]  # type: ignore[attr-defined]  # of this kind


def send(rig: Rig, sent: dict[str, int] | None, why: str = "") -> None:
    """A reading of what interfaces have sent, and six seconds."""
    counts = tuple(
        LinkCount(interface=name, sent_bytes=bytes_, source="proc-net-dev")
        for name, bytes_ in (sent or {}).items()
    )
    told = LinksRead(at_s=rig.clock.elapsed_s(), counts=None if sent is None else counts, why=why)
    rig.duty.hear(told)
    rig.run_for(6, step=0.5)


# --- the set ------------------------------------------------------------------------------------


def test_nothing_starts_before_the_devices_are_counted() -> None:
    """A lease alone is not enough; with the whole set there, the work starts."""
    rig = rig_with()
    rig.run_for(3)
    assert rig.doing() == "none"

    count(rig, seen("GPU-0"))

    assert rig.doing() == "running"
    assert rig.control.codes() == []


def test_work_on_the_licensed_set_goes_on() -> None:
    """Quantum after quantum, busy device and all."""
    rig = rig_with()
    count(rig, seen("GPU-0"))
    count(rig, working("GPU-0", 4711), times=12)

    assert rig.doing() == "running"
    assert rig.control.codes() == []


def test_a_census_that_fell_silent_is_an_unreadable_meter() -> None:
    """Running work goes on at peak; after the grace nothing new starts; the finding names why."""
    rig = rig_with()
    count(rig, seen("GPU-0"))
    rig.run_for(30, step=0.5)
    assert rig.doing() == "running"
    assert rig.duty.decision is not None
    assert not rig.duty.decision.new_work
    assert "meter-unreadable" in rig.control.codes()


def test_devices_that_cannot_be_read_are_never_all_there() -> None:
    """From the first look on: no work starts, and the finding says what the driver said."""
    rig = rig_with()
    count(rig, times=12, why="NVML: driver not loaded")

    assert rig.doing() == "none"
    assert details(rig, "devices-unreadable") == ["NVML: driver not loaded"]
    assert "meter-unreadable" in rig.control.codes()


def test_one_look_alone_does_not_stop_running_work() -> None:
    """A driver that forgot a device for one look is told of; the second look in a row acts."""
    rig = rig_with()
    count(rig, seen("GPU-0"))
    count(rig)
    assert rig.doing() == "running"
    assert "device-missing" in rig.control.codes()

    count(rig, seen("GPU-0"))
    count(rig)
    assert rig.doing() == "running"
    count(rig)
    assert rig.doing() == "frozen"


def test_work_thaws_when_the_set_is_whole_again() -> None:
    """The charter's freeze holds as long as the set is another."""
    rig = rig_with()
    count(rig, seen("GPU-0"))
    count(rig, times=3)
    assert rig.doing() == "frozen"

    count(rig, seen("GPU-0"), times=2)
    assert rig.doing() == "running"
    assert rig.driver.calls.count("start") == 1


def test_without_settings_nobody_counts() -> None:
    """A host whose agent.json says nothing of devices works as before."""
    rig = Rig().started()
    assert rig.doing() == "running"
    assert rig.control.codes() == []


# --- the rows -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("busy", "mode", "certain", "act"),
    [
        ("advise", "kill", True, "run"),
        ("freeze", "kill", True, "freeze"),
        ("stop", "kill", True, "kill"),
        ("stop", "kill", False, "run"),
        ("stop", "advise", True, "run"),
        ("stop", "block-new", True, "run"),
        ("stop", "drain", True, "kill"),
    ],
)
def test_another_set_is_answered_as_the_charter_says(
    busy: str, mode: Mode, certain: bool, act: Act
) -> None:
    """Unless the licence only advises, or one look alone showed it; new work is refused always."""
    decision = decide(
        Situation(
            now_s=0,
            work="running",
            lease=LeaseFacts(mode=mode, grace_s=2, ends_s=40),
            quantum_ends_s=1,
            busy_without_lease=busy,  # type: ignore[arg-type]  # of the charter's words
            device_set=SetFacts(faults=("GPU-9 is not enrolled",), is_certain=certain),
        )
    )
    assert decision.work == act
    assert not decision.new_work
    assert decision.next_quantum == (act == "run")
    assert "GPU-9" in decision.reasons[0]


@pytest.mark.parametrize(
    ("busy", "ours", "act"),
    [
        ("advise", True, "freeze"),  # frozen work stays frozen while something is busy
        ("freeze", True, "freeze"),
        ("stop", True, "kill"),
        ("stop", False, "freeze"),
    ],
)
def test_busy_without_a_lease_is_answered_where_it_is_ours(busy: str, ours: bool, act: Act) -> None:
    """Frozen work that still computes is ended where the charter says stop; others' work is only found."""
    decision = decide(
        Situation(
            now_s=0,
            work="frozen",
            lease=LEASE,
            busy_without_lease=busy,  # type: ignore[arg-type]  # of the charter's words
            device_set=SetFacts(busy=("GPU-0 is at work",), is_ours=ours),
        )
    )
    assert (decision.work, decision.new_work) == (act, False)
    assert decision.findings == ("busy-without-lease",)


def test_the_rows_say_nothing_of_a_set_that_holds() -> None:
    """What is as it should be changes no decision."""
    plain = Situation(now_s=0, work="running", lease=LEASE, quantum_ends_s=1)
    assert decide(plain).reasons == ("licensed",)


# --- busy without a lease -----------------------------------------------------------------------


def test_others_work_on_the_device_keeps_ours_from_starting() -> None:
    """What is busy before we have a lease is found, and no lease of ours makes it licensed."""
    rig = rig_with()
    rig.control.is_silent = True
    count(rig, working("GPU-0", 4711), times=2)
    assert "busy-without-lease" not in rig.duty.decision.findings  # type: ignore[union-attr]  # it has looked
    count(rig, working("GPU-0", 4711), times=1)
    rig.control.is_silent = False
    rig.run_for(3, step=0.5)

    assert rig.doing() == "none"
    (detail,) = details(rig, "busy-without-lease")
    assert "GPU-0 is at work by process 4711" in detail
    assert "not ours to stop" in detail

    count(rig, seen("GPU-0"), times=3)
    assert rig.doing() == "running"


def test_frozen_work_that_computes_on_is_ours() -> None:
    """A process of our tree on a busy device, while an order holds the work: found, and told as ours."""
    rig = rig_with()
    count(rig, seen("GPU-0"))
    rig.control.issue(rig.control.order())
    rig.run_for(3)
    assert rig.doing() == "frozen"

    ours = seen("GPU-0", util_ppm=900_000, processes=(SeenProcess(pid=9, ancestors=(5, 1)),))
    count(rig, ours, times=3)

    (detail,) = details(rig, "busy-without-lease")
    assert "process 9, of our work" in detail


def test_what_was_busy_under_the_lease_is_not_held_against_its_end() -> None:
    """Readings of a licensed quantum say nothing about the moment after it was stopped."""
    rig = rig_with()
    count(rig, seen("GPU-0"))
    count(rig, working("GPU-0", 9), times=4)
    rig.control.issue(rig.control.order())
    rig.run_for(2)
    assert rig.doing() == "frozen"

    count(rig, working("GPU-0", 9), times=2)  # a driver's averages lag
    count(rig, seen("GPU-0"))
    assert rig.control.codes() == []


def test_an_exempt_device_keeps_no_work_from_starting() -> None:
    """It is at work before there is a lease, and nothing waits for it."""
    exempt = (ExemptDevice(device="GPU-X", reason="drives the display wall"),)
    rig = rig_with(exempt=exempt)
    rig.control.is_silent = True
    count(rig, seen("GPU-0"), working("GPU-X", 1), times=4)
    rig.control.is_silent = False
    rig.run_for(3, step=0.5)

    assert rig.doing() == "running"
    assert "busy-without-lease" not in rig.control.codes()


def test_an_exempt_device_at_work_is_told_and_left_alone() -> None:
    """With its reason, once; the work of the set goes on beside it."""
    exempt = (ExemptDevice(device="GPU-X", reason="drives the display wall"),)
    rig = rig_with(exempt=exempt)
    count(rig, seen("GPU-0"), working("GPU-X", 1), times=4)

    assert rig.doing() == "running"
    assert details(rig, "exempt-device-busy") == ["GPU-X: drives the display wall"]
    assert rig.control.codes() == ["exempt-device-busy"]


# --- links --------------------------------------------------------------------------------------


def test_more_than_the_licence_lets_out_is_found() -> None:
    """Over a window of ten seconds at least, with the rate, the limit and where it was read."""
    rig = rig_with(census="none", links=LinkSides(outside=("eth0",)), egress=1000)
    for sent in (0, 6_000, 12_000):
        send(rig, {"eth0": sent})
    assert rig.control.codes() == []

    for sent in (500_000, 1_000_000, 1_500_000):
        send(rig, {"eth0": sent})
    (detail,) = details(rig, "egress-over-limit")
    assert "of 1000 allowed (read from proc-net-dev)" in detail


def test_a_limit_without_a_reading_is_said() -> None:
    """Neither unreadable counters nor settings that name no interface are a pass."""
    unread = rig_with(census="none", links=LinkSides(outside=("eth0",)), egress=1000)
    unread.run_for(2)
    send(unread, None, "/proc/net/dev cannot be read")
    assert details(unread, "egress-not-measured") == ["/proc/net/dev cannot be read"]

    unnamed = rig_with(census="none", egress=1000)
    unnamed.run_for(2)
    (detail,) = details(unnamed, "egress-not-measured")
    assert "names no devices.links" in detail


def test_a_counter_that_began_again_is_no_rate() -> None:
    """The window is not measured, and the next one begins at the new reading."""
    rig = rig_with(census="none", links=LinkSides(outside=("eth0",)), egress=1000)
    for sent in (9_000_000, 9_000_100, 5, 50, 100):
        send(rig, {"eth0": sent})
    assert rig.control.codes() == ["egress-not-measured"]


def test_no_limit_is_no_matter() -> None:
    """A licence without a limit lets what it likes leave."""
    rig = rig_with(census="none", links=LinkSides(outside=("eth0",)))
    for sent in (0, 10**9, 10**12):
        send(rig, {"eth0": sent})
    assert rig.control.codes() == []
