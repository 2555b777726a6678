"""A host's side of a TPM's enrolment: make counter and attestation key, show them, open the enroller's challenge.

Source: TCG EK Credential Profile for TPM 2.0 (templates, where certificates lie); TPM 2.0 part 3 (ActivateCredential).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from sekisho.adapters.devices.tpm_counter import certify, open_index, open_key, read_index
from sekisho.adapters.devices.tpm_line import TpmLine
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.model.errors import Corrupt, StateConflict
from sekisho.model.tpm_papers import TpmAnswer, TpmChallenge, TpmPaper
from sekisho.model.wire import decode_base64, encode_base64

__all__ = ["COUNTER_INDEX", "KEY_HANDLE", "SeatWanted", "open_challenge", "seat_counter"]

# Within the ranges that TCG's registry of handles leaves to the owner.
COUNTER_INDEX, KEY_HANDLE = 0x01805E51, 0x81005E51
_ENDORSEMENT_KINDS = ("EK-RSA2048", "EK-ECC256")
# How TPMs say that a credential was not made for them: failure, value, size, integrity.
_NOT_OURS = frozenset({0x101, 0x084, 0x095, 0x09F})
_PATIENCE_S = 180.0  # a chip may take a minute to find an RSA key again


class SeatWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to make in a TPM: whose it is, where, and its secret (32 bytes); `chain` follows its own certificate."""

    host: str
    secret: bytes
    chain: tuple[bytes, ...] = ()
    index: int = COUNTER_INDEX
    attestation: int = KEY_HANDLE


def seat_counter(tcti: str, wanted: SeatWanted) -> tuple[TpmPaper, TpmSeat, int]:
    """Make an attestation key and a counter; what they are, where they lie, and where the counter stands.

    Raises StateConflict where the index or the key's handle is taken, Unavailable, Corrupt.
    """
    line = TpmLine(tcti, within_s=_PATIENCE_S)
    try:
        return line.ask(lambda tpm: _seat(tpm, wanted))
    finally:
        line.close()


def open_challenge(tcti: str, seat: TpmSeat, challenge: TpmChallenge) -> TpmAnswer:
    """Open what was sealed to this TPM's endorsement key and attestation key together, and certify the counter.

    Raises Corrupt where it was sealed to others, Unavailable.
    """
    line = TpmLine(tcti, within_s=_PATIENCE_S)
    try:
        return line.ask(lambda tpm: _open(tpm, seat, challenge))
    finally:
        line.close()


def _seat(tpm: Any, wanted: SeatWanted) -> tuple[TpmPaper, TpmSeat, int]:
    certificate, endorsement = _endorsement(tpm)
    key = _attestation_key(tpm, wanted.attestation)
    # Crash here: the key stays, and is found again by its name.
    index = _new_counter(tpm, wanted)
    # Crash here: the index stays without its secret being known; the next attempt names another index.
    public, name = tpm.nv_read_public(index)
    value = read_index(tpm, index)
    key_public, key_name, _ = tpm.read_public(key)
    paper = TpmPaper(
        paper="sekisho-tpm-paper-v1",
        host=wanted.host,
        endorsement=tuple(
            encode_base64(der) for der in (*([certificate] if certificate else []), *wanted.chain)
        ),
        endorsement_public=encode_base64(endorsement),
        attestation_public=encode_base64(key_public.publicArea.marshal()),
        counter_public=encode_base64(public.nvPublic.marshal()),
    )
    seat = TpmSeat(
        index=wanted.index,
        attestation=wanted.attestation,
        secret=wanted.secret.hex(),
        index_name=bytes(name).hex(),
        attestation_name=bytes(key_name).hex(),
    )
    return paper, seat, value


def _open(tpm: Any, seat: TpmSeat, challenge: TpmChallenge) -> TpmAnswer:
    with open_key(tpm, seat) as key, open_index(tpm, seat) as index:
        opened = _activate(tpm, key, challenge)
        return TpmAnswer(
            answer="sekisho-tpm-answer-v1",
            host=challenge.host,
            opened=opened.hex(),
            certified=certify(tpm, key, index, challenge.nonce),
        )


def _activate(tpm: Any, key: Any, challenge: TpmChallenge) -> bytes:
    import tpm2_pytss as tss  # noqa: PLC0415  # the line has loaded it by now

    credential = tss.TPM2B_ID_OBJECT(decode_base64(challenge.credential))
    secret = tss.TPM2B_ENCRYPTED_SECRET(decode_base64(challenge.secret))
    with _endorsement_key(tpm) as (handle, _, _), _session(tpm) as session:
        try:
            opened = bytes(
                tpm.activate_credential(key, handle, credential, secret, session2=session)
            )
        except tss.TSS2_Exception as error:
            if int(error.error) & 0xFFFF in _NOT_OURS:
                raise Corrupt(
                    "the TPM does not open this challenge: it was made for another TPM, or another key",
                    remedy="give the enroller this host's own paper",
                ) from None
            raise
    if len(opened) != 32:
        raise Corrupt("the challenge holds something else than a secret of 32 bytes")
    return opened


# --- the endorsement key ---------------------------------------------------------------------


def _endorsement(tpm: Any) -> tuple[bytes | None, bytes]:
    """The endorsement certificate, if the TPM holds one, and its key's TPMT_PUBLIC."""
    with _endorsement_key(tpm) as (_, certificate, public):
        return certificate, public


@contextmanager
def _endorsement_key(tpm: Any) -> Iterator[tuple[Any, bytes | None, bytes]]:
    """The endorsement key by its profile's template, for as long as it is needed: loaded, then flushed."""
    import tpm2_pytss as tss  # noqa: PLC0415  # the line has loaded it by now

    certificate, template = _choose_template(tpm)
    handle, public, *_ = tpm.create_primary(None, template, tss.ESYS_TR.ENDORSEMENT)
    try:
        yield handle, certificate, public.publicArea.marshal()
    finally:
        tpm.flush_context(handle)


def _choose_template(tpm: Any) -> tuple[bytes | None, Any]:
    """The first kind that the TPM has a certificate for, else the first kind without one."""
    from tpm2_pytss.utils import NVReadEK, create_ek_template  # noqa: PLC0415  # as above

    reader = NVReadEK(tpm)
    found = [create_ek_template(kind, reader) for kind in _ENDORSEMENT_KINDS]
    certificate, template = next((pair for pair in found if pair[0]), found[0])
    return _trim(certificate) if certificate else None, template


def _trim(certificate: bytes) -> bytes:
    """One DER structure: some makers fill the index up behind it."""
    if certificate[:2] == b"\x30\x82":
        return certificate[: 4 + int.from_bytes(certificate[2:4], "big")]
    return certificate


@contextmanager
def _session(tpm: Any) -> Iterator[Any]:
    """A session that satisfies the policy of endorsement keys: whoever may use the endorsement hierarchy."""
    import tpm2_pytss as tss  # noqa: PLC0415  # as above

    session = tpm.start_auth_session(
        tpm_key=tss.ESYS_TR.NONE,
        bind=tss.ESYS_TR.NONE,
        session_type=tss.TPM2_SE.POLICY,
        symmetric=tss.TPMT_SYM_DEF(algorithm=tss.TPM2_ALG.NULL),
        auth_hash=tss.TPM2_ALG.SHA256,
    )
    try:
        tpm.policy_secret(tss.ESYS_TR.ENDORSEMENT, session, b"", b"", b"", 0)
        yield session
    finally:
        tpm.flush_context(session)


# --- what is made ----------------------------------------------------------------------------


def _attestation_key(tpm: Any, handle: int) -> Any:
    """The attestation key, kept at `handle`: the same key each time, as long as the TPM keeps its seed.

    In the endorsement hierarchy, since a TPM blurs the counts of its resets for keys of the owner's.
    """
    import tpm2_pytss as tss  # noqa: PLC0415  # the line has loaded it by now

    loaded, _, *_ = tpm.create_primary(None, _attestation_template(), tss.ESYS_TR.ENDORSEMENT)
    try:
        name = bytes(tpm.tr_get_name(loaded))
        standing = _find(tpm, handle)
        if standing is None:
            return tpm.evict_control(tss.ESYS_TR.OWNER, loaded, handle)
        if bytes(tpm.tr_get_name(standing)) != name:
            raise StateConflict(f"another key lies at {handle:#010x}", remedy="name another handle")
        return standing
    finally:
        tpm.flush_context(loaded)


def _attestation_template() -> Any:
    import tpm2_pytss as tss  # noqa: PLC0415  # as above

    attributes = tss.TPMA_OBJECT
    return tss.TPM2B_PUBLIC(
        publicArea=tss.TPMT_PUBLIC(
            type=tss.TPM2_ALG.ECC,
            nameAlg=tss.TPM2_ALG.SHA256,
            objectAttributes=attributes.FIXEDTPM
            | attributes.FIXEDPARENT
            | attributes.SENSITIVEDATAORIGIN
            | attributes.USERWITHAUTH
            | attributes.NODA
            | attributes.RESTRICTED
            | attributes.SIGN_ENCRYPT,
            parameters=tss.TPMU_PUBLIC_PARMS(
                eccDetail=tss.TPMS_ECC_PARMS(
                    symmetric=tss.TPMT_SYM_DEF_OBJECT(algorithm=tss.TPM2_ALG.NULL),
                    scheme=tss.TPMT_ECC_SCHEME(
                        scheme=tss.TPM2_ALG.ECDSA,
                        details=tss.TPMU_ASYM_SCHEME(
                            ecdsa=tss.TPMS_SCHEME_HASH(hashAlg=tss.TPM2_ALG.SHA256)
                        ),
                    ),
                    curveID=tss.TPM2_ECC.NIST_P256,
                    kdf=tss.TPMT_KDF_SCHEME(scheme=tss.TPM2_ALG.NULL),
                )
            ),
            unique=tss.TPMU_PUBLIC_ID(ecc=tss.TPMS_ECC_POINT(x=b"", y=b"")),
        )
    )


def _new_counter(tpm: Any, wanted: SeatWanted) -> Any:
    """A counter that only its secret steps, stepped once: before that it has no value and another name.

    It keeps each step before it answers (not TPMA_NV_ORDERLY, which loses some in a power cut), and wrong secrets
    lock nothing (TPMA_NV_NO_DA), since the secret is 32 random bytes.
    """
    import tpm2_pytss as tss  # noqa: PLC0415  # the line has loaded it by now

    kind = tss.TPMA_NV
    public = tss.TPM2B_NV_PUBLIC(
        nvPublic=tss.TPMS_NV_PUBLIC(
            nvIndex=wanted.index,
            nameAlg=tss.TPM2_ALG.SHA256,
            attributes=kind.AUTHWRITE
            | kind.AUTHREAD
            | kind.OWNERREAD
            | kind.NO_DA
            | (tss.TPM2_NT.COUNTER << kind.TPM2_NT_SHIFT),
            dataSize=8,
        )
    )
    index = tpm.nv_define_space(tss.TPM2B_AUTH(wanted.secret), public)
    tpm.nv_increment(index)
    return index


def _find(tpm: Any, handle: int) -> Any | None:
    import tpm2_pytss as tss  # noqa: PLC0415  # as above

    more, found = tpm.get_capability(tss.TPM2_CAP.HANDLES, handle, 1)
    del more
    handles = [int(one) for one in found.data.handles]
    return tpm.tr_from_tpmpublic(handle) if handle in handles else None
