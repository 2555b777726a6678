"""Attacks on approvals, amendments and closings by those who sign log and bundle anew: the auditor sees them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sekisho.auditor import CheckResult
from sekisho.model.statements import (
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceSuspended,
    Predicate,
    Reference,
    parse_payload,
)
from sekisho.signing import conceal
from tests import factory
from tests.factory_bundle import (
    T0,
    Cast,
    LogSoFar,
    Story,
    audit,
    check_of,
    honest_story,
    item,
    seal,
)

APPROVED = Cast(approvals=2)
QUORUM = ("authority-1", "authority-2")


def check(story: Story, cast: Cast, name: str) -> CheckResult:
    """What one check says of a story."""
    return check_of(audit(seal(story, cast)), name)


def amended(
    log: LogSoFar, *, version: int = 2, previous: str = "", **changes: object
) -> LicenceAmended:
    """An amendment of the story's licence, by default of nothing but its version."""
    licence = parse_payload(log.named["licence"].payload).predicate
    assert isinstance(licence, LicenceIssued)
    kept = {
        name: getattr(licence, name)
        for name in (
            "hosts",
            "devices",
            "devices_root",
            "sites",
            "budget_flop",
            "period",
            "lease",
            "mode",
            "decision",
        )
    }
    return LicenceAmended(
        effective=T0.plus(76),
        licence=log.reference("licence"),
        number="LIC-1",
        version=version,
        previous=previous or log.digest("licence"),
        reason="as decided",
        **{**kept, **changes},
    )


def with_amendment(cast: Cast, *signers: str, **changes: object) -> Story:
    """The honest story with an amendment at its end."""
    story = honest_story(cast)
    story.add(76, ("amendment", item(lambda log: amended(log, **changes), *(signers or QUORUM))))  # type: ignore[arg-type]  # passed through
    return story


def test_an_approved_licence_holds() -> None:
    """Two holders approved: the check holds, and says how much it looked at."""
    told = check(honest_story(APPROVED), APPROVED, "approvals")
    assert (told.verdict, told.detail) == (
        "holds",
        "1 licences and amendments, 2 answers to applications",
    )


@pytest.mark.parametrize(
    ("cast", "why"),
    [
        (Cast(approvals=2, approvers=()), "has 0 approvals"),
        (Cast(approvals=2, approvers=("authority-1",)), "has 1 approvals"),
        (Cast(approvals=2, one_holder=True), "has 1 approvals"),
    ],
)
def test_a_forged_licence_without_the_charters_approvals(cast: Cast, why: str) -> None:
    """None, one of two, and two keys of one person: each fails, although the licence's quorum signed."""
    told = check(honest_story(cast), cast, "approvals")
    assert told.verdict == "fails"
    assert why in told.detail


def test_a_licence_without_an_application() -> None:
    """A licence that names none fails under a charter that asks for approvals."""
    story = honest_story(APPROVED)
    bare = honest_story(Cast())
    licence = next(make for _, items in bare.batches for name, make in items if name == "licence")
    story.replace("licence", licence)
    told = check(story, APPROVED, "approvals")
    assert told.verdict == "fails"
    assert "names no application" in told.detail


def test_an_amendment_that_restricts_needs_nobodys_approval() -> None:
    """A smaller budget holds, and the books follow."""
    story = with_amendment(APPROVED, budget_flop=str(5 * 10**11))
    report = audit(seal(story, APPROVED))
    assert {
        check_of(report, n).verdict for n in ("approvals", "licences", "budgets", "decisions")
    } == {"holds"}


@pytest.mark.parametrize(
    ("changes", "check_name", "why"),
    [
        ({"budget_flop": "2000000000000"}, "approvals", "names no application"),
        ({"mode": "advise"}, "approvals", "names no application"),
        ({"budget_flop": "1"}, "licences", "below the"),
        ({"version": 3}, "licences", "does not follow"),
        ({"previous": "0" * 64}, "licences", "does not follow"),
        ({"hosts": ("host-9",)}, "licences", "not enrolled"),
        ({"devices": 2}, "licences", "another set of devices"),
        ({"budget_flop": str(10**25)}, "decisions", "the rules say deny"),
    ],
)
def test_a_forged_amendment(changes: dict[str, object], check_name: str, why: str) -> None:
    """More without approvals, less than is in use, out of order, other hosts, past the rules: each fails."""
    told = check(with_amendment(APPROVED, **changes), APPROVED, check_name)
    assert told.verdict == "fails"
    assert why in told.detail


def test_an_amendment_under_quorum() -> None:
    """One signature of two is no amendment."""
    told = check(with_amendment(APPROVED, "authority-1"), APPROVED, "signatures")
    assert told.verdict == "fails"


def test_a_lease_under_a_suspended_licence() -> None:
    """Suspended after the first lease, the second one fails."""
    story = honest_story(Cast())

    def suspended(log: LogSoFar) -> Predicate:
        return LicenceSuspended(
            effective=T0.plus(54), licence=log.reference("licence"), number="LIC-1", reason="x"
        )

    story.insert_after("lease-1", "suspension", item(suspended, *QUORUM))
    report = audit(seal(story))
    assert report.verdict == "fails"
    details = " ".join(c.detail for c in report.checks if c.verdict == "fails")
    assert "suspended" in details


def closing(log: LogSoFar, fields: dict[str, str], **changes: object) -> LicenceClosed:
    digests = tuple(conceal(n, v, bytes(16))[0] for n, v in fields.items())
    fact = LicenceClosed(
        effective=T0.plus(76), licence=log.reference("licence"), number="LIC-1", concealed=digests
    )
    return msgspec.structs.replace(fact, **changes)


def with_closing(fields: dict[str, str], *, told: bool = True, **changes: object) -> Story:
    story = honest_story(Cast())
    make = item(lambda log: closing(log, fields, **changes), "operator-1")
    story.add(76, ("closing", make))
    if told:
        texts = [conceal(n, v, bytes(16))[1].text for n, v in fields.items()]
        story.disclosures["closing"] = texts
    return story


NOTHING = {"bound_low": "not measured", "bound_high": "not measured", "tiers": ""}


def test_closings_have_three_verdicts() -> None:
    """Said to be unmeasured: holds. Not disclosed: unverifiable. Figures that rest on no report: fails."""
    assert check(with_closing(NOTHING), Cast(), "closings").verdict == "holds"
    assert check(with_closing(NOTHING, told=False), Cast(), "closings").verdict == "unverifiable"
    made_up = check(with_closing({**NOTHING, "bound_high": "5"}), Cast(), "closings")
    assert made_up.verdict == "fails"
    assert "no usage report" in made_up.detail


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"checkpoints": ("e" * 64,)}, "did not record"),
        ({"usage": (Reference(log=factory.ORIGIN, leaf="e" * 64),)}, "no report of its licensee"),
    ],
)
def test_a_closing_that_names_what_is_not_there(changes: dict[str, Any], why: str) -> None:
    """Checkpoints that nobody recorded and reports that are none fail."""
    told = check(with_closing(NOTHING, **changes), Cast(), "closings")
    assert told.verdict == "fails"
    assert why in told.detail


def test_a_closing_over_a_live_lease() -> None:
    """Closed in the middle of a lease, it fails: the fold does not take it."""
    story = honest_story(Cast())
    make = item(lambda log: closing(log, NOTHING), "operator-1")
    story.insert_after("lease-2", "closing", make)
    story.disclosures["closing"] = [conceal(n, v, bytes(16))[1].text for n, v in NOTHING.items()]
    told = check(story, Cast(), "licences")
    assert told.verdict == "fails"
    assert "live leases" in told.detail
