"""The licence load: applications on both sides, the officers and the hours that a pack assumes."""

from __future__ import annotations

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import load_pack, parse_request
from sekisho.rules.what_if import Side, diff
from tests.rules.what_if.small_packs import shipments, side, small_pack

APPLY = "[{id: apply, what: apply, per: shipment, hours: 40}, {id: file, what: file, per: year, hours: 900}]"
UNSTATED = "[{id: apply, what: apply, per: shipment}]"


def test_applications_officers_and_hours_of_both_sides() -> None:
    """One and three applications; four a year for an officer, rounded up to a tenth; yearly duties are left out."""
    a = small_pack(100, duties=APPLY)
    b = small_pack(50, name="b", duties=APPLY, rate=True)
    load = diff(shipments([120, 80, 60, 10]), side(a), side(b)).load
    assert (load.a.applications, load.b.applications, load.more_applications) == (1, 3, 2)
    assert (load.a.hours, load.b.hours, load.b.hours_marks) == ("40", "120", ("O",))
    assert load.a.officers is None
    assert load.b.officers is not None
    assert (load.b.officers.needed, load.b.officers.licences_per_officer_year) == ("0.8", "4")


def test_hours_that_no_pack_states_are_none_and_never_nought() -> None:
    """The requests whose duty has no hours are counted."""
    load = diff(shipments([120, 10]), side(small_pack()), side(small_pack(duties=UNSTATED))).load
    assert (load.a.hours, load.a.unstated) == (None, 0)
    assert (load.b.hours, load.b.unstated) == (None, 1)


def test_a_report_and_a_denial_are_no_application() -> None:
    """Each in its own row."""
    found = diff(
        shipments([120]), side(small_pack(outcome="report")), side(small_pack(outcome="deny"))
    )
    assert (found.load.a.applications, found.load.a.reports) == (0, 1)
    assert (found.load.b.applications, found.load.b.denials) == (0, 1)


def test_a_lifted_licence_costs_the_exceptions_notices_and_no_application() -> None:
    """Eight H100 to Brazil under the Diffusion Framework as codified: six hours for the notice, not forty."""
    request = parse_request(LOW_VOLUME)
    at = parse_date_or_instant("2026-02-01")
    pack = load_pack("us-ear")
    codified = Side(pack=pack, at=at, now=at, reading="codified")
    found = diff([request], Side(pack=pack, at=at, now=at), codified)
    assert found.flows.count("permit", "report") == 1
    assert (found.load.b.applications, found.load.b.hours) == (0, "6")
    assert {effect.rule for effect in found.rules} >= {"diffusion-tier-2", "lpp"}


LOW_VOLUME = b"""{"kind": "transfer", "id": "low-volume", "activity": "export", "count": 8, "origin": "US",
 "destination": "BR", "item": {"chip": "H100"}, "end_use": ["commercial"],
 "exporter": {"name": "Exporter A", "headquarters": "US"},
 "consignee": {"name": "Importer", "country": "BR", "headquarters": "BR", "parent": "Group 1",
               "parent_headquarters": "BR", "listed": false, "listed_owner_known": false,
               "listed_owner_share": "0"},
 "end_user_is_consignee": true, "so_far": {"parent_year_tpp": "0"},
 "facts": {"rf01": false, "rf02": false, "rf03": false, "rf04": false, "rf05": false, "rf06": false,
           "rf07": false, "rf08": false, "rf09": false, "rf10": false, "rf11": false, "rf12": false,
           "red-flags-resolved": true, "supercomputer": false, "known-training-for-d5": false,
           "exporter-is-fabricator": false, "lpp-certification": true, "lpp-notice": true}}"""
