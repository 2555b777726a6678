"""`sekisho home`: back a home up beside its control plane, look at the backup, bring it back without a fork."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.log_serving import without_server
from sekisho.cli.own_key import read_passphrase
from sekisho.cli.progress import bar
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import home_in, language_of, settings_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from types import ModuleType

    from sekisho.app.backup import Backup
    from sekisho.app.restoring import Restored
    from sekisho.signing import TrustRoot

__all__ = ["app"]

app = typer.Typer(help="Back a home up, check a backup, and restore it.", no_args_is_help=True)

_MAX_TRUST = 1 << 20
_Home = Annotated[str, typer.Option("--home", help="The home; SEKISHO_HOME if left out.")]
_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The backup's folder.")]
_Policy = Annotated[
    str, typer.Option("--policy", help="A trust root of your own; else the one in the backup.")
]
_Passphrase = Annotated[
    str, typer.Option("--passphrase-file", help="The passphrase of the keys in the backup.")
]


@app.command()
def backup(
    context: typer.Context,
    *,
    folder: _Folder,
    home: _Home = "",
    keys: Annotated[
        bool, typer.Option("--keys", help="With the key files, sealed under --passphrase-file.")
    ] = False,
    passphrase_file: _Passphrase = "",
    as_json: AsJson = False,
) -> None:
    """Copy a home into a new folder, while it is served or not, and check the copy."""
    from sekisho.ceremony import SystemClock

    if keys != bool(passphrase_file):
        raise InvalidInput(
            "belong together",
            path="--keys, --passphrase-file",
            remedy="keys are copied under a passphrase only; write one into a file of mode 0600",
        )
    language = language_of(context)
    passphrase = read_passphrase(passphrase_file) if keys else None
    with bar(say("home.backup.bar", language)) as heard:
        made = _rooms().back_up(
            home_in(context, home),
            folder.absolute(),
            now=SystemClock().now(),
            passphrase=passphrase,
            heard=heard,
        )
    text = _backup_text(made, folder, language)
    deliver(Answer(document=_document(made), text=text), as_json=as_json)


@app.command()
def check(
    context: typer.Context, *, folder: _Folder, policy: _Policy = "", as_json: AsJson = False
) -> None:
    """Look at a whole backup: every file, every database, and the log under its witnesses."""
    language = language_of(context)
    with bar(say("log.export.bar", language)) as heard:
        found = _rooms().check_backup(folder.absolute(), _root(policy), heard)
    text = say(
        "home.check.done",
        language,
        verdict=say("audit.verdict.holds", language),
        made=found.made,
        size=found.size,
        charter=found.charter,
    )
    deliver(Answer(document=_document(found), text=text), as_json=as_json)


@app.command()
def restore(
    context: typer.Context,
    *,
    folder: _Folder,
    home: Annotated[str, typer.Option("--home", help="Where to: a folder that is not there yet.")],
    newest: Annotated[
        list[str] | None,
        typer.Option("--newest", help="A mirror or published copy: its folder or address."),
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option("--witness", help="A witness's address; name them all.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Bring over from --newest what the backup lacks.")
    ] = False,
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="On your word: nothing newer was ever cosigned.")
    ] = False,
    policy: _Policy = "",
    passphrase_file: _Passphrase = "",
    as_json: AsJson = False,
) -> None:
    """Bring a home back, and refuse what would fork the log: nothing older than what witnesses cosigned."""
    from sekisho.app import Elsewhere

    restoring = _rooms("restoring")
    language, settings = language_of(context), settings_of(context)
    plan = restoring.RestorePlan(
        backup=folder.absolute(),
        home=Path(home).expanduser().absolute(),
        sources=tuple(newest or ()),
        witnesses=tuple(witness or ()),
        replay=replay,
        as_it_is=as_it_is,
        root=_root(policy),
        passphrase=read_passphrase(passphrase_file) if passphrase_file else None,
        elsewhere=Elsewhere(database=settings.database),
    )
    with bar(say("home.backup.bar", language)) as heard:
        done = restoring.restore_home(plan, heard)
    deliver(Answer(document=done, text=_restored_text(done, home, language)), as_json=as_json)


def _rooms(name: str = "backup") -> ModuleType:
    """The use cases, whose libraries only a server's installation has."""
    try:
        from sekisho.app import backup, restoring
    except ModuleNotFoundError as error:
        raise without_server(error) from None
    return backup if name == "backup" else restoring


def _root(policy: str) -> TrustRoot | None:
    from sekisho.signing import parse_policy

    return parse_policy(read_input(policy, limit=_MAX_TRUST), path=policy) if policy else None


def _document(found: Backup) -> dict[str, object]:
    return {
        "verdict": "holds",
        "origin": found.origin,
        "charter": found.charter,
        "made": str(found.made),
        "size": found.size,
        "root": found.root,
        "keys": found.keys,
        "database": found.database,
        "files": len(found.files),
        "bytes": sum(file.size for file in found.files),
        "left_out": list(found.left_out),
    }


def _backup_text(made: Backup, folder: Path, language: Language) -> str:
    lines = [
        say(
            "home.backup.done",
            language,
            verdict=say("audit.verdict.holds", language),
            files=len(made.files),
            bytes=sum(file.size for file in made.files),
            size=made.size,
            folder=folder,
        )
    ]
    key = "home.backup.keys_in" if made.keys == "sealed" else "home.backup.keys_out"
    lines.append("  " + say(key, language))
    if made.left_out:
        names = ", ".join(made.left_out)
        lines.append("  " + say("home.backup.left_out", language, names=names))
    if made.database == "server":
        lines.append("  " + say("home.backup.elsewhere", language))
    return "\n".join(lines)


def _restored_text(done: Restored, home: str, language: Language) -> str:
    lines = [say("home.restore.done", language, home=home, size=done.size, replayed=done.replayed)]
    if done.asked:
        places = ", ".join(done.asked)
        lines.append("  " + say("home.restore.asked", language, places=places, size=done.size))
    else:
        lines.append("  " + say("home.restore.unasked", language))
    if done.lost:
        lines.append("  " + say("home.restore.lost", language, count=done.lost))
    return "\n".join(lines)
