"""Attack: free text in a document repaints the signer's terminal, or poses as a line of ours."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from sekisho.cli.plain_text import quote
from tests.cli.ceremonies import KeyHolder

Capture = pytest.CaptureFixture[str]
HOSTILE = {
    "clears the screen": "Act\x1b[2J\x1b[H  for  nobody",
    "moves up with C1": "Act\x9b5A",
    "changes the title": "Act\x1b]0;signed\x07",
    "turns text round": "Act \u202egnihton seod\u202c",
    "hides words": "Act\u200b\u2060\ufeff\u00ad",
    "rubs out": "Act\b\b\b\x7f",
    "begins a line": "Act\n  effect              nothing at all",
    "begins a line, other means": "Act\r\u2028\u2029\x85\x0b\x0c  effect  nothing",
    "fills a line": "Act" + " " * 300 + "  effect              nothing at all",
    "fills a line, wide": "Act" + "\u3000" * 200 + "effect",
    "closes its quotes": 'Act"\n!! signed by everybody',
    "tags": "Act\U000e0041\U000e007f",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("field", ["legal_basis", "appeal"])
def test_a_hostile_legal_basis_cannot_repaint_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, text: str, field: str
) -> None:
    """Every character that shows nothing is written as its number, on the page and in JSON, and no line is forged."""
    holder = KeyHolder(tmp_path, monkeypatch)
    honest = holder.order(**{field: "Act"})
    assert holder.call("show", honest) == 0
    expected = [line[:22] for line in capsys.readouterr().out.split("\n")]
    path = holder.order(**{field: text})
    for flags in ((), ("--json",)):
        assert holder.call("show", path, *flags) == 0
        out = capsys.readouterr().out
        assert all(c in "\n " or c.isprintable() or c == "\u3000" for c in out)
    assert holder.call("show", path) == 0
    lines = capsys.readouterr().out.split("\n")
    # Whatever the text says, our own labels at the left edge are those of the honest order, and no more.
    ours = [line[:22] for line in lines if line[:22].strip()]
    labels = [line for line in expected if line.strip()]
    assert ours == labels


def test_a_hostile_name_in_a_charter_cannot_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Organisations and holders are foreign text too."""
    import msgspec

    from sekisho.model.statements import make_payload

    holder = KeyHolder(tmp_path, monkeypatch)
    terms = holder.cast.charter()
    group = terms.constituencies[0]
    key = msgspec.structs.replace(
        group.keys[0], organisation="\x1b[2JMinistry\n  power", holder="\u202e"
    )
    groups = (
        msgspec.structs.replace(group, keys=(key, *group.keys[1:])),
        *terms.constituencies[1:],
    )
    path = holder.path("charter.json")
    named = msgspec.structs.replace(terms, constituencies=groups, name="\x07\x1b[8m")
    path.write_bytes(make_payload(named))
    assert holder.call("show", path) == 0
    out = capsys.readouterr().out
    assert not [c for c in out if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]


def test_quoted_text_reads_back_one_way() -> None:
    """A text that spells an escape out is not the text that holds the character."""
    assert quote("\x1b") == '"\\u{1b}"'
    assert quote("\\u{1b}") == '"\\\\u{1b}"'
    assert quote('"') == '"\\""'
    assert quote("経済安全保障　第3条") == '"経済安全保障　第3条"'
