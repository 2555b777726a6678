"""What an order would do: whom it touches, what would be lost, and that nothing unknown is ever 0."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.statements import CheckpointRecorded, Scope
from sekisho.model.statements.shapes import Checkpoint
from sekisho.operations.blast_radius import BlastRadius, Seen, WorkSeen, preview_order
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rules import load_pack
from tests import factory as f
from tests.desks import TestDesk
from tests.ladders import LadderDesk


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    with TestDesk(tmp_path) as desk:
        desk.licensed()
        yield LadderDesk(desk)


def seen(room: LadderDesk, **states: str) -> Seen:
    rows = (
        WorkSeen(host=host.replace("_", "-"), at=room.now, state=state, run="run-1")  # type: ignore[arg-type]  # the test's own word
        for host, state in states.items()
    )
    return Seen(at=room.now, hosts=tuple(rows))


def reach(room: LadderDesk, work: Seen | None = None, **changes: Any) -> BlastRadius:
    fields: dict[str, Any] = {
        "kind": "pause",
        "scope": Scope(sites=("site-1",)),
        "effect": "checkpoint-then-stop",
        "lasts_s": 7_200,
        "legal_basis": "-",
        "appeal": "-",
        "grace_s": 0,
        **changes,
    }
    order = draft_order(room.state, OrderPlan(**fields), now=room.now)
    return preview_order(room.state, order, work, now=room.now)


def checkpoint(room: LadderDesk, host: str = "host-1") -> None:
    fact = CheckpointRecorded(
        effective=room.now,
        host=host,
        run="run-1",
        checkpoint=Checkpoint(sha256="a" * 64, bytes=1, step=1),
    )
    room.admit(fact, f.HOST if host == "host-1" else f.signer(host))


def test_what_was_not_looked_at_is_not_measured(room: LadderDesk) -> None:
    """Without any view of work nothing is known to run, and nothing is said to be lost: None, never 0."""
    found = reach(room)
    assert (found.hosts, found.licensees, found.runs) == (("host-1",), ("party-1",), ("run-1",))
    assert found.running is None
    assert found.at_risk_device_hours is None
    assert (found.unmeasured, found.without_checkpoint) == (("host-1",), ("host-1",))
    assert found.by_site[0].unknown == 1


def test_work_since_the_newest_checkpoint_would_be_lost(room: LadderDesk) -> None:
    """Devices times the checkpoint's age; a host without one is named, and is not in the sum."""
    room.enrol("host-2", devices=8)
    room.enrol("host-3", devices=4)
    checkpoint(room, "host-2")
    room.move(1_800)
    found = reach(room, seen(room, host_2="running", host_3="running"))
    assert found.running == 2
    assert (found.at_risk_device_hours, found.measured) == (Decimal("4.000"), 1)
    assert found.unmeasured == ("host-1", "host-3")
    assert found.without_checkpoint == ("host-1", "host-3")
    assert found.not_seen == ("host-1",)
    (site,) = found.by_site
    assert (site.devices, site.at_risk, site.unknown) == (13, 8, 5)


def test_a_host_that_runs_nothing_loses_nothing(room: LadderDesk) -> None:
    """Its receipt says so: 0 is measured here."""
    found = reach(room, seen(room, host_1="none"))
    assert (found.at_risk_device_hours, found.unmeasured) == (Decimal(0), ())
    assert (found.by_site[0].idle, found.without_checkpoint) == (1, ())


@pytest.mark.parametrize(("grace_s", "saved"), [(0, "at-risk"), (59, "at-risk"), (60, "kept")])
def test_a_host_that_wrote_one_within_the_grace_before_is_expected_to_again(
    room: LadderDesk, grace_s: int, saved: str
) -> None:
    """A drill in which it took a minute is what makes that known; without grace nothing is written."""
    drill = room.pause(drill=True, effect="checkpoint-then-stop", grace_s=60)
    room.receipt(drill, "received")
    room.move(60)
    room.receipt(drill, "checkpointed")
    checkpoint(room)
    room.move(3_600)
    found = reach(room, seen(room, host_1="running"), grace_s=grace_s)
    assert found.rows[0].saved == saved
    assert found.rows[0].checkpoints_within_s == 60
    assert found.at_risk_device_hours == (Decimal(0) if saved == "kept" else Decimal("1.000"))


def test_what_goes_on_is_named_with_why(room: LadderDesk) -> None:
    """An exempt run goes on because the order names it, and its devices are drawn as exempt."""
    found = reach(room, exemptions=("run-1",))
    (service,) = found.services
    assert (service.run, service.hosts, service.why) == ("run-1", ("host-1",), "named-in-the-order")
    assert found.hosts == ()
    assert (found.by_site[0].exempt, found.by_site[0].devices) == (1, 1)


def test_a_drill_leaves_all_but_the_canary_alone(room: LadderDesk) -> None:
    """A licensed run on a host that declares no canary is named as going on, with why."""
    room.enrol("host-2")
    declared = msgspec.structs.replace(f.run_declared("run-2"), hosts=("host-2",))
    room.admit(declared, f.PARTY)
    terms = f.licence_issued(f.REFERENCE).lease
    plan = LicencePlan(number="LIC-2", terms=terms, mode="kill")
    licence = draft_licence(room.state, "run-2", load_pack(), plan, now=room.now)
    room.admit(licence, *f.AUTHORITY[:2])
    found = reach(room, drill=True)
    assert found.hosts == ("host-1",)
    (service,) = found.services
    assert (service.run, service.hosts, service.why) == ("run-2", ("host-2",), "not-the-canary")
    assert reach(room).hosts == ("host-1", "host-2")


def test_a_hold_says_what_it_costs(room: LadderDesk) -> None:
    """Device-hours over its whole length; a cap holds none."""
    room.enrol("host-2", devices=7)
    found = reach(room, kind="hold", effect="freeze", lasts_s=3_600)
    assert (found.devices, found.held_device_hours) == (8, Decimal("8.000"))
    assert found.stops


def test_every_host_is_in_exactly_one_part_of_its_sites_bar(room: LadderDesk) -> None:
    """Whatever is seen, the five parts add up to the site's devices."""
    for n in (2, 3, 4):
        room.enrol(f"host-{n}", devices=n)
    checkpoint(room, "host-2")
    states = st.sampled_from(["running", "frozen", "ended", "none", None])

    @given(st.tuples(states, states, states, states))
    def holds(found: tuple[str | None, ...]) -> None:
        known = {f"host_{n}": word for n, word in enumerate(found, 1) if word is not None}
        (site,) = reach(room, seen(room, **known)).by_site
        assert site.devices == 10
        assert site.at_risk + site.kept + site.idle + site.exempt + site.unknown == site.devices

    holds()
