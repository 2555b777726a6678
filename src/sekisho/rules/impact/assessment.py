"""What the rules mean for a company: asked of every pack that speaks, answered as scope, cost and contacts.

Steps: 1 keep the answers to questions that are open; 2 make the requests; 3 put each to every pack whose rules act on
such requests at that date; 4 write the lines of scope; 5 the verdict: affected where a line of law in force touches,
else unsure where one may, else not affected; 6 cost and contacts from the same lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import PackReference
from sekisho.model.wire import canonical, sha256_hex
from sekisho.rules.answer import Decision
from sekisho.rules.engine import decide
from sekisho.rules.impact.asking import Asking, Unasked, fitted, requests_of
from sekisho.rules.impact.compute import Computed, computed, text_of
from sekisho.rules.impact.contacts import Contact, contacts_for
from sekisho.rules.impact.cost import Cost, cost_of
from sekisho.rules.impact.missing import FindOut, find_out
from sekisho.rules.impact.numerals import format_exact
from sekisho.rules.impact.question import Answer
from sekisho.rules.impact.questions import open_questions
from sekisho.rules.impact.scope import (
    BINDING,
    Pair,
    Scope,
    acts_on,
    lines_of,
    silent_line,
    unasked_line,
    without_repeats,
)
from sekisho.rules.pack import Pack
from sekisho.rules.reliance import in_order
from sekisho.rules.requests import Request, RequestKind

__all__ = [
    "METHOD",
    "AskedOf",
    "Assumption",
    "Figures",
    "Impact",
    "ImpactVerdict",
    "assess",
    "result_digest",
    "rules_that",
]

ImpactVerdict: TypeAlias = Literal["not-affected", "affected", "unsure"]
METHOD: Final = "impact/1"
"""The questionnaire and its reading; a statement names it, so that another reading is not taken for a lie."""


class AskedOf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request that was put to the packs, and what each said. `variant`: at the bound, at the estimate, or plain."""

    role: str
    variant: Literal["plain", "bound", "estimate"] = "plain"
    request: Request
    decisions: tuple[Decision, ...]


class Assumption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that the answer rests on and nobody stated; words in the catalogue under `impact.assume.<id>`."""

    id: str
    mark: Literal["O", "R", "D"]
    values: Mapping[str, str] = {}


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """FLOP of the training run, decimal strings: the bound, and the estimate low, best, high with its utilisation."""

    bound: str
    estimate: tuple[str, str, str]
    utilisation: tuple[str, str, str]
    stated: bool


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, with everything that it rests on."""

    verdict: ImpactVerdict
    at: Instant
    figures: Figures | None
    scope: tuple[Scope, ...]
    cost: Cost
    contacts: tuple[Contact, ...]
    requests: tuple[AskedOf, ...]
    find_out: tuple[FindOut, ...]
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]
    packs: tuple[PackReference, ...]


def assess(answers: Mapping[str, Answer], packs: Iterable[Pack], at: Instant) -> Impact:
    """Put what the answers say to every pack that speaks, and say what it comes to.

    Packs that are no law (drafts, reforms, policies) are put beside it as what would be; they change no verdict.
    Raises InvalidInput where no pack is given, or two of one name.
    """
    opened = {question.id for question in open_questions(answers)}
    given = {name: answer for name, answer in answers.items() if name in opened}
    laws = sorted(packs, key=lambda pack: (pack.standing not in BINDING, pack.name))
    if not laws or len({pack.name for pack in laws}) < len(laws):
        raise InvalidInput(
            "the packs of an impact differ by name", path="pack", remedy="name each pack once"
        )
    asked, unasked = requests_of(given)
    decided = [_decided(one, laws, at) for one in asked]
    scope = _scope(laws, asked, decided, unasked, at)
    binding = [line for line in scope if line.standing in BINDING]
    figures = computed(given)
    return Impact(
        verdict=_verdict(binding),
        at=at,
        figures=_figures(figures) if figures is not None else None,
        scope=scope,
        cost=cost_of(binding, given),
        contacts=_contacts(binding, given),
        requests=tuple(decided),
        find_out=find_out(binding, given, laws),
        assumptions=tuple(_assumptions(given, figures)),
        warnings=in_order(answer.warnings for one in decided for answer in one.decisions),
        packs=tuple(pack.reference for pack in laws),
    )


def rules_that(impact: Impact, *touches: str) -> tuple[str, ...]:
    """The rules of law in force that touch so, as pack/rule, in order; a pack that could not be asked by its name."""
    found = {
        f"{line.pack}/{line.rule}" if line.rule else line.pack
        for line in impact.scope
        if line.standing in BINDING and line.touches in touches
    }
    return tuple(sorted(found))


def result_digest(impact: Impact) -> str:
    """SHA-256 of what the statement stands for: verdict, and of every request each pack's decision with its rules.

    Words, costs and contacts are left out, so that a better sentence does not make an old statement false.
    """
    decisions = [
        {
            "request": one.request.id,
            "variant": one.variant,
            "pack": answer.policy.sha256,
            "decision": answer.decision,
            "rules": sorted(rule.id for rule in answer.rules),
        }
        for one in impact.requests
        for answer in one.decisions
    ]
    said = {
        "method": METHOD,
        "at": str(impact.at),
        "verdict": impact.verdict,
        "touching": list(rules_that(impact, "yes")),
        "unsure": list(rules_that(impact, "unsure")),
        "decisions": decisions,
    }
    return sha256_hex(canonical(said))


def _verdict(lines: Sequence[Scope]) -> ImpactVerdict:
    """Missing evidence never passes: not affected only where no line touches and none is open, and law was asked."""
    touches = {line.touches for line in lines}
    if "yes" in touches:
        return "affected"
    return "unsure" if "unsure" in touches else "not-affected"


def _decided(asking: Asking, packs: Sequence[Pack], at: Instant) -> AskedOf:
    """What each pack says whose rules act on such a request; the others have nothing to say."""
    asked = [pack for pack in packs if acts_on(pack, asking.request.kind, at)]
    return AskedOf(
        role=asking.role,
        variant=asking.variant,
        request=asking.request,
        decisions=tuple(decide(fitted(asking.request, pack), pack, at) for pack in asked),
    )


def _scope(
    packs: Sequence[Pack],
    asked: Sequence[Asking],
    decided: Sequence[AskedOf],
    unasked: Sequence[Unasked],
    at: Instant,
) -> tuple[Scope, ...]:
    lines: list[Scope] = []
    for pack in packs:
        for role, kind in _roles(asked):
            lines += _lines_of_role(pack, role, kind, decided, at)
        for one in unasked:
            if acts_on(pack, one.kind, at, demanding=True):
                lines.append(unasked_line(pack, one.role, one.missing))
    kept = without_repeats(lines, packs)
    return tuple(sorted(kept, key=lambda line: _ORDER.index(line.touches)))


_ORDER: Final = ("yes", "unsure", "no", "not-in-force", "would")


def _roles(asked: Sequence[Asking]) -> list[tuple[str, RequestKind]]:
    return list(dict.fromkeys((one.role, one.request.kind) for one in asked))


def _lines_of_role(
    pack: Pack, role: str, kind: RequestKind, decided: Sequence[AskedOf], at: Instant
) -> tuple[Scope, ...]:
    """Nothing of a pack that never speaks about such requests; one line of one that does, but not on that date."""
    mine = [one for one in decided if one.role == role]
    if not any(kind in rule.kinds for rule in pack.rules):
        return ()
    if not acts_on(pack, kind, at, demanding=True) and not _permits(pack, mine):
        names = tuple(dict.fromkeys(one.request.id for one in mine))
        return (silent_line(pack, role, names, at),)
    return lines_of(pack, role, _pairs(pack, mine), at)


def _permits(pack: Pack, mine: Sequence[AskedOf]) -> bool:
    """Whether a rule that only permits bears on what was asked, and so gives its reason."""
    return any(
        answer.rules for one in mine for answer in one.decisions if answer.policy.name == pack.name
    )


def _pairs(pack: Pack, mine: Sequence[AskedOf]) -> list[Pair]:
    """Each request with the decision of this pack, at the bound and at the estimate."""
    found: dict[str, dict[str, tuple[Request, Decision]]] = {}
    for one in mine:
        answer = next(each for each in one.decisions if each.policy.name == pack.name)
        variants = found.setdefault(one.request.id, {})
        variants[one.variant] = (fitted(one.request, pack), answer)
    pairs = []
    for variants in found.values():
        bound = variants.get("bound") or variants["plain"]
        estimate = variants.get("estimate") or bound
        pairs.append(
            Pair(request=bound[0], at_estimate=estimate[0], bound=bound[1], estimate=estimate[1])
        )
    return pairs


def _contacts(lines: Sequence[Scope], given: Mapping[str, Answer]) -> tuple[Contact, ...]:
    regimes = [line.jurisdiction for line in lines if line.touches in ("yes", "unsure")]
    cloud = (text_of(given, "cloud") or "") if given.get("compute") == "cloud" else None
    return contacts_for(text_of(given, "country"), regimes, cloud)


def _figures(found: Computed) -> Figures:
    low, best, high = (str(flop) for flop in found.estimate)
    shares = tuple(format_exact(share) for share in found.utilisation)
    return Figures(
        bound=str(found.bound),
        estimate=(low, best, high),
        utilisation=(shares[0], shares[1], shares[2]),
        stated=found.stated,
    )


def _assumptions(given: Mapping[str, Answer], figures: Computed | None) -> Iterable[Assumption]:
    if figures is not None:
        yield Assumption(id="bound", mark="D")
        if not figures.stated:
            yield Assumption(id="utilisation", mark="O")
    if given.get("exports") is True:
        yield Assumption(id="no-exception", mark="O")
    if given.get("use") == "run":
        yield Assumption(id="inference", mark="O")
    if text_of(given, "revenue") is not None:
        yield Assumption(id="revenue", mark="O")
    if given.get("end_user_known") is True:
        yield Assumption(id="end-user", mark="O")
    if text_of(given, "country") is not None:
        yield Assumption(id="headquarters", mark="O")
    yield from (
        Assumption(id=name, mark=mark)
        for name, mark, question in _COST_ASSUMPTIONS
        if text_of(given, question) is None
    )


_COST_ASSUMPTIONS: Final[tuple[tuple[str, Literal["O", "R", "D"], str], ...]] = (
    ("wage", "O", "wage"),
    ("fees", "R", "fees"),
    ("margin", "O", "daily_margin"),
)
