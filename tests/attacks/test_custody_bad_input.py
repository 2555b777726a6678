"""Events that cannot be: too early, too late, in the wrong order, in two containers, in themselves, very many."""

from __future__ import annotations

import time

import pytest

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
    pack,
    receive,
    seen,
    ship,
    strict,
    unpack,
)

GPU = chip(1)
BOX, CRATE = "urn:x:box", "urn:x:crate"


@pytest.fixture
def register() -> Register:
    """One chip with its maker."""
    register = Register()
    register.take(commission(GPU), "maker")
    return register


def test_events_out_of_order() -> None:
    """What is early waits without effect, and takes effect at its own time once it fits."""
    register = Register()
    assert (
        register.take(event(GPU, 6, biz_step=act("activated"), site="hall"), "cloud").outcome
        == "waiting"
    )
    assert register.take(receive(GPU, 5, site="hall"), "cloud").outcome == "waiting"
    assert register.take(ship(GPU, 2, "cloud"), "maker").outcome == "waiting"
    assert register.take(commission(GPU), "maker").outcome == "taken"
    assert [taking.number for taking in register.takings[3:]] == [4, 3, 2, 1]
    standing = register.standing(GPU)
    assert (standing.state, standing.custodian, standing.number) == ("active", "cloud", 1)


def test_event_in_the_future(register: Register) -> None:
    """Beyond the slack of clocks nothing is taken, not even an observation."""
    told = seen(GPU, 5)
    taking = register.take(told, "maker", received=told.at.plus(-301))
    assert (taking.outcome, codes(taking)) == ("refused", ["in-the-future"])
    assert register.take(told, "maker", received=told.at.plus(-300)).outcome == "taken"


def test_event_before_manufacture(register: Register) -> None:
    """Nothing befalls a chip before it is made; who says to have seen it then is noted."""
    taking = register.take(ship(GPU, -1, "cloud"), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["before-manufacture"])
    assert codes(register.take(seen(GPU, -2), "maker")) == ["before-manufacture"]


def test_container_in_itself(register: Register) -> None:
    """Directly, or by way of what lies in it."""
    register.take(pack(BOX, GPU, 1), "maker")
    register.take(pack(CRATE, BOX, 2), "maker")
    for told in (pack(BOX, BOX, 3), pack(BOX, CRATE, 3)):
        taking = register.take(told, "maker")
        assert (taking.outcome, codes(taking)) == ("refused", ["contains-itself"])
    assert register.book.container(CRATE) == ""


def test_container_in_itself_in_the_past(register: Register) -> None:
    """Also where the one has long been taken out of the other."""
    register.take(pack(BOX, GPU, 1), "maker")
    register.take(pack(CRATE, BOX, 2), "maker")
    register.take(unpack(CRATE, BOX, 4), "maker")
    register.take(commission(chip(2)), "maker")
    register.take(pack(CRATE, chip(2), 1), "maker")
    taking = register.take(pack(BOX, CRATE, 3), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["contains-itself"])


def test_two_containers_at_once(register: Register) -> None:
    """The second one waits for the first to be left."""
    register.take(pack(BOX, GPU, 1), "maker")
    taking = register.take(pack(CRATE, GPU, 3), "maker")
    assert (taking.outcome, codes(taking)) == ("waiting", ["two-containers"])
    register.take(unpack(BOX, GPU, 2), "maker")
    assert register.book.container(GPU) == CRATE


def test_receipt_without_a_shipment(register: Register) -> None:
    """It waits for the shipment, and custody stays where it is."""
    taking = register.take(receive(GPU, 4, site="hall"), "cloud")
    assert (taking.outcome, codes(taking)) == ("waiting", ["receipt-without-shipment"])
    assert register.standing(GPU).custodian == "maker"


def test_shipment_that_comes_late_for_its_receipt_and_names_another(register: Register) -> None:
    """Then the receipt that waited is refused for good."""
    register.take(receive(GPU, 4, site="hall"), "cloud")
    register.take(ship(GPU, 2, "dealer"), "maker")
    assert [(t.number, t.outcome) for t in register.takings[-2:]] == [(3, "taken"), (2, "refused")]


def test_chip_leaves_while_its_container_stays(register: Register) -> None:
    """What lies in a container goes with it, or is taken out first."""
    register.take(pack(BOX, GPU, 1), "maker")
    taking = register.take(ship(GPU, 3, "cloud"), "maker")
    assert (taking.outcome, codes(taking)) == ("waiting", ["illegal-transition"])
    register.take(unpack(BOX, GPU, 2), "maker")
    assert register.standing(GPU).state == "in-transit"


def test_chip_put_back_into_a_container_that_has_left(register: Register) -> None:
    """A server that was shipped without it did not have it inside: the late word is refused."""
    server = "urn:x:server"
    register.take(commission(server, 0, ilmd={"component": "server"}), "maker")
    register.take(ship(server, 5, "cloud"), "maker")
    taking = register.take(install(server, GPU, 2), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["illegal-transition"])
    assert register.standing(GPU).parent == ""


def test_chip_taken_out_of_a_container_that_has_left_with_it(register: Register) -> None:
    """The shipment moved it; that it was out before does not fit any more."""
    register.take(pack(BOX, GPU, 1), "maker")
    register.take(ship(BOX, 5, "cloud"), "maker")
    taking = register.take(unpack(BOX, GPU, 3), "maker")
    assert taking.outcome == "refused"
    assert (register.standing(GPU).state, register.standing(GPU).parent) == ("in-transit", BOX)


def test_nothing_is_half_applied(register: Register) -> None:
    """One unknown chip among many holds up the shipment of all."""
    taking = register.take(ship([GPU, chip(2)], 2, "cloud"), "maker")
    assert (taking.outcome, taking.waits_for, dict(taking.movements)) == ("waiting", (chip(2),), {})
    assert register.standing(GPU).state == "registered"
    register.take(commission(chip(2), 1), "maker")
    assert register.standing(GPU).movement == register.standing(chip(2)).movement != ""


def test_a_hundred_thousand_chips_in_one_event() -> None:
    """Registered, shipped and received in seconds, and what is told late about a part of them."""
    register = Register()
    chips = [chip(number) for number in range(100_000)]
    started = time.process_time()
    for told, by in (
        (commission(chips), "maker"),
        (ship(chips, 2, "cloud"), "maker"),
        (receive(chips, 4, site="hall"), "cloud"),
        (seen(chips[:10_000], 3), "maker"),
    ):
        assert register.take(told, by).outcome == "taken"
    assert time.process_time() - started < 60
    assert register.standing(chips[-1]).custodian == "cloud"


def test_alerts_of_one_event_are_bounded(register: Register) -> None:
    """A count of very many unknown chips says how many more there were."""
    taking = register.take(seen([chip(n) for n in range(5_000)], 2), "maker")
    assert len(taking.alerts) == 1_000
    assert "and 3999 more" in taking.alerts[-1].detail


def test_very_many_waiting_events_on_one_chip() -> None:
    """A flood of claims by one party slows its chip's next event, and changes nothing."""
    register = Register(strict(future_slack_s=0))
    register.take(commission(GPU), "maker")
    for minute in range(2_000):
        register.take(receive(GPU, 1 + minute / 60), "dealer", received=after(START, 99))
    started = time.process_time()
    assert register.take(ship(GPU, 50, "cloud"), "maker").outcome == "taken"
    assert time.process_time() - started < 5
    assert register.standing(GPU).custodian == "maker"


def test_an_event_without_a_single_chip(register: Register) -> None:
    """Quantities of a class are nobody's custody here: kept, without effect."""
    taking = register.take(ship((), 2, "cloud"), "maker")
    assert (taking.outcome, taking.touches, dict(taking.movements)) == ("taken", (), {})


def test_a_container_that_is_not_named(register: Register) -> None:
    """Into nothing nothing is put."""
    taking = register.take(pack("", GPU, 2), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["illegal-transition"])
