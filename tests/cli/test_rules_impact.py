"""`sekisho rules impact`: asked, answered, printed, signed and verified on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from sekisho.adapters.paper import fonts
from sekisho.catalogue import Language
from sekisho.cli import main
from sekisho.cli.impact_asking import Asking
from sekisho.model.sheets import Sheet
from sekisho.model.wire import to_plain
from sekisho.rules.impact import Answer, Answers, assess, format_answers, letter, progress
from sekisho.settings import Settings
from tests.adapters.paper.reading_back import box_font, text_of
from tests.rules.impact.companies import AT, exporter, maker, packs

DAY = "2026-08-01"


class Desk:
    """A folder, a language, and the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.language: Language = "en"
        self._capsys = capsys

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def answers(self, given: dict[str, Answer], name: str = "answers.json") -> str:
        (self.folder / name).write_bytes(format_answers(Answers(given=given)))
        return self.path(name)

    def call(self, *arguments: str) -> tuple[int, str]:
        settings = Settings(
            home=self.folder, trust_file=self.folder / "trust.json", language=self.language
        )
        code = main.call(list(arguments), settings)
        printed = self._capsys.readouterr()
        return code, printed.out + printed.err

    def impact(self, *arguments: str) -> tuple[int, str]:
        return self.call("rules", "impact", *arguments)

    def json(self, *arguments: str) -> tuple[int, Any]:
        code, text = self.impact(*arguments, "--json")
        return code, json.loads(text)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


@pytest.fixture
def any_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A font of boxes in place of the system's."""
    sheets: list[Sheet] = []
    for given in (maker(), exporter()):
        found = assess(given, packs(), AT)
        sheets += [letter(found, given, language) for language in ("en", "ja")]
    folder = tmp_path / "fonts"
    folder.mkdir()
    text = json.dumps(to_plain(sheets), ensure_ascii=False)
    everything = Sheet(
        language="en", title=text + _all_words(), subtitle="", parts=(), page="", created=AT
    )
    monkeypatch.setattr(fonts, "FONT_PLACES", (box_font(folder, everything),))
    monkeypatch.setattr(fonts.find_font, "__defaults__", (fonts.FONT_PLACES,))


def _all_words() -> str:
    from sekisho.catalogue import MESSAGES

    return "".join(text for key, both in MESSAGES.items() if key[:6] == "impact" for text in both)


@pytest.mark.parametrize(
    ("given", "code", "verdict"),
    [
        (maker(), 0, "not-affected"),
        (exporter(), 1, "affected"),
        (exporter(export_to=("MY",), end_user_known=False), 3, "unsure"),
        ({}, 3, "unsure"),
    ],
)
def test_the_exit_code_is_the_verdict(
    desk: Desk, given: dict[str, Answer], code: int, verdict: str
) -> None:
    """0 not affected, 1 affected, 3 cannot tell; the document says the same."""
    found, document = desk.json(desk.answers(given), "--at", DAY)
    assert (found, document["verdict"]) == (code, verdict)
    assert len(document["packs"]) == len(packs())
    assert document["written"] == []


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Not affected"), ("ja", "影響なし（対象外）")]
)
def test_a_small_manufacturer_is_told_in_its_language(
    desk: Desk, language: Language, words: str
) -> None:
    """By the environment, and by --lang against it."""
    desk.language = language
    code, text = desk.impact(desk.answers(maker()), "--at", DAY)
    assert (code, words in text) == (0, True)
    desk.language = "ja" if language == "en" else "en"
    assert words in desk.impact(desk.answers(maker()), "--at", DAY, "--lang", language)[1]


def test_answers_are_taken_from_standard_input(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every command does."""
    with Path(desk.answers(maker())).open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": stream})())
        assert desk.json("-", "--at", DAY)[0] == 0


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_questionnaire_is_printed(desk: Desk, language: Language) -> None:
    """As JSON with its words."""
    code, rows = desk.json("--questions", "--lang", language)
    assert code == 0
    assert {"id", "section", "kind", "ask", "why", "options", "when"} <= set(rows[0])
    text = desk.impact("--questions", "--lang", language)[1]
    assert all(f"{row['id']} ({row['kind']}): {row['ask']}" in text for row in rows)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_questionnaire_lists_the_options(desk: Desk, language: Language) -> None:
    """Each word that may be answered, below its question, with what it means."""
    rows = desk.json("--questions", "--lang", language)[1]
    lines = desk.impact("--questions", "--lang", language)[1].splitlines()
    for row in rows:
        at = next(n for n, line in enumerate(lines) if f"  {row['id']} (" in line)
        options = [f"    {one['value']}: {one['words']}" for one in row["options"]]
        assert lines[at + 1 : at + 1 + len(options)] == options
    assert sum(len(row["options"]) for row in rows) + len(rows) == len(lines)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("absent.json",), "absent.json"),
        ((), "ANSWERS"),
        (("--lang", "fr"), "--lang"),
        (("verify",), "STATEMENT"),
        (("a.json", "b.json"), "b.json"),
        (("a.json", "--sign", "k"), "--sign, --out"),
        (("a.json", "--at", "2026-02-30"), "--at"),
    ],
)
def test_bad_input_names_what_is_wrong(desk: Desk, arguments: tuple[str, ...], named: str) -> None:
    """Exit code 2."""
    desk.answers(maker(), "a.json")
    placed = [desk.path(one) if one.endswith(".json") else one for one in arguments]
    code, text = desk.impact(*placed)
    assert code == 2
    assert named in text


@pytest.mark.parametrize("data", [b"{}", b'{"id": "my"}\n', b"%PDF-1.7"])
def test_what_is_no_statement_is_named_as_such(desk: Desk, data: bytes) -> None:
    """With the file that would be one."""
    (desk.folder / "my.json").write_bytes(data)
    code, text = desk.impact("verify", desk.path("my.json"))
    assert code == 2
    assert "my.json: this is no statement (" in text
    assert "name the file that --out wrote" in text


def test_a_wrong_answer_is_named_by_file_and_question(desk: Desk) -> None:
    """And what to write instead."""
    place = desk.folder / "a.json"
    place.write_text('{"format":"sekisho-impact-answers/v1","answers":{"chip_count":"eight"}}')
    code, text = desk.impact(str(place))
    assert code == 2
    assert "a.json.answers.chip_count" in text
    assert "write digits" in text


# --- signed ---------------------------------------------------------------------------------------


@pytest.fixture
def signed(desk: Desk) -> Desk:
    """A key, and the exporter's statement under it."""
    assert desk.call("key", "new", desk.path("k"))[0] == 0
    code, document = desk.json(
        desk.answers(exporter()),
        "--at",
        DAY,
        "--sign",
        desk.path("k"),
        "--out",
        desk.path("s.json"),
    )
    assert code == 1
    assert document["written"] == [desk.path("s.json.answers.json"), desk.path("s.json")]
    return desk


def verify(desk: Desk, *more: str) -> tuple[int, Any]:
    return desk.json("verify", desk.path("s.json"), "--at", "2026-08-02", *more)


def test_a_signed_statement_verifies_offline(signed: Desk) -> None:
    """With the answers and the key it holds; the verdict that it states is not its own verdict."""
    code, document = verify(
        signed, "--answers", signed.path("s.json.answers.json"), "--key", signed.path("k.pub")
    )
    assert (code, document["verdict"], document["said"]) == (0, "holds", "affected")
    assert document["known_until"] is not None


def test_without_key_or_answers_it_is_unverifiable(signed: Desk) -> None:
    """Exit code 3, each check by name."""
    code, document = verify(signed)
    assert (code, document["verdict"]) == (3, "unverifiable")
    open_checks = {one["name"] for one in document["checks"] if one["verdict"] == "unverifiable"}
    assert open_checks == {"signer", "answers", "decision"}


def test_other_answers_fail(signed: Desk) -> None:
    """Exit code 1."""
    code, document = verify(signed, "--answers", signed.answers(maker(), "other.json"))
    assert (code, document["verdict"]) == (1, "fails")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_verify_says_each_check_in_words(signed: Desk, language: Language) -> None:
    """In both languages, with the company's name and the day."""
    code, text = signed.impact("verify", signed.path("s.json"), "--lang", language)
    assert code == 3
    assert "桜部品株式会社" in text
    assert len(text.splitlines()) == 8


@pytest.mark.parametrize("language", ["en", "ja"])
def test_show_understands_it(signed: Desk, language: Language) -> None:
    """Verdict, rules, packs, whose word it is; the signature is by the key that it carries."""
    signed.language = language
    code, text = signed.call("show", signed.path("s.json"), "--json")
    page = json.loads(text)
    assert code == 0
    assert page["kind"] == "impact-assessed"
    assert page["says"]["touching"]
    assert len(page["says"]["packs"]) == len(packs())
    assert page["signatures"][0]["key"] is not None
    assert "unknown-signature" not in {one["code"] for one in page["warnings"]}


def test_a_statement_never_takes_another_file_s_place(signed: Desk) -> None:
    """What was signed stays."""
    before = Path(signed.path("s.json")).read_bytes()
    code, _ = signed.impact(
        signed.answers(maker()), "--sign", signed.path("k"), "--out", signed.path("s.json")
    )
    assert code != 0
    assert Path(signed.path("s.json")).read_bytes() == before


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.usefixtures("any_font")
def test_letter_and_declaration_are_printed(desk: Desk, language: Language) -> None:
    """A4, readable, with the verdict; the declaration on one page."""
    files = (desk.path("l.pdf"), desk.path("d.pdf"))
    code, document = desk.json(
        desk.answers(maker()),
        "--at",
        DAY,
        "--lang",
        language,
        "--pdf",
        files[0],
        "--declaration",
        files[1],
    )
    assert code == 0
    assert document["written"] == list(files)
    words = {"en": "Notaffected", "ja": "影響なし"}[language]
    for place in files:
        data = Path(place).read_bytes()
        assert data.startswith(b"%PDF-")
        assert words in text_of(data)
    assert Path(files[1]).read_bytes().count(b"/Type /Page\n") == 1


def test_a_missing_font_ends_with_four(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And names Debian's package."""
    monkeypatch.setattr(fonts.find_font, "__defaults__", ((),))
    code, text = desk.impact(desk.answers(maker()), "--at", DAY, "--pdf", desk.path("l.pdf"))
    assert code == 4
    assert "fonts-ipafont-gothic" in text


# --- asked on a terminal ---------------------------------------------------------------------------


class Person:
    """Somebody who types lines; what was told is kept."""

    def __init__(self, *lines: str, given: dict[str, Answer] | None = None) -> None:
        self.lines = list(lines)
        self.prompts: list[str] = []
        self.told: list[str] = []
        self.saved: list[dict[str, Answer]] = []
        self.given: dict[str, Answer] = dict(given or {})

    def sit_down(self, language: Language = "en") -> bool:
        def ask(prompt: str) -> str:
            self.prompts.append(prompt)
            return self.lines.pop(0)

        asking = Asking(
            self.given,
            language,
            ask=ask,
            tell=self.told.append,
            save=lambda given: self.saved.append(dict(given)),
        )
        return asking.run()


def test_a_person_answers_in_words_and_numbers() -> None:
    """Names of countries, numbers of options, not knowing, leaving out; every answer is saved."""
    person = Person(
        "Acme", "日本", "", "1", "2", "services", "no", "?", "n", "日本", "いいえ", "0", "", "", ""
    )
    assert person.sit_down()
    assert person.given["country"] == "JP"
    assert person.given["revenue"] == "10m-100m"
    assert person.given["use"] == "services"
    assert person.given["offers_cloud"] is None
    assert "corporate_number" not in person.given
    assert person.saved[-1] == person.given
    assert progress(person.given).section == "company"


def test_a_step_back_takes_the_last_answer_back() -> None:
    """And asks it again."""
    person = Person("Acme", "DE", "<", "JP", "q")
    assert not person.sit_down()
    assert person.given == {"name": "Acme", "country": "JP"}


def test_a_wrong_line_is_asked_again_with_the_reason() -> None:
    """Also an empty one where an answer is needed."""
    person = Person("", "", "Atlantis", "JP", "q")
    assert not person.sit_down()
    assert any("Atlantis" in told for told in person.told)
    assert any("needed" in told for told in person.told)
    assert person.given == {"country": "JP"}


def test_who_stopped_goes_on_where_it_was() -> None:
    """What was saved is not asked again."""
    given = maker()
    del given["exports"]
    person = Person("", "", "", "yes", "q", given=given)
    assert not person.sit_down("ja")
    assert person.given["exports"] is True
    assert not any("国はどこ" in prompt for prompt in person.prompts)


def test_a_terminal_is_asked_and_its_answers_are_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at once: nothing is known, so nobody can tell; the file resumes."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    lines = iter(["Acme", "JP", "q"])
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: next(lines))
    place = desk.path("mine.json")
    code, _ = desk.impact("--save", place, "--at", DAY)
    assert code == 3
    assert json.loads(Path(place).read_bytes())["answers"] == {"name": "Acme", "country": "JP"}
    lines = iter(["q"])
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: next(lines))
    assert desk.impact("--save", place, "--at", DAY)[0] == 3
