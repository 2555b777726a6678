"""A desk over a real log in a folder, with the keys of tests.factory; witnesses cosign in memory where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from sekisho.adapters.keys.deposit_keys import HpkeSealer, ShamirSharing
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger import Cosigned, LogReader, Policy
from sekisho.ledger.sequencer import Sequencer
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    CharterWitness,
    LeaseRequested,
    PackPublished,
    Reference,
    TimeMarked,
    make_payload,
)
from sekisho.operations.depositing import Depositor
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.leasing import LeaseCounter
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rules import load_pack, pack_bytes
from sekisho.signing import root_of, sign_payload
from sekisho.signing.keys import Signer
from sekisho.signing.notes import NoteSigner
from tests import factory as f
from tests.deposited import with_holders

__all__ = ["MovingClock", "TestDesk"]

WITNESSES = (
    NoteSigner.cosigner("w1.example/one", f.signer("w1").private),
    NoteSigner.cosigner("w2.example/two", f.signer("w2").private),
)


class MovingClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: Instant = f.NOW) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    def elapsed_s(self) -> float:
        return self.at.seconds

    def boot_id(self) -> str:
        return "boot-1"

    def move(self, seconds: float) -> None:
        self.at = self.at.plus(seconds)


class TestDesk:
    """One operator's desk: charter, host-1, party-1 and the shipped pack are in its log from the start.

    With `holders`, so many of the charter's key holders have a deposit key, of tests.deposited; `approvals` is how many
    of them must approve an application, and some of the authority's keys may bear other names.
    """

    __test__ = False

    def __init__(
        self,
        folder: Path,
        clock: MovingClock | None = None,
        *,
        holders: int = 0,
        operators: Sequence[Signer] = (f.OPERATOR,),
        approvals: int = 0,
        holders_named: Mapping[int, str] | None = None,
        organisations_named: Mapping[int, str] | None = None,
    ) -> None:
        self.clock = clock or MovingClock()
        self.folder = folder
        note = NoteSigner(f.ORIGIN, f.LOG.private)
        self.charter = f.charter(
            log_vkey=note.verifier.to_text(),
            witnesses=[
                CharterWitness(name=w.name, vkey=w.verifier.to_text(), owner=f"Owner {n}")
                for n, w in enumerate(WITNESSES, 1)
            ],
            operators=operators,
        )
        self.charter = with_holders(self.charter, holders)
        self.charter = msgspec.structs.replace(self.charter, licence_approvals=approvals)
        self.charter = _renamed(self.charter, "holder", holders_named or {})
        self.charter = _renamed(self.charter, "organisation", organisations_named or {})
        self.charter_envelope = f.charter_envelope(self.charter)
        self.root = root_of(self.charter, self.charter_envelope.digest)
        self.store = SqliteLogStore(folder / "log.sqlite", origin=f.ORIGIN)
        self.private = PrivateSqlite(folder / "private.sqlite")
        self.tiles = FileTileStore(folder / "log")
        self.sequencer = Sequencer(signer=note, store=self.store, tiles=self.tiles, mark=self._mark)
        self.desk = Desk(
            root=self.root,
            sequencer=self.sequencer,
            log=self.store,
            private=self.private,
            clock=self.clock,
            signer=f.OPERATOR,
            load_pack=lambda wanted: p if (p := load_pack()).reference == wanted else None,
        )
        self.deposits = Depositor(self.desk, sharing=ShamirSharing(), sealer=HpkeSealer())
        self.leases = LeaseCounter(self.desk)
        self.reader = LogReader(self.tiles)

    def __enter__(self) -> Self:
        self.sequencer.recover()
        self.desk.load()
        self.leases.load()
        self.deposits.complete()
        if self.desk.state.regime.charter is None:
            self.found()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.private.close()
        self.store.close()

    def found(self) -> None:
        pack = load_pack()
        now = self.clock.now()
        for envelope in (
            self.charter_envelope,
            f.signed(f.host_enrolled(now=now), f.AUTHORITY[0], f.OPERATOR),
            f.signed(f.party_enrolled(), f.AUTHORITY[0]),
            f.signed(
                PackPublished(effective=now, pack=pack.reference, bytes=len(pack_bytes())),
                *f.AUTHORITY[:2],
            ),
        ):
            self.desk.admit(envelope.raw)

    def licensed(self, *, budget_flop: int | None = None, number: str = "LIC-1") -> Admitted:
        """Declare run-1 and license it."""
        self.desk.admit(f.signed(f.run_declared(), f.PARTY).raw)
        plan = LicencePlan(
            number=number,
            budget_flop=budget_flop,
            terms=f.licence_issued(Reference(log=f.ORIGIN, leaf="0" * 64)).lease,
            mode="kill",
        )
        licence = draft_licence(self.desk.state, "run-1", load_pack(), plan, now=self.clock.now())
        return self.desk.admit(f.signed(licence, *f.AUTHORITY[:2]).raw)

    def request(self, licence: Admitted, number: int = 1, nonce: str = "ab" * 16) -> bytes:
        """The host's own signed request."""
        fact = LeaseRequested(
            effective=self.clock.now(),
            host="host-1",
            licence=Reference(log=f.ORIGIN, leaf=licence.leaf),
            number=number,
            nonce=nonce,
            quantum=0,
            last_receipt=self.leases.chain("host-1").head,
        )
        return f.signed(fact, f.HOST).raw

    def cosigned(self) -> Cosigned:
        """The head, cosigned by both witnesses and published."""
        note = self.sequencer.signed_head()
        stamp = int(self.clock.now().seconds)
        note = note.with_signatures([w.sign(note.text, timestamp=stamp) for w in WITNESSES])
        cosigned = Policy.from_text(self.root.witnesses).verify_cosigned(note)
        self.store.save_cosigned(cosigned.checkpoint.size, note.to_bytes())
        self.tiles.write("checkpoint", note.to_bytes())
        return cosigned

    def _mark(self, previous: bytes | None) -> bytes:
        fact = TimeMarked(
            effective=self.clock.now(), checkpoint=previous.decode() if previous else None
        )
        return sign_payload(make_payload(fact), [f.LOG]).raw


def _renamed(charter: CharterAdopted, field: str, names: Mapping[int, str]) -> CharterAdopted:
    """The charter with another holder or organisation at some of the authority's keys, counted from 1."""
    authority = charter.constituencies[0]
    keys = tuple(
        msgspec.structs.replace(key, **{field: names[n]}) if n in names else key
        for n, key in enumerate(authority.keys, 1)
    )
    renamed = msgspec.structs.replace(authority, keys=keys)
    return msgspec.structs.replace(charter, constituencies=(renamed, *charter.constituencies[1:]))
