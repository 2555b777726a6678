"""`sekisho charter propose`: the next version, with its difference, refused before anybody signs what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.model.statements import CharterAdopted, parse_payload
from sekisho.signing.notes import NoteSigner
from tests import factory
from tests.cli.governing import DAY_S, QUORUM, Governor, key_id

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def propose(governor: Governor, capsys: Capture, *flags: str | Path) -> tuple[CharterAdopted, Any]:
    """The drafted version and its page as data."""
    out = governor.path("next.json")
    command = ("charter", "propose", *flags, "--log", governor.log, "--out", out)
    page = governor.answer(capsys, *command)
    terms = parse_payload(out.read_bytes()).predicate
    assert isinstance(terms, CharterAdopted)
    return terms, page


def changes(page: Any) -> set[tuple[str, str]]:
    return {(row["what"], row["item"]) for row in page["difference"]}


def test_a_key_gives_way_to_the_same_holders_next_one(governor: Governor, capsys: Capture) -> None:
    """Version 2 follows version 1 by digest; old and new quorum sign it, and then it is in force."""
    new = governor.public("authority-1b")
    terms, page = propose(governor, capsys, "--replace-key", f"{key_id('authority-1')}={new}")
    assert (terms.version, terms.previous) == (2, governor.charter_digest)
    assert changes(page) == {("key", key_id("authority-1")), ("key", key_id("authority-1b"))}
    held = terms.constituencies[0].keys[0]
    assert (held.organisation, held.holder) == ("Authority", "authority 1")
    path = governor.path("next.json")
    governor.sign("charter", path, "authority-1b", "authority-2")
    command = ("charter", "adopt", path, "--log", governor.log)
    assert governor.call(*command) == 1
    assert "not met" in capsys.readouterr().err
    governor.sign("charter", path, "authority-1", "authority-3", "verifier-1")
    found = governor.answer(capsys, *command)
    assert (found["version"], found["root"]) == (2, None)
    governor.hand_in(path)
    shown = governor.answer(capsys, "charter", "show", "--log", governor.log)
    assert shown["predicate"]["version"] == 2
    assert shown.get("quorum") is not False  # in force: nobody is asked for signatures any more
    assert "in force" in shown["says"]["signed_by"][0]


def test_every_flag_changes_what_it_names(governor: Governor, capsys: Capture) -> None:
    """Keys in and out, a quorum, the expiry, a witness more: each is in the draft and in the difference."""
    third = NoteSigner.cosigner("w3.example/three", factory.signer("w3").private)
    terms, page = propose(
        governor,
        capsys,
        "--add-key",
        f"verifiers:Institute:third chair:{governor.public('verifier-3')}",
        "--remove-key",
        key_id("authority-5")[:12],
        "--quorum",
        "pause=authority:2,verifiers:2",
        "--expires",
        "2028-04-01T00:00:00Z",
        "--witness",
        f"University:{third.verifier.to_text()}",
    )
    sizes = {group.name: len(group.keys) for group in terms.constituencies}
    assert sizes == {"authority": 4, "verifiers": 3, "operators": 1}
    pause = next(grant for grant in terms.powers if grant.power == "pause")
    assert [(part.constituency, part.k) for part in pause.quorums] == [
        ("authority", 2),
        ("verifiers", 2),
    ]
    assert str(terms.expires).startswith("2028-04-01")
    assert (len(terms.log.witnesses), terms.log.witness_quorum) == (3, 3)
    assert {what for what, _ in changes(page)} == {"key", "power", "term", "witness", "quorum"}


def test_a_key_is_named_by_its_file_too(governor: Governor, capsys: Capture) -> None:
    """Whoever has the .pub file needs no id."""
    terms, _ = propose(governor, capsys, "--remove-key", governor.public("authority-4"))
    assert len(terms.constituencies[0].keys) == 4


def test_an_edited_predicate_is_where_it_begins(governor: Governor, capsys: Capture) -> None:
    """What `charter show --json` prints can be edited and proposed; flags come on top; version and date are set."""
    shown = governor.answer(capsys, "charter", "show", "--log", governor.log)
    predicate = shown["predicate"]
    predicate["max_lease_s"], predicate["version"] = 600, 77
    edit = governor.path("edit.json")
    edit.write_text(json.dumps(predicate))
    flags = ("--edit", edit, "--remove-key", key_id("authority-5"))
    terms, page = propose(governor, capsys, *flags)
    assert (terms.max_lease_s, terms.version, terms.effective) == (600, 2, governor.now)
    assert changes(page) == {("term", "max_lease_s"), ("key", key_id("authority-5"))}


def test_a_mistyped_field_is_not_dropped_in_silence(governor: Governor, capsys: Capture) -> None:
    """A field that no charter has is refused by its path, in the edited file."""
    predicate = governor.answer(capsys, "charter", "show", "--log", governor.log)["predicate"]
    predicate["log"]["witness_qorum"] = 2
    edit = governor.path("edit.json")
    edit.write_text(json.dumps(predicate))
    out = governor.path("next.json")
    command = ("charter", "propose", "--edit", edit, "--log", governor.log, "--out", out)
    assert governor.call(*command) == 2
    assert "log.witness_qorum" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ((), 2, "change nothing"),
        (("--remove-key", "ffffffff"), 2, "--remove-key"),
        (("--remove-key", "ff"), 2, "--remove-key"),
        (("--replace-key", "nothing"), 2, "--replace-key"),
        (("--add-key", "verifiers:Institute"), 2, "--add-key"),
        (("--expires", "soon"), 2, "--expires"),
        (("--expires", "2020-01-01T00:00:00Z"), 2, "--expires"),
        (("--quorum", "pause"), 2, "--quorum"),
        (("--quorum", "pause=authority"), 2, "--quorum"),
        (("--quorum", "sleep=authority:1"), 2, "--quorum"),
        (("--quorum", "pause=authority:9,verifiers:1"), 1, "charter-fault"),
        (("--quorum", "pause=authority:3"), 1, "two constituencies"),
        (("--quorum", "pause=authority:3,nobody:1"), 1, "charter-fault"),
        (("--remove-key", "operator"), 2, "--remove-key"),
        (("--remove-witness", "w9"), 2, "--remove-witness"),
        (("--log-key", "no key"), 2, "--log-key"),
        (("--edit", "gone.json"), 2, "gone.json"),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_signs(
    governor: Governor, capsys: Capture, flags: tuple[str, ...], code: int, words: str
) -> None:
    """The flag or the rule is named, and nothing is written."""
    out = governor.path("next.json")
    assert governor.call("charter", "propose", *flags, "--log", governor.log, "--out", out) == code
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_the_key_of_another_log_is_refused(governor: Governor, capsys: Capture) -> None:
    """A log keeps its name when its key changes; another name is another regime."""
    other = NoteSigner("other.example/log", factory.signer("other").private).verifier.to_text()
    out = governor.path("next.json")
    command = ("charter", "propose", "--log-key", f"Operator:{other}", "--log", governor.log)
    assert governor.call(*command, "--out", out) == 2
    assert "--log-key" in capsys.readouterr().err
    terms, page = propose(
        governor,
        capsys,
        "--log-key",
        f"Operator:{NoteSigner(factory.ORIGIN, factory.signer('log-2').private).verifier.to_text()}",
    )
    assert terms.log.origin == factory.ORIGIN
    assert ("quorum", "log") in changes(page)


def test_an_expired_charter_takes_no_proposal(governor: Governor, capsys: Capture) -> None:
    """Expiry stops amendments; the way on is named."""
    governor.pass_time(366 * DAY_S)
    out = governor.path("next.json")
    command = ("charter", "propose", "--expires", "2030-01-01T00:00:00Z", "--log", governor.log)
    assert governor.call(*command, "--out", out) == 1
    assert "found a new regime" in capsys.readouterr().err


def test_without_a_log_there_is_nothing_to_amend(governor: Governor) -> None:
    """No log, no charter in force: unverifiable."""
    out = governor.path("next.json")
    command = ("charter", "propose", "--expires", "2028-01-01T00:00:00Z", "--out", out)
    assert governor.call(*command) == 3


def test_a_proposal_is_shown_in_japanese(governor: Governor, capsys: Capture) -> None:
    """Every line of the page has its words in the other language."""
    governor.language = "ja"
    out = governor.path("next.json")
    command = ("charter", "propose", "--remove-key", key_id("authority-5"), "--log", governor.log)
    assert governor.call(*command, "--out", out) == 0
    assert "憲章" in capsys.readouterr().out


def test_the_whole_quorum_of_both_versions_is_asked_for(
    governor: Governor, capsys: Capture
) -> None:
    """A version that the new quorum alone signed is not adopted."""
    fresh = [f"new-{n}" for n in range(1, 4)]
    flags: list[str] = []
    for old, new in zip(("authority-1", "authority-2", "authority-3"), fresh, strict=True):
        flags += ["--replace-key", f"{key_id(old)}={governor.public(new)}"]
    propose(governor, capsys, *flags)
    path = governor.path("next.json")
    governor.sign("charter", path, *fresh, "verifier-1")
    assert governor.call("charter", "adopt", path, "--log", governor.log) == 1
    governor.sign("charter", path, *QUORUM)
    assert governor.call("charter", "adopt", path, "--log", governor.log) == 0
