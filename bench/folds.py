"""`python bench/folds.py [--entries N ...] [--json]`: how many entries a second the folds take, by length of history.

The histories are mixed: time marks, heartbeats, leases granted and closed with their amounts disclosed, orders with the
receipts of the hosts that they cover, observations, devices' answers. Entries come ready verified, since a signature
costs the same at any length; what is measured, in processor time, is what grows.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import resource
import time
from collections.abc import Iterator

from sekisho.licensing import Chain, Link
from sekisho.model.instants import parse_instant
from sekisho.model.statements import (
    ChallengeAnswered,
    EnrolledDevice,
    HostEnrolled,
    LeaseClosed,
    LeaseGranted,
    LeaseTerms,
    LicenceDecision,
    LicenceIssued,
    Lineage,
    LogPosition,
    ObservationMade,
    OrderReference,
    OrdersInForce,
    PackReference,
    Predicate,
    Reading,
    ReceiptGiven,
    Reference,
    RunDeclared,
    Span,
    TimeMarked,
    kind_of,
)
from sekisho.operations.state import State
from sekisho.signing import Envelope, PublicKey, Recorded, Regime, Verified, conceal

__all__ = ["History", "measure_chain", "measure_folds"]

NOW = parse_instant("2026-11-22T09:00:00Z")
LOG = "log.example/bench"
SALT = b"sixteen byte salt"[:16]
KEY = PublicKey.from_ed25519_raw(bytes([9]) + bytes(31))
HOSTS_PER_LICENCE = 10
STAGES = ("received", "checkpointed", "halted", "resumed")


class History:
    """A mixed history of a given length, entry by entry; one host for each hundred entries."""

    def __init__(self, entries: int) -> None:
        self.entries = entries
        self.hosts = max(2, entries // 100)
        self.disclosures: dict[str, tuple[str, ...]] = {}
        self._index = -1
        self._answers = 0

    def __iter__(self) -> Iterator[Recorded]:
        yield from self._opening()
        turn = 0
        while self._index + 1 < self.entries:
            yield from self._turn(turn)
            turn += 1

    def _opening(self) -> Iterator[Recorded]:
        """Hosts, one run and one licence for ten of them."""
        for n in range(self.hosts):
            yield self._entry(_host(n))
        self._licences = []
        for n in range(0, self.hosts, HOSTS_PER_LICENCE):
            names = tuple(f"host-{m}" for m in range(n, min(n + HOSTS_PER_LICENCE, self.hosts)))
            declared = self._entry(_run(n, names))
            yield declared
            issued = self._entry(_licence(n, names, Reference(log=LOG, leaf=declared.leaf)))
            yield issued
            self._licences.append(Reference(log=LOG, leaf=issued.leaf))

    def _turn(self, turn: int) -> Iterator[Recorded]:
        """Ten entries: what one host does in some minutes, and what the log adds by itself."""
        host, lap = turn % self.hosts, turn // self.hosts
        licence = self._licences[host // HOSTS_PER_LICENCE]
        order = OrderReference(
            register="pause/JP", number=turn // 50 + 1, digest=_digest(f"order {turn // 50}")
        )
        yield self._entry(TimeMarked(effective=NOW.plus(turn)))
        yield self._entry(
            OrdersInForce(effective=NOW.plus(turn), heads=(), in_force=(), root="0" * 64)
        )
        granted = self._entry(_lease(host, lap + 1, licence))
        yield granted
        for n, stage in enumerate(STAGES):
            yield self._entry(_receipt(host, lap * 4 + n + 1, stage, order))
        yield self._entry(_observation(host, order))
        self._answers += 1
        yield self._entry(
            ChallengeAnswered(
                effective=NOW,
                device=f"host-{host}/0",
                nonce=_digest(str(self._answers)),
                memory_bytes=1 << 20,
                digest="1" * 64,
            )
        )
        yield self._entry(_closed(host, lap + 1, licence, Reference(log=LOG, leaf=granted.leaf)))

    def _entry(self, fact: Predicate) -> Recorded:
        self._index += 1
        digest, kind = _digest(f"payload {self._index}"), kind_of(fact)
        if isinstance(fact, LeaseGranted | LeaseClosed):
            self.disclosures[digest] = (_OPENED[type(fact)],)
        verified = Verified(
            kind=kind, predicate=fact, digest=digest, signers=frozenset(), envelope=_ENVELOPE
        )
        return Recorded(index=self._index, leaf=_digest(f"leaf {self._index}"), verified=verified)


def measure_folds(entries: int) -> dict[str, float]:
    """Entries a second over a whole history, and over its last tenth; the history is made beforehand."""
    history = History(entries)
    made = list(history)
    state = State(regime=Regime.start("0" * 64, KEY))
    last = len(made) - len(made) // 10
    gc.collect()
    began = tenth = time.process_time()
    for place, recorded in enumerate(made):
        if place == last:
            tenth = time.process_time()
        state = state.after(recorded, history.disclosures)
    ended = time.process_time()
    return {
        "entries": len(made),
        "per_s": len(made) / (ended - began),
        "last_tenth_per_s": (len(made) - last) / (ended - tenth),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure_chain(receipts: int) -> dict[str, float]:
    """Receipts a second that one host's chain takes."""
    links, previous = [], None
    for n in range(1, receipts + 1):
        digest = _digest(f"receipt {n}")
        fact = ReceiptGiven(
            effective=NOW,
            host="host-1",
            sequence=n,
            previous=previous,
            stage="quantum",
            counter="C0",
            quantum=n,
            state="running",
        )
        links.append(Link(digest=digest, receipt=fact))
        previous = digest
    chain = Chain(host="host-1")
    began = time.process_time()
    for link in links:
        chain = chain.after(link)
    return {"receipts": receipts, "per_s": receipts / (time.process_time() - began)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _host(n: int) -> HostEnrolled:
    device = EnrolledDevice(
        device=f"host-{n}/0", chip="X", peak_flop_per_s="1000000000", basis="declared"
    )
    return HostEnrolled(
        effective=NOW,
        host=f"host-{n}",
        public=KEY.to_text(),
        organisation="Operator",
        site="site-1",
        jurisdiction="JP",
        devices=(device,),
        counter="C0",
        driver="process",
        agent="0" * 64,
    )


def _run(n: int, hosts: tuple[str, ...]) -> RunDeclared:
    return RunDeclared(
        effective=NOW,
        run=f"run-{n}",
        party="party-1",
        site="site-1",
        jurisdictions=("JP",),
        purpose="bench",
        lineage=Lineage(scratch=True),
        chips=(),
        hosts=hosts,
        planned_flop="1",
        planned_flop_hardware="1",
        period=Span(start=NOW, end=NOW.plus(10**8)),
    )


def _licence(n: int, hosts: tuple[str, ...], declaration: Reference) -> LicenceIssued:
    return LicenceIssued(
        effective=NOW,
        number=f"LIC-{n}",
        licensee="party-1",
        run=f"run-{n}",
        declaration=declaration,
        lineage=Lineage(scratch=True),
        hosts=hosts,
        devices=len(hosts),
        devices_root="0" * 64,
        sites=("site-1",),
        budget_flop="1" + "0" * 30,
        period=Span(start=NOW, end=NOW.plus(10**8)),
        lease=LeaseTerms(interval_s=60, grace_s=2, quantum_s=2),
        mode="kill",
        decision=LicenceDecision(
            decision="permit",
            rules=(),
            pack=PackReference(name="loop", version="1", sha256="0" * 64),
        ),
    )


def _lease(host: int, number: int, licence: Reference) -> LeaseGranted:
    return LeaseGranted(
        effective=NOW,
        licence=licence,
        host=f"host-{host}",
        number=number,
        not_after=NOW.plus(60),
        nonce="ab" * 16,
        request="3" * 64,
        heads=(),
        concealed=(_CONCEALED[LeaseGranted],),
    )


def _closed(host: int, number: int, licence: Reference, lease: Reference) -> LeaseClosed:
    return LeaseClosed(
        effective=NOW,
        lease=lease,
        licence=licence,
        host=f"host-{host}",
        number=number,
        how="final-receipt",
        concealed=(_CONCEALED[LeaseClosed],),
    )


def _receipt(host: int, sequence: int, stage: str, order: OrderReference) -> ReceiptGiven:
    return ReceiptGiven(
        effective=NOW,
        host=f"host-{host}",
        sequence=sequence,
        stage=stage,
        counter="C0",  # type: ignore[arg-type]  # one of STAGES
        quantum=sequence,
        state="ended",
        order=order,
    )


def _observation(host: int, order: OrderReference) -> ObservationMade:
    reading = Reading(at=NOW, processes=1, running=0)
    return ObservationMade(
        effective=NOW,
        host=f"host-{host}",
        order=order,
        receipt="8" * 64,
        after=LogPosition(size=1, root="b" * 64),
        nonce="c" * 64,
        readings=(reading, reading),
        work_cpu_ms=0,
        host_busy_ms=1,
        means="/proc",
        other_user=True,
    )


_ENVELOPE = Envelope(payload=b"", payload_type="", signatures=(), raw=b"")
_CONCEALED: dict[type, str] = {}
_OPENED: dict[type, str] = {}
for _kind, _name, _value in (
    (LeaseGranted, "allowance_flop", "62000000000"),
    (LeaseClosed, "consumed_flop", "4000000000"),
):
    _CONCEALED[_kind], _disclosure = conceal(_name, _value, SALT)
    _OPENED[_kind] = _disclosure.text


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/folds.py", description="How fast histories fold.")
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--chain", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--json", action="store_true", help="one JSON document instead")
    options = parser.parse_args()
    found = {
        "folds": [measure_folds(n) for n in options.entries],
        "chains": [measure_chain(n) for n in options.chain],
    }
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for row in found["folds"]:
        print(
            f"{row['entries']:>9.0f} entries  {row['per_s']:>9.0f}/s  last tenth {row['last_tenth_per_s']:>9.0f}/s"
        )
    for row in found["chains"]:
        print(f"{row['receipts']:>9.0f} receipts of one host  {row['per_s']:>9.0f}/s")


if __name__ == "__main__":
    main()
