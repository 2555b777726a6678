"""Attack: a report, drill, withdrawal, confirmation or recovery is to be signed blind, by the wrong key, or late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.model.statements import (
    KeyCompromised,
    KeyDrilled,
    KeyReplacement,
    OrderConfirmed,
    OrderReference,
    Predicate,
    RecoveryAnnounced,
    RecoveryVetoed,
    Reference,
    SignatureWithdrawn,
    make_payload,
)
from tests import factory
from tests.cli.ceremonies import phrase_of
from tests.cli.governing import QUORUM, Governor, key_id

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def drilled(governor: Governor, key: str = "authority-1") -> KeyDrilled:
    newest = governor.state.regime.newest_mark
    assert newest is not None
    return KeyDrilled(
        effective=governor.now, key=key_id(key), challenge=newest.root, size=newest.size
    )


def reported(governor: Governor) -> KeyCompromised:
    since = governor.now.plus(-60)
    return KeyCompromised(
        effective=governor.now, key=key_id("authority-3"), since=since, reason="lost"
    )


def announced(governor: Governor, *, old: str = "authority-1") -> RecoveryAnnounced:
    new = governor.state.regime.in_force().terms.constituencies[0].keys[0]
    public = factory.signer("fresh").public.to_text()
    row = KeyReplacement(
        constituency="authority",
        old=key_id(old),
        new=type(new)(public=public, organisation="Authority", holder="fresh"),
    )
    return RecoveryAnnounced(
        effective=governor.now, previous=governor.charter_digest, version=2, replacements=(row,)
    )


def withdrawn(governor: Governor) -> SignatureWithdrawn:
    return SignatureWithdrawn(
        effective=governor.now, payload="a" * 64, key=key_id("authority-1"), reason="misled"
    )


MADE: dict[str, tuple[Callable[[Governor], Predicate], str, str]] = {
    "report": (reported, "key", "authority-1"),
    "drill": (drilled, "key", "authority-1"),
    "withdrawal": (withdrawn, "key", "authority-1"),
    "announcement": (announced, "charter", "recovery-1"),
}


def attempt(
    governor: Governor, fact: Predicate, group: str, name: str, *, phrase: str = ""
) -> tuple[int, Path]:
    """The exit code of signing `fact` with a key, under its own phrase unless another is given."""
    path = governor.path("paper.json")
    path.write_bytes(make_payload(fact))
    typed = phrase or phrase_of(path.read_bytes())
    command = (group, "sign", path, "--key", governor.key(name), "--phrase", typed)
    return governor.call(*command, "--log", governor.log), path


@pytest.mark.parametrize("what", MADE)
def test_none_of_them_is_signed_without_its_own_phrase(
    governor: Governor, capsys: Capture, what: str
) -> None:
    """Another document's phrase, and yes, sign nothing; the right one signs."""
    make, group, name = MADE[what]
    fact = make(governor)
    for typed in (phrase_of(b"another document"), "yes"):
        code, path = attempt(governor, fact, group, name, phrase=typed)
        assert (code, b'"signatures"' in path.read_bytes()) == (1, False)
        assert "phrase-missing" in capsys.readouterr().err
    assert attempt(governor, fact, group, name)[0] == 0


@pytest.mark.parametrize("what", MADE)
@pytest.mark.parametrize("name", ["stranger", "authority-5", "operator-1", "recovery-2"])
def test_none_of_them_is_signed_by_a_key_that_is_not_asked(
    governor: Governor, capsys: Capture, what: str, name: str
) -> None:
    """A report takes those who may report, a drill and a withdrawal their own key, a notice a recovery key."""
    make, group, _ = MADE[what]
    allowed = {"report": {"authority-5"}, "announcement": {"recovery-2"}}.get(what, set())
    code, _ = attempt(governor, make(governor), group, name)
    assert code == (0 if name in allowed else 1)
    if name not in allowed:
        assert "key-without-power" in capsys.readouterr().err


def test_a_drill_over_something_else_than_this_logs_tree_is_not_signed(
    governor: Governor, capsys: Capture
) -> None:
    """A challenge that a stranger chose could be a digest of anything."""
    fact = drilled(governor)
    for changed in (
        KeyDrilled(effective=fact.effective, key=fact.key, challenge="b" * 64, size=fact.size),
        KeyDrilled(effective=fact.effective, key=fact.key, challenge=fact.challenge, size=1),
    ):
        assert attempt(governor, changed, "key", "authority-1")[0] == 1
        assert "foreign-document" in capsys.readouterr().err


def test_a_report_of_tomorrow_or_of_a_stranger_is_not_signed(
    governor: Governor, capsys: Capture
) -> None:
    """An instant ahead would put the whole future in doubt; a stranger's key is not the charter's business."""
    ahead = KeyCompromised(
        effective=governor.now, key=key_id("authority-3"), since=governor.now.plus(60), reason="x"
    )
    assert attempt(governor, ahead, "key", "authority-1")[0] == 1
    assert "ahead" in capsys.readouterr().err
    stranger = KeyCompromised(
        effective=governor.now, key=key_id("stranger"), since=governor.now.plus(-1), reason="x"
    )
    assert attempt(governor, stranger, "key", "authority-1")[0] == 1
    assert "foreign-document" in capsys.readouterr().err


def test_a_reported_key_signs_nothing_more(governor: Governor, capsys: Capture) -> None:
    """Neither an order, nor a charter, nor its own drill: its thief learns so on their own machine."""
    governor.state_fact(reported(governor), "authority-1", "verifier-1")
    order = factory.order_issued(charter_digest=governor.charter_digest, now=governor.now)
    for fact, group in ((order, "order"), (drilled(governor, "authority-3"), "key")):
        assert attempt(governor, fact, group, "authority-3")[0] == 1
        assert "reported compromised" in capsys.readouterr().err


def test_a_withdrawal_of_what_is_in_the_log_is_not_signed(
    governor: Governor, capsys: Capture
) -> None:
    """Once the order is issued a withdrawal says nothing, and a signer is told so."""
    order = factory.order_issued(charter_digest=governor.charter_digest, now=governor.now)
    digest = governor.state_fact(order, *QUORUM).verified.digest
    late = SignatureWithdrawn(
        effective=governor.now, payload=digest, key=key_id("authority-1"), reason="x"
    )
    assert attempt(governor, late, "key", "authority-1")[0] == 1
    assert "is entry 4 of the log already" in capsys.readouterr().err


def test_a_notice_that_could_never_be_is_not_signed(governor: Governor, capsys: Capture) -> None:
    """Of another charter, or against a key that is in no constituency."""
    fact = announced(governor)
    other = RecoveryAnnounced(
        effective=fact.effective, previous="0" * 64, version=2, replacements=fact.replacements
    )
    for changed in (other, announced(governor, old="stranger")):
        assert attempt(governor, changed, "charter", "recovery-1")[0] == 1
        assert "recovery-break" in capsys.readouterr().err


def test_a_veto_against_nothing_and_a_confirmation_of_nothing_are_not_signed(
    governor: Governor, capsys: Capture
) -> None:
    """What they speak of must be in the log that the signer reads."""
    veto = RecoveryVetoed(
        effective=governor.now,
        announcement=Reference(log=factory.ORIGIN, leaf="0" * 64),
        constituency="verifiers",
        reason="x",
    )
    assert attempt(governor, veto, "charter", "verifier-1")[0] == 1
    assert "recovery-break" in capsys.readouterr().err
    confirmation = OrderConfirmed(
        effective=governor.now,
        order=OrderReference(register="pause/JP", number=1, digest="0" * 64),
        kind="pause",
    )
    assert attempt(governor, confirmation, "order", "authority-1")[0] == 1
    assert "foreign-document" in capsys.readouterr().err


def test_without_a_log_none_of_what_rests_on_it_is_signed(
    governor: Governor, capsys: Capture
) -> None:
    """A recovery notice cannot be judged by a charter file alone."""
    path = governor.path("paper.json")
    path.write_bytes(make_payload(announced(governor)))
    command = ("charter", "sign", path, "--key", governor.key("recovery-1"))
    assert governor.call(*command, "--phrase", phrase_of(path.read_bytes())) == 1
    assert "--log" in capsys.readouterr().err


def test_a_confirmation_under_a_lower_power_is_not_signed(
    governor: Governor, capsys: Capture
) -> None:
    """A confirmation that claims another kind would ask another quorum for the same order."""
    order = factory.order_issued(charter_digest=governor.charter_digest, now=governor.now)
    recorded = governor.state_fact(order, *QUORUM)
    reference = OrderReference(register="pause/JP", number=1, digest=recorded.verified.digest)
    lower = OrderConfirmed(effective=governor.now, order=reference, kind="hold")
    assert attempt(governor, lower, "order", "authority-1")[0] == 1
    assert "foreign-document" in capsys.readouterr().err


def test_a_dead_or_withdrawn_signature_is_not_counted_on_the_page(
    governor: Governor, capsys: Capture
) -> None:
    """Whoever collects signatures sees that the quorum is not met, and why."""
    order = factory.order_issued(charter_digest=governor.charter_digest, now=governor.now)
    path = governor.draft(order)
    governor.sign("order", path, *QUORUM)
    shown = governor.answer(capsys, "show", path, "--log", governor.log)
    assert shown["quorum"] is True
    governor.state_fact(reported(governor), "authority-1", "verifier-1")
    taken_back = SignatureWithdrawn(
        effective=governor.now, payload=shown["digest"], key=key_id("authority-2"), reason="x"
    )
    governor.state_fact(taken_back, "authority-2")
    shown = governor.answer(capsys, "show", path, "--log", governor.log)
    assert (shown["quorum"], shown["standing"][0]["have"]) == (False, 1)
    codes = {row["code"] for row in shown["warnings"]}
    assert {"key-silenced", "signature-withdrawn"} <= codes


def test_a_charter_on_a_dead_signature_is_not_called_quorate(
    governor: Governor, capsys: Capture
) -> None:
    """`charter adopt` counts no key that was reported since, in the old version or the new one."""
    out = governor.path("next.json")
    flags = ("--expires", "2028-01-01T00:00:00Z", "--log", governor.log)
    assert governor.call("charter", "propose", *flags, "--out", out) == 0
    governor.sign("charter", out, *QUORUM)
    adopt = ("charter", "adopt", out, "--log", governor.log)
    assert governor.call(*adopt) == 0
    governor.state_fact(reported(governor), "authority-1", "verifier-1")
    assert governor.call(*adopt) == 1
    assert "authority 2 of 3" in capsys.readouterr().err
