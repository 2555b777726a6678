"""`sekisho rules publish`: what a quorum is to sign so that a pack stands in the log, and the bytes kept with it.

1 read the pack over its bases; 2 refuse what the checks on packs call an error, and what the log would refuse; 3 show
what would change for the runs declared in the log and for a made-up population; 4 keep the bytes in the home; 5 write
the draft, for `sekisho charter sign` by each key holder and `sekisho charter issue` at the end.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.drafting import deliver_draft
from sekisho.cli.plain_text import tame, wrap
from sekisho.cli.reading import read_input
from sekisho.cli.rules_inputs import read_instant
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
    settings_of,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.app import Home
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.model.instants import Instant
    from sekisho.model.statements import PackPublished
    from sekisho.rules import Pack, Request
    from sekisho.rules.what_if import Diff

__all__ = ["add_to"]

_MOST: Final = 2**20 + 1
_SAMPLE: Final = 1_000
Out = Annotated[
    str, typer.Option("--out", help="Where the draft goes; never over a file. Not with --dry-run.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check and show what would change; write nothing.")
]
Over = Annotated[
    str,
    typer.Option(
        "--over", help="Requests as JSON lines to show the change on, besides the log's runs."
    ),
]


At = Annotated[
    str,
    typer.Option("--at", help="With --dry-run: the law of this date; else each request's own day."),
]


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command()(publish)


def publish(
    context: typer.Context,
    *,
    name: Annotated[
        str, typer.Argument(metavar="PACK", help="A pack's name, or the path of a .yaml file.")
    ],
    out: Out = "",
    summary: Annotated[str, typer.Option("--summary", help="A word about it; it is public.")] = "",
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Fewer signatures; it lapses by itself.")
    ] = False,
    dry_run: DryRun = False,
    over: Over = "",
    at: At = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the statement that publishes a pack, keep its bytes and its bases' in the home, and show what changes."""
    from sekisho.app import PublicationPlan, draft_publication, keep_pack

    if not dry_run and not out:
        raise InvalidInput("is missing", path="--out", remedy="name a new file, or --dry-run")
    if out and not dry_run and os.path.lexists(out):
        raise InvalidInput("a file is already there", path=out, remedy="name another file")
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    place = _home(context, home)
    data, pack = _read(place, name)
    _show_problems(pack, view)
    plan = PublicationPlan(summary=summary, emergency=emergency)
    fact = draft_publication(state, pack, data, plan, now=view.now)
    if dry_run:
        asked = (over, read_instant(at, "--at"))
        _deliver_change(view, state, place, (fact, pack), asked, as_json=as_json)
    kept = keep_pack(place, state, pack, data)
    typer.echo(say("publish.kept", view.language, packs=", ".join(kept)), err=True)
    deliver_draft(view, fact, Path(out), as_json=as_json)


def _home(context: typer.Context, named: str) -> Home:
    """The home whose control plane decides by the pack. Raises InvalidInput where none is named or it is no home."""
    from sekisho.app import Home

    home = Home(path=(Path(named) if named else settings_of(context).home).expanduser().absolute())
    if not home.is_founded:
        raise InvalidInput(
            "no regime is founded here", path=str(home.path), remedy="name its home with --home"
        )
    return home


def _read(home: Home, name: str) -> tuple[bytes, Pack]:
    """A pack's bytes, and what they say over the bases that this home has or that ship."""
    from sekisho.rules import pack_bytes

    if name.endswith((".yaml", ".yml")):
        data = read_input(name, limit=_MOST)
        return data, home.parse_pack(data, name)
    data = pack_bytes(name)
    return data, home.parse_pack(data, f"{name}.yaml")


def _show_problems(pack: Pack, view: View) -> None:
    """What the checks on packs find, before anything is refused for it; warnings do not stop a publication."""
    from sekisho.rules.review import check_pack

    for problem in check_pack(pack, view.now):
        told = tame(f"{problem.severity}: {problem.where}: {problem.what}; {problem.remedy}")
        typer.echo(wrap(told, 2), err=True)


def _deliver_change(
    view: View,
    state: State,
    home: Home,
    drafted: tuple[PackPublished, Pack],
    asked: tuple[str, Instant | None],
    *,
    as_json: bool,
) -> None:
    """What would change against the pack of that name that counts now; ends the command."""
    from sekisho.rules.what_if import diff_document

    fact, pack = drafted
    counting = state.pack_in_force(pack.name, view.now)
    before = home.find_pack(counting.pack) if counting is not None else _base(home, pack)
    told = {"pack": fact.pack, "bytes": fact.bytes, "emergency": fact.emergency}
    if before is None:
        text = say("publish.first", view.language, pack=pack.name)
        deliver(
            Answer(document={**told, "against": None, "change": None}, text=text), as_json=as_json
        )
    found = _change(view, state, (before, pack), asked)
    document = {**told, "against": before.reference, "change": diff_document(found)}
    later = None if asked[1] else _begins_later(view, before, pack)
    deliver(Answer(document=document, text=_text(view, found, later)), as_json=as_json)


def _base(home: Home, pack: Pack) -> Pack | None:
    """Where no pack of that name counts yet, an overlay is held against what it is laid over."""
    return home.find_pack(pack.over[0]) if pack.over else None


def _begins_later(view: View, before: Pack, pack: Pack) -> Instant | None:
    """The first day to come on which the new pack's law changes and the old one's does not."""
    from sekisho.rules.what_if import Side

    old, new = (set(Side(pack=one, now=view.now).law_changes()) for one in (before, pack))
    return min((day for day in new - old if day > view.now), default=None)


def _change(
    view: View, state: State, packs: tuple[Pack, Pack], asked: tuple[str, Instant | None]
) -> Diff:
    """Both packs over the runs that the log declares, and over a file of requests or a made-up population."""
    from sekisho.app import declared_requests
    from sekisho.model.wire import canonical
    from sekisho.rules import parse_request, parse_requests
    from sekisho.rules.what_if import Side, diff, sample_population

    over, at = asked
    sides = [Side(pack=pack, at=at, now=view.now) for pack in packs]
    rows: list[tuple[int, Request | InvalidInput]] = [*enumerate(declared_requests(state), 1)]
    if over:
        rows += parse_requests(read_input(over, limit=64 * _MOST), file=over)
    else:
        facts = set(packs[0].quantities) & set(packs[1].quantities)
        made = sample_population(_SAMPLE, 1, facts)
        rows += [(n, parse_request(canonical(row))) for n, row in enumerate(made, 1)]
    return diff(rows, sides[0], sides[1])


def _text(view: View, found: Diff, later: Instant | None) -> str:
    from sekisho.cli.rules_diff_text import diff_text
    from sekisho.rules.acting import day

    lines = [diff_text(found, view.language), say("publish.dry", view.language)]
    if later is not None:
        lines.append(say("publish.later", view.language, day=day(later)))
    return "\n".join(lines)
