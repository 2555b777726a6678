"""A bundle of a forked log is caught by an auditor who holds what others saw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sekisho.auditor.main import AuditPlan, audit_here
from sekisho.cli.main import call
from sekisho.model.wire import canonical
from sekisho.settings import Settings
from tests.factory_bundle import Cast, Sealed, check_of, heartbeat, honest_story, seal, write_folder

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))


def audit(folder: Path, sealed: Sealed, *seen: Path) -> AuditPlan:
    """An audit of a bundle with its root named and checkpoints from elsewhere."""
    policy = folder / "root.json"
    policy.write_bytes(canonical(sealed.root))
    return AuditPlan(
        path=str(write_folder(folder / "bundle", sealed.files)),
        policy=policy,
        seen=tuple(str(path) for path in seen),
        evidence_folder=folder / "evidence",
    )


def kept(folder: Path, sealed: Sealed, name: str = "friend.checkpoint") -> Path:
    """The checkpoint of a bundle, as somebody else saw it."""
    path = folder / name
    path.write_bytes(sealed.files["log/checkpoint"])
    return path


def told_with(cast: Cast, *beats: float) -> Sealed:
    """The honest story, signed and witnessed by all, with further heartbeats at these seconds."""
    story = honest_story()
    for number, at in enumerate(beats):
        place = next(i for i, (when, _) in enumerate(story.batches) if when >= at)
        story.batches.insert(place, (at, [(f"extra {number}", heartbeat(at))]))
    return seal(story, cast)


@pytest.mark.parametrize("beats", [(), (8.0,)], ids=["a smaller one", "one of the same size"])
def test_auditor_catches_the_fork_and_writes_the_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], beats: tuple[float, ...]
) -> None:
    """A bundle that passes alone fails beside what others saw, and a file is written that convicts the log."""
    cast = Cast()
    ours, theirs = told_with(cast, 7.0), told_with(cast, *beats)
    report = audit_here(audit(tmp_path, ours, kept(tmp_path, theirs)))
    row = check_of(report, "seen-checkpoints")
    assert (row.verdict, report.verdict) == ("fails", "fails")
    (path,) = (tmp_path / "evidence").iterdir()
    assert path.name in row.detail
    capsys.readouterr()
    arguments = ["log", "check-evidence", str(path), "--policy", str(tmp_path / "root.json")]
    assert call([*arguments, "--json"], SETTINGS) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "holds"
    assert len(found["cosigned_both"]) == 2  # these witnesses signed both sides


def test_honest_log_agrees_with_what_others_saw(tmp_path: Path) -> None:
    """The same checkpoint, and an older one that a time mark of the log itself quotes."""
    sealed = seal(honest_story())
    report = audit_here(audit(tmp_path, sealed, kept(tmp_path, sealed)))
    assert check_of(report, "seen-checkpoints").verdict == "holds"
    assert not (tmp_path / "evidence").exists()


def test_larger_checkpoint_elsewhere_is_unverifiable(tmp_path: Path) -> None:
    """Others saw more of the log than the bundle holds: nothing follows either way."""
    told = honest_story()
    shorter = told.copy()
    shorter.batches = shorter.batches[:-1]
    cast = Cast()
    whole, part = seal(told, cast), seal(shorter, cast)
    report = audit_here(audit(tmp_path, part, kept(tmp_path, whole)))
    assert check_of(report, "seen-checkpoints").verdict == "unverifiable"


def test_strangers_checkpoint_says_nothing(tmp_path: Path) -> None:
    """A checkpoint that this log's key did not sign neither convicts nor clears it."""
    sealed = seal(honest_story())
    path = kept(tmp_path, sealed)
    data = path.read_bytes().replace(b"\n\n", b"\nmore\n\n", 1)
    path.write_bytes(data)
    report = audit_here(audit(tmp_path, sealed, path))
    assert check_of(report, "seen-checkpoints").verdict == "unverifiable"


def test_without_anything_seen_the_limits_say_so(tmp_path: Path) -> None:
    """No row, and a sentence that nobody compared."""
    sealed = seal(honest_story())
    report = audit_here(audit(tmp_path, sealed))
    assert "seen-checkpoints" not in {check.name for check in report.checks}
    assert any("--seen" in limit for limit in report.limits)
