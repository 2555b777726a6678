from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical, parse_json
from sekisho.operations.register.book import captured_of
from sekisho.ports.register_store import AlertRow
from sekisho.registry.custody import position_at
from sekisho.registry.passport import Asked, Passport, build_passport, parse_passport
from sekisho.registry.passport_line import Remark
from tests.registry.passports import (
    CHIP,
    DAY,
    LOG,
    SERVER,
    TERMS,
    Life,
    at,
    commissioned,
    declared,
    installed,
    received,
    removed,
    shipped,
)


def life() -> Life:
    """Made, shipped, received, installed: ten days of a chip."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(shipped(1), "fab")
    chip.add(received(3), "cloud-x")
    chip.add(installed(4), "cloud-x", roles=("child",))
    return chip


def test_a_passport_tells_what_happened_in_order_and_how_it_stood() -> None:
    """Each event is a line with its act, and says who answered for the chip, and where, afterwards."""
    passport = life().passport()
    assert [line.act for line in passport.lines] == ["register", "ship", "receive", "install"]
    stood = [(line.after.custodian, line.after.place) for line in passport.lines if line.after]
    assert stood == [
        ("fab", "fab-1"),
        ("fab", "fab-1"),
        ("cloud-x", "hall-x"),
        ("cloud-x", "hall-x"),
    ]
    assert passport.standing is not None
    assert passport.standing.country == "JP"
    assert passport.identity is not None
    assert (passport.identity.maker, passport.identity.serial) == ("fab", "GPU-0001")
    assert passport.verdict == "holds"
    assert passport.gaps == ()


@pytest.mark.parametrize(
    ("refused", "outcome", "parties", "settled"),
    [
        (True, "taken", ("fab",), True),  # it was early
        (True, "waiting", ("fab",), False),
        (True, "refused", ("fab",), False),
        (True, "taken", (), False),  # nobody signed it: it moves nothing
        (False, "taken", ("fab",), False),  # a clone was seen
    ],
)
def test_an_alert_is_settled_only_once_a_signed_event_took_effect(
    *, refused: bool, outcome: str, parties: tuple[str, ...], settled: bool
) -> None:
    """What was merely early is no open alert; whatever else was raised stays one."""
    line = life().passport().lines[0]
    line = msgspec.structs.replace(line, outcome=outcome, parties=parties, powers=())
    assert line.is_settled(Remark(code="unknown-id", detail="", refused=refused)) is settled


def test_specifications_come_from_the_chip_table() -> None:
    """The passport bears the table's figures for the model, whatever a document claims."""
    chip = Life()
    chip.add(commissioned(0, model="H100 SXM5", **{"skh:tpp": 1}), "fab")
    specs = chip.passport().specs
    assert specs is not None
    assert specs.tpp.value == "15832"


def test_an_unknown_model_has_no_specifications() -> None:
    """A model that the table does not know leaves the specifications out: not measured."""
    chip = Life()
    chip.add(commissioned(0, model="Abacus 9000"), "fab")
    assert chip.passport().specs is None


def test_it_says_what_the_chip_lay_in_over_time() -> None:
    """Containers follow each other, and the last one lasts."""
    chip = life()
    chip.add(removed(5), "cloud-x", roles=("child",))
    chip.add(installed(6, parent=SERVER + "-B"), "cloud-x", roles=("child",))
    lays = [(lay.container, lay.since, lay.until) for lay in chip.passport().lay_in]
    assert lays == [(SERVER, at(4), at(5)), (SERVER + "-B", at(6), None)]


def test_a_correction_is_struck_through_by_its_declaration() -> None:
    """A voided line says who struck it, the declaration says what it struck and why; neither changes the standing."""
    chip = life()
    wrong = chip.timeline[-1][0]
    declaration = chip.add(declared(installed(4), 5), "cloud-x", roles=("child",))
    chip.void(wrong, declaration)
    passport = chip.passport()
    struck, strikes = passport.line(wrong.number), passport.line(declaration.number)
    assert struck is not None
    assert strikes is not None
    assert (struck.struck_by, struck.after) == (declaration.number, None)
    assert (strikes.act, strikes.strikes, strikes.reason) == ("void", wrong.number, "did_not_occur")
    assert passport.standing is not None
    assert passport.standing.parent == ""
    assert passport.lay_in == ()
    assert passport.verdict == "holds"


def test_as_of_before_the_correction_was_known_it_is_not_struck() -> None:
    """What was believed then is shown as it was believed then."""
    chip = life()
    wrong = chip.timeline[-1][0]
    declaration = chip.add(declared(installed(4), 5), "cloud-x", roles=("child",), known=at(20))
    chip.void(wrong, declaration)
    passport = chip.passport(as_of=at(10))
    line = passport.line(wrong.number)
    assert line is not None
    assert line.struck_by is None
    assert line.after is not None
    assert line.after.parent == SERVER
    assert passport.line(declaration.number) is None


def test_at_an_earlier_time_later_events_are_not_in_view() -> None:
    """A passport at an instant ends there: shipped and not yet received, the shipper answers."""
    passport = life().passport(at=at(2))
    assert [line.act for line in passport.lines] == ["register", "ship"]
    assert passport.standing is not None
    assert (passport.standing.state, passport.standing.custodian) == ("in-transit", "fab")
    assert [gap.kind for gap in passport.gaps] == ["in-transit"]


def test_what_no_mark_follows_is_in_no_as_of() -> None:
    """An event that the log's marks do not enclose yet is left out of every as_of, and shown now."""
    chip = Life()
    chip.add(commissioned(0), "fab", known=None)
    assert chip.passport(as_of=at(29)).lines == ()
    assert len(chip.passport().lines) == 1


def test_events_without_a_registration_are_claims_about_an_unknown() -> None:
    """Nobody registered it: no identity, no standing, and the gap has that name."""
    chip = Life()
    chip.add(received(3), "cloud-x")
    passport = chip.passport()
    assert (passport.identity, passport.standing, passport.specs) == (None, None, None)
    assert "unregistered" in [gap.kind for gap in passport.gaps]


def test_an_unsigned_claim_is_named_and_changes_nothing() -> None:
    """A line that nobody signed is a gap of its own, and the custodian stays who it was."""
    chip = life()
    chip.add(shipped(6))
    passport = chip.passport()
    assert [(gap.kind, gap.lines) for gap in passport.gaps] == [("unsigned", (5,))]
    assert not passport.lines[-1].is_signed
    assert passport.standing is not None
    assert passport.standing.state == "registered"


def test_alerts_stand_at_their_line() -> None:
    """An alert of an event stands there with its detail; one about another chip does not."""
    chip = life()
    alerts = [
        AlertRow(number=3, code=code, epc=epc, detail="d", refused=False, raised=at(3))
        for code, epc in (("shortage", CHIP), ("shortage", "other"), ("unsigned", ""))
    ]
    asked = Asked(epc=CHIP, log=LOG, issued=at(9))
    passport = build_passport(asked, chip.timeline, TERMS, alerts=alerts)
    line = passport.line(3)
    assert line is not None
    assert [alert.code for alert in line.alerts] == ["shortage", "unsigned"]


def test_without_proofs_no_line_holds() -> None:
    """A passport without proofs proves nothing, says so, and makes no gap of it."""
    passport = life().passport(proven=False)
    assert {(line.verdict, line.why) for line in passport.lines} == {("unverifiable", "no-proof")}
    assert passport.verdict == "unverifiable"
    assert passport.gaps == ()


def test_a_batch_that_the_log_does_not_hold_is_an_unverifiable_stretch() -> None:
    """Lines whose batch is not in the log yet make one gap from the first to the last of them."""
    chip = life()
    chip.unlogged = {2, 3}
    passport = chip.passport()
    assert [line.why for line in passport.lines] == [
        "committed",
        "not-logged",
        "not-logged",
        "committed",
    ]
    (gap,) = passport.gaps
    assert (gap.kind, gap.since, gap.until, gap.lines) == ("unverifiable", at(1), at(3), (2, 3))


def test_only_the_places_that_are_named_travel_along() -> None:
    """Of the register's terms the passport shows the places that its events name, and no others."""
    assert {place.place for place in life().passport().terms.places} == {"fab-1", "hall-x"}


def test_the_document_is_read_back_as_it_was_written() -> None:
    """The JSON of a passport is canonical and reads back to the same value."""
    passport = life().passport()
    data = passport.to_bytes()
    assert parse_passport(data) == passport
    assert canonical(parse_json(data)) + b"\n" == data
    assert json.loads(data)["format"] == "sekisho-passport/v1"


@pytest.mark.parametrize(
    "change",
    [
        {"format": "sekisho-passport/v2"},
        {"lines": [{"number": "one"}]},
        {"issued": "yesterday"},
        {"verdict": "perhaps"},
    ],
)
def test_what_is_no_passport_is_refused_by_its_field(change: dict[str, object]) -> None:
    """A document of another form is refused with the path of what is wrong."""
    document = json.loads(life().passport().to_bytes()) | change
    with pytest.raises(InvalidInput) as refusal:
        parse_passport(json.dumps(document).encode(), path="passport.json")
    assert "passport.json" in refusal.value.path


def test_the_form_of_the_document_stays() -> None:
    """The names that programs read stand in the first version for ever."""
    document = json.loads(life().passport().to_bytes())
    assert set(document) == {field.name for field in msgspec.structs.fields(Passport)}
    assert {
        "number",
        "at",
        "known",
        "act",
        "after",
        "parties",
        "powers",
        "proof",
        "verdict",
    } <= set(document["lines"][0])
    assert set(document["lines"][0]["proof"]) == {
        "batch", "place", "events", "salt", "hash_id", "capture", "commitment", "path", "root", "entry", "leaf",
    }  # fmt: skip
    assert document["quiet_s"] == 90 * DAY


@given(at_day=st.floats(-1, 12), known_day=st.none() | st.floats(-1, 12))
def test_the_standing_is_the_registers_own_for_every_at_and_as_of(
    at_day: float, known_day: float | None
) -> None:
    """Whatever is asked for, the passport stands where the register's own fold over the same history stands."""
    chip = life()
    wrong = chip.timeline[-1][0]
    declaration = chip.add(declared(installed(4), 5), "cloud-x", roles=("child",), known=at(9))
    chip.add(installed(4), "cloud-x", roles=("child",), known=at(10), effect=9)
    chip.void(wrong, declaration)
    rows = sorted((row for row, _ in chip.timeline), key=lambda row: row.effect or 0)
    history = [(captured_of(row), row.known) for row in rows]
    as_of = None if known_day is None else at(known_day)
    expected = position_at(CHIP, history, TERMS, at=at(at_day), as_of=as_of)
    assert chip.passport(at=at(at_day), as_of=as_of).standing == expected
