"""Checks of whose regime this is: trust root, charter, every signature, and that nothing is said twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import SekishoError
from sekisho.model.statements import (
    AppealDecided,
    AppealFiled,
    BalanceClosed,
    CharterAdopted,
    ChipRegistered,
    CustodyMoved,
    InventoryTaken,
    IrregularityFound,
    LeaseGranted,
    LicenceIssued,
    OrderIssued,
    OrderSealed,
    Predicate,
    ProductionReported,
    ReceiptGiven,
    RefusalRecorded,
    RunDeclared,
    parse_payload,
)
from sekisho.signing import Recorded, parse_envelope
from sekisho.signing.succession import log_key_of
from sekisho.signing.trust import log_keys_of

__all__ = ["check_charter", "check_signatures", "check_trust_root", "check_uniqueness"]


def check_trust_root(evidence: Evidence) -> Outcome:
    """The log and its first charter are those of a root that the verifier brought along."""
    root, tally = evidence.root, Tally()
    if root is None:
        tally.gap(
            f"no trust root for the log {evidence.origin or '(unnamed)'}: get one from somebody you trust, "
            "never from this bundle, and add it with: sekisho trust add"
        )
        return tally.outcome("")
    if root.origin != evidence.origin:
        tally.fault(f"this is the log {evidence.origin}, the trust root is for {root.origin}")
    first = _first_charter_digest(evidence)
    if first is None:
        tally.gap("the log holds no charter")
    elif first != root.charter_digest:
        tally.fault(
            f"forged-regime: the log's first charter is {first[:16]}, the trust root names {root.charter_digest[:16]}"
        )
    return tally.outcome(f"charter {root.charter_digest[:16]} of the log {root.origin}")


def check_charter(evidence: Evidence) -> Outcome:
    """Each version follows the one before with the old and the new quorum, in time, and speaks of this very log.

    The first names a log key that the trust root names; later ones may change it, by both quorums' word. One of them
    names the trust root's own.
    """
    root, history, tally = evidence.root, evidence.past(), Tally()
    known = {key.key_id for key in log_keys_of(root)} if root is not None else set()
    named = {terms.log.vkey for _, terms in history.facts(CharterAdopted)}
    for step in history.steps:
        if step.recorded is None and _kind_claimed(evidence, step.index) == "charter-adopted":
            tally.fault(step.fault)
    for step, terms in history.facts(CharterAdopted):
        if root is not None and (
            terms.log.origin != root.origin
            or root.log not in named
            or (terms.version == 1 and log_key_of(terms.log).key_id not in known)
        ):
            tally.fault(
                f"entry {step.index}: the charter names another log key than the trust root"
            )
        tally.extend(_check_amendment(history, step, terms))
        expected = _expected_version(step.regime.charter.terms if step.regime.charter else None)
        if terms.version != expected:
            tally.fault(
                f"entry {step.index}: charter version {terms.version} where {expected} is next"
            )
    if history.regime.charter is None:
        tally.gap("no charter is in force")
        return tally.outcome("")
    terms = history.regime.charter.terms
    unproved = _unproved_keys(history)
    drilled = f"; {unproved} of its keys unproved by drills for too long" if unproved else ""
    return tally.outcome(
        f"version {terms.version} of {terms.name!r}, profile {terms.profile}{drilled}"
    )


def check_signatures(evidence: Evidence) -> Outcome:
    """Every entry is a canonical statement, signed by keys that had the power at its place in the log."""
    history, tally = evidence.past(), Tally()
    tally.extend(step.fault for step in history.steps if step.fault)
    for doubt in history.regime.doubts:
        tally.gap(f"entry {doubt.index}: {doubt.kind} is in doubt: {doubt.reason}")
    return tally.outcome(f"{len(history.steps)} entries, each by the keys its kind asks for")


def check_uniqueness(evidence: Evidence) -> Outcome:
    """No payload stands twice, and no identifier that must be unique names two statements."""
    history, tally = evidence.past(), Tally()
    seen: dict[Hashable, int] = {}
    for step in history.steps:
        if step.recorded is None:
            continue
        for key in _unique_keys(step.recorded):
            if key in seen:
                tally.fault(
                    f"entry {step.index}: {' '.join(map(str, key))} stands in entry {seen[key]} already"
                )
            seen.setdefault(key, step.index)
    return tally.outcome(f"{len(seen)} identifiers, each once")


def _unique_keys(recorded: Recorded) -> Iterator[tuple[str | int, ...]]:
    fact = recorded.verified.predicate
    yield "payload", recorded.verified.digest
    if isinstance(fact, LicenceIssued):
        yield "licence", fact.number
    elif isinstance(fact, RunDeclared):
        yield "run", fact.run
    elif isinstance(fact, OrderIssued | OrderSealed):
        yield "order", fact.register, fact.number
    elif isinstance(fact, LeaseGranted):
        yield "lease", fact.host, fact.number
    elif isinstance(fact, ReceiptGiven):
        yield "receipt", fact.host, fact.sequence
    else:
        yield from _keys_of_orders(fact)
        yield from _keys_of_books(fact)


def _keys_of_orders(fact: Predicate) -> Iterator[tuple[str | int, ...]]:
    """Of what follows an order: steps against hosts, appeals."""
    if isinstance(fact, RefusalRecorded):
        yield "refusal", fact.order.digest, fact.host, fact.step
    elif isinstance(fact, AppealFiled):
        yield "appeal", fact.appeal
    elif isinstance(fact, AppealDecided):
        yield "appeal-decided", fact.filed.leaf


def _keys_of_books(fact: Predicate) -> Iterator[tuple[str | int, ...]]:
    """Of the register of chips: batches, tags, findings and reports."""
    if isinstance(fact, CustodyMoved):
        yield "batch", fact.batch
    elif isinstance(fact, ChipRegistered):
        for chip in fact.chips:
            yield "chip-serial", chip.serial
            if chip.device_key is not None:
                yield "device-key", chip.device_key
    elif isinstance(fact, IrregularityFound):
        yield "irregularity", fact.about
    elif isinstance(fact, InventoryTaken):
        yield "inventory", fact.party, fact.items
    elif isinstance(fact, BalanceClosed):
        yield "balance", fact.party, fact.report
    elif isinstance(fact, ProductionReported):
        yield "production", fact.party, fact.report


def _check_amendment(history: History, step: Step, terms: CharterAdopted) -> list[str]:
    """An expired charter takes no amendment; a recovery, which replaces keys only, it takes."""
    old, start = step.regime.charter, history.recorded_from(step.index)
    if old is None or terms.recovers is not None or start is None:
        return []
    if start < old.terms.expires:
        return []
    return [f"entry {step.index}: version {old.terms.version} had expired when it was amended"]


def _unproved_keys(history: History) -> int:
    """How many charter keys nobody drilled for too long, by the last instant that the witnesses signed."""
    newest = history.regime.newest_mark
    ends = [newest.at] if newest is not None else []
    ends += [history.final.time] if history.final is not None else []
    return len(history.regime.doubtful_keys(max(ends))) if ends else 0


def _expected_version(before: CharterAdopted | None) -> int:
    return 1 if before is None else before.version + 1


def _first_charter_digest(evidence: Evidence) -> str | None:
    """The digest of the first entry that calls itself a charter, whoever signed it."""
    for step in evidence.past().steps:
        if step.recorded is not None and isinstance(
            step.recorded.verified.predicate, CharterAdopted
        ):
            return step.recorded.verified.digest
        if step.recorded is None and _kind_claimed(evidence, step.index) == "charter-adopted":
            return parse_envelope(evidence.entry(step.index)).digest
    return None


def _kind_claimed(evidence: Evidence, index: int) -> str:
    """What an entry that nobody vouches for calls itself; nothing where it cannot be read."""
    try:
        return parse_payload(parse_envelope(evidence.entry(index)).payload).kind
    except SekishoError:
        return ""
