"""Statements of the register of chips in words: registered, moved, counted, balanced, made, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    BalanceClosed,
    ChipRegistered,
    CustodyMoved,
    InventoryTaken,
    IrregularityFound,
    ProductionReported,
)

__all__ = ["CHIP_WORDS"]


def _describe_registration(page: Page, fact: ChipRegistered, _: str) -> None:
    """How many chips enter the register; which ones only the tag key's holders can tell."""
    page.title = page.say("show.kind.chip-registered")
    _date(page, fact.effective)
    page.add("batch", fact.batch)
    keyed = sum(chip.device_key is not None for chip in fact.chips)
    page.tell("chips", "chips.count", count=len(fact.chips), keyed=keyed)
    for chip in fact.chips:
        page.add("tag", chip.serial + (f" + {chip.device_key}" if chip.device_key else ""))
    page.tell("effect", "chips.effect")


def _describe_batch(page: Page, fact: CustodyMoved, _: str) -> None:
    """A batch of custody events under one root."""
    page.title = page.say("show.kind.custody-moved")
    _date(page, fact.effective)
    page.tell("batch", "batch.number", batch=fact.batch, events=fact.events)
    page.add("root", fact.root)
    _concealed(page, len(fact.concealed))
    page.tell("effect", "batch.effect")


def _describe_inventory(page: Page, fact: InventoryTaken, _: str) -> None:
    page.title = page.say("show.kind.inventory-taken")
    _date(page, fact.effective)
    page.add("party", tame(fact.party))
    page.add("taken", when_in_words(fact.taken, page.view.now, page.view.language))
    page.add("items", fact.items)
    _concealed(page, len(fact.concealed))
    page.tell("effect", "inventory.effect")


def _describe_balance(page: Page, fact: BalanceClosed, _: str) -> None:
    page.title = page.say("show.kind.balance-closed")
    _describe_report(page, fact)
    page.tell("verdict", f"balance.{fact.verdict}")
    page.tell("effect", "report.effect")


def _describe_production(page: Page, fact: ProductionReported, _: str) -> None:
    page.title = page.say("show.kind.production-reported")
    _describe_report(page, fact)
    page.tell("effect", "report.effect")


def _describe_report(page: Page, fact: BalanceClosed | ProductionReported) -> None:
    _date(page, fact.effective)
    page.add("party", tame(fact.party))
    page.add("period", f"{fact.period.start} / {fact.period.end}")
    page.add("report", fact.report)
    if fact.corrects is not None:
        page.add("corrects", fact.corrects)
    _concealed(page, len(fact.concealed))


def _describe_irregularity(page: Page, fact: IrregularityFound, _: str) -> None:
    """That something does not fit; at which chip and whom is concealed."""
    page.title = page.say("show.kind.irregularity-found")
    _date(page, fact.effective)
    page.tell(
        "irregularity", f"books.{fact.books}", found=tame(fact.irregularity), count=fact.count
    )
    page.add("about", fact.about)
    _concealed(page, len(fact.concealed))
    page.tell("effect", "irregularity.effect")


def _date(page: Page, at: Instant) -> None:
    page.add("drafted", when_in_words(at, page.view.now, page.view.language))


def _concealed(page: Page, count: int) -> None:
    if count:
        page.tell("meaning", "concealed", count=count)


CHIP_WORDS: Final[Mapping[type, Callable[[Page, Any, str], None]]] = {
    ChipRegistered: _describe_registration,
    CustodyMoved: _describe_batch,
    InventoryTaken: _describe_inventory,
    BalanceClosed: _describe_balance,
    ProductionReported: _describe_production,
    IrregularityFound: _describe_irregularity,
}
