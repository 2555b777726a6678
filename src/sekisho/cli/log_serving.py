"""`sekisho log serve` and `sekisho log witness`: a log's files for anybody, and a witness for other people's logs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from sekisho.signing.notes import VerifierKey
    from sekisho.witness.main import Ready, WitnessPlan

__all__ = ["serve", "without_server", "witness"]

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free port.")]
Bind = Annotated[
    str, typer.Option("--bind", help="Where to listen; only this machine unless named.")
]
MaybeState = Annotated[
    Path | None, typer.Option("--state", help="What the witness must never forget.")
]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="The witness's key; STATE/key.pem unless named.")
]
StateFolder = Annotated[Path, typer.Option("--state", help="What the witness must never forget.")]

witness = typer.Typer(no_args_is_help=True, invoke_without_command=True)


def serve(
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A log's public folder.")],
    port: Port = 0,
    bind: Bind = "127.0.0.1",
    as_json: AsJson = False,
) -> None:
    """Serve a log's folder for reading: checkpoint, tiles and bundles, nothing else."""
    language = language_of(context)

    def announce(address: str) -> None:
        words = say("log.serve.ready", language, folder=folder, address=address)
        line = json.dumps({"address": address, "folder": str(folder)})
        sys.stdout.write((line if as_json else words) + "\n")
        sys.stdout.flush()

    try:
        from sekisho.intake.main import serve_folder

        serve_folder(folder, port=port, bind=bind, announce=announce)
    except ModuleNotFoundError as error:
        raise without_server(error) from None


@witness.callback()
def run_witness(
    context: typer.Context,
    *,
    state: MaybeState = None,
    key: KeyFile = None,
    log: Annotated[
        list[str] | None,
        typer.Option("--log", help="The key of a log to witness, or its file; repeat for more."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="The cosigner's name, as example.org/w1; asked once.")
    ] = "",
    port: Port = 0,
    bind: Bind = "127.0.0.1",
    post_quantum: Annotated[
        bool, typer.Option("--post-quantum", help="Cosign with an ML-DSA-44 key too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Witness logs: cosign what only appends, keep what proves a fork. `rotate` changes the key."""
    from sekisho.cli.log_trust import read_key

    if context.invoked_subcommand is not None:
        return
    if state is None or not log:
        raise InvalidInput(
            "a witness needs a folder to remember in, and a log to watch",
            path="--state, --log",
            remedy="repeat --log for each log",
        )
    plan = msgspec.structs.replace(
        _plan(state, key, name),
        logs=tuple(read_key(text, path="--log").to_text() for text in log),
        port=port,
        bind=bind,
        post_quantum=post_quantum,
    )
    language = language_of(context)

    def announce(ready: Ready) -> str:
        return msgspec.json.encode(ready).decode() if as_json else _ready_words(ready, language)

    try:
        from sekisho.witness.main import serve_witness

        serve_witness(plan, announce)
    except ModuleNotFoundError as error:
        raise without_server(error) from None


@witness.command("rotate")
def rotate(
    context: typer.Context,
    *,
    state: StateFolder,
    key: KeyFile = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Drop the old key; the new one signs alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draw the next key beside the old one; both cosign until `--finish` drops the old."""
    from sekisho.witness.main import rotate_witness

    keys = rotate_witness(_plan(state, key, ""), finish=finish)
    language = language_of(context)
    said = "log.witness.finished" if finish else "log.witness.rotating"
    text = "\n".join([say(said, language), *(f"  {line}" for line in _policy_lines(keys))])
    document = {"vkeys": [item.to_text() for item in keys], "finished": finish}
    deliver(Answer(document=document, text=text), as_json=as_json)


def _plan(state: Path, key: Path | None, name: str) -> WitnessPlan:
    from sekisho.witness.main import WitnessPlan

    return WitnessPlan(
        folder=state.absolute(), logs=(), name=name, key=None if key is None else key.absolute()
    )


def _ready_words(ready: Ready, language: Language) -> str:
    from sekisho.signing.notes import VerifierKey

    keys = [VerifierKey.from_text(text) for text in ready.vkeys]
    first = say("log.witness.ready", language, name=ready.name, address=ready.address)
    return "\n".join([first, *(f"  {line} {ready.address}" for line in _policy_lines(keys))])


def _policy_lines(keys: tuple[VerifierKey, ...] | list[VerifierKey]) -> list[str]:
    """An example line of a policy for each key, under names that a policy's author would give."""
    short = keys[0].name.rsplit("/", 1)[-1]
    names = [short, *(f"{short}-{key.key_id.hex()}" for key in keys[1:])]
    return [f"witness {name} {key.to_text()}" for name, key in zip(names, keys, strict=True)]


def without_server(error: ModuleNotFoundError) -> Unavailable:
    """What to say where a package of the extra is not installed."""
    return Unavailable(
        f"this needs {error.name}, which is not installed",
        remedy="install the package with its extra: server",
    )
