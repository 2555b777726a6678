from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger import (
    EMPTY_ROOT,
    Checkpoint,
    WrongOrigin,
    sign_checkpoint,
    verify_checkpoint,
)
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.signing.notes import NoteSigner
from tests.ledger.logs import LOG, ORIGIN, W1, private_key

EMPTY_LINE = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
GOLDEN = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"


def test_checkpoint_of_the_specification_reads_and_writes() -> None:
    """The example of tlog-checkpoint goes there and back."""
    checkpoint = Checkpoint.from_text(GOLDEN)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.to_text() == GOLDEN


def test_extension_lines_are_kept() -> None:
    """Lines after the third belong to the text and come back with it."""
    assert Checkpoint.from_text(GOLDEN + "more\n").to_text() == GOLDEN + "more\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        f"o\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"o\n01\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n1 \n{ROOT}\n",
        f"o\n١\n{ROOT}\n",
        f"o\n\n{ROOT}\n",
        f"o\n9223372036854775808\n{ROOT}\n",
        f"o\n{'9' * 400}\n{ROOT}\n",
        f"o\n1\n{ROOT[:-1]}\n",
        f"o\n1\n{ROOT[:-2]}J=\n",
        "o\n1\nAAAA\n",
        f"o\n1\n{ROOT}\n\n",
        f"o\n1\n{ROOT}\n\nx\n",
    ],
)
def test_malformed_checkpoint_is_bad_input(text: str) -> None:
    """What is not exactly three lines or more, each in its one spelling, is refused."""
    with pytest.raises(InvalidInput):
        Checkpoint.from_text(text)


@given(st.integers(min_value=1, max_value=2**63 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoint_goes_there_and_back(size: int, root: bytes) -> None:
    """Every size and root survives the text."""
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root)
    assert Checkpoint.from_text(checkpoint.to_text()) == checkpoint


def test_empty_tree_has_one_root() -> None:
    """Size 0 reads with the hash of nothing."""
    assert Checkpoint.from_text(f"o\n0\n{EMPTY_LINE}\n").root == EMPTY_ROOT


def test_checkpoint_verifies_under_its_logs_key_only() -> None:
    """The log's key verifies its checkpoint; a key of another name or a cosigner's does not."""
    checkpoint = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    note = sign_checkpoint(checkpoint, LOG)
    assert verify_checkpoint(note, LOG.verifier) == checkpoint
    for other in (NoteSigner("example.org/x", private_key("log")), W1):
        with pytest.raises(BadSignature):
            verify_checkpoint(note, other.verifier)


def test_checkpoint_of_another_origin_is_refused() -> None:
    """A log's key cannot speak for another log."""
    note = sign_checkpoint(Checkpoint(origin="example.org/other", size=0, root=EMPTY_ROOT), LOG)
    with pytest.raises(WrongOrigin):
        verify_checkpoint(note, LOG.verifier)
