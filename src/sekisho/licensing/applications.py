"""Applications for a licence or an amendment, as the log tells them: filed, approved or refused, decided. A pure fold.

An approval is one officer's. What is counted are *holders*: the same person's second key says nothing new, and one
person is one organisation and holder as the charter names them, however spelt. A refusal stands beside the approvals
and decides nothing by itself: the licence's own quorum does, which sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    LicenceAmended,
    LicenceIssued,
    Reference,
)
from sekisho.signing import Charter, Recorded, same_organisation

__all__ = [
    "ApplicationBook",
    "ApplicationState",
    "Approval",
    "check_approvals",
    "is_same_holder",
    "one_a_holder",
    "what_is_missing",
]


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One officer's answer as the log has it: by which key, whose key that is, at which entry."""

    given: ApprovalGiven
    leaf: str
    digest: str
    index: int
    organisation: str
    holder: str


class ApplicationState(msgspec.Struct, frozen=True, kw_only=True):
    """One application: what was asked, every answer in the order of the log, and the entry that decided it."""

    filed: ApplicationFiled
    leaf: str
    digest: str
    index: int
    answers: tuple[Approval, ...] = ()
    decided: str | None = None
    decided_at: Instant | None = None

    @property
    def standing(self) -> tuple[Approval, ...]:
        """The answers that stand: of each key its newest."""
        return tuple({answer.given.key: answer for answer in self.answers}.values())

    @property
    def approvals(self) -> tuple[Approval, ...]:
        return tuple(a for a in self.standing if a.given.outcome == "approve")

    @property
    def refusals(self) -> tuple[Approval, ...]:
        return tuple(a for a in self.standing if a.given.outcome == "refuse")

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every condition under which somebody approved, once."""
        return tuple(dict.fromkeys(c for a in self.approvals for c in a.given.conditions))

    @property
    def is_refused(self) -> bool:
        """Somebody refuses it, and nobody has issued a licence all the same."""
        return bool(self.refusals) and self.decided is None


class ApplicationBook(msgspec.Struct, frozen=True, kw_only=True):
    """All applications by leaf digest, each one's leaf by its name, each answer's application by the answer's leaf."""

    applications: PersistentMap[str, ApplicationState] = PersistentMap()
    names: PersistentMap[str, str] = PersistentMap()
    approvals: PersistentMap[str, str] = PersistentMap()

    def after(self, recorded: Recorded, charter: Charter | None) -> ApplicationBook:
        """The book once a statement is in the log; `charter` is the one in force there.

        Raises StateConflict for a name that is taken, an answer to what is not filed, and one that comes after the
        decision.
        """
        fact = recorded.verified.predicate
        if isinstance(fact, ApplicationFiled):
            return self._filed(fact, recorded)
        if isinstance(fact, ApprovalGiven):
            return self._answered(fact, recorded, charter)
        if isinstance(fact, LicenceIssued | LicenceAmended) and fact.application is not None:
            return self._decided(fact.application, recorded, fact.effective)
        return self

    def find(self, name: str) -> ApplicationState | None:
        """An application by its name."""
        leaf = self.names.get(name)
        return None if leaf is None else self.applications[leaf]

    def by_reference(self, reference: Reference | None) -> ApplicationState | None:
        """An application by its leaf; None where the log holds none such."""
        return None if reference is None else self.applications.get(reference.leaf)

    def approval(self, reference: Reference) -> Approval | None:
        """An answer by its leaf; None where the log holds none such."""
        application = self.applications.get(self.approvals.get(reference.leaf, ""))
        answers = application.answers if application is not None else ()
        return next((a for a in answers if a.leaf == reference.leaf), None)

    def _with(self, state: ApplicationState) -> ApplicationBook:
        applications = self.applications.plus(state.leaf, state)
        return msgspec.structs.replace(self, applications=applications)

    def _filed(self, fact: ApplicationFiled, recorded: Recorded) -> ApplicationBook:
        if fact.application in self.names:
            raise StateConflict(
                f"application {fact.application} is filed already", remedy="take another name"
            )
        state = ApplicationState(
            filed=fact, leaf=recorded.leaf, digest=recorded.verified.digest, index=recorded.index
        )
        names = self.names.plus(fact.application, state.leaf)
        return msgspec.structs.replace(self._with(state), names=names)

    def _answered(
        self, fact: ApprovalGiven, recorded: Recorded, charter: Charter | None
    ) -> ApplicationBook:
        state = self.by_reference(fact.application)
        if state is None or state.filed.application != fact.number:
            raise StateConflict(f"no application {fact.number} is filed as this answer names it")
        if state.decided is not None:
            raise StateConflict(f"application {fact.number} is decided already")
        organisation, holder = (charter.holder_of(fact.key) if charter else None) or ("", "")
        answer = Approval(
            given=fact,
            leaf=recorded.leaf,
            digest=recorded.verified.digest,
            index=recorded.index,
            organisation=organisation,
            holder=holder,
        )
        answered = msgspec.structs.replace(state, answers=(*state.answers, answer))
        approvals = self.approvals.plus(answer.leaf, state.leaf)
        return msgspec.structs.replace(self._with(answered), approvals=approvals)

    def _decided(self, reference: Reference, recorded: Recorded, at: Instant) -> ApplicationBook:
        state = self.by_reference(reference)
        if state is None:
            return self  # who checks the licence says so: an unknown application is no fault of this book
        if state.decided is not None:
            raise StateConflict(
                f"application {state.filed.application} is decided already",
                remedy="file another one: an application is answered once",
            )
        decided = msgspec.structs.replace(state, decided=recorded.leaf, decided_at=at)
        return self._with(decided)


def is_same_holder(one: Approval, other: Approval) -> bool:
    """Whether two answers are one person's: organisation and holder alike, however spelt."""
    return same_organisation(one.organisation, other.organisation) and same_organisation(
        one.holder, other.holder
    )


def one_a_holder(answers: Iterable[Approval]) -> tuple[Approval, ...]:
    """Of each holder the first answer, whatever number of keys they hold."""
    found: list[Approval] = []
    for answer in answers:
        if not any(is_same_holder(answer, other) for other in found):
            found.append(answer)
    return tuple(found)


def check_approvals(
    application: ApplicationState | None,
    named: Sequence[Approval | None],
    *,
    asked: int,
    organisation: str,
    silenced: frozenset[str] = frozenset(),
) -> list[str]:
    """Why these approvals are not enough for a licence, in words; empty where they are.

    `named` are the answers that the licence names, None where the log holds none such; `asked` is the charter's
    number, `organisation` the licensee's, `silenced` are keys that were reported compromised. Where the charter asks
    for none, what is named must still be so.
    """
    if application is None:
        return [f"names no application in the log, the charter asks for {asked} approvals of one"]
    problems = []
    if any(a is None or a.given.application.leaf != application.leaf for a in named):
        problems.append(f"names an approval that is none of {application.filed.application}")
    known = [a for a in named if a is not None and a.given.application.leaf == application.leaf]
    if any(a not in application.approvals for a in known):
        problems.append("names an answer that is no approval, or was taken back by a later one")
    if any(same_organisation(a.organisation, organisation) for a in known):
        problems.append(f"was approved by a key of {organisation}, the licensee's own organisation")
    counted = [
        a
        for a in known
        if a in application.approvals
        and a.given.key not in silenced
        and not same_organisation(a.organisation, organisation)
    ]
    have = len(one_a_holder(counted))
    if have < asked:
        problems.append(f"has {have} approvals by distinct holders, the charter asks for {asked}")
    return problems


def what_is_missing(
    application: ApplicationState,
    *,
    asked: int,
    organisation: str,
    silenced: frozenset[str] = frozenset(),
) -> int:
    """How many more holders must approve before the application can be granted."""
    counted = [
        a
        for a in application.approvals
        if a.given.key not in silenced and not same_organisation(a.organisation, organisation)
    ]
    return max(0, asked - len(one_a_holder(counted)))
