"""Attacks by those who hold nothing: what a stranger says about others' goods must not hold them up."""

from __future__ import annotations

from sekisho.registry.custody.judging import MOST_LEVELS
from tests.registry.custody.events import (
    Register,
    chip,
    codes,
    commission,
    declare,
    event,
    install,
    own,
    pack,
    party,
    receive,
    ship,
    unpack,
)

PALLET, SERVER = "urn:x:pallet", "urn:x:server"
MINE = [chip(1), chip(2)]
THEIRS = chip(9)


def packed() -> Register:
    """A pallet that nobody registered, with the maker's chips in it; a stranger has a chip as well."""
    register = Register()
    register.take(commission(MINE), "maker")
    register.take(commission(THEIRS), "mallory")
    register.take(pack(PALLET, MINE, 1), "maker")
    return register


def test_a_strangers_chip_does_not_get_onto_a_pallet_before_it_is_shipped() -> None:
    """It would have to be shipped by its own custodian, and everything on the pallet would wait for that."""
    register = packed()
    planted = register.take(pack(PALLET, THEIRS, 1.5), "mallory")
    assert (planted.outcome, codes(planted)) == ("waiting", ["other-holder"])
    assert register.take(ship(PALLET, 2, "cloud"), "maker").outcome == "taken"
    assert register.standing(THEIRS).parent == ""


def test_a_strangers_chip_does_not_get_onto_a_pallet_that_is_under_way() -> None:
    """No shipment of it is under way, so the receipt of all the rest would wait."""
    register = packed()
    register.take(ship(PALLET, 2, "cloud"), "maker")
    assert register.take(pack(PALLET, THEIRS, 2.5), "mallory").outcome == "waiting"
    assert register.take(receive(PALLET, 3), "cloud").outcome == "taken"
    assert {register.standing(epc).custodian for epc in MINE} == {"cloud"}


def test_a_pallet_that_was_emptied_is_anybodys() -> None:
    """Packaging goes from hand to hand; who holds nothing that lies in it now has no say."""
    register = packed()
    register.take(unpack(PALLET, (), 2), "maker")
    assert register.take(pack(PALLET, THEIRS, 3), "mallory").outcome == "taken"


def test_a_carrier_packs_together_what_it_holds_for_several() -> None:
    """Whoever holds some of it, for whomever, may put more of what it holds there."""
    register = Register()
    carrier = {own("carrier"): party("forwarder")}
    for epc, maker in ((chip(1), "maker"), (THEIRS, "mallory")):
        register.take(commission(epc), maker)
        register.take(ship(epc, 1, "cloud", extensions=carrier), maker)
    register.take(pack(PALLET, chip(1), 3), "forwarder")
    assert register.take(pack(PALLET, THEIRS, 4), "forwarder").outcome == "taken"


def test_who_sees_a_chip_pass_does_not_keep_its_registration_from_undoing() -> None:
    """Nothing rests on what a stranger saw; on what its custodian did something does."""
    for by, outcome in (("mallory", "taken"), ("maker", "refused")):
        register = Register()
        wrong = commission(chip(1))
        register.take(wrong, "maker")
        register.take(event(chip(1), 1, biz_step="arriving", site="hub"), by)
        assert register.take(declare(wrong, hours=2), "maker").outcome == outcome, by


def test_who_sees_a_server_pass_does_not_keep_a_late_installation_out() -> None:
    """Only who holds it moves it, so that what is told late would have had to move along."""
    for by, outcome in (("mallory", "taken"), ("maker", "refused")):
        register = Register()
        register.take(commission([chip(1), SERVER]), "maker")
        register.take(event(SERVER, 10, biz_step="arriving", site="fab"), by)
        assert register.take(install(SERVER, chip(1), 2), "maker").outcome == outcome, by


def test_an_unsigned_word_about_contents_does_not_make_a_container_contain_itself() -> None:
    """A stranger says that the pallet lies in the chip; the chip is packed onto the pallet all the same."""
    register = Register()
    register.take(commission([chip(1), SERVER]), "maker")
    for container in (PALLET, SERVER):
        assert codes(register.take(pack(chip(1), container, 0.5)))[0] == "unsigned"
    register.take(event(SERVER, 10, biz_step="inspecting"), "maker")
    assert register.take(pack(PALLET, chip(1), 2), "maker").outcome == "taken"


def test_a_signed_sighting_of_contents_does_not_make_a_container_contain_itself() -> None:
    """To have seen one thing in another is not to have put it there."""
    register = Register()
    register.take(commission(chip(1)), "maker")
    sighting = pack(chip(1), PALLET, 0.5, action="OBSERVE", biz_step="storing")
    register.take(sighting, "mallory")
    register.take(event(chip(1), 1, biz_step="arriving"), "mallory")
    assert register.take(pack(PALLET, chip(1), 2), "maker").outcome == "taken"


def test_containers_are_not_put_into_each_other_without_end() -> None:
    """Each level costs a look at all below it: some dozens are more than any goods need."""
    register = Register()
    register.take(commission(chip(1)), "maker")
    found = [register.take(pack("urn:x:0", chip(1), 1), "maker")]
    for level in range(MOST_LEVELS + 3):
        outer, inner = f"urn:x:{level + 1}", f"urn:x:{level}"
        found.append(register.take(pack(outer, inner, 1 + level / 100), "maker"))
    outcomes = [taking.outcome for taking in found]
    assert outcomes[:MOST_LEVELS] == ["taken"] * MOST_LEVELS
    assert outcomes[MOST_LEVELS] == "refused"
    assert "taken" not in outcomes[MOST_LEVELS:]


def test_a_device_key_in_another_spelling_is_the_same_key() -> None:
    """Full-width digits, spaces and capitals make no second chip of one."""
    for spelling in ("ABAB" * 16, " " + "ab" * 32, "ａｂ" * 32):
        register = Register()
        register.take(commission(chip(1), ilmd={"deviceKeySha256": "ab" * 32}), "maker")
        again = register.take(commission(chip(2), ilmd={"deviceKeySha256": spelling}), "mallory")
        assert (again.outcome, codes(again)) == ("refused", ["other-device-key"]), spelling


def test_a_stolen_chip_does_not_pass_as_kept_in_a_rework() -> None:
    """Named as what goes in and comes out, it changes nothing, and that it turned up is said."""
    register = Register()
    register.take(commission([chip(1), SERVER]), "maker")
    register.take(event(chip(1), 1, disposition="stolen"), "maker")
    both = {"type": "TransformationEvent", "action": None, "site": "hub"}
    rework = event((), 2, inputs=(SERVER, chip(1)), outputs=(chip(2), chip(1)), **both)
    found = register.take(rework, "maker")
    assert (found.outcome, codes(found)) == ("taken", ["already-retired"])
    assert register.standing(chip(1)).state == "stolen"
