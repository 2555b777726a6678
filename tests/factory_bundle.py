"""A complete small regime in memory, and its evidence bundle: honest by default, changed by the attacks.

A `Story` is a list of batches of named items; each item is made when its turn comes, since some name trees that stand
only then. `seal` plays it: time marks, tiles, checkpoints, two witnesses, papers, manifest. So an attack changes one
item and everybody who colludes signs the rest anew.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from sekisho.auditor import CheckResult, Report, Trust, audit_bundle
from sekisho.auditor.bundle import as_bundle
from sekisho.inspection import expect_fill
from sekisho.ledger import Checkpoint, leaf_hash, sign_checkpoint
from sekisho.ledger.edge import RightEdge
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    CertifiedCounter,
    ChallengeAnswered,
    CharterAdopted,
    CharterWitness,
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    LicenceDecision,
    LicenceIssued,
    LogPosition,
    ObservationMade,
    OrderReference,
    OrdersInForce,
    PackPublished,
    PackReference,
    Predicate,
    Reading,
    ReceiptAcknowledged,
    ReceiptGiven,
    Reference,
    RegisterHead,
    Spend,
    TimeMarked,
)
from sekisho.model.wire import canonical, sha256_hex
from sekisho.orders import (
    EMPTY_HEAD,
    ChallengeEvidence,
    HaltEvidence,
    halt_nonce,
    in_force_root,
    judge_halt,
)
from sekisho.rules import load_pack, pack_bytes
from sekisho.signing import Envelope, TrustRoot, conceal, parse_envelope, root_of, sign_payload
from sekisho.signing.keys import Ed25519Signer
from sekisho.signing.notes import Note, NoteSigner
from tests import factory
from tests.tpm_words import Maker, WordyTpm, key_of

__all__ = [
    "Cast",
    "LogSoFar",
    "Sealed",
    "Story",
    "audit",
    "challenge_of",
    "check_of",
    "honest_story",
    "pack_tar",
    "parse",
    "reseal",
    "seal",
    "write_folder",
]

T0 = factory.NOW
PEAK = 10**9
ALLOWANCE = PEAK * 62
RESERVE = PEAK * 4
TPM_MAKER = Maker()
TPM_ROOTS = (sha256_hex(TPM_MAKER.root),)
MANIFEST_TYPE = "application/vnd.sekisho.manifest+json"


_signer = lru_cache(maxsize=256)(factory.signer)


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs: another `salt` is another set of keys for everybody, another set of owners other witnesses."""

    salt: str = ""
    owners: tuple[str, str] = ("Verifier One", "Verifier Two")
    emulated: bool = False
    approvals: int = 0
    approvers: tuple[str, ...] = ("authority-1", "authority-2")
    one_holder: bool = False
    certified: bool = False
    roots: tuple[str, ...] = TPM_ROOTS

    def signer(self, name: str) -> Ed25519Signer:
        return _signer(f"{name}{self.salt}")

    @property
    def log(self) -> NoteSigner:
        return NoteSigner(factory.ORIGIN, self.signer("log").private)

    @property
    def witnesses(self) -> tuple[NoteSigner, NoteSigner]:
        first, second = (self.signer(f"witness-{n}").private for n in (1, 2))
        return NoteSigner.cosigner("w1.example", first), NoteSigner.cosigner("w2.example", second)

    def signers(self, *names: str) -> list[Ed25519Signer]:
        return [self.signer(name) for name in names]

    def charter(self) -> CharterAdopted:
        terms = factory.charter(
            log_vkey=self.log.verifier.to_text(),
            witnesses=[
                CharterWitness(name=f"w{n}", vkey=w.verifier.to_text(), owner=owner)
                for n, (w, owner) in enumerate(zip(self.witnesses, self.owners, strict=True), 1)
            ],
        )
        terms = msgspec.structs.replace(
            terms,
            licence_approvals=self.approvals,
            tpm_roots=self.roots if self.certified else (),
        )
        return self._with_own_keys(terms)

    def root(self) -> TrustRoot:
        terms = self.charter()
        return root_of(terms, factory.signed(terms, self.signer("authority-1")).digest)

    def _with_own_keys(self, terms: CharterAdopted) -> CharterAdopted:
        names = {"authority": "authority", "verifiers": "verifier", "operators": "operator"}
        constituencies = tuple(
            msgspec.structs.replace(
                group,
                keys=tuple(
                    msgspec.structs.replace(
                        key,
                        public=self.signer(f"{names[group.name]}-{n}").public.to_text(),
                        holder="the one officer" if self.one_holder else key.holder,
                    )
                    for n, key in enumerate(group.keys, 1)
                ),
            )
            for group in terms.constituencies
        )
        return msgspec.structs.replace(terms, constituencies=constituencies)


AUTHORITY_3 = ("authority-1", "authority-2", "authority-3")
QUORUM = (*AUTHORITY_3, "verifier-1")


class LogSoFar:
    """The log as it grows: what items are made from."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.named: dict[str, Envelope] = {}
        self.index: dict[str, int] = {}
        self.entries: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.note: Note | None = None
        self.edge = RightEdge.empty()
        self.at = T0

    def copy(self) -> LogSoFar:
        other = LogSoFar(self.cast)
        other.named, other.index = dict(self.named), dict(self.index)
        other.entries, other.files = list(self.entries), dict(self.files)
        other.note, other.edge, other.at = self.note, self.edge, self.at
        return other

    def batch(self, at: Instant, items: Sequence[tuple[str, Item]]) -> None:
        """A time mark, the items, and a checkpoint cosigned one second later."""
        self.at = at
        quoted = self.note.to_bytes().decode() if self.note else None
        mark = TimeMarked(effective=at, checkpoint=quoted)
        self._append([factory.signed(mark, self.cast.signer("log"))])
        for name, make in items:
            envelope = make(self)
            self.named[name], self.index[name] = envelope, len(self.entries)
            self._append([envelope])
        self._publish(int(at.seconds) + 1)

    def reference(self, name: str) -> Reference:
        return Reference(log=factory.ORIGIN, leaf=self.leaf(name))

    def leaf(self, name: str) -> str:
        return leaf_hash(self.named[name].raw).hex()

    def digest(self, name: str) -> str:
        return self.named[name].digest

    def position(self) -> LogPosition:
        """The newest witnessed tree."""
        assert self.note is not None
        checkpoint = Checkpoint.from_text(self.note.text)
        return LogPosition(size=checkpoint.size, root=checkpoint.root.hex())

    def _append(self, envelopes: list[Envelope]) -> None:
        self.entries += [envelope.raw for envelope in envelopes]
        self.edge, files = self.edge.extended([envelope.raw for envelope in envelopes])
        self.files.update(files)

    def _publish(self, second: int) -> None:
        checkpoint = Checkpoint(origin=factory.ORIGIN, size=self.edge.size, root=self.edge.root())
        note = sign_checkpoint(checkpoint, self.cast.log)
        cosigned = [w.sign(note.text, timestamp=second) for w in self.cast.witnesses]
        self.note = note.with_signatures(cosigned)


Item = Callable[[LogSoFar], Envelope]
PaperItem = Callable[[LogSoFar], Predicate]


class Story:
    """Batches of named items, and the papers that go beside the log; every part can be changed by name."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, list[tuple[str, Item]]]] = []
        self.papers: dict[str, list[bytes]] = {}
        self.disclosures: dict[str, list[str]] = {}
        self.packs: dict[str, bytes] = {}

    def copy(self) -> Story:
        """The same story, to be changed apart."""
        other = Story()
        other.batches = [(at, list(items)) for at, items in self.batches]
        other.papers = {path: list(lines) for path, lines in self.papers.items()}
        other.disclosures = {name: list(texts) for name, texts in self.disclosures.items()}
        other.packs = dict(self.packs)
        return other

    def add(self, at: float, *items: tuple[str, Item]) -> None:
        self.batches.append((at, list(items)))

    def replace(self, name: str, make: Item) -> None:
        for _, items in self.batches:
            for place, (known, _) in enumerate(items):
                if known == name:
                    items[place] = (name, make)
                    return
        raise KeyError(name)

    def insert_after(self, name: str, new: str, make: Item) -> None:
        for _, items in self.batches:
            names = [known for known, _ in items]
            if name in names:
                items.insert(names.index(name) + 1, (new, make))
                return
        raise KeyError(name)

    def drop(self, name: str) -> None:
        for _, items in self.batches:
            items[:] = [item for item in items if item[0] != name]


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle's files, the root that its regime would be trusted by, and the log that it was made from."""

    files: dict[str, bytes]
    root: TrustRoot


def item(predicate: Predicate | PaperItem, *names: str) -> Item:
    """An item whose statement these keys sign."""

    def make(log: LogSoFar) -> Envelope:
        fact = predicate if isinstance(predicate, Predicate) else predicate(log)
        return factory.signed(fact, *log.cast.signers(*names))

    return make


_Batch = tuple[float, tuple[tuple[str, Item], ...]]
_SEEN: dict[tuple[Cast, tuple[_Batch, ...]], LogSoFar] = {}
_MOST_SEEN = 400


def _play_whole(story: Story, cast: Cast) -> LogSoFar:
    """The log of a whole story; what it has in common with a story played before is not signed again."""
    told: tuple[_Batch, ...] = tuple((at, tuple(items)) for at, items in story.batches)
    if len(_SEEN) > _MOST_SEEN:
        _SEEN.clear()
    known = next((n for n in range(len(told), 0, -1) if (cast, told[:n]) in _SEEN), 0)
    log = _SEEN[(cast, told[:known])].copy() if known else LogSoFar(cast)
    for place, (at, items) in enumerate(told[known:], known + 1):
        log.batch(T0.plus(at), items)
        _SEEN[(cast, told[:place])] = log.copy()
    return log


def seal(story: Story, cast: Cast | None = None, *, created: Instant | None = None) -> Sealed:
    """Play the story and put its bundle together."""
    cast = cast or Cast()
    log = _play_whole(story, cast)
    assert log.note is not None
    _, files = RightEdge.empty().extended(log.entries)
    bundle = {f"log/{path}": data for path, data in files}
    bundle["log/checkpoint"] = log.note.to_bytes()
    known = {
        log.leaf(name): texts for name, texts in story.disclosures.items() if name in log.named
    }
    bundle["disclosures.json"] = canonical(known)
    for path, lines in story.papers.items():
        bundle[path] = b"".join(line + b"\n" for line in lines)
    bundle |= {f"packs/{name}.yaml": data for name, data in story.packs.items()}
    return reseal(bundle, cast, created=created)


def reseal(
    files: Mapping[str, bytes], cast: Cast | None = None, *, created: Instant | None = None
) -> Sealed:
    """These files under a fresh manifest, signed by the operator."""
    cast = cast or Cast()
    kept = {path: data for path, data in files.items() if not path.startswith("manifest.")}
    manifest = canonical(
        {
            "format": "sekisho-bundle/v1",
            "origin": factory.ORIGIN,
            "created": str(created or T0.plus(120)),
            "files": [
                {"path": path, "size": len(data), "sha256": sha256_hex(data)}
                for path, data in sorted(kept.items())
            ],
        }
    )
    envelope = sign_payload(manifest, [cast.signer("operator-1")], payload_type=MANIFEST_TYPE)
    signed = {**kept, "manifest.json": manifest, "manifest.dsse": envelope.raw}
    return Sealed(files=signed, root=cast.root())


def audit(sealed: Sealed, *, root: TrustRoot | None = None, accepted: Sequence[str] = ()) -> Report:
    """The report on a sealed bundle, by its own regime's root unless another is given."""
    trust = Trust(policy=root or sealed.root)
    return audit_bundle(as_bundle(sealed.files), trust, accepted=accepted)


def check_of(report: Report, name: str) -> CheckResult:
    """One row of a report."""
    return next(check for check in report.checks if check.name == name)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The bundle as a folder."""
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def pack_tar(files: Mapping[str, bytes], order: Sequence[str] | None = None) -> bytes:
    """The bundle as its deterministic tar, by the standard library and not by the code under test."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in order or sorted(files):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(files[path]), 0o644
            tar.addfile(member, io.BytesIO(files[path]))
    return stream.getvalue()


# --- the honest story -------------------------------------------------------------------------------


def heads(log: LogSoFar, *names: str) -> tuple[RegisterHead, ...]:
    """The registers' heads once the orders of these names are in the log."""
    found = {
        f"{power}/JP": RegisterHead(register=f"{power}/JP", number=0, digest=EMPTY_HEAD)
        for power in ("hold", "pause", "cap", "suspend-access", "resume")
    }
    for name in names:
        order = reference_of(log, name)
        found[order.register] = RegisterHead(
            register=order.register, number=order.number, digest=order.digest
        )
    return tuple(found[name] for name in sorted(found))


def reference_of(log: LogSoFar, name: str) -> OrderReference:
    """A pause or resume of the story, by its number in its name ("pause-1")."""
    kind, _, number = name.rpartition("-")
    return OrderReference(register=f"{kind}/JP", number=int(number), digest=log.digest(name))


def heartbeat(at: float, *, orders: Sequence[str] = (), in_force: Sequence[str] = ()) -> Item:
    """The registers' heads after `orders`, with `in_force` of them in force."""

    def state(log: LogSoFar) -> Predicate:
        references = tuple(reference_of(log, name) for name in in_force)
        return OrdersInForce(
            effective=T0.plus(at),
            heads=heads(log, *orders),
            in_force=references,
            root=in_force_root(references),
        )

    return item(state, "operator-1")


def charter_digest(log: LogSoFar) -> str:
    """The digest of the story's charter."""
    return log.digest("charter")


def pause(
    number: int = 1, *, at: float = 20, signers: Sequence[str] = QUORUM, **changes: object
) -> Item:
    """Pause number `number` of the site, issued at `at`."""

    def order(log: LogSoFar) -> Predicate:
        previous = log.digest(f"pause-{number - 1}") if number > 1 else EMPTY_HEAD
        fields = {"previous": previous, **changes}
        return factory.order_issued(
            number=number,
            kind="pause",
            effect="checkpoint-then-stop",
            charter_digest=charter_digest(log),
            now=T0.plus(at),
            **fields,  # type: ignore[arg-type]  # a test's own choice of fields
        )

    return item(order, *signers)


def resume(*, at: float = 42, signers: Sequence[str] = QUORUM, **changes: object) -> Item:
    """Resume number 1, which lifts the first pause."""

    def order(log: LogSoFar) -> Predicate:
        return factory.order_issued(
            kind="resume",
            effect="lift",
            lifts=(reference_of(log, "pause-1"),),
            charter_digest=charter_digest(log),
            now=T0.plus(at),
            **changes,  # type: ignore[arg-type]  # a test's own choice of fields
        )

    return item(order, *signers)


def conceal_amount(story: Story, entry: str, name: str, flop: int) -> tuple[str, ...]:
    """The digest for a statement, its disclosure kept with the story."""
    salt = hashlib.sha256(f"{entry} {name} {flop}".encode()).digest()[:16]
    digest, disclosure = conceal(name, str(flop), salt)
    story.disclosures[entry] = [disclosure.text]
    return (digest,)


def request(number: int, *, at: float, last: str | None) -> Callable[[Reference], LeaseRequested]:
    """What the host asks for its lease of this number."""

    def make(licence: Reference) -> LeaseRequested:
        return LeaseRequested(
            effective=T0.plus(at),
            host="host-1",
            licence=licence,
            number=number,
            nonce=hashlib.sha256(f"nonce {number}".encode()).hexdigest(),
            quantum=0,
            last_receipt=last,
        )

    return make


class Host:
    """Host-1's own side: its chain of receipts with acknowledgements, and its requests, as papers of a story."""

    def __init__(self, story: Story, cast: Cast) -> None:
        self._story = story
        self._cast = cast
        self.log = LogSoFar(cast)
        self.played = 0
        self.links: list[Envelope] = []
        self.quantum = 0
        self.tpm = host_tpm() if cast.certified else None
        self.challenge: str | None = None
        story.papers |= {
            f"hosts/host-1/{name}.jsonl": []
            for name in ("receipts", "requests", "acknowledgements")
        }

    @property
    def last(self) -> str | None:
        return self.links[-1].digest if self.links else None

    def receipt(
        self, stage: str, at: float, *, acknowledged: bool = True, **fields: object
    ) -> Envelope:
        """The next link of the chain."""
        self.quantum += stage == "quantum"
        if self.tpm is not None and stage == "quantum":
            fields = {"certified": self.certify(), **fields}
        fact = ReceiptGiven(
            effective=T0.plus(at),
            host="host-1",
            sequence=len(self.links) + 1,
            previous=self.last,
            stage=stage,  # type: ignore[arg-type]  # a test's own choice
            quantum=self.quantum,
            run="run-1",
            **{"state": "running", "counter": "C2" if self.tpm else "C0", **fields},  # type: ignore[arg-type]  # the same
        )
        envelope = factory.signed(fact, self._cast.signer("host-1"))
        self.links.append(envelope)
        self._story.papers["hosts/host-1/receipts.jsonl"].append(envelope.raw)
        if acknowledged:
            self._acknowledge(fact, envelope, at)
        return envelope

    def certify(self) -> CertifiedCounter | None:
        """The TPM's word for its next step, over the newest challenge."""
        if self.tpm is None or self.challenge is None:
            return None
        self.tpm.counter += 1
        self.tpm.clock_ms += 1_000
        return self.tpm.certify(self.challenge)

    def spend(self, lease: Reference, number: int, bound: int, *, final: bool = False) -> Spend:
        reserved = bound if final else bound + RESERVE
        return Spend(
            lease=lease,
            lease_number=number,
            reserved_flop=str(reserved),
            bound_flop=str(bound),
            declared_flop=str(bound),
        )

    def request(self, fact: LeaseRequested) -> Envelope:
        envelope = factory.signed(fact, self._cast.signer("host-1"))
        self._story.papers["hosts/host-1/requests.jsonl"].append(envelope.raw)
        return envelope

    def _acknowledge(self, fact: ReceiptGiven, envelope: Envelope, at: float) -> None:
        heard = ReceiptAcknowledged(
            effective=T0.plus(at),
            host="host-1",
            sequence=fact.sequence,
            receipt=envelope.digest,
            heads=(),
            challenge=challenge_of(f"receipt {fact.sequence}") if self.tpm else None,
        )
        self.challenge = heard.challenge or self.challenge
        signed = factory.signed(heard, self._cast.signer("operator-1"))
        self._story.papers["hosts/host-1/acknowledgements.jsonl"].append(signed.raw)


def host_tpm() -> WordyTpm:
    """Host-1's TPM before its first quantum, with its maker's certificates."""
    return WordyTpm(counter=0, endorsement=TPM_MAKER.chain(key_of(55)))


def challenge_of(what: str) -> str:
    """The issuer's nonce that came with a lease or an acknowledgement."""
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def honest_story(
    cast: Cast | None = None,
    *,
    budget: int = 10**12,
    planned: int = 10**12,
    sneak: Callable[[Host, Reference], object] | None = None,
) -> Story:
    """Charter to closings, with a pause, a corroborated halt and a resume in between; everything as it should be.

    Minutes of it: licence at 4 s, lease 1 at 6, two quanta, pause at 20, halted, observed to 34, judged at 36, resume
    at 42, a quantum under lease 1, its final receipt, lease 2 with a quantum, closed; heartbeats within the minute.
    """
    return _told(cast or Cast(), budget, planned, sneak or _nothing, RESERVE).copy()


def _nothing(_host: Host, _lease: Reference) -> None:
    """An honest host waits."""


@lru_cache(maxsize=32)
def _told(
    cast: Cast,
    budget: int,
    planned: int,
    sneak: Callable[[Host, Reference], object],
    _reserve: int,
) -> Story:
    """The story, told once for every choice (the last one is read where the host spends)."""
    story = Story()
    host = Host(story, cast)
    _found(story, cast, planned)
    licence = _licensed(story, cast, budget)
    lease = _leased(story, host, licence, 1, at=6, orders=())
    for number, at in enumerate((8, 10)):
        host.receipt("quantum", at, spend=host.spend(lease, 1, number * PEAK))
    _paused(story, host, cast)
    sneak(host, lease)
    known = _resumed(story, host)
    host.receipt("quantum", 50, heads=known, spend=host.spend(lease, 1, 2 * PEAK))
    _said_resumed(story, host, known)
    _closed(story, host, lease, licence, 1, at=53, bound=3 * PEAK)
    second = _leased(story, host, licence, 2, at=55, orders=("pause-1", "resume-1"))
    host.receipt("quantum", 57, heads=known, spend=host.spend(second, 2, 0))
    _closed(story, host, second, licence, 2, at=60, bound=PEAK)
    story.add(75, ("beat-4", heartbeat(75, orders=("pause-1", "resume-1"))))
    return story


def _found(story: Story, cast: Cast, planned: int) -> None:
    pack = load_pack()
    story.packs[f"{pack.reference.name}-{pack.reference.version}"] = pack_bytes()
    enrolled = msgspec.structs.replace(
        factory.host_enrolled(emulated=cast.emulated, of=cast.signer("host-1")),
        counter="C2" if cast.certified else "C0",
        tpm=host_tpm().enrolled() if cast.certified else None,
        devices=tuple(
            msgspec.structs.replace(
                device,
                public=cast.signer("device-1").public.to_text() if cast.emulated else None,
                memory_bytes=1 << 20 if cast.emulated else 1 << 30,
            )
            for device in factory.host_enrolled(emulated=cast.emulated).devices
        ),
    )
    party = msgspec.structs.replace(
        factory.party_enrolled(), public=cast.signer("party-1").public.to_text()
    )
    published = PackPublished(effective=T0, pack=pack.reference, bytes=len(pack_bytes()))
    story.add(
        0,
        ("charter", item(cast.charter(), *QUORUM)),
        ("host", item(enrolled, "authority-1", "operator-1")),
        ("party", item(party, "authority-1")),
    )
    story.add(
        2,
        ("pack", item(published, "authority-1", "authority-2")),
        ("run", item(factory.run_declared(planned_flop=str(planned)), "party-1")),
    )


def _licensed(story: Story, cast: Cast, budget: int) -> Reference:
    """The licence; its leaf is known before the log stands, since it rests on bytes alone."""
    run = factory.signed(_fact_of(story, cast, "run"), cast.signer("party-1"))
    pack: PackReference = load_pack().reference
    licence = msgspec.structs.replace(
        factory.licence_issued(
            Reference(log=factory.ORIGIN, leaf=leaf_hash(run.raw).hex()), budget_flop=str(budget)
        ),
        devices_root=sha256_hex(canonical(["host-1/device-0"])),
        decision=LicenceDecision(decision="permit", rules=(), pack=pack),
    )
    if cast.approvals:
        licence = _approved(story, cast, licence)
    signed = factory.signed(licence, *cast.signers("authority-1", "authority-2"))
    story.add(4, ("licence", lambda _: signed))
    story.add(5, ("beat-1", heartbeat(5)))
    return Reference(log=factory.ORIGIN, leaf=leaf_hash(signed.raw).hex())


def _approved(story: Story, cast: Cast, licence: LicenceIssued) -> LicenceIssued:
    """The licence on an application for all that it gives, and the answers of the cast's approvers."""
    filed = factory.signed(
        ApplicationFiled(
            effective=T0,
            application="APP-1",
            party="party-1",
            run="run-1",
            declaration=licence.declaration,
            hosts=licence.hosts,
            budget_flop=licence.budget_flop,
            period=licence.period,
            mode=licence.mode,
        ),
        cast.signer("party-1"),
    )
    application = Reference(log=factory.ORIGIN, leaf=leaf_hash(filed.raw).hex())
    answers = [
        factory.signed(
            ApprovalGiven(
                effective=T0,
                application=application,
                number="APP-1",
                key=cast.signer(name).public.key_id,
                outcome="approve",
                reason="read",
            ),
            cast.signer(name),
        )
        for name in cast.approvers
    ]
    items: list[tuple[str, Item]] = [("application", lambda _: filed)]
    for name, answer in zip(cast.approvers, answers, strict=True):
        items.append((f"approval-{name}", lambda _, answer=answer: answer))  # type: ignore[misc]  # bound at once
    story.add(3.5, *items)
    leaves = [leaf_hash(answer.raw).hex() for answer in answers]
    return msgspec.structs.replace(
        licence,
        application=application,
        approvals=tuple(Reference(log=factory.ORIGIN, leaf=leaf) for leaf in leaves),
    )


def _fact_of(story: Story, cast: Cast, name: str) -> Predicate:
    from sekisho.model.statements import parse_payload

    make = next(make for _, items in story.batches for known, make in items if known == name)
    return parse_payload(make(LogSoFar(cast)).payload).predicate


def _leased(
    story: Story, host: Host, licence: Reference, number: int, *, at: float, orders: Sequence[str]
) -> Reference:
    """A request and the lease that answers it. The lease names heads, so its leaf needs the orders' digests."""
    asked = request(number, at=at - 0.5, last=host.last)(licence)
    envelope = host.request(asked)
    name = f"lease-{number}"
    concealed = conceal_amount(story, name, "allowance_flop", ALLOWANCE)

    def grant(log: LogSoFar) -> Predicate:
        return LeaseGranted(
            effective=T0.plus(at),
            licence=licence,
            host="host-1",
            number=number,
            not_after=T0.plus(at + 60),
            nonce=asked.nonce,
            request=envelope.digest,
            heads=heads(log, *orders),
            challenge=challenge_of(name) if host.tpm else None,
            concealed=concealed,
        )

    story.add(at, (name, item(grant, "operator-1")))
    host.challenge = challenge_of(name)
    return _leaf_now(story, host, name)


def _leaf_now(story: Story, host: Host, name: str) -> Reference:
    """The leaf of an item, by playing the story up to here."""
    log = play(story, host)
    return log.reference(name)


def play(story: Story, host: Host) -> LogSoFar:
    """The log of the story as far as it is told; what was played before is not played again."""
    for at, items in story.batches[host.played :]:
        host.log.batch(T0.plus(at), items)
    host.played = len(story.batches)
    return host.log


def _paused(story: Story, host: Host, cast: Cast) -> None:
    story.add(20, ("pause-1", pause(at=20)))
    story.add(21, ("beat-2", heartbeat(21, orders=("pause-1",), in_force=("pause-1",))))
    order = reference_of(play(story, host), "pause-1")
    known = heads(play(story, host), "pause-1")
    stages = [
        (stage, host.receipt(stage, at, order=order, heads=known, state=state))
        for stage, at, state in (
            ("received", 22, "running"),
            ("checkpointed", 23, "running"),
            ("halted", 24, "ended"),
        )
    ]
    for stage, envelope in stages:
        story.add(25, (stage, _already(envelope)))
    story.add(34, ("observed", item(_observe(order, stages[-1][1]), "verifier-1")))
    if cast.emulated:
        story.add(35, ("answered", item(_answer, "device-1")))
    story.add(36, ("judged", item(_judge(order, cast), "verifier-2")))


def _already(envelope: Envelope) -> Item:
    return lambda _: envelope


def _observe(order: OrderReference, halted: Envelope) -> PaperItem:
    def observe(log: LogSoFar) -> Predicate:
        after = log.position()
        return ObservationMade(
            effective=T0.plus(33.5),
            host="host-1",
            order=order,
            receipt=halted.digest,
            after=after,
            nonce=halt_nonce(after, "host-1", "observe"),
            readings=(
                Reading(at=T0.plus(27), processes=0, running=0),
                Reading(at=T0.plus(33), processes=0, running=0),
            ),
            work_cpu_ms=0,
            host_busy_ms=12,
            means="process table",
            other_user=True,
        )

    return observe


def _challenge_nonce(log: LogSoFar) -> tuple[LogPosition, str]:
    tree = log.position()
    return tree, halt_nonce(tree, "host-1", "device host-1/device-0")


def _answer(log: LogSoFar) -> Predicate:
    _, nonce = _challenge_nonce(log)
    expected = expect_fill(bytes.fromhex(nonce), "host-1/device-0", 1 << 20)
    return ChallengeAnswered(
        effective=T0.plus(35),
        device="host-1/device-0",
        nonce=nonce,
        memory_bytes=1 << 20,
        digest=expected.digest,
        emulated=True,
    )


def _judge(order: OrderReference, cast: Cast) -> PaperItem:
    def judge(log: LogSoFar) -> Predicate:
        return judge_halt(gather(log, order, cast), now=T0.plus(36), lapses_after_s=3_600)

    return judge


def gather(log: LogSoFar, order: OrderReference, cast: Cast) -> HaltEvidence:
    """What a judge finds in the log."""
    from sekisho.model.statements import parse_payload

    facts = {
        name: parse_payload(log.named[name].payload).predicate
        for name in ("host", "halted", "observed", "answered")
        if name in log.named
    }
    host, receipt, observed = facts["host"], facts["halted"], facts.get("observed")
    challenges: tuple[ChallengeEvidence, ...] = ()
    tree = None
    if cast.emulated and isinstance(answer := facts["answered"], ChallengeAnswered):
        # The tree that the answer's nonce was drawn from: the one before the answer's own batch.
        size = log.index["answered"] - 1
        edge, _ = RightEdge.empty().extended(log.entries[:size])
        tree = LogPosition(size=size, root=edge.root().hex())
        challenges = (
            ChallengeEvidence(
                digest=log.digest("answered"),
                answer=answer,
                expected=answer.digest,
                milliseconds=40,
                limit_ms=100,
            ),
        )
    return HaltEvidence(
        host=host,  # type: ignore[arg-type]  # the story's own host
        order=order,
        receipt=receipt if isinstance(receipt, ReceiptGiven) else None,
        receipt_digest=log.digest("halted"),
        receipt_index=log.index["halted"],
        observation=observed if isinstance(observed, ObservationMade) else None,
        observation_digest=log.digest("observed") if observed else "",
        challenges=challenges,
        tree=tree,
    )


def _resumed(story: Story, host: Host) -> tuple[RegisterHead, ...]:
    """The resume and the next heartbeat; the heads that the host then knows."""
    story.add(42, ("resume-1", resume(at=42)))
    story.add(43, ("beat-3", heartbeat(43, orders=("pause-1", "resume-1"))))
    return heads(play(story, host), "pause-1", "resume-1")


def _said_resumed(story: Story, host: Host, known: tuple[RegisterHead, ...]) -> None:
    """The act comes first, then its receipt, under the order that the host had halted for."""
    order = reference_of(play(story, host), "pause-1")
    envelope = host.receipt("resumed", 51, order=order, heads=known)
    story.add(52, ("resumed", _already(envelope)))


def _closed(  # what a closing names, each from another part of the story
    story: Story,
    host: Host,
    lease: Reference,
    licence: Reference,
    number: int,
    *,
    at: float,
    bound: int,
) -> None:
    final = host.receipt("final", at - 1, spend=host.spend(lease, number, bound, final=True))
    name = f"closed-{number}"
    closed = LeaseClosed(
        effective=T0.plus(at),
        lease=lease,
        licence=licence,
        host="host-1",
        number=number,
        how="final-receipt",
        receipt=final.digest,
        concealed=conceal_amount(story, name, "consumed_flop", bound),
    )
    story.add(at, (name, item(closed, "operator-1")))


def parse(line: bytes) -> Envelope:
    """An envelope of a paper, with or without its newline."""
    return parse_envelope(line.rstrip(b"\n"))
