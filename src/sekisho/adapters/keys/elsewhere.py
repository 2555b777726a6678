"""A signature that was made elsewhere: on a machine without this program, by a tool that knows nothing of it."""

from __future__ import annotations

from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import decode_base64
from sekisho.signing.keys import PublicKey

__all__ = ["MadeElsewhere"]

MAX_SIGNATURE = 4096


class MadeElsewhere:
    """A signer that can give one signature only, and only where it is over the very bytes asked for."""

    __slots__ = ("_given", "public")

    def __init__(self, public: PublicKey, given: bytes) -> None:
        """`given` is the signature as tools write it, or the same as one line of base64."""
        if not given or len(given) > MAX_SIGNATURE:
            raise InvalidInput(f"a signature of {len(given)} bytes is none that we know")
        self.public = public
        self._given = given

    def sign(self, data: bytes) -> bytes:
        """The signature. Raises BadSignature where it is over other bytes, or by another key."""
        found = next((s for s in self._readings() if self.public.is_signed_by(s, data)), None)
        if found is None:
            raise BadSignature(
                f"the signature is not one of key {self.public.key_id[:16]} over these bytes",
                remedy="export the bytes again, compare the phrase, and sign that very file whole: Ed25519 "
                "without hashing first, P-256 with SHA-256, P-384 with SHA-384",
            )
        return found

    def _readings(self) -> list[bytes]:
        try:
            return [self._given, decode_base64(self._given.decode("ascii").strip())]
        except (UnicodeDecodeError, InvalidInput):
            return [self._given]
