"""Attack: an old order is brought out again for the signatures that it still lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.ceremonies import T0, KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def test_an_order_that_outlived_its_issue_until_is_not_signed(
    holder: KeyHolder, capsys: Capture
) -> None:
    """A second before issue_until it takes a signature, from issue_until on none, and show says so loudly."""
    path = holder.order(now=T0, issue_until=T0.plus(3600), expires=T0.plus(7200))
    payload = path.read_bytes()
    phrase = ("--phrase", phrase_of(payload), "--log", holder.log)
    holder.set_clock(T0.plus(3599))
    assert holder.call("order", "sign", path, "--key", holder.key("authority-1"), *phrase) == 0
    signed = path.read_bytes()
    holder.set_clock(T0.plus(3600))
    assert holder.call("order", "sign", path, "--key", holder.key("authority-2"), *phrase) == 1
    assert "stale-signatures" in capsys.readouterr().err
    assert path.read_bytes() == signed
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert "stale" in {row["code"] for row in shown["warnings"]}


def test_an_expired_order_is_not_signed(holder: KeyHolder, capsys: Capture) -> None:
    """Past its expiry an order takes no signature."""
    path = holder.order(now=T0, expires=T0.plus(60))
    holder.set_clock(T0.plus(60))
    command = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    assert holder.call(*command, "--phrase", phrase_of(path.read_bytes())) == 1
    assert "expired-order" in capsys.readouterr().err


def test_signatures_good_for_longer_than_three_days_are_not_given(
    holder: KeyHolder, capsys: Capture
) -> None:
    """An order whose signatures would wait longer than 72 h is faulty."""
    path = holder.order(issue_until=holder.now.plus(72 * 3600 + 1))
    command = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    assert holder.call(*command, "--phrase", phrase_of(path.read_bytes())) == 1
    assert "72 h" in capsys.readouterr().err
