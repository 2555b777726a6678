"""What a command says at its end: an exit code, one JSON document, and the same for a person.

Exit codes are a contract, since people script them: 0 holds or done, 1 fails (a finding, a refusal,
a bad proof), 2 bad input, 3 not measured, unverifiable or unsure, 4 unavailable, try again.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, NoReturn

import msgspec
import typer

__all__ = ["Answer", "AsJson", "deliver", "verdict_code", "worst_code", "write_json"]

_CODES: Final[Mapping[str, int]] = {
    "holds": 0,
    "permit": 0,
    "report": 0,
    "fails": 1,
    "licence": 1,
    "deny": 1,
    "unverifiable": 3,
    "not measured": 3,
    "unsure": 3,
}
_BEYOND_ASCII: Final = re.compile(r"[^\n\x20-\x7e]")
# Of several rows the first of these that is present speaks for all.
_WORST_FIRST: Final = (2, 4, 1, 3, 0)

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")
]
"""The flag that every command takes: `def classify(as_json: AsJson = False)`."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One command's answer.

    `document` is what `--json` prints: whatever msgspec encodes, FLOP as decimal strings.
    `text` is the same for a person, plain, without the last line end.
    """

    document: object
    text: str
    exit_code: int = 0


def verdict_code(verdict: str) -> int:
    """The exit code of a verdict or decision. Raises KeyError for a word that is neither."""
    return _CODES[verdict]


def worst_code(codes: Iterable[int]) -> int:
    """The one exit code of several rows: the first present of 2, 4, 1, 3, 0; 0 of no rows."""
    present = set(codes)
    return next((code for code in _WORST_FIRST if code in present), 0)


def deliver(answer: Answer, *, as_json: bool) -> NoReturn:
    """Prints the answer and ends the command with its exit code."""
    if as_json:
        write_json(answer.document)
    else:
        sys.stdout.write(answer.text + "\n")
    sys.stdout.flush()
    raise typer.Exit(answer.exit_code)


def write_json(document: object) -> None:
    """One JSON document and a line end on standard output, in UTF-8 whatever the terminal speaks."""
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    # The same document, but no character in a string may move a terminal's cursor or turn its text round.
    harmless = _BEYOND_ASCII.sub(_show, encoded.decode("utf-8"))
    sys.stdout.flush()
    sys.stdout.buffer.write(harmless.encode("utf-8") + b"\n")


def _show(match: re.Match[str]) -> str:
    """What a terminal prints stays; control and format characters, which JSON lets stand, become numbers."""
    character = match[0]
    visible = character.isprintable() or character == "　"
    return character if visible else json.dumps(character)[1:-1]
