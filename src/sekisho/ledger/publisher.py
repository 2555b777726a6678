"""The last step of the log: have the head cosigned and publish it, without a clock's polling.

One thread waits for committed batches. What is appended while a round of cosignatures is under way goes into
the next round, so that the window of a batch is as long as a round and no longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.policy import Cosigned, Policy, QuorumMissing
from sekisho.ledger.sequencer import RolledBack, Sequencer
from sekisho.ledger.tiles import CHECKPOINT_PATH, TileTree
from sekisho.ledger.tree import consistency_proof
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable, VerificationError
from sekisho.ports.log_store import PublishedStore
from sekisho.ports.tile_store import TileStore
from sekisho.ports.witness import Witness, WitnessConflict, WitnessRefused
from sekisho.signing.notes import Note, NoteSignature, VerifierKey, parse_signature_lines

__all__ = ["Pace", "Publisher", "WitnessesMissing"]

BUSY = 256
_CONFLICT_TRIES = 3
_UNPROCESSABLE = 422


class WitnessesMissing(Unavailable):
    """The head is in the log, but too few witnesses cosigned it yet; it is published when they do."""

    code = "witnesses-missing"


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long the publisher waits, in seconds.

    `window_s` lets entries of one moment share a round; after a round of more than BUSY entries the next one
    begins `busy_s` after it at the earliest, since each round syncs some ten files. `round_s` bounds a round;
    `grace_s` is left to the slower witnesses once the quorum is there; after a failed round it waits `retry_s`,
    doubled up to `retry_most_s`. A witness that missed a published head is asked again after `absent_s`.
    """

    window_s: float = 0.001
    busy_s: float = 0.1
    round_s: float = 5.0
    grace_s: float = 0.010
    retry_s: float = 0.020
    retry_most_s: float = 1.0
    absent_s: float = 10.0


class Publisher:
    """Publishes a sequencer's heads under a policy, through its witnesses (by their names in the policy).

    Use as a context manager, or `start` and `stop`. `publish` may also be called by hand, without the thread.
    """

    def __init__(
        self,
        *,
        sequencer: Sequencer,
        store: PublishedStore,
        tiles: TileStore,
        policy: Policy,
        witnesses: Mapping[str, Witness],
        pace: Pace | None = None,
    ) -> None:
        self._sequencer = sequencer
        self._store = store
        self._tiles = tiles
        self._policy = policy
        self._pace = pace or Pace()
        self._panel = {
            name: _Seat(name, _key_of(policy, name), port) for name, port in witnesses.items()
        }
        self._changed = threading.Condition()
        self._round = threading.Lock()
        self._pool = ThreadPoolExecutor(max(1, len(self._panel)), thread_name_prefix="witness")
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._size = -1
        self._late = False
        self._busy_until = 0.0
        self._latest = self._load_latest()
        for seat in self._panel.values():
            seat.resume(self._latest)
        self._failure: SekishoError | None = None
        self._callbacks: list[Callable[[Cosigned], None]] = []
        sequencer.on_sequenced(self._note_size)

    @property
    def latest(self) -> Cosigned | None:
        """The newest published checkpoint."""
        with self._changed:
            return self._latest

    @property
    def problems(self) -> dict[str, str]:
        """What each witness last failed with; a witness that answered well is not named."""
        return {seat.name: seat.problem for seat in self._panel.values() if seat.problem}

    @property
    def failure(self) -> SekishoError | None:
        """What made the publisher give up; None while it goes on trying."""
        with self._changed:
            return self._failure

    def on_published(self, callback: Callable[[Cosigned], None]) -> None:
        """Call back after each publication, from the publishing thread; it must not raise."""
        self._callbacks.append(callback)

    def start(self) -> None:
        """Begin to publish; `Sequencer.recover` must have been called before."""
        self._note_size(self._sequencer.size)
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and leave the rest to the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_witnessed(self, index: int, timeout: float) -> Cosigned:
        """The first published checkpoint seen that covers entry `index`.

        Raises Unavailable after `timeout` seconds, and at once what made the publisher give up.
        """

        def is_over() -> bool:
            return self._failure is not None or self._covers(index)

        with self._changed:
            self._changed.wait_for(is_over, timeout)
            if self._latest is not None and self._covers(index):
                return self._latest
            if self._failure is not None:
                raise self._failure
        told = "; ".join(f"{name}: {problem}" for name, problem in self.problems.items())
        raise WitnessesMissing(
            f"entry {index} is not witnessed yet ({told or 'no answer yet'})", remedy="wait"
        )

    def publish(self) -> Cosigned:
        """One round: sign the head, collect cosignatures, publish if they make the quorum.

        Raises WitnessesMissing (the next call tries again; cosignatures already held are kept) and RolledBack
        where so many witnesses saw another or a larger tree that no quorum is left without them.
        """
        with self._round:
            note = self._sequencer.signed_head()
            checkpoint = Checkpoint.from_text(note.text)
            # Crash here: nothing left this process; the head that was signed is the database's.
            self._collect(note, checkpoint)
            held = [seat.held[1] for seat in self._seats_at(checkpoint) if seat.held]
            # Crash here: witnesses know this head; it is the database's head, the next start publishes it.
            self._refuse_fork(checkpoint)
            return self._keep(note.with_signatures(held))

    def _keep(self, note: Note) -> Cosigned:
        try:
            cosigned = self._policy.verify_cosigned(note)
        except QuorumMissing as error:
            raise WitnessesMissing(error.message, remedy="it is tried again") from None
        if self._latest is not None and self._latest.note == note:
            return self._latest
        before = 0 if self._latest is None else self._latest.checkpoint.size
        if cosigned.checkpoint.size - before > BUSY:
            self._busy_until = time.monotonic() + self._pace.busy_s
        raw = note.to_bytes()
        self._store.save_cosigned(cosigned.checkpoint.size, raw)
        # Crash here: the file is behind the database; Sequencer.recover writes it.
        self._tiles.write(CHECKPOINT_PATH, raw)
        # Crash here: published; whoever waited learns it from the file.
        with self._changed:
            self._latest = cosigned
            self._changed.notify_all()
        self._sequencer.take_cosigned(raw)
        for callback in self._callbacks:
            callback(cosigned)
        return cosigned

    def _collect(self, note: Note, checkpoint: Checkpoint) -> None:
        """Ask every witness at once; come back with all of them, or soon after the quorum."""
        tree = TileTree(checkpoint.size, self._tiles.read)
        asked = [seat for seat in self._panel.values() if seat.begin(checkpoint)]
        for seat in asked:
            self._pool.submit(self._ask, seat, note, checkpoint, tree)
        deadline = time.monotonic() + self._pace.round_s

        def is_quorum() -> bool:
            return self._policy.is_satisfied([seat.name for seat in self._seats_at(checkpoint)])

        def is_idle() -> bool:
            return self._stopping or not any(seat.busy for seat in self._panel.values())

        with self._changed:
            self._changed.wait_for(lambda: is_idle() or is_quorum(), deadline - time.monotonic())
            if is_quorum():
                self._changed.wait_for(is_idle, self._pace.grace_s)
            self._late = False

    def _ask(self, seat: _Seat, note: Note, checkpoint: Checkpoint, tree: TileTree) -> None:
        """One witness's part of a round, in a thread of the pool; every failure is kept at its seat."""
        problem, contradicts, line = "failed unexpectedly", False, None
        try:
            line = seat.ask(note, checkpoint, tree)
            problem = ""
        except (WitnessConflict, WitnessRefused) as error:
            problem, contradicts = str(error), _is_contradiction(error)
        except SekishoError as error:
            problem = str(error)
        finally:
            with self._changed:
                seat.end(checkpoint, line, problem, contradicts=contradicts)
                self._late = self._late or line is not None
                self._changed.notify_all()

    def _refuse_fork(self, checkpoint: Checkpoint) -> None:
        against = {seat.name for seat in self._panel.values() if seat.contradicts}
        if against and not self._policy.is_satisfied(set(self._panel) - against):
            raise RolledBack(
                f"{', '.join(sorted(against))} saw another tree of {checkpoint.origin} than the one of size "
                f"{checkpoint.size} in the database",
                remedy="restore the newest database; going on would fork the log",
            )

    def _run(self) -> None:
        failure: SekishoError = Unavailable(
            "the publisher ended by an error in Sekisho itself", remedy="start the log again"
        )
        try:
            self._publish_until_stopped()
        except SekishoError as error:  # Corrupt and the like: waiting does not mend it
            failure = error
            self._sequencer.refuse(error)
        finally:
            with self._changed:
                self._failure = None if self._stopping else failure
                self._changed.notify_all()

    def _publish_until_stopped(self) -> None:
        wait_s = self._pace.retry_s
        while self._wait_for_work():
            try:
                self.publish()
                wait_s = self._pace.retry_s
            except Unavailable:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping or self._late, wait_s)
                wait_s = min(2 * wait_s, self._pace.retry_most_s)

    def _wait_for_work(self) -> bool:
        with self._changed:
            absent = self._pace.absent_s if self._is_anyone_absent() else None
            self._changed.wait_for(lambda: self._stopping or self._has_work(), absent)
            left = self._busy_until - time.monotonic()
            if left > 0:
                self._changed.wait_for(lambda: self._stopping, left)
        if self._pace.window_s and not self._stopping:
            time.sleep(self._pace.window_s)
        return not self._stopping

    def _has_work(self) -> bool:
        published = -1 if self._latest is None else self._latest.checkpoint.size
        return self._size > published or self._late

    def _is_anyone_absent(self) -> bool:
        """Whether a witness has not cosigned the checkpoint that was published last."""
        latest = self._latest
        return latest is not None and len(self._seats_at(latest.checkpoint)) < len(self._panel)

    def _note_size(self, size: int) -> None:
        with self._changed:
            self._size = max(size, self._size)
            self._changed.notify_all()

    def _covers(self, index: int) -> bool:
        return self._latest is not None and index < self._latest.checkpoint.size

    def _seats_at(self, checkpoint: Checkpoint) -> list[_Seat]:
        return [s for s in self._panel.values() if s.held and s.held[0] == checkpoint]

    def _load_latest(self) -> Cosigned | None:
        """What was published last; None too where it does not satisfy today's policy: then publish anew."""
        stored = self._store.load_cosigned()
        if stored is None:
            return None
        note = Note.from_bytes(stored[1], path="cosigned checkpoint")
        try:
            return self._policy.verify_cosigned(note)
        except VerificationError:
            return None


class _Seat:
    """What the publisher knows of one witness: where it stands, and its newest cosignature."""

    def __init__(self, name: str, key: VerifierKey, port: Witness) -> None:
        self.name = name
        self.busy = False
        self.problem = ""
        self.contradicts = False
        self.held: tuple[Checkpoint, NoteSignature] | None = None
        self._key = key
        self._port = port
        self._size = 0

    def resume(self, latest: Cosigned | None) -> None:
        """Take up the cosignature given before a restart: a round without this witness must not lose it."""
        if latest is None:
            return
        for line in latest.note.signatures:
            if self._key.made(line):
                self.held = (latest.checkpoint, line)
                self._size = latest.checkpoint.size

    def begin(self, checkpoint: Checkpoint) -> bool:
        """Whether this witness is to be asked now: it is free and has not cosigned this checkpoint."""
        if self.busy or (self.held and self.held[0] == checkpoint):
            return False
        self.busy = True
        return True

    def end(
        self, checkpoint: Checkpoint, line: NoteSignature | None, problem: str, *, contradicts: bool
    ) -> None:
        self.busy = False
        self.problem = problem
        self.contradicts = contradicts
        if line is not None:
            self.held = (checkpoint, line)
            self._size = checkpoint.size

    def ask(self, note: Note, checkpoint: Checkpoint, tree: TileTree) -> NoteSignature:
        """The cosignature, after telling the witness from the size at which it says it stands."""
        for _ in range(_CONFLICT_TRIES):
            old = min(self._size, checkpoint.size)
            proof = consistency_proof(old, checkpoint.size, tree.node)
            try:
                answer = self._port.add_checkpoint(old, proof, note.to_bytes())
            except WitnessConflict as conflict:
                if conflict.size > checkpoint.size or conflict.size == old:
                    raise
                self._size = conflict.size
            else:
                return self._verified(answer, note)
        raise Unavailable(f"{self.name} names another size at each request")

    def _verified(self, answer: bytes, note: Note) -> NoteSignature:
        try:
            lines = parse_signature_lines(answer.decode("utf-8"), path=self.name)
        except UnicodeDecodeError:
            raise InvalidInput("the answer is not UTF-8", path=self.name) from None
        for line in lines:
            if self._key.made(line):
                self._key.verify(note.text, line)
                return line
        raise InvalidInput("the answer holds no cosignature of this witness's key", path=self.name)


def _is_contradiction(error: WitnessConflict | WitnessRefused) -> bool:
    """A conflict that outlived the retries names a larger tree or another root; 422 another prefix."""
    return isinstance(error, WitnessConflict) or error.status == _UNPROCESSABLE


def _key_of(policy: Policy, name: str) -> VerifierKey:
    for witness in policy.witnesses:
        if witness.name == name:
            return witness.key
    raise InvalidInput(f"the policy names no witness {name!r}", path="witnesses")
