"""Checks of deposits and erasures: what is concealed lies with whom the charter names, what is erased nowhere.

Whether a deposit's content is genuine, no outsider can tell: its holders can, k of them together.
"""

from __future__ import annotations

from sekisho.auditor.evidence import Evidence, read_disclosures
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import SekishoError
from sekisho.model.statements import DisclosureDeposited, DisclosureErased
from sekisho.signing import concealed_of
from sekisho.signing.deposit import Deposit, check_deposit
from sekisho.signing.deposit_book import DepositBook

__all__ = ["check_deposits"]


def check_deposits(evidence: Evidence) -> Outcome:
    """Every concealing statement has one deposit, sealed as the charter then asked; nothing erased is disclosed."""
    tally, book = Tally(), DepositBook()
    concealing: dict[str, tuple[int, str]] = {}
    for step in evidence.past().steps:
        if step.recorded is None:
            continue
        fact = step.recorded.verified.predicate
        if isinstance(fact, DisclosureDeposited):
            fault = _deposit_fault(
                fact, book, evidence.origin, is_known=fact.statement in concealing
            )
            if fault:
                tally.fault(f"entry {step.index}: {fault}")
        if isinstance(fact, DisclosureErased) and fact.statement not in concealing:
            tally.fault(f"entry {step.index}: erases what nobody stated before it")
        if concealed_of(fact):
            concealing[step.recorded.verified.digest] = (step.index, step.leaf)
        book = book.after(step.recorded)
    for digest in book.owed:
        tally.gap(f"entry {concealing[digest][0]}: what it conceals is not deposited")
    _check_erased(evidence, book, concealing, tally)
    if not book.holders and not book.deposited:
        return tally.outcome("the charter names no deposit keys")
    return tally.outcome(f"{len(book.deposited)} deposits for {len(book.holders)} holders")


def _deposit_fault(
    fact: DisclosureDeposited, book: DepositBook, origin: str, *, is_known: bool
) -> str:
    if not is_known:
        return "deposits for a statement that nobody made before it"
    if fact.statement in book.deposited or fact.statement in book.erased:
        return "deposits again what is deposited or erased"
    try:
        check_deposit(Deposit.from_fact(fact, origin), book.holders)
    except SekishoError as error:
        return f"{type(error).code}: {error.message}"
    return ""


def _check_erased(
    evidence: Evidence, book: DepositBook, concealing: dict[str, tuple[int, str]], tally: Tally
) -> None:
    disclosed = read_disclosures(evidence.bundle)
    for digest in book.erased:
        index, leaf = concealing.get(digest, (0, ""))
        if disclosed.get(leaf):
            tally.fault(f"entry {index}: is stated to be erased, and is disclosed here")
