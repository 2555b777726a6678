"""`sekisho access`: serve the picture of who may use which model; lock weights and unlock them for a licence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import ControlPlace, add_issue, add_sign
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    home_in,
    language_of,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.model.statements import Reference
    from sekisho.signing.sealing import DepositKey

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)
_KINDS = ("weights-locked",)
MAX_KEY_FILE = 16_384
add_sign(app, _KINDS, "Show what locks weights, have its digest phrase typed back, and sign it.")
add_issue(
    app, _KINDS, "Hand the signed statement in; the keeper takes the key once it stands in the log."
)
_PointHome = Annotated[
    Path, typer.Option("--home", help="Folder with point.json, host.pem and trust.json.")
]
_Model = Annotated[str, typer.Option("--model", help="The model's name, as orders use it.")]
_Licence = Annotated[str, typer.Option("--licence", help="The number of the licence.")]
_Keeper = Annotated[
    str,
    typer.Option(
        "--keeper", help="The keeper's public key: base64, or a file with it. Compare it first."
    ),
]
_Locked = Annotated[
    str, typer.Option("--locked", help="The leaf digest of the weights-locked statement.")
]


@app.callback()
def access() -> None:
    """Suspend access to served models, and lock weights to a licence."""


@app.command()
def serve(home: _PointHome) -> None:
    """Follow the regime and keep the picture that gates go by; Ctrl-C leaves it to run out."""
    from sekisho.access.main import run_point

    run_point(home)


@app.command()
def lock(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="F", help="The weights, in plaintext.")],
    out: Annotated[Path, typer.Option("--out", help="The locked file; never over a file.")],
    model: _Model,
    licence: _Licence,
    keeper: _Keeper,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Encrypt weights under a licence; writes OUT, OUT.draft to be signed, and OUT.key for the keeper."""
    from sekisho.access.command import forbid_dumps
    from sekisho.access.locking import Locking, lock_weights, save_deposit
    from sekisho.ceremony import create_file
    from sekisho.cli.progress import bar
    from sekisho.model.statements import make_payload

    forbid_dumps()
    key = _keeper_key(keeper)
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    party, reference = _licence(state, licence)
    plan = Locking(model=model, party=party, licence=reference, keeper=key)
    draft, deposit = Path(f"{out}.draft"), Path(f"{out}.key")
    with bar(str(file)) as show:
        fact, sealed = lock_weights(file, out, plan, now=view.now, progress=show)
    # Crash before the next two: a locked file whose key nobody has; lock the plaintext again.
    save_deposit(deposit, sealed)
    create_file(draft, make_payload(fact))
    text = "\n".join(
        (
            say("access.locked", view.language, file=out, draft=draft, deposit=deposit),
            say("access.leak-warning", view.language, file=file),
        )
    )
    document = {
        "file": str(out),
        "draft": str(draft),
        "key": str(deposit),
        "plaintext": fact.plaintext,
        "ciphertext": fact.ciphertext,
        "bytes": fact.bytes,
    }
    deliver(Answer(document=document, text=text), as_json=as_json)


@app.command()
def deposit(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F.key", help="The sealed key.")],
    control: ControlPlace,
    as_json: AsJson = False,
) -> None:
    """Hand the sealed key in at its keeper, once the signed statement is issued."""
    from sekisho.access.locking import hand_in_key

    leaf = hand_in_key(control, read_input(file, limit=MAX_KEY_FILE))
    text = say("access.deposited", language_of(context), leaf=leaf)
    deliver(Answer(document={"locked": leaf}, text=text), as_json=as_json)


@app.command()
def unlock(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="F", help="The locked file.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND...]", help="What serves; ended when the key goes."),
    ] = None,
    home: _PointHome,
    locked: _Locked,
    out: Annotated[Path, typer.Option("--out", help="Where the plaintext goes; best on a tmpfs.")],
    as_json: AsJson = False,
) -> None:
    """Ask for the key as this host, decrypt, and with a command run it for as long as the key may be held."""
    from sekisho.access.command import forbid_dumps
    from sekisho.access.locking import Unlocking, unlock_weights
    from sekisho.access.main import load_settings, load_trust
    from sekisho.cli.progress import bar

    forbid_dumps()
    settings = load_settings(home)
    plan = Unlocking(
        control=settings.control,
        host=settings.host,
        log=load_trust(home).origin,
        locked=locked,
        key_file=home / "host.pem",
    )
    with bar(str(file)) as show:
        made, why = unlock_weights(file, out, plan, command or (), progress=show)
    key = "access.served-until" if command else "access.unlocked"
    text = say(key, language_of(context), file=out, why=why)
    document = {"plaintext": made.plaintext, "bytes": made.size, "file": str(out), "ended": why}
    deliver(Answer(document=document, text=text), as_json=as_json)


@app.command("keeper-key")
def keeper_key(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """The key to which weights' keys are sealed for the control plane of a home; made where there is none."""
    from sekisho.app.weights import open_keeper_key

    key = open_keeper_key(home_in(context, home)).key
    document = {"public": key.to_text(), "key_id": key.key_id}
    deliver(Answer(document=document, text=f"{key.to_text()}\n{key.key_id}"), as_json=as_json)


@app.command("destroy-key")
def destroy_key(
    context: typer.Context,
    *,
    locked: _Locked,
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Destroy the keeper's copy of a key, so that nobody is given it again."""
    from sekisho.app.weights import destroy_weights_key

    gone = destroy_weights_key(home_in(context, home), locked)
    key = "access.destroyed" if gone else "access.not-kept"
    text = say(key, language_of(context), leaf=locked)
    document = {"locked": locked, "destroyed": gone}
    deliver(Answer(document=document, text=text, exit_code=0 if gone else 1), as_json=as_json)


def _keeper_key(text: str) -> DepositKey:
    from sekisho.signing.sealing import DepositKey

    path = Path(text)
    if len(text) < 200 and path.is_file():
        text = read_input(text, limit=MAX_KEY_FILE).decode("ascii", "replace").split("\n")[0]
    return DepositKey.from_text(text.strip(), path="--keeper")


def _licence(state: State, number: str) -> tuple[str, Reference]:
    from sekisho.model.statements import Reference

    held = state.licences.by_number(number)
    if held is None:
        raise InvalidInput(
            f"{number[:60]!r} is no licence of this log",
            path="--licence",
            remedy="see sekisho licence list",
        )
    origin = state.regime.in_force().terms.log.origin
    return held.licence.licensee, Reference(log=origin, leaf=held.leaf)
