"""`sekisho log`: check, copy, watch, serve and witness a log, with nothing but its key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.log_export import export
from sekisho.cli.log_following import mirror, monitor
from sekisho.cli.log_rotation import rotate
from sekisho.cli.log_running import rebuild, run
from sekisho.cli.log_serving import serve, witness
from sekisho.cli.log_trust import LogKeys, PolicyFile, read_key, read_policy
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ledger.fsck import LogCheck, Progress
    from sekisho.ledger.proof_rows import ProofVerdict, RowError

__all__ = ["app"]

app = typer.Typer(help="Check, copy, watch, serve and witness a log.", no_args_is_help=True)
app.command()(mirror)
app.command()(monitor)
app.command()(export)
app.command()(serve)
app.command()(run)
app.command()(rebuild)
app.command()(rotate)
app.add_typer(witness, name="witness")

_MOST_BYTES = 256 * 1024 * 1024
_LONG = 500_000  # entries; more take longer than two seconds
_MOST_FAULTS_TOLD = 20


@app.command()
def fsck(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A tlog-tiles folder with its checkpoint.")
    ],
    vkey: Annotated[str, typer.Option("--vkey", help="The log's key, or a file that holds it.")],
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Check this one, not DIR/checkpoint.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Derive the whole tree again from the entries and compare every file with it."""
    from sekisho.adapters.storage import FileTileStore
    from sekisho.ledger.fsck import check_log
    from sekisho.signing.notes import MAX_NOTE_BYTES

    if not folder.is_dir():
        raise InvalidInput("is not a folder", path=str(folder), remedy="name a log's public folder")
    key = read_key(vkey)
    # Read here even from DIR, so that a log without a checkpoint is bad input and not a fault.
    note = read_input(str(checkpoint or folder / "checkpoint"), limit=MAX_NOTE_BYTES)
    with _bar() as progress:
        checked = check_log(FileTileStore(folder), key, note, progress)
    deliver(_fsck_answer(checked), as_json=as_json)


@app.command("check-proof")
def check_proof(
    file: Annotated[str, typer.Argument(metavar="F", help="JSON lines; - for standard input.")],
    as_json: AsJson = False,
) -> None:
    """Check inclusion and consistency proofs, one a line."""
    from sekisho.ledger.proof_rows import RowError, check_proof_rows

    rows = check_proof_rows(read_input(file, limit=_MOST_BYTES), path=file)
    codes = [2 if isinstance(row, RowError) else verdict_code(row.verdict) for row in rows]
    text = "\n".join(_row_text(number, row) for number, row in enumerate(rows, 1))
    deliver(Answer(document=rows, text=text, exit_code=worst_code(codes)), as_json=as_json)


@app.command("check-evidence")
def check_evidence(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="Evidence of a fork; - for input.")],
    vkey: LogKeys = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Does this evidence show that the log forked? Offline, by the log's key alone. `holds`: it forked."""
    from sekisho.ledger.evidence import (
        MAX_EVIDENCE_BYTES,
        ForkEvidence,
        cosigners_of_both,
        judge_evidence,
    )

    trust = read_policy(vkey, policy)
    data = read_input(file, limit=MAX_EVIDENCE_BYTES)
    evidence = ForkEvidence.from_bytes(data.removesuffix(b"\n"), path=file)
    verdict = judge_evidence(evidence, trust.logs)
    smaller, larger = evidence.checkpoints
    both = sorted(cosigners_of_both(evidence, trust))
    why = say(
        f"log.evidence.{verdict.reason}",
        language_of(context),
        detail=verdict.detail,
        origin=smaller.origin,
        smaller=smaller.size,
        larger=larger.size,
    )
    document = {
        "verdict": verdict.verdict,
        "why": why,
        "reason": verdict.reason,
        "origin": smaller.origin,
        "sizes": [str(smaller.size), str(larger.size)],
        "cosigned_both": both,
    }
    text = f"{verdict.verdict}: {why.rstrip()}"
    if both:
        text += "\n" + say("log.evidence.both", language_of(context), names=", ".join(both))
    code = verdict_code(verdict.verdict)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def _row_text(number: int, row: ProofVerdict | RowError) -> str:
    from sekisho.ledger.proof_rows import RowError

    return row.error if isinstance(row, RowError) else f"{number}: {row.verdict}: {row.why}"


def _fsck_answer(checked: LogCheck) -> Answer:
    from sekisho.model.wire import encode_base64

    root = None if checked.root is None else encode_base64(checked.root)
    document = {
        "verdict": checked.verdict,
        "size": checked.size,
        "root": root,
        "faults": checked.faults,
    }
    lines = [f"{checked.verdict}: size {checked.size}, root {root}"]
    if checked.size is None:
        lines = [f"{checked.verdict}: no checkpoint that this key signed"]
    lines += [f"  {item.path}: {item.fault}" for item in checked.faults[:_MOST_FAULTS_TOLD]]
    if len(checked.faults) > _MOST_FAULTS_TOLD:
        lines.append(f"  and {len(checked.faults) - _MOST_FAULTS_TOLD} more (--json lists them)")
    if checked.faults and checked.size is not None:
        lines.append("  take the files named from another copy of the log (sekisho log mirror)")
    return Answer(document=document, text="\n".join(lines), exit_code=verdict_code(checked.verdict))


@contextmanager
def _bar() -> Iterator[Progress]:
    """Progress on the terminal, shown only where the log is long."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("checking", total=None, visible=False)

        def show(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total, visible=total > _LONG)

        yield show
