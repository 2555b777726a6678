"""The picture as a file: signed by the access point's own key, put there whole, believed only while it is fresh.

An inference server reads it without asking anybody, so it goes on while the access point is restarted, and stops by
itself when the picture has run out. Who can write the file and holds no key can only end access, not give it: a changed
picture bears no signature, an older one has run out or is known by its number.
"""

from __future__ import annotations

from sekisho.access.picture import AccessPicture
from sekisho.model.errors import VerificationError
from sekisho.model.wire import canonical, from_json, parse_canonical
from sekisho.signing import PublicKey, distinct_signers, parse_envelope, sign_payload
from sekisho.signing.keys import Signer

__all__ = ["MAX_PICTURE", "PICTURE_TYPE", "ForgedPicture", "parse_picture", "sign_picture"]

PICTURE_TYPE = "application/vnd.sekisho.access-picture+json"
MAX_PICTURE = 4 * 1024 * 1024


class ForgedPicture(VerificationError):
    """A picture that the access point's key did not sign."""

    code = "forged-picture"


def sign_picture(picture: AccessPicture, signer: Signer) -> bytes:
    """The envelope of a picture under the access point's key."""
    return sign_payload(canonical(picture), [signer], payload_type=PICTURE_TYPE).raw


def parse_picture(raw: bytes, key: PublicKey, *, path: str = "") -> AccessPicture:
    """A picture that this key signed. Raises InvalidInput where it is none, ForgedPicture where another wrote it."""
    envelope = parse_envelope(raw, path=path, payload_type=PICTURE_TYPE, limit=MAX_PICTURE)
    if not distinct_signers(envelope, [key]):
        raise ForgedPicture(
            f"the picture bears no signature of key {key.key_id[:16]}",
            remedy="look who writes to that folder; name the access point's own key",
        )
    told = parse_canonical(envelope.payload, path=path, limit=MAX_PICTURE)
    return from_json(AccessPicture, told, path=path)
