"""`sekisho charter tpm` and `--tpm-root`: the enroller's side, on a machine without any TPM."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest

from sekisho.inspection.tpm import Dice, MalformedTpmData, challenge_paper
from sekisho.model.statements import make_payload
from sekisho.model.tpm_papers import TpmPaper
from sekisho.model.wire import canonical, encode_base64, sha256_hex
from tests import factory
from tests.cli.ceremonies import KeyHolder
from tests.cli.foundings import founding
from tests.tpm_words import Maker, WordyTpm, ecc_public, key_of

Capture = pytest.CaptureFixture[str]
EK = key_of(55)
_STORAGE = 0x000300B2


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    made = KeyHolder(tmp_path, monkeypatch)
    made.trust()
    return made


def paper(**changes: object) -> TpmPaper:
    """The paper of a TPM made in Python, with an endorsement key on P-256."""
    tpm = WordyTpm()
    good = TpmPaper(
        paper="sekisho-tpm-paper-v1",
        host="host-1",
        endorsement=tuple(encode_base64(der) for der in Maker().chain(EK)),
        endorsement_public=encode_base64(ecc_public(EK, _STORAGE, cipher=True)),
        attestation_public=encode_base64(tpm.public),
        counter_public=encode_base64(tpm.nv_public),
    )
    return msgspec.structs.replace(good, **changes)


def test_a_challenge_is_made_once_and_its_secret_kept(holder: KeyHolder) -> None:
    """The host's file holds nothing that answers it; the enroller's is private, and neither is written over."""
    shown, keep, out = holder.path("paper.json"), holder.path("kept"), holder.path("challenge.json")
    shown.write_bytes(canonical(paper()))
    flags: list[str | Path] = [shown, "--keep", keep, "--out", out]
    assert holder.call("charter", "tpm", "challenge", *flags) == 0

    made = json.loads(out.read_bytes())
    assert made["paper"] == sha256_hex(canonical(paper()))
    assert len(keep.read_bytes()) == 32
    assert keep.stat().st_mode & 0o077 == 0
    assert keep.read_bytes().hex() not in out.read_text()
    assert encode_base64(keep.read_bytes()) not in out.read_text()
    assert holder.call("charter", "tpm", "challenge", *flags) == 1


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"attestation_public": "AAAA"}, 1, "malformed-tpm-data"),
        ({"attestation_public": encode_base64(WordyTpm(key_attributes=0x40472).public)}, 1, "not-an-attestation-key"),
        ({"counter_public": encode_base64(WordyTpm(attributes=4).nv_public)}, 1, "not-a-tpm-counter"),
        ({"endorsement_public": encode_base64(WordyTpm().public)}, 1, "not-an-endorsement-key"),
        ({"counter_public": "!!"}, 2, "counter_public"),
    ],
)  # fmt: skip
def test_a_paper_that_shows_something_else_gets_no_challenge(
    holder: KeyHolder, capsys: Capture, changes: dict[str, object], code: int, word: str
) -> None:
    """A foreign key, an ordinary index, a signing key in the endorsement key's place: refused by name."""
    shown, out = holder.path("paper.json"), holder.path("challenge.json")
    shown.write_bytes(canonical(paper(**changes)))
    flags: list[str | Path] = [shown, "--keep", holder.path("kept"), "--out", out]

    assert holder.call("charter", "tpm", "challenge", *flags) == code
    assert word in capsys.readouterr().err
    assert not out.exists()


def test_two_challenges_for_one_paper_differ() -> None:
    """The exchange on an elliptic curve makes a key of its own each time, under the same dice too."""
    dice = Dice(secret=b"o" * 32, seed=b"e" * 32, nonce=b"n" * 16)
    assert challenge_paper(paper(), dice).secret != challenge_paper(paper(), dice).secret
    with pytest.raises(MalformedTpmData):
        challenge_paper(paper(endorsement_public="AAAA"), dice)


def test_a_charter_is_founded_with_the_roots_of_makers(holder: KeyHolder, capsys: Capture) -> None:
    """PEM and DER, each root once, by its digest; what is no certificate is refused by its file."""
    first, second = Maker().root, Maker(root_secret=2001).root
    der, pem = holder.path("first.der"), holder.path("both.pem")
    der.write_bytes(first)
    pem.write_text("".join(_pem(root) for root in (first, second)))
    out = holder.path("charter.json")
    flags: list[str | Path] = [*founding(holder, tpm_root=[str(der), str(pem)]), "--out", out]
    assert holder.call("charter", "init", *flags) == 0
    terms = json.loads(out.read_bytes())["predicate"]
    assert terms["tpm_roots"] == [sha256_hex(first), sha256_hex(second)]

    der.write_bytes(b"no certificate")
    again: list[str | Path] = [
        *founding(holder, tpm_root=[str(der)]),
        "--out",
        holder.path("again.json"),
    ]
    capsys.readouterr()
    assert holder.call("charter", "init", *again) == 2
    assert "first.der" in capsys.readouterr().err


def test_an_enrolment_that_claims_more_than_it_proves_is_shown_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """`show` warns of a C2 host whose chain ends in no root of the charter in force."""
    holder = KeyHolder(tmp_path, monkeypatch)
    fact = msgspec.structs.replace(
        factory.host_enrolled("host-9", now=holder.now),
        counter="C2",
        tpm=WordyTpm(endorsement=Maker().chain(EK)).enrolled(),
    )
    path = holder.path("host.json")
    path.write_bytes(make_payload(fact))
    assert holder.call("show", path, "--log", holder.log) == 0
    told = capsys.readouterr().out
    assert "THE TIER IS NOT PROVED" in told
    assert "counter 0x01805e51" in told


def _pem(der: bytes) -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
