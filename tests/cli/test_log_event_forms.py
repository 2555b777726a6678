"""The forms of events, for every text that somebody could have written: read back by readers of their own."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from sekisho.ceremony import LogEvent
from sekisho.cli.log_event_forms import FORMS, to_cef, to_json, to_syslog
from sekisho.cli.plain_text import tame
from tests.factory import NOW

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    [
        "a\nCEF:0|x",
        "a|b",
        "a=b c=d",
        "\\",
        '"] [x y="',
        "\x1b[2J",
        "\u2028",
        "\u202e",
        "\r\n<8>1 - - -",
    ]
)


def event(text: str, *, site: str | None = None) -> LogEvent:
    """An event with somebody's text wherever one may stand."""
    return LogEvent(
        id="ab" * 32,
        origin="example.org/log",
        index=7,
        kind="finding-raised",
        severity="error",
        subject=text,
        digest="cd" * 32,
        effective=NOW,
        recorded_from=NOW,
        recorded_to=None,
        ids={"host": text, "site": text if site is None else site},
        sentence=text,
    )


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """Header and extension by CEF's own rules: `|` and `=` count unless a backslash stands before them."""
    *header, extension = re.split(r"(?<!\\)(?:\\\\)*\|", line, maxsplit=7)
    starts = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", extension))
    # A key begins at "name=" with an unescaped "="; our values never hold one.
    values = {
        match[1]: extension[match.end() : following.start() if following else None]
        for match, following in zip(starts, [*starts[1:], None], strict=True)
    }
    return header, {k: re.sub(r"\\(.)", r"\1", v) for k, v in values.items()}


def read_parameters(message: str) -> tuple[dict[str, str], str]:
    """Structured data by RFC 5424's own rules, and what stands behind it."""
    inside = message[message.index("[event@32473 ") + len("[event@32473 ") :]
    found: dict[str, str] = {}
    while not inside.startswith("]"):
        match = re.match(r' ?([A-Za-z0-9]+)="((?:[^"\\\]]|\\["\\\]])*)"', inside)
        assert match is not None
        found[match[1]] = re.sub(r'\\(["\\\]])', r"\1", match[2])
        inside = inside[match.end() :]
    return found, inside[1:]


@given(TEXTS)
def test_every_form_is_one_line_without_a_character_that_moves_a_terminal(text: str) -> None:
    """Whatever the text: no line end within, no escape, no character that shows nothing."""
    for name, form in FORMS.items():
        told = form(event(text)).decode("utf-8")
        line = told.removesuffix("\n") if name != "syslog" else told.replace("\ufeff", "", 1)
        assert all(c.isprintable() or c == "　" for c in line)


@given(TEXTS)
def test_json_reads_back_as_it_was_told(text: str) -> None:
    """JSON lines lose nothing: the very text comes back."""
    document = json.loads(to_json(event(text)))
    assert document["sentence"] == document["ids"]["host"] == text


@given(TEXTS)
def test_cef_has_the_fields_that_were_put_in_and_no_other(text: str) -> None:
    """No text adds a field or ends one; read by CEF's rules, each value is the visible text."""
    header, fields = read_cef(to_cef(event(text)).decode("utf-8").removesuffix("\n"))
    assert header[:3] == ["CEF:0", "Sekisho", "sekisho"]
    assert header[4:] == ["finding-raised", "finding raised", "7"]
    assert set(fields) == {
        *("externalId", "dvchost", "cn1Label", "cn1", "msg", "fileHash", "rt", "dhost"),
        *("cs4Label", "cs4"),
    }
    assert fields["msg"] == fields["cs4"] == tame(text)


@given(TEXTS)
def test_syslog_has_the_parameters_that_were_put_in_and_its_own_length(text: str) -> None:
    """No text ends the structured data or the frame; read by the RFC's rules, each value is the visible text."""
    length, _, message = to_syslog(event(text)).partition(b" ")
    assert int(length) == len(message)
    found, rest = read_parameters(message.decode("utf-8"))
    assert found.get("subject", "") == found.get("host", "") == tame(text)
    assert set(found) <= {
        *("id", "index", "kind", "subject", "digest", "effective", "recordedTo", "host", "site"),
    }
    assert rest == f" \ufeff{tame(text)}"
