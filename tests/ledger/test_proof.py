from __future__ import annotations

import pytest

from sekisho.ledger import BadProof, LogReader, QuorumMissing, TlogProof
from sekisho.model.errors import InvalidInput
from tests.ledger.logs import LOG, W1, W2, numbered, policy, tiled

SIGNERS = (LOG, W1, W2)


def proof_of(index: int, count: int) -> TlogProof:
    """The proof of one entry in a witnessed log of `count`."""
    reader = LogReader(tiled(numbered(count), SIGNERS))
    return reader.prove(index, reader.load_checkpoint(policy()))


@pytest.mark.parametrize(("index", "count"), [(0, 1), (4, 7), (255, 256), (256, 257), (300, 1000)])
def test_proof_verifies_offline(index: int, count: int) -> None:
    """An entry, its proof file and a policy are enough to show it in the log."""
    proof = TlogProof.from_text(proof_of(index, count).to_text())
    cosigned = proof.verify(numbered(count)[index], policy())
    assert cosigned.checkpoint.size == count


def test_proof_of_another_entry_is_bad() -> None:
    """The proof of one entry does not show another."""
    with pytest.raises(BadProof):
        proof_of(4, 7).verify(b"entry 5", policy())


def test_proof_under_a_checkpoint_without_quorum_is_refused() -> None:
    """Inclusion in a checkpoint that too few witnesses saw is no proof."""
    reader = LogReader(tiled(numbered(7), (LOG, W1)))
    proof = reader.prove(4, reader.load_checkpoint(LOG.verifier))
    with pytest.raises(QuorumMissing):
        proof.verify(b"entry 4", policy())


def test_extra_data_is_carried() -> None:
    """The extra line goes there and back, the empty one too."""
    plain = proof_of(1, 3)
    for extra in (b"", b"context"):
        proof = TlogProof(index=1, hashes=plain.hashes, note=plain.note, extra=extra)
        assert TlogProof.from_text(proof.to_text()) == proof


def test_layout_matches_the_specification() -> None:
    """Header, index, hashes, blank line, checkpoint verbatim."""
    proof = proof_of(2, 3)
    lines = proof.to_text().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 2"]
    assert lines[3:5] == ["", "example.org/log"]
    assert proof.to_text().endswith(proof.note.to_bytes().decode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 2", "index 02"),
        ("index 2", "index -1"),
        ("index 2", "Index 2"),
        ("index 2\n", "extra ?\nindex 2\n"),
        ("index 2\n", "index 2\nextra YQ==\n"),
        ("index 2\n", "index 2\nAAAA\n"),
        ("index 2\n", "index 2\n" + "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n" * 63),
        ("\n\nexample.org", "\nexample.org"),
    ],
)
def test_malformed_proof_is_bad_input(old: str, new: str) -> None:
    """A proof file that is not laid out exactly so is refused."""
    text = proof_of(2, 3).to_text()
    assert old in text
    with pytest.raises(InvalidInput):
        TlogProof.from_text(text.replace(old, new, 1))
