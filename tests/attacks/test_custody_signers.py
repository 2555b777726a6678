"""Attacks on custody by who signs: parties that take, give away or keep what is not theirs."""

from __future__ import annotations

import pytest

from sekisho.registry.epcis.event import Typed
from tests.registry.custody.events import (
    START,
    Register,
    act,
    after,
    chip,
    codes,
    commission,
    event,
    install,
    own,
    pack,
    party,
    receive,
    seen,
    ship,
    strict,
)

GPU = chip(1)


@pytest.fixture
def register() -> Register:
    """One chip with its maker."""
    register = Register()
    register.take(commission(GPU), "maker")
    return register


def test_an_unsigned_shipment_moves_nothing(register: Register) -> None:
    """It is kept as an observation, and says so."""
    taking = register.take(ship(GPU, 2, "cloud"))
    assert (taking.outcome, codes(taking), dict(taking.standings)) == ("taken", ["unsigned"], {})
    assert register.standing(GPU).state == "registered"


def test_an_unsigned_copy_sent_first_does_not_take_the_place_of_the_signed_one(
    register: Register,
) -> None:
    """Whoever sees an event and is faster does not keep it from taking effect, nor its undoing from finding it."""
    told = ship(GPU, 2, "cloud")
    register.take(told)
    assert register.take(told, "maker").outcome == "taken"
    assert register.standing(GPU).state == "in-transit"
    original = register.book.by_hash(register.captured[2].hash_id)
    assert original is not None
    assert original.parties == {"maker"}


def test_transfer_signed_by_the_receiving_side(register: Register) -> None:
    """A shipment is its custodian's to declare."""
    assert codes(register.take(ship(GPU, 2, "cloud"), "cloud")) == ["other-holder"]
    named = ship(GPU, 2, "cloud", by="maker")
    taking = register.take(named, "cloud")
    assert (taking.outcome, codes(taking)) == ("refused", ["wrong-signer"])
    assert register.standing(GPU).custodian == "maker"


def test_receipt_signed_by_the_shipping_side(register: Register) -> None:
    """Nobody rids himself of a chip by signing its receipt."""
    register.take(ship(GPU, 2, "cloud"), "maker")
    for told in (receive(GPU, 4), receive(GPU, 5, to="cloud")):
        taking = register.take(told, "maker")
        assert (taking.outcome, codes(taking)) == ("refused", ["wrong-signer"])
    assert register.standing(GPU).custodian == "maker"


def test_receipt_signed_by_a_third_party(register: Register) -> None:
    """A shipment is for its consignee; who catches it on the way is not."""
    register.take(ship(GPU, 2, "cloud"), "maker")
    taking = register.take(receive(GPU, 4, site="hub"), "dealer")
    assert (taking.outcome, codes(taking)) == ("refused", ["wrong-signer"])
    assert register.standing(GPU).custodian == "maker"


def test_a_carrier_takes_custody(register: Register) -> None:
    """A carrier holds; it neither receives, nor sends on, nor destroys."""
    register.take(ship(GPU, 2, "cloud", extensions={own("carrier"): party("dealer")}), "maker")
    standing = register.standing(GPU)
    assert (standing.custodian, standing.holder) == ("maker", "dealer")
    for told in (receive(GPU, 4), ship(GPU, 5, "dealer"), event(GPU, 6, biz_step="destroying")):
        assert register.take(told, "dealer").outcome != "taken"
    arrived = register.take(event(GPU, 7, biz_step="arriving", site="hub"), "dealer")
    assert arrived.outcome == "taken"
    assert (register.standing(GPU).custodian, register.standing(GPU).site) == ("maker", "hub")


def test_a_shipment_in_somebody_elses_name(register: Register) -> None:
    """Who signs cannot say that another party is the shipper."""
    taking = register.take(ship(GPU, 2, "dealer", by="cloud"), "dealer", "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["wrong-signer"])


def test_a_consignee_by_an_identifier_on_a_strangers_host(register: Register) -> None:
    """What merely looks like one of our parties names nobody, and nobody could receive it."""
    elsewhere = (Typed("possessing_party", "https://evil.example/urn:sekisho:party:cloud"),)
    taking = register.take(ship(GPU, 2, "cloud", destinations=elsewhere), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["wrong-signer"])


def test_fake_destruction_of_somebody_elses_chip(register: Register) -> None:
    """It has no effect, now or later."""
    assert codes(register.take(event(GPU, 2, biz_step="destroying"), "cloud")) == ["other-holder"]
    register.take(ship(GPU, 3, "cloud"), "maker")
    register.take(receive(GPU, 4, site="hall"), "cloud")
    assert register.standing(GPU).state == "registered"


def test_a_claim_parked_until_the_chip_arrives(register: Register) -> None:
    """An event that waits is judged at its own time: getting the chip later does not make it true."""
    register.take(ship(GPU, 2, "dealer"), "cloud")
    register.take(ship(GPU, 3, "cloud"), "maker")
    register.take(receive(GPU, 4, site="hall"), "cloud")
    standing = register.standing(GPU)
    assert (standing.custodian, standing.state) == ("cloud", "registered")


def test_a_thief_dates_his_receipt_back(register: Register) -> None:
    """A story of the past that would change whose chip it was later does not fit, and is refused."""
    register.take(event(GPU, 10, biz_step=act("activated"), site="fab"), "maker")
    taking = register.take(ship(GPU, 5, "cloud"), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["illegal-transition"])
    assert register.take(receive(GPU, 6), "cloud").outcome == "waiting"
    assert register.standing(GPU).custodian == "maker"


def test_a_stolen_chip_is_laundered(register: Register) -> None:
    """Nothing but the charter's adjudicator brings it back: not finding, shipping, receiving, installing or undoing."""
    stolen = event(GPU, 2, disposition="stolen")
    register.take(stolen, "maker")
    for told in (
        event(GPU, 3, biz_step=act("found")),
        ship(GPU, 4, "cloud"),
        receive(GPU, 5),
        install("urn:x:server", GPU, 6),
        event(GPU, 7, biz_step=act("recovered")),
    ):
        assert register.take(told, "maker", "cloud").outcome == "refused"
    assert register.standing(GPU).state == "stolen"


def test_somebody_elses_chip_is_reported_stolen(register: Register) -> None:
    """That would take it out of use for its custodian."""
    assert codes(register.take(event(GPU, 2, disposition="stolen"), "cloud")) == ["other-holder"]
    assert register.standing(GPU).state == "registered"


def test_somebody_elses_chip_is_put_into_a_container_and_shipped(register: Register) -> None:
    """Contents are their custodian's to move, and a container takes none along that is not."""
    assert codes(register.take(pack("urn:x:box", GPU, 2), "cloud")) == ["other-holder"]
    register.take(commission("urn:x:server", 1, ilmd={"component": "server"}), "cloud")
    assert codes(register.take(install("urn:x:server", GPU, 2), "maker")) == ["other-holder"]
    register.take(ship("urn:x:server", 3, "dealer"), "cloud")
    assert register.standing(GPU).state == "registered"


def test_a_stranger_blocks_a_registration_by_naming_the_chip_first(register: Register) -> None:
    """What is early for an unregistered chip waits; it does not stand in its maker's way."""
    for told in (ship(chip(2), 0.5, "dealer"), pack("urn:x:box", chip(2), 0.5)):
        assert register.take(told, "cloud").outcome == "waiting"
    assert register.take(commission(chip(2), 1), "maker").outcome == "taken"
    assert register.standing(chip(2)).custodian == "maker"


def test_a_chip_is_registered_in_another_makers_name(register: Register) -> None:
    """A maker may be named only by itself."""
    taking = register.take(commission(chip(2), 1, ilmd={"maker": party("maker")}), "cloud")
    assert (taking.outcome, codes(taking)) == ("refused", ["wrong-signer"])


def test_a_notice_is_dated_back() -> None:
    """Notice runs from when the register got it, not from the time that the announcement states."""
    register = Register(strict(notice_s=24 * 3600))
    register.take(commission(GPU), "maker")
    announced = event(GPU, 1, biz_step=act("announced"), to="cloud")
    register.take(announced, "maker", received=after(START, 30))
    reference = next(iter(register.book.movements))
    taking = register.take(ship(GPU, 31, "cloud", movement=reference), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["notice-too-short"])
    assert register.take(ship(GPU, 55, "cloud", movement=reference), "maker").outcome == "taken"


def test_a_notice_for_another_consignee_does_not_count() -> None:
    """Who was announced is who it may go to."""
    register = Register(strict(notice_s=3600))
    register.take(commission(GPU), "maker")
    register.take(event(GPU, 1, biz_step=act("announced"), to="cloud"), "maker")
    reference = next(iter(register.book.movements))
    taking = register.take(ship(GPU, 9, "dealer", movement=reference), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["notice-too-short"])


def test_a_receipt_is_split_to_escape_the_inspector() -> None:
    """The size of the whole movement counts, however few chips one receipt names."""
    register = Register(strict(inspector_above=3))
    chips = [chip(number) for number in range(3)]
    register.take(commission(chips), "maker")
    register.take(ship(chips, 2, "cloud"), "maker")
    taking = register.take(receive(chips[0], 4, site="hall"), "cloud")
    assert (taking.outcome, codes(taking)) == ("refused", ["inspector-missing"])
    inspected = register.take(receive(chips, 5, site="hall"), "cloud", powers=("inspect",))
    assert inspected.outcome == "taken"


def test_a_shipment_without_the_approval_that_the_rule_asks_for() -> None:
    """A certificate among its transactions, or it does not leave."""
    register = Register(strict(approval_asked=True))
    register.take(commission(GPU), "maker")
    taking = register.take(ship(GPU, 2, "cloud"), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["approval-missing"])
    assert register.take(ship(GPU, 3, "cloud", licence="L-1"), "maker").outcome == "taken"
    assert register.standing(GPU).licence == "L-1"


def test_a_false_movement_reference(register: Register) -> None:
    """One wrong character is found before the lorry leaves."""
    taking = register.take(ship(GPU, 2, "cloud", movement="26JP000000000000000A"), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["bad-reference"])


def test_a_shipment_hides_under_another_partys_reference(register: Register) -> None:
    """A reference is one shipper's way to one consignee."""
    register.take(ship(GPU, 2, "cloud"), "maker")
    reference = register.movement(GPU).reference
    register.take(commission(chip(2), 1, site="hub"), "dealer")
    taking = register.take(ship(chip(2), 3, "cloud", movement=reference), "dealer")
    assert (taking.outcome, codes(taking)) == ("refused", ["bad-reference"])


def test_a_receipt_is_put_off_by_shipping_one_more(register: Register) -> None:
    """Chips added under the same reference do not give the first ones more time."""
    register.take(ship(GPU, 2, "cloud"), "maker")
    movement = register.movement(GPU)
    register.take(commission(chip(2), 1), "maker")
    added = ship(chip(2), 200, "cloud", movement=movement.reference)
    assert register.take(added, "maker").outcome == "taken"
    assert register.movement(chip(2)).due == movement.due
    assert set(register.movement(GPU).epcs) == {GPU, chip(2)}


def test_a_stranger_sees_it_somewhere(register: Register) -> None:
    """Observations by whomever change neither place nor holder."""
    before = register.standing(GPU)
    register.take(seen(GPU, 2, site="hall"), "cloud")
    register.take(event(GPU, 3, biz_step="arriving", site="hall"), "cloud")
    standing = register.standing(GPU)
    assert (standing.site, standing.holder) == (before.site, before.holder)
