"""A roll-up checked by an outsider: against the statement in the log, against itself, against the readings.

1. The document holds together. 2. Its digest, its fields and its licensee are those of a statement in the log, which
the last correction has not taken the place of. 3. Summed anew from readings, where those are at hand, it says the
same, and the readings are the files whose digest it names. What is not at hand is *unverifiable*, never passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.accounts.report_book import Reported, UsageBook
from sekisho.metering.accounts.roll_up import RollUp, evidence_digest, is_same_account, statement_of
from sekisho.model.statements import make_payload
from sekisho.model.wire import sha256_hex

__all__ = ["RollUpCheck", "check_against_log", "check_against_readings", "worst_of"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]


class RollUpCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One question about a roll-up, with its answer."""

    name: Literal["statement", "current", "figures", "evidence"]
    verdict: Verdict
    detail: str


def check_against_log(roll_up: RollUp, book: UsageBook | None) -> tuple[RollUpCheck, ...]:
    """Whether the log holds the statement of this very document, and whether it is the one that counts."""
    if book is None:
        why = "no log that you trust is at hand"
        return (
            RollUpCheck(name="statement", verdict="unverifiable", detail=why),
            RollUpCheck(name="current", verdict="unverifiable", detail=why),
        )
    digest = sha256_hex(make_payload(statement_of(roll_up)[0]))
    found = book.reports.get(digest)
    if found is None:
        why = f"no usage report of the log has the digest {digest[:16]} that this document gives"
        return (RollUpCheck(name="statement", verdict="fails", detail=why),)
    said = f"entry {found.index}: licensee, period, digests and all figures are this document's"
    return (RollUpCheck(name="statement", verdict="holds", detail=said), _current(found, book))


def _current(found: Reported, book: UsageBook) -> RollUpCheck:
    chain = book.chain(found.fact.licensee, found.fact.period)
    if found.corrected_by is not None:
        last = chain[-1]
        why = f"it was corrected; entry {last.index} ({last.digest[:16]}) counts"
        return RollUpCheck(name="current", verdict="fails", detail=why)
    corrected = f", after {len(chain) - 1} corrections" if len(chain) > 1 else ""
    return RollUpCheck(
        name="current", verdict="holds", detail=f"nothing corrected it so far{corrected}"
    )


def check_against_readings(
    roll_up: RollUp, summed: Sequence[RollUp] | None
) -> tuple[RollUpCheck, ...]:
    """Whether readings summed anew give the same account, and are the files that it rests on."""
    if summed is None:
        why = "the readings are not at hand"
        return (
            RollUpCheck(name="figures", verdict="unverifiable", detail=why),
            RollUpCheck(name="evidence", verdict="unverifiable", detail=why),
        )
    anew = next((one for one in summed if one.party == roll_up.party), None)
    if anew is None:
        return _compared(roll_up, None)
    return _compared(roll_up, anew)


def _compared(roll_up: RollUp, anew: RollUp | None) -> tuple[RollUpCheck, ...]:
    if anew is None:
        same = not roll_up.rows
        detail = "the readings hold nothing of this customer in this period"
        figures = RollUpCheck(name="figures", verdict="holds" if same else "fails", detail=detail)
        return (figures,)
    if not is_same_account(roll_up, anew):
        figures = RollUpCheck(name="figures", verdict="fails", detail=_difference(roll_up, anew))
    else:
        rows = f"{len(roll_up.rows)} jobs summed anew give the same figures"
        figures = RollUpCheck(name="figures", verdict="holds", detail=rows)
    if evidence_digest(roll_up.evidence) == evidence_digest(anew.evidence):
        said = RollUpCheck(
            name="evidence", verdict="holds", detail="the files are those that it names"
        )
    else:
        why = "the files have other names or bytes than those that it names: compacted since, or others"
        said = RollUpCheck(name="evidence", verdict="unverifiable", detail=why)
    return (figures, said)


def _difference(roll_up: RollUp, anew: RollUp) -> str:
    if roll_up.counting != anew.counting:
        return f"counted by {roll_up.counting!r}, summed anew by {anew.counting!r}"
    stated = {(row.site, row.job): row for row in roll_up.rows}
    found = {(row.site, row.job): row for row in anew.rows}
    for place in sorted({*stated, *found}):
        if stated.get(place) != found.get(place):
            before, after = (
                one[place].bound_high if place in one else "nothing" for one in (stated, found)
            )
            site, job = place
            return f"job {job} at {site or 'no site'}: stated {before}, summed anew {after} at most"
    return "the periods differ"


def worst_of(checks: Sequence[RollUpCheck]) -> Verdict:
    """Fails before unverifiable before holds."""
    found = {check.verdict for check in checks}
    if "fails" in found:
        return "fails"
    return "unverifiable" if "unverifiable" in found else "holds"
