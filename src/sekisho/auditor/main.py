"""The auditor's composition root: arguments to report, in a process of its own that first leaves the network.

`python -m sekisho.auditor.main PATH [--policy FILE] [--trust FILE] [--accept CHECK] [--seen FILE] [--evidence DIR]
[--json] [--language en|ja]`.
`sekisho audit` runs exactly this as a child process, and only reads its answer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.trust_file import change_trust, load_trust
from sekisho.auditor.audit import judge_evidence, require_known_checks
from sekisho.auditor.bundle import open_evidence
from sekisho.auditor.evidence import Evidence, Seen, Trust, gather_evidence
from sekisho.auditor.isolation import leave_network
from sekisho.auditor.seen_checks import find_forks
from sekisho.auditor.verdicts import Report
from sekisho.catalogue import Language, say
from sekisho.ledger import Checkpoint, Policy
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.wire import from_json, parse_json
from sekisho.settings import load_settings
from sekisho.signing import TrustRoot, parse_policy
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey

__all__ = [
    "AuditPlan",
    "audit_apart",
    "audit_here",
    "change_trust",
    "load_policy",
    "load_trust",
    "main",
    "verify_root",
]

MAX_POLICY_FILE = 1 << 20
PATIENCE_S = 2.0
_CODES = {"holds": 0, "fails": 1, "unverifiable": 3}
_BAD_INPUT, _UNAVAILABLE = 2, 4


class AuditPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks to have audited, by which trust, taking which unverifiable checks on trust.

    `seen` are files with checkpoints of the log from elsewhere; evidence of a fork goes to `evidence_folder`.
    """

    path: str
    policy: Path | None = None
    trust_file: Path | None = None
    accepted: tuple[str, ...] = ()
    language: Language = "en"
    seen: tuple[str, ...] = ()
    evidence_folder: Path = Path()

    def to_arguments(self) -> list[str]:
        arguments = [f"--accept={name}" for name in self.accepted]
        arguments += [f"--seen={file}" for file in self.seen]
        arguments += [f"--evidence={self.evidence_folder}"] if self.seen else []
        arguments += [f"--policy={self.policy}"] if self.policy else []
        arguments += [f"--trust={self.trust_file}"] if self.trust_file else []
        return [*arguments, f"--language={self.language}", "--", self.path]


def load_policy(path: Path) -> TrustRoot:
    """One trust root from a file, with every part of it readable. Raises InvalidInput naming file and field."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_POLICY_FILE + 1)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}", path=str(path), remedy="name a trust root's file"
        ) from None
    root = parse_policy(data, path=str(path))
    verify_root(root, path=str(path))
    return root


def verify_root(root: TrustRoot, *, path: str = "") -> Policy:
    """The witness policy of a root whose parts fit each other. Raises InvalidInput with the field's path."""
    key = VerifierKey.from_text(root.log, path=f"{path}.log".lstrip("."))
    policy = Policy.from_text(root.witnesses, path=f"{path}.witnesses".lstrip("."))
    if key not in policy.logs:
        raise InvalidInput(
            f"names no log line with the key of {key.name}",
            path=f"{path}.witnesses".lstrip("."),
            remedy="a witness policy begins with: log VKEY",
        )
    return policy


def audit_here(plan: AuditPlan, *, network_gone: bool | None = None) -> Report:
    """Audit in this process, and store the evidence of any fork that the seen checkpoints show.

    Raises InvalidInput for what is no evidence, policy or check, Unavailable where evidence of a fork cannot be
    written; never anything for tampering.
    """
    require_known_checks(plan.accepted)
    trust = Trust(
        policy=load_policy(plan.policy) if plan.policy else None,
        known=load_trust(plan.trust_file) if plan.trust_file else (),
        seen=[_load_seen(file) for file in plan.seen],
    )
    for root in trust.known:
        verify_root(root, path=str(plan.trust_file))
    bundle = open_evidence(_local(plan.path))
    with _Patience(plan.language) as patience:
        evidence = gather_evidence(bundle, trust, progress=patience.tell)
        report = judge_evidence(evidence, plan.accepted, plan.language, network_gone=network_gone)
    _keep_forks(evidence, plan.evidence_folder)
    return report


def _keep_forks(evidence: Evidence, folder: Path) -> None:
    """What breaks off the search here has made the check of the seen checkpoints fail already, with its reason."""
    if evidence.root is None:
        return
    try:
        forks = find_forks(evidence)
    except SekishoError:
        return
    for _, fork in forks:
        # Crash before: no report either; audited again, the same file is written.
        FileTileStore(folder).write(fork.file_name, fork.to_bytes())


def _load_seen(file: str) -> Seen:
    """A checkpoint that somebody kept. Raises InvalidInput naming the file; whose it is, the check says."""
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(MAX_NOTE_BYTES + 1)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}", path=file, remedy="name a checkpoint's file"
        ) from None
    note = Note.from_bytes(data, path=file)
    Checkpoint.from_text(note.text, path=file)
    return Seen(source=file, note=note)


def audit_apart(plan: AuditPlan) -> Report:
    """Audit in a child process that leaves the network before it reads a byte of the evidence.

    Raises InvalidInput and Unavailable as `audit_here` does, and InvalidInput where the child itself broke.
    """
    _local(plan.path)
    # -P: nothing is imported from the folder that somebody happens to work in.
    command = [sys.executable, "-P", "-m", "sekisho.auditor.main", "--json", *plan.to_arguments()]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode in _CODES.values():
        return from_json(Report, parse_json(done.stdout, path="the auditor's answer"))
    raise _error_of(done)


def main(arguments: Sequence[str]) -> int:
    """The auditor's own process: leave the network, audit, print, and end with the contract's exit code."""
    chosen = _parser().parse_args(arguments)
    plan = AuditPlan(
        path=chosen.path,
        policy=chosen.policy,
        trust_file=chosen.trust or load_settings(os.environ).trust_file,
        accepted=tuple(chosen.accept),
        language=chosen.language or load_settings(os.environ).language,
        seen=tuple(chosen.seen),
        evidence_folder=chosen.evidence,
    )
    try:
        report = audit_here(plan, network_gone=leave_network())
    except SekishoError as error:
        return _refuse(error, as_json=chosen.json)
    if chosen.json:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    else:
        from sekisho.auditor.rendering import render_report  # noqa: PLC0415  # rich costs a tenth of a second

        sys.stdout.write(render_report(report, plan.language, colour=sys.stdout.isatty()) + "\n")
    sys.stdout.flush()
    return _CODES[report.verdict]


def _local(path: str) -> Path:
    if path.startswith(("http://", "https://")):
        raise Unavailable(
            f"{path}: auditing over the network is not built yet",
            remedy="fetch the log's folder or the bundle first, then audit it where it lies",
        )
    return Path(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sekisho.auditor.main")
    parser.add_argument("path")
    parser.add_argument("--policy", type=Path)
    parser.add_argument("--trust", type=Path)
    parser.add_argument("--accept", action="append", default=[])
    parser.add_argument("--seen", action="append", default=[], metavar="FILE")
    parser.add_argument("--evidence", type=Path, default=Path(), metavar="DIR")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--language", choices=("en", "ja"))
    return parser


def _refuse(error: SekishoError, *, as_json: bool) -> int:
    if as_json:
        fields = {
            "code": type(error).code,
            "message": error.message,
            "path": getattr(error, "path", ""),
            "remedy": error.remedy,
        }
        sys.stdout.buffer.write(msgspec.json.encode({"error": fields}) + b"\n")
        sys.stdout.flush()
    else:
        sys.stderr.write(f"{error}\n")
    return _UNAVAILABLE if isinstance(error, Unavailable) else _BAD_INPUT


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    message: str
    remedy: str
    path: str
    code: str


def _error_of(done: subprocess.CompletedProcess[bytes]) -> SekishoError:
    """The child's refusal, raised again here; or that the child broke, which is never a verdict."""
    try:
        answer = from_json(dict[str, _Refusal], parse_json(done.stdout))["error"]
    except (InvalidInput, KeyError):
        return Unavailable(f"the auditor's process ended with {done.returncode} and no answer")
    if answer.code == InvalidInput.code:
        message = answer.message.removeprefix(f"{answer.path}: ")
        return InvalidInput(message, path=answer.path, remedy=answer.remedy)
    return Unavailable(answer.message, remedy=answer.remedy)


class _Patience:
    """Shows a progress bar on a terminal, but only once the audit has run for two seconds."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._start = time.monotonic()
        self._asked = sys.stderr is not None and sys.stderr.isatty()
        self._stop: Callable[[], None] = _do_nothing
        self._update: Callable[[int], None] = _show_nothing
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def tell(self, done: int, total: int) -> None:
        """So many entries of so many are read."""
        if not self._asked:
            return
        if not self._shown and time.monotonic() - self._start > PATIENCE_S:
            self._show(total)
        self._update(done)

    def _show(self, total: int) -> None:
        from rich.console import Console  # noqa: PLC0415  # only an audit that takes long pays for it
        from rich.progress import Progress  # noqa: PLC0415

        bar = Progress(console=Console(stderr=True), transient=True)
        task = bar.add_task(say("audit.progress", self._language), total=total)
        bar.start()
        self._shown = True
        self._stop = bar.stop
        self._update = lambda done: bar.update(task, completed=done)


def _do_nothing() -> None:
    """No bar is shown, so none is taken away."""


def _show_nothing(_: int) -> None:
    """No bar is shown yet."""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
