"""A desk with a register of chips beside it, as the control plane wires them: enrolled parties, documents, a bundle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from sekisho.adapters.storage.content_folder import ContentFolder
from sekisho.adapters.storage.register_sql import open_register
from sekisho.auditor import Report, Trust, audit_bundle
from sekisho.auditor.bundle import as_bundle
from sekisho.model.statements import PartyEnrolled
from sekisho.model.wire import sha256_hex
from sekisho.operations.bundle import collect_bundle
from sekisho.operations.register.committing import Committer
from sekisho.operations.register.exporting import collect_register
from sekisho.operations.register.register import Register
from sekisho.ports.register_store import CaptureRow
from sekisho.registry.terms import RegisterTerms
from sekisho.signing.endorsing import Voices, endorse
from sekisho.signing.keys import Signer
from sekisho.signing.tag import TagKey
from tests import factory as f
from tests.desks import MovingClock, TestDesk

__all__ = ["ADJUDICATORS", "TAG_KEY", "RegisterDesk", "wait_for"]

TAG_KEY = TagKey(bytes(range(32)))
ADJUDICATORS = f.AUTHORITY[:3]


class RegisterDesk:
    """One operator with a desk, a register and its committer, in a folder. `parties` are enrolled at the start."""

    def __init__(
        self,
        folder: Path,
        parties: Iterable[str] = (),
        *,
        terms: RegisterTerms | None = None,
        clock: MovingClock | None = None,
        holders: int = 0,
    ) -> None:
        self.folder = folder
        self.clock = clock or MovingClock()
        self.terms = terms or RegisterTerms()
        self._parties = tuple(parties)
        self._holders = holders
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        stack = self._stack
        self.test_desk = TestDesk(self.folder, self.clock, holders=self._holders)
        self.desk = self.test_desk.desk
        self.store = stack.enter_context(open_register(self.folder / "register.sqlite"))
        self.contents = ContentFolder(self.folder / "custody")
        self.committer = Committer(self.desk, self.store, TAG_KEY, contents=self.contents)
        stack.enter_context(self.test_desk)
        for party in self._parties:
            self.enrol(party)
        self.register = Register(
            store=self.store,
            terms=self.terms,
            voices=Voices(f.ORIGIN, lambda: self.desk.state.regime),
            clock=self.clock,
            committer=self.committer,
            scratch=lambda: open_register(self.folder / "scratch.sqlite"),
        )
        self.register.start()
        stack.callback(self.committer.stop)
        stack.callback(self.register.stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def enrol(self, party: str) -> None:
        if party not in self.desk.state.regime.parties:
            fact = PartyEnrolled(
                effective=self.clock.now(),
                party=party,
                public=f.signer(party).public.to_text(),
                organisation=f"Organisation of {party}",
                country="JP",
            )
            self.desk.admit(f.signed(fact, f.AUTHORITY[0]).raw)

    def capture(self, document: bytes, *signers: Signer) -> CaptureRow:
        """Hand a document in, endorsed by these keys; unsigned without any."""
        envelope = endorse(sha256_hex(document), f.ORIGIN, signers).raw if signers else None
        return self.register.capture(document, envelope)

    def settle(self) -> None:
        """Wait until all that was captured is in the log."""
        self.committer.complete()
        assert self.store.load_batches(unlogged=True) == ()

    def mark(self) -> None:
        """Have the log witnessed and marked, so that what it holds is known from now on."""
        self.witness()
        self.desk.mark_time()
        self.committer.complete()

    def witness(self) -> None:
        """Have the head cosigned; the next mark quotes it."""
        self.test_desk.sequencer.take_cosigned(self.test_desk.cosigned().note.to_bytes())

    def files(self, *, register: bool = True) -> dict[str, bytes]:
        """The files of a bundle of all so far, manifest left out."""
        self.settle()
        self.mark()
        cosigned = self.test_desk.cosigned()
        size = cosigned.checkpoint.size
        found = collect_register(self.store, self.terms, size=size) if register else {}
        return collect_bundle(
            cosigned=cosigned,
            tiles=self.test_desk.tiles,
            recorded=self.desk.recorded(),
            private=self.test_desk.private,
            packs={},
            register=found,
        )

    def audit(self, files: Mapping[str, bytes]) -> Report:
        """What an outsider says of a bundle of these files."""
        return audit_bundle(as_bundle(dict(files)), Trust(policy=self.test_desk.root))


def wait_for(is_done: Callable[[], bool], seconds: float = 10.0) -> None:
    """Until another thread has done it."""
    ends = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < ends, "it was not done in time"
        time.sleep(0.005)
