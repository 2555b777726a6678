"""Attack: a signer is made to sign for another log, another charter, or a register that is not theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.statements import Reference, Scope, make_payload
from tests import factory
from tests.cli.ceremonies import LICENSED, PAUSED, KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]


def refused(
    holder: KeyHolder,
    path: Path,
    capsys: Capture,
    *,
    group: str = "order",
    key: str = "authority-1",
) -> str:
    """The error of a signature that must be refused, with the right phrase given; the file stays as it was."""
    before = path.read_bytes()
    command = (group, "sign", path, "--key", holder.key(key), "--phrase", phrase_of(before))
    assert holder.call(*command, "--log", holder.log) == 1
    assert path.read_bytes() == before
    return capsys.readouterr().err


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch, second=LICENSED)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"log": "other.example/log"}, "foreign-order"),
        ({"charter_digest": "0" * 64}, "foreign-order"),
        ({"register": "pause/FR"}, "wrong-register"),
        ({"register": "hold/JP"}, "wrong-register"),
        ({"number": 2}, "register-gap"),
        ({"previous": "1" * 64}, "register-gap"),
        ({"effect": "cap"}, "order-fault"),
        ({"scope": Scope()}, "order-fault"),
    ],
)
def test_an_order_for_another_log_or_register_is_not_signed(
    holder: KeyHolder, capsys: Capture, changes: dict[str, Any], code: str
) -> None:
    """Each is refused by its own name before any phrase counts."""
    assert code in refused(holder, holder.order(**changes), capsys)


def test_a_second_order_at_a_taken_number_is_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Two digests at one number are an attack, and a signer is who could make it."""
    holder = KeyHolder(tmp_path, monkeypatch, second=PAUSED)
    assert "two-digests" in refused(holder, holder.order(grace_s=7), capsys)


def test_a_licence_that_rests_on_another_log_is_not_signed(
    holder: KeyHolder, capsys: Capture
) -> None:
    """A licence names its declaration by log; another log's is refused."""
    licence = factory.licence_issued(
        Reference(log="other.example/log", leaf="0" * 64), number="L-2"
    )
    path = holder.path("licence.json")
    path.write_bytes(make_payload(licence))
    assert "foreign-document" in refused(holder, path, capsys, group="licence")


def test_another_first_charter_for_a_trusted_log_is_not_signed(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Where a root is trusted, no rival version 1 gets a signature; nor does a charter for another log."""
    terms = holder.cast.charter()
    path = holder.path("charter.json")
    path.write_bytes(make_payload(msgspec.structs.replace(terms, name="Rival")))
    assert "foreign-document" in refused(holder, path, capsys, group="charter")
    elsewhere = msgspec.structs.replace(terms.log, origin="other.example/log")
    path.write_bytes(make_payload(msgspec.structs.replace(terms, log=elsewhere)))
    assert "foreign-document" in refused(holder, path, capsys, group="charter")


def test_a_log_shown_with_a_forged_regime_lends_no_footing(
    holder: KeyHolder, capsys: Capture
) -> None:
    """A log that claims the trusted origin under other keys is refused, and nothing is signed on its word."""
    from tests.factory_bundle import Cast

    path = holder.order()
    holder.trust(Cast(salt=" forged").root())
    before = path.read_bytes()
    command = ("order", "sign", path, "--key", holder.key(), "--phrase", phrase_of(before))
    assert holder.call(*command, "--log", holder.log) == 1
    assert path.read_bytes() == before


def test_an_untrusted_log_lends_no_footing(holder: KeyHolder, capsys: Capture) -> None:
    """Without a root of one's own there is nothing to sign under."""
    holder.trust()
    assert "no trust root" in refused(holder, holder.order(), capsys)


def test_a_key_without_the_power_does_not_sign(holder: KeyHolder, capsys: Capture) -> None:
    """An operator's key, and one that the charter does not know, sign no pause."""
    for name in ("operator-1", "stranger"):
        assert "key-without-power" in refused(holder, holder.order(), capsys, key=name)


def test_a_field_that_nobody_here_can_read_is_not_signed(
    holder: KeyHolder, capsys: Capture
) -> None:
    """An order with an unknown field, critical or not, is refused: nobody signs what they cannot read."""
    import json

    from sekisho.model.wire import canonical, sha256_hex

    path = holder.order()
    plain = json.loads(path.read_bytes())
    plain["predicate"]["mercy"] = "none"
    plain["subject"][0]["digest"]["sha256"] = sha256_hex(canonical(plain["predicate"]))
    path.write_bytes(canonical(plain))
    assert "unknown-critical-field" in refused(holder, path, capsys)
