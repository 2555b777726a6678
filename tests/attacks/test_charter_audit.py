"""What an auditor finds of a charter's faults in an evidence bundle, one test each."""

from __future__ import annotations

import msgspec

from sekisho.auditor import CheckResult
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    KeyCompromised,
    PackPublished,
    PackReference,
    Predicate,
    Reference,
)
from tests.factory import ORIGIN, party_enrolled
from tests.factory_bundle import (
    QUORUM,
    T0,
    Cast,
    Item,
    LogSoFar,
    Story,
    audit,
    check_of,
    heartbeat,
    honest_story,
    item,
    seal,
)

ORDERS = ("pause-1", "resume-1")
REPORTERS = ("authority-4", "verifier-2")


def found(story: Story, name: str, verdict: str) -> CheckResult:
    """One check of a story, whose verdict it must be."""
    result = check_of(audit(seal(story)), name)
    assert result.verdict == verdict, result.detail
    return result


def amended(version: int, before: str, *signers: str, **changes: object) -> Item:
    """The next version, said to follow the item `before`."""

    def draft(log: LogSoFar) -> Predicate:
        return following(log, version, before, **changes)

    return item(draft, *(signers or QUORUM))


def following(log: LogSoFar, version: int, before: str, **changes: object) -> CharterAdopted:
    return msgspec.structs.replace(
        Cast().charter(), version=version, previous=log.digest(before), **changes
    )


def reported(key: str, since: Instant) -> Item:
    fact = KeyCompromised(
        effective=since, key=Cast().signer(key).public.key_id, since=since, reason="stolen"
    )
    return item(fact, *REPORTERS)


def test_charter_licence_for_an_organisation_in_the_pause_quorum() -> None:
    """Whoever could stop or release itself is licensed nowhere, however its name is spelled."""
    story = honest_story()
    party = msgspec.structs.replace(
        party_enrolled(),
        public=Cast().signer("party-1").public.to_text(),
        organisation=" AUTHORITY",
    )
    story.replace("party", item(party, "authority-1"))
    assert "pause quorum" in found(story, "licences", "fails").detail


def test_charter_amended_after_it_expired() -> None:
    """Whatever the desk let in, the audit sees that the old version had ended."""
    story = honest_story()
    story.insert_after("beat-4", "charter-2", amended(2, "charter", expires=T0.plus(60)))
    found(story, "charter", "holds")
    story.add(90, ("charter-3", amended(3, "charter-2")), ("beat-5", heartbeat(90, orders=ORDERS)))
    assert "had expired" in found(story, "charter", "fails").detail


def test_charter_recovered_without_an_announcement() -> None:
    """A version that says it recovers something, under recovery keys or not, needs its announcement in the log."""
    story = honest_story()
    recovers = Reference(log=ORIGIN, leaf="0" * 64)
    story.insert_after("beat-4", "charter-2", amended(2, "charter", recovers=recovers))
    assert "recovery-break" in found(story, "charter", "fails").detail


def test_charter_order_whose_quorum_was_lost_is_not_vouched_for() -> None:
    """A report leaves what hung on the key unverifiable, entry by entry; what came before the loss stands."""
    story = honest_story()
    story.insert_after("beat-4", "report", reported("authority-1", T0.plus(19)))
    doubted = found(story, "signatures", "unverifiable").detail
    assert "order-issued is in doubt" in doubted
    assert "licence-issued" not in doubted
    later = honest_story()
    later.insert_after("beat-4", "report", reported("authority-1", T0.plus(70)))
    found(later, "signatures", "holds")


def test_charter_statement_by_a_reported_key_in_the_log() -> None:
    """A log that takes what a reported key signed fails, by the entry."""
    story = honest_story()
    story.insert_after("beat-1", "report", reported("authority-1", T0.plus(5)))
    assert "authority 2 of 3" in found(story, "signatures", "fails").detail


def test_charter_licence_under_a_pack_that_an_emergency_had_replaced() -> None:
    """The pack in force at the licence is the one that decides: an older one of its name is not."""
    story = honest_story()
    reference = PackReference(name="loop", version="emergency", sha256="1" * 64)
    published = next(make for _, items in story.batches for name, make in items if name == "pack")
    name = msgspec.json.decode(published(LogSoFar(Cast())).payload)["predicate"]["pack"]["name"]
    fact = PackPublished(
        effective=T0,
        pack=msgspec.structs.replace(reference, name=name),
        bytes=1,
        emergency=True,
    )
    story.insert_after("run", "emergency", item(fact, "authority-1", "verifier-1"))
    assert "was not in force" in found(story, "decisions", "fails").detail
