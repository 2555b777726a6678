"""`sekisho licence apply, approve, amend, suspend, lift, revoke, outage, burn-down` on a key holder's machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.catalogue import Language
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    LicenceAmended,
    LicenceIssued,
    LicenceSuspended,
    OutageDeclared,
    Span,
    make_payload,
    parse_payload,
)
from sekisho.signing import parse_envelope
from tests.cli.ceremonies import LICENSED, RESUMED, KeyHolder, phrase_of
from tests.factory_bundle import Cast

Capture = pytest.CaptureFixture[str]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
ASKED = Cast(approvals=2, approvers=("authority-1",))
FILED = 3.7  # seconds: the application is filed and has one approval, nothing is licensed


@pytest.fixture
def officer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    """Where an application waits for a second approval."""
    return KeyHolder(tmp_path, monkeypatch, second=FILED, cast=ASKED)


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    """Where LIC-1 is in force under a charter that asks for no approvals."""
    return KeyHolder(tmp_path, monkeypatch, second=LICENSED)


def test_an_application_is_drafted_shown_and_signed_by_its_party(
    officer: KeyHolder, capsys: Capture
) -> None:
    """Every field is on the page; the party's key signs it, an officer's does not."""
    path, paper = officer.path("application.json"), officer.path("safety.pdf")
    paper.write_bytes(b"measured")
    drafted = officer.answer(
        capsys,
        *("licence", "apply", "run-1", "--application", "APP-2", "--out", path),
        *("--budget", "1e11", "--lasts", "12h", "--mode", "kill", "--reason", "training"),
        *("--evidence", f"Safety case={paper}", "--log", officer.log),
    )
    assert {
        "number",
        "run",
        "covers",
        "budget",
        "expires",
        "asks_mode",
        "reason",
        "evidence",
    } <= set(drafted["says"])
    fact = parse_payload(path.read_bytes()).predicate
    assert isinstance(fact, ApplicationFiled)
    assert (fact.budget_flop, fact.mode, len(fact.evidence)) == ("100000000000", "kill", 1)
    phrase = phrase_of(path.read_bytes())
    command = ("licence", "sign", path, "--phrase", phrase, "--log", officer.log)
    assert officer.call(*command, "--key", officer.key("authority-1")) == 1
    assert officer.call(*command, "--key", officer.key("party-1")) == 0
    assert len(parse_envelope(path.read_bytes()).signatures) == 1


def test_an_officer_reads_the_application_before_the_signature(
    officer: KeyHolder, capsys: Capture
) -> None:
    """The page of an answer holds the application itself and who answered; the phrase is asked for."""
    path = officer.path("approval.json")
    command = ("licence", "approve", "APP-1", "--reason", "read", "--out", path)
    flags = ("--key", officer.key("authority-2"), "--log", officer.log)
    assert officer.call(*command, *flags, "--phrase", "wrong words") == 1
    assert not path.exists()
    shown = capsys.readouterr().out
    for told in ("party-1", "1000000000000", "1 more holders must approve", "authority 1"):
        assert told in shown
    drafted = officer.answer(
        capsys,
        *command,
        *("--public", officer.public("authority-2"), "--log", officer.log),
        *("--condition", "report weekly"),
    )
    assert drafted["approvals_missing"] == 1
    fact = parse_payload(path.read_bytes()).predicate
    assert isinstance(fact, ApprovalGiven)
    assert (fact.outcome, fact.conditions) == ("approve", ("report weekly",))
    refused = officer.path("refusal.json")
    refusing = ("licence", "refuse", "APP-1", "--reason", "no safety case", "--out", refused)
    officer.answer(
        capsys, *refusing, "--public", officer.public("authority-3"), "--log", officer.log
    )
    answer = parse_payload(refused.read_bytes()).predicate
    assert isinstance(answer, ApprovalGiven)
    assert answer.outcome == "refuse"


def test_applications_are_listed_with_what_is_missing(officer: KeyHolder, capsys: Capture) -> None:
    """One is open and lacks one holder, in both languages."""
    (row,) = officer.answer(capsys, "licence", "applications", "--log", officer.log)
    assert (row["application"], row["state"], row["approvals_missing"]) == ("APP-1", "open", 1)
    for language in LANGUAGES:
        officer.language = language
        assert officer.call("licence", "applications", "--log", officer.log) == 0
        assert "APP-1" in capsys.readouterr().out


def test_a_script_approves_in_two_calls_of_one_date(officer: KeyHolder, capsys: Capture) -> None:
    """A phrase of another instant is refused with the way on; under the shown date it signs."""
    path = officer.path("said.json")
    command = ("licence", "approve", "APP-1", "--reason", "read", "--out", path)
    own = (*command, "--key", officer.key("authority-2"), "--log", officer.log)
    first = officer.now
    assert officer.call(*own, "--phrase", "so so so so so so so so") == 1
    assert f"--dated {first}" in capsys.readouterr().err
    officer.answer(
        capsys, *command, "--public", officer.public("authority-2"), "--log", officer.log
    )
    phrase = phrase_of(path.read_bytes())
    path.unlink()
    officer.set_clock(first.plus(7))
    assert officer.call(*own, "--phrase", phrase) == 1, "dated anew it is another text"
    assert not path.exists()
    assert officer.call(*own, "--phrase", phrase, "--dated", str(first)) == 0
    fact = parse_payload(parse_envelope(path.read_bytes()).payload).predicate
    assert isinstance(fact, ApprovalGiven)
    assert fact.effective == first
    capsys.readouterr()
    path.unlink()
    assert officer.call(*own, "--dated", "yesterday") == 2
    assert "--dated" in capsys.readouterr().err


def test_a_licence_that_lacks_an_approval_is_not_signed(
    officer: KeyHolder, capsys: Capture
) -> None:
    """The draft says what is missing, and the ceremony refuses it."""
    path = officer.path("licence.json")
    drafted = officer.answer(
        capsys,
        *("licence", "draft", "run-1", "--number", "LIC-9", "--application", "APP-1"),
        *("--mode", "kill", "--out", path, "--log", officer.log),
        code=1,
    )
    assert "has 1 approvals" in drafted["refused"]
    assert "1 approvals" in " ".join(w["text"] for w in drafted["warnings"])
    command = ("licence", "sign", path, "--key", officer.key(), "--log", officer.log)
    assert officer.call(*command, "--phrase", phrase_of(path.read_bytes())) == 1
    assert "has 1 approvals" in capsys.readouterr().err


def test_a_licence_takes_its_applications_terms_where_none_are_given(
    officer: KeyHolder, capsys: Capture
) -> None:
    """Budget, hosts, mode and end are those applied for; a longer stay has to be said, and is warned of."""
    command = ("licence", "draft", "run-1", "--number", "LIC-9", "--application", "APP-1")
    path = officer.path("licence.json")
    officer.answer(capsys, *command, "--out", path, "--log", officer.log, code=1)
    (asked,) = officer.answer(capsys, "licence", "applications", "--log", officer.log)
    fact = parse_payload(path.read_bytes()).predicate
    assert isinstance(fact, LicenceIssued)
    granted = (fact.budget_flop, list(fact.hosts), fact.mode, str(fact.period.end))
    assert granted == (asked["budget_flop"], asked["hosts"], asked["mode"], asked["end"])
    assert str(fact.period.start) >= asked["start"]
    longer = officer.path("longer.json")
    drafted = officer.answer(
        capsys, *command, "--lasts", "90d", "--out", longer, "--log", officer.log, code=1
    )
    assert "period" in " ".join(w["text"] for w in drafted["warnings"])


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("licence", "draft", "run-1", "--number", "LIC 1"), "--number"),
        (("licence", "apply", "run-1", "--application", "APP 1"), "--application"),
    ],
)
def test_a_name_with_a_blank_names_its_option(
    officer: KeyHolder, capsys: Capture, command: tuple[str, ...], option: str
) -> None:
    """Bad input, by the option that was typed."""
    assert officer.call(*command, "--out", officer.path("x.json"), "--log", officer.log) == 2
    assert option in capsys.readouterr().err


def test_an_amendment_shows_what_changes(holder: KeyHolder, capsys: Capture) -> None:
    """Mode, budget, end and hosts; what gives more says so; nothing to change is refused."""
    path = holder.path("amendment.json")
    drafted = holder.answer(
        capsys,
        *("licence", "amend", "LIC-1", "--mode", "block-new", "--reason", "way back"),
        *("--budget", "5e11", "--interval", "10s", "--out", path, "--log", holder.log),
    )
    changes = {
        row["term"]: (row["before"], row["after"]) for row in drafted["difference"]["changes"]
    }
    assert changes["mode"] == ("kill", "block-new")
    assert changes["budget_flop"] == ("1000000000000", "500000000000")
    assert drafted["difference"]["grants_more"] is True
    assert drafted["difference"]["problems"] == []
    fact = parse_payload(path.read_bytes()).predicate
    assert isinstance(fact, LicenceAmended)
    assert (fact.version, fact.lease.interval_s) == (2, 10)
    phrase = phrase_of(path.read_bytes())
    for name in ("authority-1", "authority-2"):
        command = ("licence", "sign", path, "--key", holder.key(name), "--phrase", phrase)
        assert holder.call(*command, "--log", holder.log) == 0
    nothing = ("licence", "amend", "LIC-1", "--reason", "x", "--out", "n.json", "--log", holder.log)
    assert holder.call(*nothing) == 2
    assert "nothing is changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "code", "word"),
    [
        (("--mode", "explode"), 2, "--mode"),
        (("--budget", "lots"), 2, "--budget"),
        (("--until", "soon"), 2, "--until"),
        (("--share", "east"), 2, "--share"),
        (("--host", "host-9"), 1, "not enrolled"),
        (("--budget", "1e25"), 1, "deny"),
    ],
)
def test_a_bad_amendment_names_its_flag(
    holder: KeyHolder, capsys: Capture, flags: tuple[str, ...], code: int, word: str
) -> None:
    """Bad input ends with 2, a refusal with 1, and no file is written."""
    out = holder.path("n.json")
    command = ("licence", "amend", "LIC-1", "--reason", "x", "--out", out, "--log", holder.log)
    assert holder.call(*command, *flags) == code
    assert word in capsys.readouterr().err
    assert not out.exists()


def test_suspension_revocation_and_outage_are_drafted_and_shown(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Each says what it does, and whom it covers, in both languages."""
    drafts = (
        ("suspend", "LIC-1", LicenceSuspended),
        ("revoke", "LIC-1", object),
        ("outage", "OUT-1", OutageDeclared),
    )
    for language in LANGUAGES:
        holder.language = language
        for word, name, kind in drafts:
            path = holder.path(f"{word}-{language}.json")
            flags = ("--lasts", "24h", "--site", "site-1") if word == "outage" else ()
            command = ("licence", word, name, *flags, "--reason", "because", "--out", path)
            assert holder.call(*command, "--log", holder.log) == 0
            assert isinstance(parse_payload(path.read_bytes()).predicate, kind)
            assert "because" in capsys.readouterr().out
            shown = holder.answer(capsys, "show", path, "--log", holder.log)
            assert shown["says"]["effect"]
            assert "field" not in shown["says"]
    assert (
        holder.call(
            *("licence", "lift", "LIC-1", "--reason", "x", "--out", holder.path("l.json")),
            *("--log", holder.log),
        )
        == 1
    )
    assert "not suspended" in capsys.readouterr().err


@pytest.mark.parametrize("lasts", ["73h", "96h", "0"])
def test_an_outage_of_more_than_72_hours_or_of_none_is_not_drafted(
    holder: KeyHolder, capsys: Capture, lasts: str
) -> None:
    """Bad input that names the option and what to do; no file."""
    path = holder.path("outage.json")
    command = ("licence", "outage", "OUT-1", "--lasts", lasts, "--reason", "x", "--out", path)
    assert holder.call(*command, "--log", holder.log) == 2
    told = capsys.readouterr().err
    assert "--lasts" in told
    assert "at most 72 hours" in told
    assert not path.exists()


def test_an_outage_of_four_days_is_not_signed(holder: KeyHolder, capsys: Capture) -> None:
    """72 hours is the most: a paper drafted elsewhere says so where it is shown, and is refused."""
    path = holder.path("outage.json")
    period = Span(start=holder.now, end=holder.now.plus(96 * 3_600))
    fact = OutageDeclared(effective=holder.now, outage="OUT-1", period=period, reason="x")
    path.write_bytes(make_payload(fact))
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert [row["code"] for row in shown["warnings"]] == ["fault"]
    phrase = phrase_of(path.read_bytes())
    signing = ("licence", "sign", path, "--key", holder.key(), "--phrase", phrase)
    assert holder.call(*signing, "--log", holder.log) == 1
    assert "at most" in capsys.readouterr().err


def test_the_burn_down_is_said_in_words_and_as_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """With disclosures the accounts, without them *undisclosed*, never zero."""
    holder = KeyHolder(tmp_path, monkeypatch, second=RESUMED)
    disclosures = ("--disclosures", holder.path("bundle") / "disclosures.json")
    command = ("licence", "burn-down", "LIC-1", "--log", holder.log)
    (told,) = holder.answer(capsys, *command, *disclosures)
    assert told["points"][-1]["consumed_flop"] == "4000000000"
    assert [mark["percent"] for mark in told["marks"]] == [80, 95, 100]
    assert told["forecast"]["basis"] == "observed"
    assert (told["known"], told["marks"][0]["state"]) == (True, "not crossed")
    (hidden,) = holder.answer(capsys, *command, code=3)
    assert (hidden["spent_percent"], hidden["forecast"]["basis"]) == (None, "undisclosed")
    assert (hidden["known"], hidden["marks"][0]) == (False, {"percent": 80, "state": "unknown"})
    assert hidden["forecast"]["low_flop_per_s"] is hidden["forecast"]["high_flop_per_s"] is None
    for language in LANGUAGES:
        holder.language = language
        assert holder.call(*command, *disclosures) == 0
        assert "LIC-1" in capsys.readouterr().out
    assert holder.call("licence", "burn-down", "LIC-9", "--log", holder.log) == 2
