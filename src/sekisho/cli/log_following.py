"""`sekisho log mirror` and `sekisho log monitor`: a log that somebody else writes, copied and watched."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import AsJson
from sekisho.cli.durations import parse_length
from sekisho.cli.log_trust import LogKeys, PolicyFile, read_policy
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import to_plain

if TYPE_CHECKING:
    from sekisho.ledger.monitor import Finding
    from sekisho.monitor.main import MirrorEvent, RoundEvent

__all__ = ["mirror", "monitor"]

_LONG = 2_000  # files or entries; more take longer than two seconds

Every = Annotated[
    str, typer.Option("--every", help="How long to wait between two looks, as 60s or 5m.")
]


def mirror(
    context: typer.Context,
    *,
    source: Annotated[str, typer.Argument(help="A log's https address, or its public folder.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The copy.")],
    vkey: LogKeys = None,
    policy: PolicyFile = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until told to stop, every so often.")
    ] = False,
    every: Every = "60s",
    workers: Annotated[int, typer.Option("--workers", help="Fetches at a time, 1 to 32.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Copy a log into a folder that any web server can serve; nothing is believed before the root confirms it."""
    from sekisho.monitor.main import MirrorPlan, mirror_log

    plan = MirrorPlan(
        source=source,
        folder=folder.absolute(),
        policy=read_policy(vkey, policy),
        workers=workers,
        every_s=_interval(every) if follow else None,
    )
    language = language_of(context)

    def tell(event: MirrorEvent) -> None:
        _write_line(event, _mirror_words(event, language), as_json=as_json)

    with _bar("log.mirror.bar", language) as progress:
        mirror_log(plan, tell, progress)


def monitor(
    context: typer.Context,
    *,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Where the log is seen: its address, mirrors, folders, files with a checkpoint.",
        ),
    ],
    state: Annotated[Path, typer.Option("--state", help="Where to remember, and keep evidence.")],
    vkey: LogKeys = None,
    policy: PolicyFile = None,
    seen: Annotated[
        list[str] | None,
        typer.Option("--seen", help="A file or address that holds somebody's checkpoint alone."),
    ] = None,
    every: Every = "60s",
    stale: Annotated[
        str, typer.Option("--stale", help="Nothing newer for so long is a finding; 0: never.")
    ] = "0",
    once: Annotated[bool, typer.Option("--once", help="One round.")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Read the log from its first entry on.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Do not end with a fork; go on watching.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Follow one log from several places, for ever: it may only grow, and be one log for everybody."""
    from sekisho.monitor.main import FollowPlan, follow_log

    plan = FollowPlan(
        sources=tuple(sources),
        seen=tuple(seen or ()),
        policy=read_policy(vkey, policy),
        folder=state.absolute(),
        every_s=_interval(every),
        stale_s=parse_length(stale, path="--stale") or None,
        once=once,
        whole=whole,
        go_on=go_on,
    )
    language = language_of(context)

    def tell(event: RoundEvent) -> None:
        document = _round_document(event, str(plan.folder))
        _write_line(document, _round_words(event, plan.folder, language), as_json=as_json)

    with _bar("log.monitor.bar", language) as progress:
        raise typer.Exit(follow_log(plan, tell, progress))


def _interval(text: str) -> float:
    seconds = parse_length(text, path="--every")
    if seconds < 1:
        raise InvalidInput("is shorter than a second", path="--every", remedy="write 60s, or 5m")
    return float(seconds)


def _mirror_words(event: MirrorEvent, language: Language) -> str:
    if event.event == "failed":
        return say("log.mirror.failed", language, at=event.at, problem=tame(event.problem))
    key = "log.mirror.copied" if event.changed else "log.mirror.same"
    return say(key, language, at=event.at, size=event.size, written=event.written)


def _round_words(event: RoundEvent, folder: Path, language: Language) -> str:
    lines = [
        say(
            "log.monitor.heartbeat",
            language,
            at=event.at,
            origin=tame(event.origin) or "?",
            size=event.size,
            answered=len(event.shown),
            sources=event.sources,
            since=event.newest_at or "-",
        )
    ]
    lines += [f"  {_finding_words(finding, folder, language)}" for finding in event.findings]
    if event.forks:
        lines.append("  " + say("log.monitor.forked", language, paths=", ".join(event.forks)))
    return "\n".join(lines)


def _finding_words(finding: Finding, folder: Path, language: Language) -> str:
    words = say(
        f"log.finding.{finding.kind}",
        language,
        source=tame(finding.source),
        detail=_detail_words(finding),
        path=folder / "evidence" / finding.evidence.file_name if finding.evidence else "",
    )
    if finding.over:
        return say("log.finding.over", language, what=words, since=finding.at)
    return f"!! {words}"


def _round_document(event: RoundEvent, folder: str) -> dict[str, object]:
    """One JSON line: sizes as text, since a log may sign sizes that JSON numbers do not hold."""
    return {
        "event": "round",
        "at": event.at,
        "origin": event.origin,
        "size": str(event.size),
        "newest_at": event.newest_at,
        "sources": {name: str(size) for name, size in event.shown.items()},
        "findings": [_finding_document(finding, folder) for finding in event.findings],
        "standing": event.standing,
        "forks": event.forks,
    }


def _detail_words(finding: Finding) -> str:
    """The detail; a fork's, which may have none, stands in a sentence."""
    detail = tame(finding.detail)
    return f" ({detail})" if detail and finding.kind == "fork" else detail


def _finding_document(finding: Finding, folder: str) -> dict[str, object]:
    evidence = finding.evidence
    return {
        "kind": finding.kind,
        "source": finding.source,
        "at": finding.at,
        "detail": finding.detail,
        "over": finding.over,
        "evidence": f"{folder}/evidence/{evidence.file_name}" if evidence else None,
    }


def _write_line(document: object, words: str, *, as_json: bool) -> None:
    """One line of JSON, or the same for a person, at once: somebody waits for it."""
    # ensure_ascii: no character of a foreign string may move a terminal's cursor.
    line = json.dumps(to_plain(document), separators=(",", ":")) if as_json else words
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def _bar(key: str, language: Language) -> Iterator[Callable[[int, int], None]]:
    """Progress on the terminal, shown only where there is much to do."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(say(key, language), total=None, visible=False)

        def show(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total, visible=done < total > _LONG)

        yield show
