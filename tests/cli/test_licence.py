"""`sekisho licence`: decide, draft, sign, and the books with what is disclosed and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.statements import LicenceIssued, parse_payload
from sekisho.signing import parse_envelope
from tests.cli.ceremonies import LICENSED, RESUMED, T0, KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]
DECLARED = 3  # seconds: the run is declared, nothing is licensed yet


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch, second=DECLARED)


def draft(holder: KeyHolder, *flags: str) -> int:
    out = holder.path("licence.json")
    number = ("--number", "LIC-1", "--out", str(out), "--log", holder.log)
    return holder.call("licence", "draft", "run-1", *number, *flags)


def test_a_declared_run_is_decided_by_the_rules(declared: KeyHolder, capsys: Capture) -> None:
    """The decision names the pack; an undeclared run is refused."""
    found = declared.answer(capsys, "licence", "decide", "run-1", "--log", declared.log)
    assert found["decision"] == "permit"
    assert found["policy"]["name"] == "loop-2026"
    assert declared.call("licence", "decide", "run-9", "--log", declared.log) == 1


def test_a_licence_goes_from_draft_to_quorum(declared: KeyHolder, capsys: Capture) -> None:
    """Draft, show both bounds, sign twice: the envelope carries the issuers' quorum."""
    assert draft(declared, "--interval", "10m", "--grace", "20s", "--quantum", "5s") == 0
    path = declared.path("licence.json")
    fact = parse_payload(path.read_bytes()).predicate
    assert isinstance(fact, LicenceIssued)
    assert (fact.budget_flop, fact.hosts, fact.licensee) == (
        "1000000000000",
        ("host-1",),
        "party-1",
    )
    shown = declared.answer(capsys, "show", path, "--log", declared.log)
    assert (shown["max_time_to_halt_s"], shown["max_outage_survived_s"]) == (625, 620)
    assert shown["difference"] == {"problems": [], "licences_of_run": []}
    phrase = phrase_of(path.read_bytes())
    for name in ("authority-1", "authority-2"):
        command = ("licence", "sign", path, "--key", declared.key(name), "--phrase", phrase)
        assert declared.call(*command, "--log", declared.log) == 0
    assert len(parse_envelope(path.read_bytes()).signatures) == 2
    assert declared.answer(capsys, "show", path, "--log", declared.log)["quorum"]


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--budget", "many"), "--budget"),
        (("--budget", "1e39"), "--budget"),
        (("--mode", "explode"), "--mode"),
        (("--interval", "48h"), "lease terms"),
        (("--quantum", "0s"), "lease terms"),
        (("--lasts", "x"), "--lasts"),
        (("--pack", "no-such"), "pack"),
    ],
)
def test_a_bad_draft_names_its_flag(
    declared: KeyHolder, capsys: Capture, flags: tuple[str, ...], word: str
) -> None:
    """Exit 2 and no file."""
    assert draft(declared, *flags) == 2
    assert word in capsys.readouterr().err
    assert not declared.path("licence.json").exists()


def test_a_licence_that_does_not_fit_the_log_is_not_signed(
    declared: KeyHolder, capsys: Capture
) -> None:
    """A budget above what was declared is shown as a fault, ends with 1, and the signature is refused."""
    assert draft(declared, "--budget", "2e12") == 1
    assert "would be refused" in capsys.readouterr().out
    path = declared.path("licence.json")
    shown = declared.answer(capsys, "show", path, "--log", declared.log)
    assert "fault" in {row["code"] for row in shown["warnings"]}
    command = ("licence", "sign", path, "--key", declared.key(), "--log", declared.log)
    assert declared.call(*command, "--phrase", phrase_of(path.read_bytes())) == 1
    assert "above" in capsys.readouterr().err


def test_a_number_that_is_taken_is_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """A second licence under one number is refused before the phrase is asked for."""
    holder = KeyHolder(tmp_path, monkeypatch, second=LICENSED)
    assert draft(holder) == 1
    path = holder.path("licence.json")
    assert holder.call("licence", "sign", path, "--key", holder.key(), "--log", holder.log) == 1
    assert "is taken" in capsys.readouterr().err


def test_undisclosed_amounts_are_not_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """From the public log alone the accounts are unknown; with the disclosures they add up to the budget."""
    holder = KeyHolder(tmp_path, monkeypatch, second=RESUMED)
    (row,) = holder.answer(capsys, "licence", "list", "--log", holder.log)
    assert row["undisclosed"] == 4
    assert set(row["books"].values()) == {None}
    opened = ("--log", holder.log, "--disclosures", holder.path("bundle") / "disclosures.json")
    found = holder.answer(capsys, "licence", "show", "LIC-1", *opened)
    books = {name: int(flop) for name, flop in found["books"].items()}
    assert sum(books.values()) == int(found["budget_flop"])
    assert books["consumed"] > 0
    assert [lease["ended"] for lease in found["leases"]] == ["final-receipt", "final-receipt"]
    hidden = holder.answer(capsys, "licence", "show", "LIC-1", "--log", holder.log)
    assert hidden["leases"][0]["allowance_flop"] is None


def test_the_status_of_a_licence_follows_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """In force inside its period, over after it."""
    holder = KeyHolder(tmp_path, monkeypatch)
    (row,) = holder.answer(capsys, "licence", "list", "--log", holder.log)
    assert row["status"] == "in-force"
    holder.set_clock(T0.plus(100_000))
    (row,) = holder.answer(capsys, "licence", "list", "--log", holder.log)
    assert row["status"] == "over"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_command_speaks_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """No command of licences lacks a message in a language."""
    holder = KeyHolder(tmp_path, monkeypatch, second=RESUMED)
    holder.language = "ja" if language == "ja" else "en"
    disclosed = ("--disclosures", str(holder.path("bundle") / "disclosures.json"))
    for more in ((), disclosed):
        assert holder.call("licence", "list", "--log", holder.log, *more) == 0
        assert holder.call("licence", "show", "LIC-1", "--log", holder.log, *more) == 0
    assert holder.call("licence", "show", "LIC-9", "--log", holder.log) == 2
