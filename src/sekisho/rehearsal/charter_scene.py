"""The scene of the charter's drill: throw-away keys marked DRILL, a paper log of a name that nobody trusts, a calendar.

Drafting, the refusals before a signature, verification and the folds are the real ones; only the log's storage and the
clock are the rehearsal's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.storage.file_tiles import FileTileStore
from sekisho.catalogue import Language, say
from sekisho.model.errors import SekishoError, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterKey,
    Predicate,
    Recovery,
    make_payload,
    parse_payload,
)
from sekisho.operations.countersigning import verify_countersign
from sekisho.operations.footing import Footing
from sekisho.operations.founding import FoundingPlan, WitnessPlan
from sekisho.operations.state import State
from sekisho.rehearsal.paper_log import PaperLog, PaperWitness
from sekisho.signing import (
    Charter,
    Ed25519Signer,
    Envelope,
    Recorded,
    TrustRoot,
    add_signature,
    sign_payload,
)
from sekisho.signing.notes import NoteSigner
from sekisho.signing.phrase import digest_phrase

__all__ = ["DAY_S", "CharterScene", "NotAsAnnounced"]

DAY_S = 86_400
MEMBERS = {"authority": 5, "verifiers": 2, "operators": 1}
RECOVERY = ("recovery-1", "recovery-2", "recovery-3")


class NotAsAnnounced(StateConflict):
    """The rehearsal did not go as it should: something was allowed that must be refused, or the other way round."""

    code = "not-as-announced"


class CharterScene:
    """One rehearsal in one folder. `now` is its own calendar, which begins today and is moved by hand."""

    def __init__(
        self, home: Path, now: Instant, language: Language, tell: Callable[[str], None]
    ) -> None:
        self.home, self.now = home, now
        self.root: TrustRoot | None = None
        self.language = language
        self._tell = tell
        # No such name can exist on the network (RFC 2606), and no log's key is made twice.
        self.origin = f"drill.invalid/{self.key('log').public.key_id[:16]}"
        witnesses = [
            PaperWitness(NoteSigner.cosigner(f"drill.invalid/{name}", self.key(name).private))
            for name in ("witness-1", "witness-2")
        ]
        self.witnesses = witnesses
        store = FileTileStore(home / "public" / "log")
        self.log = PaperLog(self.key("log"), self.origin, witnesses, store)

    @property
    def state(self) -> State:
        if self.log.state is None:
            raise NotAsAnnounced("the log is not open yet")
        return self.log.state

    def key(self, name: str) -> Ed25519Signer:
        """A throw-away key in the drill's folder, drawn at the first call."""
        return load_or_create_key(self.home / "keys" / f"DRILL-{name}.pem")

    def key_id(self, name: str) -> str:
        return self.key(name).public.key_id

    def held(self, name: str, organisation: str) -> CharterKey:
        """A charter's key, with DRILL before whatever people read."""
        return CharterKey(
            public=self.key(name).public.to_text(),
            organisation=f"DRILL {organisation}",
            holder=f"DRILL {name}",
        )

    def plan(self) -> FoundingPlan:
        """What the founders of the rehearsed regime decide."""
        members = {
            group: [self.held(f"{group}-{n}", group) for n in range(1, count + 1)]
            for group, count in MEMBERS.items()
        }
        return FoundingPlan(
            name="DRILL: a rehearsed regime, of no force",
            profile="authority",
            jurisdiction="JP",
            log_vkey=self.log.note_signer.verifier.to_text(),
            log_owner="DRILL operators",
            constituencies=members,
            witnesses=[
                WitnessPlan(vkey=w.signer.verifier.to_text(), owner=f"DRILL university {n}")
                for n, w in enumerate(self.witnesses, 1)
            ],
            recovery=Recovery(
                keys=tuple(self.held(name, "archive") for name in RECOVERY), k=2, notice_days=14
            ),
        )

    def say(self, key: str, **values: object) -> None:
        """A line of the narration."""
        self._tell(say(f"charter.drill.{key}", self.language, **values))

    def pass_time(self, seconds: float) -> None:
        """The calendar moves, and the witnesses see the log as it then stands."""
        self.now = self.now.plus(seconds)
        self.log.pass_time(self.now)

    def sign(
        self, fact: Predicate, names: Sequence[str], *, onto: Envelope | None = None
    ) -> Envelope:
        """The fact under these keys, each asked on the merits first, as on a signer's own machine."""
        statement = parse_payload(make_payload(fact))
        self.say("phrase", kind=statement.kind, phrase=digest_phrase(statement.digest))
        envelope = onto
        for name in names:
            signer = self.key(name)
            verify_countersign(self._footing(), statement, (), signer.public.key_id, now=self.now)
            own = sign_payload(statement.payload, [signer])
            envelope = own if envelope is None else add_signature(envelope, own)
        if envelope is None:
            raise NotAsAnnounced("nobody signed")
        self.say("signed", names=", ".join(names))
        return envelope

    def enter(self, envelope: Envelope) -> Recorded:
        """Into the log, witnessed; a minute passes."""
        recorded = self.log.append(envelope.raw, self.now)
        self.say("entered", index=recorded.index)
        self.pass_time(60)
        return recorded

    def done(self, fact: Predicate, *names: str) -> Recorded:
        return self.enter(self.sign(fact, names))

    def must_refuse(self, what: str, act: Callable[[], object]) -> None:
        """Try what must not be possible. Raises NotAsAnnounced where it was."""
        try:
            act()
        except SekishoError as error:
            self.say("refused", what=say(f"charter.drill.{what}", self.language), code=error.code)
            return
        raise NotAsAnnounced(f"not refused: {what}")

    def _footing(self) -> Footing:
        state = self.log.state
        charter: Charter | None = state.regime.charter if state is not None else None
        return Footing(root=self.root, charter=charter, state=state, witnessed=self.now)
