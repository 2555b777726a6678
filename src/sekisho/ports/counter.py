"""The monotone counter that keeps a host from forgetting what it spent."""

from __future__ import annotations

from typing import Literal, Protocol

from sekisho.model.statements import CertifiedCounter

__all__ = ["CertifyingCounter", "Counter", "CounterTier"]

CounterTier = Literal["C0", "C1", "C2"]


class Counter(Protocol):
    """A number that only steps upwards, in the tier's sense (protocol section 5).

    C2: hardware TPM; C1: virtual TPM; C0: a file, which whoever owns the disk can roll back.
    `step` is durable before it returns and yields the new value. Raises Corrupt where the counter is unreadable.
    """

    @property
    def tier(self) -> CounterTier: ...

    def read(self) -> int: ...

    def step(self) -> int: ...


class CertifyingCounter(Counter, Protocol):
    """A counter in a TPM, which signs for its value."""

    def certify(self, challenge: str) -> CertifiedCounter:
        """The counter's value and the TPM's clock, signed by its attestation key over the issuer's nonce (hex).

        Raises Unavailable where the TPM does not answer.
        """
        ...
