"""Keys in a hardware module, addressed as `hsm:<token label>/<key id>`: ECDSA on P-256 or P-384 over PKCS #11.

Signing and reading the public key go through securesystemslib's HSMSigner. It hashes with SHA-256 or SHA-384 by the
curve and gives the signature in DER, which is what our verifier takes. This module is imported late, by whoever was
given such an address: nobody else needs its libraries (the extra `hsm`).

A token counts wrong PINs and locks itself. So a PIN is tried once for each call, never again by itself, and not at all
where the token says that the next wrong one would lock it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import msgspec
import pkcs11
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from pkcs11.util.ec import encode_named_curve_parameters
from securesystemslib.signer import (
    HSMSigner,
    SSlibKey,
)

from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict, Unavailable
from sekisho.signing.keys import PublicKey

__all__ = ["HsmAddress", "HsmKey", "HsmSigner", "WrongPin", "create_hsm_key", "open_hsm_key"]

Curve: TypeAlias = Literal["p256", "p384"]
AskPin: TypeAlias = Callable[[], str]

_ADDRESS = re.compile(r"hsm:([^/\x00-\x1f]{1,32})/((?:[0-9a-f]{2}){1,16})")
_SETTING = "SEKISHO_PKCS11_LIB"
_CURVES: dict[Curve, str] = {"p256": "secp256r1", "p384": "secp384r1"}
# The variable from which securesystemslib takes the module's path.
_THEIR_SETTING = "PYKCS11LIB"


class WrongPin(NotAuthorised):
    """The token refused the PIN, or would lock itself at the next wrong one. It is not tried again."""

    code = "wrong-pin"


class HsmAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a key lies: the token's label, and the key's id as PKCS #11 tools write it, in hexadecimal."""

    token: str
    key_id: int

    @classmethod
    def from_text(cls, text: str, *, path: str = "--key") -> HsmAddress:
        """From `hsm:<token label>/<key id>`. Raises InvalidInput naming the flag."""
        match = _ADDRESS.fullmatch(text)
        if match is None or match[2].startswith("00"):
            raise InvalidInput(
                f"{text[:80]!r} is not hsm:TOKEN/ID",
                path=path,
                remedy="write the token's label and the key's id in hexadecimal: hsm:charter-1/02",
            )
        return cls(token=match[1], key_id=int(match[2], 16))

    def to_text(self) -> str:
        digits = f"{self.key_id:x}"
        return f"hsm:{self.token}/{digits.zfill(len(digits) + len(digits) % 2)}"

    def to_uri(self) -> str:
        """As securesystemslib addresses it."""
        return f"hsm:{self.key_id}?{urlencode({'label': self.token})}"


class HsmKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was found on its token, not yet used: where, by which module, its public key as shown."""

    address: HsmAddress
    library: str
    public: PublicKey
    theirs: Any


class HsmSigner:
    """Signs with a key that never leaves its token. The PIN is asked for at the first signature, and once."""

    def __init__(self, key: HsmKey, ask_pin: AskPin) -> None:
        self._key = key
        self._ask_pin = ask_pin
        self._pin: str | None = None

    @property
    def public(self) -> PublicKey:
        return self._key.public

    def sign(self, data: bytes) -> bytes:
        """The signature in DER. Raises WrongPin, Unavailable, InvalidInput.

        StateConflict where it does not fit the public key that the token shows: another key lies behind that id.
        """
        address = self._key.address
        with _module(address, self._key.library):
            theirs = HSMSigner.from_priv_key_uri(
                address.to_uri(), self._key.theirs, lambda _: self._pin_once()
            )
            signature = bytes.fromhex(theirs.sign(data).signature)
        if not self.public.is_signed_by(signature, data):
            raise StateConflict(
                f"{address.to_text()}: the token signed with another key than the one that it shows",
                remedy="find out who wrote that key onto the token; nothing was signed into the document",
            )
        return signature

    def __repr__(self) -> str:
        return f"HsmSigner({self._key.address.to_text()}, {self.public.key_id[:16]})"

    def _pin_once(self) -> str:
        if self._pin is None:
            self._pin = _checked_pin(self._ask_pin(), self._key.address)
        return self._pin


def open_hsm_key(address: HsmAddress, library: str, ask_pin: AskPin) -> HsmKey:
    """Find a key on its token. The PIN is asked for only where the token hides even the public key.

    Raises InvalidInput where module, token or key are not there, WrongPin, Unavailable.
    """
    with _module(address, library):
        _, theirs = HSMSigner.import_(
            address.key_id,
            address.token,
            lambda _: _checked_pin(ask_pin(), address),
        )
    return HsmKey(address=address, library=library, public=_public_of(theirs), theirs=theirs)


def create_hsm_key(address: HsmAddress, library: str, curve: Curve, ask_pin: AskPin) -> HsmKey:
    """Draw a key on the token itself: it never existed anywhere else. Raises StateConflict where the id is taken."""
    with _module(address, library) as token:
        pin = _checked_pin(ask_pin(), address)
        with token.open(rw=True, user_pin=pin) as session:
            _refuse_taken(session, address)
            wanted = {
                pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[curve]),
            }
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, wanted, local=True)
            # A crash in the middle leaves half a pair on the token: the id is taken then, and another one is named.
            parameters.generate_keypair(
                store=True,
                id=_id_bytes(address),
                label=f"sekisho {address.key_id:02x}",
                capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
            )
    return open_hsm_key(address, library, lambda: pin)


@contextmanager
def _module(address: HsmAddress, library: str) -> Iterator[pkcs11.Token]:
    """The token, with every fault of module and token as an error of ours that says what to do."""
    loaded = _load(library)
    text = address.to_text()
    try:
        yield _find_token(loaded, address)
    except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid):
        raise WrongPin(
            f"{text}: the token refused the PIN",
            remedy="look it up before you try again: a token locks itself after a few wrong ones",
        ) from None
    except (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized) as error:
        raise WrongPin(
            f"{text}: the token takes no PIN ({type(error).__name__})",
            remedy="unlock it with its security officer's PIN and the maker's tool",
        ) from None
    except pkcs11.PKCS11Error as error:
        raise Unavailable(
            f"{text}: the token did not answer ({type(error).__name__} {error})".rstrip(),
            remedy="check that it is plugged in and that no other program holds it",
        ) from None
    except ValueError as error:
        raise InvalidInput(
            _in_words(error), path=text, remedy="look with the maker's tool"
        ) from None


def _load(library: str) -> Any:
    """The module's library. Raises InvalidInput naming the setting."""
    if not library:
        raise InvalidInput(
            "no PKCS #11 library is named",
            path=_SETTING,
            remedy="set it to the path of your token's library, as /usr/lib/softhsm/libsofthsm2.so",
        )
    if not Path(library).is_file():
        raise InvalidInput(f"{library}: there is no such file", path=_SETTING)
    # securesystemslib takes the path from the environment and from nowhere else.
    os.environ[_THEIR_SETTING] = library
    try:
        return pkcs11.lib(library)
    except RuntimeError as error:
        raise InvalidInput(
            f"{library}: cannot be used as a PKCS #11 library ({error})", path=_SETTING
        ) from None


def _find_token(library: Any, address: HsmAddress) -> pkcs11.Token:
    """The one token with this label. Raises InvalidInput, and WrongPin before a PIN that could lock it is tried."""
    tokens = [t for slot in library.get_slots(token_present=True) for t in [slot.get_token()]]
    named = [
        t
        for t in tokens
        if t.label == address.token and pkcs11.TokenFlag.TOKEN_INITIALIZED in t.flags
    ]
    if len(named) != 1:
        known = ", ".join(sorted(repr(t.label) for t in tokens if t.label)) or "none"
        raise InvalidInput(
            f"{len(named)} tokens are labelled {address.token!r}",
            path=address.to_text(),
            remedy=f"plug in one with that label; seen: {known}",
        )
    if pkcs11.TokenFlag.USER_PIN_LOCKED in named[0].flags:
        raise WrongPin(
            f"{address.to_text()}: the token has locked itself",
            remedy="unlock it with its security officer's PIN and the maker's tool",
        )
    if pkcs11.TokenFlag.USER_PIN_FINAL_TRY in named[0].flags:
        raise WrongPin(
            f"{address.to_text()}: one more wrong PIN would lock the token, so none is tried here",
            remedy="log in once with the maker's tool, which sets its count back",
        )
    found: pkcs11.Token = named[0]
    return found


def _refuse_taken(session: pkcs11.Session, address: HsmAddress) -> None:
    if next(iter(session.get_objects({pkcs11.Attribute.ID: _id_bytes(address)})), None) is not None:
        raise StateConflict(
            f"{address.to_text()}: a key with this id is already there", remedy="name another id"
        )


def _id_bytes(address: HsmAddress) -> bytes:
    return address.key_id.to_bytes((address.key_id.bit_length() + 7) // 8, "big")


def _checked_pin(pin: str, address: HsmAddress) -> str:
    """Refused before the token counts it: an empty PIN is never one."""
    if not pin:
        raise WrongPin(f"{address.to_text()}: no PIN was given")
    return pin


def _public_of(theirs: SSlibKey) -> PublicKey:
    key = load_pem_public_key(str(theirs.keyval["public"]).encode())
    return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _in_words(error: ValueError) -> str:
    """The ValueErrors of securesystemslib, whose texts are its own, in ours."""
    text = str(error)
    if "find ECDSA" in text:
        return "there is no ECDSA key with this id on the token"
    if "multiple ECDSA" in text:
        return "several ECDSA keys bear this id on the token"
    return text[:200]
