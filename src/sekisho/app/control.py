"""The running control plane: ports to adapters, operations to ports, and the threads that keep it alive."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.keys.checker import SignatureProcess
from sekisho.adapters.keys.deposit_keys import HpkeSealer, ShamirSharing
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.projections_sql import scratch_projections
from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.app.balances import RegisterBooks
from sekisho.app.copying import compare_at_start, follow_copy, open_copy
from sekisho.app.home import Home
from sekisho.app.inventories import Inventories
from sekisho.app.notices import open_notices
from sekisho.app.order_push import OrderPush, load_push_file
from sekisho.app.register import RunningRegister
from sekisho.app.rules import RuleShelf, collect_packs
from sekisho.app.running_telemetry import RunningTelemetry
from sekisho.app.weights import open_keeper
from sekisho.ledger import Cosigned, LogReader, Policy
from sekisho.ledger.asked_first import AskedFirst, refuse_lost_entries
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.sequencer import Sequencer
from sekisho.model.errors import SekishoError
from sekisho.model.statements import ChainHead, CharterAdopted
from sekisho.operations.bundle import collect_bundle, write_bundle
from sekisho.operations.depositing import Depositor
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.feed import Feed
from sekisho.operations.judging import due_halts
from sekisho.operations.leasing import GrantedLease, LeaseCounter
from sekisho.operations.marking import MarkMaker
from sekisho.operations.opening import open_due
from sekisho.operations.projector import Projector
from sekisho.operations.register.papers import Papers
from sekisho.operations.register.register import Register
from sekisho.operations.registers import keep_registers
from sekisho.operations.showing import ShownOrder, show_order
from sekisho.operations.usage.reporting import UsageReports
from sekisho.operations.usage.shelf import RollUpShelf
from sekisho.orders.lifecycle import HostUnderOrder
from sekisho.ports.log_store import FencedOff
from sekisho.signing import Ed25519Signer, Recorded
from sekisho.signing.trust import current_root, with_former_keys

__all__ = ["Control"]

WITNESSED_WITHIN_S = 10.0
EXPIRY_TOLD_S = 30 * 86_400


class Control:
    """One running control plane over a home. Use as a context manager; `witnesses` are addresses by name."""

    fenced: str = ""
    """Why this process writes no more, once another one has taken the log over; "" while it is the writer."""

    last_problem: str = ""
    """What the register keeper last failed with; for the console and the log, not for a decision."""

    def __init__(self, home: Home, witnesses: Mapping[str, str]) -> None:
        self.home = home
        self.root = home.load_root()
        self.clock = SystemClock()
        policy = Policy.from_text(self.root.witnesses, path="trust.json witnesses")
        note_signer, self._log_key = home.log_signer(self.root.origin)
        self._log = home.open_log(self.root.origin)
        self._private = home.open_private(self.root.origin)
        self.tiles = FileTileStore(home.public)
        self.reader = LogReader(self.tiles)
        self._marks = MarkMaker(self.clock, self._log_key)
        self._sequencer = Sequencer(
            signer=note_signer,
            also=home.next_log_signers(self.root.origin),
            store=self._log,
            tiles=self.tiles,
            mark=self._marks.make,
        )
        self._clients = {name: HttpWitness(url) for name, url in witnesses.items()}
        known = self._log.load_cosigned(), self._log.load_size()
        self._witnesses = {name: AskedFirst(each, *known) for name, each in self._clients.items()}
        self.publisher = Publisher(
            sequencer=self._sequencer,
            store=self._log,
            tiles=self.tiles,
            policy=policy,
            witnesses=self._witnesses,
        )
        self.policy = policy
        self.desk = self._open_desk()
        self.rules = RuleShelf(home, lambda: self.desk.state)
        self.deposits = Depositor(self.desk, sharing=ShamirSharing(), sealer=HpkeSealer())
        self._signatures = SignatureProcess()  # started where many hosts ask at once, not before
        self.leases = LeaseCounter(self.desk, signatures=self._signatures)
        self.weights = open_keeper(home, self.desk)
        self.usage = self._open_usage()
        self.chips = RunningRegister(home, self.desk)
        self.feed = Feed(self.desk, self.reader, run=self.clock.now().us // 1_000_000)
        self.projections = home.open_projections()
        self.projector = Projector(self.desk, self.projections, scratch_projections)
        self._papers = self._open_papers()
        self.inventories = self._open_inventories()
        self.telemetry = RunningTelemetry(str(home.path / "telemetry"), self.clock)
        self.books = RegisterBooks(home, self.register.store, self.register.terms)
        self._copied_to = open_copy(home.elsewhere.copy)
        self.copy = follow_copy(self._copied_to, self.tiles, self._sequencer)
        self.push: OrderPush | None = None
        self.notices = open_notices(home.path, lambda: self.desk.state, self.clock)
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="registers", daemon=True)

    @property
    def register(self) -> Register:
        """The register of chips."""
        return self.chips.register

    def halts_due(self) -> tuple[HostUnderOrder, ...]:
        """The halts that wait for an observer now, for the first time or again."""
        return due_halts(self.desk.state, self.clock.now())

    @property
    def papers(self) -> Papers:
        """The register as people look at it: passports, holdings, covered clusters, alerts."""
        return self._papers

    def __enter__(self) -> Self:
        """Recover the log, fold it, begin to publish and to keep the registers."""
        try:
            self._recover()
        except BaseException:
            self._close_stores()
            raise
        self._start()
        return self

    def start_push(self, file: Path) -> None:
        """Send what hosts are told to the addresses that a file names, until the end. Raises InvalidInput."""
        self.push = OrderPush(self.feed, load_push_file(file))
        self.push.start()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.notices.stop()
        if self.push is not None:
            self.push.stop()
        self._keeper.join()
        self.telemetry.stop()
        self.inventories.stop()
        self.chips.stop()
        self.publisher.stop()
        if self.copy is not None:
            self.copy.stop()
        self.projector.stop()
        self._close_stores()

    def _recover(self) -> None:
        """What must hold before anybody is answered; nothing runs yet."""
        self.publisher.on_published(self.feed.take_published)
        self.desk.on_recorded(self.feed.take_recorded)
        self.desk.on_recorded(self._marks.take_recorded)
        self.desk.on_recorded(self.weights.take_recorded)
        self._sequencer.recover()
        refuse_lost_entries(self._witnesses, self.policy)
        if self.copy is not None:
            self.last_problem = compare_at_start(self.copy, self._sequencer)
        self.desk.load()
        self._keep_root()
        self.desk.on_recorded(self._take_charter)
        self.leases.load()
        self.deposits.complete()
        self.usage.complete(self.deposits.book.erased)

    def _start(self) -> None:
        latest = self.publisher.latest
        if latest is not None:
            self.feed.take_published(latest)
        if self.copy is not None:
            self.publisher.on_published(self.copy.take_published)
            if latest is not None:
                self.copy.take_published(latest)
            self.copy.start()
        self.projector.start()
        self.publisher.start()
        self.chips.start()
        self.inventories.start()
        self.telemetry.start()
        self.notices.start()
        self._keeper.start()

    def _close_stores(self) -> None:
        for client in self._clients.values():
            client.close()
        self._signatures.close()
        if self._copied_to is not None:
            self._copied_to.close()
        self.inventories.close()
        self.chips.close()
        self.projections.close()
        self._private.close()
        self._log.close()

    def _chains_of(self, licensee: str) -> tuple[ChainHead, ...]:
        """How far the receipt chains of a licensee's hosts have come."""
        licences = self.desk.state.licences.licences.values()
        hosts = {
            h
            for state in licences
            if state.licence.licensee == licensee
            for h in state.licence.hosts
        }
        chains = (self.leases.chain(host) for host in sorted(hosts))
        return tuple(
            ChainHead(host=chain.host, sequence=chain.sequence, digest=chain.head)
            for chain in chains
            if chain.head is not None
        )

    def _speaker(self) -> Ed25519Signer:
        """The log's key that the charter in force names: while it changes, that may be the next one."""
        named = self.desk.state.regime.log_key.key_id
        following = (key for key in self.home.next_log_keys() if key.public.key_id == named)
        return next(following, self._log_key)

    def _take_charter(self, recorded: Recorded) -> None:
        if isinstance(recorded.verified.predicate, CharterAdopted):
            self._keep_root()

    def _keep_root(self) -> None:
        """Where charters changed the log's key or its witnesses, the next start signs and asks by what they say."""
        current = current_root(self.root, self.desk.state.regime)
        if current == self.root:
            return
        current = with_former_keys(current, self.root)
        if current != self.home.load_root():
            # Crash before: the next start reads the same charter again and gets here again.
            self.home.save_root(current)

    @property
    def problems(self) -> dict[str, str]:
        """What a person should look at, by what it is about: a witness by its name, `registers`, `clock` and so on."""
        told = {
            **self.publisher.problems,
            "registers": self.last_problem,
            "writer": self.fenced,
            "push": "" if self.push is None else self.push.problem,
            "tables": self.projector.last_problem,
            "clock": self._marks.problem,
            "copy": "" if self.copy is None else self.copy.problem,
            "charter": self._charter_problem(),
            "register": self.chips.problem,
            "inventories": self.inventories.problem,
            "telemetry": self.telemetry.problem,
            "notices": self.notices.problem,
        }
        return {what: problem for what, problem in told.items() if problem}

    def _charter_problem(self) -> str:
        """Amend it in time: once expired, orders still hold and lift, but nothing is licensed and no word changes."""
        charter = self.desk.state.regime.charter
        if charter is None:
            return ""
        left = charter.terms.expires.since(self.clock.now())
        if left > EXPIRY_TOLD_S:
            return ""
        return f"{'expired' if left <= 0 else 'expires'} at {charter.terms.expires}"

    def submit(self, raw: bytes, disclosures: tuple[str, ...] = ()) -> Admitted:
        """Admit a statement, and say at once what the registers hold where it was an order.

        With a sealed order come its `disclosures`.
        """
        admitted = self.desk.admit(raw, disclosures=disclosures)
        recorded = self.desk.find(admitted.digest)
        kinds = ("order-issued", "order-sealed")
        if admitted.fresh and recorded is not None and recorded.verified.kind in kinds:
            keep_registers(self.desk)
        return admitted

    def show_order(self, raw: bytes) -> ShownOrder:
        """An order as the host that signed this request may see it."""
        return show_order(self.desk, self.feed.memberships, raw)

    def grant_lease(self, raw: bytes) -> tuple[GrantedLease, str]:
        """A lease and its proof in a witnessed checkpoint. Raises Unavailable where the witnesses are late."""
        granted = self.leases.grant(raw)
        cosigned = self.publisher.wait_witnessed(granted.admitted.index, WITNESSED_WITHIN_S)
        return granted, self.reader.prove(granted.admitted.index, cosigned).to_text()

    def prove(self, index: int) -> str | None:
        """The proof of an entry in the newest witnessed checkpoint; None while none covers it."""
        cosigned = self.publisher.latest
        if cosigned is None or cosigned.checkpoint.size <= index:
            return None
        return self.reader.prove(index, cosigned).to_text()

    def export_bundle(self, folder: Path, *, register: bool = True) -> Cosigned:
        """Close the recorded time of everything so far, wait for the witnesses, and write the bundle.

        With `register` it discloses the register of chips: who holds which chip where, and every document. Raises
        StateConflict where that is more than a bundle takes.
        """
        self.chips.committer.complete()
        keep_registers(self.desk)
        self.desk.mark_time()
        cosigned = self.publisher.wait_witnessed(self.desk.state.size - 1, WITNESSED_WITHIN_S)
        files = collect_bundle(
            cosigned=cosigned,
            tiles=self.tiles,
            recorded=self.desk.recorded(),
            private=self._private,
            packs=collect_packs(self.home, self.desk.state),
            register=self.chips.disclose(cosigned.checkpoint.size) if register else None,
        )
        write_bundle(
            folder, files, origin=self.root.origin, signer=self._speaker(), now=self.clock.now()
        )
        return cosigned

    def _open_desk(self) -> Desk:
        return Desk(
            root=self.root,
            sequencer=self._sequencer,
            log=self._log,
            private=self._private,
            clock=self.clock,
            signer=load_or_create_key(self.home.keys / "operator.pem"),
            load_pack=self.home.find_pack,
            verify_writer=self._log.verify_held,
        )

    def _open_usage(self) -> UsageReports:
        usage = UsageReports(
            self.desk,
            RollUpShelf(ReportFiles(self.home.path / "reports")),
            draw=secrets.token_bytes,
            chains_of=self._chains_of,
        )
        self.desk.on_forgotten(usage.forget)
        return usage

    def _open_papers(self) -> Papers:
        return Papers(
            self.register.store,
            self.register.terms,
            log=self.root.origin,
            tiles=self.tiles,
            latest=lambda: self.publisher.latest,
        )

    def _open_inventories(self) -> Inventories:
        return Inventories(
            self.home,
            self.register,
            origin=self.root.origin,
            clock=self.clock,
            raising=self.chips.committer.raise_irregularity,
        )

    def _look_at_fence(self) -> bool:
        """Whether another process has become the writer; asked every second, so that nobody is told old news long."""
        try:
            self._log.verify_held()
        except FencedOff as error:
            self.fenced = str(error)
        except SekishoError as error:
            self.last_problem = str(error)
        return bool(self.fenced)

    def _keep(self) -> None:
        """The heartbeat: registers at half the charter's interval, overdue leases every second."""
        last = 0.0
        while not self._stopping.wait(1.0):
            charter = self.desk.state.regime.charter
            if self._look_at_fence() or charter is None:
                continue
            try:
                if time.monotonic() - last >= charter.terms.orders_in_force_every_s / 2:
                    keep_registers(self.desk)
                    last = time.monotonic()
                self.leases.close_overdue()
                open_due(self.desk)
                self.deposits.complete()
                self.weights.tend()
                self.chips.tend(self.clock.now())
                self.books.tend(self.clock.now(), self.chips.committer.raise_irregularity)
            except SekishoError as error:
                self.last_problem = str(error)
