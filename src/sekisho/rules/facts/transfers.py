"""The quantities of a transfer: its item, its size, its way, its parties, and what has gone before."""

from __future__ import annotations

from functools import lru_cache

from sekisho.model.chips import ChipTable
from sekisho.rules.facts.items import item_facts
from sekisho.rules.facts.parties import provider_headquarters, receiving_parties
from sekisho.rules.facts.places import place
from sekisho.rules.facts.shapes import (
    NOTHING,
    UNBOUNDED,
    AmountFact,
    Fact,
    decimal,
    exactly,
    given_decimal,
)
from sekisho.rules.facts.words import word, words
from sekisho.rules.requests.transfer import ItemAsked, SoFar, TransferRequest

__all__ = ["shipment_chips", "size_facts", "transfer_facts"]

_NONE_SAID = SoFar()


def transfer_facts(request: TransferRequest, chips: ChipTable) -> dict[str, Fact]:
    """What a transfer tells."""
    facts = dict(item_facts(request.item, chips))
    facts.update(size_facts(request, chips))
    facts["activity"] = word(request.activity, "activity")
    facts["origin"] = place(request.origin, "origin")
    facts["destination"] = place(request.destination, "destination")
    facts["end_use"] = words(request.end_use, "end_use")
    facts["exporter_headquarters"] = provider_headquarters("exporter", request.exporter)
    facts.update(
        receiving_parties(
            request.consignee,
            request.end_user,
            request.intermediates,
            request.end_user_is_consignee,
        )
    )
    facts["authorisation"] = _authorisation(request)
    return facts


def size_facts(request: TransferRequest, chips: ChipTable) -> dict[str, Fact]:
    """The size of the transfer, alone and with what has gone before: it rests on item, count and `so_far`."""
    count, tpp, h100e = _shipment(request.item, request.count, chips)
    so_far = request.so_far or _NONE_SAID
    return {
        "shipment_chips": count,
        "shipment_tpp": tpp,
        "shipment_h100e": h100e,
        "parent_year_tpp": _with_this(so_far.parent_year_tpp, tpp, "so_far.parent_year_tpp"),
        "country_tpp": _with_this(so_far.country_tpp, tpp, "so_far.country_tpp"),
        "end_user_tpp": _with_this(so_far.end_user_tpp, tpp, "so_far.end_user_tpp"),
        "market_share": _market_share(so_far.market_share),
    }


@lru_cache(maxsize=8192)
def _shipment(
    item: ItemAsked, count: int | None, chips: ChipTable
) -> tuple[AmountFact, AmountFact, AmountFact]:
    """Chips, TPP and H100 equivalents of so many items."""
    facts = item_facts(item, chips)
    number = shipment_chips(count, 0 if item.form == "weights" else item.chips_each)
    return number, _times(facts["tpp"], number), _times(facts["h100e"], number)


@lru_cache(maxsize=65536)
def shipment_chips(count: int | None, per_item: int) -> AmountFact:
    """Chips in the transfer; one item at least where nobody said how many."""
    if count is None:
        high = UNBOUNDED if per_item else 0
        return AmountFact(low=per_item, high=high, missing=("count",) if per_item else ())
    return exactly(count * per_item)


def _times(each: Fact, count: AmountFact) -> AmountFact:
    """So many times an amount."""
    if not isinstance(each, AmountFact):
        raise TypeError("an item's TPP is an amount")
    if count.high == 0 or each.high == 0:
        return NOTHING
    return AmountFact(
        low=each.low * count.low,
        high=each.high * count.high,
        missing=each.missing + count.missing,
        notes=each.notes,
    )


def _authorisation(request: TransferRequest) -> Fact:
    party = request.end_user
    if party is None and request.end_user_is_consignee:
        party = request.consignee
    return word(None if party is None else party.authorisation, "end_user.authorisation")


def _with_this(earlier: str | None, this: AmountFact, name: str) -> AmountFact:
    """What went before with this transfer; where nobody said what went before, this transfer is the floor."""
    if earlier is None:
        return AmountFact(
            low=this.low, high=UNBOUNDED, missing=(name, *this.missing), notes=this.notes
        )
    before = decimal(earlier)
    return AmountFact(
        low=before + this.low, high=before + this.high, missing=this.missing, notes=this.notes
    )


@lru_cache(maxsize=1024)
def _market_share(share: str | None) -> AmountFact:
    return given_decimal(share, "so_far.market_share")
