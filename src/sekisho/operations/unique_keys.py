"""What an entry of the log takes that no second one may have: its payload's digest, and keys of its kind. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sekisho.metering.accounts.report_book import usage_key
from sekisho.model.statements import (
    AccessDecided,
    AgentReleased,
    AppealDecided,
    AppealFiled,
    ApplicationFiled,
    BalanceClosed,
    ChipRegistered,
    CustodyMoved,
    DisclosureDeposited,
    DisclosureErased,
    InventoryTaken,
    IrregularityFound,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    OrderIssued,
    OrderOpened,
    OrderSealed,
    OutageDeclared,
    Predicate,
    ProductionReported,
    ReceiptGiven,
    RefusalRecorded,
    RunDeclared,
    TimeMarked,
    UsageReported,
    WeightsKeyReleased,
    WeightsLocked,
    parse_payload_leniently,
)
from sekisho.operations.access_admission import roll_up_key
from sekisho.operations.ladder_admission import refusal_key
from sekisho.signing import Recorded, parse_envelope
from sekisho.signing.tag import unique_key

__all__ = ["TAG_SCHEMES", "claims_of", "tags_of", "unique_keys"]

# What a chip's tags are made over: its maker and serial, and its device key.
TAG_SCHEMES = ("chip-serial", "device-key")


def unique_keys(recorded: Recorded) -> tuple[str, ...]:
    """The identifiers that no second statement may bear; enforced in the transaction that sequences."""
    return _keys_of(recorded.verified.predicate)


def claims_of(envelope: bytes) -> tuple[bytes | None, tuple[str, ...]]:
    """What an entry of the log took: its payload digest (None for a time mark) and its unique keys."""
    payload = parse_envelope(envelope).payload
    statement, _ = parse_payload_leniently(payload)
    if isinstance(statement.predicate, TimeMarked):
        return None, ()
    return bytes.fromhex(statement.digest), _keys_of(statement.predicate)


def tags_of(fact: ChipRegistered) -> tuple[str, ...]:
    """What each chip of a statement takes: its maker and serial, and its device key where it has one."""
    serial, device_key = TAG_SCHEMES
    return tuple(
        key
        for chip in fact.chips
        for key in (
            unique_key(serial, chip.serial),
            *((unique_key(device_key, chip.device_key),) if chip.device_key else ()),
        )
    )


def _keys_of(fact: Predicate) -> tuple[str, ...]:
    keys = _UNIQUE.get(type(fact))
    return keys(fact) if keys is not None else ()


_UNIQUE: dict[type, Callable[[Any], tuple[str, ...]]] = {
    AgentReleased: lambda p: (f"agent-release:{p.sequence}",),
    LicenceIssued: lambda p: (f"licence:{p.number}",),
    LicenceAmended: lambda p: (f"amendment:{p.licence.leaf}:{p.version}",),
    LicenceClosed: lambda p: (f"closing:{p.licence.leaf}",),
    ApplicationFiled: lambda p: (f"application:{p.application}",),
    OutageDeclared: lambda p: (f"outage:{p.outage}",),
    OrderIssued: lambda p: (f"order:{p.register}:{p.number}",),
    OrderSealed: lambda p: (f"order:{p.register}:{p.number}",),
    OrderOpened: lambda p: (f"opened:{p.order.digest}",),
    RunDeclared: lambda p: (f"run:{p.run}",),
    ReceiptGiven: lambda p: (f"receipt:{p.host}:{p.sequence}",),
    DisclosureDeposited: lambda p: (f"deposit:{p.statement}",),
    DisclosureErased: lambda p: (f"erasure:{p.statement}",),
    ChipRegistered: tags_of,
    CustodyMoved: lambda p: (f"batch:{p.batch}",),
    IrregularityFound: lambda p: (f"irregularity:{p.about}",),
    InventoryTaken: lambda p: (f"inventory:{p.party}:{p.items}",),
    BalanceClosed: lambda p: (f"balance:{p.party}:{p.report}",),
    ProductionReported: lambda p: (f"production:{p.party}:{p.report}",),
    UsageReported: lambda p: (usage_key(p),),
    AccessDecided: lambda p: (roll_up_key(p),),
    RefusalRecorded: lambda p: (refusal_key(p),),
    AppealFiled: lambda p: (f"appeal:{p.appeal}",),
    AppealDecided: lambda p: (f"appeal-decided:{p.filed.leaf}",),
    WeightsLocked: lambda p: (f"weights:{p.ciphertext}",),
    WeightsKeyReleased: lambda p: (f"weights-key:{p.request}",),
}
