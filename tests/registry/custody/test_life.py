"""The life table, and the way of a chip from maker to scrap."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from sekisho.model.custody import LifeState
from sekisho.registry.custody import LIFE, Act, life_table
from sekisho.registry.custody.life import STATES
from sekisho.registry.epcis.event import Event, Typed
from tests.registry.custody.events import (
    Register,
    act,
    chip,
    codes,
    commission,
    event,
    install,
    party,
    receive,
    ship,
)

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "custody.md"


def test_the_guide_prints_the_table_as_it_is() -> None:
    """docs/guide/custody.md and the code cannot come apart."""
    assert life_table() in GUIDE.read_text(encoding="utf-8")


def test_every_state_of_the_model_is_in_the_table_and_no_other() -> None:
    """A state is reached by some act, and every one but destroyed is left by one."""
    assert set(STATES) == set(get_args(LifeState))
    assert {passage.to for passage in LIFE.values()} == set(STATES)
    left = {state for (state, _), passage in LIFE.items() if passage.to != state}
    assert left == {"", *STATES} - {"destroyed"}


def test_destroyed_is_final_and_stolen_ends_by_adjudication_or_destruction_alone() -> None:
    """Whatever else the table grows, these two laws hold."""
    ways_out = {
        state: {
            (word, p.signer) for (frm, word), p in LIFE.items() if frm == state and p.to != state
        }
        for state in STATES
    }
    assert ways_out["destroyed"] == set()
    assert ways_out["stolen"] == {("recover", "adjudicator"), ("destroy", "custodian")}
    assert ways_out["lost"] == {
        ("find", "custodian"),
        ("steal", "custodian"),
        ("destroy", "custodian"),
    }


ACTS: dict[str, Event] = {
    "activate": event(chip(1), 20, biz_step=act("activated")),
    "suspend": event(chip(1), 20, biz_step=act("suspended")),
    "ship": ship(chip(1), 20, "cloud"),
    "receive": receive(chip(1), 20),
    "refuse": event(chip(1), 20, biz_step=act("refused")),
    "cancel": event(chip(1), 20, biz_step="void_shipping"),
    "export": event(chip(1), 20, biz_step=act("exported")),
    "return": receive(chip(1), 20, disposition="returned"),
    "lose": event(chip(1), 20, biz_step=act("lost")),
    "find": event(chip(1), 20, biz_step=act("found")),
    "steal": event(chip(1), 20, disposition="stolen"),
    "recover": event(chip(1), 20, biz_step=act("recovered")),
    "destroy": event(chip(1), 20, biz_step="destroying", disposition="destroyed"),
    "attach-licence": event(chip(1), 20, type="TransactionEvent", action="ADD", licence="L-1"),
    "install": install("urn:x:server", chip(1), 20),
}
TO_STATE: dict[str, list[Event]] = {
    "registered": [],
    "in-transit": [ship(chip(1), 2, "cloud")],
    "active": [event(chip(1), 2, biz_step=act("activated"), site="fab")],
    "suspended": [event(chip(1), 2, biz_step="holding")],
    "exported": [event(chip(1), 2, biz_step=act("exported"))],
    "returned": [
        event(chip(1), 2, biz_step=act("exported")),
        event(chip(1), 3, biz_step=act("returned")),
    ],
    "lost": [event(chip(1), 2, biz_step=act("lost"))],
    "stolen": [event(chip(1), 2, disposition="stolen")],
    "destroyed": [event(chip(1), 2, biz_step="destroying")],
}


def brought_to(state: str) -> Register:
    register = Register()
    register.take(commission(chip(1)), "maker")
    for told in TO_STATE[state]:
        assert register.take(told, "maker").outcome == "taken"
    assert register.standing(chip(1)).state == state
    return register


@pytest.mark.parametrize(("state", "word"), list(product(TO_STATE, ACTS)))
def test_an_act_leads_where_the_table_says_or_nowhere(state: str, word: Act) -> None:
    """Signed by everybody who could be asked to, each act in each state does what its row says."""
    register = brought_to(state)
    taking = register.take(ACTS[word], "maker", "cloud", powers=("adjudicate",))
    passage = LIFE.get((state, word))  # type: ignore[arg-type]  # states as plain words
    if passage is None:
        assert taking.outcome != "taken"
        assert register.standing(chip(1)).state == state
    else:
        assert (taking.outcome, register.standing(chip(1)).state) == ("taken", passage.to)


@pytest.mark.parametrize("word", [w for w in ACTS if w != "recover"])
@pytest.mark.parametrize("state", list(TO_STATE))
def test_nothing_is_done_by_a_party_that_has_nothing_to_do_with_it(state: str, word: str) -> None:
    """A stranger's signature changes neither state nor custodian, in any state."""
    register = brought_to(state)
    before = register.standing(chip(1))
    assert register.take(ACTS[word], "stranger").outcome != "taken"
    assert register.standing(chip(1)) == before


def test_a_recovered_chip_goes_to_whom_the_adjudicator_names() -> None:
    """Custody passes without the old custodian's signature there, and only there."""
    register = brought_to("stolen")
    told = event(chip(1), 20, biz_step=act("recovered"), to="cloud", site="hall")
    assert codes(register.take(told, "cloud")) == ["wrong-signer"]
    again = event(chip(1), 21, biz_step=act("recovered"), to="cloud", site="hall")
    assert register.take(again, powers=("adjudicate",)).outcome == "taken"
    standing = register.standing(chip(1))
    assert (standing.state, standing.custodian, standing.site) == ("registered", "cloud", "hall")


def test_rework_destroys_what_goes_in_and_registers_what_comes_out() -> None:
    """A board is taken apart: its identity ends, those of the new one begin, what stays the same stays."""
    register = Register()
    register.take(commission([chip(1), chip(2), chip(3)]), "maker")
    told = event(
        (),
        5,
        type="TransformationEvent",
        action=None,
        inputs=(chip(1), chip(2), chip(3)),
        outputs=(chip(3), chip(4)),
        site="fab",
    )
    assert register.take(told, "maker").outcome == "taken"
    states = [register.standing(chip(number)).state for number in (1, 2, 3, 4)]
    assert states == ["destroyed", "destroyed", "registered", "registered"]
    assert register.standing(chip(4)).made == told.at


def test_a_licence_is_attached_and_detached() -> None:
    """By a transaction event with a certificate in the licence namespace, under whatever state."""
    register = brought_to("active")
    attach = event(chip(1), 5, type="TransactionEvent", action="ADD", licence="L-1")
    register.take(attach, "maker")
    assert register.standing(chip(1)).licence == "L-1"
    detach = event(chip(1), 6, type="TransactionEvent", action="DELETE", licence="L-1")
    register.take(detach, "maker")
    assert register.standing(chip(1)).licence == ""


def test_a_foreign_certificate_is_no_licence() -> None:
    """An identifier outside the namespaces that the register was told names nothing."""
    register = brought_to("registered")
    alien = (Typed("cert", "https://elsewhere.example/licence/L-1"),)
    told = event(chip(1), 5, type="TransactionEvent", action="ADD", transactions=alien)
    register.take(told, "maker")
    assert register.standing(chip(1)).licence == ""
    assert party("maker") == "urn:sekisho:party:maker"
