"""What people are told about evidence of a fork: a verdict, why, and the page that `show` makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.cli.main import call
from sekisho.ledger.evidence import ForkEvidence, find_fork
from sekisho.model.wire import canonical
from sekisho.settings import Settings
from sekisho.signing import TrustRoot
from tests.ledger.forks import entries_of, root_of, tree_of
from tests.ledger.logs import LOG, W1, W2, policy_text, signed

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))
BOTH = (LOG, W1, W2)


def proof() -> ForkEvidence:
    """A fork between 4 and 7 entries, both sides cosigned by both witnesses."""
    forked = entries_of(7, fork_at=3)
    found = find_fork(
        signed(4, root_of(entries_of(4)), BOTH),
        signed(7, root_of(forked), BOTH),
        tree_of(forked),
    )
    assert found is not None
    return found


def written(folder: Path, evidence: ForkEvidence) -> str:
    """The document as a file, with the newline that an editor adds."""
    path = folder / evidence.file_name
    path.write_bytes(evidence.to_bytes() + b"\n")
    return str(path)


def checked(
    capsys: pytest.CaptureFixture[str], path: str, *more: str
) -> tuple[int, dict[str, Any]]:
    """Exit code and document of check-evidence."""
    capsys.readouterr()
    keys = more or ("--vkey", LOG.verifier.to_text())
    code = call(["log", "check-evidence", path, *keys, "--json"], SETTINGS)
    return code, json.loads(capsys.readouterr().out)


def test_verdicts_have_the_contracts_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Holds 0, fails 1, unverifiable 3, no evidence at all 2."""
    evidence = proof()
    bare = msgspec.structs.replace(evidence, prefix=None, hashes=())
    wrong = msgspec.structs.replace(evidence, hashes=evidence.hashes[:-1])
    codes = [checked(capsys, written(tmp_path, item))[0] for item in (evidence, wrong, bare)]
    assert codes == [0, 1, 3]
    (tmp_path / "nonsense").write_bytes(b"{}")
    code, document = checked(capsys, str(tmp_path / "nonsense"))
    assert (code, document["error"]["code"]) == (2, "invalid-input")
    assert "nonsense" in document["error"]["message"]


def test_strangers_key_convicts_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under another key the same bytes are no evidence."""
    path = written(tmp_path, proof())
    code, document = checked(capsys, path, "--vkey", W1.verifier.to_text())
    assert (code, document["reason"]) == (1, "not-signed")


def test_policy_names_the_witnesses_that_signed_both_sides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond the log, whoever cosigned twice is named."""
    (tmp_path / "policy").write_text(policy_text())
    path = written(tmp_path, proof())
    code, document = checked(capsys, path, "--policy", str(tmp_path / "policy"))
    assert (code, document["cosigned_both"]) == (0, ["w1", "w2"])


@pytest.mark.parametrize("language", ["en", "ja"])
def test_show_says_what_the_evidence_comes_to_under_the_readers_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    """With the root it is judged, loudly; without it nothing is said to be verified."""
    settings = msgspec.structs.replace(SETTINGS, language=language)
    root = TrustRoot(
        charter=f"sha256:{'0' * 64}", log=LOG.verifier.to_text(), witnesses=policy_text()
    )
    (tmp_path / "root.json").write_bytes(canonical(root))
    path = written(tmp_path, proof())
    assert call(["show", path], settings) == 0
    assert "w1" not in capsys.readouterr().out
    assert call(["show", path, "--policy", str(tmp_path / "root.json")], settings) == 0
    told = capsys.readouterr().out
    assert "!!" in told
    assert "w1" in told
