"""Files of a TPM's enrolment, read and written: certificates in PEM or DER, papers, and what the enroller keeps."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput

__all__ = ["load_certificates", "parse_handle", "write_paper"]

_MAX_CERTIFICATES = 64_000


def load_certificates(files: Iterable[str]) -> tuple[bytes, ...]:
    """Certificates in DER, in the order of the files and of the PEM blocks in each. Raises InvalidInput by file."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    found: list[bytes] = []
    for file in files:
        data = read_input(file, limit=_MAX_CERTIFICATES)
        try:
            if data.lstrip().startswith(b"-----"):
                read = x509.load_pem_x509_certificates(data)
            else:
                read = [x509.load_der_x509_certificate(data)]
        except ValueError as error:
            raise InvalidInput(
                f"is no certificate: {error}", path=file, remedy="give X.509 in PEM or DER"
            ) from None
        found += [certificate.public_bytes(Encoding.DER) for certificate in read]
    return tuple(found)


def parse_handle(text: str, flag: str, first_byte: int) -> int:
    """A TPM's handle of one range, as 0x01805E51. Raises InvalidInput naming the flag."""
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if number >> 24 != first_byte:
        raise InvalidInput(
            f"is no handle that begins with 0x{first_byte:02x}", path=flag, remedy="as 0x01805E51"
        )
    return number


def write_paper(out: str, paper: object) -> None:
    """A new file with a paper in its canonical form. Raises InvalidInput where one stands there."""
    from sekisho.ceremony import create_file
    from sekisho.model.wire import canonical

    create_file(Path(out), canonical(paper) + b"\n")
