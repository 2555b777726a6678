"""Signing where the key is: the bytes go out, the signature comes in; made by OpenSSL, which knows nothing of us."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.model.statements import PAYLOAD_TYPE
from sekisho.model.wire import encode_base64, sha256_hex
from sekisho.signing import distinct_signers, pae, parse_envelope
from tests.cli.ceremonies import KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=30)


def public(holder: KeyHolder, key: str) -> Path:
    """The public part of a key file, as OpenSSL writes it."""
    path = holder.path(f"{Path(key).name}.pub")
    openssl("pkey", "-in", key, "-pubout", "-out", path)
    return path


def export(holder: KeyHolder, path: Path, name: str = "order.bytes") -> Path:
    out = holder.path(name)
    command = ("order", "sign", path, "--export-bytes", out, "--log", holder.log)
    assert holder.call(*command, "--phrase", phrase_of(path.read_bytes())) == 0
    return out


def signed_elsewhere(holder: KeyHolder, key: str, data: Path) -> Path:
    out = holder.path(f"{data.name}.sig")
    openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", data, "-out", out)
    return out


def test_the_exported_bytes_are_what_a_signature_is_over(
    holder: KeyHolder, capsys: Capture
) -> None:
    """The pre-authentication encoding, whole, and its SHA-256 in the answer; the draft stays as it was."""
    path = holder.order()
    payload = path.read_bytes()
    out = holder.path("order.bytes")
    command = ("order", "sign", path, "--export-bytes", out, "--log", holder.log)
    found = holder.answer(capsys, *command, "--phrase", phrase_of(payload))
    assert out.read_bytes() == pae(PAYLOAD_TYPE, payload)
    assert found["sha256"] == sha256_hex(out.read_bytes())
    assert (found["digest"], found["key"]) == (sha256_hex(payload), None)
    assert path.read_bytes() == payload


def test_a_signature_made_by_openssl_comes_in(holder: KeyHolder, capsys: Capture) -> None:
    """As raw bytes or base64 text, with the phrase; a second time it was there already."""
    path = holder.order()
    phrase = ("--phrase", phrase_of(path.read_bytes()), "--log", holder.log)
    key = holder.key()
    signature = signed_elsewhere(holder, key, export(holder, path))
    command = ("order", "sign", path, "--import-signature", signature)
    done = holder.answer(capsys, *command, "--public", public(holder, key), *phrase)
    assert (done["fresh"], done["signatures"]) == (True, 1)
    envelope = parse_envelope(path.read_bytes())
    signer = holder.cast.signer("authority-1")
    assert distinct_signers(envelope, [signer.public]) == {signer.public.key_id}
    signature.write_text(encode_base64(signature.read_bytes()) + "\n")
    again = holder.answer(capsys, *command, "--public", public(holder, key), *phrase)
    assert (again["fresh"], again["signatures"]) == (False, 1)


@pytest.mark.parametrize(("curve", "digest"), [("p256", "-sha256"), ("p384", "-sha384")])
def test_an_ecdsa_key_signs_the_exported_bytes(
    holder: KeyHolder, tmp_path: Path, curve: str, digest: str
) -> None:
    """`openssl dgst` hashes and signs as our verifier expects, on both curves."""
    from sekisho.adapters.keys.elsewhere import MadeElsewhere
    from sekisho.cli.own_key import load_public

    data = export(holder, holder.order())
    kind = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1()}[curve]
    key = tmp_path / "ec.pem"
    made = ec.generate_private_key(kind)
    key.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    out = tmp_path / "ec.sig"
    openssl("dgst", digest, "-sign", key, "-out", out, data)
    of = load_public(str(public(holder, str(key))))
    assert MadeElsewhere(of, out.read_bytes()).sign(data.read_bytes()) == out.read_bytes()


def test_one_way_to_sign_is_needed(holder: KeyHolder, capsys: Capture) -> None:
    """None, two, an import without its public key, a public key beside a private one: exit 2, the flag named."""
    path = holder.order()
    key, pub = holder.key(), str(public(holder, holder.key()))
    cases: list[tuple[tuple[str, ...], str]] = [
        ((), "--key, --export-bytes, --import-signature"),
        (("--key", key, "--export-bytes", "out"), "--key and --export-bytes"),
        (("--import-signature", "sig"), "--public"),
        (("--key", key, "--public", pub), "--public"),
    ]
    for flags, words in cases:
        assert holder.call("order", "sign", path, *flags, "--log", holder.log) == 2
        assert words in capsys.readouterr().err


def test_bytes_are_never_written_over_a_file(holder: KeyHolder) -> None:
    """Exporting where a file lies is refused, and the file stays."""
    path = holder.order()
    out = holder.path("order.bytes")
    out.write_bytes(b"mine")
    command = ("order", "sign", path, "--export-bytes", out, "--log", holder.log)
    assert holder.call(*command, "--phrase", phrase_of(path.read_bytes())) == 1
    assert out.read_bytes() == b"mine"


def test_an_export_for_a_key_says_whose(holder: KeyHolder, capsys: Capture) -> None:
    """With --public the bytes go out only where that key may sign them."""
    path = holder.order()
    phrase = ("--phrase", phrase_of(path.read_bytes()), "--log", holder.log)
    command = ("order", "sign", path, "--export-bytes", holder.path("a.bytes"))
    found = holder.answer(capsys, *command, "--public", public(holder, holder.key()), *phrase)
    assert found["key"] == holder.cast.signer("authority-1").public.key_id
    stranger = public(holder, holder.key("stranger"))
    command = ("order", "sign", path, "--export-bytes", holder.path("b.bytes"))
    assert holder.call(*command, "--public", stranger, *phrase) == 1
    assert not holder.path("b.bytes").exists()
