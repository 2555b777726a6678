from __future__ import annotations

import struct

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import BadSignature, InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import CharterLog, CosignatureAlgorithm
from sekisho.signing import Mark, Marks, TooFewWitnesses
from sekisho.signing.notes import (
    Note,
    NoteAlgorithm,
    NoteSignature,
    NoteSigner,
    NoTrustedSignature,
    VerifierKey,
    _signed_message,
)
from sekisho.signing.witnessing import median_second, verify_quoted
from tests.factory import COSIGNERS, LOG, LOG_NOTE, NOW, ORIGIN, charter, checkpoint_note, signer
from tests.signing.logs import RegimeLog

TERMS = charter().log


def quoted(text: str, log: CharterLog = TERMS, index: int = 10) -> Mark:
    """The mark that a note makes in entry 10."""
    return verify_quoted(text, index, lambda _: log)


def mark(index: int, size: int, seconds: int) -> Mark:
    return Mark(index=index, size=size, root=f"{size:064x}", at=NOW.plus(seconds))


def test_a_mark_is_the_quoted_tree_with_its_median_time() -> None:
    """Size and root of the checkpoint, and the lower median of what the witnesses signed."""
    note = Note.from_bytes(checkpoint_note(7, NOW, cosigners=COSIGNERS[:1]).encode())
    late = COSIGNERS[1].sign(note.text, timestamp=int(NOW.seconds) + 50)
    made = quoted(note.with_signatures([late]).to_bytes().decode())
    assert (made.index, made.size, made.at) == (10, 7, NOW)
    assert median_second([5, 1, 9]) == 5
    assert median_second([5, 1, 9, 7]) == 5
    assert median_second([]) is None


def test_too_few_cosignatures_make_no_mark() -> None:
    """One of two asked, or one witness twice."""
    with pytest.raises(TooFewWitnesses, match="1 of 2"):
        quoted(checkpoint_note(7, NOW, cosigners=COSIGNERS[:1]))
    note = Note.from_bytes(checkpoint_note(7, NOW, cosigners=COSIGNERS[:1]).encode())
    again = COSIGNERS[0].sign(note.text, timestamp=int(NOW.seconds) + 1)
    with pytest.raises(TooFewWitnesses):
        quoted(note.with_signatures([again]).to_bytes().decode())


def test_a_tree_larger_than_the_log_makes_no_mark() -> None:
    """Entry 10 cannot quote a tree of eleven entries."""
    with pytest.raises(InvalidInput, match="size 11"):
        quoted(checkpoint_note(11, NOW))
    assert quoted(checkpoint_note(10, NOW)).size == 10


@pytest.mark.parametrize(
    "text", ["", "x\n\n", f"{ORIGIN}\n1\n\n", f"{ORIGIN}\n1\nAAAA\n\n— w AAAAAAAA\n"]
)
def test_what_is_no_checkpoint_makes_no_mark(text: str) -> None:
    """Bytes of somebody else's making are refused, never believed."""
    with pytest.raises(SekishoError):
        quoted(text)


def test_a_checkpoint_without_the_logs_own_signature_makes_no_mark() -> None:
    """Witnesses alone, or another log's key."""
    note = Note.from_bytes(checkpoint_note(7, NOW).encode())
    bare = Note(text=note.text, signatures=note.signatures[1:])
    with pytest.raises(NoTrustedSignature):
        quoted(bare.to_bytes().decode())
    other = NoteSigner(ORIGIN, signer("other log").private)
    forged = Note(text=note.text, signatures=(other.sign(note.text), *note.signatures[1:]))
    with pytest.raises(NoTrustedSignature):
        quoted(forged.to_bytes().decode())


def test_a_line_of_a_known_witness_that_does_not_verify_spoils_the_mark() -> None:
    """Whoever changes the text after the witnesses signed is caught."""
    note = Note.from_bytes(checkpoint_note(7, NOW).encode())
    text = note.text.replace("\n7\n", "\n8\n")
    bent = Note(text=text, signatures=(LOG_NOTE.sign(text), *note.signatures[1:]))
    with pytest.raises(BadSignature):
        quoted(bent.to_bytes().decode())


def test_a_cosignature_counts_until_its_algorithm_ends() -> None:
    """At the end date itself it no longer does; an algorithm that the charter does not name never did."""
    end = NOW.plus(100)
    log = msgspec.structs.replace(
        TERMS, cosignatures=(CosignatureAlgorithm(name="ed25519", until=end),)
    )
    assert quoted(checkpoint_note(7, NOW.plus(99)), log).at == NOW.plus(99)
    with pytest.raises(TooFewWitnesses, match="0 of 2"):
        quoted(checkpoint_note(7, end), log)
    with pytest.raises(TooFewWitnesses):
        quoted(checkpoint_note(7, NOW), msgspec.structs.replace(log, cosignatures=()))


def test_an_ml_dsa_cosignature_counts_where_the_charter_names_it() -> None:
    """One witness of each algorithm make the quorum of two; without the name, or after its end, they do not."""
    secret = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    key = VerifierKey(
        name="w2.example",
        algorithm=NoteAlgorithm.COSIGNATURE_MLDSA44,
        public_key=secret.public_key().public_bytes_raw(),
    )
    witnesses = (
        TERMS.witnesses[0],
        msgspec.structs.replace(TERMS.witnesses[1], vkey=key.to_text()),
    )
    both = (
        *TERMS.cosignatures,
        CosignatureAlgorithm(name="ml-dsa-44", until=NOW.plus(1)),
    )
    log = msgspec.structs.replace(TERMS, witnesses=witnesses, cosignatures=both)

    def note(at: Instant) -> str:
        plain = Note.from_bytes(checkpoint_note(7, at, cosigners=COSIGNERS[:1]).encode())
        second = int(at.seconds)
        made = secret.sign(_signed_message(key, plain.text, second))
        line = NoteSignature(
            name=key.name, key_id=key.key_id, signature=struct.pack(">Q", second) + made
        )
        return plain.with_signatures([line]).to_bytes().decode()

    assert quoted(note(NOW), log).size == 7
    for other in (
        (note(NOW.plus(1)), log),
        (note(NOW), msgspec.structs.replace(log, cosignatures=TERMS.cosignatures)),
    ):
        with pytest.raises(TooFewWitnesses, match="1 of 2"):
            quoted(*other)


def test_recorded_time_lies_between_the_marks_around_an_entry() -> None:
    """After the newest tree quoted before it, not after the first tree that holds it."""
    marks = Marks().plus(mark(2, 2, 0)).plus(mark(5, 5, 60)).plus(mark(9, 8, 120))
    assert (marks.before(3), marks.after(3)) == (NOW, NOW.plus(60))
    assert (marks.before(2), marks.after(1)) == (None, NOW)
    assert marks.after(8) is None
    assert marks.after(7) == NOW.plus(120)
    assert marks.after(-1) is None
    assert marks.newest == mark(9, 8, 120)
    assert marks.of_size(5, f"{5:064x}") == mark(5, 5, 60)
    assert marks.of_size(5, "0" * 64) is None
    assert marks.of_size(6, f"{6:064x}") is None
    assert marks.quoted_in(5) == mark(5, 5, 60)
    assert marks.quoted_in(6) is None
    assert Marks().newest is None


def test_marks_never_step_back() -> None:
    """A smaller tree, an earlier time, and the same tree again change nothing; a later look at it counts."""
    marks = Marks().plus(mark(5, 5, 60))
    for other in (mark(6, 4, 70), mark(6, 6, 59), mark(6, 5, 60)):
        assert marks.plus(other) is marks
    assert len(marks.plus(mark(6, 5, 61)).rows) == 2


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=30))
def test_recorded_time_is_what_a_plain_search_gives(rows: list[tuple[int, int]]) -> None:
    """Whatever marks come, each entry's interval is that of the first mark that holds it."""
    marks = Marks()
    kept: list[Mark] = []
    for index, (size, second) in enumerate(rows):
        made = mark(index, size, second)
        if marks.plus(made) is not marks:
            kept.append(made)
        marks = marks.plus(made)
    assert [m.size for m in kept] == sorted(m.size for m in kept)
    for index in range(-1, 42):
        after = [m.at for m in kept if m.size > index >= 0]
        before = [m.at for m in kept if m.index < index]
        assert marks.after(index) == (after[0] if after else None)
        assert marks.before(index) == (before[-1] if before else None)


def test_the_regime_knows_when_each_entry_was_recorded() -> None:
    """From the log's own marks; the last entries have no end yet."""
    log = RegimeLog()
    entry = log.report(COSIGNER_OF_NOBODY)
    log.pass_time(60)
    last = len(log.entries)
    assert log.regime.recorded_between(entry.index)[1] == NOW
    assert log.regime.recorded_between(last)[1] is None
    assert log.regime.newest_mark is not None
    assert log.regime.newest_mark.at == NOW.plus(60)


def test_a_mark_that_quotes_nothing_witnessed_is_no_error_and_tells_no_time() -> None:
    """While the witnesses are away the log goes on, without recorded times."""
    log = RegimeLog()
    log.mark(cosigners=COSIGNERS[:1])
    assert log.regime.newest_mark is None
    log.mark()
    assert log.regime.newest_mark is not None


COSIGNER_OF_NOBODY = signer("nobody")
assert LOG.public.key_id != COSIGNER_OF_NOBODY.public.key_id
