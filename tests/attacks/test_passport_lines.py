"""Forged passports: what somebody may change in the document between the register and a reader, and what is seen."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sekisho.model.instants import Instant
from sekisho.registry.passport import Passport
from sekisho.registry.passport_check import PassportVerdict, judge_passport
from sekisho.registry.passport_line import After, Line, LineProof, Remark
from tests.registry.passports import (
    CHIP,
    OTHER,
    Life,
    commissioned,
    declared,
    installed,
    place,
    received,
    shipped,
    told,
)

replace = msgspec.structs.replace


@pytest.fixture
def life() -> Life:
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(shipped(1), "fab")
    chip.add(received(3), "cloud-x")
    chip.add(installed(4), "cloud-x", roles=("child",))
    return chip


def with_line(passport: Passport, place: int, **fields: Any) -> Passport:
    lines = list(passport.lines)
    lines[place] = replace(lines[place], **fields)
    return replace(passport, lines=tuple(lines))


def proof_of(line: Line) -> LineProof:
    assert line.proof is not None
    return line.proof


def judged(life: Life, passport: Passport) -> PassportVerdict:
    return judge_passport(passport, life.ties().seen)


def failing(verdict: PassportVerdict) -> set[str]:
    return {check.name for check in verdict.checks if check.verdict == "fails"}


@pytest.mark.parametrize(
    "change",
    [
        {"at": Instant.parse("2026-01-09T00:00:00Z")},
        {"biz_step": "shipping"},
        {"biz_location": "urn:sekisho:place:nowhere"},
        {"act": "destroy"},
        {"reason": "incorrect_data"},
        {"roles": ("parent",)},
        {"roles": ()},
        {"roles": ("owner",)},
    ],
)
def test_a_changed_line_fails(life: Life, change: dict[str, Any]) -> None:
    """A line that says something else than the event in it is no line of that event."""
    verdict = judged(life, with_line(life.passport(), 2, **change))
    assert verdict.lines[2].verdict == "fails"
    assert "lines" in failing(verdict)


def test_a_changed_event_fails(life: Life) -> None:
    """An event that was rewritten together with its line no longer hashes to what the log commits to."""
    passport = life.passport()
    document = json.loads(passport.lines[2].document)
    document["bizLocation"]["id"] = "urn:sekisho:place:nowhere"
    forged = with_line(
        passport,
        2,
        document=json.dumps(document),
        biz_location="urn:sekisho:place:nowhere",
    )
    verdict = judged(life, forged)
    assert verdict.lines[2].why == "another-event"


def test_a_changed_event_with_its_own_hash_fails(life: Life) -> None:
    """Giving the rewritten event its own hash id leaves the commitment behind."""
    other = Life()
    other.add(received(3.5), "cloud-x")
    passport = life.passport()
    stranger = other.passport().lines[0]
    proof = replace(proof_of(passport.lines[2]), hash_id=proof_of(stranger).hash_id)
    forged = replace(stranger, number=3, effect=3, after=passport.lines[2].after, proof=proof)
    lines = (*passport.lines[:2], forged, passport.lines[3])
    verdict = judged(life, replace(passport, lines=lines))
    assert verdict.lines[2].why == "another-commitment"


def test_a_swapped_salt_fails(life: Life) -> None:
    """A salt of another event does not give this one's commitment."""
    passport = life.passport()
    salt = proof_of(passport.lines[1]).salt
    proof = replace(proof_of(passport.lines[2]), salt=salt)
    verdict = judged(life, with_line(passport, 2, proof=proof))
    assert verdict.lines[2].why in {"another-commitment", "bad-path"}
    assert verdict.verdict == "fails"


def test_a_path_of_another_batch_fails(life: Life) -> None:
    """The path, the root and the entry of another batch do not hold this event's commitment."""
    passport = life.passport()
    first, third = proof_of(passport.lines[0]), proof_of(passport.lines[2])
    own = replace(first, salt=third.salt, hash_id=third.hash_id, commitment=third.commitment)
    forged = with_line(passport, 2, proof=own)
    assert judged(life, forged).verdict == "fails"
    alone = judged(life, replace(forged, lines=forged.lines[2:3]))
    assert alone.lines[0].why == "bad-path"


def test_a_batch_that_the_log_never_stated_fails(life: Life) -> None:
    """A batch made up with a root of its own does not become the log's by naming one of its entries."""
    passport, other = life.passport(), Life()
    for _ in range(3):
        other.add(received(3), "cloud-x", batch=3)
    made_up = proof_of(other.passport().lines[-1])
    named = replace(made_up, leaf=proof_of(passport.lines[2]).leaf)
    verdict = judged(life, with_line(passport, 2, proof=named))
    assert verdict.lines[2].why == "another-entry"


def test_an_event_of_another_chip_fails(life: Life) -> None:
    """A true event, truly in the log, says nothing about a chip that it does not name."""
    passport = life.passport()
    life.add(received(5, OTHER), "cloud-x")
    stranger = life.passport().lines[-1]
    verdict = judged(life, replace(passport, lines=(*passport.lines, stranger)))
    assert verdict.lines[-1].why == "another-chip"


def test_the_same_event_twice_fails(life: Life) -> None:
    """One commitment bears one line: a second copy of it under another number is seen."""
    passport = life.passport()
    copy = replace(passport.lines[2], number=9, effect=9)
    verdict = judged(life, replace(passport, lines=(*passport.lines, copy)))
    assert [line.why for line in verdict.lines[2:]] == ["twice", "committed", "twice"]


@pytest.mark.parametrize("field", ["custodian", "holder", "owner", "place", "country", "parent"])
def test_another_name_in_a_line_fails(life: Life, field: str) -> None:
    """Who answered for the chip after a line, and where it lay, is folded again and not believed."""
    passport = life.passport()
    after = passport.lines[2].after
    assert isinstance(after, After)
    verdict = judged(life, with_line(passport, 2, after=replace(after, **{field: "mallory"})))
    assert failing(verdict) == {"standing"}


def test_another_present_standing_fails(life: Life) -> None:
    """The head of the passport must follow from its lines."""
    passport = life.passport()
    assert passport.standing is not None
    standing = replace(passport.standing, custodian="mallory")
    assert failing(judged(life, replace(passport, standing=standing))) == {"standing"}


def test_another_model_in_the_identity_fails(life: Life) -> None:
    """A chip does not become another model by its passport's head."""
    passport = life.passport()
    assert passport.identity is not None
    identity = replace(passport.identity, model="L4")
    assert "standing" in failing(judged(life, replace(passport, identity=identity)))


def test_a_struck_line_made_clean_fails(life: Life) -> None:
    """Taking the strike off a corrected line changes what the lines fold to."""
    wrong = life.timeline[-1][0]
    life.void(wrong, life.add(declared(installed(4), 5), "cloud-x", roles=("child",)))
    passport = life.passport()
    clean = with_line(passport, 3, struck_by=None)
    assert failing(judged(life, clean)) == {"standing"}


def test_a_gap_left_unsaid_fails(life: Life) -> None:
    """A gap that the lines show must be named."""
    life.add(shipped(6))
    passport = life.passport()
    assert passport.gaps
    assert failing(judged(life, replace(passport, gaps=()))) == {"gaps"}


def inspected(day: float, where: str, *epcs: str, **fields: Any) -> dict[str, Any]:
    return told(
        day,
        "ObjectEvent",
        action="OBSERVE",
        bizStep="inspecting",
        epcList=list(epcs) or [CHIP],
        readPoint=place(where),
        bizLocation=place(where),
        **fields,
    )


@pytest.mark.parametrize(
    ("where", "epcs", "verdict"),
    [("hall-x", (), "fails"), ("nowhere", (), "fails"), ("hall-x", (CHIP, OTHER), "holds")],
)
def test_a_clones_alert_that_was_cut_out_is_missed(
    where: str, epcs: tuple[str, ...], verdict: str
) -> None:
    """Another device key answered than the registered one: the line shows it, so its alert must be there.

    Where an event names two chips, nobody can say whose key it was.
    """
    chip = Life()
    chip.add(commissioned(0, **{"skh:deviceKeySha256": "a" * 64}), "fab")
    chip.add(inspected(2, where, *epcs, **{"skh:deviceKeySha256": "b" * 64}), "watch")
    cut = chip.passport()
    assert cut.lines[1].alerts == ()
    check = next(c for c in judged(chip, cut).checks if c.name == "alerts")
    assert (check.verdict, check.lines) == (verdict, (2,) if verdict == "fails" else ())
    remark = Remark(code="other-device-key", detail="another key", refused=False)
    assert failing(judged(chip, with_line(cut, 1, alerts=(remark,)))) == set()


def test_a_sighting_elsewhere_without_its_alert_is_unverifiable(life: Life) -> None:
    """It may have been odd when it was captured, or only since an event of the past came: never passed over."""
    active = told(5, "ObjectEvent", action="OBSERVE", bizStep="other", disposition="active")
    active |= {"epcList": [CHIP], "bizLocation": place("hall-x"), "readPoint": place("hall-x")}
    life.add(active, "cloud-x")
    life.add(inspected(6, "nowhere"), "watch")
    cut = life.passport()
    check = next(c for c in judged(life, cut).checks if c.name == "alerts")
    assert (check.verdict, check.lines) == ("unverifiable", (6,))
    assert judged(life, cut).verdict == "unverifiable"
    remark = Remark(code="active-elsewhere", detail="seen", refused=False)
    assert judged(life, with_line(cut, 5, alerts=(remark,))).verdict == "holds"


def test_a_line_left_out_in_the_middle_breaks_the_fold(life: Life) -> None:
    """Without the receipt nobody can have installed the chip: the remaining lines do not fold to what is claimed."""
    passport = life.passport()
    lines = (*passport.lines[:2], passport.lines[3])
    assert "standing" in failing(judged(life, replace(passport, lines=lines)))


def test_the_newest_line_left_out_is_not_seen(life: Life) -> None:
    """Honestly: an earlier passport, or one whose end was cut off and its head rewritten, holds. The limits say so."""
    shorter = Life()
    for row, roles in life.timeline[:3]:
        shorter.timeline.append((row, roles))
        shorter.batches[row.batch] = life.batches[row.batch]
    cut = shorter.passport()
    assert judged(life, cut).verdict == "holds"
    assert "left-out" in cut.limits


def test_an_endorsement_made_up_is_not_seen_by_the_log(life: Life) -> None:
    """Honestly: who signed is the register's word; where it changes what takes effect the fold shows it, else not."""
    passport = life.passport()
    more = with_line(passport, 2, parties=("cloud-x", "fab"))
    assert judged(life, more).verdict == "holds"
    none = with_line(passport, 2, parties=())
    assert "standing" in failing(judged(life, none))
    assert "word-of-register" in passport.limits
