"""`sekisho order draft --seal`: two files, of which one is its signers' alone; nobody signs what they cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.licensing.carrying import parse_carried
from sekisho.model.statements import OrderSealed, parse_payload
from sekisho.model.wire import parse_json
from tests.cli.ceremonies import KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]
BASIS = ("--legal-basis", "Test act, section 1", "--appeal", "in writing")


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def command(holder: KeyHolder, *flags: str) -> tuple[str | Path, ...]:
    out = holder.path("pause.json")
    fixed = ("--effect", "freeze", "--lasts", "3d", *BASIS, "--out", out, "--log", holder.log)
    return ("order", "draft", "--kind", "pause", *flags, *fixed)


def drafted(holder: KeyHolder, *flags: str) -> tuple[Path, OrderSealed]:
    where = ("--where", "site is site-1", "--seal", *(flags or ("--opens-in", "2d")))
    assert holder.call(*command(holder, *where)) == 0
    path = holder.path("pause.json")
    sealed = parse_payload(path.read_bytes()).predicate
    assert isinstance(sealed, OrderSealed)
    return path, sealed


def beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sealed.json")


def sign(holder: KeyHolder, path: Path) -> int:
    phrase = phrase_of(path.read_bytes())
    signing = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    return holder.call(*signing, "--phrase", phrase)


def test_the_draft_says_nothing_and_the_file_beside_it_is_private(holder: KeyHolder) -> None:
    """Only a digest is in the one; the other is its owner's to read."""
    path, sealed = drafted(holder)

    assert sealed.opens == sealed.effective.plus(2 * 86_400)
    assert b"site-1" not in path.read_bytes()
    assert beside(path).stat().st_mode & 0o777 == 0o600


def test_left_to_itself_it_opens_at_its_expiry(holder: KeyHolder) -> None:
    """Or after ninety days, whichever comes first."""
    _, sealed = drafted(holder, "--lasts", "3d")
    assert sealed.opens == sealed.expires


def test_its_signers_read_the_order_inside(holder: KeyHolder, capsys: Capture) -> None:
    """Scope, effect and hosts are shown as of any order, and that it is sealed."""
    path, _ = drafted(holder)
    page = holder.answer(capsys, "order", "preview", path, "--log", holder.log)

    assert page["named"][0]["host"] == "host-1"
    assert page["sealed_order"]["legal_basis"] == "Test act, section 1"
    assert page["warnings"] == []
    assert sign(holder, path) == 0


def test_without_what_it_conceals_it_is_shown_as_such_and_not_signed(
    holder: KeyHolder, capsys: Capture
) -> None:
    """A warning, no signature, nothing issued."""
    path, _ = drafted(holder)
    before = path.read_bytes()
    beside(path).rename(holder.path("elsewhere"))
    page = holder.answer(capsys, "show", path, "--log", holder.log)
    assert [w["code"] for w in page["warnings"]] == ["sealed"]
    assert page["sealed_order"] is None

    assert sign(holder, path) != 0
    assert path.read_bytes() == before


def test_another_order_s_file_beside_it_is_refused(holder: KeyHolder, capsys: Capture) -> None:
    """Exit 2, naming the file."""
    path, _ = drafted(holder)
    other = beside(path).read_bytes().replace(phrase_digest(path), b"0" * 64)
    beside(path).write_bytes(other)
    assert sign(holder, path) == 2
    assert "belongs to statement" in capsys.readouterr().err


def test_a_changed_file_beside_it_signs_nothing(holder: KeyHolder, capsys: Capture) -> None:
    """One letter of a disclosure, and the page says that it is another order."""
    path, _ = drafted(holder)
    told = parse_json(beside(path).read_bytes())
    assert isinstance(told, dict)
    texts = told["disclosures"]
    assert isinstance(texts, list)
    swapped = beside(path).read_bytes().replace(str(texts[0]).encode(), str(texts[1]).encode())
    beside(path).write_bytes(swapped)
    page = holder.answer(capsys, "show", path, "--log", holder.log)
    assert page["sealed_order"] is None
    assert sign(holder, path) != 0


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--scope", "site=site-1", "--seal"), "--where"),
        (("--where", "site is site-1", "--seal", "--opens-in", "4d"), "opens later"),
        (("--where", "site is site-1", "--opens-in", "2d"), "--seal"),
    ],
)
def test_what_cannot_be_sealed_so(
    holder: KeyHolder, capsys: Capture, flags: tuple[str, ...], why: str
) -> None:
    """Exit 2 with the remedy, and neither file is written."""
    assert holder.call(*command(holder, *flags)) == 2
    assert why in capsys.readouterr().err
    assert not holder.path("pause.json").exists()
    assert not beside(holder.path("pause.json")).exists()


@pytest.mark.parametrize(("host", "says", "shown"), [("host-1", "in", 2), ("host-9", "out", 1)])
def test_it_is_carried_by_hand_with_what_is_for_that_host(
    holder: KeyHolder, capsys: Capture, host: str, says: str, shown: int
) -> None:
    """Both disclosures and its place for a host in scope; the salt and its absence for another."""
    path, _ = drafted(holder)
    assert sign(holder, path) == 0
    out = holder.path("stick.json")
    made = ("order", "prove", path, "--host", host, "--out", out, "--log", holder.log)
    assert holder.answer(capsys, *made)["says"] == says

    feed = parse_carried(out.read_bytes()).feed
    assert feed is not None
    assert len(feed.items[0].disclosures) == shown
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_japanese_reader_is_told(holder: KeyHolder, capsys: Capture) -> None:
    """The title and the warning in the reader's language."""
    path, _ = drafted(holder)
    beside(path).unlink()
    capsys.readouterr()
    holder.language = "ja"
    assert holder.call("show", path, "--log", holder.log) == 0
    assert "署名しないこと" in capsys.readouterr().out


def phrase_digest(path: Path) -> bytes:
    told = parse_json(beside(path).read_bytes())
    assert isinstance(told, dict)
    return str(told["statement"]).encode()
