"""The in-toto statement around every predicate: made, canonical, parsed, with its kind's signer named.

Shape: https://in-toto.io/Statement/v1 with predicateType `urn:sekisho:statement:<kind>:v1`. Where there is no
artefact the subject is the id of what the predicate speaks of, with the SHA-256 of the predicate's RFC 8785 form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec

from sekisho.model.errors import InvalidInput, UnknownCriticalField
from sekisho.model.quick_json import NotQuick, read_quickly
from sekisho.model.statements.access import AccessDecided, WeightsKeyReleased, WeightsLocked
from sekisho.model.statements.applications import (
    ApplicationFiled,
    ApprovalGiven,
    LicenceAmended,
    LicenceClosed,
    LicenceSuspended,
    OutageDeclared,
)
from sekisho.model.statements.custody import (
    BalanceClosed,
    ChipRegistered,
    CustodyMoved,
    InventoryTaken,
    IrregularityFound,
    ProductionReported,
)
from sekisho.model.statements.deposits import DisclosureDeposited, DisclosureErased
from sekisho.model.statements.governance import (
    AgentReleased,
    CharterAdopted,
    HostEnrolled,
    HostRetired,
    PackPublished,
    PartyEnrolled,
    Power,
    TimeMarked,
)
from sekisho.model.statements.impact import ImpactAssessed
from sekisho.model.statements.licensing import (
    CheckpointRecorded,
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    LicenceIssued,
    LicenceRevoked,
    ReceiptAcknowledged,
    ReceiptGiven,
    RunDeclared,
    UsageReported,
)
from sekisho.model.statements.orders import (
    AppealDecided,
    AppealFiled,
    ChallengeAnswered,
    FindingRaised,
    HaltJudged,
    ObservationMade,
    OrderConfirmed,
    OrderIssued,
    OrderOpened,
    OrderSealed,
    OrdersInForce,
    RefusalRecorded,
)
from sekisho.model.statements.shapes import Digest, Predicate, Wire
from sekisho.model.statements.succession import (
    KeyCompromised,
    KeyDrilled,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
)
from sekisho.model.wire import canonical, decoder_of, from_json, parse_canonical, sha256_hex

__all__ = [
    "KINDS",
    "MAX_PAYLOAD",
    "PAYLOAD_TYPE",
    "ElsewhereKey",
    "Kind",
    "Signer",
    "Statement",
    "kind_of",
    "make_payload",
    "parse_payload",
    "parse_payload_leniently",
    "power_asked",
    "unknown_critical",
]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MAX_PAYLOAD = 45_000

# Whose key makes a kind valid: a charter power (by name, or read off the predicate: an order's kind, a pack's
# emergency), or a key that comes from elsewhere. A finding takes one key of the host itself, an observer or a lease
# issuer; a drill, a withdrawal and an approval the charter key that they name; an announcement the recovery keys; a
# veto the constituency that it names. "self" is the key that the statement itself carries: it says that one holder made
# it, and whose key that is comes from elsewhere (docs/adr/0021).
ElsewhereKey: TypeAlias = Literal[
    "host",
    "party",
    "device",
    "log",
    "order-kind",
    "pack-kind",
    "witness-of-fault",
    "key-itself",
    "recovery",
    "veto",
    "self",
]
Signer: TypeAlias = ElsewhereKey | Power
_ELSEWHERE: frozenset[str] = frozenset(get_args(ElsewhereKey))


class Kind(msgspec.Struct, frozen=True):
    """One row of the table of kinds: predicate, what it is about, who signs, and whether it may enter the log."""

    predicate: type[Predicate]
    subject: Callable[[Any], str]
    signer: Signer
    logged: bool = True


KINDS: dict[str, Kind] = {
    "charter-adopted": Kind(CharterAdopted, lambda p: f"charter:{p.version}", "amend"),
    "key-compromised": Kind(KeyCompromised, lambda p: f"key:{p.key}", "report-compromise"),
    "key-drilled": Kind(KeyDrilled, lambda p: f"key:{p.key}", "key-itself"),
    "signature-withdrawn": Kind(SignatureWithdrawn, lambda p: f"payload:{p.payload}", "key-itself"),
    "recovery-announced": Kind(RecoveryAnnounced, lambda p: f"recovery:{p.version}", "recovery"),
    "recovery-vetoed": Kind(RecoveryVetoed, lambda p: f"recovery:{p.announcement.leaf}", "veto"),
    "host-enrolled": Kind(HostEnrolled, lambda p: f"host:{p.host}", "enrol-hosts"),
    "host-retired": Kind(HostRetired, lambda p: f"host:{p.host}", "enrol-hosts"),
    "party-enrolled": Kind(PartyEnrolled, lambda p: f"party:{p.party}", "enrol-parties"),
    "pack-published": Kind(PackPublished, lambda p: f"pack:{p.pack.name}", "pack-kind"),
    "agent-released": Kind(AgentReleased, lambda p: f"agent:{p.version}", "publish-agent"),
    "time-marked": Kind(TimeMarked, lambda _: "time-mark", "log"),
    "run-declared": Kind(RunDeclared, lambda p: f"run:{p.run}", "party"),
    "application-filed": Kind(ApplicationFiled, lambda p: f"application:{p.application}", "party"),
    "approval-given": Kind(ApprovalGiven, lambda p: f"application:{p.number}", "key-itself"),
    "licence-issued": Kind(LicenceIssued, lambda p: f"licence:{p.number}", "issue-licence"),
    "licence-revoked": Kind(LicenceRevoked, lambda p: f"licence:{p.number}", "issue-licence"),
    "licence-amended": Kind(LicenceAmended, lambda p: f"licence:{p.number}", "issue-licence"),
    "licence-suspended": Kind(LicenceSuspended, lambda p: f"licence:{p.number}", "issue-licence"),
    "licence-closed": Kind(LicenceClosed, lambda p: f"licence:{p.number}", "grant-lease"),
    "outage-declared": Kind(OutageDeclared, lambda p: f"outage:{p.outage}", "declare-outage"),
    "lease-requested": Kind(LeaseRequested, lambda p: f"host:{p.host}", "host", logged=False),
    "lease-granted": Kind(LeaseGranted, lambda p: f"lease:{p.host}:{p.number}", "grant-lease"),
    "lease-closed": Kind(LeaseClosed, lambda p: f"lease:{p.host}:{p.number}", "grant-lease"),
    "usage-reported": Kind(UsageReported, lambda p: f"party:{p.licensee}", "grant-lease"),
    "receipt-given": Kind(ReceiptGiven, lambda p: f"receipt:{p.host}:{p.sequence}", "host"),
    "receipt-acknowledged": Kind(
        ReceiptAcknowledged, lambda p: f"receipt:{p.host}:{p.sequence}", "grant-lease", logged=False
    ),
    "checkpoint-recorded": Kind(
        CheckpointRecorded, lambda p: f"checkpoint:{p.checkpoint.sha256}", "host"
    ),
    "order-issued": Kind(OrderIssued, lambda p: f"order:{p.register}:{p.number}", "order-kind"),
    "order-sealed": Kind(OrderSealed, lambda p: f"order:{p.register}:{p.number}", "order-kind"),
    "order-opened": Kind(
        OrderOpened, lambda p: f"order:{p.order.register}:{p.order.number}", "keep-registers"
    ),
    "order-confirmed": Kind(
        OrderConfirmed, lambda p: f"order:{p.order.register}:{p.order.number}", "order-kind"
    ),
    "orders-in-force": Kind(OrdersInForce, lambda _: "orders-in-force", "keep-registers"),
    "observation-made": Kind(ObservationMade, lambda p: f"host:{p.host}", "observe"),
    "challenge-answered": Kind(ChallengeAnswered, lambda p: f"device:{p.device}", "device"),
    "halt-judged": Kind(HaltJudged, lambda p: f"host:{p.host}", "judge"),
    "refusal-recorded": Kind(RefusalRecorded, lambda p: f"host:{p.host}", "judge"),
    "appeal-filed": Kind(AppealFiled, lambda p: f"appeal:{p.appeal}", "party"),
    "appeal-decided": Kind(AppealDecided, lambda p: f"appeal:{p.appeal}", "adjudicate"),
    "access-decided": Kind(AccessDecided, lambda p: f"model:{p.model}", "host"),
    "weights-locked": Kind(WeightsLocked, lambda p: f"model:{p.model}", "party"),
    "weights-key-released": Kind(WeightsKeyReleased, lambda p: f"model:{p.model}", "grant-lease"),
    "finding-raised": Kind(FindingRaised, lambda p: f"host:{p.host}", "witness-of-fault"),
    "chip-registered": Kind(ChipRegistered, lambda p: f"batch:{p.batch}", "register-chips"),
    "custody-moved": Kind(CustodyMoved, lambda p: f"batch:{p.root}", "keep-registers"),
    "inventory-taken": Kind(InventoryTaken, lambda p: f"party:{p.party}", "party"),
    "balance-closed": Kind(BalanceClosed, lambda p: f"party:{p.party}", "party"),
    "production-reported": Kind(ProductionReported, lambda p: f"party:{p.party}", "party"),
    "irregularity-found": Kind(
        IrregularityFound, lambda p: f"irregularity:{p.about}", "keep-registers"
    ),
    "disclosure-deposited": Kind(
        DisclosureDeposited, lambda p: f"payload:{p.statement}", "keep-registers"
    ),
    "disclosure-erased": Kind(
        DisclosureErased, lambda p: f"payload:{p.statement}", "keep-registers"
    ),
    "impact-assessed": Kind(ImpactAssessed, lambda p: f"impact:{p.result}", "self", logged=False),
}
_KIND_OF: dict[type[Predicate], str] = {row.predicate: name for name, row in KINDS.items()}


class Subject(Wire, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(max_length=400)]
    digest: dict[Literal["sha256"], Digest]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed statement: its kind, its typed predicate, and the SHA-256 of the payload that names it uniquely."""

    kind: str
    predicate: Predicate
    digest: str
    payload: bytes


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: str = msgspec.field(name="_type")
    subject: Annotated[tuple[Subject, ...], msgspec.Meta(min_length=1, max_length=1)]
    predicateType: str  # noqa: N815  # in-toto's own wire word
    predicate: dict[str, Any]


class _QuickForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same with the predicate's bytes as they stand."""

    type: str = msgspec.field(name="_type")
    subject: Annotated[tuple[Subject, ...], msgspec.Meta(min_length=1, max_length=1)]
    predicateType: str  # noqa: N815  # in-toto's own wire word
    predicate: msgspec.Raw


_PAYLOAD = (
    b'{"_type":"' + STATEMENT_TYPE.encode() + b'","predicate":%(said)b,'
    b'"predicateType":"urn:sekisho:statement:%(kind)b:v1",'
    b'"subject":[{"digest":{"sha256":"%(digest)b"},"name":%(name)b}]}'
)
_QUICK_FORM = decoder_of(_QuickForm)
_DECODERS: dict[str, msgspec.json.Decoder[Predicate]] = {
    name: decoder_of(row.predicate) for name, row in KINDS.items()
}


def kind_of(predicate: Predicate) -> str:
    """The wire word of a predicate's kind."""
    return _KIND_OF[type(predicate)]


def power_asked(kind: str, predicate: Predicate) -> Power | None:
    """The charter power that a statement asks for; None where its key comes from elsewhere."""
    if isinstance(predicate, OrderIssued | OrderSealed | OrderConfirmed):
        return predicate.kind
    if isinstance(predicate, PackPublished):
        return "publish-emergency" if predicate.emergency else "publish-rules"
    signer = KINDS[kind].signer
    return None if signer in _ELSEWHERE else signer  # type: ignore[return-value]  # the others are powers


def make_payload(predicate: Predicate) -> bytes:
    """The canonical bytes of the statement that says `predicate`. Raises InvalidInput above 45,000 bytes."""
    kind = kind_of(predicate)
    said = canonical(predicate)
    # Its names in the order of RFC 8785, so that what is canonical inside stays so.
    payload = _PAYLOAD % {
        b"said": said,
        b"kind": kind.encode(),
        b"digest": sha256_hex(said).encode(),
        b"name": canonical(KINDS[kind].subject(predicate)),
    }
    if len(payload) > MAX_PAYLOAD:
        raise InvalidInput(
            f"a {kind} statement of {len(payload)} bytes is over {MAX_PAYLOAD}",
            remedy="carry the large part by digest and count",
        )
    return payload


def parse_payload(payload: bytes, *, path: str = "") -> Statement:
    """Read a statement strictly: canonical bytes, a known kind, typed fields, its subject's digest recomputed.

    Raises InvalidInput with the field's path, UnknownCriticalField where `crit` names what we do not know.
    """
    statement, unknown = parse_payload_leniently(payload, path=path)
    if unknown:
        raise UnknownCriticalField(
            f"{statement.kind} needs fields that this reader does not know: {', '.join(sorted(unknown))}",
            remedy="update before acting on it",
        )
    return statement


def parse_payload_leniently(payload: bytes, *, path: str = "") -> tuple[Statement, frozenset[str]]:
    """The same, but critical fields that we do not know are returned, not raised: what restricts acts all the same."""
    if len(payload) > MAX_PAYLOAD:
        raise InvalidInput(f"a payload of {len(payload)} bytes is over {MAX_PAYLOAD}", path=path)
    quick = _parse_quickly(payload)
    if quick is not None:
        return quick, unknown_critical(quick.predicate)
    form = from_json(_Form, parse_canonical(payload, path=path), path=path)
    name = _kind_name(form.type, form.predicateType, path)
    row = KINDS[name]
    predicate = from_json(row.predicate, form.predicate, path=f"{path}.predicate".lstrip("."))
    _check_subject(form, row, predicate, path)
    statement = Statement(
        kind=name, predicate=predicate, digest=sha256_hex(payload), payload=payload
    )
    return statement, unknown_critical(predicate)


def unknown_critical(predicate: Predicate) -> frozenset[str]:
    """The fields that `crit` names and that this reader does not know."""
    if not predicate.crit:
        return frozenset()
    known = {field.encode_name for field in msgspec.structs.fields(type(predicate))}
    return frozenset(predicate.crit) - known


def _parse_quickly(payload: bytes) -> Statement | None:
    """A sound statement at the speed of C; None where it must be read the long way, which says what is wrong."""
    try:
        read_quickly(payload)
        form = _QUICK_FORM.decode(payload)
        name = _kind_name(form.type, form.predicateType, "")
        predicate = _DECODERS[name].decode(form.predicate)
    except (NotQuick, msgspec.MsgspecError, InvalidInput):
        return None
    # Part of canonical bytes, so canonical itself.
    expected = {"sha256": sha256_hex(bytes(form.predicate))}
    if form.subject[0].name != KINDS[name].subject(predicate) or form.subject[0].digest != expected:
        return None
    return Statement(kind=name, predicate=predicate, digest=sha256_hex(payload), payload=payload)


def _kind_name(statement_type: str, predicate_type: str, path: str) -> str:
    head, _, rest = predicate_type.partition("urn:sekisho:statement:")
    name, _, version = rest.rpartition(":")
    if statement_type != STATEMENT_TYPE or head or version != "v1" or name not in KINDS:
        raise InvalidInput(
            f"{predicate_type[:80]!r} is not a statement kind that we know", path=path
        )
    return name


def _check_subject(form: _Form, row: Kind, predicate: Predicate, path: str) -> None:
    expected = {"sha256": sha256_hex(canonical(form.predicate))}
    if form.subject[0].name != row.subject(predicate) or form.subject[0].digest != expected:
        raise InvalidInput(
            "the subject does not name this predicate", path=f"{path}.subject".lstrip(".")
        )
