from __future__ import annotations

import msgspec
import pytest

from sekisho.licensing import (
    ForeignLease,
    Grounds,
    LeaseReplayed,
    LicenceLedger,
    OlderHeads,
    StaleLease,
    accept_lease,
    decide_lease,
)
from sekisho.model.errors import SekishoError
from sekisho.model.statements import (
    LeaseGranted,
    LeaseRequested,
    OrderReference,
    Reference,
    RegisterHead,
)
from tests.factory import HEAD, NOW, ORDER, ORIGIN, lease_granted, lease_requested
from tests.licensing.ledgers import LICENCE_LEAF, issued, with_lease

PEAK = 10**9
REQUEST = lease_requested(licence=Reference(log=ORIGIN, leaf=LICENCE_LEAF))


def decided(
    request: LeaseRequested = REQUEST,
    ledger: LicenceLedger | None = None,
    *,
    after_s: float = 0,
    covered_by: tuple[OrderReference, ...] = (),
    peak: int = PEAK,
    max_lease_s: int = 86_400,
) -> tuple[int | None, float | None, str]:
    """Allowance, seconds until the end, and the reasons of a decision."""
    decision = decide_lease(
        request,
        ledger or issued(),
        Grounds(
            peak_flop_per_s=peak,
            covered_by=covered_by,
            max_lease_s=max_lease_s,
            now=NOW.plus(after_s),
        ),
    )
    if decision.term is None:
        return None, None, "; ".join(decision.reasons)
    return (
        decision.term.allowance_flop,
        decision.term.not_after.since(NOW.plus(after_s)),
        "; ".join(decision.reasons),
    )


def test_a_lease_is_peak_times_interval_and_grace() -> None:
    """Sixty seconds and two of grace at 10^9 FLOP/s."""
    assert decided() == (62 * PEAK, 60.0, "all conditions are met")


def test_a_lease_never_outlives_licence_charter_or_budget() -> None:
    """The end is the licence's where that is sooner, the interval the charter's, the allowance what is left."""
    assert decided(after_s=86_390)[1] == 10.0
    assert decided(max_lease_s=30)[:2] == (32 * PEAK, 30.0)
    assert decided(ledger=issued(budget_flop=str(5 * PEAK)))[0] == 5 * PEAK


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"host": "host-2"}, "does not name host host-2"),
        ({"number": 2}, "asks for lease 2, its last is 0"),
        ({"licence": Reference(log=ORIGIN, leaf="f" * 64)}, "no licence ffffffffffffffff"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(change: dict[str, object], reason: str) -> None:
    """Another host, a number that is not last + 1, an unknown licence."""
    assert reason in decided(msgspec.structs.replace(REQUEST, **change))[2]


def test_a_licence_outside_its_period_grants_nothing() -> None:
    """The period is half-open."""
    assert "is valid" in decided(after_s=86_400)[2]
    assert "is valid" in decided(after_s=-1)[2]
    assert decided(after_s=86_399)[0] is not None


def test_a_revoked_licence_grants_nothing() -> None:
    """The refusal says when it was revoked."""
    assert f"LIC-1 was revoked at {NOW}" in decided(ledger=issued(revoked=True))[2]


def test_an_order_in_force_is_a_refusal_that_names_it() -> None:
    """The issuer must not grant while an order covers the host."""
    assert decided(covered_by=(ORDER,))[2] == "order pause/JP 1 is in force and covers this host"


def test_all_reasons_are_given_at_once() -> None:
    """A person fixes everything in one go."""
    request = msgspec.structs.replace(REQUEST, host="host-2", number=7)
    reasons = decided(request, issued(revoked=True), after_s=86_400, covered_by=(ORDER,))[2]
    for part in ("revoked", "is valid", "does not name", "asks for lease 7", "order pause/JP 1"):
        assert part in reasons


def test_less_than_one_quantum_is_no_lease() -> None:
    """A quantum and its grace must fit what is available, to the FLOP."""
    assert decided(ledger=issued(budget_flop=str(4 * PEAK)))[0] == 4 * PEAK
    assert (
        "one quantum with its grace needs"
        in decided(ledger=issued(budget_flop=str(4 * PEAK - 1)))[2]
    )


def test_a_host_without_a_peak_gets_nothing() -> None:
    """Nothing could be reserved for it."""
    assert "has no peak" in decided(peak=0)[2]


def test_an_undisclosed_allowance_stops_the_granting() -> None:
    """What is left of the budget is unknown, and unknown is not enough."""
    ledger = with_lease(issued(), disclosures=())
    request = msgspec.structs.replace(REQUEST, number=2)
    assert "amounts of 1 leases are undisclosed" in decided(request, ledger)[2]


def test_leases_ahead_are_for_certified_counters_and_end_within_the_charters_longest() -> None:
    """C2: each begins where the last one ends, until 150 s from now; C0 gets a minute from now each time."""
    ledger = issued()
    ends = []
    for number in (1, 2):
        ledger = with_lease(ledger, number)  # each of them ends 60 s from NOW
        request = msgspec.structs.replace(REQUEST, number=number + 1)
        ends.append([ahead(request, ledger, tier, 150) for tier in ("C0", "C1", "C2")])
    assert ends == [[60, 60, 120], [60, 60, 120]]
    request = msgspec.structs.replace(REQUEST, number=3)
    assert ahead(request, ledger, "C2", 90) == 90
    for longest in (60, 61):
        assert ahead(request, ledger, "C2", longest) is None


def ahead(
    request: LeaseRequested, ledger: LicenceLedger, tier: str, max_lease_s: int
) -> float | None:
    """Seconds from NOW until the lease that a host of a tier gets beside those that it holds ends."""
    grounds = Grounds(
        peak_flop_per_s=PEAK, covered_by=(), max_lease_s=max_lease_s, now=NOW, tier=tier
    )
    decision = decide_lease(request, ledger, grounds)
    return None if decision.term is None else decision.term.not_after.since(NOW)


LEASE = lease_granted(heads=(HEAD,))


def accept(
    lease: LeaseGranted, *, known: tuple[RegisterHead, ...] = (HEAD,), later: float = 0
) -> None:
    """Accept as host-1 whose last lease was 0."""
    accept_lease(
        lease,
        host="host-1",
        last_number=0,
        nonce="ab" * 16,
        heads={head.register: head for head in known},
        latest=NOW.plus(later),
    )


def test_a_lease_that_answers_is_accepted() -> None:
    """Own host, last + 1, own nonce, heads not older; newer heads are no fault."""
    accept(LEASE)
    accept(LEASE, known=())
    accept(msgspec.structs.replace(LEASE, heads=(msgspec.structs.replace(HEAD, number=9),)))
    accept(LEASE, later=59.999)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"host": "host-2"}, ForeignLease, "for host host-2"),
        ({"number": 2}, LeaseReplayed, "does not follow"),
        ({"number": 0}, LeaseReplayed, "does not follow"),
        ({"nonce": "cd" * 16}, LeaseReplayed, "nonce"),
        ({"heads": ()}, OlderHeads, "at nothing, this host has seen 1"),
        ({"heads": (msgspec.structs.replace(HEAD, number=0),)}, OlderHeads, "at 0"),
        ({"heads": (msgspec.structs.replace(HEAD, register="hold/JP"),)}, OlderHeads, "nothing"),
        ({"heads": (msgspec.structs.replace(HEAD, digest="3" * 64),)}, OlderHeads, "another order"),
        ({"not_after": NOW}, StaleLease, "ended"),
    ],
)
def test_a_lease_that_must_not_be_taken_is_refused_by_name(
    change: dict[str, object], error: type[SekishoError], match: str
) -> None:
    """Each fault has its own error."""
    with pytest.raises(error, match=match):
        accept(msgspec.structs.replace(LEASE, **change))


def test_a_lease_ends_with_its_last_instant() -> None:
    """At not-after itself, by the latest clock, it has ended."""
    with pytest.raises(StaleLease):
        accept(LEASE, later=60)
