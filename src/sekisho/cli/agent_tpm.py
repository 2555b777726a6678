"""`sekisho agent tpm`: the host's side of a TPM's enrolment, a paper first and an answer to the challenge then."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of

__all__ = ["add_to"]

_MAX_PAPER = 128_000
_Home = Annotated[Path, typer.Option(help="The agent's home: agent.json names host and TPM.")]
_Out = Annotated[str, typer.Option("--out", help="Where it goes; never over a file.")]


def add_to(app: typer.Typer) -> None:
    """Give `sekisho agent` its group `tpm`."""
    tpm = typer.Typer(help="Enrol this host's TPM.", no_args_is_help=True)
    tpm.command()(paper)
    tpm.command()(answer)
    app.add_typer(tpm, name="tpm")


def paper(
    context: typer.Context,
    home: _Home,
    out: _Out,
    *,
    chain: Annotated[
        list[str] | None,
        typer.Option(help="The maker's certificates, PEM or DER: the issuer first, the root last."),
    ] = None,
    index: Annotated[
        str, typer.Option(help="Where the counter goes, as 0x01805E51, if that is taken.")
    ] = "",
    handle: Annotated[
        str, typer.Option(help="Where the attestation key goes, as 0x81005E51, if that is taken.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a counter and an attestation key in the TPM, and write the paper that shows them to the enroller."""
    import secrets

    from sekisho.agent.main import load_settings
    from sekisho.agent.seating import COUNTER_INDEX, KEY_HANDLE, SeatWanted, take_seat
    from sekisho.cli.tpm_files import load_certificates, parse_handle, write_paper

    settings = load_settings(home)
    wanted = SeatWanted(
        host=settings.host,
        secret=secrets.token_bytes(32),
        chain=load_certificates(chain or ()),
        index=parse_handle(index, "--index", 0x01) if index else COUNTER_INDEX,
        attestation=parse_handle(handle, "--handle", 0x81) if handle else KEY_HANDLE,
    )
    shown = take_seat(home, settings.tcti, wanted)
    write_paper(out, shown)
    certificates = len(shown.endorsement)
    text = say(
        "tpm.paper",
        language_of(context),
        out=out,
        host=settings.host,
        count=certificates,
        index=f"{wanted.index:#010x}",
        file=home / "tpm.json",
    )
    document = {"file": out, "host": settings.host, "certificates": certificates}
    deliver(Answer(document=document, text=text), as_json=as_json)


def answer(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="F", help="The enroller's challenge.")],
    home: _Home,
    out: _Out,
    *,
    as_json: AsJson = False,
) -> None:
    """Open the enroller's challenge in the TPM, and write the answer with the counter's certificate."""
    from sekisho.agent.main import load_settings
    from sekisho.agent.seating import answer_challenge
    from sekisho.cli.tpm_files import write_paper
    from sekisho.model.tpm_papers import TpmChallenge
    from sekisho.model.wire import from_json, parse_json

    settings = load_settings(home)
    data = parse_json(read_input(file, limit=_MAX_PAPER), path=file)
    challenge = from_json(TpmChallenge, data, path=file)
    write_paper(out, answer_challenge(home, settings.tcti, challenge))
    text = say("tpm.answered", language_of(context), out=out)
    deliver(Answer(document={"file": out, "host": settings.host}, text=text), as_json=as_json)
