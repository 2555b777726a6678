"""The monotone counter that keeps a host from forgetting what it spent."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

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


@runtime_checkable
class CertifyingCounter(Counter, Protocol):
    """A counter in a TPM, which signs for its value."""

    def certify(self, challenge: str) -> CertifiedCounter:
        """The counter's value and the TPM's clock, signed by its attestation key over the issuer's nonce (hex).

        Raises Unavailable where the TPM does not answer.
        """
        ...

    def boots(self) -> str:
        """The TPM's own reset and restart counts as one text: another one than before means that it lost power.

        Raises Unavailable where the TPM does not answer.
        """
        ...
