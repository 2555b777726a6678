"""One predicate of every statement kind, and the keys under which each is accepted."""

from __future__ import annotations

import msgspec

from sekisho.ledger import leaf_hash
from sekisho.model.statements import (
    KINDS,
    AccessDecided,
    AccessTerms,
    AgentReleased,
    AppealDecided,
    AppealFiled,
    ApplicationFiled,
    ApprovalGiven,
    BalanceClosed,
    BudgetShare,
    ChainHead,
    ChallengeAnswered,
    CharterKey,
    Checkpoint,
    CheckpointRecorded,
    ChipRegistered,
    ChipTags,
    CustodyMoved,
    DepositShare,
    DisclosureDeposited,
    DisclosureErased,
    Evidence,
    FindingRaised,
    HaltJudged,
    HostLimb,
    HostPredicate,
    HostRetired,
    ImpactAssessed,
    InstrumentReading,
    InventoryTaken,
    IrregularityFound,
    KeyCompromised,
    KeyDrilled,
    KeyReplacement,
    LicenceAmended,
    LicenceClosed,
    LicenceRevoked,
    LicenceSuspended,
    LimbGroup,
    LogPosition,
    ObservationMade,
    OrderConfirmed,
    OrderOpened,
    OrderSealed,
    OrdersInForce,
    OutageDeclared,
    PackPublished,
    PackReference,
    Predicate,
    ProductionReported,
    Reading,
    ReceiptAcknowledged,
    RecoveryAnnounced,
    RecoveryVetoed,
    Reference,
    RefusalRecorded,
    ResolvedScope,
    Scope,
    SignatureWithdrawn,
    Span,
    TimeMarked,
    UsageReported,
    WeightsKeyReleased,
    WeightsLocked,
    kind_of,
    parse_payload,
)
from sekisho.model.wire import encode_base64, sha256_hex
from sekisho.orders import EMPTY_HEAD
from sekisho.signing import Envelope, Regime, conceal
from sekisho.signing.keys import Signer
from tests.factory import (
    AUTHORITY,
    DEVICE,
    HEAD,
    HOST,
    LOG,
    NOW,
    OPERATOR,
    ORDER,
    ORIGIN,
    PARTY,
    RECOVERY,
    REFERENCE,
    SALT,
    VERIFIER,
    charter,
    charter_envelope,
    host_enrolled,
    lease_closed,
    lease_granted,
    lease_requested,
    licence_issued,
    order_issued,
    party_enrolled,
    receipt_given,
    regime,
    run_declared,
    signed,
    signer,
    time_marked,
)

__all__ = ["announcement", "one_of_each", "regime_of_each", "signers_of"]


def one_of_each() -> dict[str, Predicate]:
    """A predicate of every kind, with every optional field in use somewhere."""
    made: list[Predicate] = [
        *_governance(),
        *_keys(),
        *_deposits(),
        *_licences(),
        *_applications(),
        *_receipts(),
        *_orders(),
        *_verdicts(),
        *_refusals(),
        *_access(),
        *_custody(),
        _impact(),
    ]
    return {kind_of(predicate): predicate for predicate in made}


def signers_of(kind: str) -> tuple[Signer, ...]:
    """The keys under which `regime()` accepts a statement of this kind."""
    known: dict[str, tuple[Signer, ...]] = {
        "amend": (*AUTHORITY[:3], VERIFIER[0]),
        "enrol-hosts": (AUTHORITY[0], OPERATOR),
        "enrol-parties": (AUTHORITY[0],),
        "pack-kind": AUTHORITY[:2],
        "report-compromise": (AUTHORITY[0], VERIFIER[0]),
        "key-itself": (AUTHORITY[1],),
        "declare-outage": (*AUTHORITY[:2], OPERATOR),
        "recovery": RECOVERY[:2],
        "veto": (VERIFIER[0],),
        "publish-agent": (*AUTHORITY[:2], VERIFIER[0]),
        "issue-licence": AUTHORITY[:2],
        "grant-lease": (OPERATOR,),
        "keep-registers": (OPERATOR,),
        "order-kind": (*AUTHORITY[:3], VERIFIER[0]),
        "observe": (VERIFIER[0],),
        "adjudicate": AUTHORITY[:3],
        "judge": (VERIFIER[1],),
        "register-chips": (OPERATOR,),
        "host": (HOST,),
        "party": (PARTY,),
        "self": (PARTY,),
        "device": (DEVICE,),
        "log": (LOG,),
        "witness-of-fault": (HOST,),
    }
    return known[KINDS[kind].signer]


def announcement() -> Envelope:
    """Notice that authority-5's key is to be replaced."""
    replaced = KeyReplacement(
        constituency="authority",
        old=AUTHORITY[4].public.key_id,
        new=CharterKey(
            public=signer("authority-5 again").public.to_text(),
            organisation="Authority",
            holder="authority 5",
        ),
    )
    fact = RecoveryAnnounced(
        effective=NOW, previous=charter_envelope().digest, version=2, replacements=(replaced,)
    )
    return signed(fact, *RECOVERY[:2])


def regime_of_each() -> Regime:
    """The regime under which one statement of every kind is accepted, but for a first charter."""
    return regime(
        signed(host_enrolled(emulated=True), AUTHORITY[0], OPERATOR),
        announcement(),
        signed(time_marked(4, NOW), LOG),
    )


def _keys() -> list[Predicate]:
    announced = announcement()
    statement = parse_payload(announced.payload)
    leaf = leaf_hash(announced.raw).hex()
    return [
        KeyCompromised(
            effective=NOW, key=AUTHORITY[4].public.key_id, since=NOW, reason="lost in transit"
        ),
        KeyDrilled(
            effective=NOW,
            key=AUTHORITY[1].public.key_id,
            challenge=sha256_hex(b"root 4"),
            size=4,
            note="yearly drill",
        ),
        SignatureWithdrawn(
            effective=NOW, payload="c" * 64, key=AUTHORITY[1].public.key_id, reason="a slip"
        ),
        statement.predicate,
        RecoveryVetoed(
            effective=NOW,
            announcement=Reference(log=ORIGIN, leaf=leaf),
            constituency="verifiers",
            reason="nobody lost a key",
        ),
    ]


def _deposits() -> list[Predicate]:
    share = DepositShare(key="e" * 64, sealed=encode_base64(bytes(80)))
    return [
        DisclosureDeposited(
            effective=NOW,
            statement="f" * 64,
            threshold=1,
            shares=(share,),
            content=encode_base64(bytes(100)),
        ),
        DisclosureErased(effective=NOW, statement="f" * 64, basis="Test act, section 9"),
    ]


def _governance() -> list[Predicate]:
    pack = PackReference(name="loop", version="2026.1", sha256="4" * 64)
    return [
        charter(),
        host_enrolled(),
        HostRetired(effective=NOW, host="host-1", reason="sold"),
        party_enrolled(),
        PackPublished(effective=NOW, pack=pack, bytes=5_000, summary="first"),
        AgentReleased(
            effective=NOW,
            version="0.1.0",
            sha256="5" * 64,
            sequence=3,
            bytes=1_048_576,
            reason="0.2.0 leaks handles",
        ),
        TimeMarked(effective=NOW, checkpoint=f"{ORIGIN}\n0\n\n"),
    ]


def _licences() -> list[Predicate]:
    usage, _ = conceal("consumed_flop", "4000000000", SALT)
    return [
        run_declared(),
        licence_issued(REFERENCE),
        LicenceRevoked(effective=NOW, licence=REFERENCE, number="LIC-1", reason="breach"),
        lease_requested(),
        lease_granted(),
        lease_closed(REFERENCE),
        UsageReported(
            effective=NOW,
            licensee="party-1",
            period=Span(start=NOW, end=NOW.plus(86_400)),
            chains=(ChainHead(host="host-1", sequence=7, digest="6" * 64),),
            rollup="1" * 64,
            evidence="2" * 64,
            corrects="3" * 64,
            counting="max-over-formats",
            concealed=(usage,),
        ),
    ]


def _applications() -> list[Predicate]:
    licence = licence_issued(REFERENCE)
    return [
        ApplicationFiled(
            effective=NOW,
            application="APP-1",
            party="party-1",
            run="run-1",
            declaration=REFERENCE,
            hosts=("host-1",),
            budget_flop="1000000000000000",
            period=Span(start=NOW, end=NOW.plus(86_400)),
            mode="drain",
            reason="first training run",
            evidence=(Evidence(title="safety case", sha256="a" * 64),),
        ),
        ApprovalGiven(
            effective=NOW,
            application=REFERENCE,
            number="APP-1",
            key=AUTHORITY[1].public.key_id,
            outcome="approve",
            reason="within the threshold",
            conditions=("monthly report",),
        ),
        LicenceAmended(
            effective=NOW,
            licence=REFERENCE,
            number="LIC-1",
            version=2,
            previous="b" * 64,
            reason="a longer run",
            hosts=licence.hosts,
            devices=licence.devices,
            devices_root=licence.devices_root,
            sites=licence.sites,
            budget_flop=licence.budget_flop,
            period=licence.period,
            lease=licence.lease,
            mode=licence.mode,
            decision=licence.decision,
            shares=(BudgetShare(share="east", budget_flop=licence.budget_flop),),
            application=REFERENCE,
            approvals=(REFERENCE, REFERENCE),
            lifts=REFERENCE,
            egress_bytes_per_s=1_000_000,
        ),
        LicenceSuspended(effective=NOW, licence=REFERENCE, number="LIC-1", reason="an inquiry"),
        LicenceClosed(effective=NOW, licence=REFERENCE, number="LIC-1", usage=(REFERENCE,)),
        OutageDeclared(
            effective=NOW,
            outage="outage-1",
            period=Span(start=NOW, end=NOW.plus(3_600)),
            reason="flood at the issuer's site",
            sites=("site-1",),
        ),
    ]


def _receipts() -> list[Predicate]:
    written = Checkpoint(sha256="7" * 64, bytes=1_024, step=40)
    return [
        receipt_given(
            2,
            previous="8" * 64,
            stage="halted",
            state="frozen",
            heads=(HEAD,),
            order=ORDER,
            run="run-1",
            means="cgroup v2 freezer",
            leaves="memory stays allocated",
            checkpoint=written,
            processes=3,
        ),
        ReceiptAcknowledged(
            effective=NOW, host="host-1", sequence=2, receipt="8" * 64, heads=(HEAD,)
        ),
        CheckpointRecorded(
            effective=NOW, host="host-1", run="run-1", checkpoint=written, parents=("9" * 64,)
        ),
    ]


def _orders() -> list[Predicate]:
    return [
        msgspec.structs.replace(
            order_issued(charter_digest="c" * 64),
            kind="suspend-access",
            effect="suspend-access",
            scope=Scope(),
            resolved=ResolvedScope(
                predicate=_fast_hosts(), size=9, tree="1" * 64, root="2" * 64, count=3
            ),
            access=AccessTerms(models=("model-1",), nationalities=("XA",), unknown="serve"),
        ),
        OrderSealed(
            effective=NOW,
            log=ORIGIN,
            charter="c" * 64,
            register="pause/JP",
            number=1,
            previous=EMPTY_HEAD,
            kind="pause",
            not_before=NOW,
            expires=NOW.plus(86_400),
            issue_until=NOW.plus(3_600),
            opens=NOW.plus(86_400),
            hosts="3" * 64,
            leaves=4,
            concealed=(conceal("order", "{}", SALT)[0], conceal("salt", "4" * 64, SALT)[0]),
        ),
        OrderOpened(
            effective=NOW, order=ORDER, disclosures=(conceal("order", "{}", SALT)[1].text,)
        ),
        OrderConfirmed(effective=NOW, order=ORDER, kind="pause"),
        OrdersInForce(effective=NOW, heads=(HEAD,), in_force=(ORDER,), root="a" * 64),
    ]


def _fast_hosts() -> HostPredicate:
    """Hosts of one chip, or of much compute."""
    chip = HostLimb(quantity="chip", op="is", values=("H100 SXM5",))
    fast = HostLimb(quantity="peak-flop-per-s", op="at-least", values=("1" + "0" * 16,))
    return HostPredicate(any_of=(LimbGroup(all_of=(chip,)), LimbGroup(all_of=(fast,))))


def _refusals() -> list[Predicate]:
    return [
        RefusalRecorded(
            effective=NOW,
            host="host-1",
            order=ORDER,
            step="inspection",
            answer_by=NOW.plus(86_400),
            evidence=("8" * 64,),
            reasons=("no receipt since the notice",),
            measure="an inspector at the site within the day",
        ),
        AppealFiled(
            effective=NOW,
            appeal="appeal-1",
            order=ORDER,
            party="party-1",
            asks="resume run-1",
            grounds="5" * 64,
        ),
        AppealDecided(
            effective=NOW,
            appeal="appeal-1",
            filed=REFERENCE,
            order=ORDER,
            outcome="upheld-in-part",
            reasons="the scope was too wide",
            resume_by=NOW.plus(86_400),
        ),
    ]


def _access() -> list[Predicate]:
    return [
        AccessDecided(
            effective=NOW.plus(60),
            host="host-1",
            model="model-1",
            period=Span(start=NOW, end=NOW.plus(60)),
            served=41,
            refused=2,
            workers=4,
            silent=1,
            orders=(ORDER,),
            state="restricted",
        ),
        WeightsLocked(
            effective=NOW,
            model="model-1",
            party="party-1",
            licence=REFERENCE,
            plaintext="1" * 64,
            ciphertext="2" * 64,
            bytes=1 << 30,
            key="3" * 64,
        ),
        WeightsKeyReleased(
            effective=NOW,
            model="model-1",
            locked=REFERENCE,
            licence=REFERENCE,
            host="host-1",
            sealed_to=PARTY.public.to_text(),
            request="4" * 64,
        ),
    ]


def _verdicts() -> list[Predicate]:
    return [
        ObservationMade(
            effective=NOW,
            host="host-1",
            order=ORDER,
            receipt="8" * 64,
            after=LogPosition(size=12, root="b" * 64),
            nonce="d" * 64,
            readings=tuple(Reading(at=NOW.plus(s), processes=3, running=0) for s in (0, 5.5)),
            work_cpu_ms=0,
            host_busy_ms=120,
            means="process table",
            other_user=True,
            instruments=(
                InstrumentReading(
                    at=NOW,
                    instrument="bmc",
                    quantity="power",
                    value="212.5",
                    unit="W",
                    at_rest="300",
                ),
            ),
        ),
        ChallengeAnswered(
            effective=NOW,
            device="host-1/device-0",
            nonce="d" * 64,
            memory_bytes=1 << 20,
            digest="e" * 64,
            emulated=True,
        ),
        HaltJudged(
            effective=NOW,
            host="host-1",
            order=ORDER,
            degree="corroborated",
            interval=Span(start=NOW, end=NOW.plus(5.5)),
            lapses=NOW.plus(3_600),
            evidence=("8" * 64,),
            reasons=("no work was seen",),
            limits=("no device key",),
        ),
        FindingRaised(
            effective=NOW, finding="rolled-back", host="host-1", detail="state 9, counter 7"
        ),
    ]


def _impact() -> Predicate:
    """A company's statement about itself, under the key that it carries."""
    return ImpactAssessed(
        effective=NOW,
        party="Sakura Parts, Ltd.",
        corporate_number="7123456789012",
        country="JP",
        public=PARTY.public.to_text(),
        verdict="unsure",
        method="impact/1",
        packs=(PackReference(name="jp-export", version="1", sha256="b" * 64),),
        answers="c" * 64,
        result="d" * 64,
        rules=("jp-export/jp-list-control",),
        open=("us-ear/listed-party",),
        valid_until=NOW.plus(86_400 * 183),
        known_until=NOW.plus(-86_400),
    )


def _custody() -> list[Predicate]:
    figures, _ = conceal("figures", "12 in, 3 out", SALT)
    month = Span(start=NOW.plus(-30 * 86_400), end=NOW)
    return [
        ChipRegistered(
            effective=NOW,
            batch="1" * 64,
            chips=(ChipTags(serial="2" * 64), ChipTags(serial="3" * 64, device_key="4" * 64)),
        ),
        CustodyMoved(effective=NOW, batch=1, events=3, root="1" * 64, concealed=(figures,)),
        InventoryTaken(
            effective=NOW, party="party-1", taken=NOW, items="5" * 64, concealed=(figures,)
        ),
        BalanceClosed(
            effective=NOW,
            party="party-1",
            period=month,
            report="6" * 64,
            verdict="holds",
            corrects="7" * 64,
            concealed=(figures,),
        ),
        ProductionReported(
            effective=NOW,
            party="party-1",
            period=month,
            report="8" * 64,
            corrects="9" * 64,
            concealed=(figures,),
        ),
        IrregularityFound(
            effective=NOW,
            irregularity="active-elsewhere",
            books="custody",
            about="a" * 64,
            count=2,
            concealed=(figures,),
        ),
    ]
