"""A verifier's own reading of the log, and the verdicts that it takes from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import QuorumMissing
from sekisho.model.errors import VerificationError
from sekisho.model.statements import (
    LogPosition,
    ObservationMade,
    OrderReference,
    Reading,
    ReceiptGiven,
)
from sekisho.operations.following import LogFollower, LogForked
from sekisho.operations.judging import gather_evidence, judge_host
from sekisho.orders import halt_nonce
from sekisho.signing import Envelope, TrustRoot
from tests import factory as f
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def follower(desk: TestDesk, folder: str = "log") -> LogFollower:
    return LogFollower(FileTileStore(desk.folder / folder), desk.root)


def halted_receipt(order: OrderReference) -> Envelope:
    return f.signed(
        ReceiptGiven(
            effective=f.NOW,
            host="host-1",
            sequence=1,
            stage="halted",
            counter="C0",
            quantum=0,
            state="frozen",
            order=order,
            means="cgroup-v2-freeze",
        ),
        f.HOST,
    )


def observed(
    order: OrderReference, receipt: str, tree: LogPosition, *, cpu_ms: int = 0, gap_s: float = 5
) -> ObservationMade:
    return ObservationMade(
        effective=f.NOW.plus(gap_s),
        host="host-1",
        order=order,
        receipt=receipt,
        after=tree,
        nonce=halt_nonce(tree, "host-1", "observe"),
        readings=(
            Reading(at=f.NOW, processes=1, running=0),
            Reading(at=f.NOW.plus(gap_s), processes=1, running=1 if cpu_ms else 0),
        ),
        work_cpu_ms=cpu_ms,
        host_busy_ms=100,
        means="process table",
        other_user=True,
    )


def test_a_follower_folds_what_it_verified(desk: TestDesk) -> None:
    """Its state is the desk's, but for what the log conceals."""
    issue(desk, pause_plan())
    desk.cosigned()
    state = follower(desk).refresh()
    assert state.orders == desk.desk.state.orders
    assert state.size == desk.desk.state.size


def test_a_log_that_goes_back_is_a_fork(desk: TestDesk) -> None:
    """A checkpoint smaller than the one seen is refused, however well it is signed."""
    desk.cosigned()
    shutil.copytree(desk.folder / "log", desk.folder / "old")
    issue(desk, pause_plan())
    desk.cosigned()
    reader = follower(desk)
    reader.refresh()
    shutil.copy(desk.folder / "old" / "checkpoint", desk.folder / "log" / "checkpoint")
    with pytest.raises(LogForked):
        reader.refresh()


def test_a_checkpoint_without_the_quorum_of_witnesses_is_not_read(desk: TestDesk) -> None:
    """One cosignature of two is no witnessed checkpoint."""
    note = desk.cosigned().note
    lines = note.to_bytes().decode().splitlines(keepends=True)
    (desk.folder / "log" / "checkpoint").write_text("".join(lines[:-1]))
    with pytest.raises(QuorumMissing):
        follower(desk).refresh()


def test_another_regimes_log_is_not_followed(desk: TestDesk) -> None:
    """The first charter must be the one that the follower's own trust root names."""
    desk.cosigned()
    root = TrustRoot(charter=f"sha256:{'0' * 64}", log=desk.root.log, witnesses=desk.root.witnesses)
    with pytest.raises(VerificationError, match="trust root"):
        LogFollower(FileTileStore(desk.folder / "log"), root).refresh()


def test_a_quiet_host_is_corroborated_from_the_log_alone(desk: TestDesk) -> None:
    """Receipt, observation and nonce are all in the log; the verifier needs nothing else."""
    order = issue(desk, pause_plan())
    receipt = halted_receipt(order)
    desk.leases.take_receipt(receipt.raw)
    desk.cosigned()
    reader = follower(desk)
    reader.refresh()
    assert reader.position is not None
    desk.clock.move(5)
    desk.desk.admit(f.signed(observed(order, receipt.digest, reader.position), f.VERIFIER[1]).raw)
    desk.cosigned()
    state = reader.refresh()
    verdict = judge_host(
        state, gather_evidence(state, order, "host-1", at=desk.clock.now()), now=desk.clock.now()
    )
    assert verdict.degree == "corroborated"
    assert any("has none" in limit for limit in verdict.limits)


def test_an_agent_that_lies_about_the_halt_is_contradicted(desk: TestDesk) -> None:
    """The observer saw processor time: the claim does not stand, and the reasons say what was seen."""
    order = issue(desk, pause_plan())
    receipt = halted_receipt(order)
    desk.leases.take_receipt(receipt.raw)
    desk.cosigned()
    reader = follower(desk)
    reader.refresh()
    assert reader.position is not None
    fact = observed(order, receipt.digest, reader.position, cpu_ms=2_500)
    desk.desk.admit(f.signed(fact, f.VERIFIER[1]).raw)
    desk.cosigned()
    state = reader.refresh()
    verdict = judge_host(
        state, gather_evidence(state, order, "host-1", at=desk.clock.now()), now=desk.clock.now()
    )
    assert verdict.degree == "contradicted"
    assert any("2500 ms" in reason for reason in verdict.reasons)


def test_a_verdict_lapses_and_the_host_is_back_at_its_claim(desk: TestDesk) -> None:
    """After its time a verdict says nothing any more."""
    order = issue(desk, pause_plan())
    receipt = halted_receipt(order)
    desk.leases.take_receipt(receipt.raw)
    desk.cosigned()
    reader = follower(desk)
    reader.refresh()
    assert reader.position is not None
    desk.desk.admit(f.signed(observed(order, receipt.digest, reader.position), f.VERIFIER[1]).raw)
    verdict = judge_host(
        desk.desk.state,
        gather_evidence(desk.desk.state, order, "host-1", at=desk.clock.now()),
        now=desk.clock.now(),
    )
    desk.desk.admit(f.signed(verdict, f.VERIFIER[0]).raw)
    life = desk.desk.state.lives.of(order, "host-1")
    assert life.degree(desk.clock.now()) == "corroborated"
    assert life.degree(verdict.lapses) == "claimed"
