"""In which encoding a file of a firm's is written: decided strictly from all of its bytes, or refused by line.

Spreadsheets write UTF-8 with and without a byte-order mark, UTF-16 with one, and in Japan cp932 (Shift_JIS as Windows
has it). Files put together from two sources hold two of them; such a file is refused, since half of its names would
be read as others.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, TypeAlias, get_args

from sekisho.model.errors import InvalidInput

__all__ = [
    "MAX_LINE",
    "Chunks",
    "Encoding",
    "Line",
    "bytes_source",
    "decide_encoding",
    "decoded_lines",
]

Encoding: TypeAlias = Literal["utf-8", "utf-8-sig", "utf-16", "cp932"]
Chunks: TypeAlias = Callable[[], Iterable[bytes]]
"""A file's bytes piece by piece, from the beginning at each call: once to decide, once to read."""
Line: TypeAlias = str | None
"""One line with its end; None for one that is longer than MAX_LINE, which nobody keeps in memory."""

MAX_LINE: Final = 65_536
_PIECE: Final = 1 << 20
_WORDS: Final[dict[str, str]] = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte-order mark",
    "utf-16": "UTF-16",
    "cp932": "cp932 (Shift_JIS)",
}
# Single bytes that Python's cp932 lets through and no Windows has ever written.
_UNASSIGNED: Final = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_SAVE_AGAIN: Final = "save the whole file again as UTF-8"


def bytes_source(data: bytes) -> Chunks:
    """Bytes that are at hand already, as a source of chunks."""
    return lambda: (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))


def decide_encoding(chunks: Chunks, *, path: str, asked: str = "") -> Encoding:
    """The one encoding of a whole file; `asked` is taken at its word and checked when lines are read.

    1. A byte-order mark decides. 2. What is UTF-8 throughout is UTF-8. 3. What is cp932 throughout, without a line
    that only UTF-8 explains, is cp932. Raises InvalidInput naming the line for anything else, mixtures above all.
    """
    if asked:
        return _known(asked)
    head = _head(chunks)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InvalidInput("is UTF-32", path=path, remedy=_SAVE_AGAIN)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if b"\0" in head:
        raise InvalidInput("holds NUL bytes", path=f"{path}:1", remedy=_SAVE_AGAIN)
    return "utf-8" if _is_utf8(chunks) else _classify_lines(chunks, path)


def decoded_lines(chunks: Chunks, encoding: Encoding, *, path: str) -> Iterator[Line]:
    """The lines of a file as text, each with its end. Raises InvalidInput naming a line that does not decode."""
    source = _transcoded(chunks, path) if encoding == "utf-16" else chunks()
    codec = "cp932" if encoding == "cp932" else "utf-8"
    for number, raw in enumerate(_raw_lines(source), 1):
        if raw is None:
            yield None
            continue
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 and codec == "utf-8" else raw
        text = _decodes(line, codec)
        if text is None:
            raise _undecodable(raw, encoding, f"{path}:{number}")
        yield text


def _known(asked: str) -> Encoding:
    name = {"utf8": "utf-8", "shift_jis": "cp932", "sjis": "cp932", "shift-jis": "cp932"}.get(
        asked.casefold(), asked.casefold()
    )
    for known in get_args(Encoding):
        if name == known:
            return known  # type: ignore[no-any-return]  # get_args is untyped
    raise InvalidInput(
        f"{asked[:40]!r} is no encoding of tables",
        path="encoding",
        remedy=f"write one of {', '.join(get_args(Encoding))}",
    )


def _head(chunks: Chunks) -> bytes:
    for piece in chunks():
        if piece:
            return piece[:4096]
    return b""


def _is_utf8(chunks: Chunks) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for piece in chunks():
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _classify_lines(chunks: Chunks, path: str) -> Encoding:
    """Of a file that is not UTF-8 throughout: cp932, or the first line that does not fit the lines before it."""
    first: tuple[int, str] | None = None
    for number, raw in enumerate(_raw_lines(chunks()), 1):
        kind = _kind_of(raw) if raw is not None and not raw.isascii() else ""
        if kind == "neither":
            raise InvalidInput(
                "is neither UTF-8 nor cp932 (Shift_JIS)",
                path=f"{path}:{number}",
                remedy=_SAVE_AGAIN,
            )
        if kind in ("", "either"):
            continue
        if first is not None and first[1] != kind:
            raise InvalidInput(
                f"the line is {_WORDS[kind]}, but line {first[0]} is {_WORDS[first[1]]}: "
                "two encodings are mixed in one file",
                path=f"{path}:{number}",
                remedy=_SAVE_AGAIN,
            )
        first = first or (number, kind)
    # Lines too long to keep are refused as rows; only they could have been wrong here.
    return "cp932"


def _kind_of(raw: bytes) -> str:
    """What a line with bytes beyond ASCII is: utf-8, cp932, either (two bytes that both know), or neither."""
    as_utf8, as_cp932 = _decodes(raw, "utf-8"), _decodes(raw, "cp932")
    if as_utf8 is None:
        return "neither" if as_cp932 is None else "cp932"
    # Three bytes of UTF-8 are as good as never a word in cp932; two may be half-width katakana there.
    return "utf-8" if as_cp932 is None or max(as_utf8) >= "\u0800" else "either"


def _decodes(raw: bytes, codec: str) -> str | None:
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        return None
    is_odd = codec == "cp932" and not raw.isascii() and _UNASSIGNED.search(text) is not None
    return None if is_odd else text


def _undecodable(raw: bytes, encoding: Encoding, where: str) -> InvalidInput:
    other = "cp932" if encoding != "cp932" else "utf-8"
    fits = f"; it would be {_WORDS[other]}" if _decodes(raw, other) is not None else ""
    return InvalidInput(f"is not {_WORDS[encoding]}{fits}", path=where, remedy=_SAVE_AGAIN)


def _transcoded(chunks: Chunks, path: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8, so that lines are lines of bytes."""
    decoder = codecs.getincrementaldecoder("utf-16")("strict")
    line = 1
    try:
        for piece in chunks():
            text = decoder.decode(piece)
            line += text.count("\n")
            yield text.encode()
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        raise InvalidInput(
            "is not UTF-16, or is cut off", path=f"{path}:{line}", remedy=_SAVE_AGAIN
        ) from None


def _raw_lines(pieces: Iterable[bytes]) -> Iterator[bytes | None]:
    """Lines with their ends, by line feed. Of one that is too long no more than a piece is ever held."""
    rest, is_long = b"", False
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield None if is_long or len(line) >= MAX_LINE else line + b"\n"
            is_long = False
        if len(rest) >= MAX_LINE:
            rest, is_long = b"", True
    if rest or is_long:
        yield None if is_long else rest
