from __future__ import annotations

import pytest

from sekisho.registry.custody import Act, act_of
from sekisho.registry.custody.acts import OWN_WORDS, ROWS
from sekisho.registry.epcis.event import Event, Typed
from sekisho.registry.epcis.words import CBV_WORDS
from tests.registry.custody.events import act, chip, declare, event, ship

CERT = (Typed("cert", "urn:sekisho:licence:L-1"),)


def told(kind: str, step: str, disposition: str = "", action: str | None = "OBSERVE") -> Event:
    return event(chip(1), 1, type=kind, biz_step=step, disposition=disposition, action=action)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (told("ObjectEvent", "commissioning", "active", "ADD"), "register"),
        (told("ObjectEvent", "commissioning", "active"), "observe"),
        (told("ObjectEvent", "shipping", "in_transit"), "ship"),
        (told("TransactionEvent", "shipping", "in_transit", "ADD"), "ship"),
        (told("ObjectEvent", "receiving", "in_progress"), "receive"),
        (told("ObjectEvent", "receiving", "returned"), "return"),
        (told("ObjectEvent", "void_shipping"), "cancel"),
        (told("AssociationEvent", "installing", "", "ADD"), "install"),
        (told("AssociationEvent", "", "", "DELETE"), "remove"),
        (told("AggregationEvent", "packing", "", "ADD"), "pack"),
        (told("AggregationEvent", "unpacking", "", "DELETE"), "unpack"),
        (told("AggregationEvent", "shipping", "in_transit"), "ship"),
        (told("TransformationEvent", "repairing", "", None), "rework"),
        (told("ObjectEvent", "stock_taking"), "count"),
        (told("ObjectEvent", "cycle_counting"), "count"),
        (told("ObjectEvent", "inspecting", "mismatch_instance"), "inspect"),
        (told("ObjectEvent", "inspecting", "stolen"), "inspect"),
        (told("ObjectEvent", "", "stolen"), "steal"),
        (told("ObjectEvent", "stock_taking", "no_pedigree_match"), "lose"),
        (told("ObjectEvent", "destroying", "destroyed", "DELETE"), "destroy"),
        (told("ObjectEvent", "decommissioning", "inactive"), "suspend"),
        (told("ObjectEvent", "installing", "active"), "activate"),
        (told("ObjectEvent", "arriving"), "place"),
        (told("ObjectEvent", act("found")), "find"),
        (told("ObjectEvent", "other", act("exported")), "export"),
        (told("ObjectEvent", "https://elsewhere.example/act/found"), "observe"),
        (told("ObjectEvent", "retail_selling"), "observe"),
        (event(chip(1), 1, type="TransactionEvent", transactions=CERT), "attach-licence"),
        (event(chip(1), 1, type="TransactionEvent"), "observe"),
        (declare(ship(chip(1), 1, "cloud")), "void"),
    ],
)
def test_words_mean_acts(case: Event, expected: Act) -> None:
    """What CBV's words and our own say about custody; what says nothing is an observation."""
    assert act_of(case) == expected


def test_the_table_uses_words_that_exist() -> None:
    """Steps and dispositions of the table are CBV's; a slip of the pen would never match anything."""
    words = {word for row in ROWS for word in (*row.steps, *row.dispositions) if word}
    assert {word for word in words if word not in CBV_WORDS} == set()


def test_own_words_do_not_hide_what_goes_into_a_container() -> None:
    """An association that adds is one, whatever step it names."""
    assert act_of(told("AssociationEvent", act("lost"), "", "ADD")) == "install"
    assert OWN_WORDS[act("lost")] == "lose"
