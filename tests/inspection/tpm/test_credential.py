"""Credentials sealed here and opened by a TPM."""

from __future__ import annotations

import pytest

from sekisho.adapters.devices.tpm_enrolment import _endorsement_key, _session
from sekisho.adapters.devices.tpm_line import TpmLine
from sekisho.inspection.tpm.credential import NotEndorsementKey, make_credential
from sekisho.inspection.tpm.public import parse_public
from tests.swtpms import seat, swtpm
from tests.tpm_words import WordyTpm

CONTENT = b"only this TPM reads it, and here"


@pytest.mark.tpm
@pytest.mark.parametrize("kind", ["EK-RSA2048", "EK-ECC256"])
def test_a_tpm_opens_what_was_sealed_for_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """RSA and elliptic curve: the TPM's own ActivateCredential gives back the very content."""
    monkeypatch.setattr("sekisho.adapters.devices.tpm_enrolment._ENDORSEMENT_KINDS", (kind,))
    with swtpm() as tpm:
        seated = seat(tpm)[1]
        line = TpmLine(tpm.tcti)

        def activate(open_: object) -> bytes:
            import tpm2_pytss as tss

            with _endorsement_key(open_) as (handle, _, public), _session(open_) as session:
                name = bytes.fromhex(seated.attestation_name)
                sealed = make_credential(parse_public(public), name, CONTENT, seed=b"e" * 32)
                return bytes(
                    open_.activate_credential(  # type: ignore[attr-defined]  # untyped library
                        open_.tr_from_tpmpublic(seated.attestation),  # type: ignore[attr-defined]
                        handle,
                        tss.TPM2B_ID_OBJECT(sealed.credential),
                        tss.TPM2B_ENCRYPTED_SECRET(sealed.secret),
                        session2=session,
                    )
                )

        assert line.ask(activate) == CONTENT
        line.close()


def test_a_signing_key_is_no_endorsement_key() -> None:
    """What would be sealed to a key that its owner can read from is refused before it is sealed."""
    with pytest.raises(NotEndorsementKey):
        make_credential(
            parse_public(WordyTpm().public), b"\0\x0b" + bytes(32), CONTENT, seed=b"e" * 32
        )
