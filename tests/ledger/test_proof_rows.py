from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli.main import call
from sekisho.ledger import LogReader
from sekisho.ledger.proof_rows import ProofVerdict, RowError, check_proof_rows
from sekisho.ledger.tree import leaf_hash
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import encode_base64
from sekisho.settings import Settings
from tests.ledger.logs import LOG, MemoryTiles, numbered, signed, tiled

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))


def root(size: int) -> str:
    """The root of the first `size` numbered entries."""
    return encode_base64(
        LogReader(tiled(numbered(size))).load_checkpoint(LOG.verifier).checkpoint.root
    )


def inclusion(**changes: Any) -> dict[str, Any]:
    """A good inclusion proof as a row, but for the changes."""
    proof = LogReader(tiled(numbered(7))).inclusion_proof(4, 7)
    row = {
        "kind": "inclusion",
        "leafIdx": 4,
        "treeSize": 7,
        "root": root(7),
        "leafHash": encode_base64(leaf_hash(b"entry 4")),
        "proof": [encode_base64(item) for item in proof],
        "desc": "unknown fields are passed over",
    }
    return row | changes


def consistency(**changes: Any) -> dict[str, Any]:
    """A good consistency proof as a row, but for the changes."""
    proof = LogReader(tiled(numbered(7))).consistency_proof(4, 7)
    row = {
        "kind": "consistency",
        "size1": 4,
        "size2": 7,
        "root1": root(4),
        "root2": root(7),
        "proof": [encode_base64(item) for item in proof],
    }
    return row | changes


def lines(*rows: Any) -> bytes:
    """Rows as JSON lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


GARBAGE = encode_base64(b"don't care")


@pytest.mark.parametrize(
    "row",
    [
        inclusion(),
        inclusion(leafIdx=0, treeSize=1, root=root(1), leafHash=root(1), proof=None),
        consistency(),
        consistency(size1=7, root1=root(7), proof=None),
        consistency(size1=0, size2=0, root1=GARBAGE, root2=GARBAGE, proof=[]),
    ],
)
def test_good_proofs_hold(row: dict[str, Any]) -> None:
    """Proofs that lead where they say hold, the empty ones of equal sizes too."""
    (answer,) = check_proof_rows(lines(row), path="f")
    assert isinstance(answer, ProofVerdict)
    assert answer.verdict == "holds"


@pytest.mark.parametrize(
    "row",
    [
        inclusion(leafIdx=5),
        inclusion(leafIdx=2**64 - 1),
        inclusion(treeSize=14),
        inclusion(root=""),
        inclusion(root=None),
        inclusion(leafHash=GARBAGE),
        inclusion(proof=[]),
        inclusion(proof=[*inclusion()["proof"], ""]),
        inclusion(treeSize=0),
        consistency(size1=5),
        consistency(size1=0),
        consistency(size1=0, root1="", proof=[]),
        consistency(size1=8),
        consistency(proof=[]),
        consistency(root1=root(7), root2=root(4)),
        consistency(root2=GARBAGE),
        consistency(size1=1, size2=1, root1=GARBAGE, root2=""),
    ],
)
def test_wrong_proofs_fail_with_a_reason(row: dict[str, Any]) -> None:
    """A proof that leads elsewhere fails and says why; it is not bad input."""
    (answer,) = check_proof_rows(lines(row), path="f")
    assert isinstance(answer, ProofVerdict)
    assert (answer.verdict, bool(answer.why)) == ("fails", True)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"{}",
        b'{"kind":"other"}',
        lines(inclusion(leafIdx="4")).strip(),
        lines(inclusion(leafIdx=2**70)).strip(),
        lines(inclusion(leafIdx=4.5)).strip(),
        lines(inclusion(root="not base64!")).strip(),
        lines(inclusion(proof=["AAB="])).strip(),
        lines({k: v for k, v in inclusion().items() if k != "proof"}).strip(),
        b'{"kind":"inclusion","kind":"inclusion"}',
    ],
)
def test_bad_row_answers_for_itself_alone(line: bytes) -> None:
    """A row that is no proof names its line; the rows around it are checked."""
    data = lines(inclusion()) + line + b"\n\n" + lines(consistency())
    first, bad, last = check_proof_rows(data, path="f")
    assert isinstance(first, ProofVerdict)
    assert isinstance(last, ProofVerdict)
    assert isinstance(bad, RowError)
    assert bad.line == 2
    assert "f:2" in bad.error


def test_file_without_rows_is_bad_input() -> None:
    """Nothing to check is not a success."""
    with pytest.raises(InvalidInput):
        check_proof_rows(b"\n \n", path="f")


def on_disk(store: MemoryTiles, folder: Path) -> Path:
    """A log's files in a real folder."""
    for path, data in store.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """A command's exit code and JSON document."""
    code = call([*arguments, "--json"], SETTINGS)
    return code, json.loads(capsys.readouterr().out)


def test_command_checks_proofs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`log check-proof` lists verdicts in order, and bad input outranks a failure."""
    file = tmp_path / "proofs.jsonl"
    file.write_bytes(lines(inclusion(), consistency(size1=5)))
    code, document = run(capsys, "log", "check-proof", str(file))
    assert (code, [row["verdict"] for row in document]) == (1, ["holds", "fails"])
    file.write_bytes(lines(inclusion()) + b"?\n")
    code, document = run(capsys, "log", "check-proof", str(file))
    assert (code, document[1]["line"]) == (2, 2)


def test_command_checks_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`log fsck` prints verdict, size and root, and 0 for a whole log."""
    folder = on_disk(tiled(numbered(300)), tmp_path)
    code, document = run(capsys, "log", "fsck", str(folder), "--vkey", LOG.verifier.to_text())
    assert code == 0
    assert document == {"verdict": "holds", "size": 300, "root": root(300), "faults": []}


def test_command_finds_a_damaged_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing tile ends with 1 and its name."""
    folder = on_disk(tiled(numbered(300)), tmp_path)
    (folder / "tile/0/000").unlink()
    code, document = run(capsys, "log", "fsck", str(folder), "--vkey", LOG.verifier.to_text())
    assert (code, [fault["path"] for fault in document["faults"]]) == (1, ["tile/0/000"])


def test_command_takes_another_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkpoint that somebody kept is checked against the folder."""
    folder = on_disk(tiled(numbered(7)), tmp_path)
    kept = tmp_path / "kept"
    kept.write_bytes(signed(7, bytes(32)).to_bytes())
    key = tmp_path / "key"
    key.write_text(LOG.verifier.to_text() + "\n")
    arguments = ("log", "fsck", str(folder), "--vkey", str(key), "--checkpoint", str(kept))
    assert run(capsys, *arguments)[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("{tmp}/nothing", "{key}"),
        ("{tmp}", "{key}"),
        ("{tmp}/log", "nonsense"),
        ("{tmp}/log", "a+b+c"),
    ],
)
def test_command_names_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str]
) -> None:
    """No folder, no checkpoint in it, or no key: exit 2."""
    on_disk(tiled(numbered(3)), tmp_path / "log")
    folder, key = (a.format(tmp=tmp_path, key=LOG.verifier.to_text()) for a in arguments)
    code, document = run(capsys, "log", "fsck", folder, "--vkey", key)
    assert (code, document["error"]["code"]) == (2, "invalid-input")
