"""Attacks by way of correction: undoing what others rely on, too late, alone, or what is final."""

from __future__ import annotations

import pytest

from sekisho.model.instants import Instant
from sekisho.registry.custody import position_at
from sekisho.registry.epcis.event import Event
from tests.registry.custody.events import (
    START,
    TERMS,
    Register,
    act,
    after,
    at_hour,
    chip,
    codes,
    commission,
    declare,
    event,
    pack,
    receive,
    seen,
    ship,
    unpack,
)

GPU = chip(1)
BOX = "urn:x:box"
SHIPPED = ship(GPU, 2, "cloud")
RECEIVED = receive(GPU, 5, site="hall")


@pytest.fixture
def register() -> Register:
    """A chip that went from its maker to a cloud."""
    register = Register()
    register.take(commission(GPU), "maker")
    register.take(SHIPPED, "maker")
    register.take(RECEIVED, "cloud")
    return register


def undo(register: Register, wrong: Event, *parties: str, **how: object) -> tuple[str, list[str]]:
    hours = how.pop("hours", 8)
    assert isinstance(hours, int)
    taking = register.take(declare(wrong, str(how.pop("reason", "")), hours), *parties, **how)  # type: ignore[arg-type]  # powers
    return taking.outcome, codes(taking)


def test_both_sides_undo_a_receipt(register: Register) -> None:
    """Then custody is where it was, the shipment under way again, and the register knows both stories."""
    assert undo(register, RECEIVED, "maker", "cloud") == ("taken", [])
    assert register.takings[-1].voids == 3
    assert (register.standing(GPU).custodian, register.movement(GPU).received) == ("maker", ())
    known = [(captured, at_hour(captured.number * 10)) for captured in register.history(GPU)]

    def custodian(as_of: Instant) -> str:
        position = position_at(GPU, known, TERMS, at=at_hour(6), as_of=as_of)
        assert position is not None
        return position.custodian

    assert [custodian(at_hour(h)) for h in (20, 30, 40)] == ["maker", "cloud", "maker"]


@pytest.mark.parametrize("signers", [("maker",), ("cloud",), ("dealer",)])
def test_one_side_alone_undoes_a_receipt(register: Register, signers: tuple[str, ...]) -> None:
    """Neither the one who wants it back nor the one who wants to be rid of it."""
    assert undo(register, RECEIVED, *signers) == ("refused", ["wrong-signer"])
    assert register.standing(GPU).custodian == "cloud"


def test_the_adjudicator_undoes_a_receipt(register: Register) -> None:
    """The charter's power stands in for the side that will not sign."""
    assert undo(register, RECEIVED, powers=("adjudicate",)) == ("taken", [])
    assert register.standing(GPU).custodian == "maker"


def test_an_unsigned_error_declaration(register: Register) -> None:
    """It undoes nothing, then or as of any time."""
    assert undo(register, RECEIVED) == ("taken", ["unsigned"])
    assert register.standing(GPU).custodian == "cloud"
    known = [(captured, START) for captured in register.history(GPU)]
    position = position_at(GPU, known, TERMS, at=at_hour(99), as_of=START)
    assert position is not None
    assert position.custodian == "cloud"


def test_undoing_too_late(register: Register) -> None:
    """The window counts from when the register got the event, and no declared time moves it."""
    late = register.captured[3].received.plus(240 * 3600 + 1)
    wrong = declare(RECEIVED, hours=6)
    taking = register.take(wrong, "maker", "cloud", received=late)
    assert (taking.outcome, codes(taking)) == ("refused", ["undo-too-late"])


def test_correction_of_a_correction(register: Register) -> None:
    """What was declared an error once is not declared so again, nor is the declaration."""
    undo(register, RECEIVED, "maker", "cloud")
    again = undo(register, RECEIVED, "maker", "cloud", hours=9, reason="incorrect_data")
    assert again == ("refused", ["correction-of-correction"])
    assert register.standing(GPU).custodian == "maker"


def test_correcting_what_is_not_there(register: Register) -> None:
    """It waits for the event, and undoes it when that comes."""
    other = event(GPU, 6, biz_step=act("suspended"))
    assert undo(register, other, "cloud") == ("waiting", ["nothing-to-correct"])
    register.take(other, "cloud")
    assert [(t.number, t.outcome, t.voids) for t in register.takings[-2:]] == [
        (5, "taken", None),
        (4, "taken", 5),
    ]
    assert register.standing(GPU).state == "registered"
    nowhere = ship((), 6, "cloud")
    assert undo(register, nowhere, "maker") == ("refused", ["nothing-to-correct"])


def test_a_corrective_event_is_an_event_like_any_other(register: Register) -> None:
    """Undone and put right: the receipt, but in another hall."""
    undo(register, RECEIVED, "maker", "cloud")
    right = receive(GPU, 5, site="annexe")
    assert register.take(right, "cloud").outcome == "taken"
    assert register.standing(GPU).site == "annexe"


@pytest.mark.parametrize("wrong", [commission(GPU), SHIPPED])
def test_undoing_what_a_later_transfer_rests_on(register: Register, wrong: Event) -> None:
    """The maker cannot make a shipment unhappen that somebody received; what remains is a transfer back."""
    assert undo(register, wrong, "maker", "cloud") == ("refused", ["rests-on-it"])
    register.take(ship(GPU, 9, "maker"), "cloud")
    assert register.take(receive(GPU, 10, site="fab"), "maker").outcome == "taken"


@pytest.mark.parametrize(
    "later",
    [
        event(GPU, 7, type="TransactionEvent", action="ADD", licence="L-1"),
        event(GPU, 7, biz_step="destroying"),
        event(GPU, 7, biz_step=act("exported")),
    ],
)
def test_undoing_what_a_licence_or_destruction_rests_on(register: Register, later: Event) -> None:
    """Not even with both signatures."""
    register.take(later, "cloud")
    assert undo(register, RECEIVED, "maker", "cloud") == ("refused", ["rests-on-it"])


def test_undoing_who_was_custodian_when_it_was_shipped_on() -> None:
    """Also where the story without it would still be possible, but another party's."""
    register = Register()
    register.take(commission(GPU), "maker")
    register.take(event(GPU, 1, disposition="stolen"), "maker")
    recovered = event(GPU, 2, biz_step=act("recovered"), to="cloud")
    register.take(recovered, powers=("adjudicate",))
    register.take(event(GPU, 3, biz_step="destroying"), "cloud", "maker")
    assert undo(register, recovered, powers=("adjudicate",)) == ("refused", ["rests-on-it"])


def test_undoing_destruction(register: Register) -> None:
    """Destroyed is final, whoever signs and however soon."""
    scrapped = event(GPU, 7, biz_step="destroying")
    register.take(scrapped, "cloud")
    undone = undo(register, scrapped, "cloud", "maker", powers=("adjudicate",))
    assert undone == ("refused", ["already-retired"])
    assert register.standing(GPU).state == "destroyed"


def test_undoing_a_theft_report(register: Register) -> None:
    """Else whoever reported a chip stolen could bring it back alone."""
    stolen = event(GPU, 7, disposition="stolen")
    register.take(stolen, "cloud")
    assert undo(register, stolen, "cloud") == ("refused", ["wrong-signer"])
    assert undo(register, stolen, powers=("adjudicate",), hours=9, reason="x") == ("taken", [])
    assert register.standing(GPU).state == "registered"


def test_undoing_by_a_stranger(register: Register) -> None:
    """An observation is undone by who recorded it, an act by whose it was to do."""
    look = seen(GPU, 6, site="hall")
    register.take(look, "dealer")
    assert undo(register, look, "cloud") == ("refused", ["wrong-signer"])
    assert undo(register, look, "dealer", reason="x") == ("taken", [])


def test_undoing_that_a_chip_was_taken_out_before_its_box_left() -> None:
    """Then it would have been in the box that went without it."""
    register = Register()
    register.take(commission([GPU, chip(2)]), "maker")
    register.take(pack(BOX, [GPU, chip(2)], 1), "maker")
    out = unpack(BOX, GPU, 2)
    register.take(out, "maker")
    register.take(ship(BOX, 3, "cloud"), "maker")
    assert undo(register, out, "maker") == ("refused", ["rests-on-it"])
    assert register.standing(GPU).parent == ""


def test_undoing_that_a_chip_was_put_into_its_box_before_that_left() -> None:
    """Then it would not have been in the box that went with it; before it left, it may be undone."""
    register = Register()
    register.take(commission([GPU, chip(2)]), "maker")
    into = pack(BOX, [GPU, chip(2)], 1)
    register.take(into, "maker")
    register.take(ship(BOX, 3, "cloud"), "maker")
    assert undo(register, into, "maker") == ("refused", ["rests-on-it", "rests-on-it"])
    other = Register()
    other.take(commission([GPU, chip(2)]), "maker")
    other.take(into, "maker")
    assert undo(other, into, "maker") == ("taken", [])
    assert (other.standing(GPU).parent, other.book.inside(BOX)) == ("", ())


def test_undoing_a_registration_frees_what_it_took() -> None:
    """The chip is gone, and its serial may be registered as it should have been."""
    register = Register()
    wrong = commission(GPU, ilmd={"serial": "S-1"})
    register.take(wrong, "maker")
    assert undo(register, wrong, "maker") == ("taken", [])
    assert register.takings[-1].gone == (GPU,)
    assert register.book.standing(GPU) is None
    assert register.take(commission(chip(2), ilmd={"serial": "S-1"}), "maker").outcome == "taken"


def test_undoing_a_diversion_brings_the_first_consignee_back() -> None:
    """The movement says again what it said before."""
    register = Register()
    register.take(commission(GPU), "maker")
    register.take(SHIPPED, "maker")
    diverted = event(GPU, 3, biz_step=act("diverted"), to="dealer", bound_for="hub")
    register.take(diverted, "maker")
    assert register.movement(GPU).consignee == "dealer"
    assert undo(register, diverted, "maker") == ("taken", [])
    assert (register.movement(GPU).consignee, register.movement(GPU).destination) == ("cloud", "")


def test_undoing_the_announcement_that_a_shipment_used() -> None:
    """An announcement alone may be taken back; the movement is cancelled then."""
    register = Register()
    register.take(commission(GPU), "maker")
    announced = event(GPU, 1, biz_step=act("announced"), to="cloud")
    register.take(announced, "maker")
    reference = next(iter(register.book.movements))
    assert undo(register, announced, "maker") == ("taken", [])
    assert register.book.movements[reference].state == "cancelled"
    assert after(START, 1) == announced.at
