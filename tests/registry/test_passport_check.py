from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sekisho.registry.passport_check import PassportVerdict, judge_passport
from sekisho.registry.passport_line import LogSeen
from tests.registry.passports import (
    Life,
    commissioned,
    declared,
    installed,
    received,
    shipped,
)


def life() -> Life:
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(shipped(1), "fab")
    chip.add(received(3), "cloud-x")
    chip.add(installed(4), "cloud-x", roles=("child",))
    return chip


def verdicts(judged: PassportVerdict) -> dict[str, str]:
    return {check.name: check.verdict for check in judged.checks}


def test_an_honest_passport_holds() -> None:
    """Every check of a passport as its register issued it holds, corrections and all."""
    chip = life()
    wrong = chip.timeline[-1][0]
    chip.void(wrong, chip.add(declared(installed(4), 5), "cloud-x", roles=("child",)))
    judged = judge_passport(chip.passport(), chip.ties().seen)
    assert judged.verdict == "holds"
    assert set(verdicts(judged).values()) == {"holds"}
    assert judged.gaps == chip.passport().gaps


def test_without_the_log_every_line_is_unverifiable() -> None:
    """Where nothing of the log is at hand the passport neither holds nor fails."""
    judged = judge_passport(life().passport(), LogSeen())
    assert judged.verdict == "unverifiable"
    assert {line.why for line in judged.lines} == {"no-entry"}


def test_an_entry_that_a_whole_log_does_not_hold_fails() -> None:
    """Whoever has read the log up to where the entry should stand knows that it is not there; nobody else does."""
    passport = life().passport()
    assert judge_passport(passport, LogSeen(size=11)).verdict == "unverifiable"
    judged = judge_passport(passport, LogSeen(size=12))
    assert [line.why for line in judged.lines] == ["another-entry", *["no-entry"] * 3]
    assert judged.verdict == "fails"


def test_a_passport_without_proofs_is_unverifiable() -> None:
    """Lines without proofs are never taken for proved."""
    chip = life()
    judged = judge_passport(chip.passport(proven=False), chip.ties().seen)
    assert judged.verdict == "unverifiable"
    assert {line.why for line in judged.lines} == {"no-proof"}


def test_the_passports_own_verdicts_count_for_nothing() -> None:
    """A line that calls itself proved is judged again."""
    passport = life().passport()
    lines = tuple(
        msgspec.structs.replace(line, proof=None, verdict="holds", why="committed")
        for line in passport.lines
    )
    judged = judge_passport(msgspec.structs.replace(passport, lines=lines), LogSeen())
    assert {line.verdict for line in judged.lines} == {"unverifiable"}


def test_figures_by_another_chip_table_are_unverifiable() -> None:
    """Specifications from a table that this reader does not have cannot be checked; from the same one they must fit."""
    passport = life().passport()
    assert passport.specs is not None
    for table, expected in (("0" * 64, "unverifiable"), (passport.specs.table, "fails")):
        changed = msgspec.structs.replace(passport.specs, tpp_bits=8, table=table)
        judged = judge_passport(msgspec.structs.replace(passport, specs=changed), LogSeen())
        assert verdicts(judged)["specs"] == expected


def test_an_empty_passport_is_unverifiable() -> None:
    """A passport without a line shows nothing."""
    judged = judge_passport(msgspec.structs.replace(life().passport(), lines=()), LogSeen())
    assert verdicts(judged)["lines"] == "unverifiable"
    assert judged.verdict != "holds"


@given(st.data())
def test_no_changed_character_of_a_proof_still_holds(data: st.DataObject) -> None:
    """Whatever digit of salt, commitment, path or root is changed, its line no longer holds."""
    chip = life()
    passport = chip.passport()
    number = data.draw(st.integers(0, len(passport.lines) - 1))
    proof = passport.lines[number].proof
    assert proof is not None
    name = data.draw(st.sampled_from(["salt", "commitment", "root", "path"]))
    text = proof.path[0] if name == "path" else getattr(proof, name)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0123456789abcdef").filter(lambda c: c != text[place]))
    changed = text[:place] + other + text[place + 1 :]
    value = (changed, *proof.path[1:]) if name == "path" else changed
    line = msgspec.structs.replace(
        passport.lines[number], proof=msgspec.structs.replace(proof, **{name: value})
    )
    lines = (*passport.lines[:number], line, *passport.lines[number + 1 :])
    judged = judge_passport(msgspec.structs.replace(passport, lines=lines), chip.ties().seen)
    assert judged.lines[number].verdict == "fails"
    assert judged.verdict == "fails"
