"""A regime with a register of chips in one process: real log, real desk, real register, witnesses beside them.

No network and no children. What is the rehearsal's own is the calendar, which is moved by hand, and that the witnesses
are called instead of asked over HTTP; they judge and remember as their processes do, in the same folders, so that
`sekisho up` can serve the home afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from sekisho.adapters.keys.note_keys import load_note_keys
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.transport.witness_client import format_request
from sekisho.app import Home, RegisterBooks
from sekisho.app.register import RunningRegister
from sekisho.ledger import Policy
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.sequencer import Sequencer
from sekisho.ledger.witness import Refused
from sekisho.model.instants import Instant
from sekisho.operations.desk import Desk
from sekisho.operations.marking import MarkMaker
from sekisho.operations.register.papers import Papers
from sekisho.ports.witness import WitnessRefused
from sekisho.rehearsal.cast import WITNESSES, Cast, origin_of
from sekisho.signing.notes import NoteSigner, VerifierKey
from sekisho.witness.memory import WitnessMemory
from sekisho.witness.server import WitnessApp

__all__ = ["Calendar", "ChipRegime", "NearWitness"]


class Calendar:
    """The rehearsal's clock: it stands still until it is moved, and is never moved back."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    def elapsed_s(self) -> float:
        return self.at.seconds

    def boot_id(self) -> str:
        return "rehearsal"

    def move_to(self, at: Instant) -> None:
        self.at = max(self.at, at)


class NearWitness:
    """A witness of the rehearsal, with the key and the memory that its process has when the home is served."""

    def __init__(
        self, name: str, folder: Path, log: VerifierKey, now: Callable[[], Instant]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys = load_note_keys(folder / "key.pem")
        self._signers = [NoteSigner.cosigner(name, key) for key in keys]
        self._app = WitnessApp(
            signers=self._signers,
            logs={log.name: (log,)},
            memory=WitnessMemory(FileTileStore(folder)),
            now=lambda: int(now().seconds),
        )

    @property
    def vkey(self) -> str:
        return self._signers[0].verifier.to_text()

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """As the port says; nobody else speaks to this witness, so it stands where the log thinks it stands."""
        answer = self._app.answer(format_request(old_size, proof, note))
        if isinstance(answer, Refused):
            raise WitnessRefused(answer.body.strip(), status=answer.status)
        return answer


class ChipRegime:
    """One founded regime with its register, in a home of its own. Use as a context manager."""

    def __init__(self, home: Home, calendar: Calendar) -> None:
        self.home = home
        self.calendar = calendar
        self.cast = Cast(home)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _open(self, stack: ExitStack) -> None:
        origin = origin_of(self.home)
        note_signer, log_key = self.home.log_signer(origin)
        witnesses = {
            name: NearWitness(
                name,
                self.home.path / "witnesses" / name.rsplit("/", 1)[-1],
                note_signer.verifier,
                self.calendar.now,
            )
            for name in WITNESSES
        }
        vkeys = [witness.vkey for witness in witnesses.values()]
        root = self.cast.found(note_signer.verifier.to_text(), vkeys, now=self.calendar.now())
        log = self.home.open_log(origin)
        stack.callback(log.close)
        private = PrivateSqlite(self.home.path / "private.sqlite")
        stack.callback(private.close)
        tiles = FileTileStore(self.home.public)
        marks = MarkMaker(self.calendar, log_key)
        sequencer = Sequencer(signer=note_signer, store=log, tiles=tiles, mark=marks.make)
        sequencer.recover()
        self.publisher = Publisher(
            sequencer=sequencer,
            store=log,
            tiles=tiles,
            policy=Policy.from_text(root.witnesses, path="trust.json witnesses"),
            witnesses=witnesses,
        )
        stack.callback(self.publisher.stop)
        self.desk = Desk(
            root=root,
            sequencer=sequencer,
            log=log,
            private=private,
            clock=self.calendar,
            signer=self.cast.operator,
            load_pack=self.home.find_pack,
        )
        self.desk.on_recorded(marks.take_recorded)
        self._open_register(stack, tiles)

    def _open_register(self, stack: ExitStack, tiles: FileTileStore) -> None:
        chips = self.chips = RunningRegister(self.home, self.desk)
        stack.callback(chips.close)
        self.desk.load()
        self.desk.admit(self.cast.load_charter().raw)
        chips.start()
        stack.callback(chips.stop)
        self.register = chips.register
        self.papers = Papers(
            self.register.store,
            self.register.terms,
            log=self.desk.origin,
            tiles=tiles,
            latest=lambda: self.publisher.latest,
        )
        self.books = RegisterBooks(self.home, self.register.store, self.register.terms)

    def settle(self) -> None:
        """State all that was captured, have it witnessed and its recorded time closed. Raises what the log raises."""
        committer = self.chips.committer
        committer.complete()
        self.books.tend(self.calendar.now(), committer.raise_irregularity)
        self.publisher.publish()
        self.desk.mark_time()
        committer.complete()
        self.publisher.publish()
