"""The quota ledger of a fab: one double-entry account for each quota period. Pure.

Every posting moves dies from one account to another, so that granted = available + used at every moment. What a report
uses is booked in the one quota period that holds the whole report: what was made in May is never spread over the quotas
of May and June. Unused quota ends with its period. Certified destruction of registered chips gives a replacement
allowance where the quota says so, up to its limit and by certificates that count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Count, Name, Span
from sekisho.model.wire import from_json, parse_json
from sekisho.registry.production.report import Production, Scrap

__all__ = ["Account", "Posting", "Quota", "QuotaState", "parse_quotas", "post_quota"]

Account: TypeAlias = Literal["granted", "replacement", "available", "used", "over"]
_MAX: Final = 8 * 1024 * 1024


class Quota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many dies of one product, or of all ("" for `product`), that a fab may make in a period.

    `replacement` bounds how many of them may come back through certificates of destroyed chips, listed in `destroyed`.
    """

    fab: Name
    product: str = ""
    period: Span
    dies: Count
    replacement: Count = 0
    destroyed: Annotated[tuple[Scrap, ...], msgspec.Meta(max_length=100_000)] = ()


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """So many dies from one account to another, and why."""

    source: Account
    target: Account
    dies: int
    why: str


class QuotaState(msgspec.Struct, frozen=True, kw_only=True):
    """A quota with its postings. `over` is what was made beyond it; `refused` are certificates that did not count."""

    quota: Quota
    postings: tuple[Posting, ...]
    refused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def balance(self, account: Account) -> int:
        """What stands on an account: `granted` and `replacement` are sources and go below nought by what they gave."""
        came = sum(p.dies for p in self.postings if p.target == account)
        return came - sum(p.dies for p in self.postings if p.source == account)

    @property
    def available(self) -> int:
        return self.balance("available")

    @property
    def used(self) -> int:
        return self.balance("used")

    @property
    def over(self) -> int:
        return -self.balance("over")

    @property
    def verdict(self) -> Literal["holds", "fails", "unverifiable"]:
        """Fails where more was made than granted; unverifiable where a report does not say how much was made."""
        if self.over or self.refused:
            return "fails"
        return "unverifiable" if self.unknown else "holds"


def parse_quotas(data: bytes, *, path: str = "") -> tuple[Quota, ...]:
    """Read quotas from a JSON list. Raises InvalidInput where two of one fab and product overlap."""
    found = from_json(tuple[Quota, ...], parse_json(data, path=path, limit=_MAX), path=path)
    for place, quota in enumerate(found):
        if quota.period.end <= quota.period.start:
            raise InvalidInput("ends before it starts", path=f"{path}[{place}].period")
        for other in found[:place]:
            if _same_book(quota, other) and _overlap(quota.period, other.period):
                raise InvalidInput(
                    f"overlaps another quota of {quota.fab}",
                    path=f"{path}[{place}].period",
                    remedy="one quota for each fab, product and time",
                )
    return found


def post_quota(quotas: Sequence[Quota], reports: Sequence[Production]) -> tuple[QuotaState, ...]:
    """Every quota's account after these reports, in the order of the quotas.

    Raises InvalidInput for a report that lies in no quota period as a whole (split, or between two), and for two
    reports of one fab and product whose periods overlap: the same dies would be booked twice.
    """
    _check_overlaps(reports)
    used: dict[int, list[Production]] = {place: [] for place in range(len(quotas))}
    for report in sorted(reports, key=lambda report: report.period.start):
        places = [place for place, quota in enumerate(quotas) if _speaks_of(quota, report)]
        if not places:
            continue
        within = [place for place in places if _within(report.period, quotas[place].period)]
        if not within:
            raise InvalidInput(
                f"the report of {report.fab} from {report.period.start} to {report.period.end} lies in no one quota "
                "period",
                path="period",
                remedy="report each quota period by itself",
            )
        for place in within:
            used[place].append(report)
    counted = {scrap.certificate for report in reports for scrap in report.scrap or ()}
    return tuple(_post(quota, used[place], counted) for place, quota in enumerate(quotas))


def _post(quota: Quota, reports: Sequence[Production], counted: set[str]) -> QuotaState:
    postings = [Posting(source="granted", target="available", dies=quota.dies, why="quota")]
    refused, unknown = [], []
    room = quota.replacement
    for scrap in quota.destroyed:
        if scrap.certificate in counted:
            refused.append(scrap.certificate)
            continue
        counted.add(scrap.certificate)
        back = min(scrap.dies, room)
        room -= back
        if back:
            why = f"replaces {scrap.certificate}"
            postings.append(Posting(source="replacement", target="available", dies=back, why=why))
    left = quota.dies + quota.replacement - room
    for report in reports:
        made = _made(report)
        name = f"{report.fab} from {report.period.start}"
        if made is None:
            unknown.append(name)
            continue
        inside = min(made, left)
        left -= inside
        if inside:
            postings.append(Posting(source="available", target="used", dies=inside, why=name))
        if made > inside:
            postings.append(Posting(source="over", target="used", dies=made - inside, why=name))
    return QuotaState(
        quota=quota, postings=tuple(postings), refused=tuple(refused), unknown=tuple(unknown)
    )


def _made(report: Production) -> int | None:
    """The larger of what the fab says and what the register was told: neither may hide the other."""
    known = [dies for dies in (report.good_dies, report.registered) if dies is not None]
    return max(known, default=None)


def _check_overlaps(reports: Sequence[Production]) -> None:
    for place, report in enumerate(reports):
        for other in reports[:place]:
            same = (report.fab, report.product) == (other.fab, other.product)
            if same and _overlap(report.period, other.period):
                raise InvalidInput(
                    f"two reports of {report.fab} and {report.product} speak of {report.period.start}",
                    path="period",
                    remedy="correct the earlier report instead of adding to it",
                )


def _speaks_of(quota: Quota, report: Production) -> bool:
    same = quota.fab == report.fab and quota.product in ("", report.product)
    return same and _overlap(quota.period, report.period)


def _same_book(quota: Quota, other: Quota) -> bool:
    return (quota.fab, quota.product) == (other.fab, other.product)


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
