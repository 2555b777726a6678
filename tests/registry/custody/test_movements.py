"""Shipments: by their reference, with their timer, split, diverted, refused, lost, received in part."""

from __future__ import annotations

import pytest

from sekisho.registry.custody import derive_reference, open_chips, overdue
from sekisho.registry.epcis.event import Event, Typed
from tests.registry.custody.events import (
    Register,
    act,
    at_hour,
    chip,
    codes,
    commission,
    event,
    install,
    own,
    pack,
    party,
    place,
    receive,
    ship,
    unpack,
)

CHIPS = [chip(1), chip(2), chip(3)]
BOX, SERVER = "urn:x:box", "urn:x:server"


@pytest.fixture
def register() -> Register:
    """Three chips on their way from their maker to a cloud's hall."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    register.take(ship(CHIPS, 2, "cloud", bound_for="hall"), "maker")
    return register


def test_a_shipment_makes_a_movement_with_a_timer(register: Register) -> None:
    """It says who sends what to whom, where it goes and until when it must be there."""
    movement = register.movement(CHIPS[0])
    assert (movement.state, movement.shipper, movement.consignee) == ("under-way", "maker", "cloud")
    assert (movement.destination, movement.epcs) == ("hall", tuple(CHIPS))
    assert movement.due == at_hour(2 + 14 * 24)
    standing = register.standing(CHIPS[0])
    assert (standing.custodian, standing.holder, standing.state) == ("maker", "maker", "in-transit")


def test_a_shipment_without_a_reference_gets_one_from_its_hash_id(register: Register) -> None:
    """Whoever has the event can work it out."""
    known = derive_reference(register.captured[2].hash_id, at_hour(2), "")
    assert register.movement(CHIPS[0]).reference == known
    other = Register()
    other.take(commission(CHIPS), "maker")
    other.take(ship(CHIPS, 2, "cloud", read_point=place("fab")), "maker")
    assert other.movement(CHIPS[0]).reference[:4] == "26TW"


def test_a_receipt_passes_custody_and_closes_the_movement(register: Register) -> None:
    """Custodian, holder and owner are the consignee; without a place it is the shipment's destination."""
    reference = register.movement(CHIPS[0]).reference
    assert register.take(receive(CHIPS, 5), "cloud").alerts == ()
    standing = register.standing(CHIPS[1])
    assert (standing.custodian, standing.holder, standing.owner) == ("cloud", "cloud", "cloud")
    assert (standing.site, standing.country, standing.movement) == ("hall", "JP", "")
    assert register.book.movements[reference].state == "received"


def test_a_partial_receipt_leaves_the_rest_under_way(register: Register) -> None:
    """The shipper stays accountable for what did not arrive."""
    register.take(receive(CHIPS[0], 5), "cloud")
    movement = register.movement(CHIPS[1])
    assert (movement.state, open_chips(movement)) == ("under-way", tuple(CHIPS[1:]))
    assert register.standing(CHIPS[1]).custodian == "maker"
    register.take(receive(CHIPS[1:], 6), "cloud")
    assert register.book.movements[movement.reference].state == "received"


def test_a_receipt_that_closes_short_raises_the_shortage(register: Register) -> None:
    """Where it says that this was all, each missing chip is named."""
    told = receive(CHIPS[:2], 5, persistent_set=("completeness_verified",))
    alerts = register.take(told, "cloud").alerts
    assert [(a.code, a.epc, a.refused) for a in alerts] == [("shortage", CHIPS[2], False)]


def test_a_receipt_overdue_is_found(register: Register) -> None:
    """From the due instant on, for each chip that did not arrive, and not before."""
    register.take(receive(CHIPS[0], 5), "cloud")
    movements = list(register.book.movements.values())
    due = movements[0].due
    assert overdue(movements, due.plus(-1)) == ()
    found = overdue(movements, due)
    assert [(a.code, a.epc, a.number) for a in found] == [
        ("receipt-overdue", CHIPS[1], 2),
        ("receipt-overdue", CHIPS[2], 2),
    ]
    register.take(receive(CHIPS[1:], 500), "cloud")
    assert overdue(register.book.movements.values(), due) == ()


def test_a_refused_shipment_goes_back(register: Register) -> None:
    """The shipper receives it again; the one who refused it cannot receive it any more."""
    reference = register.movement(CHIPS[0]).reference
    refused = event(CHIPS, 4, biz_step=act("refused"))
    assert register.take(refused, "cloud").outcome == "taken"
    assert register.book.movements[reference].state == "under-way"
    assert codes(register.take(receive(CHIPS, 6), "cloud"))[0] == "wrong-signer"
    register.take(receive(CHIPS, 8, site="fab"), "maker")
    standing = register.standing(CHIPS[0])
    assert (standing.state, standing.custodian, standing.site) == ("registered", "maker", "fab")
    assert register.book.movements[reference].state == "refused"


def test_what_is_refused_and_never_taken_back_is_overdue(register: Register) -> None:
    """The timer starts again with the refusal."""
    register.take(event(CHIPS, 100, biz_step=act("refused")), "cloud")
    movement = register.movement(CHIPS[0])
    assert movement.due == at_hour(100 + 14 * 24)
    assert len(overdue([movement], movement.due)) == len(CHIPS)


def test_a_shipment_is_cancelled(register: Register) -> None:
    """By its shipper; what is left of it goes on."""
    assert (
        codes(register.take(event(CHIPS, 3, biz_step="void_shipping"), "cloud"))[0]
        == "other-holder"
    )
    register.take(event(CHIPS[0], 3, biz_step="void_shipping"), "maker")
    assert register.standing(CHIPS[0]).state == "registered"
    assert register.movement(CHIPS[1]).epcs == tuple(CHIPS[1:])
    reference = register.movement(CHIPS[1]).reference
    register.take(event(CHIPS[1:], 4, biz_step="void_shipping"), "maker")
    assert register.book.movements[reference].state == "cancelled"


def test_a_shipment_is_diverted_as_a_whole(register: Register) -> None:
    """To another consignee, who alone may receive it then; a part is split off first."""
    diverted = event(CHIPS[0], 3, biz_step=act("diverted"), to="dealer", bound_for="hub")
    taking = register.take(diverted, "maker")
    assert (taking.outcome, set(codes(taking))) == ("waiting", {"illegal-transition"})
    register.take(event(CHIPS, 3, biz_step=act("diverted"), to="dealer", bound_for="hub"), "maker")
    assert register.movement(CHIPS[0]).consignee == "dealer"
    assert codes(register.take(receive(CHIPS, 5), "cloud"))[0] == "wrong-signer"
    register.take(receive(CHIPS, 6), "dealer")
    assert (register.standing(CHIPS[0]).custodian, register.standing(CHIPS[0]).site) == (
        "dealer",
        "hub",
    )


def test_a_shipment_is_split_in_two(register: Register) -> None:
    """Each half has its reference, and the new one may go elsewhere."""
    split = event(CHIPS[0], 3, biz_step=act("split"), to="dealer")
    register.take(split, "maker")
    one, other = register.movement(CHIPS[0]), register.movement(CHIPS[1])
    assert one.reference != other.reference
    assert (one.epcs, one.consignee) == ((CHIPS[0],), "dealer")
    assert (other.epcs, other.consignee) == (tuple(CHIPS[1:]), "cloud")
    assert one.due == other.due
    register.take(receive(CHIPS[0], 5), "dealer")
    assert register.standing(CHIPS[0]).custodian == "dealer"


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (event(CHIPS[0], 4, biz_step=act("lost")), "lost"),
        (event(CHIPS[0], 4, disposition="stolen"), "stolen"),
        (event(CHIPS[0], 4, biz_step="destroying"), "destroyed"),
    ],
)
def test_loss_in_transit_stays_with_the_shipper(
    register: Register, told: Event, state: str
) -> None:
    """The last custodian is accountable, the movement counts it as lost, and somebody must look."""
    reference = register.movement(CHIPS[0]).reference
    taking = register.take(told, "maker")
    assert [(a.code, a.refused) for a in taking.alerts] == [("lost-in-transit", False)]
    standing = register.standing(CHIPS[0])
    assert (standing.state, standing.custodian, standing.movement) == (state, "maker", "")
    register.take(receive(CHIPS[1:], 6), "cloud")
    movement = register.book.movements[reference]
    assert (movement.state, movement.lost) == ("received", (CHIPS[0],))


def test_a_movement_all_of_which_is_lost_is_lost(register: Register) -> None:
    """And no receipt of it falls due any more."""
    register.take(event(CHIPS, 4, biz_step=act("lost")), "maker")
    (movement,) = register.book.movements.values()
    assert movement.state == "lost"
    assert overdue([movement], movement.due) == ()


def test_a_carrier_reports_the_loss_of_what_it_carries() -> None:
    """Who holds it may say that it is gone; the shipper stays accountable."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    carried = ship(CHIPS, 2, "cloud", extensions={own("carrier"): party("dealer")})
    register.take(carried, "maker")
    assert register.take(event(CHIPS[0], 3, biz_step=act("lost")), "dealer").outcome == "taken"
    assert register.standing(CHIPS[0]).custodian == "maker"


def test_a_second_possessing_party_is_the_carrier() -> None:
    """Neither shipper nor consignee: it holds, and may hand on to another carrier."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    ends = tuple(Typed("possessing_party", party(name)) for name in ("cloud", "dealer"))
    register.take(ship(CHIPS, 2, "", destinations=ends), "maker")
    assert (register.standing(CHIPS[0]).holder, register.movement(CHIPS[0]).consignee) == (
        "dealer",
        "cloud",
    )
    handed = event(CHIPS, 3, biz_step="loading", extensions={own("carrier"): party("freight")})
    register.take(handed, "dealer")
    assert register.standing(CHIPS[0]).holder == "freight"


def test_ownership_follows_custody_unless_somebody_said_otherwise() -> None:
    """A shipment may name the owner; what is leased keeps its own."""
    register = Register()
    owned = Typed("owning_party", party("bank"))
    register.take(commission(CHIPS[0]), "maker")
    register.take(commission(CHIPS[1], destinations=(owned,)), "maker")
    register.take(commission(CHIPS[2]), "maker")
    register.take(ship(CHIPS[:2], 2, "cloud"), "maker")
    to_bank = (Typed("possessing_party", party("cloud")), owned)
    register.take(ship(CHIPS[2], 2, "", destinations=to_bank), "maker")
    assert register.standing(CHIPS[2]).owner == "maker"
    register.take(receive(CHIPS, 5), "cloud")
    assert [register.standing(epc).owner for epc in CHIPS] == ["cloud", "bank", "bank"]


def test_a_shipment_to_a_place_is_for_its_keeper() -> None:
    """Where no party is named; a place of one's own is a transfer to oneself."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    to_hall = (Typed("location", "urn:sekisho:place:hall"),)
    to_fab = (Typed("location", "urn:sekisho:place:fab"),)
    register.take(ship(CHIPS[0], 2, "", destinations=to_hall), "maker")
    register.take(ship(CHIPS[1], 2, "", destinations=to_fab), "maker")
    assert register.movement(CHIPS[0]).consignee == "cloud"
    assert register.movement(CHIPS[1]).consignee == "maker"


def test_contents_travel_with_what_is_named() -> None:
    """A box with a server with chips: only the box is named, and all of it moves and arrives."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    register.take(commission(SERVER, ilmd={"component": "server"}), "maker")
    register.take(install(SERVER, CHIPS[:2], 1), "maker")
    register.take(pack(BOX, [SERVER, CHIPS[2]], 2), "maker")
    shipped = register.take(ship(BOX, 3, "cloud"), "maker")
    roles = {touch.epc: touch.role for touch in shipped.touches}
    assert roles == {BOX: "epc", SERVER: "inside", **dict.fromkeys(CHIPS, "inside")}
    assert register.movement(CHIPS[0]).epcs == tuple(sorted([SERVER, *CHIPS]))
    register.take(receive(BOX, 5, site="hall"), "cloud")
    assert {register.standing(epc).custodian for epc in (SERVER, *CHIPS)} == {"cloud"}
    register.take(unpack(BOX, (), 6), "cloud")
    assert register.book.inside(BOX) == ()
    assert register.standing(CHIPS[0]).parent == SERVER


def test_a_pallet_is_received_chip_by_chip() -> None:
    """Packaging that nobody registered need not be unpacked first; receiving it afterwards is no fault."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    register.take(pack(BOX, CHIPS, 1), "maker")
    register.take(ship(BOX, 2, "cloud"), "maker")
    assert register.take(receive(CHIPS[0], 4, site="hall"), "cloud").outcome == "taken"
    assert register.take(receive(BOX, 5, site="hall"), "cloud").outcome == "taken"
    assert {register.standing(epc).custodian for epc in CHIPS} == {"cloud"}


def test_what_is_lost_or_destroyed_does_not_travel_with_its_container() -> None:
    """The server that it was in goes on without it."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    register.take(commission(SERVER, ilmd={"component": "server"}), "maker")
    register.take(install(SERVER, CHIPS, 1), "maker")
    register.take(event(CHIPS[0], 2, biz_step=act("lost")), "maker")
    register.take(event(CHIPS[1], 2, biz_step="destroying"), "maker")
    register.take(ship(SERVER, 3, "cloud"), "maker")
    assert register.movement(SERVER).epcs == tuple(sorted([SERVER, CHIPS[2]]))
    assert register.take(receive(SERVER, 5, site="hall"), "cloud").outcome == "taken"
    assert [register.standing(epc).custodian for epc in CHIPS] == ["maker", "maker", "cloud"]


def test_an_event_that_changes_the_past_alone_releases_what_waited_for_it() -> None:
    """The chip lies in the server before and after; only in between it now can have been taken out."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    register.take(install(SERVER, CHIPS[0], 4), "maker")
    out = register.take(unpack(SERVER, CHIPS[0], 3, type="AssociationEvent"), "maker")
    assert out.outcome == "waiting"
    late = register.take(install(SERVER, CHIPS[0], 2), "maker")
    assert (late.outcome, dict(late.standings)) == ("taken", {})
    assert [(taking.number, taking.outcome) for taking in register.takings[-1:]] == [(3, "taken")]


def test_a_shipment_of_the_past_takes_along_what_was_inside_then() -> None:
    """Also what was taken out since; what came in since stays where it is."""
    register = Register()
    register.take(commission(CHIPS), "maker")
    register.take(pack(BOX, CHIPS[:2], 1), "maker")
    register.take(receive(BOX, 5, site="hall"), "cloud")
    register.take(unpack(BOX, CHIPS[0], 6), "cloud")
    register.take(pack(BOX, CHIPS[2], 7), "maker")
    register.take(ship(BOX, 2, "cloud"), "maker")
    assert [register.standing(epc).custodian for epc in CHIPS] == ["cloud", "cloud", "maker"]
    assert [register.standing(epc).parent for epc in CHIPS] == ["", BOX, BOX]
