"""`sekisho charter`: founding a regime from public key files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from sekisho.catalogue import Language
from sekisho.cli.charter_guide import example_of
from sekisho.model.statements import CharterAdopted, Profile, make_payload, parse_payload
from sekisho.signing import parse_policy
from tests import factory
from tests.cli.ceremonies import KeyHolder, phrase_of
from tests.cli.foundings import founding

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    made = KeyHolder(tmp_path, monkeypatch)
    made.trust()
    return made


def init(holder: KeyHolder, **changes: list[str]) -> int:
    out = holder.path("charter.json")
    return holder.call("charter", "init", *founding(holder, **changes), "--out", out)


def test_a_charter_is_founded_signed_and_adopted(holder: KeyHolder, capsys: Capture) -> None:
    """Keys, draft, four signatures, and the trust root to install by hand with the charter's digest in it."""
    assert init(holder, max_lease=["2h"], max_grace=["10m"]) == 0
    path = holder.path("charter.json")
    terms = parse_payload(path.read_bytes()).predicate
    assert isinstance(terms, CharterAdopted)
    assert (terms.max_lease_s, terms.max_grace_s) == (7200, 600)
    shown = holder.answer(capsys, "charter", "show", path)
    assert shown["max_outage_survived_s"] == 7800
    phrase = phrase_of(path.read_bytes())
    root_file = holder.path("root.json")
    adopt = ("charter", "adopt", path, "--root-out", root_file)
    assert holder.call(*adopt) == 2
    for name in ("authority-1", "authority-2", "authority-3", "verifier-1"):
        assert holder.call(*adopt) in (1, 2)
        command = ("charter", "sign", path, "--key", holder.key(name), "--phrase", phrase)
        assert holder.call(*command) == 0
    found = holder.answer(capsys, *adopt)
    root = parse_policy(root_file.read_bytes())
    assert root.charter == f"sha256:{found['digest']}" == found["root"]["charter"]
    assert root.origin == factory.ORIGIN


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"profile": ["empire"]}, 2, "--profile"),
        ({"key": ["authority:Ministry:only two"]}, 2, "--key"),
        ({"log_key": ["no key"]}, 2, "--log-key"),
        ({"witness": ["Institute:not-a-file"]}, 2, "not-a-file"),
        ({"jurisdiction": ["Japan"]}, 2, "jurisdiction"),
        ({"max_lease": ["long"]}, 2, "--max-lease"),
    ],
)
def test_bad_input_names_the_flag(
    holder: KeyHolder, capsys: Capture, changes: dict[str, list[str]], code: int, word: str
) -> None:
    """Exit 2, the flag or file, and nothing written."""
    assert init(holder, **changes) == code
    assert word in capsys.readouterr().err
    assert not holder.path("charter.json").exists()


def test_what_no_charter_may_say_is_refused(holder: KeyHolder, capsys: Capture) -> None:
    """A key in two constituencies, a quorum above its keys, one witness twice: exit 1, nothing written."""
    flags = founding(holder)
    keys = [flags[i + 1] for i, flag in enumerate(flags) if flag == "--key"]
    doubled = [*keys[:5], keys[0].replace("authority:", "verifiers:"), keys[6], keys[7]]
    witness = f"Institute:{holder.cast.witnesses[0].verifier.to_text()}"
    for changes in ({"key": doubled}, {"key": keys[1:4:2] + keys[5:]}, {"witness": [witness] * 2}):
        assert init(holder, **changes) == 1
        assert "charter-fault" in capsys.readouterr().err
        assert not holder.path("charter.json").exists()


def test_mistyped_constituency_is_refused_with_those_that_are_asked(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Its keys would count for nothing, and nobody who skims the page would see it."""
    arguments = [*founding(holder), "--out", str(holder.path("charter.json"))]
    assert holder.call("key", "new", holder.path("new.pem")) == 0
    stray = f"verifers:Office:somebody:{holder.path('new.pem.pub')}"
    assert holder.call("charter", "init", *arguments, "--key", stray) == 2
    told = capsys.readouterr().err
    assert "verifers" in told
    assert "authority, operators, verifiers" in told
    assert not holder.path("charter.json").exists()


def test_adopting_again_with_the_same_root_is_no_fault(holder: KeyHolder, capsys: Capture) -> None:
    """Handing in is tried again after an outage; another file under that name stays what it is."""
    assert init(holder) == 0
    path, root = holder.path("charter.json"), holder.path("root.json")
    phrase = phrase_of(path.read_bytes())
    for name in ("authority-1", "authority-2", "authority-3", "verifier-1"):
        command = ("charter", "sign", path, "--key", holder.key(name), "--phrase", phrase)
        assert holder.call(*command) == 0
    adopt = ("charter", "adopt", path, "--root-out", root)
    assert [holder.call(*adopt), holder.call(*adopt)] == [0, 0]
    root.write_text("{}\n")
    assert holder.call(*adopt) == 1
    assert root.read_text() == "{}\n"
    assert "already there" in capsys.readouterr().err


def test_a_later_version_is_signed_by_old_and_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Version 2 needs the log; with it the keys of either version may sign, a gap is refused."""
    holder = KeyHolder(tmp_path, monkeypatch)
    old = holder.cast.charter()
    new = msgspec.structs.replace(old, version=2, previous=holder.charter_digest, max_lease_s=60)
    path = holder.path("charter-2.json")
    path.write_bytes(make_payload(new))
    command = (
        "charter",
        "sign",
        path,
        "--key",
        holder.key(),
        "--phrase",
        phrase_of(path.read_bytes()),
    )
    assert holder.call(*command) == 1
    assert "charter-break" in capsys.readouterr().err
    assert holder.call(*command, "--log", holder.log) == 0
    gap = msgspec.structs.replace(new, version=3)
    path.write_bytes(make_payload(gap))
    assert holder.call(*command, "--log", holder.log) == 1
    assert "charter-break" in capsys.readouterr().err


def test_enrolments_are_signed_in_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host's enrolment is shown field by field and takes the phrase; a key without that power is refused."""
    holder = KeyHolder(tmp_path, monkeypatch)
    path = holder.path("host.json")
    enrolled = factory.host_enrolled("host-2", of=factory.signer("host-2"), now=holder.now)
    path.write_bytes(make_payload(enrolled))
    phrase = ("--phrase", phrase_of(path.read_bytes()), "--log", holder.log)
    assert holder.call("charter", "sign", path, "--key", holder.key("verifier-1"), *phrase) == 1
    assert holder.call("charter", "sign", path, "--key", holder.key("operator-1"), *phrase) == 0


@pytest.mark.parametrize("profile", get_args(Profile))
def test_the_example_of_every_profile_founds_it(
    holder: KeyHolder, monkeypatch: pytest.MonkeyPatch, capsys: Capture, profile: str
) -> None:
    """The command that the guide prints, as it stands, with the keys that it names made by `key new`."""
    monkeypatch.chdir(holder.folder)
    words = shlex.split(example_of(profile).replace("\\\n", " "))
    for word in words:
        if word.endswith(".pub"):
            name = word.rpartition(":")[2].removesuffix(".pub")
            assert holder.call("key", "new", f"{name}.pem") == 0
            holder.path(f"{name}.pem.pub").rename(holder.path(f"{name}.pub"))
    holder.path("log.vkey").write_text(holder.cast.log.verifier.to_text())
    for n, witness in enumerate(holder.cast.witnesses, 1):
        holder.path(f"witness-{n}.vkey").write_text(witness.verifier.to_text() + "\n")
    assert words[0] == "sekisho"
    page = holder.answer(capsys, *words[1:])
    assert page["predicate"]["profile"] == profile
    assert page["predicate"]["recovery"]["k"] == 2
    assert page["warnings"] == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_init_alone_says_what_it_needs(
    holder: KeyHolder, capsys: Capture, language: Language
) -> None:
    """Without any flag: what to have at hand and an example for each profile, exit 2; with some, what is missing."""
    holder.language = language
    assert holder.call("charter", "init") == 2
    told = capsys.readouterr().out
    assert all(f"--profile {profile} " in told for profile in get_args(Profile))
    assert holder.call("charter", "init", "--name", "A regime", "--jurisdiction", "JP") == 2
    assert "--key, --log-key, --witness, --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recovery_key": ["Archive:only two"], "recovery_quorum": ["1"]}, "--recovery-key"),
        ({"recovery_quorum": ["1"]}, "--recovery-quorum"),
        ({"recovery_key": ["A:s:PUB"], "recovery_quorum": ["2"]}, "--recovery-quorum"),
        ({"recovery_key": ["A:s:PUB"]}, "--recovery-quorum"),
        (
            {
                "recovery_key": ["A:s:PUB"],
                "recovery_quorum": ["1"],
                "recovery_notice": ["13d"],
            },
            "--recovery-notice",
        ),
        (
            {"recovery_key": ["A:s:PUB"], "recovery_quorum": ["1"], "recovery_notice": ["2"]},
            "--recovery-notice",
        ),
    ],
)
def test_recovery_flags_are_checked(
    holder: KeyHolder, capsys: Capture, changes: dict[str, list[str]], words: str
) -> None:
    """Too few keys, no quorum, a notice below 14 days: the flag is named and nothing is written."""
    file = holder.public("recovery-1")
    given = {name: [v.replace("PUB", file) for v in values] for name, values in changes.items()}
    assert init(holder, **given) == 2
    assert words in capsys.readouterr().err
    assert not holder.path("charter.json").exists()


def test_witnesses_of_the_logs_owner_found_no_authority(holder: KeyHolder, capsys: Capture) -> None:
    """Two organisations other than the log's must hold the witnesses."""
    first, second = (w.verifier.to_text() for w in holder.cast.witnesses)
    assert init(holder, witness=[f"Operator:{first}", f"Institute:{second}"]) == 1
    assert "charter-fault" in capsys.readouterr().err
