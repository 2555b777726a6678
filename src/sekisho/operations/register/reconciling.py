"""One site's books against each other: what the firm declares, what its nodes report, what the register holds.

1. A table is taken in, line by line, and kept as the newest of its kind. 2. `reconcile_site` puts declarations, the
newest reports and the standings side by side and decides (registry.reading.reconcile). 3. What fails and is serious
becomes a finding in the log, once. 4. Tables become EPCIS documents in draft, which their party signs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

import msgspec

from sekisho.model.custody import Standing
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period
from sekisho.model.wire import canonical, decoder_of
from sekisho.operations.desk import Admitted
from sekisho.ports.declaration_store import DeclarationRow, DeclarationStore, DeclaredLine
from sekisho.ports.fleet_store import FleetStore
from sekisho.ports.register_store import Dimension, RegisterStore
from sekisho.registry.reading.csv_tables import BadRow
from sekisho.registry.reading.declared import DeclaredItem, DeclaredRow, serial_key
from sekisho.registry.reading.differences import SERIOUS, Difference
from sekisho.registry.reading.drafts import Draft, DraftKind, draft_document
from sekisho.registry.reading.fleet_agent import ObservedDevice, observe, parse_kept_node
from sekisho.registry.reading.reconcile import Reconciliation, reconcile
from sekisho.registry.reading.subjects import AtSite, Sighting
from sekisho.registry.terms import RegisterTerms

__all__ = [
    "WINDOW_S",
    "Books",
    "draft_from_lines",
    "raise_differences",
    "reconcile_site",
    "sites_of",
    "take_declaration",
]

WINDOW_S: Final = 24 * 3_600
"""Agents report once an hour: what none reported for a day, nobody has seen."""
RAISED_AT_ONCE: Final = 20
_ITEMS: Final = decoder_of(DeclaredItem)
_WHO: Final[tuple[Dimension, ...]] = ("custodian", "holder", "owner")


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """The stores that a reconciliation reads."""

    register: RegisterStore
    fleet: FleetStore
    declarations: DeclarationStore


class Raising(Protocol):
    """States a finding about the books in the log, each once."""

    def __call__(
        self,
        books: Any,
        code: str,
        about: str,
        detail: str,
        *,
        at: Instant | None = None,
        count: int = 1,
    ) -> Admitted: ...


def take_declaration(
    store: DeclarationStore,
    rows: Iterable[DeclaredRow],
    row: DeclarationRow,
    *,
    heard: Callable[[DeclaredRow], None] = lambda _: None,
) -> DeclarationRow:
    """Keep a table as its site's newest of that kind; refused lines are counted and told, the rest is taken.

    Nothing is kept where reading ends in an error. Lines name their site, or `row.site` is meant.
    """
    refused = 0

    def lines() -> Iterator[DeclaredLine]:
        nonlocal refused
        for item in rows:
            heard(item)
            if isinstance(item, BadRow):
                refused += 1
            else:
                yield DeclaredLine(
                    site=item.site or row.site, line=item.line, document=canonical(item)
                )

    return store.save_declaration(row, lines(), refused=lambda: refused)


def reconcile_site(
    books: Books,
    site: str,
    *,
    now: Instant,
    window_s: int = WINDOW_S,
    declared: Iterable[DeclaredItem] = (),
) -> Reconciliation:
    """Compare everything that is said of a site. `declared` are lines beside those that are kept.

    Raises InvalidInput for no site, and what the stores raise. Reads the whole register once where a serial here is
    unknown at the site, since it may stand elsewhere.
    """
    if not site:
        raise InvalidInput("a site must be named", path="site", remedy="--site NAME")
    lines = [*_load_lines(books.declarations, site), *declared]
    observed = _load_observed(books.fleet)
    sightings = [
        Sighting(serial=s.serial, uuid=s.uuid, node=s.node, site=s.site, first=s.first, last=s.last)
        for s in books.fleet.iterate_sightings()
    ]
    return reconcile(
        AtSite(
            site=site,
            window=Period(now.plus(-window_s), now),
            declared=lines,
            observed=observed,
            sightings=sightings,
            standings=_load_standings(books.register, site, lines, observed),
            parties=_known_parties(books.register),
            has_register=_has_register(books.declarations, site),
        )
    )


def sites_of(books: Books) -> tuple[str, ...]:
    """Every site that a table or an enrolment names."""
    tables = {row.site for row in books.declarations.load_declarations() if row.site}
    lines = (
        books.declarations.load_sites()
    )  # a table without a site of its own names one on each line
    return tuple(sorted({*tables, *lines, *(node.site for node in books.fleet.load_nodes())}))


def raise_differences(found: Reconciliation, raising: Raising) -> int:
    """State the serious differences that fail; how many. Beyond twenty of a code they are one finding with a count.

    Asked again, the same findings are the answer: what an item's difference is about does not change with the hour.
    """
    by_code: dict[str, list[Difference]] = {}
    for difference in found.differences:
        if difference.verdict == "fails" and difference.code in SERIOUS:
            by_code.setdefault(difference.code, []).append(difference)
    stated = 0
    for code, differences in by_code.items():
        for difference in differences[:RAISED_AT_ONCE]:
            about = canonical([found.site, difference.item]).decode()
            detail = canonical([*difference.reasons, *difference.sources]).decode()
            raising("inventory", code, about, detail, at=found.until)
            stated += 1
        rest = differences[RAISED_AT_ONCE:]
        if rest:
            names = canonical([found.site, *(difference.item for difference in rest)]).decode()
            raising("inventory", code, names[:2_000], names, at=found.until, count=len(rest))
            stated += len(rest)
    return stated


def draft_from_lines(
    store: RegisterStore,
    rows: Iterable[DeclaredItem],
    kind: DraftKind,
    *,
    terms: RegisterTerms,
    now: Instant,
    party: str = "",
) -> Draft:
    """An EPCIS document from a table, its items found in the register by their serials.

    `party` stands for a missing shipper (shipping) or consignee (receiving). Raises InvalidInput.
    """
    items = [_with_party(item, kind, party) for item in rows]
    wanted = {serial_key(item.serial) for item in items if not item.epc} - {""}
    epcs: dict[str, str] = {}
    if wanted:
        for standing in store.iterate_standings():
            key = serial_key(standing.identity.serial)
            if key in wanted:
                epcs.setdefault(key, standing.epc)
    return draft_document(items, kind, epcs=epcs, terms=terms, now=now)


def _with_party(item: DeclaredItem, kind: DraftKind, party: str) -> DeclaredItem:
    if kind == "shipping" and not item.shipper and party:
        return msgspec.structs.replace(item, shipper=party)
    if kind == "receiving" and not item.consignee and party:
        return msgspec.structs.replace(item, consignee=party)
    return item


def _load_lines(store: DeclarationStore, site: str) -> Iterator[DeclaredItem]:
    for document in store.iterate_lines(site):
        yield _ITEMS.decode(document)


def _has_register(store: DeclarationStore, site: str) -> bool:
    return next(store.iterate_lines(site, kind="asset-register"), None) is not None


def _load_observed(store: FleetStore) -> list[ObservedDevice]:
    """The devices of every node's newest message."""
    return [
        device
        for message in store.iterate_newest()
        for device in observe(
            parse_kept_node(message.body),
            node=message.node,
            site=message.site,
            first=message.first,
            last=message.last,
            source=f"node {message.node} message {message.sha256[:16]}",
        )
    ]


def _load_standings(
    store: RegisterStore,
    site: str,
    lines: Iterable[DeclaredItem],
    observed: Iterable[ObservedDevice],
) -> list[Standing]:
    """The site's own standings with their containers, and those elsewhere that a serial or EPC here names."""
    found = {standing.epc: standing for standing in store.iterate_standings({"site": [site]})}
    known = {serial_key(standing.identity.serial) for standing in found.values()}
    here = [device for device in observed if device.site == site]
    serials = {serial_key(item.serial) for item in lines}
    serials |= {serial_key(device.serial) for device in here}
    serials |= {serial_key(device.chassis) for device in here if device.chassis} & serials
    epcs = {item.epc for item in lines if item.epc} - found.keys()
    found.update(store.load_standings(sorted(epcs)))
    missing = serials - known - {""}
    if missing:
        # The register finds serials by their makers, and a node's message does not say who made a board.
        for standing in store.iterate_standings():
            if serial_key(standing.identity.serial) in missing:
                found[standing.epc] = standing
    parents = {standing.parent for standing in found.values() if standing.parent} - found.keys()
    found.update(store.load_standings(sorted(parents)))
    return list(found.values())


def _known_parties(store: RegisterStore) -> frozenset[str]:
    """Names that the register has for parties: whoever holds, keeps or owns anything."""
    return frozenset(
        holding.values[0] for dimension in _WHO for holding in store.count_holdings([dimension])
    )
