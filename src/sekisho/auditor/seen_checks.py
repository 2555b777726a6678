"""What others saw of this log: checkpoints from elsewhere, compared with the tree that the evidence gives.

The row exists only where somebody brought checkpoints; where nobody did, the limits say so.
"""

from __future__ import annotations

from sekisho.auditor.evidence import Evidence, Seen
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.ledger import Checkpoint, Policy, TreeReader
from sekisho.ledger.evidence import ForkEvidence, find_fork
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.signing import current_root
from sekisho.signing.notes import VerifierKey

__all__ = ["SEEN_CHECK", "check_seen", "find_forks"]

SEEN_CHECK = "seen-checkpoints"


def check_seen(evidence: Evidence) -> Outcome:
    """Every checkpoint that others saw is of this very log: same size and root, or a beginning of it."""
    tally = Tally()
    for seen in evidence.seen:
        checkpoint, fault = _read(evidence, seen)
        if checkpoint is None:
            tally.gap(f"{seen.source}: {fault}: it says nothing about this log")
        elif checkpoint.size >= len(evidence.past().roots):
            held = len(evidence.past().roots) - 1
            tally.gap(f"{seen.source}: others saw {checkpoint.size} entries, here are {held}")
    for seen, fork in find_forks(evidence):
        size = Checkpoint.from_text(seen.note.text).size
        tally.fault(
            f"{seen.source}: others saw another log of {size} entries under the same key; "
            f"the proof is {fork.file_name}"
        )
    return tally.outcome(f"{len(evidence.seen)} checkpoints that others saw are of this log")


def find_forks(evidence: Evidence) -> list[tuple[Seen, ForkEvidence]]:
    """For each seen checkpoint that contradicts this log: the evidence, which anybody verifies by the log's key.

    Only where the log's own checkpoint here is signed: an unsigned tree convicts nobody.
    """
    found: list[tuple[Seen, ForkEvidence]] = []
    note, here = evidence.note, evidence.checkpoint
    if note is None or here is None or not evidence.seen:
        return found
    _policy(evidence).verify_logged(note)
    for seen in evidence.seen:
        checkpoint, _ = _read(evidence, seen)
        if checkpoint is not None and checkpoint.size <= here.size:
            fork = find_fork(seen.note, note, TreeReader(evidence.bundle.tiles, here))
            if fork is not None:
                found.append((seen, fork))
    return found


def _read(evidence: Evidence, seen: Seen) -> tuple[Checkpoint | None, str]:
    """The seen checkpoint, if it is this log's word; else why not."""
    try:
        checkpoint = _policy(evidence).verify_logged(seen.note)
    except (BadSignature, InvalidInput) as error:
        return None, error.message
    if checkpoint.origin != evidence.origin:
        return None, f"is a checkpoint of {checkpoint.origin}"
    return checkpoint, ""


def _policy(evidence: Evidence) -> Policy:
    """Every key that the trust root, or the charter in force, gives this log."""
    if evidence.root is None:
        raise InvalidInput("no trust root")
    texts = [evidence.root.log]
    if evidence.history is not None:
        texts.append(current_root(evidence.root, evidence.history.regime).log)
    keys = [VerifierKey.from_text(text, path="the trust root") for text in dict.fromkeys(texts)]
    keys += Policy.from_text(evidence.root.witnesses, path="the trust root's witnesses").logs
    return Policy.of_log(*dict.fromkeys(keys))
