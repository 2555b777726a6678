"""`sekisho order` and the limits of orders: holds warned of before anybody signs, their windows, caps; keys counted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.model.statements import OrderIssued, make_payload, parse_payload
from tests import factory
from tests.attacks.test_bundle_holds import held
from tests.cli.ceremonies import KeyHolder, phrase_of
from tests.factory_bundle import honest_story, seal, write_folder

Capture = pytest.CaptureFixture[str]
BASIS = ("--legal-basis", "Test act, section 1", "--appeal", "in writing")


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    """The log up to a hold of site-1 that the authority's low quorum issued."""
    holder = KeyHolder(tmp_path, monkeypatch)
    story = honest_story()
    story.batches = [batch for batch in story.batches if batch[0] <= 19]
    story.insert_after("beat-1", "hold-1", held(1, 18))
    sealed = seal(story)
    holder.log = str(write_folder(tmp_path / "held", sealed.files) / "log")
    holder.trust(sealed.root)
    return holder


def draft(holder: KeyHolder, kind: str, *flags: str) -> tuple[int, Path]:
    out = holder.path(f"{kind}.json")
    out.unlink(missing_ok=True)
    fixed = (*BASIS, "--out", out, "--log", holder.log)
    return holder.call("order", "draft", "--kind", kind, *flags, *fixed), out


def test_a_draft_of_a_stacked_hold_warns_before_anybody_signs(
    holder: KeyHolder, capsys: Capture
) -> None:
    """The page says which hold stands in the way, until when, and who may sign it all the same."""
    code, _ = draft(holder, "hold", "--scope", "host=host-1", "--lasts", "1h", "--json")
    assert code == 0
    warnings = printed(capsys)["warnings"]
    told = [w["text"] for w in warnings if w["code"] == "hold-limit"]
    assert len(told) == 1
    assert "hold/JP 1" in told[0]
    assert "pause quorum" in told[0]


def test_a_draft_of_a_hold_elsewhere_does_not_warn(holder: KeyHolder, capsys: Capture) -> None:
    """Another site has no window open."""
    code, _ = draft(holder, "hold", "--scope", "site=site-9", "--lasts", "1h", "--json")
    assert code == 0
    warnings = printed(capsys)["warnings"]
    assert "hold-limit" not in [w["code"] for w in warnings]


def test_a_signer_of_the_pause_quorum_may_sign_a_hold(holder: KeyHolder) -> None:
    """A verifier's key is none of a hold's own, and lifts its limits beside the others."""
    _, path = draft(holder, "hold", "--scope", "host=host-1", "--lasts", "1h")
    phrase = phrase_of(path.read_bytes())
    flags = ("--key", holder.key("verifier-1"), "--phrase", phrase, "--log", holder.log)
    assert holder.call("order", "sign", path, *flags) == 0
    flags = ("--key", holder.key("operator-1"), "--phrase", phrase, "--log", holder.log)
    assert holder.call("order", "sign", path, *flags) == 1


def test_holds_shows_open_windows_and_what_is_left(holder: KeyHolder, capsys: Capture) -> None:
    """For each constituency: what it may not hold again, until when; chip-hours of the quarter."""
    found = holder.answer(capsys, "order", "holds", "--log", holder.log)
    (window,) = found["windows"]
    assert (window["constituency"], window["register"], window["number"]) == (
        "authority",
        "hold/JP",
        1,
    )
    assert found["budgets"] == [
        {
            "constituency": "authority",
            "since": "2026-10-01T00:00:00Z",
            "until": "2027-01-01T00:00:00Z",
            "chip_hours": 1,
            "limit": 1_200_000,
            "left": 1_199_999,
        }
    ]


def test_holds_in_both_languages(holder: KeyHolder, capsys: Capture) -> None:
    """A person reads the same figures."""
    for language, word in (("en", "may not hold again before"), ("ja", "再度の保留不可")):
        holder.language = language  # type: ignore[assignment]  # the two that there are
        assert holder.call("order", "holds", "--log", holder.log) == 0
        told = capsys.readouterr().out
        assert word in told
        assert "1200000" in told


def test_a_cap_is_drafted_with_its_percent(holder: KeyHolder, capsys: Capture) -> None:
    """What is left, in the order and on the page."""
    code, path = draft(holder, "cap", "--scope", "site=site-1", "--percent", "40")
    assert code == 0
    order = parse_payload(path.read_bytes()).predicate
    assert isinstance(order, OrderIssued)
    assert (order.kind, order.effect, order.cap_percent) == ("cap", "cap", 40)
    assert "40" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "flags"),
    [("cap", ()), ("cap", ("--percent", "100")), ("pause", ("--percent", "40"))],
    ids=["none", "all", "not a cap"],
)
def test_a_percent_that_is_none_is_bad_input(
    holder: KeyHolder, capsys: Capture, kind: str, flags: tuple[str, ...]
) -> None:
    """Named by its flag, with the remedy."""
    code, path = draft(holder, kind, "--scope", "site=site-1", *flags)
    assert code == 2
    assert "--percent" in capsys.readouterr().err
    assert not path.exists()


def test_a_charter_whose_pause_takes_fewer_keys_than_its_resume_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The page counts the keys and organisations of each power, and warns by name."""
    holder = KeyHolder(tmp_path, monkeypatch)
    terms = factory.charter()
    for lower, expected in ((False, []), (True, ["easier-than-resume"])):
        grants = tuple(
            msgspec.structs.replace(grant, quorums=grant.quorums[1:])
            if lower and grant.power == "pause"
            else grant
            for grant in terms.powers
        )
        own = msgspec.structs.replace(terms, profile="internal", powers=grants)
        path = holder.path(f"charter-{lower}.json")
        path.write_bytes(make_payload(own))
        page = holder.answer(capsys, "charter", "show", path)
        codes = [w["code"] for w in page["warnings"]]
        assert [code for code in codes if code == "easier-than-resume"] == expected
        assert "resume: 4 keys of at least 2 organisations" in page["says"]["keys_asked"]
        assert "1200000" in page["says"]["holds"][0]


def printed(capsys: Capture) -> dict[str, list[dict[str, str]]]:
    """The document that the command printed."""
    found: dict[str, list[dict[str, str]]] = msgspec.json.decode(capsys.readouterr().out)
    return found
