"""A population of requests at the edge: JSON lines in blocks, gzip or not, judged in one process or several.

Blocks are judged wherever a process is free and added up in their order, so that the answer does not depend on how
many there are.
"""

from __future__ import annotations

import gzip
import itertools
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from sekisho.cli.rules_inputs import read_pack
from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.rules import Pack
from sekisho.rules.pack import Reading
from sekisho.rules.requests import Request, iter_requests, parse_requests
from sekisho.rules.what_if import Counts, Judged, Refused, Side, Tally, csv_row

__all__ = ["Asked", "Block", "SideAsked", "judge_population"]

_BLOCK: Final = 4 * 1024 * 1024
_LONGEST_LINE: Final = 1024 * 1024
_DOCUMENT: Final = 16 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_MOST_PROCESSES: Final = 16


class SideAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A side as a process of its own reads it again; the digest tells whether it reads the same pack."""

    pack: str
    sha256: str
    at_us: int | None
    now_us: int
    as_of_us: int | None
    reading: Reading

    def load(self, pack: Pack | None = None) -> Side:
        """The side, of a pack that was read already or is read now. Raises StateConflict for another pack."""
        found = pack if pack is not None else read_pack(self.pack)
        if found.sha256 != self.sha256:
            raise StateConflict(f"{self.pack} changed while it was read", remedy="ask again")
        return Side(
            pack=found,
            at=None if self.at_us is None else Instant(self.at_us),
            now=Instant(self.now_us),
            as_of=None if self.as_of_us is None else Instant(self.as_of_us),
            reading=self.reading,
        )


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare, over which file, and how."""

    a: SideAsked
    b: SideAsked
    file: str
    examples: int
    with_rows: bool
    with_accounts: bool
    processes: int


class Block(msgspec.Struct, frozen=True):
    """Whole lines of the file, and the number of the first."""

    first: int
    lines: bytes


class Part(msgspec.Struct, frozen=True):
    """What one block came to: its counts, and its changed and refused rows as CSV text."""

    counts: Counts
    rows: str
    row_count: int


def judge_population(
    asked: Asked,
    tally: Tally,
    write: Callable[[str, int], object],
    show: Callable[[int, int], None],
) -> Counts:
    """Judge every row of the file; `write` gets the rows of each block as CSV in order, `show` the bytes read.

    Raises InvalidInput for a file that is none, a line beyond a megabyte, or broken compression.
    """
    whole = Counts(asked.examples)
    with _open(asked.file) as (stream, size, position):
        blocks = _blocks(stream, asked.file)
        for part in _parts(asked, tally, blocks):
            whole.add(part.counts)
            write(part.rows, part.row_count)
            show(position(), size)
    return whole


def _parts(asked: Asked, tally: Tally, blocks: Iterator[Block]) -> Iterator[Part]:
    """In the order of the file. Sums of what went before need one process; so does a short file."""
    first = list(itertools.islice(blocks, 2))
    if len(first) == 1 and first[0].lines.lstrip()[:1] == b"[":
        return iter([_judge(tally, parse_requests(first[0].lines, file=asked.file), asked)])
    every = itertools.chain(first, blocks)
    if asked.with_accounts or asked.processes == 1 or len(first) < 2:
        return (_judge_block(tally, block, asked) for block in every)
    return _in_processes(asked, every)


def _judge_block(tally: Tally, block: Block, asked: Asked) -> Part:
    lines = block.lines.split(b"\n")
    return _judge(tally, iter_requests(lines, asked.file, first=block.first), asked)


def _judge(tally: Tally, rows: Iterable[tuple[int, Request | InvalidInput]], asked: Asked) -> Part:
    told: list[Judged | Refused] = []
    for line, request in rows:
        if isinstance(request, InvalidInput):
            judged: Judged | Refused = tally.refuse(line, request)
        else:
            judged = tally.take(line, request)
        if asked.with_rows and (isinstance(judged, Refused) or judged.change is not None):
            told.append(judged)
    return Part(tally.hand_over(), "".join(map(csv_row, told)), len(told))


# --- several processes ----------------------------------------------------------------------------

_WORK: dict[str, tuple[Tally, Asked]] = {}
"""What a process of the pool was made for; one entry, set when it starts."""


def _start_work(asked: Asked) -> None:
    tally = Tally(asked.a.load(), asked.b.load(), known_chips(), examples=asked.examples)
    _WORK["work"] = (tally, asked)


def _work(block: Block) -> Part:
    tally, asked = _WORK["work"]
    return _judge_block(tally, block, asked)


def _in_processes(asked: Asked, blocks: Iterator[Block]) -> Iterator[Part]:
    """At most two blocks wait for each process, so that a fast reader does not fill the memory."""
    count = min(asked.processes, _MOST_PROCESSES)
    pool = ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_start_work, initargs=(asked,)
    )
    waiting: deque[Future[Part]] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(_work, block))
            if len(waiting) > 2 * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise Unavailable(
            "a process that judged requests ended before its time",
            remedy="ask again with --processes 1",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# --- the file -------------------------------------------------------------------------------------


@contextmanager
def _open(file: str) -> Iterator[tuple[BinaryIO, int, Callable[[], int]]]:
    """The stream unpacked where it is gzip, the size of the file (0 of standard input), and how much was read of it."""
    if file == "-":
        yield _unpacked(sys.stdin.buffer), 0, lambda: 0
        return
    with Path(file).open("rb") as raw:
        yield _unpacked(raw), Path(file).stat().st_size, raw.tell


def _unpacked(raw: BinaryIO) -> BinaryIO:
    peek = getattr(raw, "peek", None)
    if peek is None or not peek(2).startswith(_GZIP):
        return raw
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb"))


def _blocks(stream: BinaryIO, file: str) -> Iterator[Block]:
    """Whole lines, some megabytes at a time. A document that begins with `[` is one block, whatever its lines."""
    first, rest = 1, b""
    while True:
        read = _read(stream, file)
        data = rest + read
        if first == 1 and data.lstrip()[:1] == b"[":
            yield Block(1, _whole(data, stream, file))
            return
        end = data.rfind(b"\n") + 1 if read else len(data)
        if len(data) - end > _LONGEST_LINE:
            line = first + data.count(b"\n")
            raise InvalidInput(
                f"longer than {_LONGEST_LINE} bytes",
                path=f"{file}:{line}",
                remedy="write one request a line",
            )
        if end:
            yield Block(first, data[:end])
            first += data.count(b"\n", 0, end)
        rest = data[end:]
        if not read:
            return


def _whole(start: bytes, stream: BinaryIO, file: str) -> bytes:
    """A list as one document; parse_requests refuses what is too long."""
    data = start
    while len(data) <= _DOCUMENT and (read := _read(stream, file)):
        data += read
    return data


def _read(stream: BinaryIO, file: str) -> bytes:
    try:
        return stream.read(_BLOCK)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInput(f"broken gzip: {error}", path=file, remedy="compress it again") from None
