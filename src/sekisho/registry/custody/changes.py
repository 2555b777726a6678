"""What each act changes in a chip's standing, once the life table and the signatures allow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from sekisho.model.custody import Movement, Standing
from sekisho.registry.custody.facts import Facts
from sekisho.registry.custody.life import Passage
from sekisho.registry.custody.track import Mark, Share, Step, Track, Trouble

__all__ = ["CHANGES", "moved", "standing_at", "unmoved"]


def _ship(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    if facts.senders and was.custodian not in facts.senders:
        return Trouble("wrong-signer", f"is with {was.custodian}, whom the shipment does not name")
    consignee = next(iter(facts.receivers), "") or _keeper(facts) or was.custodian
    header = Movement(
        reference=facts.reference,
        state="under-way",
        shipper=was.custodian,
        consignee=consignee,
        destination=facts.destination,
        owner=facts.owner,
        shipped=facts.at,
        due=facts.at.plus(facts.terms.custody.receipt_within_s),
        shipment=facts.number,
        epcs=(),
    )
    now = replace(
        was,
        state=passage.to,
        holder=facts.carrier(was.custodian, consignee) or was.custodian,
        movement=header.reference,
        licence=facts.licence or was.licence,
        at=facts.at,
        number=facts.number,
    )
    return Step(Track(now, track.parent, header), (Mark(header.reference, "under-way", header),))


def _keeper(facts: Facts) -> str:
    place = facts.terms.place(facts.destination) if facts.destination else None
    return (place.keeper or "") if place is not None else ""


def _receive(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """Custody passes here and nowhere else, but for registration and adjudication."""
    movement = track.movement
    if movement is None:  # exported, and back with its custodian
        return Step(standing_at(track, moved(was, facts, state=passage.to, holder=was.custodian)))
    if track.sent_back:
        back = moved(was, facts, state=passage.to, holder=was.custodian, movement="")
        return _leave(track, back, "taken-back")
    receiver = movement.consignee
    follows = was.owner == was.custodian
    site = facts.site or movement.destination or was.site
    place = facts.terms.place(site)
    now = replace(
        was,
        state=passage.to,
        custodian=receiver,
        holder=receiver,
        owner=facts.owner or movement.owner or (receiver if follows else was.owner),
        site=site,
        country=place.country if place is not None else "",
        movement="",
        licence=facts.licence or was.licence,
        at=facts.at,
        number=facts.number,
    )
    return _leave(track, now, "received")


def _refuse(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """It goes back: the shipper stays custodian, and has as long to receive it again as the consignee had."""
    movement = track.movement
    if movement is None:
        return Step(track)
    due = facts.at.plus(facts.terms.custody.receipt_within_s)
    header = replace(movement, due=max(due, movement.due))
    now = moved(was, facts, state=passage.to)
    return Step(
        Track(now, track.parent, header, sent_back=True),
        (Mark(header.reference, "refused", header),),
    )


def _divert(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """Another consignee or destination under the same reference."""
    movement = track.movement
    if movement is None:
        return Step(track)
    header = _redirected(movement, facts)
    now = moved(was, facts, state=passage.to)
    mark = Mark(header.reference, "refused" if track.sent_back else "under-way", header)
    return Step(Track(now, track.parent, header, track.sent_back), (mark,))


def _split(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """What the event names goes on under a reference of its own."""
    movement = track.movement
    if movement is None or track.sent_back:
        return Trouble("illegal-transition", "is not under way to its consignee", waits=True)
    if facts.reference == movement.reference:
        return Trouble("bad-reference", "the part that is split off takes a reference of its own")
    header = replace(
        _redirected(movement, facts),
        reference=facts.reference,
        shipment=facts.number,
        epcs=(),
        received=(),
        lost=(),
        refused=(),
    )
    now = moved(was, facts, state=passage.to, movement=header.reference)
    return Step(
        Track(now, track.parent, header),
        (Mark(movement.reference, "moved"), Mark(header.reference, "under-way", header)),
    )


def _redirected(movement: Movement, facts: Facts) -> Movement:
    return replace(
        movement,
        state="under-way",
        consignee=next(iter(facts.receivers), "") or movement.consignee,
        destination=facts.destination or movement.destination,
        owner=facts.owner or movement.owner,
    )


def _cancel(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    now = moved(was, facts, state=passage.to, holder=was.custodian, movement="")
    return _leave(track, now, "taken-back" if track.sent_back else "cancelled")


def _place(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """Seen at a place by who has it; under way it may be handed to another carrier."""
    holder = was.holder
    if was.state == "in-transit" and track.movement is not None:
        movement = track.movement
        holder = facts.carrier(movement.shipper, movement.consignee) or was.holder
    return Step(standing_at(track, moved(was, facts, state=passage.to, holder=holder)))


def _live(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """Only the state changes, and the place where the event names one."""
    return Step(standing_at(track, moved(was, facts, state=passage.to)))


def _end(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """Lost, stolen or destroyed: whoever was custodian stays accountable."""
    if was.state != "in-transit" or track.movement is None:
        return _live(track, was, facts, passage)
    now = moved(was, facts, state=passage.to, movement="", keep_place=True)
    step = _leave(track, now, "lost")
    reference = track.movement.reference
    return replace(step, notes=(("lost-in-transit", f"{passage.to} in movement {reference}"),))


def _recover(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    """The adjudicator says whose it is; where it names nobody, it goes back to who was accountable."""
    heir = next(iter(facts.receivers), "") or was.custodian
    owner = facts.owner or was.owner
    now = moved(was, facts, state=passage.to, custodian=heir, holder=heir, owner=owner)
    return Step(standing_at(track, now))


def _attach(track: Track, was: Standing, facts: Facts, passage: Passage) -> Step | Trouble:
    del passage  # the state stays
    licence = "" if facts.event.action == "DELETE" else facts.licence or was.licence
    now = replace(was, licence=licence, at=facts.at, number=facts.number)
    return Step(standing_at(track, now))


_Change = Callable[[Track, Standing, Facts, Passage], Step | Trouble]
CHANGES: Final[Mapping[str, _Change]] = {
    "ship": _ship,
    "receive": _receive,
    "return": _receive,
    "refuse": _refuse,
    "divert": _divert,
    "split": _split,
    "cancel": _cancel,
    "place": _place,
    "activate": _live,
    "suspend": _live,
    "export": _live,
    "find": _live,
    "lose": _end,
    "steal": _end,
    "destroy": _end,
    "rework": _end,
    "recover": _recover,
    "attach-licence": _attach,
}


def moved(was: Standing, facts: Facts, *, keep_place: bool = False, **fields: str) -> Standing:
    """The standing with these fields, at the event's place if it names one, under the licence that it attaches."""
    if facts.site and not keep_place:
        fields["site"], fields["country"] = facts.site, facts.country
    if facts.licence:
        fields["licence"] = facts.licence
    return replace(was, **fields, at=facts.at, number=facts.number)


def unmoved(track: Track, was: Standing, facts: Facts) -> Step:
    """All as it was, but that this is the newest event."""
    return Step(standing_at(track, replace(was, at=facts.at, number=facts.number)))


def standing_at(track: Track, standing: Standing) -> Track:
    """The same track with another standing."""
    return Track(standing, track.parent, track.movement, track.sent_back)


def _leave(track: Track, standing: Standing, share: Share) -> Step:
    """Out of its movement."""
    reference = track.movement.reference if track.movement is not None else ""
    return Step(Track(standing, track.parent), (Mark(reference, share),))
