"""A host with a certified counter, in memory: a TPM that steps, signs, falls silent and is reset on cue."""

from __future__ import annotations

from sekisho.model.errors import Unavailable
from sekisho.model.statements import CertifiedCounter
from sekisho.model.wire import canonical, decode_base64, encode_base64, parse_json
from sekisho.ports.counter import CounterTier
from tests.fakes import FakeControl, FakeCounter, Fuse, Rig

__all__ = ["FakeTpm", "TpmRig", "certified_value"]


class FakeTpm(FakeCounter):
    """Implements ports.CertifyingCounter; what it signs is readable, and its index starts above zero."""

    tier: CounterTier = "C2"
    FIRST = 41

    def __init__(self, fuse: Fuse | None = None) -> None:
        super().__init__(fuse)
        self.value = self.FIRST
        self.resets = 1
        self.is_silent = False
        self.is_mute = False  # steps, but does not sign

    def step(self) -> int:
        if self.is_silent:
            raise Unavailable("the TPM does not answer")
        return super().step()

    def certify(self, challenge: str) -> CertifiedCounter:
        if self.is_silent or self.is_mute:
            raise Unavailable("the TPM does not sign")
        attested = canonical({"counter": self.value, "resets": self.resets})
        return CertifiedCounter(
            challenge=challenge,
            attested=encode_base64(attested),
            signature=encode_base64(b"fake"),
        )

    def boots(self) -> str:
        if self.is_silent:
            raise Unavailable("the TPM does not answer")
        return f"{self.resets}.0"


class TpmRig(Rig):
    """An agent over a certified counter; its control plane enrolled it so."""

    counter: FakeTpm

    def __init__(self, control: FakeControl | None = None, **changes: object) -> None:
        super().__init__(control or FakeControl(tier="C2"), **changes)
        self.files.files.clear()
        self.counter = FakeTpm(self.fuse)
        self.wake()


def certified_value(certified: CertifiedCounter) -> int:
    """The counter that the fake TPM signed for."""
    told = parse_json(decode_base64(certified.attested))
    assert isinstance(told, dict)
    value = told["counter"]
    assert isinstance(value, int)
    return value
