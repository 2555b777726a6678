"""Looking at the register: find chips, their passports, who holds how much, which clusters are covered, the alerts."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final, get_args

import msgspec

from sekisho.ledger import Cosigned
from sekisho.model.custody import LifeState, Standing
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.operations.register.clusters import load_clusters
from sekisho.operations.register.holdings import load_holdings
from sekisho.operations.register.passports import Passports, PublishedBatches
from sekisho.ports.register_store import AlertRow, Dimension, RegisterStore
from sekisho.ports.tile_store import TileStore
from sekisho.registry.clusters import Clusters
from sekisho.registry.holdings import HELD_BY, HeldBy, Holdings
from sekisho.registry.passport import Passport
from sekisho.registry.terms import RegisterTerms

__all__ = ["Found", "Papers", "Wanted", "require_plain"]

STATES: Final[tuple[str, ...]] = get_args(LifeState)
MOST_ROWS: Final = 500
MOST_TEXT: Final = 2048
_PARTIES: Final[tuple[Dimension, ...]] = ("custodian", "holder", "owner")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person looks for; an empty field asks nothing. `party` is custodian, holder or owner.

    `text` is an identifier or how one begins, a device key, a serial, or maker/serial.
    """

    text: str = ""
    model: str = ""
    party: str = ""
    site: str = ""
    state: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what was found, by identifier, and where to go on: None at the end.

    `unregistered` are identifiers that events speak of and that nobody registered.
    """

    rows: tuple[Standing, ...]
    following: str | None = None
    unregistered: tuple[str, ...] = ()


class Papers:
    """One register as people look at it; changes nothing. Safe for many threads.

    `latest` gives the newest witnessed checkpoint of the log, and None while there is none.
    """

    def __init__(  # what a register lies in, and what ties it to its log
        self,
        store: RegisterStore,
        terms: RegisterTerms,
        *,
        log: str,
        tiles: TileStore,
        latest: Callable[[], Cosigned | None],
    ) -> None:
        self._store = store
        self._terms = terms
        self._passports = Passports(store, terms, log=log, batches=PublishedBatches(tiles, latest))

    def passport(
        self,
        epc: str,
        *,
        now: Instant,
        at: Instant | None = None,
        as_of: Instant | None = None,
        proven: bool = True,
    ) -> Passport | None:
        """As `Passports.load`. Raises InvalidInput for what can be no identifier."""
        require_plain(epc, "epc")
        return self._passports.load(epc, now=now, at=at, as_of=as_of, proven=proven)

    def find(self, text: str) -> tuple[str, ...]:
        """As `Passports.find`. Raises InvalidInput as `passport` does."""
        require_plain(text, "text")
        return self._passports.find(text)

    def holdings(self, by: str) -> Holdings:
        """Who holds how much. Raises InvalidInput for a dimension that is none of site, custodian, owner, country."""
        found: HeldBy | None = next((known for known in HELD_BY if known == by), None)
        if found is None:
            raise InvalidInput(
                f"{by[:40]!r} is no dimension", path="by", remedy=f"one of {', '.join(HELD_BY)}"
            )
        return load_holdings(self._store, found)

    def clusters(self) -> Clusters:
        """Every network with chips in it, judged by the limbs of the treaty draft."""
        return load_clusters(self._store, self._terms)

    def alerts(
        self, *, before: int = 0, limit: int = 100, epc: str | None = None
    ) -> tuple[AlertRow, ...]:
        """Alerts, the newest first, those stored before the one whose `place` is `before` (0: from the end)."""
        return self._store.load_alerts(
            after=before, limit=min(limit, MOST_ROWS), epc=epc, newest=True
        )

    def search(self, wanted: Wanted, *, after: str = "", limit: int = 50) -> Found:
        """A page of chips and components. Raises InvalidInput for a word that is no state."""
        if wanted.state and wanted.state not in STATES:
            raise InvalidInput(
                f"{wanted.state[:40]!r} is no state",
                path="state",
                remedy=f"one of {', '.join(STATES)}",
            )
        for field in ("text", "model", "party", "site"):
            require_plain(getattr(wanted, field), field)
        require_plain(after, "after")
        most = max(1, min(limit, MOST_ROWS))
        exact = self.find(wanted.text) if wanted.text and not after else ()
        if exact:
            return self._of(exact, wanted)
        rows = list(islice(self._matching(wanted, after), most + 1))
        following = rows[most - 1].epc if len(rows) > most else None
        return Found(rows=tuple(rows[:most]), following=following)

    def _of(self, epcs: tuple[str, ...], wanted: Wanted) -> Found:
        standings = self._store.load_standings(epcs)
        rows = [
            standings[epc] for epc in epcs if epc in standings and _fits(standings[epc], wanted)
        ]
        missing = tuple(epc for epc in epcs if epc not in standings)
        return Found(rows=tuple(rows), unregistered=missing)

    def _matching(self, wanted: Wanted, after: str) -> Iterator[Standing]:
        """Standings in the order of their identifiers; whatever begins with the text, where there is one."""
        start = max(after, wanted.text)  # the text itself was looked up exactly
        where: dict[Dimension, tuple[str, ...]] = {}
        for name, value in (
            ("model", wanted.model),
            ("site", wanted.site),
            ("state", wanted.state),
        ):
            if value:
                where[name] = (value,)  # type: ignore[index]  # three dimensions by name
        for standing in self._iterate(where, wanted.party, start):
            if wanted.text and not standing.epc.startswith(wanted.text):
                return
            yield standing

    def _iterate(
        self, where: Mapping[Dimension, tuple[str, ...]], party: str, after: str
    ) -> Iterator[Standing]:
        if not party:
            yield from self._store.iterate_standings(where, after=after)
            return
        parts = [
            self._store.iterate_standings({**where, role: (party,)}, after=after)
            for role in _PARTIES
        ]
        last = ""
        for standing in heapq.merge(*parts, key=lambda item: item.epc):
            if standing.epc != last:
                yield standing
            last = standing.epc


def require_plain(text: str, path: str) -> str:
    """The text, where a database can be asked for it. Raises InvalidInput."""
    if len(text) > MOST_TEXT or not text.isprintable():
        raise InvalidInput(
            f"is longer than {MOST_TEXT} characters, or holds one that cannot be seen", path=path
        )
    return text


def _fits(standing: Standing, wanted: Wanted) -> bool:
    asked = (
        (wanted.model, (standing.identity.model,)),
        (wanted.party, (standing.custodian, standing.holder, standing.owner)),
        (wanted.site, (standing.site,)),
        (wanted.state, (standing.state,)),
    )
    return all(not value or value in held for value, held in asked)
