"""Private keys in files: made once, for their owner only, never replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP521R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys import (
    Algorithm,
    create_key,
    create_signer,
    load_key,
    load_or_create_key,
    load_signer,
)
from sekisho.model.errors import InvalidInput, StateConflict


def test_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """The first start makes a key that only its owner reads; later starts load the same."""
    path = tmp_path / "new" / "key.pem"
    first = load_or_create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = load_or_create_key(path)
    assert first.public == again.public


def test_key_open_to_others_is_refused(tmp_path: Path) -> None:
    """A key file that others can read is not used."""
    path = tmp_path / "key.pem"
    load_or_create_key(path)
    path.chmod(0o640)
    with pytest.raises(InvalidInput, match="others can read"):
        load_or_create_key(path)


def test_other_content_is_not_a_key(tmp_path: Path) -> None:
    """Garbage and keys of another kind are refused, never replaced."""
    elliptic = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for content in (b"", b"garbage", elliptic):
        replace_file(tmp_path / "key.pem", content, mode=0o600)
        with pytest.raises(InvalidInput):
            load_or_create_key(tmp_path / "key.pem")
        assert (tmp_path / "key.pem").read_bytes() == content


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    """Making a key where a file lies is refused and the file stays."""
    create_key(tmp_path / "key.pem")
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(StateConflict):
        create_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").read_bytes() == before


def test_a_key_under_a_passphrase_opens_with_it_alone(tmp_path: Path) -> None:
    """The wrong passphrase, and none, are refused with the file named."""
    made = create_key(tmp_path / "key.pem", passphrase=b"correct")
    assert load_key(tmp_path / "key.pem", passphrase=b"correct").public == made.public
    for wrong in (None, b"wrong"):
        with pytest.raises(InvalidInput, match=r"key\.pem"):
            load_key(tmp_path / "key.pem", passphrase=wrong)


def test_a_signer_never_shows_its_secret(tmp_path: Path) -> None:
    """Its representation is its public id."""
    made = create_key(tmp_path / "key.pem")
    assert repr(made) == f"Ed25519Signer({made.public.key_id[:16]})"


@pytest.mark.parametrize("algorithm", ["ed25519", "p256", "p384"])
@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_key_of_any_algorithm_signs_after_it_was_loaded(
    tmp_path: Path, algorithm: Algorithm, passphrase: bytes | None
) -> None:
    """There and back through its file, encrypted or not; the signature is one that our verifier takes."""
    path = tmp_path / "key.pem"
    made = create_signer(path, algorithm, passphrase=passphrase)
    loaded = load_signer(path, passphrase=passphrase)
    assert loaded.public == made.public
    assert loaded.public.is_signed_by(loaded.sign(b"the very bytes"), b"the very bytes")
    assert made.public.key_id[:16] in repr(made)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_curve_that_statements_do_not_take_is_refused(tmp_path: Path) -> None:
    """P-521 and RSA are no charter keys."""
    for key in (generate_private_key(SECP521R1()), rsa.generate_private_key(65537, 2048)):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        replace_file(tmp_path / "key.pem", pem, mode=0o600)
        with pytest.raises(InvalidInput, match="P-256"):
            load_signer(tmp_path / "key.pem")
