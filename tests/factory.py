"""Building blocks for tests: seeded keys, a charter of the authority profile, statements with their envelopes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sekisho.model.instants import Instant, parse_instant
from sekisho.model.statements import (
    CharterAdopted,
    CharterKey,
    CharterLog,
    CharterWitness,
    CosignatureAlgorithm,
    EnrolledDevice,
    HostEnrolled,
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    LeaseTerms,
    LicenceDecision,
    LicenceIssued,
    Lineage,
    OrderIssued,
    OrderReference,
    PackReference,
    PartyEnrolled,
    Predicate,
    ReceiptGiven,
    Recovery,
    Reference,
    RegisterHead,
    RunDeclared,
    Scope,
    Span,
    TimeMarked,
    make_payload,
)
from sekisho.model.wire import encode_base64, sha256_hex
from sekisho.signing import (
    Ed25519Signer,
    Envelope,
    Recorded,
    Regime,
    conceal,
    draft_charter,
    sign_payload,
)
from sekisho.signing.keys import Signer
from sekisho.signing.notes import Note, NoteSigner

__all__ = [
    "AUTHORITY",
    "COSIGNERS",
    "DEVICE",
    "HEAD",
    "HOST",
    "LEAF",
    "LOG",
    "LOG_NOTE",
    "NOW",
    "OPERATOR",
    "ORDER",
    "ORIGIN",
    "PARTY",
    "RECOVERY",
    "REFERENCE",
    "SALT",
    "VERIFIER",
    "charter",
    "charter_envelope",
    "checkpoint_note",
    "disclosed",
    "host_enrolled",
    "lease_closed",
    "lease_granted",
    "lease_requested",
    "licence_issued",
    "order_issued",
    "party_enrolled",
    "receipt_given",
    "recorded",
    "regime",
    "run_declared",
    "signed",
    "signer",
    "time_marked",
]

ORIGIN = "log.example/sekisho"
NOW = parse_instant("2026-11-22T09:00:00Z")


def signer(name: str) -> Ed25519Signer:
    """A key that depends on nothing but its name."""
    seed = hashlib.sha256(f"sekisho test key {name}".encode()).digest()
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(seed))


AUTHORITY: tuple[Ed25519Signer, ...] = tuple(signer(f"authority-{n}") for n in range(1, 6))
VERIFIER: tuple[Ed25519Signer, ...] = (signer("verifier-1"), signer("verifier-2"))
OPERATOR = signer("operator-1")
RECOVERY: tuple[Ed25519Signer, ...] = tuple(signer(f"recovery-{n}") for n in range(1, 4))
LOG = signer("log")
LOG_NOTE = NoteSigner(ORIGIN, LOG.private)
COSIGNERS: tuple[NoteSigner, ...] = tuple(
    NoteSigner.cosigner(f"w{n}.example", signer(f"cosigner-{n}").private) for n in (1, 2)
)
HOST = signer("host-1")
PARTY = signer("party-1")
DEVICE = signer("device-1")


def _key(of: Signer, organisation: str, holder: str) -> CharterKey:
    return CharterKey(public=of.public.to_text(), organisation=organisation, holder=holder)


def charter(
    *,
    log_vkey: str = LOG_NOTE.verifier.to_text(),
    witnesses: Sequence[CharterWitness] | None = None,
    now: Instant = NOW,
    operators: Sequence[Signer] = (OPERATOR,),
) -> CharterAdopted:
    """Charter version 1: authority 3-of-5, verifiers 1-of-2, operators 1 of one key, recovery 2-of-3."""
    known = witnesses or tuple(
        CharterWitness(name=f"w{n}", vkey=w.verifier.to_text(), owner=f"Witness Society {n}")
        for n, w in enumerate(COSIGNERS, 1)
    )
    return draft_charter(
        profile="authority",
        name="Test regime",
        jurisdiction="JP",
        constituencies={
            "authority": [
                _key(k, "Authority", f"authority {n}") for n, k in enumerate(AUTHORITY, 1)
            ],
            "verifiers": [_key(k, "Verifier", f"verifier {n}") for n, k in enumerate(VERIFIER, 1)],
            "operators": [_key(k, "Operator", f"operator {n}") for n, k in enumerate(operators, 1)],
        },
        log=CharterLog(
            origin=ORIGIN,
            vkey=log_vkey,
            owner="Operator",
            witnesses=tuple(known),
            witness_quorum=2,
            witness_faults=1,
            cosignatures=(CosignatureAlgorithm(name="ed25519", until=now.plus(10**8)),),
        ),
        now=now,
        recovery=Recovery(
            keys=tuple(_key(k, "Vault", f"recovery {n}") for n, k in enumerate(RECOVERY, 1)),
            k=2,
            notice_days=14,
        ),
    )


def signed(predicate: Predicate, *signers: Signer) -> Envelope:
    """The envelope that states `predicate` under these signatures."""
    return sign_payload(make_payload(predicate), signers)


def charter_envelope(terms: CharterAdopted | None = None) -> Envelope:
    """The charter under the three authority keys and the verifier key that its power `amend` asks for."""
    return signed(terms or charter(), *AUTHORITY[:3], VERIFIER[0])


def host_enrolled(
    host: str = "host-1", *, of: Signer = HOST, emulated: bool = False, now: Instant = NOW
) -> HostEnrolled:
    """One host with one device; an emulated device has a key and memory of its own."""
    device = EnrolledDevice(
        device=f"{host}/device-0",
        chip="emulated accelerator" if emulated else "host CPU",
        peak_flop_per_s="1000000000",
        basis="declared",
        public=DEVICE.public.to_text() if emulated else None,
        memory_bytes=1 << 20,
        emulated=emulated,
    )
    return HostEnrolled(
        effective=now,
        host=host,
        public=of.public.to_text(),
        organisation="Operator",
        site="site-1",
        jurisdiction="JP",
        devices=(device,),
        counter="C0",
        driver="process",
        agent="0" * 64,
        canary="run-1",
    )


def party_enrolled() -> PartyEnrolled:
    """The developer whose runs are licensed."""
    return PartyEnrolled(
        effective=NOW,
        party="party-1",
        public=PARTY.public.to_text(),
        organisation="Developer",
        country="JP",
    )


def run_declared(run: str = "run-1", *, planned_flop: str = "1000000000000") -> RunDeclared:
    """A run from scratch on host-1."""
    return RunDeclared(
        effective=NOW,
        run=run,
        party="party-1",
        site="site-1",
        jurisdictions=("JP",),
        purpose="canary",
        lineage=Lineage(scratch=True),
        chips=(),
        hosts=("host-1",),
        planned_flop=planned_flop,
        planned_flop_hardware=planned_flop,
        period=Span(start=NOW, end=NOW.plus(86_400)),
    )


def licence_issued(
    declaration: Reference, *, number: str = "LIC-1", budget_flop: str = "10000000000000"
) -> LicenceIssued:
    """A licence for run-1 with leases of 60 s, 2 s of grace and quanta of 2 s."""
    return LicenceIssued(
        effective=NOW,
        number=number,
        licensee="party-1",
        run="run-1",
        declaration=declaration,
        lineage=Lineage(scratch=True),
        hosts=("host-1",),
        devices=1,
        devices_root="0" * 64,
        sites=("site-1",),
        budget_flop=budget_flop,
        period=Span(start=NOW, end=NOW.plus(86_400)),
        lease=LeaseTerms(interval_s=60, grace_s=2, quantum_s=2),
        mode="kill",
        decision=LicenceDecision(
            decision="permit",
            rules=(),
            pack=PackReference(name="loop", version="1", sha256="0" * 64),
        ),
    )


def order_issued(  # an order is what its drafters vary
    *,
    number: int = 1,
    previous: str = hashlib.sha256(b"").hexdigest(),
    kind: str = "pause",
    effect: str = "freeze",
    scope: Scope | None = None,
    lifts: Iterable[OrderReference] = (),
    charter_digest: str = "",
    now: Instant = NOW,
    **changes: object,
) -> OrderIssued:
    """An order for site-1, by default pause number 1, in force for an hour."""
    fields: dict[str, object] = {
        "effective": now,
        "log": ORIGIN,
        "charter": charter_digest or charter_envelope().digest,
        "register": f"{kind}/JP",
        "number": number,
        "previous": previous,
        "kind": kind,
        "scope": scope or Scope(sites=("site-1",)),
        "effect": effect,
        "grace_s": 0,
        "not_before": now,
        "expires": now.plus(3_600),
        "on_expiry": "lapse" if kind != "pause" else "refuse-until-resume",
        "issue_until": now.plus(3_600),
        "legal_basis": "Test act, section 1",
        "appeal": "in writing within 14 days",
        "lifts": tuple(lifts),
        **changes,
    }
    return OrderIssued(**fields)  # type: ignore[arg-type]  # changes are the test's own choice


def regime(*more: Envelope) -> Regime:
    """The regime after the charter, host-1, party-1 and `more` statements."""
    start = Regime.start(charter_envelope().digest, LOG.public)
    envelopes = (
        charter_envelope(),
        signed(host_enrolled(), AUTHORITY[0], OPERATOR),
        signed(party_enrolled(), AUTHORITY[0]),
        *more,
    )
    for index, envelope in enumerate(envelopes):
        start = start.after(recorded(envelope, start, index))
    return start


def recorded(envelope: Envelope, before: Regime, index: int) -> Recorded:
    """The entry that an envelope is at its place, verified by the regime before it."""
    leaf = sha256_hex(b"\0" + envelope.raw)
    return Recorded(index=index, leaf=leaf, verified=before.verify(envelope.raw))


def checkpoint_note(
    size: int, at: Instant, *, root: str = "", cosigners: Sequence[NoteSigner] = COSIGNERS
) -> str:
    """A checkpoint of the test log, witnessed at an instant; its root is made up from the size where none is given."""
    digest = bytes.fromhex(root or sha256_hex(f"root {size}".encode()))
    text = f"{ORIGIN}\n{size}\n{encode_base64(digest)}\n"
    lines = [w.sign(text, timestamp=int(at.seconds)) for w in cosigners]
    return Note(text=text, signatures=(LOG_NOTE.sign(text), *lines)).to_bytes().decode()


def time_marked(
    size: int, at: Instant, *, said: Instant | None = None, **note: object
) -> TimeMarked:
    """The mark that quotes it; `said` is the date that the log's keeper writes."""
    text = checkpoint_note(size, at, **note)  # type: ignore[arg-type]  # the test's own choice
    return TimeMarked(effective=said or at, checkpoint=text)


LEAF = "1" * 64
REFERENCE = Reference(log=ORIGIN, leaf=LEAF)
ORDER = OrderReference(register="pause/JP", number=1, digest="2" * 64)
HEAD = RegisterHead(register="pause/JP", number=1, digest="2" * 64)
SALT = b"sixteen byte salt"[:16]


def lease_requested(number: int = 1, *, licence: Reference = REFERENCE) -> LeaseRequested:
    """Host-1 asks for its next lease."""
    return LeaseRequested(
        effective=NOW, host="host-1", licence=licence, number=number, nonce="ab" * 16, quantum=0
    )


def lease_granted(
    number: int = 1,
    *,
    licence: Reference = REFERENCE,
    allowance_flop: str = "62000000000",
    **changes: object,
) -> LeaseGranted:
    """Lease `number` of host-1 for a minute; its allowance is concealed under `SALT`."""
    digest, _ = conceal("allowance_flop", allowance_flop, SALT)
    granted = LeaseGranted(
        effective=NOW,
        licence=licence,
        host="host-1",
        number=number,
        not_after=NOW.plus(60),
        nonce="ab" * 16,
        request="3" * 64,
        heads=(),
        concealed=(digest,),
    )
    return msgspec.structs.replace(granted, **changes)


def lease_closed(
    lease: Reference,
    number: int = 1,
    *,
    licence: Reference = REFERENCE,
    consumed_flop: str = "4000000000",
    how: Literal["final-receipt", "forfeited"] = "final-receipt",
) -> LeaseClosed:
    """The end of lease `number` of host-1; what it consumed is concealed under `SALT`."""
    digest, _ = conceal("consumed_flop", consumed_flop, SALT)
    return LeaseClosed(
        effective=NOW,
        lease=lease,
        licence=licence,
        host="host-1",
        number=number,
        how=how,
        concealed=(digest,),
    )


def receipt_given(
    sequence: int = 1, *, previous: str | None = None, **changes: object
) -> ReceiptGiven:
    """A quantum receipt of host-1."""
    receipt = ReceiptGiven(
        effective=NOW,
        host="host-1",
        sequence=sequence,
        previous=previous,
        stage="quantum",
        counter="C0",
        quantum=sequence,
        state="running",
    )
    return msgspec.structs.replace(receipt, **changes)


def disclosed(name: str, value: str) -> str:
    """The disclosure text of a field that the makers above concealed."""
    return conceal(name, value, SALT)[1].text
