"""A wholly forged regime, consistent in itself, and other attacks on charter, log key, witnesses and time."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sekisho.auditor import CheckResult, Trust, audit_bundle
from sekisho.auditor.bundle import as_bundle
from sekisho.ledger import Checkpoint, sign_checkpoint
from sekisho.model.statements import FindingRaised, Predicate, TimeMarked
from sekisho.signing import Envelope, TrustRoot
from tests import factory
from tests.factory_bundle import (
    QUORUM,
    T0,
    Cast,
    Item,
    LogSoFar,
    Sealed,
    Story,
    audit,
    check_of,
    heartbeat,
    honest_story,
    item,
    seal,
)

FORGED = Cast(salt=" forged")


@pytest.fixture(scope="module")
def forged() -> Sealed:
    """The same story by other keys throughout."""
    return seal(honest_story(FORGED), FORGED)


def fails(story: Story, name: str, root: TrustRoot | None = None) -> CheckResult:
    """What one check says of a story in which it must fail."""
    report = audit(seal(story), root=root)
    assert report.verdict == "fails"
    found = check_of(report, name)
    assert found.verdict == "fails"
    return found


def test_a_wholly_forged_regime_fails_under_the_users_trust_root(forged: Sealed) -> None:
    """Other keys everywhere under the true log's name: root, charter, checkpoint and witnesses all say so."""
    report = audit_bundle(as_bundle(forged.files), Trust(known=(Cast().root(),)))
    assert report.verdict == "fails"
    for name in (
        "trust-root",
        "charter",
        "checkpoint-signature",
        "witnessed",
        "signatures",
        "manifest",
    ):
        assert check_of(report, name).verdict == "fails", name
    assert "forged-regime" in check_of(report, "trust-root").detail


def test_the_forged_regime_is_consistent_in_itself(forged: Sealed) -> None:
    """The attack is real: whoever took the root from the bundle would see it hold."""
    assert audit(forged).verdict == "holds"


def test_a_forged_regime_under_another_name_is_unverifiable_not_trusted(forged: Sealed) -> None:
    """A log that nobody told this user to trust proves nothing."""
    other = msgspec.structs.replace(
        Cast().root(), log=Cast().root().log.replace("log.example", "true.example")
    )
    assert audit_bundle(as_bundle(forged.files), Trust(known=(other,))).verdict == "unverifiable"


@pytest.mark.parametrize("check", ["trust-root", "charter", "signatures"])
def test_no_check_of_a_forged_regime_can_be_accepted(forged: Sealed, check: str) -> None:
    """What fails cannot be taken on trust."""
    assert audit(forged, root=Cast().root(), accepted=(check,)).verdict == "fails"


def test_a_charter_under_the_true_log_key_by_other_founders_fails() -> None:
    """The operator owns the log's key and writes itself another charter: its digest is not the root's."""
    story = honest_story()
    terms = msgspec.structs.replace(Cast().charter(), name="Another regime")
    story.replace("charter", item(terms, *QUORUM))
    assert "forged-regime" in fails(story, "trust-root").detail


def test_a_charter_version_without_the_old_quorum_fails() -> None:
    """A succession signed by too few of the old keys changes nothing and is shown."""
    story = honest_story()
    story.insert_after("beat-1", "charter-2", _next_charter("authority-1", "verifier-1"))
    assert "not met" in fails(story, "charter").detail


@pytest.mark.parametrize("version", [1, 3])
def test_a_charter_version_out_of_order_fails(version: int) -> None:
    """Rollback and gap."""
    story = honest_story()
    story.insert_after("beat-1", "charter-2", _next_charter(*QUORUM, version=version))
    assert "charter-break" in fails(story, "charter").detail


def test_a_charter_that_names_another_log_key_fails() -> None:
    """The first charter names the very log key that the verifier trusts."""
    root = msgspec.structs.replace(Cast().root(), log=FORGED.log.verifier.to_text())
    assert "another log key" in fails(honest_story(), "charter", root).detail


def test_a_log_that_goes_on_under_the_key_it_had_to_give_up_fails() -> None:
    """A rightly signed succession changes the log's key: what the old one signs is no witnessed tree any more."""
    story = honest_story()
    log = msgspec.structs.replace(Cast().charter().log, vkey=FORGED.log.verifier.to_text())
    story.insert_after("beat-1", "charter-2", _next_charter(*QUORUM, log=log))
    fails(story, "witnessed")
    assert check_of(audit(seal(story)), "checkpoint-signature").verdict == "unverifiable"


def _next_charter(*signers: str, version: int = 2, **changes: object) -> Item:
    def draft(log: LogSoFar) -> Predicate:
        return msgspec.structs.replace(
            Cast().charter(), version=version, previous=log.digest("charter"), **changes
        )

    return item(draft, *signers)


def test_a_statement_by_a_host_that_is_not_enrolled_fails() -> None:
    """Nobody speaks who was not let in."""
    story = honest_story()
    finding = FindingRaised(effective=T0.plus(5), finding="x", host="host-9", detail="x")
    story.insert_after("beat-1", "finding", item(finding, "host-1"))
    assert "not enrolled" in fails(story, "signatures").detail


def test_an_entry_that_is_no_statement_fails() -> None:
    """Bytes that are not a canonical envelope stand in no log of this regime."""
    story = honest_story()

    def garbage(log: LogSoFar) -> Envelope:
        honest = heartbeat(5)(log)
        return msgspec.structs.replace(honest, raw=honest.raw + b"\n")

    story.replace("beat-1", garbage)
    fails(story, "signatures")


def _mark(log: LogSoFar, size: int, root: bytes, *, witnessed: bool = True) -> Predicate:
    note = sign_checkpoint(Checkpoint(origin=factory.ORIGIN, size=size, root=root), log.cast.log)
    if witnessed:
        stamps = [w.sign(note.text, timestamp=int(T0.seconds) + 6) for w in log.cast.witnesses]
        note = note.with_signatures(stamps)
    return TimeMarked(effective=T0.plus(5), checkpoint=note.to_bytes().decode())


def _other_tree(log: LogSoFar) -> Predicate:
    return _mark(log, 3, bytes(32))


def _tree_of_the_future(log: LogSoFar) -> Predicate:
    return _mark(log, 500, bytes(32))


def _unwitnessed(log: LogSoFar) -> Predicate:
    return _mark(log, log.edge.size, log.edge.root(), witnessed=False)


def _no_checkpoint(_: LogSoFar) -> Predicate:
    return TimeMarked(effective=T0.plus(5.5))


def _going_back(log: LogSoFar) -> Predicate:
    edge, _ = log.edge.empty().extended(log.entries[:2])
    return _mark(log, 2, edge.root())


@pytest.mark.parametrize(
    "mark", [_other_tree, _tree_of_the_future, _unwitnessed, _no_checkpoint, _going_back]
)
def test_a_time_mark_that_lies_fails(mark: Callable[[LogSoFar], Predicate]) -> None:
    """A mark quotes a witnessed checkpoint of this very log, no older than the mark before."""
    story = honest_story()
    story.insert_after("beat-1", "lie", item(mark, "log"))
    fails(story, "time-marks")


def test_a_time_mark_by_another_key_than_the_logs_fails() -> None:
    """The operator cannot date the log."""
    story = honest_story()
    story.insert_after("beat-1", "lie", item(_no_checkpoint, "operator-1"))
    fails(story, "signatures")


def test_witnesses_of_another_policy_do_not_count(forged: Sealed) -> None:
    """The user's own witness policy decides, not the one that the charter in the log names."""
    root = msgspec.structs.replace(
        Cast().root(), witnesses=_witnesses_of(forged.root, Cast().root())
    )
    report = audit(seal(honest_story()), root=root)
    assert check_of(report, "witnessed").verdict == "fails"


def _witnesses_of(other: TrustRoot, mine: TrustRoot) -> str:
    """The other regime's witnesses over this regime's log."""
    return mine.witnesses.split("\n")[0] + "\n" + other.witnesses.split("\n", 1)[1]
