"""Attacks on a threshold by splitting what it counts: over runs, over checkpoints, over licensees, over time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import StateConflict
from sekisho.model.statements import (
    Checkpoint,
    CheckpointRecorded,
    Lineage,
    PartyEnrolled,
    Reference,
)
from sekisho.operations.running import RunRefused
from tests import factory as f
from tests.approved import amend, amendment, declare, issue, licence, record_checkpoint
from tests.desks import TestDesk

CAP = 10**24  # the strict threshold of the shipped pack's treaty draft
PART = 6 * 10**23
MADE = "a" * 64


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def test_split_runs_under_the_cap(desk: TestDesk) -> None:
    """Two runs, each below the threshold: the second goes on from the first one's checkpoint and is counted with it."""
    declare(desk, "run-1", planned=PART)
    issue(desk)
    record_checkpoint(desk, "run-1", MADE)
    declare(desk, "run-2", planned=PART, parents=[MADE])
    with pytest.raises(RunRefused, match="treaty-strict-training"):
        issue(desk, "LIC-2", run="run-2")
    declare(desk, "run-3", planned=CAP - PART, parents=[MADE])
    issue(desk, "LIC-3", run="run-3")


def test_a_forged_decision_does_not_hide_the_lineage(desk: TestDesk) -> None:
    """A quorum that signs *permit* all the same is refused where the log is kept: the rules are asked again."""
    declare(desk, "run-1", planned=PART)
    issue(desk)
    record_checkpoint(desk, "run-1", MADE)
    declare(desk, "run-2", planned=PART, parents=[MADE])
    small = msgspec.structs.replace(
        licence(desk, "LIC-9", budget_flop=0),
        run="run-2",
        declaration=Reference(log=f.ORIGIN, leaf=desk.desk.state.licences.runs["run-2"][0]),
        lineage=Lineage(scratch=False, parents=(MADE,)),
        budget_flop=str(PART),
    )
    with pytest.raises(StateConflict, match="the rules say deny"):
        desk.desk.admit(f.signed(small, *f.AUTHORITY[:2]).raw)


def test_checkpoint_hand_off_to_another_licensee(desk: TestDesk) -> None:
    """Who takes over another party's weights takes over what they cost."""
    other = PartyEnrolled(
        effective=desk.clock.now(),
        party="party-2",
        public=f.signer("party-2").public.to_text(),
        organisation="Another developer",
        country="JP",
    )
    desk.desk.admit(f.signed(other, f.AUTHORITY[0]).raw)
    declare(desk, "run-1", planned=PART)
    issue(desk)
    record_checkpoint(desk, "run-1", MADE)
    fact = msgspec.structs.replace(
        f.run_declared("run-2", planned_flop=str(PART)),
        party="party-2",
        lineage=Lineage(scratch=False, parents=(MADE,)),
    )
    desk.desk.admit(f.signed(fact, f.signer("party-2")).raw)
    with pytest.raises(RunRefused, match="deny"):
        issue(desk, "LIC-2", run="run-2")


def test_structuring_over_licensees_of_one_lineage(desk: TestDesk) -> None:
    """Ten small owners one after the other, each below every threshold: the last ones are refused."""
    part, parent = 2 * 10**23, ""
    granted = 0
    for n in range(10):
        name = f"party-s{n}"
        fact = PartyEnrolled(
            effective=desk.clock.now(),
            party=name,
            public=f.signer(name).public.to_text(),
            organisation=f"Small developer {n}",
            country="JP",
        )
        desk.desk.admit(f.signed(fact, f.AUTHORITY[0]).raw)
        run = msgspec.structs.replace(
            f.run_declared(f"run-s{n}", planned_flop=str(part)),
            party=name,
            lineage=Lineage(scratch=not parent, parents=(parent,) if parent else ()),
        )
        desk.desk.admit(f.signed(run, f.signer(name)).raw)
        try:
            issue(desk, f"LIC-{n}", run=f"run-s{n}")
        except RunRefused:
            break
        granted += part
        parent = f"{n:064x}"
        record_checkpoint(desk, f"run-s{n}", parent)
    assert granted == CAP


def test_weights_that_no_receipt_names_are_the_worst_case(desk: TestDesk) -> None:
    """A start from unknown weights is judged as if they had cost any amount, however small the run."""
    declare(desk, "run-1", planned=1, parents=["d" * 64])
    with pytest.raises(RunRefused, match="deny"):
        issue(desk)


def test_weights_laundered_through_a_cheap_run_of_another_host(desk: TestDesk) -> None:
    """A host's word for a checkpoint counts only for a run that is declared for this host."""
    stranger = f.signer("host-9")
    enrolled = f.host_enrolled("host-9", of=stranger, now=desk.clock.now())
    desk.desk.admit(f.signed(enrolled, f.AUTHORITY[0], f.OPERATOR).raw)
    declare(desk, "run-cheap", planned=1)
    fact = CheckpointRecorded(
        effective=desk.clock.now(),
        host="host-9",
        run="run-cheap",
        checkpoint=f_checkpoint("d" * 64),
    )
    desk.desk.admit(f.signed(fact, stranger).raw)
    declare(desk, "run-1", planned=1, parents=["d" * 64])
    with pytest.raises(RunRefused, match="deny"):
        issue(desk)


def test_a_digest_claimed_twice_counts_twice(desk: TestDesk) -> None:
    """Claiming expensive weights for a cheap run as well makes nothing cheaper."""
    declare(desk, "run-1", planned=PART)
    issue(desk)
    declare(desk, "run-cheap", planned=1)
    record_checkpoint(desk, "run-1", MADE)
    record_checkpoint(desk, "run-cheap", MADE)
    declare(desk, "run-2", planned=PART, parents=[MADE])
    with pytest.raises(RunRefused, match="deny"):
        issue(desk, "LIC-2", run="run-2")


def test_amending_upwards_past_the_cap(desk: TestDesk) -> None:
    """The rules are asked again at each amendment: by itself, and with what was licensed on top of its checkpoints."""
    declare(desk, "run-1", planned=PART)
    issue(desk)
    with pytest.raises(RunRefused, match="deny"):
        amendment(desk, budget_flop=CAP + 1)
    record_checkpoint(desk, "run-1", MADE)
    declare(desk, "run-2", planned=CAP - PART, parents=[MADE])
    issue(desk, "LIC-2", run="run-2")
    with pytest.raises(RunRefused, match="deny"):
        amendment(desk, budget_flop=PART + 1)
    forged = msgspec.structs.replace(amendment(desk, budget_flop=PART), budget_flop=str(PART + 1))
    with pytest.raises(StateConflict, match="the rules say deny"):
        desk.desk.admit(f.signed(forged, *f.AUTHORITY[:2]).raw)
    amend(desk, budget_flop=PART - 1)


def test_many_licences_for_one_run(desk: TestDesk) -> None:
    """A run's licences together stay within what it declared."""
    declare(desk, "run-1", planned=PART)
    issue(desk, budget_flop=PART)
    with pytest.raises(StateConflict, match="licensed for this run already"):
        issue(desk, "LIC-2", budget_flop=1)


def f_checkpoint(digest: str) -> Checkpoint:
    return Checkpoint(sha256=digest, bytes=1, step=1)
