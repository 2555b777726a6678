"""The statement of an impact: what is signed, and how anybody checks it offline (docs/adr/0021).

Checks, each holds, fails or is unverifiable: 1 signature, by the key that it carries; 2 signer, that this is the key
that the reader knows; 3 packs, every one at hand by its digest and no law in force left out; 4 answers, the very ones;
5 decision, made again with the same result; 6 validity, at the reader's instant. The worst of them is the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import ImpactAssessed, PackReference, parse_payload
from sekisho.rules.acting import is_acting
from sekisho.rules.impact.assessment import METHOD, Impact, assess, result_digest, rules_that
from sekisho.rules.impact.question import Answers
from sekisho.rules.impact.reading import answers_digest
from sekisho.rules.impact.scope import BINDING
from sekisho.rules.impact.shipped import laws_in_force
from sekisho.rules.pack import Dated, Definition, LicenceException, Pack, Parameter, PlaceSet, Rule
from sekisho.signing import Envelope, PublicKey, distinct_signers

__all__ = [
    "LONGEST_S",
    "Check",
    "CheckVerdict",
    "Checked",
    "Knowledge",
    "check_statement",
    "next_change",
    "state_impact",
]

LONGEST_S: Final = 183 * 86_400
"""No paper is good for longer: half a year, in which compute rules have changed more than once (O)."""
CheckVerdict: TypeAlias = Literal["holds", "fails", "unverifiable"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check; words under `impact.checked.<name>.<why>`, with `values` put in."""

    name: str
    verdict: CheckVerdict
    why: str
    values: Mapping[str, str] = {}


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a statement: the worst check."""

    verdict: CheckVerdict
    said: ImpactAssessed
    digest: str
    checks: tuple[Check, ...]


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader checks with. `laws` are all packs that the reader knows of; `find` gives one by reference."""

    now: Instant
    laws: tuple[Pack, ...]
    find: Callable[[PackReference], Pack | None]
    key: PublicKey | None = None
    answers: Answers | None = None


def state_impact(
    impact: Impact, answers: Answers, packs: Sequence[Pack], public: PublicKey
) -> ImpactAssessed:
    """The predicate that the company signs. Raises InvalidInput where the answers have no salt."""
    if not answers.salt:
        raise InvalidInput("has no salt", path="answers.salt", remedy="draw one before signing")
    given = answers.given
    name, number, country = (given.get(q) for q in ("name", "corporate_number", "country"))
    return ImpactAssessed(
        effective=impact.at,
        party=name if isinstance(name, str) else "",
        corporate_number=number if isinstance(number, str) else None,
        country=country if isinstance(country, str) else None,
        public=public.to_text(),
        verdict=impact.verdict,
        method=METHOD,
        packs=impact.packs,
        answers=answers_digest(answers),
        result=result_digest(impact),
        rules=rules_that(impact, "yes"),
        open=rules_that(impact, "unsure"),
        valid_until=next_change(packs, impact.at),
        known_until=_known_until(packs),
    )


def _known_until(packs: Iterable[Pack]) -> Instant | None:
    """The earliest end of what the packs of law say that they know."""
    ends = (
        pack.coverage.until
        for pack in packs
        if pack.standing in BINDING and pack.coverage is not None
    )
    return min((end for end in ends if end is not None), default=None)


def next_change(packs: Iterable[Pack], at: Instant) -> Instant:
    """The first instant after `at` at which a pack of law changes or ends, at most half a year away."""
    changes = (
        moment
        for pack in packs
        if pack.standing in BINDING
        for moment in _moments(pack)
        if at < moment
    )
    return min((*changes, at.plus(LONGEST_S)))


def check_statement(envelope: Envelope, known: Knowledge, *, path: str = "") -> Checked:
    """Every check of a statement. Raises InvalidInput where it is no statement of this kind."""
    statement = parse_payload(envelope.payload, path=path)
    said = statement.predicate
    if not isinstance(said, ImpactAssessed):
        raise InvalidInput(
            f"is a {statement.kind}", path=path, remedy="name a statement of kind impact-assessed"
        )
    packs = [_found(reference, known) for reference in said.packs]
    held = [pack for pack in packs if pack is not None]
    answers = _answers(said, known)
    whole = len(held) == len(packs)
    checks = (
        _signature(envelope, said),
        _signer(said, known),
        _packs(said, packs, known),
        answers,
        _decision(said, held if whole and answers.verdict == "holds" else None, known),
        _validity(said, known.now),
    )
    return Checked(verdict=_worst(checks), said=said, digest=statement.digest, checks=checks)


def _found(reference: PackReference, known: Knowledge) -> Pack | None:
    """The pack of that digest, if it also bears that name: another pack's digest under its name is not it."""
    pack = known.find(reference)
    return pack if pack is not None and pack.reference == reference else None


def _worst(checks: Sequence[Check]) -> CheckVerdict:
    verdicts = {check.verdict for check in checks}
    worst: tuple[CheckVerdict, ...] = ("fails", "unverifiable")
    return next((verdict for verdict in worst if verdict in verdicts), "holds")


def _signature(envelope: Envelope, said: ImpactAssessed) -> Check:
    own = PublicKey.from_text(said.public, path="public")
    made = distinct_signers(envelope, [own])
    verdict: CheckVerdict = "holds" if made else "fails"
    return Check(name="signature", verdict=verdict, why=verdict)


def _signer(said: ImpactAssessed, known: Knowledge) -> Check:
    if known.key is None:
        return Check(name="signer", verdict="unverifiable", why="unverifiable")
    is_same = known.key.to_text() == said.public
    verdict: CheckVerdict = "holds" if is_same else "fails"
    return Check(name="signer", verdict=verdict, why=verdict)


def _packs(said: ImpactAssessed, packs: Sequence[Pack | None], known: Knowledge) -> Check:
    absent = [
        f"{reference.name} {reference.version}"
        for reference, pack in zip(said.packs, packs, strict=True)
        if pack is None
    ]
    if absent:
        values = {"names": ", ".join(absent)}
        return Check(name="packs", verdict="unverifiable", why="unverifiable", values=values)
    named = {reference.name for reference in said.packs}
    left_out = [name for name in laws_in_force(known.laws, said.effective) if name not in named]
    if left_out:
        values = {"names": ", ".join(left_out)}
        return Check(name="packs", verdict="unverifiable", why="left-out", values=values)
    return Check(name="packs", verdict="holds", why="holds")


def _answers(said: ImpactAssessed, known: Knowledge) -> Check:
    if known.answers is None:
        return Check(name="answers", verdict="unverifiable", why="unverifiable")
    is_same = answers_digest(known.answers) == said.answers
    verdict: CheckVerdict = "holds" if is_same else "fails"
    return Check(name="answers", verdict=verdict, why=verdict)


def _decision(said: ImpactAssessed, packs: Sequence[Pack] | None, known: Knowledge) -> Check:
    """Decides and writes again, whatever the statement says of itself: every field is compared."""
    if said.method != METHOD:
        values = {"method": said.method}
        return Check(name="decision", verdict="unverifiable", why="method", values=values)
    if packs is None or known.answers is None:
        return Check(name="decision", verdict="unverifiable", why="unverifiable")
    again = assess(known.answers.given, packs, said.effective)
    values = {"verdict": again.verdict}
    if result_digest(again) != said.result or again.verdict != said.verdict:
        return Check(name="decision", verdict="fails", why="fails", values=values)
    other = _written_otherwise(said, again, packs, known.answers)
    if other:
        values = {"fields": ", ".join(other)}
        return Check(name="decision", verdict="fails", why="otherwise", values=values)
    return Check(name="decision", verdict="holds", why="holds", values=values)


def _written_otherwise(
    said: ImpactAssessed, again: Impact, packs: Sequence[Pack], answers: Answers
) -> list[str]:
    """The fields that are not as an honest signer writes them: whose they are, which rules, how long it is good."""
    if not answers.salt:
        return ["answers"]
    public = PublicKey.from_text(said.public, path="public")
    honest = state_impact(again, answers, packs, public)
    names = (field.name for field in msgspec.structs.fields(honest))
    return [name for name in names if getattr(honest, name) != getattr(said, name)]


def _validity(said: ImpactAssessed, now: Instant) -> Check:
    if said.effective > now:
        values = {"at": str(said.effective)}
        return Check(name="validity", verdict="unverifiable", why="future", values=values)
    if said.valid_until is None:
        return Check(name="validity", verdict="unverifiable", why="none")
    values = {"until": str(said.valid_until)}
    if said.valid_until > said.effective.plus(LONGEST_S):
        return Check(name="validity", verdict="fails", why="fails", values=values)
    verdict: CheckVerdict = "holds" if now < said.valid_until else "unverifiable"
    return Check(name="validity", verdict=verdict, why=verdict, values=values)


def _moments(pack: Pack) -> Iterator[Instant]:
    """When something that decides changes: a value, a set, a definition, a rule's or an exception's force."""
    for entries, told in _histories(pack):
        moments = {moment for entry in entries for moment in (entry.start, entry.end) if moment}
        yield from (moment for moment in moments if told(moment) != told(Instant(moment.us - 1)))
    if pack.coverage is not None and pack.coverage.until is not None:
        yield pack.coverage.until


def _histories(pack: Pack) -> Iterator[tuple[Sequence[Dated], Callable[[Instant], object]]]:
    """Each dated thing of a pack with what it comes to at an instant; who read it where changes no decision."""
    for parameter in pack.parameters.values():
        yield parameter.values, partial(_value, parameter)
    for places in pack.sets.values():
        yield places.versions, partial(_members, places)
    for definition in pack.definitions.values():
        yield definition.versions, partial(_condition, definition)
    ruled: tuple[Rule | LicenceException, ...] = (*pack.rules, *pack.exceptions)
    for rule in ruled:
        yield rule.statuses, partial(_acts, rule)


def _value(parameter: Parameter, at: Instant) -> object:
    dated = parameter.at(at)
    return dated.value if dated is not None else None


def _members(places: PlaceSet, at: Instant) -> object:
    dated = places.at(at)
    return dated.members if dated is not None else None


def _condition(definition: Definition, at: Instant) -> object:
    dated = definition.at(at)
    return dated.when if dated is not None else None


def _acts(rule: Rule | LicenceException, at: Instant) -> object:
    return is_acting(rule.status_at(at), "enforced")
