"""Certified counters at the counter: a C2 host's quantum counts only under its TPM's word over the issuer's challenge.

While the issuer is away a host goes on under the last challenge that it has, so several receipts may answer one. What
must hold is the order: no receipt answers a challenge that is older than the one answered before it, or not this
issuer's; and counter and clock never go back.
"""

from __future__ import annotations

from collections.abc import Callable

from sekisho.inspection.tpm import CounterMissing, OtherChallenge, continue_from, verify_certified
from sekisho.model.statements import HostEnrolled, ReceiptGiven, TpmEnrolled
from sekisho.operations.leasing.records import HostRecord

__all__ = ["Certifier", "certify_receipt", "verify_by_tpm"]

Certifier = Callable[[ReceiptGiven, TpmEnrolled, ReceiptGiven | None], None]
"""Raises the named error where a receipt's certificate does not stand, given the last one that stood."""


def certify_receipt(
    host: HostEnrolled, record: HostRecord, receipt: ReceiptGiven, certifier: Certifier
) -> None:
    """Raise the named error where a quantum of a C2 host lacks its certificate. Other stages and tiers need none."""
    if host.counter != "C2" or receipt.stage != "quantum":
        return
    if host.tpm is None or receipt.counter != "C2" or receipt.certified is None:
        raise CounterMissing(
            f"receipt {receipt.sequence} of host {host.host} begins a quantum without its certified counter"
        )
    answered = receipt.certified.challenge
    if answered not in record.challenges:
        raise OtherChallenge(
            f"receipt {receipt.sequence} of host {host.host} answers a challenge that it was not given"
        )
    before = record.certified.certified if record.certified is not None else None
    if before is not None and before.challenge in record.challenges:
        order = record.challenges
        if order.index(answered) < order.index(before.challenge):
            raise OtherChallenge(
                f"receipt {receipt.sequence} of host {host.host} answers an older challenge than the one before"
            )
    certifier(receipt, host.tpm, record.certified)


def verify_by_tpm(receipt: ReceiptGiven, tpm: TpmEnrolled, before: ReceiptGiven | None) -> None:
    """The TPM's own word: signed by the enrolled key, at this quantum, not before what it said last."""
    certified = receipt.certified
    if certified is None:
        raise CounterMissing("the receipt carries no certified counter")
    reading = verify_certified(receipt, tpm, challenge=certified.challenge, quantum=receipt.quantum)
    if before is not None and before.certified is not None:
        earlier = verify_certified(before.certified, tpm, challenge=before.certified.challenge)
        continue_from(earlier, reading)
