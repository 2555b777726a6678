"""A checkpoint that many proofs stand under is verified once by one reader, and never for another policy or note."""

from __future__ import annotations

import pytest

from sekisho.following.rotation import MOST_SEEN, SeenCheckpoints
from sekisho.ledger import Cosigned, Policy
from sekisho.model.errors import VerificationError
from sekisho.signing.notes import Note
from tests import factory as f

POLICY_TEXT = "\n".join(
    [
        f"log {f.LOG_NOTE.verifier.to_text()}",
        *(f"witness w{n} {w.verifier.to_text()}" for n, w in enumerate(f.COSIGNERS, 1)),
        "group all all w1 w2",
        "quorum all",
        "",
    ]
)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Note]:
    """Every note that a policy is really put to."""
    notes: list[Note] = []
    real = Policy.verify_cosigned

    def verify(self: Policy, note: Note) -> Cosigned:
        notes.append(note)
        return real(self, note)

    monkeypatch.setattr(Policy, "verify_cosigned", verify)
    return notes


def note_of(size: int) -> Note:
    return Note.from_bytes(f.checkpoint_note(size, f.NOW).encode())


def test_the_same_note_is_verified_once(counted: list[Note]) -> None:
    """A second proof under one checkpoint costs no signature."""
    seen, policy = SeenCheckpoints(), Policy.from_text(POLICY_TEXT)
    assert seen.verify(note_of(3), policy) is seen.verify(note_of(3), policy)
    assert len(counted) == 1


def test_another_policy_verifies_for_itself(counted: list[Note]) -> None:
    """What holds under one policy says nothing under the next, however equal they look."""
    seen = SeenCheckpoints()
    for _ in range(2):
        seen.verify(note_of(3), Policy.from_text(POLICY_TEXT))
    assert len(counted) == 2


def test_a_note_that_fails_is_not_remembered_as_seen(counted: list[Note]) -> None:
    """One with a changed text, its signatures kept, fails each time."""
    seen, policy = SeenCheckpoints(), Policy.from_text(POLICY_TEXT)
    good = note_of(3)
    seen.verify(good, policy)
    forged = Note(text=good.text.replace("\n3\n", "\n4\n"), signatures=good.signatures)
    for _ in range(2):
        with pytest.raises(VerificationError):
            seen.verify(forged, policy)
    assert len(counted) == 3


def test_only_a_few_are_remembered(counted: list[Note]) -> None:
    """The memory is bounded: the oldest is verified again."""
    seen, policy = SeenCheckpoints(), Policy.from_text(POLICY_TEXT)
    for size in range(1, MOST_SEEN + 2):
        seen.verify(note_of(size), policy)
    seen.verify(note_of(1), policy)
    assert len(counted) == MOST_SEEN + 2
