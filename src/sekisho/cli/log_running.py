"""`sekisho log run` and `sekisho log rebuild`: a log of its own, and the way back after a lost database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.log_serving import Bind, Port, without_server
from sekisho.cli.log_trust import LogKeys, PolicyFile, read_policy
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import HomeFolder, language_of, settings_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sekisho.catalogue import Language
    from sekisho.intake.main import Ready
    from sekisho.ledger.policy import Policy
    from sekisho.ports.log_store import TreeHead
    from sekisho.settings import Settings

    Progress = Callable[[int, int], None]

__all__ = ["rebuild", "run"]

_MAX_GATE = 1 << 20
_Database = Annotated[
    str,
    typer.Option(
        "--database",
        help="A file for SQLite, DIR.sqlite if left out; @FILE where FILE holds a postgresql:// address.",
    ),
]


def run(
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The log's public folder.")],
    name: Annotated[str, typer.Option("--name", help="The log's origin, as example.org/log.")],
    key: Annotated[Path, typer.Option("--key", help="The log's key; drawn at the first start.")],
    gate: Annotated[
        str,
        typer.Option(
            "--gate", help='A file that says who may append: {"keys":[SPKI in base64],"quorum":K}.'
        ),
    ],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="A tlog-policy with the witnesses' addresses."),
    ] = None,
    database: _Database = "",
    port: Port = 0,
    bind: Bind = "127.0.0.1",
    as_json: AsJson = False,
) -> None:
    """Run a log of your own: POST signed envelopes to /add, one a request or one a line; read its files."""
    from sekisho.intake.gate import parse_gate

    language = language_of(context)
    admitting = parse_gate(read_input(gate, limit=_MAX_GATE), path=gate)

    def announce(ready: Ready) -> None:
        vkeys = " ".join(ready.vkeys)
        words = say("log.run.ready", language, address=ready.address, vkeys=vkeys, size=ready.size)
        sys.stdout.write((msgspec.json.encode(ready).decode() if as_json else words) + "\n")
        sys.stdout.flush()

    def heard(problems: Mapping[str, str]) -> None:
        sys.stderr.write(_problem_words(problems, language))
        sys.stderr.flush()

    try:
        from sekisho.intake.main import LogPlan, run_log
    except ModuleNotFoundError as error:
        raise without_server(error) from None
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
    run_log(plan, announce, heard)


def rebuild(
    context: typer.Context,
    *,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="The folder of a log of your own; else a home's."),
    ] = None,
    vkey: LogKeys = None,
    policy: PolicyFile = None,
    database: _Database = "",
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Fill a lost or older database from the published files: a home's, or with DIR that of `log run`."""
    language = language_of(context)
    with bar(say("log.rebuild.bar", language)) as heard:
        if folder is not None:
            head, place = _rebuild_own(folder, database, read_policy(vkey, policy), heard), folder
        elif vkey or policy is not None or database:
            raise InvalidInput(
                "is missing", path="DIR", remedy="name the log's folder, or use --home alone"
            )
        else:
            head, place = _rebuild_home(settings_of(context), home, heard)
    text = say("log.rebuild.done", language, size=head.size, home=place)
    deliver(
        Answer(document={"size": head.size, "root": head.root.hex()}, text=text), as_json=as_json
    )


def _rebuild_own(folder: Path, database: str, policy: Policy, heard: Progress) -> TreeHead:
    try:
        from sekisho.intake.main import rebuild_folder
    except ModuleNotFoundError as error:
        raise without_server(error) from None
    return rebuild_folder(folder, _place(database, folder), policy, heard)


def _rebuild_home(settings: Settings, home: str, heard: Progress) -> tuple[TreeHead, Path]:
    from sekisho.app import Elsewhere, Home, rebuild_log

    elsewhere = Elsewhere(database=settings.database)
    place = Home(path=Path(home).expanduser() if home else settings.home, elsewhere=elsewhere)
    return rebuild_log(place, heard), place.path


def _problem_words(problems: Mapping[str, str], language: Language) -> str:
    """One line for each that fails: other people's words among them, so nothing in it may move a terminal's cursor."""
    if not problems:
        return say("log.run.well", language) + "\n"
    lines = [
        say("log.run.witness", language, name=name, why=tame(why))
        if name
        else say("log.run.gave-up", language, why=tame(why))
        for name, why in sorted(problems.items())
    ]
    return "".join(f"!! {line}\n" for line in lines)


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
