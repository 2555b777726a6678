"""Writing a bundle: what leaves is what an outsider can check, and nothing is written over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.auditor import Trust, audit_bundle, open_evidence
from sekisho.model.errors import StateConflict
from sekisho.operations.bundle import collect_bundle, write_bundle
from sekisho.operations.registers import keep_registers
from sekisho.rules import load_pack, pack_bytes
from tests import factory as f
from tests.desks import TestDesk


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[TestDesk, Path]]:
    with TestDesk(tmp_path / "desk") as desk:
        desk.licensed()
        keep_registers(desk.desk)
        desk.desk.mark_time()
        pack = load_pack().reference
        files = collect_bundle(
            cosigned=desk.cosigned(),
            tiles=desk.tiles,
            recorded=desk.desk.recorded(),
            private=desk.private,
            packs={f"{pack.name}-{pack.version}": pack_bytes()},
        )
        folder = tmp_path / "bundle"
        write_bundle(folder, files, origin=f.ORIGIN, signer=f.LOG, now=desk.clock.now())
        yield desk, folder


def test_folder_and_tar_say_the_same(written: tuple[TestDesk, Path]) -> None:
    """An auditor finds the manifest sound in both, and nothing in one that is not in the other."""
    desk, folder = written
    trust = Trust(policy=desk.root, known=())
    reports = [
        audit_bundle(open_evidence(path), trust)
        for path in (folder, folder.with_name("bundle.tar"))
    ]
    assert reports[0] == reports[1]
    assert next(c.verdict for c in reports[0].checks if c.name == "manifest") == "holds"


def test_a_bundle_is_never_written_over(written: tuple[TestDesk, Path]) -> None:
    """A folder that holds something stays as it is."""
    desk, folder = written
    with pytest.raises(StateConflict, match="not empty"):
        write_bundle(folder, {}, origin=f.ORIGIN, signer=f.LOG, now=desk.clock.now())


def test_what_a_bundle_discloses_is_for_its_owner_alone(written: tuple[TestDesk, Path]) -> None:
    """Folder and tar hold disclosures: nobody else on the machine reads them."""
    _, folder = written
    assert folder.stat().st_mode & 0o077 == 0
    assert folder.with_name("bundle.tar").stat().st_mode & 0o077 == 0
