"""The regime as its log tells it: which charter is in force, which hosts and parties exist, whose word counts.

A pure fold. `verify` takes an envelope's bytes and says what it states and by whose authority, or raises; `after`
gives the regime that follows. The sequencer, the agent and the auditor all run this one fold.

The steps of `verify`, in order: (1) parse envelope and statement strictly; (2) find whose keys the kind asks for;
(3) try every signature against every such key; (4) ask the charter whether the distinct keys make the power;
(5) for a charter, ask the old one as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from sekisho.model.errors import (
    BadSignature,
    NotAuthorised,
    UnknownCriticalField,
    VerificationError,
)
from sekisho.model.statements import (
    KINDS,
    ChallengeAnswered,
    CharterAdopted,
    ElsewhereKey,
    HostEnrolled,
    HostRetired,
    OrderIssued,
    PartyEnrolled,
    Power,
    Predicate,
    RunDeclared,
    parse_payload_leniently,
)
from sekisho.signing.charter import Charter
from sekisho.signing.dsse import Envelope, distinct_signers, parse_envelope
from sekisho.signing.keys import PublicKey

__all__ = [
    "CharterBreak",
    "ForgedRegime",
    "Recorded",
    "Regime",
    "SharedKey",
    "UnknownSpeaker",
    "Verified",
    "is_restricting",
]


class ForgedRegime(VerificationError):
    """The first charter is not the one that the trust root names: the whole regime is somebody else's."""

    code = "forged-regime"


class CharterBreak(VerificationError):
    """A charter version that does not follow the one in force: a gap, a rollback, or another predecessor."""

    code = "charter-break"


class UnknownSpeaker(VerificationError):
    """A statement by a host, party or device that is not enrolled."""

    code = "unknown-speaker"


class SharedKey(VerificationError):
    """An enrolment whose key or device already speaks for another: who said something must stay one answer."""

    code = "shared-key"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that its regime vouches for: what it says, by which keys, in which envelope."""

    kind: str
    predicate: Predicate
    digest: str
    signers: frozenset[str]
    envelope: Envelope


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A verified statement at its place in the log: index, leaf digest (hex)."""

    index: int
    leaf: str
    verified: Verified


class Regime(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the log's first N entries may believe about who may speak."""

    root_charter: str
    log_key: PublicKey
    charter: Charter | None = None
    hosts: Mapping[str, HostEnrolled] = {}
    parties: Mapping[str, PartyEnrolled] = {}

    @classmethod
    def start(cls, root_charter: str, log_key: PublicKey) -> Regime:
        """An empty regime under a trust root: the digest of charter version 1 (hex) and the log's key."""
        return cls(root_charter=root_charter, log_key=log_key)

    def verify(self, raw: bytes, *, path: str = "") -> Verified:
        """What an envelope states, and by whose authority. Raises an error that names the fault."""
        envelope = parse_envelope(raw, path=path)
        statement, unknown = parse_payload_leniently(envelope.payload, path=path)
        predicate = statement.predicate
        if unknown and not is_restricting(predicate):
            raise UnknownCriticalField(
                f"{statement.kind} needs fields that this reader does not know: {', '.join(sorted(unknown))}",
                remedy="update before acting on it",
            )
        if isinstance(predicate, HostEnrolled):
            self._check_enrolment(predicate)
        if isinstance(predicate, CharterAdopted):
            signers = self._verify_charter(predicate, statement.digest, envelope)
        else:
            signers = self._verify_signers(statement.kind, predicate, envelope)
        return Verified(
            kind=statement.kind,
            predicate=predicate,
            digest=statement.digest,
            signers=signers,
            envelope=envelope,
        )

    def after(self, verified: Verified) -> Regime:
        """The regime once `verified` is in the log."""
        fact = verified.predicate
        if isinstance(fact, CharterAdopted):
            return msgspec.structs.replace(self, charter=Charter(fact, verified.digest))
        if isinstance(fact, HostEnrolled):
            return msgspec.structs.replace(self, hosts={**self.hosts, fact.host: fact})
        if isinstance(fact, HostRetired):
            left = {name: host for name, host in self.hosts.items() if name != fact.host}
            return msgspec.structs.replace(self, hosts=left)
        if isinstance(fact, PartyEnrolled):
            return msgspec.structs.replace(self, parties={**self.parties, fact.party: fact})
        return self

    def in_force(self) -> Charter:
        """The charter in force; raises NotAuthorised where none is adopted yet."""
        if self.charter is None:
            raise NotAuthorised("no charter is adopted yet", remedy="adopt charter version 1 first")
        return self.charter

    def power_of(self, kind: str, predicate: Predicate) -> Power | None:
        """The charter power that a statement needs; None where its key comes from elsewhere."""
        signer = KINDS[kind].signer
        if signer == "order-kind" and isinstance(predicate, OrderIssued):
            return predicate.kind
        return None if signer in get_args(ElsewhereKey) else signer  # type: ignore[return-value]  # get_args is untyped

    def keys_for(self, kind: str, predicate: Predicate) -> list[PublicKey]:
        """The keys that a statement's signatures are tried against."""
        power = self.power_of(kind, predicate)
        if power is not None:
            return self.in_force().keys_of(power)
        signer = KINDS[kind].signer
        if signer == "log":
            return [self.log_key]
        if signer == "party" and isinstance(predicate, RunDeclared):
            return [self._party_key(predicate.party)]
        if signer == "device" and isinstance(predicate, ChallengeAnswered):
            return [self._device_key(predicate.device)]
        host = self._host_key(str(getattr(predicate, "host", "")))
        if signer == "witness-of-fault":
            charter = self.in_force()
            return [host, *charter.keys_of("observe"), *charter.keys_of("grant-lease")]
        return [host]

    def _verify_signers(
        self, kind: str, predicate: Predicate, envelope: Envelope
    ) -> frozenset[str]:
        signers = distinct_signers(envelope, self.keys_for(kind, predicate))
        power = self.power_of(kind, predicate)
        if power is not None:
            self.in_force().verify_power(power, signers)
        elif not signers:
            raise BadSignature(f"no signature of this {kind} is by the key it must come from")
        return signers

    def _verify_charter(
        self, terms: CharterAdopted, digest: str, envelope: Envelope
    ) -> frozenset[str]:
        """The root or the keys in force first: a stranger's charter must not choose how many keys we try."""
        new = Charter(terms, digest)
        if self.charter is None:
            self._check_root(terms, digest)
            old: frozenset[str] = frozenset()
        elif (
            terms.version != self.charter.terms.version + 1 or terms.previous != self.charter.digest
        ):
            raise CharterBreak(
                f"charter version {terms.version} does not follow version {self.charter.terms.version} in force"
            )
        else:
            old = distinct_signers(envelope, self.charter.keys.values())
            self.charter.verify_power("amend", old)
        signers = distinct_signers(envelope, new.keys.values())
        new.verify_power("amend", signers)
        return signers | old

    def _check_root(self, terms: CharterAdopted, digest: str) -> None:
        if digest != self.root_charter:
            raise ForgedRegime(
                f"charter {digest[:16]} is not the charter {self.root_charter[:16]} of the trust root",
                remedy="check where the trust root and this log come from",
            )
        if terms.version != 1 or terms.previous is not None:
            raise CharterBreak("the first charter must be version 1 without predecessor")

    def _check_enrolment(self, new: HostEnrolled) -> None:
        """Refuse an enrolment that would let one key, or one device's name, speak for two (protocol section 9).

        A device's answer proves something only under a key that its operator does not hold.
        """
        own = PublicKey.from_text(new.public).key_id
        others = [host for name, host in self.hosts.items() if name != new.host]
        taken = {PublicKey.from_text(host.public).key_id for host in others}
        taken |= set(self.charter.keys) if self.charter is not None else set()
        devices = [
            PublicKey.from_text(d.public).key_id for d in new.devices if d.public is not None
        ]
        if own in taken or {own, *taken} & set(devices):
            raise SharedKey(
                f"host {new.host} or a device of it bears a key that speaks for another"
            )
        names = [device.device for device in new.devices]
        known = {device.device for host in others for device in host.devices}
        if len(set(names)) != len(names) or known & set(names):
            raise SharedKey(f"host {new.host} names a device that is enrolled already")

    def _host_key(self, name: str) -> PublicKey:
        host = self.hosts.get(name)
        if host is None:
            raise UnknownSpeaker(f"host {name!r} is not enrolled", remedy="enrol it first")
        return PublicKey.from_text(host.public)

    def _party_key(self, name: str) -> PublicKey:
        party = self.parties.get(name)
        if party is None:
            raise UnknownSpeaker(f"party {name!r} is not enrolled", remedy="enrol it first")
        return PublicKey.from_text(party.public)

    def _device_key(self, name: str) -> PublicKey:
        for host in self.hosts.values():
            for device in host.devices:
                if device.device == name and device.public is not None:
                    return PublicKey.from_text(device.public)
        raise UnknownSpeaker(f"no enrolled device {name!r} has a key of its own")


def is_restricting(predicate: Predicate) -> bool:
    """Whether a statement only takes away: then a critical field that we do not know must not disarm it."""
    return isinstance(predicate, OrderIssued) and predicate.kind != "resume"
