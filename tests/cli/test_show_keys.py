"""`show` of the statements about keys, recoveries, confirmations, deposits and packs: in words, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.statements import (
    OrderConfirmed,
    PackPublished,
    PackReference,
    Predicate,
    make_payload,
)
from tests import factory
from tests.cli.governing import DAY_S, QUORUM, Governor, key_id
from tests.factory_kinds import one_of_each

Capture = pytest.CaptureFixture[str]
KINDS = (
    "key-compromised",
    "key-drilled",
    "signature-withdrawn",
    "recovery-announced",
    "recovery-vetoed",
    "order-confirmed",
    "disclosure-deposited",
    "disclosure-erased",
    "pack-published",
)


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def page_of(governor: Governor, fact: Predicate, capsys: Capture, *flags: str) -> Any:
    path = governor.path("paper.json")
    path.write_bytes(make_payload(fact))
    return governor.answer(capsys, "show", path, *flags)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("has_log", [False, True])
def test_each_kind_has_its_own_words(
    governor: Governor, capsys: Capture, kind: str, language: str, has_log: bool
) -> None:
    """Title, effect and who may sign, with a log and without; no field is left to a bare listing."""
    governor.language = language  # type: ignore[assignment]  # the two that there are
    flags = ("--log", governor.log) if has_log else ()
    page = page_of(governor, one_of_each()[kind], capsys, *flags)
    assert page["kind"] == kind
    assert "field" not in page["says"]
    assert page["says"]["effect"]
    assert page["says"]["may_sign"]
    assert governor.call("show", governor.path("paper.json"), *flags) == 0
    shown = capsys.readouterr().out
    japanese = re.search(r"[぀-ヿ一-鿿]", shown.splitlines()[0])
    assert bool(japanese) == (language == "ja")


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_of_them_is_on_the_page(governor: Governor, capsys: Capture, kind: str) -> None:
    """Each text, digest and name of the predicate is there to be read, digests by their first sixteen digits."""
    fact = one_of_each()[kind]
    page = page_of(governor, fact, capsys)
    said = " ".join(text for row in page["says"].values() for text in row)
    for value in values_of(msgspec.to_builtins(fact, enc_hook=str)):
        if value.startswith("MC"):  # a new key is shown by its id
            continue
        assert value[:16] in said, value


def values_of(value: Any) -> list[str]:
    """Every text of a predicate but its date, which nobody acts on, and sealed bytes, whose size is shown."""
    if isinstance(value, dict):
        skipped = {"effective", "sealed", "content", "kind"}
        return [t for k, v in value.items() if k not in skipped for t in values_of(v)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in values_of(item)]
    return [value] if isinstance(value, str) and value else []


def test_a_confirmation_names_the_order_and_what_would_become_of_it(
    governor: Governor, capsys: Capture
) -> None:
    """With a log: scope, effect, expiry, and that the order is sound or not there."""
    order = factory.order_issued(charter_digest=governor.charter_digest, now=governor.now)
    recorded = governor.state_fact(order, *QUORUM)
    reference = msgspec.structs.replace(
        one_of_each()["order-confirmed"].order,  # type: ignore[attr-defined]  # it is one
        register="pause/JP",
        number=1,
        digest=recorded.verified.digest,
    )
    fact = OrderConfirmed(effective=governor.now, order=reference, kind="pause")
    page = page_of(governor, fact, capsys, "--log", governor.log)
    assert page["says"]["scope"] == ["sites site-1"]
    assert "not in doubt" in page["says"]["change"][0]
    other = msgspec.structs.replace(reference, digest="0" * 64)
    fact = OrderConfirmed(effective=governor.now, order=other, kind="pause")
    page = page_of(governor, fact, capsys, "--log", governor.log)
    assert [row["code"] for row in page["warnings"]] == ["fault"]


def test_a_pack_says_what_it_replaces_and_how_long_an_emergency_lasts(
    governor: Governor, capsys: Capture
) -> None:
    """The first of its name, the same again, another one; an emergency's length is the charter's."""
    pack = PackReference(name="rules", version="1", sha256="1" * 64)
    fact = PackPublished(effective=governor.now, pack=pack, bytes=10, summary="first")
    log = ("--log", governor.log)
    assert "first pack" in page_of(governor, fact, capsys, *log)["says"]["change"][0]
    governor.state_fact(fact, "authority-1", "authority-2", "verifier-1")
    assert "published already" in page_of(governor, fact, capsys, *log)["says"]["change"][0]
    newer = msgspec.structs.replace(pack, version="2", sha256="2" * 64)
    urgent = msgspec.structs.replace(fact, pack=newer, emergency=True)
    page = page_of(governor, urgent, capsys, *log)
    assert "takes the place of rules 1" in page["says"]["change"][0]
    assert "30 d" in page["says"]["effect"][0]


def test_a_drill_says_when_the_key_was_last_proved(governor: Governor, capsys: Capture) -> None:
    """Never at first, then the instant of the tree that it signed; a foreign challenge is loud."""
    out = governor.path("drill.json")
    command = ("key", "drill", "--public", governor.public("verifier-1"), "--log", governor.log)
    page = governor.answer(capsys, *command, "--out", out)
    assert "never proved" in page["says"]["change"][0]
    governor.done("key", out, "verifier-1")
    governor.pass_time(DAY_S)
    page = governor.answer(capsys, *command, "--out", governor.path("again.json"))
    assert "last proved" in page["says"]["change"][0]
    foreign = msgspec.structs.replace(
        one_of_each()["key-drilled"], key=key_id("verifier-1"), challenge="e" * 64
    )
    codes = [
        row["code"] for row in page_of(governor, foreign, capsys, "--log", governor.log)["warnings"]
    ]
    assert codes == ["challenge-foreign"]


def test_the_standing_of_a_notice_and_of_a_veto_is_told(
    governor: Governor, capsys: Capture
) -> None:
    """How many recovery keys, or keys of the constituency, have signed, of how many that are asked."""
    out = governor.path("notice.json")
    flag = f"{key_id('authority-1')}={governor.public('authority-1-new')}"
    command = ("charter", "recover", "announce", "--replace-key", flag, "--log", governor.log)
    assert governor.call(*command, "--out", out) == 0
    governor.sign("charter", out, "recovery-1")
    page = governor.answer(capsys, "show", out, "--log", governor.log)
    assert page["standing"] == [{"constituency": "recovery", "have": 1, "asked": 2}]
    assert page["signatures"][0]["by"] == 'recovery: "Archive", "safe 1"'
    governor.done("charter", out, "recovery-2")
    veto = governor.path("veto.json")
    command = ("charter", "recover", "veto", "--constituency", "verifiers", "--reason", "x")
    page = governor.answer(capsys, *command, "--log", governor.log, "--out", veto)
    assert page["standing"] == [{"constituency": "verifiers", "have": 0, "asked": 1}]
    governor.sign("charter", veto, "verifier-2")
    page = governor.answer(capsys, "show", veto, "--log", governor.log)
    assert page["quorum"] is True
