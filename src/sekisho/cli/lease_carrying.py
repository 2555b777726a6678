"""`sekisho lease request`, `accept`, `qr` and `join`: the host's side of leases that are carried by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.plain_text import tame
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from sekisho.agent.inbox import Outcome
    from sekisho.model.statements import LeaseRequested

__all__ = ["add_to"]

MAX_PART_FILE = 4 * 1024 * 1024
POLL_S = 0.05
UNSURE = 3
T = TypeVar("T")
_AgentHome = Annotated[
    Path, typer.Option("--home", help="The agent's folder: agent.json, host.pem, trust.json.")
]
_Wait = Annotated[float, typer.Option("--wait", min=0, max=600, help="Seconds to wait at most.")]


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(request)
    app.command()(accept)
    app.command()(qr)
    app.command()(join)


def request(
    context: typer.Context,
    *,
    home: _AgentHome,
    out: Annotated[str, typer.Option("--out", help="Where the request goes; never over a file.")],
    wait: _Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Write the lease request that this host has signed and waits on; its issuer answers the file."""
    from sekisho.ceremony import create_file

    language = language_of(context)
    raw = _waiting_request(home, wait, language)
    if raw is None:
        document = {"waiting": False, "home": str(home)}
        text = say("lease.no-request", language, home=home)
        deliver(Answer(document=document, text=text, exit_code=UNSURE), as_json=as_json)
    asked = _parse_request(raw, str(home / "request.dsse"))
    create_file(Path(out), raw)
    document = {
        "waiting": True,
        "file": out,
        "host": asked.host,
        "number": asked.number,
        "licence": asked.licence.leaf,
        "nonce": asked.nonce,
    }
    text = say(
        "lease.requested", language, file=out, host=tame(asked.host), number=str(asked.number)
    )
    deliver(Answer(document=document, text=text), as_json=as_json)


def accept(
    context: typer.Context,
    *,
    home: _AgentHome,
    file: Annotated[
        str, typer.Argument(metavar="F", help="A granted lease, a feed file or one envelope.")
    ],
    wait: _Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Hand a granted lease to this host's agent; or orders, outages and charters where no network brings them."""
    import secrets

    from sekisho.agent.inbox import drop
    from sekisho.licensing.carrying import MAX_CARRIED, parse_carried

    language = language_of(context)
    raw = read_input(file, limit=MAX_CARRIED)
    parse_carried(raw, path=file)
    name = drop(home, raw, token=secrets.token_hex(16))
    outcome = _outcome_of(home, name, wait, language)
    if outcome is None:
        document: dict[str, object] = {"taken": None, "waits_as": name}
        text = say("lease.dropped", language, name=name)
        deliver(Answer(document=document, text=text, exit_code=UNSURE), as_json=as_json)
    document = {
        "taken": outcome.taken,
        "lease": outcome.lease,
        "items": outcome.items,
        "details": list(outcome.details),
    }
    answer = Answer(
        document=document,
        text=_told(outcome, language),
        exit_code=0 if outcome.taken else 1,
    )
    deliver(answer, as_json=as_json)


def qr(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="A request, a lease or a feed file.")],
    out: Annotated[str, typer.Option("--out", help="The page: .svg or .html; never over a file.")],
    as_json: AsJson = False,
) -> None:
    """Draw a file as numbered QR codes on one page; each of them names the whole by its digest."""
    from sekisho.ceremony import create_file
    from sekisho.cli.qr_page import draw_page
    from sekisho.licensing.carrying import MAX_CARRIED, split_parts

    parts = split_parts(read_input(file, limit=MAX_CARRIED))
    create_file(Path(out), draw_page(parts, Path(file).name, out))
    digest = parts[0].split(":")[3].lower()
    text = say(
        "lease.drawn", language_of(context), file=out, count=str(len(parts)), digest=digest[:16]
    )
    document = {"file": out, "parts": len(parts), "sha256": digest}
    deliver(Answer(document=document, text=text), as_json=as_json)


def join(
    context: typer.Context,
    *,
    parts: Annotated[
        list[str], typer.Argument(metavar="PARTS...", help="Files of scanned texts; - for input.")
    ],
    out: Annotated[str, typer.Option("--out", help="Where the file goes; never over a file.")],
    as_json: AsJson = False,
) -> None:
    """Put scanned QR texts together again; a missing or foreign part is named."""
    from sekisho.ceremony import create_file
    from sekisho.licensing.carrying import join_parts

    whole = join_parts(
        (f"{name} line {number}", line)
        for name in parts
        for number, line in enumerate(_lines(name), 1)
    )
    create_file(Path(out), whole)
    text = say("lease.joined", language_of(context), file=out, size=str(len(whole)))
    deliver(Answer(document={"file": out, "bytes": len(whole)}, text=text), as_json=as_json)


def _lines(name: str) -> list[str]:
    raw = read_input(name, limit=MAX_PART_FILE)
    try:
        return raw.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            "is no scanned text", path=f"{name} line {line}", remedy="scan this code once more"
        ) from None


def _waiting_request(home: Path, wait: float, language: Language) -> bytes | None:
    """The request once there is one: an agent that has just learned of its licence needs a moment."""
    from sekisho.agent.inbox import load_request

    if not home.is_dir():
        raise InvalidInput(
            "is no folder", path="--home", remedy="name the folder that the agent was given"
        )
    return _within(wait, lambda: load_request(home), say("lease.waiting-request", language))


def _outcome_of(home: Path, name: str, wait: float, language: Language) -> Outcome | None:
    from sekisho.agent.inbox import find_outcome

    return _within(wait, lambda: find_outcome(home, name), say("lease.waiting-agent", language))


def _parse_request(raw: bytes, path: str) -> LeaseRequested:
    from sekisho.model.statements import LeaseRequested, parse_payload
    from sekisho.signing import parse_envelope

    fact = parse_payload(parse_envelope(raw, path=path).payload, path=path).predicate
    if not isinstance(fact, LeaseRequested):
        raise Unavailable(f"{path} holds no lease request")
    return fact


def _told(outcome: Outcome, language: Language) -> str:
    if outcome.lease is not None:
        return say("lease.accepted", language, number=str(outcome.lease))
    key = "lease.items-taken" if outcome.taken else "lease.refused"
    lines = [say(key, language, count=str(outcome.items))]
    return "\n".join([*lines, *(f"  {tame(detail)}" for detail in outcome.details)])


def _within(wait: float, ask: Callable[[], T | None], label: str) -> T | None:
    """The first answer that is there, or None when the time is up; a bar for whoever looks at a terminal."""
    import time

    from sekisho.cli.progress import bar

    began = time.monotonic()
    with bar(label) as show:
        while (found := ask()) is None and (gone := time.monotonic() - began) < wait:
            show(round(10 * gone), round(10 * wait))
            time.sleep(POLL_S)
    return found
