"""What the scheduler's gate is shown: never more open than the agent's own decision."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.schedulers.slurm.gate_file import write_lines
from sekisho.agent.decide import LeaseFacts, Situation, decide
from sekisho.agent.gatekeeping import Gatekeeper, GateView, is_due, picture_of
from sekisho.agent.host import AgentSettings
from sekisho.agent.main import _open_gate
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.model.statements import OrderReference
from sekisho.orders import Demand
from sekisho.ports.driver_settings import SlurmSettings
from sekisho.ports.gate import GatePicture
from tests.factory import NOW
from tests.fakes import FakeControl

LEASE = LeaseFacts(mode="kill", grace_s=2.0, ends_s=30.0)
QUANTUM_S = 60
OPEN = Situation(now_s=0.0, work="running", lease=LEASE, quantum_ends_s=50.0)
ORDER = OrderReference(register="pause/JP", number=1, digest="0" * 64)
PAUSED = Demand(effect="checkpoint-then-stop", grace_s=5, orders=(ORDER,))


def view(*, licensed: bool = True) -> GateView:
    control = FakeControl()
    control.license()
    state = next(iter(control.ledger.licences.values())) if licensed else None
    if state is not None:
        terms = msgspec.structs.replace(state.licence.lease, quantum_s=QUANTUM_S)
        licence = msgspec.structs.replace(state.licence, lease=terms)
        state = msgspec.structs.replace(state, licence=licence)
    return GateView(host="host-1", run="run-1", licence=state, latest=NOW)


def shown(situation: Situation, *, licensed: bool = True) -> GatePicture:
    return picture_of(view(licensed=licensed), situation, decide(situation))


def changed(**fields: object) -> Situation:
    return msgspec.structs.replace(OPEN, **fields)


def test_a_run_under_way_is_open_until_its_lease_ends() -> None:
    """Two quanta, or the lease's end where that comes first."""
    picture = shown(OPEN)

    assert [(run.run, run.is_open) for run in picture.runs] == [("run-1", True)]
    assert picture.until.since(NOW) == LEASE.ends_s
    long = msgspec.structs.replace(LEASE, ends_s=3600.0)
    assert shown(changed(lease=long)).until.since(NOW) == 2 * QUANTUM_S


def test_a_picture_says_how_long_work_may_outlive_it() -> None:
    """The licence's grace, for those who read it where nobody answers; an amended grace is shown at once."""
    licence = view().licence
    assert licence is not None
    picture = shown(OPEN)

    assert picture.grace_s == licence.licence.lease.grace_s > 0
    assert is_due(picture, msgspec.structs.replace(picture, grace_s=picture.grace_s + 1))
    assert f"grace\t{picture.grace_s}\n".encode() in write_lines(picture, 1_000)
    assert shown(OPEN, licensed=False).grace_s == 0


def test_a_second_agent_on_one_gate_is_refused(tmp_path: Path) -> None:
    """The gate shows one picture: two agents would overwrite each other's runs."""
    settings = AgentSettings(
        host="h",
        control="http://127.0.0.1:9",
        run="r",
        driver="slurm",
        slurm=SlurmSettings(gate=str(tmp_path)),
    )

    assert _open_gate(settings) is not None
    with pytest.raises(StateConflict, match="another agent holds"):
        _open_gate(settings)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"demand": PAUSED}, "order-in-force"),
        ({"outstanding_s": 0.0}, "order-outstanding"),
        ({"licence_revoked": True}, "licence-withdrawn"),
        ({"licence_suspended": True}, "licence-withdrawn"),
        ({"lease": None, "work": "none"}, "no-lease"),
        ({"lease": msgspec.structs.replace(LEASE, ends_s=-1.0)}, "lease-ended"),
        ({"affordable": False}, "budget-spent"),
        ({"acknowledged": False, "quantum_ends_s": 1.0}, "not-acknowledged"),
        ({"work": "none"}, "work-stopped"),
        ({"work": "frozen"}, "work-stopped"),
        ({"start": "rebooted"}, "work-stopped"),
        ({"has_contact": False}, "work-stopped"),
    ],
)
def test_what_shuts_the_gate_is_named(fields: dict[str, object], rule: str) -> None:
    """Every refusal has its rule, its reason and its remedy."""
    (run,) = shown(changed(**fields)).runs

    assert not run.is_open
    assert run.rule == rule
    assert run.reason
    assert run.remedy


def test_an_acknowledgement_under_way_does_not_shut_the_gate() -> None:
    """Each quantum begins with a receipt in flight: only its silence counts, and nothing else is forgiven."""
    young = {"acknowledged": False, "quantum_ends_s": QUANTUM_S - 1.0}
    assert shown(changed(**young)).runs[0].is_open
    assert not shown(changed(**young, demand=PAUSED)).runs[0].is_open
    assert not shown(changed(**young, affordable=False)).runs[0].is_open


def test_a_run_without_a_licence_is_not_named() -> None:
    """To the gate it is unknown; how strict it is then is the charter's word."""
    picture = shown(changed(lease=None, work="none"), licensed=False)

    assert (picture.runs, picture.mode) == ((), "kill")
    advised = changed(lease=None, work="none", busy_without_lease="advise")
    assert shown(advised, licensed=False).mode == "advise"


def test_a_picture_is_shown_when_it_changes_and_before_it_ages() -> None:
    """No more often than that: the gate's file is not rewritten with every look."""
    first = shown(OPEN)
    later = msgspec.structs.replace(first, written=NOW.plus(14), until=NOW.plus(44))
    old = msgspec.structs.replace(first, written=NOW.plus(15), until=NOW.plus(45))
    assert is_due(None, first)
    assert not is_due(first, later)
    assert is_due(first, old)
    assert is_due(first, shown(changed(demand=PAUSED)))


class BrokenGate:
    """Cannot be written."""

    def show(self, picture: GatePicture) -> None:
        raise Unavailable(f"no room for {picture.host}")


def test_a_gate_that_cannot_be_shown_is_a_finding() -> None:
    """The old picture ages and shuts by itself; somebody has to look."""
    findings = Gatekeeper(BrokenGate()).keep(view(), OPEN, decide(OPEN))

    assert [finding.code for finding in findings] == ["gate-not-shown"]
