"""The letter and the self-declaration, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.catalogue import MESSAGES, Language
from sekisho.catalogue import impact as impact_words
from sekisho.model.sheets import Code, Heading, Sheet, Table, Text
from sekisho.model.wire import to_plain
from sekisho.rules.impact import (
    QUESTIONS,
    Answer,
    Proof,
    assess,
    declaration,
    impact_document,
    letter,
)
from sekisho.rules.impact.contacts import CONTACTS
from sekisho.rules.impact.wording import figure_text, money_text, share_text
from tests.rules.impact.companies import AT, exporter, host, maker, packs, provider

SOURCES = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("rules/impact", "cli", "web")
    for path in (Path(__file__).parents[3] / "src" / "sekisho" / folder).rglob("*.py")
)
PROOF = Proof(statement="a" * 64, key="b" * 64, valid_until=AT.plus(86_400))


def said(sheet: Sheet) -> str:
    """Everything on the sheet as one text."""
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)
        elif isinstance(value, str):
            found.append(value)

    walk(to_plain(sheet))
    return "\n".join(found)


@pytest.mark.parametrize(
    ("language", "verdict", "factor"),
    [
        ("en", "Not affected", "ratio 8.3 % (at most 42 %)"),
        ("ja", "影響なし（対象外）", "基準比 8.3 %（上限 42 %）"),
    ],
)
def test_a_small_manufacturer_reads_that_it_is_not_affected(
    language: Language, verdict: str, factor: str
) -> None:
    """Verdict, figure, threshold and factor, source and mark, in its own language."""
    answers = maker(use="train")
    text = said(letter(assess(answers, packs(), AT), answers, language))
    assert verdict in text
    assert factor in text
    assert "8.21×10^21" in text
    assert "1×10^23" in text
    assert "[S]" in text
    assert "桜部品株式会社" in text


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    "answers", [maker(), exporter(), exporter(end_user_known=None), provider(), host(), {}]
)
def test_every_letter_has_its_parts(language: Language, answers: dict[str, Answer]) -> None:
    """Scope, cost, contacts, assumptions, packs by digest, proof; no braces left unfilled."""
    impact = assess(answers, packs(), AT)
    sheet = letter(impact, answers, language, PROOF)
    headings = [part.text for part in sheet.parts if isinstance(part, Heading)]
    for name in ("scope", "cost", "contacts", "assumptions", "packs", "proof"):
        assert MESSAGES[f"impact.heading.{name}"][language == "ja"] in headings
    text = said(sheet)
    assert all(pack.sha256 in text for pack in impact.packs)
    assert PROOF.statement in text
    assert "{" not in text.replace("{page}", "").replace("{pages}", "")
    assert any(isinstance(part, Code) for part in sheet.parts)
    for part in sheet.parts:
        if isinstance(part, Table):
            assert all(len(row) == len(part.head) == len(part.widths) for row in part.rows)


def test_an_unsigned_letter_says_so() -> None:
    """Paper without a statement is no proof."""
    sheet = letter(assess(maker(), packs(), AT), maker(), "en")
    assert "Not signed" in said(sheet)
    assert not any(isinstance(part, Code) for part in sheet.parts)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_self_declaration_tells_what_clouds_ask_and_nothing_more(language: Language) -> None:
    """Figures and the verdict; not the customers, not the end users."""
    answers = exporter()
    text = said(declaration(assess(answers, packs(), AT), answers, language, PROOF))
    assert MESSAGES["impact.ask.own_listed"][language == "ja"] in text
    assert MESSAGES["impact.ask.end_user_headquarters"][language == "ja"] not in text
    assert MESSAGES["impact.verdict.affected"][language == "ja"] in text


def test_what_is_unknown_is_said_to_be_unknown() -> None:
    """On the declaration too: neither blank nor no."""
    answers = maker(exports=None)
    text = said(declaration(assess(answers, packs(), AT), answers, "en"))
    assert "not known" in text


def test_every_contact_is_an_institution_with_both_names_and_a_mark() -> None:
    """Recalled ones say so."""
    assert all(one.name and one.name_ja and one.mark in "SRO" for one in CONTACTS)
    assert len({one.id for one in CONTACTS}) == len(CONTACTS)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("8207308800000000000000", "8.21×10^21"),
        ("9999999999999999999999", "1×10^22"),
        ("15832", "15,832"),
        ("5.92", "5.92"),
        ("unknown", "unknown"),
        ("1 to 20000000", "1 – 2×10^7"),
    ],
)
def test_figures_are_short_where_they_are_large(written: str, shown: str) -> None:
    """Never 穣."""
    assert figure_text(written) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        ("0.000821", "0.083 %"),
        ("0.41", "41 %"),
        ("3.298334", "330 %"),
        ("131.3", "×132"),
        ("0", "0 %"),
        ("0.000000", "< 0.0001 %"),
    ],
)
def test_shares_are_never_told_smaller_than_they_are(ratio: str, shown: str) -> None:
    """Two digits, rounded up."""
    assert share_text(ratio) == shown


def test_money_in_yen_counts_in_ten_thousands_in_japanese() -> None:
    """Where it is whole ones."""
    assert money_text("1520000", "JPY", "ja") == "152万円"
    assert money_text("15000", "JPY", "ja") == "15,000円"
    assert money_text("15000", "JPY", "en") == "JPY 15,000"
    assert money_text("60", "USD", "ja") == "USD 60"


def test_the_document_for_scripts_is_plain_json_with_reasons() -> None:
    """Amounts as strings, each line with its reason in words, no trace."""
    document = impact_document(assess(exporter(), packs(), AT), "en")
    assert document["verdict"] == "affected"
    lines = document["scope"]
    assert isinstance(lines, list)
    assert all(isinstance(line, dict) and "says" in line for line in lines)
    assert "limbs" not in repr(document)


def test_the_line_of_text_is_never_empty() -> None:
    """Every paragraph says something."""
    sheet = letter(assess(exporter(), packs(), AT), exporter(), "ja")
    assert all(part.text for part in sheet.parts if isinstance(part, Text))


# Families of keys that are put together from a value: the part before the value.
BUILT = (
    "impact.section.",
    "impact.ask.",
    "impact.why.",
    "impact.option.",
    "impact.unit.",
    "impact.verdict.",
    "impact.touches.",
    "impact.role.",
    "impact.outcome.",
    "impact.topic.",
    "impact.assume.",
    "impact.quantity.",
    "impact.head.",
    "impact.figures.",
    "impact.answer.",
    "impact.check.",
    "impact.checked.",
    "impact.says.",
    "impact.cost.",
)


@pytest.mark.parametrize(
    "key", sorted(key for key in impact_words.MESSAGES if not key.startswith(BUILT))
)
def test_every_other_message_is_used_by_name(key: str) -> None:
    """A message that nobody says is a defect."""
    assert f'"{key}"' in SOURCES


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("impact.touches.", {"yes", "no", "unsure", "not-in-force", "would"}),
        ("impact.outcome.", {"permit", "report", "licence", "deny", "unsure"}),
        ("impact.topic.", {one.topic for one in CONTACTS} | {"cloud"}),
        (
            "impact.role.",
            {"training-run", "cluster", "transfer", "cloud-use", "provider", "access"},
        ),
        ("impact.unit.", {one.unit for one in QUESTIONS.values() if one.unit}),
        (
            "impact.assume.",
            {"bound", "utilisation", "inference", "revenue", "end-user", "headquarters"}
            | {"wage", "fees", "margin", "hours", "no-exception"},
        ),
    ],
)
def test_a_family_of_messages_is_whole_and_has_nothing_left_over(
    family: str, values: set[str]
) -> None:
    """One for each value."""
    found = {key.removeprefix(family) for key in impact_words.MESSAGES if key.startswith(family)}
    assert found == values
