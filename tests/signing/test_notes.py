from __future__ import annotations

import base64
import hashlib
import struct
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.signing.notes import (
    _NOT_IN_NAMES,
    Note,
    NoteAlgorithm,
    NoteSignature,
    NoteSigner,
    NoTrustedSignature,
    VerifierKey,
    verify_note,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = NoteSigner("example.org/log", KEY)
COSIGNER = NoteSigner.cosigner("example.org/w1", KEY)
TEXT = "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

# Golden vectors, computed once with hashlib and cryptography by the formulas of the specification.
GOLDEN_VKEY = "example.org/log+98af023b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
GOLDEN_COSIGNER_VKEY = "example.org/w1+59ba4ad4+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"


def test_log_key_matches_its_golden_vkey() -> None:
    """The vkey of a fixed log key never changes."""
    assert LOG.verifier.to_text() == GOLDEN_VKEY


def test_cosigner_key_matches_its_golden_vkey() -> None:
    """The same key as cosigner has another type byte and so another key id."""
    assert COSIGNER.verifier.to_text() == GOLDEN_COSIGNER_VKEY


@pytest.mark.parametrize("signer", [LOG, COSIGNER])
def test_vkey_goes_there_and_back(signer: NoteSigner) -> None:
    """A verifier key reads back from its own text as the same key."""
    assert VerifierKey.from_text(signer.verifier.to_text()) == signer.verifier


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org/log",
        GOLDEN_VKEY.replace("98af023b", "98af023c"),
        GOLDEN_VKEY.replace("98af023b", "98AF023B"),
        GOLDEN_VKEY.replace("example.org/log", "example.org/other"),
        GOLDEN_VKEY.replace("example.org/log", "example org"),
        GOLDEN_VKEY[:-4],
        GOLDEN_VKEY + "=",
        "+".join(["x", "00000000", base64.b64encode(b"\x02" + bytes(32)).decode()]),
        "x+00000000+",
    ],
)
def test_malformed_vkey_is_bad_input(text: str) -> None:
    """A vkey with a wrong id, type, length or name is refused as input."""
    with pytest.raises(InvalidInput):
        VerifierKey.from_text(text)


def test_signed_note_verifies_and_goes_there_and_back() -> None:
    """A note signed by log and cosigner writes and reads back, and yields both with the time."""
    note = Note(
        text=TEXT, signatures=(LOG.sign(TEXT), COSIGNER.sign(TEXT, timestamp=1_679_315_147))
    )
    again = Note.from_bytes(note.to_bytes())
    verified = verify_note(again, [LOG.verifier, COSIGNER.verifier])
    assert again == note
    assert [item.timestamp for item in verified] == [None, 1_679_315_147]


def test_cosignature_signs_the_text_with_header_and_time() -> None:
    """The signed message of an Ed25519 cosignature is exactly what tlog-cosignature writes."""
    line = COSIGNER.sign(TEXT, timestamp=1_679_315_147)
    assert line.signature[:8] == struct.pack(">Q", 1_679_315_147)
    message = b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    KEY.public_key().verify(line.signature[8:], message)


def test_text_may_hold_blank_lines() -> None:
    """The last blank line divides text and signatures, as signed-note says."""
    text = "first\n\nsecond\n"
    note = Note(text=text, signatures=(LOG.sign(text),))
    assert Note.from_bytes(note.to_bytes()).text == text


def test_unknown_signatures_are_passed_over() -> None:
    """Lines of keys that the verifier does not know change nothing, even under a known name."""
    stranger = NoteSignature(name=LOG.name, key_id=b"\0\0\0\0", signature=b"anything")
    note = Note(text=TEXT, signatures=(stranger, LOG.sign(TEXT)))
    assert [item.key for item in verify_note(note, [LOG.verifier])] == [LOG.verifier]


def test_note_without_trusted_signature_is_refused() -> None:
    """A note that no known key signed is refused."""
    note = Note(text=TEXT, signatures=(LOG.sign(TEXT),))
    with pytest.raises(NoTrustedSignature):
        verify_note(note, [COSIGNER.verifier])


def test_bad_signature_of_a_known_key_spoils_the_note() -> None:
    """One wrong line of a known key refuses the note although another line verifies."""
    wrong = NoteSignature(name=COSIGNER.name, key_id=COSIGNER.verifier.key_id, signature=bytes(72))
    note = Note(text=TEXT, signatures=(LOG.sign(TEXT), wrong))
    with pytest.raises(BadSignature):
        verify_note(note, [LOG.verifier, COSIGNER.verifier])


def test_colliding_key_ids_count_for_the_key_that_signed() -> None:
    """Two keys with one name and one id: the line counts for the one that verifies it."""

    class Colliding(VerifierKey, frozen=True, kw_only=True):
        @property
        def key_id(self) -> bytes:
            return LOG.verifier.key_id

    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    twin = Colliding(name=LOG.name, algorithm=NoteAlgorithm.ED25519, public_key=other)
    note = Note(text=TEXT, signatures=(LOG.sign(TEXT),))
    assert verify_note(note, [twin, LOG.verifier])[0].key == LOG.verifier


def mldsa_note(
    text: str, *, name: str = "example.org/pq", spoil: int = 0
) -> tuple[Note, VerifierKey]:
    """A checkpoint with an ML-DSA-44 cosignature made here, by the structure of tlog-cosignature."""
    private = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    public = private.public_key().public_bytes_raw()
    key = VerifierKey(name=name, algorithm=NoteAlgorithm.COSIGNATURE_MLDSA44, public_key=public)
    origin, size, root = text.split("\n")[:3]
    message = b"subtree/v1\n\0" + bytes([len(name)]) + name.encode() + struct.pack(">Q", 7)
    message += bytes([len(origin)]) + origin.encode() + struct.pack(">QQ", 0, int(size) + spoil)
    message += base64.b64decode(root)
    stamped = struct.pack(">Q", 7) + private.sign(message)
    line = NoteSignature(name=name, key_id=key.key_id, signature=stamped)
    return Note(text=text, signatures=(line,)), key


def test_mldsa_cosignature_verifies_with_its_time() -> None:
    """An ML-DSA-44 cosignature over a checkpoint verifies and yields its time."""
    note, key = mldsa_note(TEXT)
    assert VerifierKey.from_text(key.to_text()) == key
    assert verify_note(Note.from_bytes(note.to_bytes()), [key])[0].timestamp == 7


def test_mldsa_cosignature_over_another_size_is_refused() -> None:
    """An ML-DSA-44 cosignature of another tree does not verify."""
    note, key = mldsa_note(TEXT, spoil=1)
    with pytest.raises(BadSignature):
        verify_note(note, [key])


def test_mldsa_key_id_uses_type_byte_six() -> None:
    """The key id hashes name, newline, byte 06 and the public key."""
    _, key = mldsa_note(TEXT)
    expected = hashlib.sha256(b"example.org/pq\n\x06" + key.public_key).digest()[:4]
    assert key.key_id == expected


def test_mldsa_cosignature_needs_a_checkpoint() -> None:
    """Over a text that is no checkpoint, an ML-DSA-44 line can only be wrong."""
    note, key = mldsa_note(TEXT)
    with pytest.raises(BadSignature):
        verify_note(Note(text="hello\n", signatures=note.signatures), [key])


@pytest.mark.parametrize("stamp", [None, 5])
def test_signer_refuses_the_wrong_use_of_time(stamp: int | None) -> None:
    """A log key signs without a time, a cosigner never without."""
    signer = COSIGNER if stamp is None else LOG
    with pytest.raises(InvalidInput):
        signer.sign(TEXT, timestamp=stamp)


def line(name: str = "n", data: bytes = b"12345") -> bytes:
    """A signature line with any content."""
    return f"— {name} {base64.b64encode(data).decode()}\n".encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nnot a signature\n",
        b"text\n\n" + line()[:-1],
        b"text\n\n" + line() + b"\n",
        b"text\n\n- n MTIzNDU=\n",
        b"text\n\n\xe2\x80\x94 n  MTIzNDU=\n",
        b"text\n\n\xe2\x80\x94 n MTIzNDU=\xe2\x80\x83\n",
        b"text\r\n\r\n" + line(),
        b"te\txt\n\n" + line(),
        b"te\xffxt\n\n" + line(),
        b"text\n\n" + line("a+b"),
        b"text\n\n" + line("a\u2003b"),
        b"text\n\n" + line(data=b"1234"),
        b"text\n\n" + line() * 101,
        b"x" * (1024 * 1024) + b"\n\n" + line(),
    ],
)
def test_malformed_note_is_bad_input(raw: bytes) -> None:
    """What is not exactly a signed note is refused as input."""
    with pytest.raises(InvalidInput):
        Note.from_bytes(raw)


def test_hundred_signatures_are_accepted() -> None:
    """The limit is 100 signatures, not 99."""
    assert len(Note.from_bytes(b"text\n\n" + line() * 100).signatures) == 100


@given(st.binary(max_size=200))
def test_whatever_parses_writes_back_as_it_was(tail: bytes) -> None:
    """No two byte strings are the same note."""
    raw = b"text\n\n" + line() + tail
    try:
        note = Note.from_bytes(raw)
    except InvalidInput:
        return
    assert note.to_bytes() == raw


@given(st.integers(min_value=0, max_value=len(TEXT) * 8 - 1))
def test_any_flipped_bit_of_the_text_breaks_both_signatures(bit: int) -> None:
    """A signature covers every bit of the text."""
    raw = bytearray(TEXT.encode())
    raw[bit // 8] ^= 1 << (bit % 8)
    text = raw.decode("latin-1")
    signatures = (LOG.sign(TEXT), COSIGNER.sign(TEXT, timestamp=1))
    for signature, signer in zip(signatures, (LOG, COSIGNER), strict=True):
        with pytest.raises(BadSignature):
            signer.verifier.verify(text, signature)


def test_a_space_in_a_key_name_is_what_python_calls_one() -> None:
    """The pattern that names are held against and `str.isspace` agree on every character there is."""
    refused = {c for c in map(chr, range(sys.maxunicode + 1)) if _NOT_IN_NAMES.search(c)}
    named = {c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace() or ord(c) < 0x20}
    assert refused == named | {"+"}
