"""`sekisho charter tpm`: the enroller's side of a TPM's enrolment, a challenge first and the host's draft then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    language_of,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.statements import HostEnrolled

__all__ = ["app"]

T = TypeVar("T")
app = typer.Typer(help="Enrol the TPM of a host.", no_args_is_help=True)
_MAX_PAPER = 128_000
_Paper = Annotated[str, typer.Argument(metavar="PAPER", help="What the host wrote.")]
_Keep = Annotated[
    str, typer.Option("--keep", help="What only you keep between challenge and answer.")
]


@app.command()
def challenge(
    context: typer.Context,
    paper: _Paper,
    keep: _Keep,
    out: Annotated[str, typer.Option("--out", help="The challenge, for the host.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Seal a secret that only the TPM opens which holds the endorsement key and the attestation key shown."""
    import secrets

    from sekisho.ceremony import create_secret_file
    from sekisho.cli.tpm_files import write_paper
    from sekisho.inspection.tpm import Dice, challenge_paper
    from sekisho.model.tpm_papers import TpmPaper

    shown = _load(TpmPaper, paper)
    dice = Dice(
        secret=secrets.token_bytes(32), seed=secrets.token_bytes(32), nonce=secrets.token_bytes(16)
    )
    made = challenge_paper(shown, dice)
    create_secret_file(Path(keep), dice.secret)
    write_paper(out, made)
    text = say("tpm.challenge", language_of(context), out=out, host=shown.host, keep=keep)
    deliver(Answer(document={"file": out, "host": shown.host}, text=text), as_json=as_json)


@app.command()
def enrol(
    context: typer.Context,
    *,
    paper: _Paper,
    challenge_file: Annotated[str, typer.Argument(metavar="CHALLENGE", help="Your challenge.")],
    answer: Annotated[str, typer.Argument(metavar="ANSWER", help="What the host answered.")],
    keep: _Keep,
    host: Annotated[
        str, typer.Option("--host", help="JSON: the enrolment's fields, without tier and TPM.")
    ],
    tier: Annotated[str, typer.Option("--tier", help="C1 or C2.")],
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Check the answer and draft the enrolment with its TPM; C2 only where the charter names its maker's root."""
    from sekisho.ceremony import load_secret_file
    from sekisho.inspection.tpm import endorsement_of, verify_answer
    from sekisho.model.tpm_papers import TpmAnswer, TpmChallenge, TpmPaper
    from sekisho.model.wire import to_plain

    if tier not in ("C1", "C2"):
        raise InvalidInput("is neither C1 nor C2", path="--tier", remedy="C0 has no TPM")
    shown = _load(TpmPaper, paper)
    enrolled, _ = verify_answer(
        shown,
        _load(TpmChallenge, challenge_file),
        _load(TpmAnswer, answer),
        secret=load_secret_file(Path(keep)),
    )
    view = look(context, Sources(home=home, log=log, policy=policy))
    fact = _draft(host, {"effective": str(view.now), "tpm": to_plain(enrolled), "counter": tier})
    if fact.host != shown.host:
        raise InvalidInput(f"is {fact.host}, the paper is of {shown.host}", path=f"{host} host")
    if tier == "C2":
        terms = require_state(view, as_json=as_json).regime.in_force().terms
        endorsement_of(shown, terms.tpm_roots, at=fact.effective)
    deliver_draft(view, fact, Path(out), as_json=as_json)


def _draft(file: str, filled: dict[str, object]) -> HostEnrolled:
    from sekisho.cli.documents import unknown_paths
    from sekisho.model.statements import HostEnrolled
    from sekisho.model.wire import from_json, parse_json

    value = parse_json(read_input(file, limit=_MAX_PAPER), path=file)
    if not isinstance(value, dict):
        raise InvalidInput("is no JSON object", path=file, remedy="give the enrolment's fields")
    whole = {**value, **filled}
    fact = from_json(HostEnrolled, whole, path=file)  # type: ignore[arg-type]  # plain JSON by its makers
    unknown = unknown_paths(fact, whole)
    if unknown:
        raise InvalidInput(f"no enrolment has the field {unknown[0][:80]}", path=file)
    return fact


def _load(kind: type[T], file: str) -> T:
    from sekisho.model.wire import from_json, parse_json

    return from_json(kind, parse_json(read_input(file, limit=_MAX_PAPER), path=file), path=file)
