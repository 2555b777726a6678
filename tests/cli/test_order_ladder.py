"""`sekisho order stragglers, refusal, appeal, drill-report`, reach and sites, on a key holder's machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.catalogue import Language
from sekisho.model.statements import AppealFiled, OrderIssued, RefusalRecorded, parse_payload
from sekisho.signing import parse_envelope
from tests.cli.ceremonies import LICENSED, PAUSED, T0, KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]
ISSUED = 21  # the pause is in the log, and its host has said nothing
LATE = 700.0
LANGUAGES: tuple[Language, ...] = ("en", "ja")


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    """Where host-1 is late under pause/JP/1."""
    holder = KeyHolder(tmp_path, monkeypatch, second=ISSUED)
    holder.set_clock(T0.plus(LATE))
    return holder


@pytest.fixture
def halted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    """Where the halt of host-1 is corroborated."""
    return KeyHolder(tmp_path, monkeypatch, second=PAUSED)


def test_a_straggler_is_listed_with_its_next_step(judge: KeyHolder, capsys: Capture) -> None:
    """Exit 1: somebody is late; the notice may be taken, and until when it is due."""
    (row,) = judge.answer(capsys, "order", "stragglers", "--log", judge.log, code=1)
    assert (row["host"], row["site"], row["why"]) == ("host-1", "site-1", "silent")
    assert row["next"] == ["notice"]
    # The pause was recorded a second after its begin.
    assert (row["is_due"], row["is_overdue"], row["late_s"]) == (True, False, 79)
    (same,) = judge.answer(
        capsys, "order", "stragglers", "--order", "pause/JP/1", "--log", judge.log, code=1
    )
    assert same == row


def test_where_nobody_is_late_the_exit_is_0(halted: KeyHolder, capsys: Capture) -> None:
    """A host that halted is on no list."""
    assert halted.answer(capsys, "order", "stragglers", "--log", halted.log) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_reads_in_both_languages(
    judge: KeyHolder, capsys: Capture, language: Language
) -> None:
    """Every word has its translation."""
    judge.language = language
    assert judge.call("order", "stragglers", "--log", judge.log) == 1
    told = capsys.readouterr().out
    assert "host-1" in told
    assert {"en": "DUE by", "ja": "実施期限"}[language] in told


def test_a_notice_is_drafted_shown_and_signed_by_the_judge(
    judge: KeyHolder, capsys: Capture
) -> None:
    """Its page says what it does; a verifier's key signs it, an authority's does not."""
    path = judge.path("notice.json")
    drafted = judge.answer(
        capsys,
        *("order", "refusal", "host-1", "--order", "pause/JP/1", "--out", path, "--log", judge.log),
    )
    assert drafted["kind"] == "refusal-recorded"
    assert {"host", "step", "effect", "answer_by", "steps_before"} <= set(drafted["says"])
    assert "refusal-no-evidence" in {warning["code"] for warning in drafted["warnings"]}
    payload = path.read_bytes()
    fact = parse_payload(payload).predicate
    assert isinstance(fact, RefusalRecorded)
    assert (fact.step, fact.host) == ("notice", "host-1")
    sign = ("order", "sign", path, "--phrase", phrase_of(payload), "--log", judge.log)
    assert judge.call(*sign, "--key", judge.key("authority-1")) == 1
    assert judge.call(*sign, "--key", judge.key("verifier-1")) == 0
    assert len(parse_envelope(path.read_bytes()).signatures) == 1


@pytest.mark.parametrize(
    ("flags", "code", "word"),
    [
        (("--step", "refusal"), 1, "not the next step"),
        (("--step", "shout"), 2, "--step"),
        (("--answer-within", "1h"), 2, "--answer-within"),
        (("--order", "pause/JP/7"), 2, "--order"),
    ],
)
def test_a_step_that_cannot_be_taken_is_not_drafted(
    judge: KeyHolder, capsys: Capture, flags: tuple[str, ...], code: int, word: str
) -> None:
    """Exit 1 for the wrong step, 2 for what is no step, length or order; no file either way."""
    out = judge.path("step.json")
    order = () if "--order" in flags else ("--order", "pause/JP/1")
    assert (
        judge.call("order", "refusal", "host-1", *order, *flags, "--out", out, "--log", judge.log)
        == code
    )
    assert word in capsys.readouterr().err
    assert not out.exists()


def test_nothing_is_drafted_against_a_host_that_halted(halted: KeyHolder, capsys: Capture) -> None:
    """The error says until when it had time."""
    out = halted.path("step.json")
    command = ("order", "refusal", "host-1", "--order", "pause/JP/1", "--out", out)
    assert halted.call(*command, "--log", halted.log) == 1
    assert "not late" in capsys.readouterr().err


def test_a_step_drafted_before_is_not_signed_once_the_host_is_not_late(
    judge: KeyHolder, capsys: Capture
) -> None:
    """The signer's own machine asks what the desk will ask."""
    path = judge.path("notice.json")
    judge.call(
        "order", "refusal", "host-1", "--order", "pause/JP/1", "--out", path, "--log", judge.log
    )
    judge.set_clock(T0.plus(300))
    sign = ("order", "sign", path, "--phrase", phrase_of(path.read_bytes()), "--log", judge.log)
    capsys.readouterr()
    assert judge.call(*sign, "--key", judge.key("verifier-1")) == 1
    assert "not late" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_appeal_is_drafted_and_signed_by_its_party(
    judge: KeyHolder, capsys: Capture, language: Language
) -> None:
    """The page says that it lifts nothing and why the party may; nobody else's key signs it."""
    judge.language = language
    path, grounds = judge.path("appeal.json"), judge.path("grounds.txt")
    grounds.write_bytes(b"measured")
    drafted = judge.answer(
        capsys,
        *("order", "appeal", "file", "APPEAL-1", "--order", "pause/JP/1", "--party", "party-1"),
        *("--asks", "lift it", "--grounds", grounds, "--out", path, "--log", judge.log),
    )
    assert "LIC-1" in drafted["says"]["touched"][0]
    payload = path.read_bytes()
    fact = parse_payload(payload).predicate
    assert isinstance(fact, AppealFiled)
    assert fact.grounds is not None
    sign = ("order", "sign", path, "--phrase", phrase_of(payload), "--log", judge.log)
    assert judge.call(*sign, "--key", judge.key("authority-1")) == 1
    assert judge.call(*sign, "--key", judge.key("party-1")) == 0


@pytest.mark.parametrize(
    ("flags", "code", "word"),
    [
        (("file", "A", "--party", "party-9", "--asks", "-", "--order", "pause/JP/1"), 1, "party-9"),
        (
            ("file", "two words", "--party", "p", "--asks", "-", "--order", "pause/JP/1"),
            2,
            "APPEAL",
        ),
        (("decide", "A", "--outcome", "upheld", "--reason", "-"), 1, "not filed"),
        (("decide", "A", "--outcome", "maybe", "--reason", "-"), 2, "--outcome"),
    ],
)
def test_an_appeal_that_does_not_fit_is_refused(
    judge: KeyHolder, capsys: Capture, flags: tuple[str, ...], code: int, word: str
) -> None:
    """By a stranger, under a name that is none, of an appeal that nobody filed."""
    out = judge.path("appeal.json")
    assert judge.call("order", "appeal", *flags, "--out", out, "--log", judge.log) == code
    assert word in capsys.readouterr().err
    assert not out.exists()


def test_no_appeals_are_an_empty_list(judge: KeyHolder, capsys: Capture) -> None:
    """Exit 0, since none is overdue."""
    assert judge.answer(capsys, "order", "appeal", "list", "--log", judge.log) == []


def test_the_status_of_an_order_has_rows_by_site(halted: KeyHolder, capsys: Capture) -> None:
    """Counts of hosts and devices, percentages of devices, and until when the verdict may be said."""
    (row,) = halted.answer(capsys, "order", "status", "pause/JP", "--log", halted.log)
    (site,) = row["sites"]
    assert (site["site"], site["hosts"], site["devices"]) == ("site-1", 1, 1)
    assert site["counts"] == {"corroborated": {"hosts": 1, "devices": 1, "percent_of_devices": 100}}
    assert site["holds_until"] == site["lapses"][0]["holds_until"]
    halted.call("order", "status", "--site", "site-1", "--log", halted.log)
    assert "site site-1: 1 hosts, 1 devices: corroborated" in capsys.readouterr().out
    assert halted.call("order", "status", "--site", "site-9", "--log", halted.log) == 2


def drafted(holder: KeyHolder, capsys: Capture, *flags: str) -> Any:
    """The page of a drafted pause over site-1."""
    out = holder.path("pause.json")
    command = ("order", "draft", "--kind", "pause", "--scope", "site=site-1", "--out", out)
    basis = ("--legal-basis", "Test act", "--appeal", "in writing", "--log", holder.log)
    return holder.answer(capsys, *command, *basis, *flags)


def test_a_draft_says_what_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """From the log alone nothing is known to run, and nothing is 0; with --work it is counted."""
    holder = KeyHolder(tmp_path, monkeypatch, second=LICENSED)
    reach = drafted(holder, capsys)["reach"]
    assert (reach["running"], reach["at_risk_device_hours"]) == (None, None)
    assert (reach["unmeasured"], reach["held_device_hours"]) == (["host-1"], "24.000")
    work = holder.path("work.json")
    row = {"host": "host-1", "at": str(holder.now), "state": "none", "run": None}
    work.write_text(json.dumps({"at": str(holder.now), "hosts": [row]}))
    draft = holder.path("pause.json")
    page = holder.answer(
        capsys, "order", "preview", draft, "--work", str(work), "--log", holder.log
    )
    assert (page["reach"]["running"], page["reach"]["at_risk_device_hours"]) == (0, "0")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_preview_reads_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, language: Language
) -> None:
    """Hosts without a checkpoint are named, and what is not measured is said in words."""
    holder = KeyHolder(tmp_path, monkeypatch, second=LICENSED)
    drafted(holder, capsys, "--exempt", "run-9")
    holder.language = language
    assert holder.call("order", "preview", holder.path("pause.json"), "--log", holder.log) == 0
    told = capsys.readouterr().out
    assert {"en": "not measured", "ja": "未計測"}[language] in told
    assert {"en": "NO checkpoint known", "ja": "保存点は不明"}[language] in told


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"at":"2026-11-22T09:00:00Z","hosts":[{"host":"h"}]}', "[]"]
)
def test_a_file_of_work_that_is_none_names_itself(
    judge: KeyHolder, capsys: Capture, text: str
) -> None:
    """Exit 2 with the file's name."""
    work = judge.path("work.json")
    work.write_text(text)
    order = judge.order(number=2, previous=judge.sealed.root.charter_digest)
    assert judge.call("order", "preview", order, "--work", str(work), "--log", judge.log) == 2
    assert "work.json" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_sites_that_no_drill_exercised_are_said_with_exit_3(
    judge: KeyHolder, capsys: Capture, language: Language
) -> None:
    """Missing is not measured: never a zero, never a success."""
    judge.language = language
    (row,) = judge.answer(capsys, "order", "drill-report", "--log", judge.log, code=3)
    assert (row["site"], row["days_since"], row["last"]) == ("site-1", None, None)
    assert judge.call("order", "drill-report", "--log", judge.log) == 3
    assert {"en": "NOT EXERCISED", "ja": "未演習"}[language] in capsys.readouterr().out


def test_a_real_order_has_no_drill_report(judge: KeyHolder, capsys: Capture) -> None:
    """Exit 2, with the command that tells of it."""
    assert judge.call("order", "drill-report", "pause/JP/1", "--log", judge.log) == 2
    assert "no drill" in capsys.readouterr().err


def test_a_drafted_drill_acts_on_the_canary_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The draft says so before anybody signs it."""
    holder = KeyHolder(tmp_path, monkeypatch, second=LICENSED)
    drafted(holder, capsys, "--drill")
    fact = parse_payload(holder.path("pause.json").read_bytes()).predicate
    assert isinstance(fact, OrderIssued)
    assert fact.drill


def test_every_place_is_told_a_test(judge: KeyHolder, capsys: Capture) -> None:
    """0 where all have it, 4 where one does not answer, 3 where nobody would be told."""
    home = judge.path("a-home")
    home.mkdir()
    assert judge.call("order", "notify-test", "--home", home) == 3
    book = {"name": "book", "file": "notices.jsonl"}
    (home / "notify.json").write_text(json.dumps({"places": [book]}))
    assert judge.answer(capsys, "order", "notify-test", "--home", home) == {"book": ""}
    assert json.loads((home / "notices.jsonl").read_text())["event"] == "test"
    (home / "duty.secret").touch(mode=0o600)
    (home / "duty.secret").write_bytes(b"s" * 32)
    dead = {"name": "duty", "webhook": "http://127.0.0.1:9/x", "secret_file": "duty.secret"}
    (home / "notify.json").write_text(json.dumps({"places": [book, dead]}))
    told = judge.answer(capsys, "order", "notify-test", "--home", home, code=4)
    assert told["book"] == ""
    assert "does not answer" in told["duty"]
