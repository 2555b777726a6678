"""A signer whose ECDSA key is in this process's memory: P-256 with SHA-256, P-384 with SHA-384, signatures in DER."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.signing.keys import PublicKey

__all__ = ["EcdsaSigner"]

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
}


class EcdsaSigner:
    """What a hardware module does, from a file. Its representation shows no secret.

    Two signatures of one key over one text differ; that a key has signed is asked of the key, never of the bytes.
    """

    __slots__ = ("_key", "public")

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public = PublicKey(
            key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    @classmethod
    def takes(cls, curve: ec.EllipticCurve) -> bool:
        """Whether statements may be signed on this curve."""
        return curve.name in _HASHES

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, ec.ECDSA(_HASHES[self._key.curve.name]))

    def __repr__(self) -> str:
        return f"EcdsaSigner({self.public.key_id[:16]})"
