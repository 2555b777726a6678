"""Declared against observed against registered: what differs at one site, with reasons and sources. Pure.

1. Lines, reports and standings are put side by side, item by item. 2. Each check of a table looks at one item and
says what differs. 3. What nobody observed in the window is *unverifiable*, never present, and *fails* only where the
very server that should hold it reported without it. 4. Lines that count pieces are compared as counts of a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from sekisho.model.instants import Instant
from sekisho.registry.reading.asset_register import presence_of
from sekisho.registry.reading.checks import CHECKS, is_present, is_same_model
from sekisho.registry.reading.declared import DeclaredItem
from sekisho.registry.reading.differences import Difference, Verdict
from sekisho.registry.reading.subjects import AtSite, Subject, gather_subjects

__all__ = ["Reconciliation", "reconcile"]


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What one site's books and reports amount to. Counts are items; the verdict is the worst of all."""

    site: str
    since: Instant
    until: Instant
    verdict: Verdict
    declared: int
    observed: int
    registered: int
    holds: int
    fails: int
    unverifiable: int
    differences: tuple[Difference, ...]


def reconcile(at: AtSite) -> Reconciliation:
    """Compare everything that is said of a site. Of nothing at all the verdict is unverifiable."""
    counts: Counter[Verdict] = Counter()
    found: list[Difference] = []
    tally: Counter[str] = Counter()
    for subject in gather_subjects(at):
        differences = [difference for check in CHECKS for difference in check(subject, at)]
        counts[_worst(difference.verdict for difference in differences)] += 1
        tally.update(_parts(subject, at))
        found += differences
    counted = [difference for difference in _compare_counts(at) if difference is not None]
    counts.update(difference.verdict for difference in counted)
    found += counted
    return Reconciliation(
        site=at.site,
        since=at.window.start,
        until=at.window.end,
        verdict=_worst(difference.verdict for difference in found) if counts else "unverifiable",
        declared=tally["declared"],
        observed=tally["observed"],
        registered=tally["registered"],
        holds=counts["holds"],
        fails=counts["fails"],
        unverifiable=counts["unverifiable"],
        differences=tuple(found),
    )


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    present = set(verdicts)
    if "fails" in present:
        return "fails"
    return "unverifiable" if "unverifiable" in present else "holds"


def _parts(subject: Subject, at: AtSite) -> Iterator[str]:
    if subject.declared:
        yield "declared"
    if subject.seen_at(at.site):
        yield "observed"
    if any(standing.site == at.site for standing in subject.standings):
        yield "registered"


def _compare_counts(at: AtSite) -> Iterator[Difference | None]:
    """Lines that count pieces: the register has as many of the model at the site, and nodes report as many."""
    lines: dict[str, list[DeclaredItem]] = {}
    for item in at.declared:
        if not item.key and item.site in ("", at.site) and presence_of(item.state) != "gone":
            lines.setdefault(item.model, []).append(item)
    fresh = [d for d in at.observed if d.site == at.site and d.last >= at.window.start]
    for model, items in sorted(lines.items()):
        said = sum(item.quantity for item in items)
        registered = sum(
            is_present(s) and s.site == at.site and is_same_model(model, s.identity.model) is True
            for s in at.standings
        )
        seen = len({d.key for d in fresh if is_same_model(model, d.model) is True})
        yield _count_difference(model, items, said, registered, seen)


def _count_difference(
    model: str, items: Sequence[DeclaredItem], said: int, registered: int, seen: int
) -> Difference | None:
    if said == registered == seen:
        return None
    return Difference(
        code="count-mismatch",
        verdict="fails" if said != registered or seen > said else "unverifiable",
        item=model,
        model=model,
        reasons=(f"{said} declared", f"{registered} registered", f"{seen} observed in the window"),
        sources=tuple(item.source for item in items[:20]),
    )
