"""What the parties tell: where they sit, where their ultimate parents sit, what stands on lists.

The receiving side is known completely only where consignee and end user are both named, or one is said to be the
other, and every named party tells the field: a rule that looks for a headquarters must not pass because nobody asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from sekisho.rules.facts.shapes import AmountFact, Fact, FlagFact, PlacesFact, decimal, union
from sekisho.rules.facts.words import NO, YES
from sekisho.rules.requests.shapes import PartyAsked

__all__ = ["one_party", "provider_headquarters", "receiving_parties"]


class _Told(NamedTuple):
    """What bears on a decision, without the name: many parties tell the same, and are read once."""

    headquarters: str | None
    parent_headquarters: str | None
    country: str | None
    listed: bool | None
    owner_known: bool | None
    owner_share: str | None


# A party under the path where it is named; None where a party that has to be there is not. Bare tuples are made ten
# times as fast as named ones, and are all that the caches below need.
_Bare: TypeAlias = tuple[str | None, str | None, str | None, bool | None, bool | None, str | None]
_Keyed: TypeAlias = tuple[tuple[str, _Bare | None], ...]
_Named: TypeAlias = tuple[tuple[str, _Told | None], ...]
_BETWEEN: Final = tuple(f"intermediates[{number}]" for number in range(20))


def receiving_parties(
    consignee: PartyAsked | None,
    end_user: PartyAsked | None,
    intermediates: tuple[PartyAsked, ...],
    same: bool | None,
) -> Mapping[str, Fact]:
    """The receiving side of a transfer; `same` says that the end user is the consignee."""
    first, second = _told(consignee), _told(end_user)
    if not same:
        both: _Keyed = (("consignee", first), ("end_user", second))
    elif first is None and second is not None:
        both = (("end_user", second),)
    else:
        both = (("consignee", first),)
    if not intermediates:
        return _receiving(both)
    between = zip(_BETWEEN, map(_told, intermediates), strict=False)
    return _receiving((*both, *between))


def one_party(path: str, party: PartyAsked | None) -> Mapping[str, Fact]:
    """The receiving side where it is one: a customer, a user."""
    return _receiving(((path, _told(party)),))


def provider_headquarters(path: str, party: PartyAsked | None) -> PlacesFact:
    """Where the exporter or provider and its ultimate parent have their headquarters."""
    return _unnamed(path) if party is None else _provider(((path, _told(party)),))


def _told(party: PartyAsked | None) -> _Bare | None:
    if party is None:
        return None
    parent = party.parent_headquarters
    if parent is None and party.parent is not None and party.parent == party.name:
        parent = party.headquarters  # it is its own ultimate parent
    return (
        party.headquarters,
        parent,
        party.country,
        party.listed,
        party.listed_owner_known,
        party.listed_owner_share,
    )


def _named(parties: _Keyed) -> _Named:
    return tuple((path, None if told is None else _Told(*told)) for path, told in parties)


@lru_cache(maxsize=16384)
def _receiving(keyed: _Keyed) -> Mapping[str, Fact]:
    parties = _named(keyed)
    return {
        "headquarters": _headquarters(parties),
        "party_countries": _countries(parties),
        "listed_party": _listed(parties),
        "listed_owner_known": _owner_known(parties),
        "listed_owner_share": _owner_share(parties),
    }


@lru_cache(maxsize=4096)
def _provider(keyed: _Keyed) -> PlacesFact:
    return _headquarters(_named(keyed))


@lru_cache(maxsize=16)
def _unnamed(path: str) -> PlacesFact:
    return _headquarters(((path, None),))


def _headquarters(parties: _Named) -> PlacesFact:
    rows: list[tuple[str, str | None]] = []
    for path, party in parties:
        if party is None:
            rows.append((path, None))
        else:
            rows.append((f"{path}.headquarters", party.headquarters))
            rows.append((f"{path}.parent_headquarters", party.parent_headquarters))
    return _places(rows)


def _countries(parties: _Named) -> PlacesFact:
    return _places(
        (path, None) if party is None else (f"{path}.country", party.country)
        for path, party in parties
    )


def _places(told: Iterable[tuple[str, str | None]]) -> PlacesFact:
    rows = list(told)
    values = tuple(dict.fromkeys(value for _, value in rows if value is not None))
    missing = tuple(path for path, value in rows if value is None)
    return PlacesFact(values=values or None, complete=not missing, missing=missing)


def _listed(parties: _Named) -> FlagFact:
    return _any_flag(
        (path, None) if party is None else (f"{path}.listed", party.listed)
        for path, party in parties
    )


def _owner_known(parties: _Named) -> FlagFact:
    """A stated share above nothing is an owner that is known; a share of nothing tells that there is none."""
    return _any_flag(
        (path, None) if party is None else (f"{path}.listed_owner_known", _known_owner(party))
        for path, party in parties
    )


def _known_owner(party: _Told) -> bool | None:
    if party.owner_share is not None and decimal(party.owner_share) > 0:
        return True
    nothing = False if party.owner_share is not None else None
    return party.owner_known if party.owner_known is not None else nothing


def _any_flag(told: Iterable[tuple[str, bool | None]]) -> FlagFact:
    """Yes where one party says yes, no where every party says no."""
    rows = list(told)
    if any(value for _, value in rows):
        return YES
    missing = tuple(path for path, value in rows if value is None)
    return FlagFact(value=None, missing=missing) if missing else NO


def _owner_share(parties: _Named) -> AmountFact:
    """The largest over the parties; a party that does not tell may be owned wholly."""
    rows = [_one_share(path, party) for path, party in parties]
    return AmountFact(
        low=max(fact.low for fact in rows),
        high=max(fact.high for fact in rows),
        missing=union(fact.missing for fact in rows),
    )


def _one_share(path: str, party: _Told | None) -> AmountFact:
    if party is None:
        return AmountFact(low=0, high=1, missing=(path,))
    if party.owner_share is None:
        return AmountFact(low=0, high=1, missing=(f"{path}.listed_owner_share",))
    share = decimal(party.owner_share)
    return AmountFact(low=share, high=share)
