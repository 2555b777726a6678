"""Appeals against orders: who filed what, what was decided, and which resume is due by when. A pure fold.

An appeal lifts nothing, and neither does one that is upheld: lifting is the resume's, under its own quorum. What an
upheld appeal does is to name the instant by which that resume is due, and after it everybody sees that it is overdue.
Source: protocol section 8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import AppealDecided, AppealFiled, OrderReference
from sekisho.signing.regime import Recorded

__all__ = [
    "Appeal",
    "AppealBook",
    "AppealStanding",
    "PartyUnderOrder",
    "check_decision",
    "standing_of_appeal",
]

AppealStanding: TypeAlias = Literal[
    "open", "dismissed", "withdrawn", "resume-due", "resume-overdue", "resumed"
]
"""`resume-due` and `resume-overdue` are upheld appeals whose order still stands, before and after `resume_by`."""
_UPHELD = ("upheld", "upheld-in-part")


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal with its entry in the log, and its decision once there is one."""

    filed: AppealFiled
    leaf: str
    index: int
    decided: AppealDecided | None = None
    decided_leaf: str = ""


class PartyUnderOrder(msgspec.Struct, frozen=True, kw_only=True):
    """In which ways an order touches a party: by licences that it holds, by hosts that its organisation runs."""

    licences: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def may_appeal(self) -> bool:
        return bool(self.licences or self.hosts)


class AppealBook(msgspec.Struct, frozen=True, kw_only=True):
    """All appeals by their names."""

    appeals: PersistentMap[str, Appeal] = PersistentMap()

    def after(self, recorded: Recorded) -> AppealBook:
        """The book once a statement is in the log.

        Raises StateConflict for a second appeal of one name, and for a decision
        of one that was not filed so or is decided.
        """
        fact = recorded.verified.predicate
        if isinstance(fact, AppealFiled):
            if fact.appeal in self.appeals:
                raise StateConflict(f"appeal {fact.appeal} is filed already")
            filed = Appeal(filed=fact, leaf=recorded.leaf, index=recorded.index)
            return AppealBook(appeals=self.appeals.plus(fact.appeal, filed))
        if isinstance(fact, AppealDecided):
            problems = check_decision(self, fact)
            if problems:
                raise StateConflict(f"appeal {fact.appeal}: {'; '.join(problems)}")
            decided = msgspec.structs.replace(
                self.appeals[fact.appeal], decided=fact, decided_leaf=recorded.leaf
            )
            return AppealBook(appeals=self.appeals.plus(fact.appeal, decided))
        return self

    def against(self, order: OrderReference) -> tuple[Appeal, ...]:
        """The appeals against one order, in the log's sequence."""
        return tuple(a for a in self.appeals.values() if a.filed.order.digest == order.digest)


def check_decision(book: AppealBook, fact: AppealDecided) -> list[str]:
    """Every rule that a decision breaks, in words; an empty list where it is sound."""
    appeal = book.appeals.get(fact.appeal)
    if appeal is None:
        return ["is not filed"]
    problems = []
    if appeal.decided is not None:
        problems.append(f"is {appeal.decided.outcome} already")
    if fact.filed.leaf != appeal.leaf or fact.order != appeal.filed.order:
        problems.append("was filed otherwise: another entry, or against another order")
    if fact.outcome in _UPHELD and fact.resume_by is None:
        problems.append("is upheld without saying by when the resume is due (resume_by)")
    if fact.outcome not in _UPHELD and fact.resume_by is not None:
        problems.append(f"is {fact.outcome} and names a resume all the same")
    if fact.resume_by is not None and fact.resume_by <= fact.effective:
        problems.append(f"the resume would be due at {fact.resume_by}, before the decision")
    return problems


def standing_of_appeal(
    appeal: Appeal, in_force: Iterable[OrderReference], at: Instant
) -> AppealStanding:
    """How an appeal stands at an instant; `in_force` are the orders in force then."""
    decided = appeal.decided
    if decided is None:
        return "open"
    if decided.outcome in ("dismissed", "withdrawn"):
        return decided.outcome
    if all(order.digest != decided.order.digest for order in in_force):
        return "resumed"
    overdue = decided.resume_by is not None and at >= decided.resume_by
    return "resume-overdue" if overdue else "resume-due"
