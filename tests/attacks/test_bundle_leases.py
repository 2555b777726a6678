"""Attacks on licences, leases, receipts and books by the operator, who can sign log, leases and bundle anew."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sekisho.auditor import CheckResult, Report
from sekisho.auditor.receipt_checks import following_quanta
from sekisho.licensing import Link
from sekisho.model.statements import (
    LeaseClosed,
    LeaseGranted,
    LicenceIssued,
    LicenceRevoked,
    Predicate,
    ReceiptGiven,
    Reference,
    Spend,
    parse_payload,
)
from sekisho.signing import Envelope, conceal
from tests import factory, factory_bundle
from tests.factory_bundle import (
    ALLOWANCE,
    PEAK,
    T0,
    Host,
    Item,
    LogSoFar,
    Story,
    audit,
    check_of,
    conceal_amount,
    heads,
    honest_story,
    reseal,
    seal,
)

RECEIPTS = "hosts/host-1/receipts.jsonl"
ACKNOWLEDGEMENTS = "hosts/host-1/acknowledgements.jsonl"


def report(story: Story) -> Report:
    """The report on a story."""
    return audit(seal(story))


def check(story: Story, name: str) -> CheckResult:
    """What one check says of a story that must fail."""
    told = report(story)
    assert told.verdict == "fails"
    return check_of(told, name)


def changed(story: Story, name: str, *signers: str, **fields: object) -> None:
    """Replace fields of an item's statement; whoever signs it signs the new one."""
    make = next(make for _, items in story.batches for known, make in items if known == name)

    def again(log: LogSoFar) -> Envelope:
        fact = parse_payload(make(log).payload).predicate
        return factory.signed(msgspec.structs.replace(fact, **fields), *log.cast.signers(*signers))

    story.replace(name, again)


def stated(predicate: Callable[[LogSoFar], Predicate], *signers: str) -> Item:
    """An item made from the log as it stands."""
    return factory_bundle.item(predicate, *signers)


# --- leases -----------------------------------------------------------------------------------------


def test_a_lease_granted_while_an_order_covers_the_host_fails() -> None:
    """The issuer must not grant under a pause in force, under whatever heads."""
    story = honest_story()

    def grant(log: LogSoFar) -> Predicate:
        return LeaseGranted(
            effective=T0.plus(21.5),
            licence=log.reference("licence"),
            host="host-1",
            number=2,
            not_after=T0.plus(60),
            nonce="00" * 32,
            request="00" * 32,
            heads=heads(log, "pause-1"),
        )

    story.insert_after("beat-2", "covered", stated(grant, "operator-1"))
    assert "while order pause/JP 1 covered it" in check(story, "leases").detail


@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_lease_that_is_not_last_plus_one_fails(number: int) -> None:
    """Host and auditor take exactly the next number."""
    story = honest_story()
    changed(story, "lease-2", "operator-1", number=number)
    assert "wrong-lease-number" in check(story, "leases").detail


def test_a_lease_of_a_revoked_licence_fails() -> None:
    """After the revocation is in the log, nothing is leased under that licence."""
    story = honest_story()

    def revoke(log: LogSoFar) -> Predicate:
        return LicenceRevoked(
            effective=T0.plus(43), licence=log.reference("licence"), number="LIC-1", reason="test"
        )

    story.insert_after("beat-3", "revoked", stated(revoke, "authority-1", "authority-2"))
    assert "was revoked" in check(story, "leases").detail


@pytest.mark.parametrize("orders", [(), ("pause-1",)])
def test_a_lease_under_older_heads_fails(orders: tuple[str, ...]) -> None:
    """Heads behind the registers hide an order from the host."""
    story = honest_story()
    make = next(m for _, items in story.batches for n, m in items if n == "lease-2")

    def older(log: LogSoFar) -> Predicate:
        fact = parse_payload(make(log).payload).predicate
        return msgspec.structs.replace(fact, heads=heads(log, *orders))

    story.replace("lease-2", stated(older, "operator-1"))
    assert "was granted under" in check(story, "leases").detail


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"nonce": "11" * 32}, "does not answer"),
        ({"not_after": T0.plus(55 + 3_600)}, "runs longer"),
        ({"not_after": T0.plus(10**6)}, "outside the period"),
        ({"host": "host-9"}, "does not hold"),
        ({"effective": T0.plus(3_000), "not_after": T0.plus(3_060)}, "is dated"),
    ],
    ids=["another nonce", "too long", "past the licence", "for another host", "from the future"],
)
def test_a_lease_that_its_host_could_not_take_fails(fields: dict[str, object], word: str) -> None:
    """Nonce, length, period, host and date are held against request, licence, charter and marks."""
    story = honest_story()
    changed(story, "lease-2", "operator-1", **fields)
    assert word in check(story, "leases").detail


def test_a_lease_without_its_request_is_unverifiable() -> None:
    """That the host asked is known only from its own signature."""
    story = honest_story()
    story.papers["hosts/host-1/requests.jsonl"].pop()
    told = report(story)
    assert check_of(told, "leases").verdict == "unverifiable"
    assert told.verdict == "unverifiable"


def test_a_request_signed_by_the_operator_fails() -> None:
    """The operator cannot ask in the host's name."""
    story = honest_story()
    lines = story.papers["hosts/host-1/requests.jsonl"]
    fact = parse_payload(factory_bundle.parse(lines[0]).payload).predicate
    lines[0] = factory.signed(fact, factory.OPERATOR).raw
    found = check(story, "leases")
    assert "requests.jsonl:1" in found.detail


# --- licences and decisions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("planned", "word"), [(2 * 10**24, "the rules say deny"), (10**23, "give licence")]
)
def test_a_licence_that_the_rules_do_not_give_fails(planned: int, word: str) -> None:
    """The decision is taken again: a prohibited run, and one that is said to need nothing."""
    assert word in check(honest_story(planned=planned), "decisions").detail


def test_a_licence_by_other_pack_bytes_fails() -> None:
    """The pack in the bundle must be the very bytes that were published."""
    sealed = seal(honest_story())
    path = "packs/loop-2026-1.yaml"
    told = audit(reseal({**sealed.files, path: sealed.files[path] + b"\n"}))
    assert path in check_of(told, "decisions").detail


def test_a_licence_by_an_unpublished_pack_fails() -> None:
    """A decision rests on bytes that anybody can get."""
    story = honest_story()
    story.drop("pack")
    assert "was not published" in check(story, "decisions").detail


@pytest.mark.parametrize(
    "fields",
    [
        {"licensee": "party-2"},
        {"run": "run-2"},
        {"devices": 2},
        {"devices_root": "ab" * 32},
        {"sites": ("site-2",)},
        {"hosts": ("host-1", "host-2")},
        {"declaration": Reference(log=factory.ORIGIN, leaf="ab" * 32)},
        {"budget_flop": str(10**12 + 1)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_licence_for_something_else_than_declared_fails(fields: dict[str, object]) -> None:
    """Party, run, devices, sites, hosts, declaration and the FLOP that were judged."""
    story = honest_story()
    changed(story, "licence", "authority-1", "authority-2", **fields)
    assert check(story, "licences").verdict == "fails"


def test_a_second_licence_that_lifts_the_run_over_what_was_judged_fails() -> None:
    """Two licences of one run count together."""
    story = honest_story()

    def second(log: LogSoFar) -> Predicate:
        fact = parse_payload(log.named["licence"].payload).predicate
        assert isinstance(fact, LicenceIssued)
        return msgspec.structs.replace(fact, number="LIC-2", budget_flop="1")

    story.insert_after("beat-1", "licence-2", stated(second, "authority-1", "authority-2"))
    assert "licenses more" in check(story, "licences").detail


def test_a_licence_number_used_twice_fails() -> None:
    """One number is one licence."""
    story = honest_story()

    def second(log: LogSoFar) -> Predicate:
        fact = parse_payload(log.named["licence"].payload).predicate
        return msgspec.structs.replace(fact, effective=T0.plus(5))

    story.insert_after("beat-1", "again", stated(second, "authority-1", "authority-2"))
    told = report(story)
    assert check_of(told, "uniqueness").verdict == "fails"
    assert check_of(told, "licences").verdict == "fails"


# --- books ------------------------------------------------------------------------------------------


def test_leases_above_the_budget_fail() -> None:
    """An allowance that the budget never held is found once it is disclosed."""
    assert "does not fit" in check(honest_story(budget=ALLOWANCE - 1), "budgets").detail


def test_a_reservation_above_the_allowance_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host may reserve what its lease allows and no FLOP more."""
    monkeypatch.setattr(factory_bundle, "RESERVE", ALLOWANCE + 1)
    assert "allowed" in check(honest_story(), "budgets").detail


def test_a_reservation_of_exactly_the_allowance_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound belongs to the allowance: the last receipt of lease 1 is at 2e9 + the reservation."""
    monkeypatch.setattr(factory_bundle, "RESERVE", ALLOWANCE - 2 * PEAK)
    assert report(honest_story()).verdict == "holds"


def test_a_forged_disclosure_fails() -> None:
    """A value that no digest of the statement stands for."""
    story = honest_story()
    _, forged = conceal("allowance_flop", "1", bytes(16))
    story.disclosures["lease-1"] = [forged.text]
    assert "forged-disclosure" in check(story, "budgets").detail


def test_a_disclosure_for_no_entry_fails() -> None:
    """What is disclosed stands in this log."""
    sealed = seal(honest_story())
    files = {**sealed.files, "disclosures.json": b'{"' + b"ab" * 32 + b'":[]}'}
    told = audit(reseal(files))
    assert "no entry of this log" in check_of(told, "budgets").detail


def test_a_closing_that_says_less_than_the_final_receipt_fails() -> None:
    """The host's signature binds the books, not the issuer's word."""
    story = honest_story()
    concealed = conceal_amount(story, "closed-1", "consumed_flop", 1)
    changed(story, "closed-1", "operator-1", concealed=concealed)
    assert "its final receipt says" in check(story, "budgets").detail


def test_a_lease_forfeited_before_its_time_fails() -> None:
    """Forfeiting closes a lease only after its end, grace and clock error."""
    story = honest_story()
    changed(story, "closed-2", "operator-1", how="forfeited", receipt=None)
    assert "before its grace was over" in check(story, "budgets").detail


def test_a_lease_closed_twice_fails() -> None:
    """A closed lease returns nothing a second time."""
    story = honest_story()

    def again(log: LogSoFar) -> Predicate:
        fact = parse_payload(log.named["closed-1"].payload).predicate
        assert isinstance(fact, LeaseClosed)
        return msgspec.structs.replace(fact, effective=T0.plus(54))

    story.insert_after("closed-1", "again", stated(again, "operator-1"))
    assert "is not open" in check(story, "budgets").detail


# --- receipts ---------------------------------------------------------------------------------------


def another(line: bytes, **fields: object) -> bytes:
    """A receipt of the story with other fields, signed by its host."""
    fact = parse_payload(factory_bundle.parse(line).payload).predicate
    return factory.signed(msgspec.structs.replace(fact, **fields), factory.HOST).raw


def test_a_receipt_fork_fails() -> None:
    """Two receipts of one number, both by the host's key: it exists twice or was rolled back."""
    story = honest_story()
    lines = story.papers[RECEIPTS]
    lines.append(another(lines[1], means="the other branch"))
    assert "receipt-fork" in check(story, "receipts").detail


def test_a_fork_that_the_operator_kept_as_evidence_fails() -> None:
    """The branch beside the chain is counted and shown."""
    story = honest_story()
    fork = another(story.papers[RECEIPTS][1], means="the other branch")
    story.papers["hosts/host-1/forks.jsonl"] = [fork]
    assert "receipt-fork" in check(story, "receipts").detail


@pytest.mark.parametrize("place", range(10))
def test_a_receipt_taken_out_of_the_chain_fails(place: int) -> None:
    """Whichever receipt is withheld, the next one, the log, a closing or an acknowledgement names it."""
    story = honest_story()
    assert len(story.papers[RECEIPTS]) == 10
    del story.papers[RECEIPTS][place]
    assert check(story, "receipts").verdict == "fails"


def test_receipts_cut_off_at_the_end_fail() -> None:
    """The last receipts are named by the closing and by their acknowledgements."""
    story = honest_story()
    del story.papers[RECEIPTS][8:]
    assert "not in the chain" in check(story, "receipts").detail


def test_a_receipt_signed_by_the_operator_fails() -> None:
    """The operator cannot speak for a host."""
    story = honest_story()
    lines = story.papers[RECEIPTS]
    fact = parse_payload(factory_bundle.parse(lines[0]).payload).predicate
    lines[0] = factory.signed(fact, factory.OPERATOR).raw
    assert "receipts.jsonl:1" in check(story, "receipts").detail


def test_a_quantum_begun_without_the_acknowledgement_of_the_one_before_fails() -> None:
    """On the tiers C0 and C1 work is online-only."""
    story = honest_story()
    del story.papers[ACKNOWLEDGEMENTS][0]
    assert "nobody acknowledged receipt 1" in check(story, "receipts").detail


def quantum(sequence: int, lease: str) -> Link:
    """A link of a chain: one quantum under a lease."""
    spend = Spend(
        lease=Reference(log="log.example", leaf=lease * 64),
        lease_number=1,
        reserved_flop="1",
        bound_flop="1",
    )
    receipt = factory.receipt_given(sequence, spend=spend)
    return Link(digest=f"{sequence:064x}", receipt=receipt)


@pytest.mark.parametrize(
    ("leases", "pairs"),
    [("aab", [(1, 2)]), ("abab", [(1, 3), (2, 4)]), ("ab", [])],
    ids=["a fresh lease", "two leases in turn", "two leases"],
)
def test_quanta_of_leases_in_turn_are_each_held_to_their_own(
    leases: str, pairs: list[tuple[int, int]]
) -> None:
    """A fresh lease is the issuer's word; with two in hand nobody skips an acknowledgement of either."""
    links = [quantum(number, lease) for number, lease in enumerate(leases, 1)]
    found = [(a.receipt.sequence, b.receipt.sequence) for a, b in following_quanta(links)]
    assert found == pairs


def test_an_acknowledgement_of_another_receipt_fails() -> None:
    """The issuer acknowledged a receipt that the chain does not have: one was exchanged later."""
    story = honest_story()
    lines = story.papers[ACKNOWLEDGEMENTS]
    fact = parse_payload(factory_bundle.parse(lines[2]).payload).predicate
    other = msgspec.structs.replace(fact, receipt="ab" * 32)
    lines[2] = factory.signed(other, factory.OPERATOR).raw
    assert "not in the chain" in check(story, "receipts").detail


def late_quantum(host: Host, lease: Reference) -> None:
    """A quantum after the end of its lease."""
    host.receipt("quantum", 80, spend=host.spend(lease, 1, PEAK))


def quantum_again(host: Host, lease: Reference) -> None:
    """A quantum that was begun before."""
    host.quantum -= 1
    host.receipt("quantum", 40, spend=host.spend(lease, 1, PEAK))


def quantum_while_halted(host: Host, lease: Reference) -> None:
    """A quantum between halt and resume."""
    host.receipt("quantum", 40, spend=host.spend(lease, 1, PEAK))


def another_tier(host: Host, lease: Reference) -> None:
    """A receipt under a better counter than enrolled."""
    fact = ReceiptGiven(
        effective=T0.plus(40),
        host="host-1",
        sequence=len(host.links) + 1,
        previous=host.last,
        stage="refused",
        counter="C2",
        quantum=host.quantum,
        state="none",
    )
    envelope = factory.signed(fact, factory.HOST)
    host.links.append(envelope)
    host._story.papers[RECEIPTS].append(envelope.raw)


@pytest.mark.parametrize(
    ("sneak", "name", "word"),
    [
        (late_quantum, "receipts", "after its lease ended"),
        (quantum_again, "receipts", "begins quantum 2 again"),
        (another_tier, "receipts", "names the tier C2"),
        (quantum_while_halted, "effects", "before it held the resume"),
    ],
)
def test_a_host_that_works_when_it_must_not_shows_in_its_own_receipts(
    sneak: Callable[[Host, Reference], None], name: str, word: str
) -> None:
    """After the lease's end, a quantum twice, under a better tier than enrolled, or after its halt."""
    assert word in check(honest_story(sneak=sneak), name).detail


def test_work_after_a_halt_without_any_resume_fails() -> None:
    """No resume in the log lifts the order: nothing releases the run."""
    story = honest_story()
    changed(story, "resume-1", *factory_bundle.QUORUM, lifts=())
    assert "no resume lifts" in check(story, "effects").detail
