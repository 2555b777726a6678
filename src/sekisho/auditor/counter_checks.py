"""Checks of certified counters: a C2 host's quanta stand on its TPM's word, not on its own.

1. Each enrolment's tier is what its TPM's certificates carry, up to a root that the charter then in force names.
2. Each quantum of a host with a certified counter carries that counter, signed by the enrolled TPM, at the quantum
that the receipt names. 3. It answers a challenge that an issuer's own statements show: a lease in the log, or the
acknowledgement of an earlier receipt; never an older one than the quantum before. 4. Counter, resets and clock never
go back. Receipts that begin no quantum need no certificate (protocol section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.receipt_checks import ACKNOWLEDGEMENTS, RECEIPTS, links_of
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.inspection.tpm import (
    CertifiedReading,
    CounterMissing,
    OtherChallenge,
    check_tier,
    continue_from,
    verify_certified,
)
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    HostEnrolled,
    LeaseGranted,
    ReceiptAcknowledged,
    ReceiptGiven,
    TpmEnrolled,
)

__all__ = ["check_counters"]

IN_LOG = 0
"""A lease's challenge may be answered by any receipt; an acknowledgement's only by those after its own."""


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """One nonce that an issuer gave a host: when, and with the acknowledgement of which receipt."""

    given: Instant
    after: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the evidence shows of a host's challenges. `heard` are the receipts that were acknowledged."""

    challenges: Mapping[str, Challenge]
    heard: frozenset[str]
    error_s: int


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that stood: by which TPM, what it read, over which challenge (None: the evidence lacks it)."""

    tpm: TpmEnrolled
    reading: CertifiedReading
    challenge: Challenge | None


Enrolment = tuple[int, HostEnrolled]


def check_counters(evidence: Evidence) -> Outcome:
    """Each certified counter is read again from the TPM's own bytes, and each C2 enrolment up to a pinned root."""
    history, tally = evidence.past(), Tally()
    enrolments: dict[str, list[Enrolment]] = {}
    for step, fact in history.facts(HostEnrolled):
        enrolments.setdefault(fact.host, []).append((step.index, fact))
        _check_endorsed(step, fact, tally)
    certified = {
        host: known
        for host, known in enrolments.items()
        if any(fact.counter == "C2" for _, fact in known)
    }
    for step, lease in history.facts(LeaseGranted):
        if lease.host in certified and not evidence.has_paper(lease.host, RECEIPTS):
            tally.gap(f"entry {step.index}: the counters of {lease.host} are not in the evidence")
    count = 0
    for host, known in certified.items():
        if evidence.has_paper(host, RECEIPTS):
            count += _check_host(evidence, host, known, tally)
    return tally.outcome(f"{count} certified counters of {len(certified)} hosts read again")


def _check_endorsed(step: Step, fact: HostEnrolled, tally: Tally) -> None:
    try:
        check_tier(fact, step.regime.in_force().terms.tpm_roots)
    except SekishoError as error:
        tally.fault(f"entry {step.index}: host {fact.host}: {type(error).code}: {error.message}")


def _check_host(evidence: Evidence, host: str, known: Sequence[Enrolment], tally: Tally) -> int:
    """How many certificates of a host stood; what is wrong with the others goes to the tally."""
    history = evidence.past()
    shown = _shown(evidence, host)
    leases = {step.leaf: step.index for step, _ in history.facts(LeaseGranted)}
    links = sorted(links_of(evidence, host, RECEIPTS), key=lambda link: link.receipt.sequence)
    before: Before | None = None
    count, is_heard = 0, True
    for link in links:
        receipt = link.receipt
        if receipt.stage == "quantum":
            where = f"receipt {receipt.sequence} of {host}"
            try:
                tpms = _tpms_of(receipt, known, leases)
                if tpms:
                    before = _certificate(receipt, tpms, shown, before, is_heard=is_heard)
                    count += 1
                    if before.challenge is None:
                        tally.gap(f"{where}: the challenge that it answers is not in the evidence")
            except SekishoError as error:
                tally.fault(f"{where}: {type(error).code}: {error.message}")
        is_heard = is_heard and link.digest in shown.heard
    return count


def _tpms_of(
    receipt: ReceiptGiven, known: Sequence[Enrolment], leases: Mapping[str, int]
) -> list[TpmEnrolled]:
    """The TPMs that may speak for a quantum: of the enrolment under which its lease was granted, or of a later one.

    None for a quantum of a time when the host had no certified counter. Raises CounterMissing for one that names
    another tier than every enrolment that it can stand on.
    """
    granted = leases.get(receipt.spend.lease.leaf, 0) if receipt.spend is not None else 0
    older = [fact for index, fact in known if index < granted]
    standing = older[-1:] + [fact for index, fact in known if index >= granted]
    fitting = [fact for fact in standing if fact.counter == receipt.counter]
    if not fitting:
        tiers = ", ".join(dict.fromkeys(fact.counter for fact in standing))
        raise CounterMissing(f"it names the tier {receipt.counter}, enrolled is {tiers}")
    return [f.tpm for f in fitting if f.tpm is not None] if receipt.counter == "C2" else []


def _certificate(
    receipt: ReceiptGiven,
    tpms: Sequence[TpmEnrolled],
    shown: Shown,
    before: Before | None,
    *,
    is_heard: bool,
) -> Before:
    """The certificate of a quantum, read again. `is_heard`: every receipt before it was acknowledged, as shown.

    Where they were not, what the certificate answers may have been given with one of those. Raises what
    `verify_certified` and `continue_from` raise, and OtherChallenge.
    """
    certified = receipt.certified
    if certified is None:
        raise CounterMissing("it begins a quantum without its certified counter")
    tpm, reading = _read(receipt, tpms, certified.challenge)
    if before is not None and before.tpm == tpm:
        continue_from(before.reading, reading)
    challenge = shown.challenges.get(certified.challenge)
    if challenge is None and is_heard:
        raise OtherChallenge("its counter answers a challenge that no issuer gave this host")
    if challenge is not None and challenge.after >= receipt.sequence:
        raise OtherChallenge("its counter answers a challenge that came after it")
    last = before.challenge if before is not None else None
    if challenge is not None and last is not None and _is_older(challenge, last, shown.error_s):
        raise OtherChallenge("its counter answers an older challenge than the quantum before")
    return Before(tpm=tpm, reading=reading, challenge=challenge)


def _is_older(one: Challenge, other: Challenge, error_s: int) -> bool:
    """By the receipts that they were given after; where a lease brought one of them, by the issuers' clocks."""
    if IN_LOG not in (one.after, other.after):
        return one.after < other.after
    return one.given.plus(error_s) < other.given


def _read(
    receipt: ReceiptGiven, tpms: Sequence[TpmEnrolled], challenge: str
) -> tuple[TpmEnrolled, CertifiedReading]:
    """By the first of these TPMs that signed it; what the last one says against it where none did."""
    for tpm in tpms[:-1]:
        try:
            return tpm, verify_certified(receipt, tpm, challenge=challenge, quantum=receipt.quantum)
        except SekishoError:
            continue
    tpm = tpms[-1]
    return tpm, verify_certified(receipt, tpm, challenge=challenge, quantum=receipt.quantum)


def _shown(evidence: Evidence, host: str) -> Shown:
    history = evidence.past()
    papers = evidence.papers(host, ACKNOWLEDGEMENTS)
    facts = [paper.verified.predicate for paper in papers]
    heard = [fact for fact in facts if isinstance(fact, ReceiptAcknowledged) and fact.host == host]
    charter = history.regime.charter
    return Shown(
        challenges=dict(_challenges(history, host, heard)),
        heard=frozenset(fact.receipt for fact in heard),
        error_s=charter.terms.clock_error_s if charter is not None else 0,
    )


def _challenges(
    history: History, host: str, heard: Sequence[ReceiptAcknowledged]
) -> Iterator[tuple[str, Challenge]]:
    for _, lease in history.facts(LeaseGranted):
        if lease.host == host and lease.challenge is not None:
            yield lease.challenge, Challenge(given=lease.effective, after=IN_LOG)
    for fact in heard:
        if fact.challenge is not None:
            yield fact.challenge, Challenge(given=fact.effective, after=fact.sequence)
