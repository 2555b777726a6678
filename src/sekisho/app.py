"""Wires the control plane: ports to adapters, operations to ports. `web` and `cli` import this, this imports neither.

A home is a folder:

    regime.json   origin, names of the witnesses, the site's own host   trust.json    the regime's trust root
    keys/         log.pem, operator.pem                                 signers/      keys of the other constituencies
    log.sqlite    the log's database      private.sqlite  what the log never sees      packs/   rule packs as published
    projections.sqlite   tables made from these two
    public/log/   checkpoint and tiles, for any web server              witnesses/ hosts/ observer/   other processes
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys import load_key, load_or_create_key
from sekisho.adapters.keys.deposit_keys import HpkeSealer, ShamirSharing
from sekisho.adapters.keys.note_keys import begin_rotation, finish_rotation, next_of
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.log_reading import LogEntries
from sekisho.adapters.storage.places import open_log_store
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.storage.projections_sql import (
    open_projections,
    remove_projections,
    scratch_projections,
)
from sekisho.adapters.storage.sql_log import SqlLogStore
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.ledger import Cosigned, LogReader, Policy
from sekisho.ledger.copying import PublishedCopy
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.rebuilding import rebuild_store
from sekisho.ledger.sequencer import Sequencer
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.model.statements import CharterAdopted, PackReference
from sekisho.model.wire import canonical, from_json, parse_json, sha256_hex
from sekisho.operations.admission import claims_of
from sekisho.operations.bundle import collect_bundle, write_bundle
from sekisho.operations.depositing import Depositor
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.disclosing import Reveal, make_reveal
from sekisho.operations.feed import Feed
from sekisho.operations.leasing import GrantedLease, LeaseCounter
from sekisho.operations.marking import MarkMaker
from sekisho.operations.projecting import (
    Check,
    Mismatch,
    Telling,
    check_projections,
    count_rows,
    make_projections,
    read_entries,
)
from sekisho.operations.projections import TABLES
from sekisho.operations.projector import Projector
from sekisho.operations.reading import read_state
from sekisho.operations.registers import keep_registers
from sekisho.ports.log_store import TreeHead
from sekisho.ports.projection_store import View
from sekisho.rules import Pack, pack_bytes, pack_names, parse_pack
from sekisho.signing import Ed25519Signer, Recorded, TrustRoot, parse_policy
from sekisho.signing.notes import NoteSigner, VerifierKey
from sekisho.signing.trust import current_root, with_former_keys

__all__ = [
    "TABLES",
    "Check",
    "Control",
    "Elsewhere",
    "Home",
    "Mismatch",
    "Rebuilt",
    "RegimeFile",
    "begin_log_rotation",
    "check_home_projections",
    "finish_log_rotation",
    "rebuild_log",
    "rebuild_projections",
    "reveal_field",
]

WITNESSED_WITHIN_S = 10.0


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """What of a regime lies outside its home: the log's database (postgresql://...), its published copy (s3://...)."""

    database: str = ""
    copy: str = ""


class RegimeFile(msgspec.Struct, frozen=True, kw_only=True):
    """What `up` must know of a home before it has read anything else."""

    origin: str
    witnesses: tuple[str, ...]
    port: int = 0


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A home folder, what lies where in it, and what of the regime does not."""

    path: Path
    elsewhere: Elsewhere = Elsewhere()

    @classmethod
    def open(cls, path: Path, elsewhere: Elsewhere | None = None) -> Home:
        """The home at `path`, made with mode 0700 where it is new. Raises InvalidInput where it cannot be used."""
        home = cls(path=path.expanduser().absolute(), elsewhere=elsewhere or Elsewhere())
        try:
            for folder in (home.path, home.keys, home.signers, home.packs, home.logs):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            home.public.mkdir(parents=True, exist_ok=True)
            probe = home.path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InvalidInput(
                f"the home cannot be written: {error.strerror}",
                path=str(home.path),
                remedy="name another with --home or SEKISHO_HOME",
            ) from None
        return home

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def signers(self) -> Path:
        return self.path / "signers"

    @property
    def packs(self) -> Path:
        return self.path / "packs"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def projections(self) -> Path:
        return self.path / "projections.sqlite"

    @property
    def public(self) -> Path:
        return self.path / "public" / "log"

    @property
    def is_founded(self) -> bool:
        return (self.path / "trust.json").exists()

    def load_regime(self) -> RegimeFile:
        return from_json(RegimeFile, parse_json(self._read("regime.json")), path="regime.json")

    def save_regime(self, regime: RegimeFile) -> None:
        (self.path / "regime.json").write_bytes(canonical(regime) + b"\n")

    def load_root(self) -> TrustRoot:
        return parse_policy(self._read("trust.json"), path=str(self.path / "trust.json"))

    def save_root(self, root: TrustRoot) -> None:
        """Written last when a regime is founded: a home without it is not founded yet and is begun again."""
        replace_file(self.path / "trust.json", canonical(root) + b"\n", mode=0o644)

    def log_signer(self, origin: str) -> tuple[NoteSigner, Ed25519Signer]:
        """The log's key in its two uses: notes and time marks."""
        key = load_or_create_key(self.keys / "log.pem")
        return NoteSigner(origin, key.private), key

    def next_log_signers(self, origin: str) -> tuple[NoteSigner, ...]:
        """The key that will follow the log's own, while both sign; none where no rotation is under way."""
        return tuple(NoteSigner(origin, key.private) for key in self.next_log_keys())

    def next_log_keys(self) -> tuple[Ed25519Signer, ...]:
        """The same keys, for statements and manifests."""
        file = next_of(self.keys / "log.pem")
        return (load_key(file),) if file.exists() else ()

    def open_log(self, origin: str) -> SqlLogStore:
        """The log's database: the home's own file, or where `elsewhere` says."""
        place = self.elsewhere.database or str(self.path / "log.sqlite")
        return open_log_store(place, origin=origin)

    def save_pack(self, name: str, version: str, data: bytes) -> None:
        """Keep a published pack's bytes, where bundles and the console find them."""
        path = self.packs / f"{name}-{version}.yaml"
        if path.exists() and path.read_bytes() != data:
            raise StateConflict(f"pack {name} {version} is published with other bytes")
        path.write_bytes(data)

    def find_pack(self, reference: PackReference) -> Pack | None:
        """A published pack by its digest: from this home, or as it ships; None where no bytes here have it."""
        kept = self.packs / f"{reference.name}-{reference.version}.yaml"
        candidates = [kept.read_bytes()] if kept.exists() else []
        if reference.name in pack_names():
            candidates.append(pack_bytes(reference.name))
        data = next((d for d in candidates if sha256_hex(d) == reference.sha256), None)
        return parse_pack(data, f"{reference.name}.yaml") if data is not None else None

    def load_packs(self) -> dict[str, bytes]:
        """The published packs' bytes by `<name>-<version>`."""
        return {path.stem: path.read_bytes() for path in sorted(self.packs.glob("*.yaml"))}

    def _read(self, name: str) -> bytes:
        path = self.path / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None


def begin_log_rotation(home: Home) -> VerifierKey:
    """Draw the log's next key; a control plane started from then on signs every checkpoint with both.

    Raises StateConflict where one is drawn already, InvalidInput where the home has no log.
    """
    origin = home.load_root().origin
    begin_rotation(home.keys / "log.pem")
    return home.next_log_signers(origin)[0].verifier


def finish_log_rotation(home: Home) -> VerifierKey:
    """Drop the log's old key, once the charter in force names the new one, and trust what the charter says now.

    Raises StateConflict where no rotation is under way, or where the log's charter still names the old key.
    """
    root = home.load_root()
    following = home.next_log_signers(root.origin)
    if not following:
        raise StateConflict("no rotation of the log's key is under way")
    state, _ = read_state(FileTileStore(home.public), root)
    current = current_root(root, state.regime)
    if current.log != following[0].verifier.to_text():
        raise StateConflict(
            "the charter in force still names the old key",
            remedy=f"adopt a charter whose log key is {following[0].verifier.to_text()}",
        )
    # Crash here: the home trusts the new key, and both still sign; asked again, the old one goes.
    home.save_root(with_former_keys(current, root))
    finish_rotation(home.keys / "log.pem")
    return following[0].verifier


def rebuild_log(home: Home, progress: Callable[[int, int], None] = lambda *_: None) -> TreeHead:
    """Fill the log's lost or older database from the home's published files; the head after it.

    Raises what `rebuild_store` raises, and what reading the checkpoint by the home's trust root raises.
    """
    root, tiles = home.load_root(), FileTileStore(home.public)
    policy = Policy.from_text(root.witnesses, path="trust.json witnesses")
    cosigned = LogReader(tiles).load_checkpoint(policy)
    with home.open_log(root.origin) as store:
        return rebuild_store(store, tiles, cosigned, claims_of, progress)


class Control:
    """One running control plane over a home. Use as a context manager; `witnesses` are addresses by name."""

    last_problem: str = ""
    """What the register keeper last failed with; for the console and the log, not for a decision."""

    def __init__(self, home: Home, witnesses: Mapping[str, str]) -> None:
        self.home = home
        self.root = home.load_root()
        self.clock = SystemClock()
        policy = Policy.from_text(self.root.witnesses, path="trust.json witnesses")
        note_signer, self._log_key = home.log_signer(self.root.origin)
        self._log = home.open_log(self.root.origin)
        self._private = PrivateSqlite(home.path / "private.sqlite")
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
        self.publisher = Publisher(
            sequencer=self._sequencer,
            store=self._log,
            tiles=self.tiles,
            policy=policy,
            witnesses=self._clients,
        )
        self.policy = policy
        self.desk = Desk(
            root=self.root,
            sequencer=self._sequencer,
            log=self._log,
            private=self._private,
            clock=self.clock,
            signer=load_or_create_key(home.keys / "operator.pem"),
            load_pack=home.find_pack,
        )
        self.deposits = Depositor(self.desk, sharing=ShamirSharing(), sealer=HpkeSealer())
        self.leases = LeaseCounter(self.desk)
        self.feed = Feed(self.desk, self.reader, run=self.clock.now().us // 1_000_000)
        self.projections = open_projections(home.projections)
        self.projector = Projector(self.desk, self.projections, scratch_projections)
        self.copy = self._open_copy(home.elsewhere.copy)
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="registers", daemon=True)

    def __enter__(self) -> Self:
        """Recover the log, fold it, begin to publish and to keep the registers."""
        self.publisher.on_published(self.feed.take_published)
        self.desk.on_recorded(self.feed.take_recorded)
        self.desk.on_recorded(self._marks.take_recorded)
        self._sequencer.recover()
        if self.copy is not None:
            self._compare_copy(self.copy)
        self.desk.load()
        self._keep_root()
        self.desk.on_recorded(self._take_charter)
        self.leases.load()
        self.deposits.complete()
        self.projector.start()
        if self.publisher.latest is not None:
            self.feed.take_published(self.publisher.latest)
        if self.copy is not None:
            self.publisher.on_published(self.copy.take_published)
            self.copy.start()
        self.publisher.start()
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._keeper.join()
        self.publisher.stop()
        if self.copy is not None:
            self.copy.stop()
        for client in self._clients.values():
            client.close()
        self.projector.stop()
        self.projections.close()
        self._private.close()
        self._log.close()

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

    def submit(self, raw: bytes) -> Admitted:
        """Admit a statement, and say at once what the registers hold where it was an order."""
        admitted = self.desk.admit(raw)
        recorded = self.desk.find(admitted.digest)
        if admitted.fresh and recorded is not None and recorded.verified.kind == "order-issued":
            keep_registers(self.desk)
        return admitted

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

    def export_bundle(self, folder: Path) -> Cosigned:
        """Close the recorded time of everything so far, wait for the witnesses, and write the bundle."""
        keep_registers(self.desk)
        self.desk.mark_time()
        cosigned = self.publisher.wait_witnessed(self.desk.state.size - 1, WITNESSED_WITHIN_S)
        files = collect_bundle(
            cosigned=cosigned,
            tiles=self.tiles,
            recorded=self.desk.recorded(),
            private=self._private,
            packs=self.home.load_packs(),
        )
        write_bundle(
            folder, files, origin=self.root.origin, signer=self._speaker(), now=self.clock.now()
        )
        return cosigned

    def _open_copy(self, address: str) -> PublishedCopy | None:
        if not address:
            return None
        # Here, so that a log without a copy does without the store's library.
        from sekisho.adapters.storage.object_tiles import open_object_tiles

        return PublishedCopy(
            source=self.tiles,
            copy=open_object_tiles(address),
            keys=[key.verifier for key in self._sequencer.signers],
            refuse=self._sequencer.refuse,
        )

    def _compare_copy(self, copy: PublishedCopy) -> None:
        """A copy that knows more than the database stops the start; one that is silent is told of."""
        try:
            copy.compare_at_start(self._sequencer.size, self._sequencer.root_at)
        except Unavailable as error:
            self.last_problem = str(error)

    def _keep(self) -> None:
        """The heartbeat: registers at half the charter's interval, overdue leases every second."""
        last = 0.0
        while not self._stopping.wait(1.0):
            charter = self.desk.state.regime.charter
            if charter is None:
                continue
            try:
                if time.monotonic() - last >= charter.terms.orders_in_force_every_s / 2:
                    keep_registers(self.desk)
                    last = time.monotonic()
                self.leases.close_overdue()
                self.deposits.complete()
            except SekishoError as error:
                self.last_problem = str(error)


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """Projections that were made again: of how many entries, how many rows in each table, how many unverifiable."""

    size: int
    tables: dict[str, int]
    hidden: int


def rebuild_projections(home: Home, heard: Callable[[int, int], None]) -> Rebuilt:
    """Make a home's projections again from its log and private store alone, and put them in place at once.

    A control plane that runs on this home meanwhile goes on from them. `heard` is told entries done and to do. Raises
    InvalidInput where no regime is founded here, Corrupt, Unavailable, and whatever the log's entries raise.
    """
    with _grounds(home) as (log, telling), scratch_projections() as made:
        entries = read_entries(telling, log.envelopes())
        make_projections(made, telling, entries, lambda done: heard(done, log.size))
        with made.view() as view:
            try:
                _put_in_place(home, view)
            except Corrupt:
                remove_projections(home.projections)
                _put_in_place(home, view)
            tables, hidden = count_rows(view)
        return Rebuilt(size=telling.position.size, tables=tables, hidden=hidden)


def check_home_projections(home: Home, heard: Callable[[int, int], None]) -> Check:
    """A home's projections against those that its log and private store give. Raises as `rebuild_projections`."""
    with _grounds(home) as (log, telling), scratch_projections() as made:
        path = home.projections
        kept = open_projections(path, mend=False) if path.exists() else scratch_projections()
        with kept:
            return check_projections(
                kept,
                made,
                telling,
                log.envelopes(),
                log_size=log.size,
                heard=lambda done: heard(done, log.size),
            )


def _put_in_place(home: Home, made: View) -> None:
    with open_projections(home.projections) as store:
        store.replace(made.position, made.rows())


@contextmanager
def _grounds(home: Home) -> Iterator[tuple[LogEntries, Telling]]:
    """What projections rest on: the log, and a fold of it that has not begun."""
    if not home.is_founded:
        raise InvalidInput("no regime is founded here", path=str(home.path), remedy="sekisho up")
    root = home.load_root()
    private = PrivateSqlite(home.path / "private.sqlite")
    try:
        kept = private.load_disclosures()
    finally:
        private.close()
    with LogEntries(home.path / "log.sqlite", origin=root.origin) as log:
        yield log, Telling(root, lambda digest: kept.get(digest, ()))


def reveal_field(home: Home, digest: str, name: str) -> Reveal:
    """One concealed field of a home's own statement, for a reader; raises what `make_reveal` raises.

    Reads beside a running control plane. Raises InvalidInput where no regime is founded here.
    """
    if not home.is_founded:
        raise InvalidInput("no regime is founded here", path=str(home.path), remedy="sekisho up")
    private = PrivateSqlite(home.path / "private.sqlite")
    try:
        kept = private.load_disclosures()
    finally:
        private.close()
    return make_reveal(FileTileStore(home.public), home.load_root(), digest, name, kept)


def erase_disclosures(
    home: Home, digest: str, basis: str, confirm: Callable[[Recorded], None]
) -> tuple[Admitted, str]:
    """Erase the concealed fields of a home's own statement: the erasure's place in the log, the statement's digest.

    `digest` is the statement's payload or leaf digest. `confirm` is shown the statement, and raises to stop: then
    nothing has changed. Raises StateConflict while a control plane runs on this home, or where there is nothing to
    erase.
    """
    if not home.is_founded:
        raise InvalidInput("no regime is founded here", path=str(home.path), remedy="sekisho up")
    with Control(home, {}) as control:
        recorded = control.desk.find(digest) or next(
            (entry for entry in control.desk.recorded() if entry.leaf == digest), None
        )
        if recorded is None:
            raise StateConflict(
                f"no statement {digest[:16]} is in this log", remedy="name its payload's SHA-256"
            )
        control.deposits.check_erasable(recorded.verified.digest)
        confirm(recorded)
        return control.deposits.erase(recorded.verified.digest, basis), recorded.verified.digest
