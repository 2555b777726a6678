"""`sekisho key drill` and `sekisho key compromised`; `withdraw` and `order confirm`, which go with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.statements import (
    KeyCompromised,
    KeyDrilled,
    OrderConfirmed,
    SignatureWithdrawn,
    parse_payload,
)
from tests import factory
from tests.cli.ceremonies import PAUSED, KeyHolder, phrase_of
from tests.cli.governing import DAY_S, QUORUM, Governor, control_plane, key_id, payload_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def typing(governor: Governor, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Whoever is asked types the phrase that stands on the page."""

    def answer(*_: object, **__: object) -> str:
        page = capsys.readouterr()
        line = [x for x in (page.out + page.err).splitlines() if "digest phrase" in x][-1]
        return " ".join(line.split()[-8:])

    monkeypatch.setattr("typer.prompt", answer)


def paused(governor: Governor, name: str = "pause.json") -> Path:
    """A pause in the log, signed by exactly its quorum, an hour after the founding."""
    governor.pass_time(3_600)
    order = factory.order_issued(charter_digest=governor.charter_digest, now=governor.now)
    path = governor.draft(order, name)
    governor.done("order", path, *QUORUM)
    return path


# --- drills


def test_a_drill_is_shown_signed_written_and_proves_the_key(
    governor: Governor, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Over the newest tree that the log quotes; in the log it makes the key a proved one."""
    out = governor.path("drill.dsse")
    typing(governor, monkeypatch, capsys)
    command = ("key", "drill", "--key", governor.key("verifier-1"), "--note", "quarterly")
    newest = governor.state.regime.newest_mark
    assert newest is not None
    assert governor.call(*command, "--log", governor.log, "--out", out) == 0
    fact = parse_payload(payload_of(out)).predicate
    assert isinstance(fact, KeyDrilled)
    assert (fact.key, fact.size, fact.challenge) == (
        key_id("verifier-1"),
        newest.size,
        newest.root,
    )
    governor.hand_in(out)
    rows = governor.answer(capsys, "key", "drill", "--list", "--log", governor.log)["keys"]
    proved = {row["key"]: row["last"] for row in rows}
    assert proved.pop(key_id("verifier-1")) == str(newest.at)
    assert set(proved.values()) == {None}


def test_a_drill_goes_straight_to_the_control_plane(
    governor: Governor, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """With --control it is handed in as well, the very bytes that were written."""
    out = governor.path("drill.dsse")
    typing(governor, monkeypatch, capsys)
    with control_plane() as (url, sent):
        command = ("key", "drill", "--key", governor.key(), "--control", url, "--out", out)
        assert governor.call(*command, "--log", governor.log) == 0
    assert sent == [out.read_bytes()]
    assert "entry 9" in capsys.readouterr().out


def test_a_drill_is_drafted_for_a_key_elsewhere(governor: Governor, capsys: Capture) -> None:
    """With --public only a draft is made, which `key sign` takes in the usual way."""
    out = governor.path("drill.json")
    command = ("key", "drill", "--public", governor.public("operator-1"), "--log", governor.log)
    page = governor.answer(capsys, *command, "--out", out)
    assert (page["kind"], page["signed"]) == ("key-drilled", False)
    governor.done("key", out, "operator-1")
    assert key_id("operator-1") in governor.state.regime.keys.drills


def test_keys_that_nobody_proves_become_doubtful(governor: Governor, capsys: Capture) -> None:
    """After the charter's term every key but the proved one, recovery keys too, in both languages."""
    for _ in range(
        2
    ):  # a drill answers the newest tree that the log quotes, which is the one before
        governor.pass_time(DAY_S)
    out = governor.path("drill.json")
    command = ("key", "drill", "--public", governor.public("verifier-1"), "--log", governor.log)
    assert governor.call(*command, "--out", out) == 0
    governor.done("key", out, "verifier-1")
    governor.pass_time(88 * DAY_S)
    found = governor.answer(capsys, "key", "drill", "--list", "--log", governor.log)
    doubtful = {row["key"] for row in found["keys"] if row["doubtful"]}
    assert found["doubtful"] == len(doubtful) == 10
    assert key_id("verifier-1") not in doubtful
    assert key_id("recovery-1") in doubtful
    for language, word in (("en", "DOUBTFUL"), ("ja", "疑わしい")):
        governor.language = language  # type: ignore[assignment]  # the two that there are
        assert governor.call("key", "drill", "--list", "--log", governor.log) == 0
        assert word in capsys.readouterr().out


def test_bad_input_of_a_drill_names_the_flag(governor: Governor, capsys: Capture) -> None:
    """No key, two keys, no place, a draft to be handed in, a stranger's key."""
    key, pub = governor.key(), governor.public("authority-1")
    cases: list[tuple[tuple[str, ...], str]] = [
        (("--out", "x"), "--key, --public"),
        (("--out", "x", "--key", key, "--public", pub), "--key, --public"),
        (("--key", key), "--out"),
        (("--out", "x", "--public", pub, "--control", "http://127.0.0.1:1"), "--control"),
        (("--out", "x", "--public", governor.public("stranger")), "not in the charter"),
    ]
    for flags, words in cases:
        assert governor.call("key", "drill", *flags, "--log", governor.log) == 2
        assert words in capsys.readouterr().err


def test_a_second_drill_waits_for_a_newer_tree(governor: Governor, capsys: Capture) -> None:
    """Over the same tree a drill proves nothing new, so none is drafted."""
    out = governor.path("drill.json")
    command = ("key", "drill", "--public", governor.public("verifier-1"), "--log", governor.log)
    assert governor.call(*command, "--out", out) == 0
    governor.sign("key", out, "verifier-1")
    governor.paper.append(out.read_bytes(), governor.now)
    newest = governor.state.regime.newest_mark
    drilled = governor.state.regime.keys.drills[key_id("verifier-1")]
    assert newest is not None
    if newest.size == drilled.size:
        assert governor.call(*command, "--out", governor.path("again.json")) == 1
        assert "newer" in capsys.readouterr().err
    governor.pass_time(60)
    assert governor.call(*command, "--out", governor.path("later.json")) == 0


# --- reports


def report(governor: Governor, name: str = "authority-3", *, ago_s: float = 300) -> Path:
    out = governor.path(f"lost-{name}.json")
    since = str(governor.now.plus(-ago_s))
    flags = ("--since", since, "--reason", "laptop stolen", "--log", governor.log)
    assert governor.call("key", "compromised", key_id(name)[:10], *flags, "--out", out) == 0
    return out


def test_a_report_shows_first_what_would_lapse(governor: Governor, capsys: Capture) -> None:
    """The order that rests on the key, with the instant; the draft is signed by those who may report."""
    paused(governor)
    path = report(governor)
    page = governor.answer(capsys, "show", path, "--log", governor.log)
    assert [(row["name"], row["consequence"]) for row in page["doubts"]] == [
        ("pause/JP 1", "lapses")
    ]
    assert page["doubts"][0]["ends"] == str(governor.now.plus(3 * DAY_S))
    assert "pause/JP 1" in page["says"]["lapses"][0]
    governor.done("key", path, "authority-1", "verifier-1")
    fact = parse_payload(payload_of(path)).predicate
    assert isinstance(fact, KeyCompromised)
    assert (fact.key, fact.reason) == (key_id("authority-3"), "laptop stolen")
    assert key_id("authority-3") in governor.state.regime.keys.silenced
    rows = governor.answer(capsys, "key", "drill", "--list", "--log", governor.log)["keys"]
    assert [row["key"] for row in rows if row["compromised"]] == [key_id("authority-3")]


def test_a_report_of_a_key_on_which_leases_hang_says_so(
    governor: Governor, capsys: Capture
) -> None:
    """The only operator's key: powers that nobody could use any more are named behind !!."""
    path = report(governor, "operator-1")
    page = governor.answer(capsys, "show", path, "--log", governor.log)
    assert {"grant-lease", "keep-registers"} <= set(page["lost_powers"])
    assert "powers-lost" in {row["code"] for row in page["warnings"]}
    assert page["doubts"] == []


def test_a_report_lists_the_leases_that_nobody_could_renew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The only key that grants leases: each live lease with the instant at which it runs out."""
    holder = KeyHolder(tmp_path, monkeypatch, second=PAUSED)
    since = str(holder.now.plus(-1))
    flags = ("--since", since, "--reason", "stolen", "--log", holder.log)
    command = ("key", "compromised", holder.public("operator-1"), *flags)
    page = holder.answer(capsys, *command, "--out", holder.path("lost.json"))
    leases = [row for row in page["doubts"] if row["consequence"] == "runs-out"]
    assert [row["name"] for row in leases] == ["host-1 1"]
    assert leases[0]["ends"] > str(holder.now)
    assert "host-1 1" in page["says"]["runs_out"][0]


def test_bad_input_of_a_report_names_the_flag(governor: Governor, capsys: Capture) -> None:
    """An instant ahead or none, no reason, a key that is not the charter's."""
    good = str(governor.now.plus(-60))
    key = key_id("authority-3")
    cases = [
        ((key, "--since", str(governor.now.plus(9)), "--reason", "x"), "--since"),
        ((key, "--since", "yesterday", "--reason", "x"), "--since"),
        ((key, "--since", good, "--reason", " "), "--reason"),
        (("ffffffff", "--since", good, "--reason", "x"), "KEY"),
    ]
    for flags, words in cases:
        out = governor.path("lost.json")
        assert governor.call("key", "compromised", *flags, "--log", governor.log, "--out", out) == 2
        assert words in capsys.readouterr().err
        assert not out.exists()


# --- confirmations


def test_an_order_in_doubt_is_confirmed_and_stands(governor: Governor, capsys: Capture) -> None:
    """Its full quorum signs again without the lost key; then it is in doubt no more."""
    paused(governor)
    governor.done("key", report(governor), "authority-1", "verifier-1")
    assert governor.state.regime.doubts
    out = governor.path("confirmation.json")
    command = ("order", "confirm", "pause/JP/1", "--log", governor.log, "--out", out)
    page = governor.answer(capsys, *command)
    assert "would lapse" in page["says"]["change"][0]
    fact = parse_payload(out.read_bytes()).predicate
    assert isinstance(fact, OrderConfirmed)
    assert (fact.kind, fact.order.number) == ("pause", 1)
    governor.done("order", out, "authority-1", "authority-2", "authority-4", "verifier-1")
    assert governor.state.regime.doubts == ()


def test_only_an_order_in_doubt_is_confirmed(governor: Governor, capsys: Capture) -> None:
    """An order that stands, and one that is not there."""
    paused(governor)
    command = ("order", "confirm", "pause/JP/1", "--log", governor.log)
    assert governor.call(*command, "--out", governor.path("c.json")) == 1
    assert "not in doubt" in capsys.readouterr().err
    command = ("order", "confirm", "pause/JP/9", "--log", governor.log)
    assert governor.call(*command, "--out", governor.path("c.json")) == 2
    assert "REGISTER/NUMBER" in capsys.readouterr().err


# --- withdrawals


def test_a_signature_is_taken_back_before_the_order_is_issued(
    governor: Governor, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The withdrawal is in the log first: the order then lacks its quorum."""
    order = factory.order_issued(charter_digest=governor.charter_digest, now=governor.now)
    path = governor.draft(order)
    governor.sign("order", path, *QUORUM)
    out = governor.path("withdrawn.dsse")
    typing(governor, monkeypatch, capsys)
    command = ("order", "withdraw", path, "--key", governor.key("authority-2"))
    flags = ("--reason", "misled", "--log", governor.log, "--out", out)
    assert governor.call(*command, *flags) == 0
    fact = parse_payload(payload_of(out)).predicate
    assert isinstance(fact, SignatureWithdrawn)
    governor.hand_in(out)
    with pytest.raises(Exception, match="not met"):
        governor.hand_in(path)


def test_what_was_not_signed_or_is_in_the_log_is_not_taken_back(
    governor: Governor, capsys: Capture
) -> None:
    """A key without a signature on it, an order that is issued, another document, a draft."""
    path = paused(governor)
    fresh = governor.draft(
        factory.order_issued(charter_digest=governor.charter_digest, now=governor.now, number=2),
        "fresh.json",
    )
    flags = ("--reason", "misled", "--log", governor.log, "--out", governor.path("w.dsse"))
    cases: list[tuple[str, Path, str, int, str]] = [
        ("order", path, "authority-5", 2, "no signature of key"),
        ("order", path, "authority-1", 1, "entry"),
        ("charter", path, "authority-1", 2, "expected charter-adopted"),
        ("order", fresh, "authority-1", 2, "no signature of key"),
    ]
    for group, file, name, code, words in cases:
        command = (group, "withdraw", file, "--key", governor.key(name))
        assert governor.call(*command, *flags) == code
        assert words in capsys.readouterr().err


def test_ones_own_word_needs_the_phrase_too(governor: Governor, capsys: Capture) -> None:
    """A drill or a withdrawal is signed by nobody who did not type its phrase back."""
    out = governor.path("drill.dsse")
    command = ("key", "drill", "--key", governor.key(), "--log", governor.log, "--out", out)
    assert governor.call(*command, typed="no\n") == 1
    assert "phrase-missing" in capsys.readouterr().err
    assert governor.call(*command, "--phrase", phrase_of(b"another")) == 1
    assert not out.exists()
