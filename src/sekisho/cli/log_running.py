"""`sekisho log run` and `sekisho log rebuild`: a log of its own, and the way back after a lost database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.log_serving import Bind, Port
from sekisho.cli.progress import bar
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import HomeFolder, language_of, settings_of
from sekisho.model.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from sekisho.intake.main import Ready

__all__ = ["rebuild", "run"]

_MAX_GATE = 1 << 20


def run(
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The log's public folder.")],
    name: Annotated[str, typer.Option("--name", help="The log's origin, as example.org/log.")],
    key: Annotated[Path, typer.Option("--key", help="The log's key; drawn at the first start.")],
    gate: Annotated[
        str, typer.Option("--gate", help='Who may append: {"keys":[SPKI in base64],"quorum":K}.')
    ],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="A tlog-policy with the witnesses' addresses."),
    ] = None,
    database: Annotated[
        str,
        typer.Option(
            "--database",
            help="A file for SQLite; a file that holds a postgresql:// address after an @.",
        ),
    ] = "",
    port: Port = 0,
    bind: Bind = "127.0.0.1",
    as_json: AsJson = False,
) -> None:
    """Run a log of your own: POST signed envelopes to /add, one a request or one a line; read its files."""
    from sekisho.cli.log_trust import read_policy
    from sekisho.intake.gate import parse_gate

    language = language_of(context)
    admitting = parse_gate(read_input(gate, limit=_MAX_GATE), path=gate)

    def announce(ready: Ready) -> None:
        vkeys = " ".join(ready.vkeys)
        words = say("log.run.ready", language, address=ready.address, vkeys=vkeys, size=ready.size)
        sys.stdout.write((msgspec.json.encode(ready).decode() if as_json else words) + "\n")
        sys.stdout.flush()

    try:
        from sekisho.intake.main import LogPlan, run_log
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"this needs {error.name}, which is not installed",
            remedy="install the package with its extra: server",
        ) from None
    plan = LogPlan(
        origin=name,
        folder=folder,
        key=key,
        gate=admitting,
        database=_place(database, folder),
        policy=None if policy is None else read_policy(None, policy),
        port=port,
        bind=bind,
    )
    run_log(plan, announce)


def rebuild(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Fill a home's lost or older database from its published files; what was published is all there again."""
    from sekisho.app import Elsewhere, Home, rebuild_log

    language, settings = language_of(context), settings_of(context)
    elsewhere = Elsewhere(database=settings.database)
    place = Home(path=Path(home).expanduser() if home else settings.home, elsewhere=elsewhere)
    with bar(say("log.rebuild.bar", language)) as heard:
        head = rebuild_log(place, heard)
    text = say("log.rebuild.done", language, size=head.size, home=place.path)
    deliver(
        Answer(document={"size": head.size, "root": head.root.hex()}, text=text), as_json=as_json
    )


def _place(given: str, folder: Path) -> str:
    """Where the database is. An address may hold a password, so it is read from a file and never typed."""
    if given.startswith("@"):
        return read_input(given[1:], limit=4096).decode("utf-8", "replace").strip()
    if "://" in given:
        raise InvalidInput(
            "an address on the command line is read by every user of this machine",
            path="--database",
            remedy="write it into a file and name that: --database @FILE",
        )
    return given or str(folder.absolute().with_name(f"{folder.name}.sqlite"))
