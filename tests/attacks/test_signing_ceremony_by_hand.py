"""Attack: between the machine that shows and the machine that signs, something is exchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.statements import PAYLOAD_TYPE, Scope
from sekisho.signing import pae
from tests.cli.ceremonies import KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def bring_in(
    holder: KeyHolder, path: Path, made: bytes, *, key: str = "authority-1", phrase: str = ""
) -> int:
    """The exit code of importing `made` as the signature of `key`, the right phrase given unless another is."""
    signature = holder.path("order.sig")
    signature.write_bytes(made)
    public = holder.path(f"{key}.pub")
    public.write_text(holder.cast.signer(key).public.to_text() + "\n")
    command = ("order", "sign", path, "--import-signature", signature, "--public", public)
    typed = phrase or phrase_of(path.read_bytes())
    return holder.call(*command, "--phrase", typed, "--log", holder.log)


def bytes_of(path: Path) -> bytes:
    return pae(PAYLOAD_TYPE, path.read_bytes())


def test_swapped_bytes_come_back_as_a_bad_signature(holder: KeyHolder, capsys: Capture) -> None:
    """Whoever exchanged the exported file for another order's gets no signature into this one."""
    path = holder.order()
    swapped = bytes_of(holder.order("other.json", scope=Scope(everywhere=True)))
    before = path.read_bytes()
    assert bring_in(holder, path, holder.cast.signer("authority-1").sign(swapped)) == 1
    assert "bad-signature" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_signature_over_the_bare_payload_is_none(holder: KeyHolder, capsys: Capture) -> None:
    """What was signed without the type before it could be passed off as something else, so it never counts."""
    path = holder.order()
    made = holder.cast.signer("authority-1").sign(path.read_bytes())
    assert bring_in(holder, path, made) == 1
    assert "bad-signature" in capsys.readouterr().err


def test_another_members_signature_under_ones_own_name_is_none(
    holder: KeyHolder, capsys: Capture
) -> None:
    """A signature counts for the key that made it: brought in as another member's it is refused."""
    path = holder.order()
    made = holder.cast.signer("authority-2").sign(bytes_of(path))
    assert bring_in(holder, path, made, key="authority-1") == 1
    assert "bad-signature" in capsys.readouterr().err


def test_a_key_that_is_not_in_the_charter_brings_nothing_in(
    holder: KeyHolder, capsys: Capture
) -> None:
    """A good signature of a stranger is refused by name before any phrase counts."""
    path = holder.order()
    before = path.read_bytes()
    made = holder.cast.signer("stranger").sign(bytes_of(path))
    assert bring_in(holder, path, made, key="stranger") == 1
    assert "key-without-power" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("way", ["export", "import"])
def test_the_phrase_of_another_document_opens_neither_way(
    holder: KeyHolder, capsys: Capture, way: str
) -> None:
    """Bytes go out, and signatures come in, only under the phrase of the very document."""
    path = holder.order()
    other = phrase_of(holder.order("other.json", grace_s=9).read_bytes())
    before = path.read_bytes()
    if way == "import":
        made = holder.cast.signer("authority-1").sign(bytes_of(path))
        assert bring_in(holder, path, made, phrase=other) == 1
    else:
        out = holder.path("order.bytes")
        command = ("order", "sign", path, "--export-bytes", out, "--log", holder.log)
        assert holder.call(*command, "--phrase", other) == 1
        assert not out.exists()
    assert "phrase-missing" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_bytes_of_an_order_that_must_not_be_signed_do_not_go_out(
    holder: KeyHolder, capsys: Capture
) -> None:
    """By hand nothing is easier to get: what `sign` refuses, the export refuses."""
    path = holder.order(log="other.example/log")
    out = holder.path("order.bytes")
    command = ("order", "sign", path, "--export-bytes", out, "--log", holder.log)
    assert holder.call(*command, "--phrase", phrase_of(path.read_bytes())) == 1
    assert "foreign-order" in capsys.readouterr().err
    assert not out.exists()


def test_a_file_exchanged_during_the_import_gets_no_signature(
    holder: KeyHolder, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The signature fits the order that was shown; the file that holds another by then is left alone."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())
    made = holder.cast.signer("authority-1").sign(bytes_of(path))

    def swap(*_: object, **__: object) -> str:
        holder.order(scope=Scope(everywhere=True))
        return phrase

    monkeypatch.setattr("typer.prompt", swap)
    signature, public = holder.path("order.sig"), holder.path("a.pub")
    signature.write_bytes(made)
    public.write_text(holder.cast.signer("authority-1").public.to_text())
    command = ("order", "sign", path, "--import-signature", signature, "--public", public)
    assert holder.call(*command, "--log", holder.log) == 1
    assert "another statement" in capsys.readouterr().err
    assert b"signatures" not in path.read_bytes()
