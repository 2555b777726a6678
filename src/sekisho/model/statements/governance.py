"""Statements that set up a regime: charter, hosts, parties, rule packs, time marks."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import (
    Count,
    Digest,
    FlopText,
    Jurisdiction,
    Key64,
    Name,
    PackReference,
    Predicate,
    Reference,
    Seconds,
    Text,
    Wire,
)

__all__ = [
    "AgentReleased",
    "CharterAdopted",
    "CharterKey",
    "CharterLog",
    "CharterRegister",
    "CharterWitness",
    "Constituency",
    "CosignatureAlgorithm",
    "EnrolledDevice",
    "HostEnrolled",
    "HostRetired",
    "PackPublished",
    "PartyEnrolled",
    "Power",
    "PowerGrant",
    "Profile",
    "QuorumPart",
    "Recovery",
    "TimeMarked",
    "TpmEnrolled",
]

Profile: TypeAlias = Literal["internal", "provider", "authority", "international"]
Power: TypeAlias = Literal[
    "publish-rules",
    "publish-agent",
    "issue-licence",
    "grant-lease",
    "hold",
    "pause",
    "cap",
    "suspend-access",
    "resume",
    "declare-outage",
    "amend",
    "enrol-hosts",
    "enrol-parties",
    "register-chips",
    "observe",
    "judge",
    "inspect",
    "keep-registers",
    "adjudicate",
    "report-compromise",
    "publish-bundle",
    "publish-emergency",
]

_DAY_S = 86_400


class CharterKey(Wire, frozen=True, kw_only=True):
    """One key of a constituency: its SPKI in base64, the organisation that holds it, the holder's role.

    `deposit` is an X25519 SPKI of the same holder, to which deposited disclosures are sealed.
    """

    public: Key64
    organisation: Text
    holder: Text
    deposit: Key64 | None = None


class Constituency(Wire, frozen=True, kw_only=True):
    """A named group of keys that speaks with one voice, by quorum."""

    name: Name
    keys: Annotated[tuple[CharterKey, ...], msgspec.Meta(min_length=1, max_length=64)]


class QuorumPart(Wire, frozen=True, kw_only=True):
    """`k` distinct keys of one constituency."""

    constituency: Name
    k: Annotated[int, msgspec.Meta(ge=1, le=64)]


class PowerGrant(Wire, frozen=True, kw_only=True):
    """A power asks for ALL of its quorums. `max_duration_s` bounds what may be ordered with it."""

    power: Power
    quorums: Annotated[tuple[QuorumPart, ...], msgspec.Meta(min_length=1, max_length=16)]
    max_duration_s: Seconds | None = None


class CharterWitness(Wire, frozen=True, kw_only=True):
    """One witness: its name, its verifier key, and who owns that key."""

    name: Name
    vkey: Text
    owner: Text


class CosignatureAlgorithm(Wire, frozen=True, kw_only=True):
    """An algorithm that the charter accepts on cosignatures, until its end date."""

    name: Literal["ed25519", "ml-dsa-44"]
    until: Instant


class CharterLog(Wire, frozen=True, kw_only=True):
    """The log, its owner, and how many of its witnesses (k of n, f of them faulty) make a checkpoint witnessed."""

    origin: Name
    vkey: Text
    owner: Text
    witnesses: Annotated[tuple[CharterWitness, ...], msgspec.Meta(min_length=1, max_length=64)]
    witness_quorum: Annotated[int, msgspec.Meta(ge=1, le=64)]
    witness_faults: Annotated[int, msgspec.Meta(ge=0, le=64)]
    cosignatures: tuple[CosignatureAlgorithm, ...]


class CharterRegister(Wire, frozen=True, kw_only=True):
    """A numbered book of orders, one per power and jurisdiction."""

    name: Name
    power: Literal["hold", "pause", "cap", "suspend-access", "resume"]
    jurisdiction: Jurisdiction


class Recovery(Wire, frozen=True, kw_only=True):
    """Offline keys that may replace keys and nothing else, after a notice during which others can veto."""

    keys: tuple[CharterKey, ...]
    k: Annotated[int, msgspec.Meta(ge=1, le=64)]
    notice_days: Annotated[int, msgspec.Meta(ge=14, le=365)]


class CharterAdopted(Predicate, frozen=True, kw_only=True):
    """The constitution of one regime, version by version (protocol section 2).

    `recovers` names the recovery announcement that this version carries out; without it this is an amendment.
    `licence_approvals` is how many holders must approve an application before its licence; `tpm_roots` are the
    SHA-256 of the root certificates (DER) to which the endorsement keys of C2 hosts must chain.

    A constituency that held a scope may not hold what overlaps it again within `hold_again_s`, and at most
    `hold_chip_hours` in a quarter (None: not bounded). A host that has not halted `halt_due_s` after an order's grace
    is late; each step of the ladder of refusal waits `refusal_step_s`.
    """

    version: Annotated[int, msgspec.Meta(ge=1)]
    name: Text
    profile: Profile
    previous: Digest | None = None
    constituencies: Annotated[tuple[Constituency, ...], msgspec.Meta(min_length=1, max_length=32)]
    powers: tuple[PowerGrant, ...]
    log: CharterLog
    registers: tuple[CharterRegister, ...]
    expires: Instant
    orders_in_force_every_s: Seconds = 60
    order_fetch_delay_s: Seconds = 60
    witness_deadline_s: Seconds = 86_400
    pause_on_expiry: Literal["lapse", "refuse-until-resume"] = "refuse-until-resume"
    busy_without_lease: Literal["advise", "freeze", "stop"] = "freeze"
    max_lease_s: Seconds = 86_400
    max_grace_s: Seconds = 3_600
    clock_error_s: Seconds = 5
    halt_verdict_s: Seconds = 3_600
    recovery: Recovery | None = None
    recovers: Reference | None = None
    key_drill_every_s: Seconds = 90 * _DAY_S
    emergency_s: Annotated[int, msgspec.Meta(ge=0, le=30 * _DAY_S)] = 30 * _DAY_S
    compromise_grace_s: Annotated[int, msgspec.Meta(ge=0, le=3 * _DAY_S)] = 3 * _DAY_S
    licence_approvals: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    tpm_roots: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=64)] = ()
    hold_again_s: Annotated[int, msgspec.Meta(ge=14 * _DAY_S, le=365 * _DAY_S)] = 14 * _DAY_S
    hold_chip_hours: Count | None = None
    halt_due_s: Seconds = 600
    refusal_step_s: Seconds = _DAY_S


class EnrolledDevice(Wire, frozen=True, kw_only=True):
    """One device of a host. `basis` says where its peak comes from; an emulated device says so for ever."""

    device: Name
    chip: Text
    peak_flop_per_s: FlopText
    basis: Literal["table", "declared"]
    public: Key64 | None = None
    memory_bytes: Count | None = None
    emulated: bool = False


class TpmEnrolled(Wire, frozen=True, kw_only=True):
    """A host's TPM: its endorsement certificates (DER in base64, leaf first), attestation key and counter index.

    `attestation` is the attestation key's SPKI, `attestation_name` its TPM name in hexadecimal, which credential
    activation bound to the endorsement key; `counter_index` is the NV index, `counter_name` that index's TPM name.
    """

    endorsement: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=8000)], ...], msgspec.Meta(max_length=8)
    ]
    attestation: Annotated[str, msgspec.Meta(max_length=1000)]
    attestation_name: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{68,100}(?!\n)$")]
    counter_index: Annotated[int, msgspec.Meta(ge=0x01000000, le=0x01FFFFFF)]
    counter_name: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{68,100}(?!\n)$")]


class HostEnrolled(Predicate, frozen=True, kw_only=True):
    """A host, its key, its devices and what its agent can do (protocol section 5)."""

    host: Name
    public: Key64
    organisation: Text
    site: Name
    jurisdiction: Jurisdiction
    devices: Annotated[tuple[EnrolledDevice, ...], msgspec.Meta(min_length=1, max_length=256)]
    counter: Literal["C0", "C1", "C2"]
    driver: Literal["process", "cgroup", "slurm", "kubernetes", "none"]
    agent: Digest
    canary: Name | None = None
    tpm: TpmEnrolled | None = None


class HostRetired(Predicate, frozen=True, kw_only=True):
    """A host leaves the regime: from this entry on its key says nothing any more."""

    host: Name
    reason: Text


class PartyEnrolled(Predicate, frozen=True, kw_only=True):
    """A party that may declare runs, with its key and its organisation."""

    party: Name
    public: Key64
    organisation: Text
    country: Jurisdiction


class PackPublished(Predicate, frozen=True, kw_only=True):
    """A rule pack by content: who decides by it can be checked against these bytes.

    `emergency` asks a lower quorum for it and makes it lapse.
    """

    pack: PackReference
    bytes: Count
    summary: Text = ""
    emergency: bool = False


class AgentReleased(Predicate, frozen=True, kw_only=True):
    """An agent's version by the SHA-256 of its release; hosts refuse older ones, by `sequence`.

    Going back to an earlier release takes a newer statement that names its bytes again, with a `reason`.
    """

    version: Name
    sha256: Digest
    sequence: Annotated[int, msgspec.Meta(ge=1)] | None = None
    bytes: Count | None = None
    reason: Text | None = None


class TimeMarked(Predicate, frozen=True, kw_only=True):
    """Opens each batch of the log: the checkpoint before it, with its cosignatures; none before the first."""

    checkpoint: Annotated[str, msgspec.Meta(max_length=40_000)] | None = None
