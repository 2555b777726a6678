"""Work that an order halted, licensed on all the same in a log that is consistent in itself: the auditor finds it."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.auditor import CheckResult
from sekisho.model.statements import (
    Checkpoint,
    LeaseGranted,
    LicenceAmended,
    LicenceIssued,
    Lineage,
    PartyEnrolled,
    Predicate,
    ReceiptGiven,
    RunDeclared,
    parse_payload,
)
from tests.factory_bundle import (
    T0,
    Item,
    LogSoFar,
    Story,
    audit,
    check_of,
    heads,
    honest_story,
    item,
    seal,
)

HALF = 5 * 10**11
KEPT = "b" * 64
WHILE_HALTED, LIFTED = 38.0, 64.0
ISSUERS = ("authority-1", "authority-2")


def fact_of(log: LogSoFar, name: str) -> Predicate:
    """What an entry of the story says."""
    return parse_payload(log.named[name].payload).predicate


def check(story: Story, name: str = "licences") -> CheckResult:
    return check_of(audit(seal(story)), name)


def at(story: Story, second: float, *items: tuple[str, Item]) -> Story:
    """The story with one more batch, where its time comes."""
    story.add(second, *items)
    story.batches.sort(key=lambda batch: batch[0])
    return story


def second_licence(run: str = "run-1", declared: str = "run") -> Item:
    """As the first one was, for the other half of what was declared."""

    def made(log: LogSoFar) -> Predicate:
        first, told = fact_of(log, "licence"), fact_of(log, declared)
        assert isinstance(first, LicenceIssued)
        assert isinstance(told, RunDeclared)
        return msgspec.structs.replace(
            first,
            number="LIC-2",
            run=run,
            declaration=log.reference(declared),
            lineage=told.lineage,
            effective=log.at,
        )

    return item(made, *ISSUERS)


def amendment(budget_flop: int) -> Item:
    """The licence again, with another budget."""

    def made(log: LogSoFar) -> Predicate:
        first = fact_of(log, "licence")
        assert isinstance(first, LicenceIssued)
        same = {
            name: getattr(first, name)
            for name in ("number", "hosts", "devices", "devices_root", "sites", "period", "mode")
        }
        return LicenceAmended(
            effective=log.at,
            licence=log.reference("licence"),
            version=2,
            previous=log.digest("licence"),
            reason="as decided",
            budget_flop=str(budget_flop),
            lease=first.lease,
            decision=first.decision,
            **same,
        )

    return item(made, *ISSUERS)


def with_kept(story: Story) -> Story:
    """The host's word that it halted names the checkpoint that it kept; a run that starts from it is declared."""

    def again(log: LogSoFar) -> Predicate:
        said = fact_of(log, "received")
        assert isinstance(said, ReceiptGiven)
        checkpoint = Checkpoint(sha256=KEPT, bytes=1, step=2)
        return msgspec.structs.replace(
            said, stage="checkpointed", sequence=said.sequence + 1, checkpoint=checkpoint
        )

    def declared(log: LogSoFar) -> Predicate:
        first = fact_of(log, "run")
        assert isinstance(first, RunDeclared)
        lineage = Lineage(scratch=False, parents=(KEPT,))
        return msgspec.structs.replace(first, run="run-2", lineage=lineage)

    story.replace("checkpointed", item(again, "host-1"))
    return at(story, 37.0, ("run-2", item(declared, "party-1")))


def test_a_run_that_stands_halted_is_licensed_anew() -> None:
    """A second licence for the very run, to carry it on elsewhere, while its pause stands."""
    story = at(honest_story(budget=HALF), WHILE_HALTED, ("licence-2", second_licence()))
    found = check(story)
    assert found.verdict == "fails"
    assert "was issued although run run-1 stood halted under order pause/JP 1" in found.detail


def test_once_the_pause_is_lifted_the_same_licence_holds() -> None:
    """What the order held it holds no more."""
    story = at(honest_story(budget=HALF), LIFTED, ("licence-2", second_licence()))
    assert check(story).verdict == "holds"


@pytest.mark.parametrize(("budget", "verdict"), [(10**12, "fails"), (HALF, "holds")])
def test_an_amendment_gives_a_halted_run_more(budget: int, verdict: str) -> None:
    """More for what is halted is a fault; what gives nothing more is none."""
    story = at(honest_story(budget=HALF), WHILE_HALTED, ("amended", amendment(budget)))
    found = check(story)
    assert found.verdict == verdict
    assert ("gives more although run run-1 stood halted" in found.detail) == (verdict == "fails")


def test_a_run_from_the_kept_checkpoint_is_licensed() -> None:
    """Trained around: another run goes on from the weights that were kept under the pause."""
    story = with_kept(honest_story(budget=HALF))
    story = at(story, WHILE_HALTED, ("licence-2", second_licence("run-2", "run-2")))
    found = check(story)
    assert found.verdict == "fails"
    assert "order pause/JP 1" in found.detail


def test_a_lease_is_granted_for_weights_that_are_held() -> None:
    """The licence stood before; a lease on it, for weights kept under the pause, may not be granted while it stands."""
    story = with_kept(honest_story(budget=HALF))
    story.batches.sort(key=lambda batch: batch[0])
    story = at(story, 37.5, ("licence-2", second_licence("run-2", "run-2")))

    def grant(log: LogSoFar) -> Predicate:
        first = fact_of(log, "lease-1")
        assert isinstance(first, LeaseGranted)
        return msgspec.structs.replace(
            first,
            licence=log.reference("licence-2"),
            effective=T0.plus(WHILE_HALTED),
            not_after=T0.plus(WHILE_HALTED + 60),
            number=2,
            heads=heads(log, "pause-1"),
        )

    story = at(story, WHILE_HALTED, ("lease-held", item(grant, "operator-1")))
    found = check(story, "leases")
    assert found.verdict == "fails"
    assert "a checkpoint that is held under order pause/JP 1" in found.detail


def test_a_licensee_is_enrolled_into_the_pause_quorums_organisation() -> None:
    """Licensed first, and then made one of those who pause: found as if the licence had come last."""

    def moved(log: LogSoFar) -> Predicate:
        party = fact_of(log, "party")
        assert isinstance(party, PartyEnrolled)
        return msgspec.structs.replace(party, organisation="Authority", effective=log.at)

    story = at(honest_story(), WHILE_HALTED, ("party-again", item(moved, "authority-1")))
    found = check(story)
    assert found.verdict == "fails"
    assert "which has a key in a pause quorum" in found.detail
