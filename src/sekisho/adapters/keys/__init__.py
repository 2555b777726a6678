"""Private keys where they lie: in files, and in hardware modules (`hsm`, which is imported late)."""

from sekisho.adapters.keys.ecdsa import EcdsaSigner
from sekisho.adapters.keys.files import (
    Algorithm,
    create_key,
    create_signer,
    load_key,
    load_or_create_key,
    load_signer,
)

__all__ = [
    "Algorithm",
    "EcdsaSigner",
    "create_key",
    "create_signer",
    "load_key",
    "load_or_create_key",
    "load_signer",
]
