"""Which documents an entry changes: the tables of the projections, each with where its rows come from. Pure.

The rows follow from the states before and after an entry, by looking at what the two do not share: a table needs no
knowledge of kinds, and a row cannot be forgotten when a fold changes. Only what no state holds, because it never
changes again, is taken from the entry itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from sekisho.licensing import LicenceState
from sekisho.model.persistent import PersistentMap, changed_keys
from sekisho.model.statements import (
    DisclosureErased,
    FindingRaised,
    HostEnrolled,
    Predicate,
)
from sekisho.operations.documents import (
    FindingDocument,
    key_document,
    of_charter,
    of_emergency,
    of_lease,
    of_licence,
    of_life,
    of_order,
    of_run,
)
from sekisho.operations.state import State
from sekisho.ports.projection_store import Place
from sekisho.signing import Recorded, Regime

__all__ = ["TABLES", "changed_documents"]

Documents = Iterator[tuple[str, Any]]
"""Keys of one table with their documents (any model value); None is a row that goes."""

_EMPTY: Final[PersistentMap[Any, Any]] = PersistentMap()


def changed_documents(
    before: State, after: State, recorded: Recorded
) -> Iterable[tuple[Place, Any]]:
    """The places whose documents an entry changes, each with its new document; None where the row goes."""
    for table, source in _SOURCES.items():
        for key, document in source(before, after):
            yield (table, key), document
    fact = recorded.verified.predicate
    stated = _STATED.get(type(fact))
    if stated is not None:
        table, document_of = stated
        yield (table, recorded.leaf), document_of(recorded, fact)


def _charters(before: State, after: State) -> Documents:
    for adopted in after.regime.adopted[len(before.regime.adopted) :]:
        yield f"{adopted.charter.terms.version:06d}", of_charter(adopted)


def _keys(before: State, after: State) -> Documents:
    """Every key that speaks today, under whom it speaks for."""
    old, new = before.regime, after.regime
    if old.charter is not new.charter or old.log_key is not new.log_key:
        yield from _of_mapping(_charter_keys(old), _charter_keys(new))
    for name in _changed(old.hosts, new.hosts):
        yield from _of_mapping(_host_keys(old.hosts.get(name)), _host_keys(new.hosts.get(name)))
    for name in _changed(old.parties, new.parties):
        party = new.parties.get(name)
        document = party and key_document(party.public, party.organisation, party.party)
        yield f"party/{name}", document


def _leases(before: State, after: State) -> Documents:
    for leaf in _changed(before.licences.licences, after.licences.licences):
        old: LicenceState | None = before.licences.licences.get(leaf)
        new = after.licences.licences[leaf]
        for lease in _changed(old.granted if old is not None else _EMPTY, new.granted):
            yield lease, of_lease(new.granted[lease])


def _orders(before: State, after: State) -> Documents:
    for register, mine in after.orders.orders.items():
        for number in _changed(before.orders.orders.get(register, _EMPTY), mine):
            yield f"{register}/{number:06d}", of_order(mine[number])


def _doubts(before: State, after: State) -> Documents:
    if before.regime.doubts is not after.regime.doubts:
        old, new = ({d.digest: d for d in s.regime.doubts} for s in (before, after))
        yield from _of_mapping(old, new)


def _heartbeat(before: State, after: State) -> Documents:
    if before.heartbeat is not after.heartbeat:
        yield "newest", after.heartbeat


def _mapped(
    of: Callable[[State], Mapping[Any, Any]],
    document: Callable[[Any], Any] = lambda value: value,
    key: Callable[[Any, Any], str] = lambda key, _: str(key),
) -> Callable[[State, State], Documents]:
    """The rows of a mapping of the state, one for each of its keys."""

    def documents(before: State, after: State) -> Documents:
        old, new = of(before), of(after)
        if old is new:  # nearly always
            return
        for name in _changed(old, new):
            value = new.get(name)
            if value is None:
                yield key(name, old[name]), None
            else:
                yield key(name, value), document(value)

    return documents


def _changed(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterable[Any]:
    if old is new:
        return ()
    if isinstance(old, PersistentMap) and isinstance(new, PersistentMap):
        return changed_keys(old, new)
    return [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]


def _of_mapping(old: Mapping[str, Any], new: Mapping[str, Any]) -> Documents:
    for key in _changed(old, new):
        yield key, new.get(key)


def _charter_keys(regime: Regime) -> dict[str, Any]:
    """The keys of all constituencies, those for recovery, and the log's own."""
    found: dict[str, Any] = {}
    if regime.charter is None:
        return found
    terms = regime.charter.terms
    for constituency in terms.constituencies:
        for key in constituency.keys:
            row = key_document(
                key.public, key.organisation, key.holder, constituency=constituency.name
            )
            found[f"charter/{row.id}"] = row
    for key in terms.recovery.keys if terms.recovery is not None else ():
        row = key_document(key.public, key.organisation, key.holder)
        found[f"recovery/{row.id}"] = row
    log = key_document(regime.log_key.to_text(), terms.log.owner, "log")
    return {**found, f"log/{log.id}": log}


def _host_keys(host: HostEnrolled | None) -> dict[str, Any]:
    """A host's own key, and those of its devices that have one."""
    if host is None:
        return {}
    found = {f"host/{host.host}": key_document(host.public, host.organisation, host.host)}
    for device in host.devices:
        if device.public is not None:
            row = key_document(device.public, host.organisation, device.device)
            found[f"device/{device.device}"] = row
    return found


def _finding(recorded: Recorded, fact: FindingRaised) -> FindingDocument:
    return FindingDocument(digest=recorded.verified.digest, finding=fact)


_SOURCES: Final[Mapping[str, Callable[[State, State], Documents]]] = {
    "announcements": _mapped(lambda s: s.regime.announcements),
    "charters": _charters,
    "doubts": _doubts,
    "drills": _mapped(lambda s: s.regime.keys.drills),
    "emergencies": _mapped(lambda s: s.shelf.emergencies, of_emergency),
    "heartbeat": _heartbeat,
    "hosts": _mapped(lambda s: s.regime.hosts),
    "keys": _keys,
    "lease_numbers": _mapped(lambda s: s.licences.lease_numbers),
    "leases": _leases,
    "licences": _mapped(
        lambda s: s.licences.licences, of_licence, lambda _, state: str(state.licence.number)
    ),
    "lives": _mapped(lambda s: s.lives.lives, of_life, lambda key, _: f"{key[0]}/{key[1]}"),
    "orders": _orders,
    "packs": _mapped(lambda s: s.shelf.ordinary),
    "parties": _mapped(lambda s: s.regime.parties),
    "registers": _mapped(lambda s: s.orders.heads),
    "runs": _mapped(lambda s: s.licences.runs, of_run),
    "silenced": _mapped(lambda s: s.regime.keys.silenced),
}
_STATED: Final[Mapping[type[Predicate], tuple[str, Callable[[Recorded, Any], Any]]]] = {
    FindingRaised: ("findings", _finding),
    DisclosureErased: ("erasures", lambda _, fact: fact),
}
TABLES: Final = tuple(sorted([*_SOURCES, *(table for table, _ in _STATED.values())]))
"""Every table there is, by name."""
