"""Clones, dummies under moved labels, doubled serials, retired chips: who a chip says that it is."""

from __future__ import annotations

import pytest

from tests.registry.custody.events import (
    Register,
    act,
    chip,
    codes,
    commission,
    event,
    install,
    own,
    receive,
    seen,
    ship,
)

GPU = chip(1)
KEY, OTHER = "aa" * 32, "bb" * 32


@pytest.fixture
def register() -> Register:
    """An active chip with a device key in its maker's hall."""
    register = Register()
    register.take(commission(GPU, ilmd={"deviceKeySha256": KEY}), "maker")
    register.take(event(GPU, 2, biz_step=act("activated"), site="fab"), "maker")
    return register


def test_clone_active_in_two_places(register: Register) -> None:
    """The second activation of the same identity elsewhere takes no effect and raises the alarm."""
    taking = register.take(event(GPU, 3, biz_step=act("activated"), site="hall"), "cloud")
    assert (taking.outcome, codes(taking)) == ("waiting", ["active-elsewhere"])
    assert register.standing(GPU).site == "fab"


@pytest.mark.parametrize("by", [(), ("cloud",)])
def test_clone_seen_in_another_place(register: Register, by: tuple[str, ...]) -> None:
    """Whoever sees it there, signed or not: an observation is enough for the alarm."""
    taking = register.take(seen(GPU, 3, site="hall"), *by)
    assert (taking.outcome, codes(taking)) == ("taken", ["active-elsewhere"])


def test_clone_installed_or_shipped_in_another_place(register: Register) -> None:
    """What is active in one hall leaves from there and from nowhere else."""
    taking = register.take(install("urn:x:server", GPU, 3, site="hall"), "maker")
    assert codes(taking) == ["active-elsewhere"]
    assert codes(register.take(ship(GPU, 3, "cloud", site="hall"), "maker")) == ["active-elsewhere"]


def test_dummy_server_with_a_moved_label(register: Register) -> None:
    """The label's EPC answers with a device key that is not the registered one."""
    told = seen(GPU, 3, site="fab", extensions={own("deviceKeySha256"): OTHER})
    taking = register.take(told, "maker")
    assert (taking.outcome, codes(taking)) == ("taken", ["other-device-key"])


def test_label_moved_between_two_real_chips(register: Register) -> None:
    """The alert says whose key it is."""
    register.take(commission(chip(2), 1, ilmd={"deviceKeySha256": OTHER}), "maker")
    told = seen(GPU, 3, site="fab", extensions={own("deviceKeySha256"): OTHER.upper()})
    (alert,) = register.take(told, "maker").alerts
    assert alert.code == "other-device-key"
    assert chip(2) in alert.detail


def test_serial_of_another_chip(register: Register) -> None:
    """A chip that shows another serial than its label's is pointed out, with whose that is."""
    register.take(commission(chip(2), 1), "maker")
    told = seen(GPU, 3, site="fab", extensions={own("serial"): "GPU-2"})
    (alert,) = register.take(told, "maker").alerts
    assert alert.code == "duplicate-serial"
    assert chip(2) in alert.detail


def test_activation_with_another_device_key(register: Register) -> None:
    """An act under a false identity is refused, not only noted."""
    told = event(
        GPU, 3, biz_step=act("activated"), site="fab", extensions={own("deviceKeySha256"): OTHER}
    )
    taking = register.take(told, "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["other-device-key"])


def test_lesser_model_under_the_label(register: Register) -> None:
    """Another model than the registered one is pointed out; another spelling of the same is not."""
    told = seen(GPU, 3, site="fab", extensions={own("model"): "A100 80GB SXM"})
    assert codes(register.take(told, "maker")) == ["model-mismatch"]
    spelled = seen(GPU, 4, site="fab", extensions={own("model"): "NVIDIA H100-SXM5-80GB"})
    assert codes(register.take(spelled, "maker")) == []


def test_inspector_finds_another_instance(register: Register) -> None:
    """The inspector's word alone is enough."""
    told = seen(GPU, 3, site="fab", disposition="mismatch_instance")
    assert codes(register.take(told, powers=("inspect",))) == ["model-mismatch"]


def test_chip_with_a_false_tpp() -> None:
    """Performance is recomputed from the chip table; what is stated beside it only raises an alert."""
    register = Register()
    taking = register.take(commission(GPU, ilmd={"tpp": 4000}), "maker")
    assert (taking.outcome, codes(taking)) == ("taken", ["model-mismatch"])
    assert codes(register.take(commission(chip(2), ilmd={"tpp": "15832"}), "maker")) == []
    assert codes(register.take(commission(chip(3), ilmd={"tpp": "1/0"}), "maker")) == [
        "model-mismatch"
    ]


def test_duplicate_serial_at_registration(register: Register) -> None:
    """One maker's serial is one chip, under whatever EPC; another maker may use the same."""
    doubled = commission(chip(2), 3, ilmd={"serial": "GPU-1"})
    taking = register.take(doubled, "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["duplicate-serial"])
    assert register.book.standing(chip(2)) is None
    assert register.take(commission("urn:x:GPU-1", 3), "cloud").outcome == "taken"


def test_duplicate_serial_within_one_event() -> None:
    """Two EPCs that end alike would be one serial: none of the event's chips is registered."""
    register = Register()
    taking = register.take(commission([chip(9), "urn:x:a:GPU-1", "urn:x:b:GPU-1"]), "maker")
    assert (taking.outcome, codes(taking)) == ("refused", ["duplicate-serial"])
    assert register.book.standing(chip(9)) is None


def test_one_serial_for_many_chips() -> None:
    """What can only be one chip's is not stated for several."""
    register = Register()
    for ilmd in ({"serial": "S"}, {"deviceKeySha256": KEY}):
        taking = register.take(commission([chip(1), chip(2)], ilmd=ilmd), "maker")
        assert (taking.outcome, set(codes(taking))) == ("refused", {"duplicate-serial"})


def test_duplicate_device_key_at_registration(register: Register) -> None:
    """A device key answers for one chip, whoever registers the second."""
    told = commission(chip(2), 3, ilmd={"deviceKeySha256": KEY})
    taking = register.take(told, "cloud")
    assert (taking.outcome, codes(taking)) == ("refused", ["other-device-key"])


def test_second_registration_of_a_chip(register: Register) -> None:
    """Nobody becomes custodian by registering what is registered, before or after it was."""
    for hours in (-5, 5):
        taking = register.take(commission(GPU, hours, ilmd={"serial": "other"}), "cloud")
        assert taking.outcome == "refused"
    assert register.standing(GPU).custodian == "maker"


def test_destroyed_chip_turns_up(register: Register) -> None:
    """Seen, activated or shipped: it is retired, and nothing brings it back."""
    register.take(event(GPU, 3, biz_step="destroying"), "maker")
    assert codes(register.take(seen(GPU, 4, site="hall"))) == ["already-retired"]
    for told in (
        event(GPU, 5, biz_step=act("activated"), site="fab"),
        ship(GPU, 6, "cloud"),
        event(GPU, 7, biz_step=act("recovered")),
    ):
        taking = register.take(told, "maker", powers=("adjudicate",))
        assert (taking.outcome, codes(taking)) == ("refused", ["already-retired"])


def test_stolen_chip_turns_up(register: Register) -> None:
    """Whoever sees it, and wherever."""
    register.take(event(GPU, 3, disposition="stolen"), "maker")
    assert codes(register.take(seen(GPU, 4, site="hall"), "cloud")) == ["already-retired"]
    assert codes(register.take(event(GPU, 5, biz_step="arriving", site="hub"), "dealer")) == [
        "already-retired"
    ]


def test_lost_chip_turns_up_with_somebody_else(register: Register) -> None:
    """Its custodian may find it; with anybody else it is an alarm."""
    register.take(event(GPU, 3, biz_step=act("lost")), "maker")
    assert codes(register.take(seen(GPU, 4, site="hall"), "cloud")) == ["other-holder"]
    assert codes(register.take(seen(GPU, 5, site="fab"), "maker")) == []


def test_unregistered_chip_is_seen(register: Register) -> None:
    """The chips that were counted with it are counted; it is pointed out."""
    taking = register.take(seen([GPU, chip(2)], 3, site="fab"), "maker")
    assert taking.outcome == "taken"
    assert [(a.code, a.epc, a.refused) for a in taking.alerts] == [("unknown-id", chip(2), False)]


def test_observation_of_the_past_is_judged_by_the_past(register: Register) -> None:
    """Where the chip was then counts: moving it afterwards makes no clone of what was seen before."""
    register.take(ship(GPU, 10, "cloud", site="fab"), "maker")
    register.take(receive(GPU, 12, site="hall"), "cloud")
    register.take(event(GPU, 14, biz_step=act("activated"), site="hall"), "cloud")
    assert codes(register.take(seen(GPU, 9, site="fab"), "maker")) == []
    assert codes(register.take(seen(GPU, 9.5, site="hall"), "cloud")) == ["active-elsewhere"]
    assert codes(register.take(seen(GPU, 15, site="hall"), "cloud")) == []
