"""Small packs and populations for comparisons: shipments of chips against one threshold, with answers known by hand."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Pack, RunRequest, TransferRequest, parse_pack
from sekisho.rules.requests import ItemAsked, PartyAsked
from sekisho.rules.what_if import Side

__all__ = ["AT", "pack_text", "shipment", "shipments", "side", "small_pack", "training"]

AT = parse_date_or_instant("2026-09-01")
_HEAD = """\
pack: {name}
version: '1'
title: A small pack
note: for tests
sources: {{law: {{title: t, where: w, mark: O}}}}
parameters:
  cap:
    unit: chips
    means: largest shipment without a licence
    values:
      - {{from: 2020-01-01, value: {cap}, source: law, cite: c, mark: O}}
"""
_RATE = """\
  licences-per-officer-year:
    unit: licences/officer/yr
    means: m
    values:
      - {from: 2020-01-01, value: 4, source: law, cite: c, mark: O}
"""
_RULE = """\
  - id: {id}
    cite: c
    binding: b
    for: [transfer]
    status:
      - {{from: {start}, status: {status}, acts: {acts}, source: law, cite: c, mark: O}}
    when: {when}
    outcome: {outcome}
    duty: d
"""
BIG = '{quantity: shipment_chips, op: ">", parameter: cap, unit: chips}'


def pack_text(
    cap: int = 100,
    *,
    name: str = "small",
    outcome: str = "licence",
    when: str = BIG,
    start: str = "2020-01-01",
    status: str = "in force",
    acts: str = "true",
    duties: str = "",
    rate: bool = False,
) -> str:
    """A pack with one rule about shipments of chips."""
    rule = {"id": "big", "start": start, "status": status, "acts": acts, "when": when}
    text = _HEAD.format(name=name, cap=cap) + (_RATE if rate else "")
    text += "rules:\n" + _RULE.format(**rule, outcome=outcome)
    return text + (f"    duties: {duties}\n" if duties else "")


def small_pack(cap: int = 100, **changes: object) -> Pack:
    """The same, read."""
    return parse_pack(pack_text(cap, **changes), "small.yaml")  # type: ignore[arg-type]  # as pack_text takes them


def side(pack: Pack) -> Side:
    """That pack on a fixed day."""
    return Side(pack=pack, at=AT, now=AT)


def shipment(
    name: str,
    count: int | None,
    *,
    to: str | None = "JP",
    owner: str | None = "Group 1",
    chip: str = "H100",
    on: str | None = None,
) -> TransferRequest:
    """So many chips to a country, for an owner."""
    party = PartyAsked(name="Importer", parent=owner) if owner is not None else None
    return TransferRequest(
        kind="transfer",
        id=name,
        on=on,
        activity="export",
        item=ItemAsked(chip=chip),
        count=count,
        destination=to,
        consignee=party,
    )


def shipments(counts: Iterable[int | None]) -> list[TransferRequest]:
    """One shipment for each count, numbered from 1."""
    return [shipment(f"t{number}", count) for number, count in enumerate(counts, 1)]


def training(name: str, flop: str | None) -> RunRequest:
    """A training run from scratch, of which the small packs say nothing."""
    return RunRequest(id=name, planned_flop=flop, origin="scratch")
