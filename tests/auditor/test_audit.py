"""The audit as a whole: what holds, what cannot be told, what is taken on trust."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.auditor import CHECKS, Evidence, Trust, audit_bundle, check_names
from sekisho.auditor import audit as table
from sekisho.auditor.audit import Check
from sekisho.auditor.bundle import as_bundle
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import FindingRaised
from tests.factory_bundle import T0, Cast, Sealed, audit, check_of, honest_story, item, reseal, seal

ONE_OWNER = Cast(owners=("Operator", "Operator"))


@pytest.fixture(scope="module")
def honest() -> Sealed:
    """An honest bundle, sealed once for this module."""
    return seal(honest_story())


def test_an_honest_bundle_with_two_other_organisations_holds(honest: Sealed) -> None:
    """Every check of an honest regime holds where two other organisations witness it."""
    report = audit(honest)
    assert [check for check in report.checks if check.verdict != "holds"] == []
    assert report.verdict == "holds"


def test_every_check_of_the_contract_is_in_the_table() -> None:
    """The names that people script against are all there, each once."""
    expected = (
        "trust-root manifest log-tree checkpoint-signature witnessed time-marks charter signatures uniqueness "
        "registers orders-in-force order-scopes holds sealed packs decisions licences approvals leases receipts "
        "counters budgets closings deposits effects caps halts refusals appeals custody "
        "endorsements standings chip-tags irregularities balances "
        "usage-reports usage-evidence access weights-keys"
    )
    assert list(check_names()) == expected.split()


@pytest.mark.parametrize("owners", [("Operator", "Operator"), ("Operator", "Other"), ("A", "A")])
def test_witnesses_of_too_few_organisations_are_unverifiable_until_accepted_by_name(
    owners: tuple[str, str],
) -> None:
    """A charter of profile authority needs two other organisations; the caller may take it on trust, and it is said."""
    cast = Cast(owners=owners)
    sealed = seal(honest_story(cast), cast)
    report = audit(sealed)
    assert report.verdict == "unverifiable"
    assert [c.name for c in report.checks if c.verdict == "unverifiable"] == ["witnessed"]
    accepted = audit(sealed, accepted=("witnessed",))
    assert accepted.verdict == "holds"
    assert check_of(accepted, "witnessed").verdict == "unverifiable"
    assert any("witnessed" in limit and "on trust" in limit for limit in accepted.limits)


def test_a_failing_check_is_never_accepted(honest: Sealed) -> None:
    """Accepting a check by name does not help where it fails."""
    broken = msgspec.structs.replace(honest, files={**honest.files, "packs/more.yaml": b"x"})
    report = audit(broken, accepted=("manifest",))
    assert check_of(report, "manifest").verdict == "fails"
    assert report.verdict == "fails"


def test_an_unknown_check_to_accept_is_bad_input(honest: Sealed) -> None:
    """A misspelt name is refused, since it would be taken for an acceptance."""
    with pytest.raises(InvalidInput, match="there is no check 'witness'"):
        audit(honest, accepted=("witness",))


def test_without_a_trust_root_everything_signed_is_unverifiable(honest: Sealed) -> None:
    """A bundle cannot vouch for itself: only what needs no signature is still told."""
    report = audit_bundle(as_bundle(honest.files), Trust())
    assert report.verdict == "unverifiable"
    assert {c.name for c in report.checks if c.verdict == "holds"} == {"log-tree"}


def test_without_a_trust_root_tampering_still_fails(honest: Sealed) -> None:
    """A file that is not as listed fails whoever is trusted."""
    files = {**honest.files, "disclosures.json": b"{}"}
    report = audit_bundle(as_bundle(files), Trust())
    assert check_of(report, "manifest").verdict == "fails"
    assert report.verdict == "fails"


def test_the_root_comes_from_the_users_file_by_the_logs_origin(honest: Sealed) -> None:
    """Of several trusted regimes the one with this log's name is used."""
    other = msgspec.structs.replace(honest.root, log="other.example/log+00000000+AAAA")
    report = audit_bundle(as_bundle(honest.files), Trust(known=(honest.root, other)))
    assert report.verdict == "holds"
    assert audit_bundle(as_bundle(honest.files), Trust(known=(other,))).verdict == "unverifiable"


def test_a_policy_for_another_log_fails(honest: Sealed) -> None:
    """Whoever names a policy asked about that regime; evidence of another log does not answer."""
    other = msgspec.structs.replace(
        honest.root, log=honest.root.log.replace("log.example", "other.example")
    )
    assert check_of(audit(honest, root=other), "trust-root").verdict == "fails"


def test_an_undisclosed_allowance_is_unverifiable_never_zero() -> None:
    """Where nobody opens an amount, the books cannot be told."""
    story = honest_story()
    del story.disclosures["lease-2"]
    report = audit(seal(story))
    assert check_of(report, "budgets").verdict == "unverifiable"
    assert report.verdict == "unverifiable"


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("packs/loop-2026-1.yaml", "decisions"),
        ("hosts/host-1/requests.jsonl", "leases"),
        ("hosts/host-1/receipts.jsonl", "receipts"),
        ("disclosures.json", "budgets"),
    ],
)
def test_evidence_that_was_left_out_is_unverifiable(honest: Sealed, path: str, check: str) -> None:
    """A bundle that was honestly made without a file does not pass the check that needs it."""
    files = {name: data for name, data in honest.files.items() if name != path}
    report = audit(reseal(files))
    assert check_of(report, check).verdict == "unverifiable"
    assert report.verdict == "unverifiable"


def test_findings_are_limits_and_no_failure() -> None:
    """A finding that the regime raised itself is told among the limits."""
    story = honest_story()
    finding = FindingRaised(
        effective=T0.plus(5), finding="busy-without-lease", host="host-1", detail="1 core busy"
    )
    story.insert_after("beat-1", "finding", item(finding, "host-1"))
    report = audit(seal(story))
    assert report.verdict == "holds"
    assert any("busy-without-lease" in limit for limit in report.limits)


def test_a_verified_halt_of_an_emulated_device_holds_and_says_so() -> None:
    """The memory-fill answer is computed anew; that the device is emulated stays among the limits."""
    cast = Cast(emulated=True)
    report = audit(seal(honest_story(cast), cast))
    assert report.verdict == "holds"
    assert "verified" in check_of(report, "halts").detail
    assert any("emulated" in limit for limit in report.limits)


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), KeyError("x"), RecursionError("x")])
def test_a_check_that_breaks_on_hostile_bytes_fails(
    honest: Sealed, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A crash inside a check is that check's failure, never a pass."""

    def broken(_: Evidence) -> Outcome:
        raise error

    rows = tuple(Check("halts", broken) if c.name == "halts" else c for c in CHECKS)
    monkeypatch.setattr(table, "CHECKS", rows)
    report = audit(honest)
    assert check_of(report, "halts").verdict == "fails"
    assert report.verdict == "fails"


def test_a_log_that_cannot_be_read_fails_every_check_that_needs_it(honest: Sealed) -> None:
    """Without entries nothing is claimed about them."""
    files = {path: data for path, data in honest.files.items() if "entries" not in path}
    report = audit(reseal(files))
    failed = {check.name for check in report.checks if check.verdict == "fails"}
    assert failed == set(check_names()) - {"checkpoint-signature"}


def test_a_tally_says_three_problems_and_counts_the_rest() -> None:
    """A fault outweighs a gap, repeated words are said once, and long lists are cut."""
    tally = Tally()
    assert tally.outcome("seen").verdict == "holds"
    tally.gap("missing")
    assert tally.outcome("seen") == Outcome(verdict="unverifiable", detail="missing")
    tally.extend(["a", "a", "b", "c", "d"])
    assert tally.outcome("seen") == Outcome(verdict="fails", detail="a; b; c; and 1 more")


def test_a_file_that_no_check_reads_is_named_among_the_limits(honest: Sealed) -> None:
    """What the manifest lists and nobody looks into is not silently vouched for."""
    report = audit(reseal({**honest.files, "notes.txt": b"hello"}))
    assert report.verdict == "holds"
    assert any("notes.txt" in limit for limit in report.limits)
