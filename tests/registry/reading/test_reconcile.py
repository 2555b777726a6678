"""Declared against observed against registered: each difference by its code, its verdict, its reasons and sources."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.registry.reading.reconcile import Reconciliation, reconcile
from tests.inventoried import (
    NOW,
    at_site,
    device,
    gpu_uuid,
    item,
    serial,
    sighting,
    standing,
)


def compared(**fields: Any) -> Reconciliation:
    return reconcile(at_site(**fields))


def codes(found: Reconciliation) -> list[tuple[str, str, str]]:
    return [(d.code, d.verdict, d.item) for d in found.differences]


def everything(number: int = 1) -> dict[str, list[Any]]:
    """One board that is declared, observed and registered alike."""
    return {
        "declared": [item(number, device_uuid=gpu_uuid(number), holder="cloud-a")],
        "observed": [device(number)],
        "standings": [standing(number)],
        "sightings": [sighting(number)],
    }


def test_what_all_three_say_alike_holds() -> None:
    """Declared, observed and registered, with nothing between them."""
    found = compared(**everything(), has_register=True, parties=frozenset({"cloud-a"}))
    assert (found.verdict, found.differences) == ("holds", ())
    assert (found.declared, found.observed, found.registered, found.holds) == (1, 1, 1, 1)


def test_of_nothing_at_all_nothing_holds() -> None:
    """An empty site is unverifiable."""
    assert compared().verdict == "unverifiable"


def test_what_nobody_observed_is_unverifiable_and_never_present() -> None:
    """Declared and registered, and no node reported in the window."""
    found = compared(declared=[item(1)], standings=[standing(1)])
    assert codes(found) == [("missing", "unverifiable", serial(1))]
    assert (found.verdict, found.holds, found.unverifiable) == ("unverifiable", 0, 1)
    assert found.differences[0].sources == ("list.csv:2", "event 101")


def test_what_its_own_server_reports_without_is_missing() -> None:
    """The server that should hold it spoke in the window, and did not name it."""
    found = compared(
        declared=[item(1, container="srv-1")],
        observed=[device(2)],
        standings=[standing(1), standing(2)],
    )
    assert codes(found) == [("missing", "fails", serial(1))]
    assert "node node-1 (host-node-1) should have it" in found.differences[0].reasons[1]


def test_what_its_node_no_longer_reports_is_missing() -> None:
    """The node had it a week ago, and reports without it now."""
    found = compared(
        observed=[device(2)],
        standings=[standing(1), standing(2)],
        sightings=[sighting(1, last=NOW.plus(-90_000))],
    )
    assert codes(found) == [("missing", "fails", serial(1))]


def test_an_old_report_shows_nothing() -> None:
    """Its last message lies before the window."""
    found = compared(
        observed=[device(1, first=NOW.plus(-99_000), last=NOW.plus(-90_000))],
        standings=[standing(1)],
    )
    assert codes(found) == [("missing", "unverifiable", serial(1))]
    assert found.observed == 0


def test_what_no_register_knows_is_unregistered() -> None:
    """Observed or declared, and no serial of the register's."""
    found = compared(declared=[item(2)], observed=[device(1)])
    assert codes(found) == [
        ("unregistered", "fails", serial(1)),
        ("unregistered", "fails", serial(2)),
        ("missing", "unverifiable", serial(2)),
    ]


def test_a_board_that_reports_no_serial_cannot_be_asked_for() -> None:
    """Not registered cannot be said of it, and not present neither."""
    found = compared(observed=[device(1, serial="")])
    assert codes(found) == [("unregistered", "unverifiable", gpu_uuid(1))]


def test_a_uuid_leads_to_the_line_that_names_it() -> None:
    """A line with a UUID alone is about the board that reports it."""
    found = compared(
        declared=[item(1, serial="", device_uuid=gpu_uuid(1))],
        observed=[device(1)],
        standings=[standing(1)],
    )
    assert found.verdict == "holds"


def test_an_epc_leads_to_the_standing_that_bears_it() -> None:
    """A line with an EPC alone is about the board that is registered under it."""
    found = compared(
        declared=[item(1, serial="", epc=standing(1).epc)],
        observed=[device(1)],
        standings=[standing(1)],
    )
    assert found.verdict == "holds"


def test_elsewhere_is_told_whoever_says_so() -> None:
    """By the register, and by a node of another site."""
    found = compared(observed=[device(1)], standings=[standing(1, site="tokyo-1")])
    assert codes(found) == [("elsewhere", "fails", serial(1))]
    found = compared(
        declared=[item(1)], observed=[device(1, site="tokyo-1")], standings=[standing(1)]
    )
    assert codes(found) == [("elsewhere", "fails", serial(1))]


def test_a_label_on_another_device_is_told() -> None:
    """The declared UUID is another, or an earlier report's is."""
    found = compared(**everything() | {"observed": [device(1, uuid=gpu_uuid(9))], "sightings": []})
    assert codes(found) == [("other-uuid", "fails", serial(1))]
    found = compared(
        observed=[device(1, uuid=gpu_uuid(9))],
        standings=[standing(1)],
        sightings=[sighting(1, last=NOW.plus(-90_000))],
    )
    assert codes(found) == [("other-uuid", "fails", serial(1))]
    assert gpu_uuid(1) in found.differences[0].reasons[0]


def test_boards_with_several_devices_share_a_serial() -> None:
    """One node reports two UUIDs under it at once: one board, no dummy."""
    observed = [device(1), device(1, uuid=gpu_uuid(9))]
    sightings = [sighting(1), sighting(1, uuid=gpu_uuid(9))]
    found = compared(observed=observed, sightings=sightings, standings=[standing(1)])
    assert found.verdict == "holds"


def test_a_device_under_another_label_is_told() -> None:
    """A UUID that was reported with another serial, or is declared with one."""
    found = compared(
        observed=[device(1, serial=serial(7))],
        standings=[standing(7)],
        sightings=[sighting(1, last=NOW.plus(-90_000))],
    )
    assert codes(found) == [("other-serial", "fails", serial(7))]
    found = compared(
        declared=[item(1, device_uuid=gpu_uuid(1))],
        observed=[device(1, serial=serial(7))],
        standings=[standing(1), standing(7)],
    )
    assert ("other-serial", "fails", serial(1)) in codes(found)


def test_two_device_keys_for_one_serial_are_told() -> None:
    """The list's and the register's."""
    found = compared(
        declared=[item(1, device_key="b" * 64)],
        observed=[device(1)],
        standings=[standing(1, device_key="a" * 64)],
    )
    assert codes(found) == [("other-device-key", "fails", serial(1))]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("stolen", "stolen-observed"),
        ("destroyed", "retired-observed"),
        ("lost", "lost-observed"),
        ("in-transit", "not-received"),
    ],
)
def test_what_should_be_gone_and_turns_up_is_told(state: Any, code: str) -> None:
    """By the register it was stolen, destroyed, lost, or nobody has received it."""
    found = compared(observed=[device(1)], standings=[standing(1, state=state)])
    assert codes(found) == [(code, "fails", serial(1))]


def test_a_destroyed_board_that_nobody_sees_is_not_missed() -> None:
    """It is where it should be."""
    assert compared(standings=[standing(1, state="destroyed")]).differences == ()


def test_one_serial_at_two_nodes_at_once_is_a_clone() -> None:
    """Both reported it within the same hour."""
    found = compared(
        observed=[device(1), device(1, node="node-2", uuid=gpu_uuid(9))], standings=[standing(1)]
    )
    assert codes(found) == [("clone", "fails", serial(1))]
    assert found.differences[0].sources == ("node node-1 message", "node node-2 message")


def test_a_board_that_was_moved_is_no_clone() -> None:
    """The second node reported it hours after the first had stopped; the second counts."""
    was = device(1, first=NOW.plus(-40_000), last=NOW.plus(-30_000))
    found = compared(observed=[was, device(1, node="node-2")], standings=[standing(1)])
    assert found.verdict == "holds"


def test_a_move_within_minutes_is_no_move() -> None:
    """Nobody rebuilds a server in ten minutes."""
    was = device(1, first=NOW.plus(-40_000), last=NOW.plus(-4_100))
    found = compared(observed=[was, device(1, node="node-2")], standings=[standing(1)])
    assert codes(found) == [("clone", "fails", serial(1))]


def test_models_are_compared_as_models() -> None:
    """A short name is the same model; another chip is not; an unknown one decides nothing."""
    assert compared(**everything()).verdict == "holds"
    wrong = compared(**everything() | {"standings": [standing(1, model="H100 PCIe")]})
    assert codes(wrong) == [("model-mismatch", "fails", serial(1))]
    unknown = compared(**everything() | {"standings": [standing(1, model="Frobnicator 3")]})
    assert codes(unknown) == [("model-mismatch", "unverifiable", serial(1))]


def test_another_holder_is_told_and_an_unknown_name_decides_nothing() -> None:
    """A name that the register has for somebody, against a name that nobody here bears."""
    for name, verdict in (("cloud-b", "fails"), ("ACME Holding", "unverifiable")):
        found = compared(
            **everything() | {"declared": [item(1, holder=name)]}, parties=frozenset({"cloud-b"})
        )
        assert codes(found) == [("holder-mismatch", verdict, serial(1))]


def test_declared_gone_and_yet_here_is_told() -> None:
    """A node reports it, or the register has it at the site."""
    for observed in ([device(1)], []):
        found = compared(
            declared=[item(1, state="廃棄")], observed=observed, standings=[standing(1)]
        )
        assert ("state-mismatch", "fails", serial(1)) in codes(found)


def test_what_an_asset_register_leaves_out_is_undeclared() -> None:
    """Only where the firm's lines are meant to be all."""
    fields = {"observed": [device(1)], "standings": [standing(1)]}
    assert codes(compared(**fields, has_register=True)) == [("undeclared", "fails", serial(1))]
    assert compared(**fields).verdict == "holds"


def test_a_server_is_seen_by_its_chassis() -> None:
    """Its serial is what the devices in it report; one that reports nothing is unverifiable."""
    seen = standing(50, component="server", serial="srv-1", model="DGX")
    dark = standing(51, component="server", serial="srv-2", model="DGX")
    found = compared(observed=[device(1)], standings=[standing(1), seen, dark])
    assert codes(found) == [("missing", "unverifiable", "srv-2")]


def test_a_package_is_seen_with_its_board() -> None:
    """What agents read is the board's number; what is soldered on it is there with it."""
    board = standing(1)
    package = standing(60, component="package", parent=board.epc)
    assert compared(observed=[device(1)], standings=[board, package]).verdict == "holds"
    assert codes(compared(standings=[board, package])) == [
        ("missing", "unverifiable", serial(1)),
        ("missing", "unverifiable", serial(60)),
    ]


@pytest.mark.parametrize(
    ("said", "registered", "seen", "verdict"),
    [(2, 2, 2, "holds"), (2, 2, 1, "unverifiable"), (3, 2, 2, "fails"), (1, 1, 2, "fails")],
)
def test_pieces_are_compared_as_counts(said: int, registered: int, seen: int, verdict: str) -> None:
    """Of a model at the site: declared, registered, observed; lines of one model are added."""
    lines = [item(0, serial="", quantity=1, line=n) for n in range(said)]
    found = compared(
        declared=lines,
        standings=[standing(n) for n in range(registered)],
        observed=[device(n) for n in range(seen)],
    )
    counted = [d for d in found.differences if d.code == "count-mismatch"]
    assert [d.verdict for d in counted] == ([] if verdict == "holds" else [verdict])


def test_lines_of_other_sites_are_left_alone() -> None:
    """One asset register may speak of many."""
    assert compared(declared=[item(1, site="tokyo-1")]).declared == 0


@given(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_every_item_has_one_verdict(
    declared: set[int], observed: set[int], known: set[int]
) -> None:
    """And it holds exactly where somebody saw it and the register has it here."""
    found = compared(
        declared=[item(n) for n in declared],
        observed=[device(n) for n in observed],
        standings=[standing(n) for n in known],
    )
    items = declared | observed | known
    assert found.holds + found.fails + found.unverifiable == len(items)
    assert found.holds == len(observed & known)
    assert {d.item for d in found.differences} == {serial(n) for n in items - (observed & known)}
