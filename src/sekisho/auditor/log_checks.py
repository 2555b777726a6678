"""Checks of the files, the tree, the checkpoint, its witnesses and the time marks."""

from __future__ import annotations

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.manifest import verify_manifest
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.ledger import check_tree, verify_checkpoint
from sekisho.ledger.tiles import bundles_of_tree, tiles_of_tree
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.statements import CharterLog, TimeMarked
from sekisho.signing import current_root
from sekisho.signing.notes import VerifierKey

__all__ = [
    "check_checkpoint",
    "check_log_tree",
    "check_manifest",
    "check_time_marks",
    "check_witnessed",
]


def check_manifest(evidence: Evidence) -> Outcome:
    """Every file is listed, there, and as listed; the list is signed by who may sign it."""
    bundle, tally = evidence.bundle, Tally()
    tally.extend(str(fault) for fault in bundle.faults)
    if bundle.faults:
        return tally.outcome("")
    if bundle.kind == "log":
        tally.gap("a log's public folder has no manifest")
    elif bundle.manifest is not None and bundle.signature is not None:
        if bundle.manifest.origin != evidence.origin:
            tally.fault(
                f"the manifest is of {bundle.manifest.origin}, the log is {evidence.origin}"
            )
        if evidence.root is None:
            tally.gap("the files are as listed; without a trust root nobody vouches for the list")
        else:
            signer = verify_manifest(bundle.signature, evidence.past().regime)
            return tally.outcome(f"{len(bundle.files)} files as listed; signed by {signer}")
    return tally.outcome("")


def check_log_tree(evidence: Evidence) -> Outcome:
    """Every leaf, every tile of every level and the root are derived anew from the entries."""
    checkpoint = evidence.checkpoint
    if checkpoint is None:
        raise InvalidInput("is missing or unreadable", path="log/checkpoint")
    result, tally = check_tree(evidence.bundle.tiles, checkpoint), Tally()
    for fault in result.faults:
        tally.fault(f"log/{fault.path}: {fault.fault}")
    if evidence.bundle.kind == "bundle":
        size = checkpoint.size
        known = {f"log/{t.to_path()}" for t in (*tiles_of_tree(size), *bundles_of_tree(size))}
        held = {path for path in evidence.bundle.files if path.startswith("log/")}
        tally.extend(
            f"{path}: is no file of this tree" for path in sorted(held - known - {"log/checkpoint"})
        )
        tally.extend(f"{path}: is missing" for path in sorted(known - held))
    return tally.outcome(f"{checkpoint.size} entries give the root {checkpoint.root.hex()[:16]}")


def check_checkpoint(evidence: Evidence) -> Outcome:
    """The checkpoint is signed by the log's key, of the trust root or as amended, under that log's own name."""
    if evidence.note is None or evidence.root is None:
        raise InvalidInput("is missing or unreadable", path="log/checkpoint")
    root = evidence.root
    if evidence.history is not None:
        root = current_root(root, evidence.history.regime)
    key, tally = VerifierKey.from_text(root.log), Tally()
    try:
        checkpoint = verify_checkpoint(evidence.note, key)
    except BadSignature:
        if root.log == evidence.root.log:
            raise
        checkpoint = verify_checkpoint(evidence.note, VerifierKey.from_text(evidence.root.log))
        tally.gap("is signed by the trust root's key only: the charter has given the log another")
    return tally.outcome(f"size {checkpoint.size}, signed by {key.name}")


def check_witnessed(evidence: Evidence) -> Outcome:
    """The witness quorum cosigned the checkpoint, and enough organisations other than the log's hold the keys."""
    if evidence.note is None:
        raise InvalidInput("is missing or unreadable", path="log/checkpoint")
    policy = evidence.policy()
    cosigned = policy.verify_cosigned(evidence.note)
    regime, tally = evidence.past().regime, Tally()
    if regime.charter is not None:
        # Besides the policy, the charter: how many it asks, and until when it believes an algorithm.
        regime.verify_tree(evidence.note.to_bytes().decode(), cosigned.checkpoint.size)
    if not cosigned.times:
        tally.gap("the trust root's policy asks for no witness")
    charter = regime.charter
    if charter is None:
        tally.gap("no charter says who owns the witnesses")
        return tally.outcome("")
    log = charter.terms.log
    keys = {w.key.to_text() for w in policy.witnesses if w.name in cosigned.names}
    others = sorted(_owners(log, keys) - {log.owner})
    asked = 2 if charter.terms.profile in ("authority", "international") else 1
    if len(others) < asked:
        whose = ", ".join(others) or "nobody else"
        tally.gap(
            f"cosigned by {len(keys)} witnesses, but beside the log's owner {log.owner} they belong to {whose}: "
            f"a charter of profile {charter.terms.profile} needs {asked} other organisations"
        )
    return tally.outcome(f"cosigned by {', '.join(sorted(cosigned.names))} of {', '.join(others)}")


def check_time_marks(evidence: Evidence) -> Outcome:
    """Every mark quotes a witnessed checkpoint of this very log, none older than the one before; the first opens it."""
    history, tally = evidence.past(), Tally()
    tally.extend(history.mark_faults)
    marks = [step for step, _ in history.facts(TimeMarked)]
    if history.steps and (not marks or marks[0].index != 0):
        tally.fault("the log does not open with a time mark")
    if history.steps and history.final is None and not history.marks:
        tally.gap("no mark quotes a witnessed checkpoint: no entry has a recorded time")
    return tally.outcome(f"{len(marks)} marks, {len(history.marks)} with a witnessed checkpoint")


def _owners(log: CharterLog, keys: set[str]) -> set[str]:
    """Who owns these witness keys, as the charter says; a key that it does not name has no known owner."""
    return {witness.owner for witness in log.witnesses if witness.vkey in keys}
