"""Signed notes: text with one line for each signature, as logs and witnesses exchange them.

Sources: C2SP signed-note v1.0.0 and tlog-cosignature v1.0.1. A name and a 32-bit key id pick the key that a
line claims; they prove nothing. A line from a key that the verifier does not know is passed over; a line
that claims a known key and does not verify spoils the whole note.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import decode_base64, decode_hex, encode_base64

__all__ = [
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "NoTrustedSignature",
    "Note",
    "NoteAlgorithm",
    "NoteKey",
    "NoteSignature",
    "NoteSigner",
    "VerifiedSignature",
    "VerifierKey",
    "parse_decimal",
    "parse_signature_lines",
    "verify_note",
]

MAX_NOTE_BYTES = 1024 * 1024
MAX_SIGNATURES = 100
MAX_VKEY_LENGTH = 4096  # the name, and a base64 of at most 1,752 characters
MAX_SIZE = 2**63 - 1
_MARK = "— "  # EM DASH and a space open every signature line
_CONTROL: Final = re.compile(rb"[\x00-\x09\x0b-\x1f]")
# What Python calls a space: str.isspace and \\s agree on every character (shown by a test).
_NOT_IN_NAMES: Final = re.compile(r"[+\x00-\x1f]|\s")
_ED25519_SIGNATURE = 64
_MLDSA44_SIGNATURE = 2420


class NoTrustedSignature(BadSignature):
    """The note carries no signature of any key that the verifier trusts."""

    code = "no-trusted-signature"


class NoteAlgorithm(IntEnum):
    """Signature types by their assigned byte; the names say what is signed and how."""

    ED25519 = 0x01
    COSIGNATURE_ED25519 = 0x04
    COSIGNATURE_MLDSA44 = 0x06

    @property
    def is_cosignature(self) -> bool:
        """Whether the signature carries the time at which the cosigner made it."""
        return self is not NoteAlgorithm.ED25519


_KEY_SIZES = {
    NoteAlgorithm.ED25519: 32,
    NoteAlgorithm.COSIGNATURE_ED25519: 32,
    NoteAlgorithm.COSIGNATURE_MLDSA44: 1312,
}


class NoteSignature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature line: who claims to have signed (name, four-byte key id) and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def to_line(self) -> str:
        return f"{_MARK}{self.name} {encode_base64(self.key_id + self.signature)}\n"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A text and its signatures. `text` ends with a newline; the blank line after it belongs to neither."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def from_bytes(cls, raw: bytes, *, path: str = "note") -> Note:
        """Read a note strictly, so that it writes back as the same bytes; nothing is verified yet.

        The last blank line divides text and signatures (the text itself may hold others). At most 1 MiB and
        100 signatures. Raises InvalidInput.
        """
        document = _decode_text(raw, path)
        text, blank, block = document.rpartition("\n\n")
        if not blank:
            raise InvalidInput(
                "no blank line between text and signatures",
                path=path,
                remedy="fetch the note again, whole",
            )
        return cls(text=text + "\n", signatures=parse_signature_lines(block, path=path))

    def to_bytes(self) -> bytes:
        lines = "".join(signature.to_line() for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_signatures(self, added: Iterable[NoteSignature]) -> Note:
        """The same text with further signature lines, none twice."""
        merged = dict.fromkeys([*self.signatures, *added])
        return Note(text=self.text, signatures=tuple(merged))


class VerifiedSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that verified: the key, the line, and for cosignatures the POSIX second it speaks of."""

    key: VerifierKey
    line: NoteSignature
    timestamp: int | None


class VerifierKey(msgspec.Struct, frozen=True, kw_only=True):
    """A named public key as people exchange it: the "vkey" text of signed-note."""

    name: str
    algorithm: NoteAlgorithm
    public_key: bytes

    @classmethod
    def from_text(cls, text: str, *, path: str = "vkey") -> VerifierKey:
        """Read `<name>+<key id>+<base64 of algorithm byte and key>`; the id must be the one the key yields."""
        if len(text) > MAX_VKEY_LENGTH:
            raise InvalidInput(f"longer than {MAX_VKEY_LENGTH} characters", path=path)
        name, _, rest = text.strip(" \t\r\n").partition("+")
        id_hex, _, material = rest.partition("+")
        _check_name(name, path)
        data = decode_base64(material, path=path)
        key = cls(name=name, algorithm=_algorithm(data[:1], path), public_key=data[1:])
        if len(key.public_key) != _KEY_SIZES[key.algorithm]:
            raise InvalidInput(
                f"a key of {len(key.public_key)} bytes does not fit its type", path=path
            )
        if decode_hex(id_hex, size=4, path=path) != key.key_id:
            raise InvalidInput(
                "the key id does not belong to this name and key",
                path=path,
                remedy="copy the whole vkey again",
            )
        return key

    def to_text(self) -> str:
        material = bytes([self.algorithm]) + self.public_key
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(material)}"

    @property
    def key_id(self) -> bytes:
        head = f"{self.name}\n".encode() + bytes([self.algorithm])
        return hashlib.sha256(head + self.public_key).digest()[:4]

    def made(self, line: NoteSignature) -> bool:
        """Whether the line claims this key (which says nothing about its signature)."""
        return line.name == self.name and line.key_id == self.key_id

    def verify(self, text: str, line: NoteSignature) -> VerifiedSignature:
        """Check one line over the note's text. Raises BadSignature."""
        timestamp, signature = _split_timestamp(self, line)
        message = _signed_message(self, text, timestamp)
        try:
            if self.algorithm is NoteAlgorithm.COSIGNATURE_MLDSA44:
                MLDSA44PublicKey.from_public_bytes(self.public_key).verify(signature, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise BadSignature(
                f"the signature of {self.name!r} does not verify over this note"
            ) from None
        return VerifiedSignature(key=self, line=line, timestamp=timestamp)


NoteKey: TypeAlias = Ed25519PrivateKey | MLDSA44PrivateKey


class NoteSigner:
    """A named key that signs notes: a log's own (Ed25519), or a cosigner's (Ed25519 or ML-DSA-44), which adds the time.

    The private key stays in the object of `cryptography`; nothing here prints or stores it.
    """

    def __init__(
        self, name: str, key: NoteKey, algorithm: NoteAlgorithm = NoteAlgorithm.ED25519
    ) -> None:
        _check_name(name, "name")
        if isinstance(key, MLDSA44PrivateKey) != (algorithm is NoteAlgorithm.COSIGNATURE_MLDSA44):
            raise InvalidInput(f"this key does not sign as {algorithm.name}", path="algorithm")
        self._key = key
        public = key.public_key().public_bytes_raw()
        self.verifier = VerifierKey(name=name, algorithm=algorithm, public_key=public)

    @classmethod
    def cosigner(cls, name: str, key: NoteKey) -> NoteSigner:
        """A cosigner of the one type that its key can make."""
        mldsa = isinstance(key, MLDSA44PrivateKey)
        kinds = NoteAlgorithm.COSIGNATURE_MLDSA44, NoteAlgorithm.COSIGNATURE_ED25519
        return cls(name, key, kinds[0] if mldsa else kinds[1])

    @property
    def name(self) -> str:
        return self.verifier.name

    def sign(self, text: str, *, timestamp: int | None = None) -> NoteSignature:
        """Sign a note's text; a cosigner needs `timestamp`, a POSIX second, and a log's key takes none.

        Raises InvalidInput for a time that no cosignature can carry, BadSignature where an ML-DSA-44 cosigner is
        given something that is no checkpoint.
        """
        if self.verifier.algorithm.is_cosignature == (timestamp is None):
            raise InvalidInput(
                "a cosigner signs with a time, a log key without one", path="timestamp"
            )
        if timestamp is not None and not 0 <= timestamp <= MAX_SIZE:
            raise InvalidInput("a time is 0 to 2^63 - 1", path="timestamp")
        signature = self._key.sign(_signed_message(self.verifier, text, timestamp))
        stamped = signature if timestamp is None else struct.pack(">Q", timestamp) + signature
        return NoteSignature(name=self.name, key_id=self.verifier.key_id, signature=stamped)


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifiedSignature, ...]:
    """Every signature of a known key, verified, in the note's order; lines of unknown keys are passed over.

    Raises BadSignature where a line claims a known key and no key of that name and id verifies it, and
    NoTrustedSignature where no line claims any known key.
    """
    known: dict[tuple[str, bytes], list[VerifierKey]] = {}
    for key in keys:
        known.setdefault((key.name, key.key_id), []).append(key)
    verified = []
    for line in note.signatures:
        candidates = known.get((line.name, line.key_id))
        if candidates:
            verified.append(_verify_by_any(note.text, line, candidates))
    if not verified:
        raise NoTrustedSignature("no signature by a key that this verifier trusts")
    return tuple(verified)


def parse_signature_lines(block: str, *, path: str = "note") -> tuple[NoteSignature, ...]:
    """Read one or more signature lines, as they end a note and as a witness answers them."""
    lines = block.split("\n")
    if lines.pop() or not lines:
        raise InvalidInput(
            "signature lines must stand at the end, each closed by a newline", path=path
        )
    if len(lines) > MAX_SIGNATURES:
        raise InvalidInput(f"more than {MAX_SIGNATURES} signatures", path=path)
    return tuple(_parse_line(line, path) for line in lines)


def parse_decimal(text: str, *, path: str) -> int:
    """A size or index: ASCII digits without leading zeroes, at most 2^63 - 1."""
    if (
        not (text.isascii() and text.isdigit())
        or len(text) > 19
        or (text[0] == "0" and text != "0")
    ):
        raise InvalidInput(
            f"{text[:24]!r} is not a decimal number without leading zeroes", path=path
        )
    if int(text) > MAX_SIZE:
        raise InvalidInput("beyond 2^63 - 1", path=path)
    return int(text)


def _verify_by_any(text: str, line: NoteSignature, keys: list[VerifierKey]) -> VerifiedSignature:
    """Two keys may collide in name and 32-bit id; the signature then counts for the one that made it."""
    failure = BadSignature(f"the signature of {line.name!r} does not verify over this note")
    for key in keys:
        try:
            return key.verify(text, line)
        except BadSignature as error:
            failure = error
    raise failure


def _parse_line(line: str, path: str) -> NoteSignature:
    fields = line.removeprefix(_MARK).split(" ")
    if not line.startswith(_MARK) or len(fields) != 2:
        raise InvalidInput("not a signature line (em dash, space, name, space, base64)", path=path)
    name, encoded = fields
    _check_name(name, path)
    data = decode_base64(encoded, path=path)
    if len(data) < 5:
        raise InvalidInput("a signature shorter than its key id and one byte", path=path)
    return NoteSignature(name=name, key_id=data[:4], signature=data[4:])


def _decode_text(raw: bytes, path: str) -> str:
    if len(raw) > MAX_NOTE_BYTES:
        raise InvalidInput(f"longer than {MAX_NOTE_BYTES} bytes", path=path)
    try:
        document = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"not UTF-8 at byte {error.start}", path=path) from None
    if _CONTROL.search(raw):
        raise InvalidInput("a control character other than newline", path=path)
    return document


def _check_name(name: str, path: str) -> None:
    if not name or _NOT_IN_NAMES.search(name):
        raise InvalidInput(
            f"{name[:60]!r} is not a key name (no spaces, no plus, not empty)", path=path
        )


def _algorithm(byte: bytes, path: str) -> NoteAlgorithm:
    try:
        return NoteAlgorithm(byte[0])
    except (ValueError, IndexError):
        raise InvalidInput(
            f"signature type {byte.hex() or 'none'} is not spoken here",
            path=path,
            remedy="use Ed25519 (01), an Ed25519 cosigner (04) or an ML-DSA-44 cosigner (06)",
        ) from None


def _split_timestamp(key: VerifierKey, line: NoteSignature) -> tuple[int | None, bytes]:
    """A cosignature is eight bytes of time and then the signature; a plain one is the signature alone."""
    mldsa = key.algorithm is NoteAlgorithm.COSIGNATURE_MLDSA44
    length = _MLDSA44_SIGNATURE if mldsa else _ED25519_SIGNATURE
    stamp = 8 if key.algorithm.is_cosignature else 0
    if len(line.signature) != stamp + length:
        raise BadSignature(f"the signature of {key.name!r} has the wrong length")
    if not stamp:
        return None, line.signature
    timestamp = int.from_bytes(line.signature[:8], "big")
    if timestamp > MAX_SIZE:
        raise BadSignature(f"the cosignature of {key.name!r} names a time beyond 2^63 - 1")
    return timestamp, line.signature[8:]


def _signed_message(key: VerifierKey, text: str, timestamp: int | None) -> bytes:
    if timestamp is None:
        return text.encode()
    if key.algorithm is NoteAlgorithm.COSIGNATURE_ED25519:
        return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    return _mldsa_message(key.name, timestamp, text)


def _mldsa_message(name: str, timestamp: int, text: str) -> bytes:
    """The `cosigned_message` structure of tlog-cosignature for a whole checkpoint (start is 0)."""
    lines = text.split("\n")
    try:
        origin, size = lines[0].encode(), parse_decimal(lines[1], path="checkpoint")
        root = decode_base64(lines[2], path="checkpoint")
    except (IndexError, InvalidInput):
        raise BadSignature(
            "an ML-DSA-44 cosignature over something that is no checkpoint"
        ) from None
    cosigner = name.encode()
    if len(root) != 32 or not 0 < len(origin) < 256 or len(cosigner) > 255:
        raise BadSignature("an ML-DSA-44 cosignature over something that is no checkpoint")
    head = b"subtree/v1\n\0" + bytes([len(cosigner)]) + cosigner + struct.pack(">Q", timestamp)
    return head + bytes([len(origin)]) + origin + struct.pack(">QQ", 0, size) + root
