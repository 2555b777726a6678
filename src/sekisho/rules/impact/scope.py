"""Which rules touch the company, which do not and by what factor, which nobody can tell yet.

Of one thing that the company does the decisions at the bound and at the estimate become lines: a rule that holds at
the estimate touches; one that holds at the bound alone is unsure; where none bears, the pack's nearest rule says how
far off it is. Packs that are no law yet (drafts, reforms, policies) never change the verdict: their lines say `would`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules.acting import is_acting, is_before, would_act
from sekisho.rules.answer import AppliedRule, Decision
from sekisho.rules.impact.nearest import nearest_rule, same_limb
from sekisho.rules.impact.numerals import format_exact, read_threshold
from sekisho.rules.pack import Duty, Pack
from sekisho.rules.requests import Request, RequestKind

__all__ = [
    "BINDING",
    "Pair",
    "Scope",
    "Touch",
    "acts_on",
    "lines_of",
    "share_of",
    "silent_line",
    "unasked_line",
    "without_repeats",
]

Touch: TypeAlias = Literal["yes", "no", "unsure", "not-in-force", "would"]
BINDING: Final = frozenset({"law", "order"})
_DEMANDS: Final = frozenset({"report", "licence", "deny"})


class Scope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one rule, or where none bears one pack by its nearest rule, stands to one thing that the company does.

    `touches`: yes, no, unsure, not-in-force (no rule of the pack acts on that date), would (what is no law yet would).
    `figure` is what was compared at the estimate, `bound` at the bound where it differs; `share` and `bound_share` are
    they over the threshold. All are decimal strings in `unit`. `missing` are the facts that would settle it. `because`
    says why a rule does not touch: below the threshold, another place, another condition, a licence exception.
    """

    touches: Touch
    role: str
    requests: tuple[str, ...]
    pack: str
    title: str
    title_ja: str = ""
    standing: str
    jurisdiction: str = ""
    rule: str = ""
    cite: str = ""
    outcome: str = ""
    quantity: str = ""
    figure: str = ""
    bound: str = ""
    op: str = ""
    threshold: str = ""
    unit: str = ""
    share: str = ""
    bound_share: str = ""
    source: str = ""
    mark: str = ""
    duty: str = ""
    duty_ja: str = ""
    duties: tuple[Duty, ...] = ()
    missing: tuple[str, ...] = ()
    because: Literal[
        "", "below", "elsewhere", "condition", "exception", "permitted", "not-enforced"
    ] = ""
    exceptions: tuple[str, ...] = ()
    only_at_bound: bool = False


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One request at the bound and at the estimate, as decided; the same twice where nothing is estimated."""

    request: Request
    at_estimate: Request
    estimate: Decision
    bound: Decision


def acts_on(pack: Pack, kind: RequestKind, at: Instant, *, demanding: bool = False) -> bool:
    """Whether some rule of the pack about such requests acts on that date; `demanding`, one that does not permit."""
    return not is_before(pack.coverage, at) and any(
        kind in rule.kinds
        and is_acting(rule.status_at(at), "enforced")
        and not (demanding and rule.outcome == "permit")
        for rule in pack.rules
    )


def lines_of(pack: Pack, role: str, pairs: Sequence[Pair], at: Instant) -> tuple[Scope, ...]:
    """The lines of one pack about one thing that the company does, the same rule once for all requests."""
    found: dict[tuple[str, str], Scope] = {}
    for pair in pairs:
        bearing = _lines(pack, role, pair) or [_nearest(pack, role, pair, at)]
        for line in (*bearing, *_unenforced(pack, role, pair, at)):
            key = (line.touches, line.rule)
            seen = found.get(key)
            found[key] = line if seen is None else _joined(seen, line)
    return tuple(found.values())


def silent_line(pack: Pack, role: str, requests: tuple[str, ...], at: Instant) -> Scope:
    """A pack none of whose rules acts: not in force; before the law that it knows begins, nobody can tell."""
    line = _blank(pack, role, requests, "not-in-force")
    if not is_before(pack.coverage, at):
        return line
    missing = (f"{pack.name} before its first day",)
    return msgspec.structs.replace(line, touches=_bound_to(pack, "unsure"), missing=missing)


def unasked_line(pack: Pack, role: str, missing: tuple[str, ...]) -> Scope:
    """What could not even be asked is unsure."""
    line = _blank(pack, role, (), _bound_to(pack, "unsure"))
    return msgspec.structs.replace(line, missing=missing)


def without_repeats(lines: Sequence[Scope], packs: Sequence[Pack]) -> list[Scope]:
    """A reform that is laid over a pack repeats its rules: only what it would change is kept."""
    bases = {pack.name: {under.name for under in pack.over} for pack in packs}
    said = {(line.pack, line.role, line.rule, line.touches in _OPEN) for line in lines}
    return [
        line
        for line in lines
        if not any(
            (base, line.role, line.rule, line.touches in _OPEN) in said
            for base in bases.get(line.pack, ())
        )
    ]


_OPEN: Final = frozenset({"yes", "unsure", "would"})


def _bound_to(pack: Pack, touch: Touch) -> Touch:
    """What is no law yet touches nobody: it would."""
    return touch if pack.standing in BINDING or touch in ("no", "not-in-force") else "would"


def _blank(pack: Pack, role: str, requests: tuple[str, ...], touches: Touch) -> Scope:
    return Scope(
        touches=touches,
        role=role,
        requests=requests,
        pack=pack.name,
        title=pack.title,
        title_ja=pack.title_ja,
        standing=pack.standing,
        jurisdiction=pack.jurisdiction,
    )


def _joined(first: Scope, second: Scope) -> Scope:
    """One line for two requests: of two amounts the one that is nearer to the threshold or further above it."""
    larger = max((first, second), key=lambda line: _ratio(line.bound_share or line.share))
    return msgspec.structs.replace(
        larger,
        requests=first.requests + second.requests,
        missing=tuple(dict.fromkeys(first.missing + second.missing)),
    )


def _ratio(text: str) -> Fraction:
    return Fraction(text) if text else Fraction(-1)


def _unenforced(pack: Pack, role: str, pair: Pair, at: Instant) -> Iterable[Scope]:
    """Rules that stand in the books, that nobody enforces, and that hold: what would be."""
    holding = {trace.rule: trace for trace in pair.estimate.trace if trace.truth == "true"}
    for rule in pack.rules:
        if rule.id in holding and would_act(rule.status_at(at), "enforced"):
            trace = holding[rule.id]
            limb = next((one for one in trace.limbs if one.unit), None)
            compared = (
                _figures((limb.quantity, limb.op, limb.threshold, limb.unit), limb.value, "")
                if limb is not None
                else {}
            )
            yield msgspec.structs.replace(
                _blank(pack, role, (pair.request.id,), "would"),
                rule=rule.id,
                cite=rule.cite,
                outcome=rule.outcome,
                because="not-enforced",
                duty=rule.duty,
                duty_ja=rule.duty_ja,
                **compared,
            )


def _nearest(pack: Pack, role: str, pair: Pair, at: Instant) -> Scope:
    """Where no rule bears: the rule whose threshold is nearest, and why it does not hold."""
    line = _blank(pack, role, (pair.request.id,), "no")
    permit = next((rule for rule in pair.bound.rules if rule.outcome == "permit"), None)
    far = nearest_rule(pack, pair.request, at)
    if permit is not None and (far is None or not far.limb.unit):
        line = _compared(line, permit, permit, permit)
        return msgspec.structs.replace(line, because="permitted")
    if far is None:
        return msgspec.structs.replace(line, because="condition")
    limb = far.limb
    at_estimate = same_limb(pack, pair.at_estimate, at, far)
    return msgspec.structs.replace(
        line,
        rule=far.rule.id,
        cite=far.rule.cite,
        outcome=far.rule.outcome,
        source=limb.source,
        mark=limb.mark,
        because="elsewhere" if far.elsewhere else "below" if limb.unit else "condition",
        **_figures(
            (limb.quantity, limb.op, limb.threshold, limb.unit), at_estimate.value, limb.value
        ),
    )


# --- rules that bear ------------------------------------------------------------------------------


def _lines(pack: Pack, role: str, pair: Pair) -> list[Scope]:
    """Every rule that holds or may hold; rules that only permit give no line of their own here."""
    lines: dict[str, Scope] = {}
    at_bound = {rule.id: rule for rule in pair.bound.rules}
    at_estimate = {rule.id: rule for rule in pair.estimate.rules}
    for name in dict.fromkeys((*at_estimate, *at_bound)):
        line = _line(pack, role, pair, at_estimate.get(name), at_bound.get(name))
        if line is not None:
            lines[name] = line
    return list(lines.values())


def _line(
    pack: Pack, role: str, pair: Pair, estimate: AppliedRule | None, bound: AppliedRule | None
) -> Scope | None:
    """One rule, strictest reading first: holds at the estimate, holds at the bound, may hold."""
    rule = estimate or bound
    if rule is None or rule.outcome == "permit":
        return None
    line = _compared(_blank(pack, role, (pair.request.id,), "no"), rule, estimate, bound)
    if estimate is not None and estimate.truth == "true" and rule.outcome in _DEMANDS:
        return _holding(pack, line, estimate, pair.estimate)
    missing = _missing_of(pair, rule.id)
    # A lifted rule at the bound alone lifts there too: it stays what it is, unsure.
    only_at_bound = bound is not None and bound.truth == "true" and rule.outcome in _DEMANDS
    return msgspec.structs.replace(
        line,
        touches=_bound_to(pack, "unsure"),
        missing=missing,
        only_at_bound=only_at_bound and not missing,
    )


def _holding(pack: Pack, line: Scope, rule: AppliedRule, decision: Decision) -> Scope:
    """A rule that holds; a licence exception that is known to hold leaves its notices, or nothing."""
    line = msgspec.structs.replace(line, touches=_bound_to(pack, "yes"))
    if not rule.lifted_by:
        return line
    used = [one for one in decision.exceptions if one.id in rule.lifted_by]
    # The exporter takes the one that asks for least; all are named.
    lightest = min(used, key=lambda one: len(one.notices), default=None)
    notices = lightest.notices if lightest is not None else ()
    touches = line.touches if notices else "no"
    return msgspec.structs.replace(
        line,
        touches=touches,
        outcome="report" if notices else "permit",
        because="exception",
        exceptions=rule.lifted_by,
        duties=notices,
    )


def _compared(
    line: Scope, rule: AppliedRule, estimate: AppliedRule | None, bound: AppliedRule | None
) -> Scope:
    return msgspec.structs.replace(
        line,
        rule=rule.id,
        cite=rule.cite,
        outcome=rule.outcome,
        source=rule.source,
        mark=rule.mark,
        duty=rule.duty,
        duty_ja=rule.duty_ja,
        duties=rule.duties,
        **_figures(
            (rule.quantity, rule.op, rule.threshold, rule.unit),
            estimate.value if estimate is not None else "",
            bound.value if bound is not None else "",
        ),
    )


def _missing_of(pair: Pair, rule: str) -> tuple[str, ...]:
    found = [
        trace.missing
        for decision in (pair.estimate, pair.bound)
        for trace in decision.trace
        if trace.rule == rule
    ]
    return tuple(dict.fromkeys(name for group in found for name in group))


# --- figures --------------------------------------------------------------------------------------


def _figures(asked: tuple[str, str, str, str], estimate: str, bound: str) -> dict[str, str]:
    """What was compared, as fields of a line; the bound only where it differs from the estimate."""
    quantity, op, threshold, unit = asked
    told = {"quantity": quantity, "op": op, "threshold": threshold, "unit": unit}
    told["figure"] = estimate or bound
    told["bound"] = bound if estimate and bound != estimate else ""
    # Of an interval the upper end: it bounds what is known, and estimates nothing.
    is_range = " to " in told["figure"]
    told["share"] = "" if is_range or not unit else _ratio_text(told["figure"], threshold)
    told["bound_share"] = (
        _ratio_text(told["bound"] or told["figure"], threshold)
        if unit and (is_range or told["bound"])
        else ""
    )
    return told


def _ratio_text(value: str, threshold: str) -> str:
    share = share_of(value, threshold)
    return format_exact(share) if share is not None and share < 10**12 else ""


def share_of(value: str, threshold: str) -> Fraction | None:
    """How much of a threshold has been reached, of an interval by its upper end; None where no number says."""
    figure, limit = read_threshold(value), read_threshold(threshold)
    return figure / limit if figure is not None and limit else None
