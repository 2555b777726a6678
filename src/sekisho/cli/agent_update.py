"""`sekisho agent update` and `releases`: a host takes a newer release, and which hosts lag behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    language_of,
    look,
    require_state,
)

if TYPE_CHECKING:
    from sekisho.agent.installing import Installed, Update
    from sekisho.agent.updating import Judgement
    from sekisho.ceremony import HostRelease
    from sekisho.signing.releases import Release

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the commands under `sekisho agent`."""
    app.command("update")(update)
    app.command("releases")(releases)


def update(
    context: typer.Context,
    *,
    home: Annotated[
        Path, typer.Option("--home", help="The agent's folder: agent.json, trust.json.")
    ],
    repository: Annotated[
        str, typer.Option("--repository", help="The repository: a folder or an https address.")
    ],
    root: Annotated[
        Path | None,
        typer.Option("--root", help="Its first root; release-root.json in the home if left out."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", help="Where releases lie, if not in the home: for what root runs."),
    ] = None,
    back: Annotated[
        bool, typer.Option("--back", help="Take a release that names earlier bytes again.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Judge only, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the newest release where repository and log agree on it. The agent at work is not touched.

    Exit 0 in place or taken, 1 refused as an attack or a step back, 3 where nobody vouches for it (yet).
    """
    from sekisho.agent.installing import open_repository, open_update

    language = language_of(context)
    source = open_repository(home, repository, into=into, root=root)
    with open_update(home, source, into=into) as found:
        judgement = found.judge(back=back)
        if check or judgement.act == "none":
            _deliver(found, judgement, None, language, as_json=as_json)
        if not yes and not _agreed(judgement, language):
            text = say("update.declined", language)
            deliver(Answer(document=_document(found, judgement, None), text=text), as_json=as_json)
        with bar(say("update.bar", language)) as heard:
            done = found.carry_out(judgement, heard)
        _deliver(found, judgement, done, language, as_json=as_json)


def releases(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """The releases that the log names, and which hosts were enrolled with an older one, or with none of them."""
    from sekisho.ceremony import releases_of_hosts

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    rows, hosts = state.releases.ordered(), releases_of_hosts(state)
    language = view.language
    lines = [_release_line(row, language) for row in rows] or [say("release.none", language)]
    lines += [_host_line(host, language) for host in hosts]
    document = {
        "releases": [{"statement": row.digest, "index": row.index, **_fields(row)} for row in rows],
        "hosts": hosts,
    }
    text = "\n".join([*lines, say("release.host.note", language)])
    deliver(Answer(document=document, text=text), as_json=as_json)


def _agreed(judgement: Judgement, language: Language) -> bool:
    offer = judgement.offer
    if offer is None:
        return False
    question = say("update.ask", language, sequence=offer.sequence, version=tame(offer.version))
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort:
        return False


def _deliver(
    found: Update,
    judgement: Judgement,
    done: Installed | None,
    language: Language,
    *,
    as_json: bool,
) -> None:
    """What was judged and done; ends the command."""
    lines = [] if found.heard else [say("update.alone", language)]
    lines.append(
        say(
            "update.judged",
            language,
            verdict=judgement.verdict,
            code=judgement.code,
            why=tame(judgement.why),
        )
    )
    if done is not None:
        lines.append(
            say(
                "update.done",
                language,
                sequence=done.placed.sequence,
                version=tame(done.placed.version),
                folder=done.folder,
            )
        )
        if done.pruned:
            numbers = ", ".join(str(number) for number in done.pruned)
            lines.append(say("update.pruned", language, numbers=numbers))
    answer = Answer(
        document=_document(found, judgement, done),
        text="\n".join(lines),
        exit_code=verdict_code(judgement.verdict),
    )
    deliver(answer, as_json=as_json)


def _document(found: Update, judgement: Judgement, done: Installed | None) -> dict[str, object]:
    return {
        "verdict": judgement.verdict,
        "code": judgement.code,
        "why": judgement.why,
        "act": judgement.act,
        "offer": judgement.offer,
        "heard_control_plane": found.heard,
        "before": found.shelf.current,
        "installed": done,
    }


def _fields(row: Release) -> dict[str, object]:
    return {
        "sequence": row.fact.sequence,
        "version": row.fact.version,
        "sha256": row.fact.sha256,
        "bytes": row.fact.bytes,
        "reason": row.fact.reason,
    }


def _release_line(row: Release, language: Language) -> str:
    reason = "" if row.fact.reason is None else f"  {tame(row.fact.reason)}"
    return say(
        "release.line",
        language,
        sequence=row.fact.sequence or "-",
        version=tame(row.fact.version),
        sha256=row.fact.sha256[:16],
        bytes="-" if row.fact.bytes is None else row.fact.bytes,
        reason=reason,
    )


def _host_line(host: HostRelease, language: Language) -> str:
    values = {
        "host": tame(host.host),
        "digest": host.enrolled[:16],
        "version": tame(host.version or "-"),
        "sequence": host.sequence or "-",
    }
    return say(f"release.host.{host.standing}", language, **values)
