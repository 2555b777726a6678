"""What several chips of one event have to do with each other, and with the rule's parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sekisho.model.custody import Movement, Standing
from sekisho.registry.custody.case import Case, Change, Stay
from sekisho.registry.custody.facts import Facts, Role, puts_in
from sekisho.registry.custody.movements import open_chips
from sekisho.registry.custody.reference import is_reference
from sekisho.registry.custody.track import Trouble

__all__ = ["check_alone", "check_together"]

Found = tuple[str, Trouble]
_NOT_ALONE = frozenset({"ship", "cancel", "divert", "split", "export"})
_ARRIVING = frozenset({"receive", "return", "refuse"})
MOST_LEVELS: Final = 32
"""Containers in containers. Chip, board, server, rack, crate, pallet, container, ship are eight."""


def check_alone(facts: Facts) -> Trouble | None:
    """What can be said of an event without the book: its time, and that the sides which it names signed it."""
    slack = facts.terms.custody.future_slack_s
    if facts.at.us > facts.captured.received.us + slack * 1_000_000:
        return Trouble("in-the-future", f"is of {facts.at}, received at {facts.captured.received}")
    if facts.effect == "ship":
        return _ends_signed(facts.senders, facts, "source") or _is_named(facts)
    if facts.effect in _ARRIVING and facts.event.destinations:
        return _ends_signed(facts.receivers, facts, "destination")
    return None


def _ends_signed(ends: tuple[str, ...], facts: Facts, which: str) -> Trouble | None:
    if not ends or any(name in facts.parties for name in ends):
        return None
    named = " and ".join(name or "nobody known here" for name in ends)
    return Trouble("wrong-signer", f"names {named} at its {which}, who did not sign it")


def _is_named(facts: Facts) -> Trouble | None:
    if facts.receivers and not facts.receivers[0]:
        return Trouble("wrong-signer", "names a consignee whom this register does not know")
    return None


def check_together(
    case: Case, changes: Mapping[str, Change], subjects: Mapping[str, Role]
) -> list[Found]:
    """All that is wrong although each chip by itself would do."""
    found = [*_left_behind(case, changes, subjects)]
    effect = case.facts.effect
    if effect in ("ship", "split"):
        found += _shipments(case, changes)
    elif effect in ("receive", "return"):
        found += _uninspected(case, changes)
    elif effect == "divert":
        found += _half_diverted(case, changes)
    elif effect in ("install", "pack", "remove", "unpack"):
        found += _containers(case, changes)
    elif effect in ("register", "rework"):
        found += _doubles(case, changes)
    return found


def _left_behind(
    case: Case, changes: Mapping[str, Change], subjects: Mapping[str, Role]
) -> Iterator[Found]:
    """What goes somewhere while the container that it lies in stays."""
    effect = case.facts.effect
    if effect not in _NOT_ALONE and effect not in _ARRIVING:
        return
    for epc in subjects:
        parent = changes[epc].lay_in
        if not parent or parent in changes:
            continue
        if effect in _NOT_ALONE or case.book.standing(parent) is not None:
            detail = f"lies in {parent}, which the event leaves where it is"
            yield epc, Trouble("illegal-transition", detail, waits=True)


def _shipments(case: Case, changes: Mapping[str, Change]) -> Iterator[Found]:
    """One shipper for each reference, which nothing else bears; notice and approval where the rule asks."""
    headers: dict[str, Movement] = {}
    for epc, change in changes.items():
        for reference, header in change.headers.items():
            known = headers.setdefault(reference, header)
            if known.shipper != header.shipper:
                detail = f"is {header.shipper}'s in a shipment of {known.shipper}'s"
                yield epc, Trouble("wrong-signer", detail)
    first = next(iter(changes), "")
    for header in headers.values():
        trouble = _reference(case, header) or _announcement(case, header)
        if trouble is not None:
            yield first, trouble
    asked = case.facts.terms.custody.approval_asked and case.facts.effect == "ship"
    if headers and asked and not case.facts.approved:
        yield first, Trouble("approval-missing", "names no certificate that approves it")


def _reference(case: Case, header: Movement) -> Trouble | None:
    if case.facts.stated_reference and not is_reference(header.reference):
        detail = (
            f"{header.reference[:40]!r} is no movement reference, or its check character is wrong"
        )
        return Trouble("bad-reference", detail)
    known = case.book.movement(header.reference)
    if known is None or known.state == "cancelled":
        return None
    same = known.shipper == header.shipper
    if known.state != "announced":
        same &= (known.consignee, known.destination) == (header.consignee, header.destination)
        same &= known.state == "under-way" or case.facts.at <= known.due
    if same:
        return None
    return Trouble("bad-reference", f"{header.reference} is another movement of {known.shipper}'s")


def _announcement(case: Case, header: Movement) -> Trouble | None:
    notice_s = case.facts.terms.custody.notice_s
    if not notice_s or case.facts.effect != "ship":
        return None
    known = case.book.movement(header.reference)
    if known is None or known.state != "announced":
        return Trouble("notice-too-short", "was not announced")
    if known.consignee != header.consignee:
        return Trouble("notice-too-short", f"was announced for {known.consignee}")
    if case.facts.at.since(known.shipped) >= notice_s:
        return None
    detail = f"was announced at {known.shipped}; the rule asks for {notice_s} s"
    return Trouble("notice-too-short", detail)


def _uninspected(case: Case, changes: Mapping[str, Change]) -> Iterator[Found]:
    above = case.facts.terms.custody.inspector_above
    if above is None or "inspect" in case.captured.powers:
        return
    seen: set[str] = set()
    for epc, change in changes.items():
        for reference, share in change.shares.items():
            if share != "received" or reference in seen:
                continue
            seen.add(reference)
            movement = case.book.movement(reference)
            count = len(movement.epcs) if movement is not None else len(changes)
            if count >= above:
                detail = (
                    f"is one of {count} in movement {reference}; from {above} an inspector signs"
                )
                yield epc, Trouble("inspector-missing", detail)


def _half_diverted(case: Case, changes: Mapping[str, Change]) -> Iterator[Found]:
    seen: set[str] = set()
    for epc, change in changes.items():
        for reference in change.headers:
            movement = case.book.movement(reference)
            if reference in seen or movement is None:
                continue
            seen.add(reference)
            left = [other for other in open_chips(movement) if other not in changes]
            if left:
                detail = f"is diverted without {left[0]}; split {reference} first"
                yield epc, Trouble("illegal-transition", detail, waits=True)
                # Also what stays behind may make it possible, by arriving.
                behind = f"stays behind when {epc} is diverted"
                yield left[0], Trouble("illegal-transition", behind, waits=True)


def _containers(case: Case, changes: Mapping[str, Change]) -> Iterator[Found]:
    event = case.facts.event
    if not event.parent:
        yield (
            event.children[0] if event.children else "",
            Trouble("illegal-transition", "names no container"),
        )
        return
    if event.action != "ADD":
        return
    above = _above(case, event.parent)
    if len(above) + case.depth(event.children) > MOST_LEVELS:
        detail = f"would lie more than {MOST_LEVELS} containers deep"
        yield event.parent, Trouble("illegal-transition", detail)
    yield from _strangers_packaging(case, event.parent)
    for epc, change in changes.items():
        if epc in above:
            yield epc, Trouble("contains-itself", f"would lie in itself by way of {event.parent}")
        elif change.role == "content":
            trouble = case.passed_over(epc, [Stay(event.parent, case.facts.at, None)])
            if trouble is not None:
                yield epc, trouble


def _strangers_packaging(case: Case, parent: str) -> Iterator[Found]:
    """Into packaging that nobody registered and that holds something only those who hold some of that put more.

    Else a stranger's chip among another's goods would keep the whole pallet from being shipped, or received.
    """
    if case.standing_then(parent) is not None:
        return
    parties = case.facts.parties
    stranger: Standing | None = None
    for child in case.book.inside(parent):
        there = case.standing_then(child)
        if there is None or there.parent != parent:
            continue
        if there.custodian in parties or there.holder in parties:
            return
        stranger = stranger or there
    if stranger is not None:
        detail = f"goes into {parent}, in which {stranger.custodian}'s {stranger.epc} lies"
        yield case.facts.event.children[0], Trouble("other-holder", detail, waits=True)


def _above(case: Case, parent: str) -> set[str]:
    """The contents' container and all that it lies in; for an event of the past all that it ever lay in."""
    book = case.book
    standing = book.standing(parent)
    is_late = standing is None or standing.at > case.facts.at
    found: set[str] = set()
    level = [parent]
    while level:
        level = [epc for epc in level if epc and epc not in found]
        found.update(level)
        outer = [book.container(epc) for epc in level]
        if is_late:
            outer += [
                captured.event.parent
                for epc in level
                for captured in book.history(epc)
                if epc in captured.event.children and puts_in(captured)
            ]
        level = outer
    return found - _only_container(case)


def _only_container(case: Case) -> set[str]:
    """The container itself is no content, unless the event names it as that too."""
    event = case.facts.event
    return set() if event.parent in case.facts.children else {event.parent}


def _doubles(case: Case, changes: Mapping[str, Change]) -> Iterator[Found]:
    """Serials and device keys that somebody bears already, in the book or in the event itself."""
    serials: dict[tuple[str, str], str] = {}
    keys: dict[str, str] = {}
    for epc, change in _entering(changes.values()):
        standing = change.now.standing
        if standing is None:
            continue
        who = standing.identity
        serial = (who.maker, who.serial)
        other = serials.setdefault(serial, epc)
        other = case.book.by_identity(*serial) or other
        if other != epc:
            yield epc, Trouble("duplicate-serial", f"{who.maker}'s {who.serial} is {other}")
        if who.device_key:
            other = keys.setdefault(who.device_key, epc)
            other = case.book.by_device_key(who.device_key) or other
            if other != epc:
                yield epc, Trouble("other-device-key", f"its device key is that of {other}")


def _entering(changes: Iterable[Change]) -> Iterator[tuple[str, Change]]:
    for change in changes:
        if change.was.standing is None and change.now.standing is not None:
            yield change.epc, change
