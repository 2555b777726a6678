"""`sekisho charter recover`: announce, wait or veto, carry out; by recovery keys and calendar."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.statements import (
    CharterAdopted,
    RecoveryAnnounced,
    RecoveryVetoed,
    parse_payload,
)
from tests.cli.governing import DAY_S, Governor, key_id, payload_of

Capture = pytest.CaptureFixture[str]
GONE = ("authority-1", "authority-2", "authority-3")
NEW = tuple(f"{name}-new" for name in GONE)
RECOVERERS = ("recovery-1", "recovery-3")


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def announce(governor: Governor, name: str = "notice.json") -> Path:
    out = governor.path(name)
    flags: list[str] = []
    for old, new in zip(GONE, NEW, strict=True):
        flags += ["--replace-key", f"{key_id(old)}={governor.public(new)}"]
    command = ("charter", "recover", "announce", *flags, "--log", governor.log)
    assert governor.call(*command, "--out", out) == 0
    return out


def adopt(governor: Governor, name: str = "recovered.json") -> tuple[int, Path]:
    out = governor.path(name)
    command = ("charter", "recover", "adopt", "--log", governor.log, "--out", out)
    return governor.call(*command), out


def test_lost_keys_are_replaced_after_fourteen_witnessed_days(
    governor: Governor, capsys: Capture
) -> None:
    """Two recovery keys announce; after the notice two of them and the new quorum adopt; only keys changed."""
    notice = announce(governor)
    fact = parse_payload(notice.read_bytes()).predicate
    assert isinstance(fact, RecoveryAnnounced)
    assert {row.old for row in fact.replacements} == {key_id(name) for name in GONE}
    governor.done("charter", notice, *RECOVERERS)
    assert adopt(governor)[0] == 1
    assert "ends -" not in capsys.readouterr().err
    governor.pass_time(13 * DAY_S)
    code, out = adopt(governor)
    assert (code, out.exists()) == (1, False)
    assert "not over" in capsys.readouterr().err
    governor.pass_time(DAY_S)
    governor.pass_time(60)
    before = governor.state.regime.in_force().terms
    code, out = adopt(governor)
    assert code == 0
    page = governor.answer(capsys, "show", out, "--log", governor.log)
    assert {row["what"] for row in page["difference"]} == {"key"}
    governor.sign("charter", out, *NEW, "verifier-1", *RECOVERERS)
    found = governor.answer(capsys, "charter", "adopt", out, "--log", governor.log)
    assert found["version"] == 2
    governor.hand_in(out)
    after = governor.state.regime.in_force().terms
    assert isinstance(after, CharterAdopted)
    assert (after.version, after.expires, after.powers) == (2, before.expires, before.powers)
    assert {key_id(name) for name in NEW} <= set(governor.state.regime.in_force().keys)


def test_a_version_without_the_recovery_keys_is_not_adopted(
    governor: Governor, capsys: Capture
) -> None:
    """Neither the new quorum alone nor one recovery key carries a recovery out."""
    governor.done("charter", announce(governor), *RECOVERERS)
    governor.pass_time(14 * DAY_S)
    governor.pass_time(60)
    _, out = adopt(governor)
    governor.sign("charter", out, *NEW, "verifier-1", RECOVERERS[0])
    assert governor.call("charter", "adopt", out, "--log", governor.log) == 1
    assert "recovery keys" in capsys.readouterr().err


def test_a_veto_stops_a_recovery_for_good(governor: Governor, capsys: Capture) -> None:
    """Another constituency's quorum says no within the notice: nothing is drafted any more."""
    governor.done("charter", announce(governor), *RECOVERERS)
    out = governor.path("veto.json")
    command = ("charter", "recover", "veto", "--constituency", "verifiers")
    flags = ("--reason", "nobody lost a key", "--log", governor.log, "--out", out)
    page = governor.answer(capsys, *command, *flags)
    assert len(page["says"]["replaces"]) == 3
    fact = parse_payload(out.read_bytes()).predicate
    assert isinstance(fact, RecoveryVetoed)
    governor.done("charter", out, "verifier-1")
    governor.pass_time(20 * DAY_S)
    governor.pass_time(60)
    code, draft = adopt(governor)
    assert (code, draft.exists()) == (1, False)
    assert "vetoed by verifiers" in capsys.readouterr().err


def test_whoever_is_to_be_replaced_has_no_veto(governor: Governor, capsys: Capture) -> None:
    """Nor has a constituency that is none, nor a veto without a reason, nor one against nothing."""
    command = (
        "charter",
        "recover",
        "veto",
        "--log",
        governor.log,
        "--out",
        governor.path("v.json"),
    )
    flags = ("--constituency", "verifiers", "--reason", "x")
    assert governor.call(*command, *flags) == 2
    assert "--announcement" in capsys.readouterr().err
    governor.done("charter", announce(governor), *RECOVERERS)
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("--constituency", "authority", "--reason", "x"), 1, "no veto in its own matter"),
        (("--constituency", "nobody", "--reason", "x"), 2, "--constituency"),
        (("--constituency", "verifiers", "--reason", " "), 2, "--reason"),
        ((*flags, "--announcement", "ffff"), 2, "--announcement"),
    ]
    for given, code, words in cases:
        assert governor.call(*command, *given) == code
        assert words in capsys.readouterr().err


def test_a_notice_names_who_may_say_no_and_what_could_never_be(
    governor: Governor, capsys: Capture
) -> None:
    """The page lists the constituencies with a veto; a notice that leaves none is refused before anybody signs."""
    page = governor.answer(capsys, "show", announce(governor), "--log", governor.log)
    assert page["says"]["veto"] == ["verifiers (1 keys), operators (1 keys)"]
    assert "14 days" in page["says"]["effect"][0]
    out = governor.path("all.json")
    flags: list[str] = []
    for old in ("authority-1", "verifier-1", "operator-1"):
        flags += ["--replace-key", f"{key_id(old)}={governor.public(f'{old}-new')}"]
    command = ("charter", "recover", "announce", *flags, "--log", governor.log)
    assert governor.call(*command, "--out", out) == 2
    assert "veto" in capsys.readouterr().err
    flags = ["--replace-key", f"{key_id('authority-1')}={governor.public('authority-2')}"]
    command = ("charter", "recover", "announce", *flags, "--log", governor.log)
    assert governor.call(*command, "--out", out) == 2
    assert "known already" in capsys.readouterr().err
    assert not out.exists()


def test_only_recovery_keys_sign_a_notice(governor: Governor, capsys: Capture) -> None:
    """A member's key has no power for it, and a recovery key none for anything else."""
    notice = announce(governor)
    from tests.cli.ceremonies import phrase_of

    phrase = ("--phrase", phrase_of(payload_of(notice)), "--log", governor.log)
    command = ("charter", "sign", notice, "--key", governor.key("authority-4"))
    assert governor.call(*command, *phrase) == 1
    assert "key-without-power" in capsys.readouterr().err
    order = governor.order()
    phrase = ("--phrase", phrase_of(order.read_bytes()), "--log", governor.log)
    assert governor.call("order", "sign", order, "--key", governor.key("recovery-1"), *phrase) == 1
    assert "key-without-power" in capsys.readouterr().err


def test_a_recovery_works_under_an_expired_charter(governor: Governor) -> None:
    """Expiry stops amendments, not the way out of lost keys."""
    governor.pass_time(366 * DAY_S)
    governor.done("charter", announce(governor), *RECOVERERS)
    governor.pass_time(14 * DAY_S)
    governor.pass_time(60)
    code, out = adopt(governor)
    assert code == 0
    governor.done("charter", out, *RECOVERERS, *NEW, "verifier-1")
    assert governor.state.regime.in_force().terms.version == 2
