"""A long list of hosts as a page shows it: counted by site, searched by name, cut into pages. Pure.

A regime may have ten thousand hosts. A page that names them all has tens of megabytes, which a browser that renews it
every other second cannot take; so each page counts all of them and names a few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode

import msgspec
from litestar.params import QueryParameter

from sekisho.web.standing import HostStanding, Word

__all__ = [
    "AT_ONCE",
    "ROWS",
    "TILES",
    "HostList",
    "HostsAsked",
    "PageNumber",
    "SiteCounts",
    "Typed",
    "count_by_site",
    "list_hosts",
    "needing_a_look",
]

ROWS: Final = 50
"""So many hosts are a page of a list."""
AT_ONCE: Final = 10
"""So many hosts with their whole life under an order are a page."""
TILES: Final = 60
"""Up to so many hosts the overview shows a tile for each."""
_FIRST: Final[tuple[Word, ...]] = ("contradicted", "non-responsive", "silent", "lapsed")
"""What a person should look at, the most urgent first."""

Typed: TypeAlias = Annotated[str, QueryParameter(max_length=200)]
PageNumber: TypeAlias = Annotated[int, QueryParameter(ge=1, le=1_000_000)]


class HostsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which hosts a page is asked for: one site's, those that stand so, those whose name holds a text."""

    site: str = ""
    word: str = ""
    query: str = ""
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        return bool(self.site or self.word or self.query)

    def address(self, **changed: object) -> str:
        """The query of this page's address, with some of it changed; a change without a page goes to the first."""
        fields = {"site": self.site, "word": self.word, "q": self.query, "page": 1, **changed}
        return urlencode({k: v for k, v in fields.items() if v and (k, v) != ("page", 1)})


class SiteCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One site: how many hosts it has, and how many of them stand where, the most frequent word first."""

    site: str
    hosts: int
    words: tuple[tuple[Word, int], ...]


class HostList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of hosts in the order of their names, out of `found` that were asked for, out of `total`."""

    asked: HostsAsked
    rows: tuple[HostStanding, ...]
    sites: tuple[SiteCounts, ...]
    words: tuple[tuple[Word, int], ...]
    total: int
    found: int
    page: int
    pages: int

    @property
    def is_long(self) -> bool:
        """Whether there is more than this page, so that the page needs a search."""
        return self.total > len(self.rows) or self.asked.is_narrowed


def list_hosts(
    standings: Sequence[HostStanding], asked: HostsAsked, *, rows: int = ROWS
) -> HostList:
    """The page that is asked for; a number behind the last page gives the last page.

    `sites` and `words` count all hosts, whatever was asked for: they are the way to the others.
    """
    wanted = asked.query.casefold().strip()
    found = [
        each
        for each in standings
        if (not asked.site or each.host.site == asked.site)
        and (not asked.word or each.word == asked.word)
        and wanted in each.host.host.casefold()
    ]
    found.sort(key=lambda each: each.host.host)
    pages = max(1, -(-len(found) // rows))
    page = min(max(1, asked.page), pages)
    return HostList(
        asked=asked,
        rows=tuple(found[(page - 1) * rows : page * rows]),
        sites=count_by_site(standings),
        words=_count(standings),
        total=len(standings),
        found=len(found),
        page=page,
        pages=pages,
    )


def count_by_site(standings: Iterable[HostStanding]) -> tuple[SiteCounts, ...]:
    """Every site with its counts, by name."""
    sites: dict[str, list[HostStanding]] = {}
    for each in standings:
        sites.setdefault(each.host.site, []).append(each)
    return tuple(
        SiteCounts(site=site, hosts=len(sites[site]), words=_count(sites[site]))
        for site in sorted(sites)
    )


def needing_a_look(
    sites: Mapping[str, Sequence[HostStanding]], most: int
) -> dict[str, list[HostStanding]]:
    """The hosts that a person should look at first, at most so many, by site."""
    urgent = [each for standings in sites.values() for each in standings if each.word in _FIRST]
    urgent.sort(key=lambda each: (_FIRST.index(each.word), each.host.host))
    found: dict[str, list[HostStanding]] = {site: [] for site in sites}
    for each in urgent[:most]:
        found[each.host.site].append(each)
    return found


def _count(standings: Iterable[HostStanding]) -> tuple[tuple[Word, int], ...]:
    return tuple(Counter(each.word for each in standings).most_common())
