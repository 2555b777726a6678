"""`sekisho log export`: the verified log as events for security monitoring, once or as it grows."""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.durations import parse_length
from sekisho.cli.log_event_forms import FORMS, Form
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    deliver_unverifiable,
    find_log,
    language_of,
)
from sekisho.model.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from sekisho.ceremony import EventCursor, EventSink, VerifiedEntries
    from sekisho.signing import Recorded, TrustRoot

__all__ = ["export"]

_BATCH = 256
_LONGEST_PAUSE_S = 60.0


class Exporting(msgspec.Struct, frozen=True, kw_only=True):
    """What to send where: the form, the place, the entry to begin with, and where to remember."""

    form: Form
    out: str
    authorities: str
    after: int | None
    cursor: Path | None


def export(
    context: typer.Context,
    *,
    form: Annotated[Form, typer.Option("--format", help="jsonl, cef or syslog.")] = "jsonl",
    out: Annotated[
        str,
        typer.Option(
            "--out", help="- or a file; tls://HOST:PORT, or tcp://127.0.0.1:PORT on this machine."
        ),
    ] = "-",
    after: Annotated[
        int | None, typer.Option("--after", min=-1, help="Send what comes after this entry.")
    ] = None,
    cursor: Annotated[
        Path | None,
        typer.Option("--cursor", help="Where to remember what was sent; a start goes on there."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until told to stop, every so often.")
    ] = False,
    every: Annotated[
        str, typer.Option("--every", help="How long to wait between two looks, as 60s or 5m.")
    ] = "5s",
    authorities: Annotated[
        str, typer.Option("--ca", help="Whom a tls:// collector's certificate must come from.")
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Send the verified log's entries as events, one each, to a file or a collector."""
    language = language_of(context)
    if after is not None and cursor is not None:
        raise InvalidInput("take one of both", path="--after, --cursor")
    place, root = find_log(context, Sources(home=home, log=log, policy=policy), origin=None)
    if place is None or root is None:
        deliver_unverifiable("cli.no-log", language, as_json=as_json)
    every_s = float(parse_length(every, path="--every"))
    if every_s < 1:
        raise InvalidInput("is shorter than a second", path="--every", remedy="write 5s, or 1m")
    plan = Exporting(form=form, out=out, authorities=authorities, after=after, cursor=cursor)
    exporter = _Exporter(plan, place, root, language)
    try:
        if follow:
            exporter.follow(every_s)
        else:
            exporter.send_new()
    finally:
        exporter.close()
    if out == "-":  # the events are the answer
        return
    text = say("log.export.done", language, sent=exporter.sent, next=exporter.next)
    deliver(
        Answer(document={"sent": exporter.sent, "next": exporter.next}, text=text), as_json=as_json
    )


class _Exporter:
    """Sends what is new, remembers it, and begins a broken connection anew."""

    def __init__(self, plan: Exporting, place: str, root: TrustRoot, language: Language) -> None:
        from sekisho.ceremony import VerifiedEntries, load_event_cursor, open_log

        self._plan = plan
        self._origin = root.origin
        self._language = language
        self._entries: VerifiedEntries = VerifiedEntries(open_log(place), root)
        self._sink: EventSink | None = None
        self._kept: list[Recorded] = []
        self._recent: deque[Recorded] = deque(maxlen=_BATCH)
        self._before: EventCursor | None = (
            load_event_cursor(plan.cursor, root.origin) if plan.cursor is not None else None
        )
        self.next = (
            self._before.next if self._before else (plan.after or 0) + (plan.after is not None)
        )
        self.sent = 0

    def send_new(self) -> None:
        """Read and verify what is new, then send it batch by batch."""
        sink = self._open()
        begin = max(self.next - sink.repeats, 0) if self._before is not None else self.next
        with bar(say("log.export.bar", self._language)) as heard:
            fresh = self._entries.refresh(min(begin, self.next), heard)
        if self._before is not None:
            self._entries.verify_seen(self._before.size, bytes.fromhex(self._before.root))
            self._before = None
        self._kept = [*self._kept, *fresh]
        while self._kept:
            self._send(sink, self._kept[:_BATCH])

    def follow(self, every_s: float) -> None:
        """Until a signal says to stop; a place that does not answer is tried again, ever more rarely."""
        pause = every_s
        with _stopping() as stop:
            while not stop.is_set():
                try:
                    self.send_new()
                    pause = every_s
                except Unavailable as error:
                    self.close()
                    why = tame(str(error))
                    sys.stderr.write(say("log.export.waits", self._language, why=why) + "\n")
                    pause = min(pause * 2, max(_LONGEST_PAUSE_S, every_s))
                stop.wait(pause)

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _open(self) -> EventSink:
        from sekisho.ceremony import open_event_sink

        if self._sink is None:
            self._sink = open_event_sink(self._plan.out, authorities=self._plan.authorities)
            # What the connection before had taken at its end may never have arrived.
            again = list(self._recent)[-self._sink.repeats :] if self._sink.repeats else []
            self._kept = [*again, *self._kept]
            self._recent.clear()
        return self._sink

    def _send(self, sink: EventSink, batch: list[Recorded]) -> None:
        from sekisho.ceremony import event_of

        state, form = self._entries.state, FORMS[self._plan.form]
        sink.send(b"".join(form(event_of(entry, state, self._origin)) for entry in batch))
        # Crash here: these are sent once more, under the same ids.
        self._kept = self._kept[len(batch) :]
        self._recent.extend(batch)
        self.sent += len(batch)
        self.next = max(self.next, batch[-1].index + 1)
        self._remember()

    def _remember(self) -> None:
        from sekisho.ceremony import EventCursor, save_event_cursor

        if self._plan.cursor is not None:
            size, root = self._entries.head
            save_event_cursor(
                self._plan.cursor,
                EventCursor(origin=self._origin, next=self.next, size=size, root=root.hex()),
            )


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """SIGTERM and Ctrl-C end the export after the batch under way."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
