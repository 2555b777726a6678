"""The scene of the chips' drill: who plays, what they hold, and the hand-ins that go through the real register.

Every document is endorsed and captured as a firm's would be. What stands behind each label is kept here, beside the
register: the register never sees it, just as it sees no silicon elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from sekisho.adapters.keys import load_or_create_key
from sekisho.app import Home
from sekisho.catalogue import Language, say
from sekisho.model.custody import Standing
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, sha256_hex
from sekisho.ports.register_store import AlertRow, CaptureRow
from sekisho.registry.terms import Place, RegisterTerms
from sekisho.rehearsal.chip_devices import Accelerator, Device
from sekisho.rehearsal.chip_documents import Json, document_of
from sekisho.rehearsal.chip_regime import Calendar, ChipRegime
from sekisho.signing import Ed25519Signer
from sekisho.signing.endorsing import endorse

__all__ = [
    "CHIPS",
    "CLOUD",
    "DISTRIBUTOR",
    "DOCK",
    "ELSEWHERE",
    "FAB",
    "HALL",
    "INSPECTOR",
    "MAKER",
    "SERVERS",
    "ChipScene",
    "NotAsAnnounced",
]

DAY_S: Final = 86_400
MAKER, DISTRIBUTOR, CLOUD = "drill-maker", "drill-distributor", "drill-cloud"
PARTIES: Final = (MAKER, DISTRIBUTOR, CLOUD)
INSPECTOR: Final = "inspector"
"""The charter's second verifier: its key alone makes the power `inspect`."""
FAB, DOCK, HALL, ELSEWHERE = "drill-fab", "drill-dock", "drill-hall", "drill-warehouse"
_PLACES: Final = {FAB: ("JP", MAKER), DOCK: ("JP", DISTRIBUTOR), HALL: ("JP", CLOUD)}
TERMS: Final = RegisterTerms(
    places=(
        *(
            Place(place=place, country=country, keeper=keeper)
            for place, (country, keeper) in _PLACES.items()
        ),
        # XA stands for no country: ISO 3166 leaves it to its users.
        Place(place=ELSEWHERE, country="XA"),
    )
)
_EACH: Final = 8
SERVERS: Final = tuple(f"https://drill.invalid/id/server/DRILL-SRV-{n}" for n in (1, 2))
CHIPS: Final = tuple(f"https://drill.invalid/id/gpu/DRILL-GPU-{n:02}" for n in range(1, 17))


class NotAsAnnounced(StateConflict):
    """The rehearsal did not go as it should: something passed that must not, or the other way round."""

    code = "not-as-announced"


class ChipScene:
    """One rehearsal in one home. `start` is where its calendar begins, in the past, so that the home can be served.

    Use `open` first and `close` at the end, whatever happened in between.
    """

    def __init__(
        self, home: Home, start: Instant, language: Language, tell: Callable[[str], None]
    ) -> None:
        self.home = home
        self.start = start
        self.language = language
        self.calendar = Calendar(start)
        self.behind: dict[str, dict[str, Device]] = {HALL: {}, ELSEWHERE: {}}
        """What stands behind each label, by place."""
        self._tell = tell
        self._stack = ExitStack()
        self._regime: ChipRegime | None = None

    def open(self) -> None:
        """Found the regime and open its register, whose terms name the four places."""
        # Crash here and anywhere later: the rehearsal is begun anew, in another folder.
        self.home.register_terms.write_bytes(canonical(TERMS) + b"\n")
        self._regime = self._stack.enter_context(ChipRegime(self.home, self.calendar))

    def close(self) -> None:
        """Finish and close every file; the home stays."""
        self._regime = None
        self._stack.close()

    @property
    def regime(self) -> ChipRegime:
        if self._regime is None:
            raise NotAsAnnounced("no regime is founded yet")
        return self._regime

    @property
    def now(self) -> Instant:
        return self.calendar.now()

    @property
    def server_of(self) -> Mapping[str, tuple[str, ...]]:
        """The chips of each server, as they were built in."""
        return {s: CHIPS[n * _EACH : (n + 1) * _EACH] for n, s in enumerate(SERVERS)}

    @property
    def components(self) -> tuple[str, ...]:
        return (*SERVERS, *CHIPS)

    def new_accelerators(self) -> dict[str, Accelerator]:
        """A chip with a key of its own for each label, as the maker makes them."""
        made = {chip: Accelerator() for chip in CHIPS}
        self.behind[HALL].update(made)
        return made

    # --- time and words ------------------------------------------------------------------------

    def day(self, days: float) -> Instant:
        """An instant of the rehearsal's calendar."""
        return self.start.plus(round(days * DAY_S))

    def reach(self, days: float) -> Instant:
        """Let the calendar move on to a day."""
        self.calendar.move_to(self.day(days))
        return self.now

    def say(self, what: str, /, **values: object) -> None:
        """A line of the narration."""
        self._tell(say(f"chip.drill.{what}", self.language, **values))

    def word(self, key: str) -> str:
        return say(key, self.language)

    def expect(self, found: object, announced: object, what: str) -> None:
        """Raise NotAsAnnounced where something is not what this step was to show."""
        if found != announced:
            raise NotAsAnnounced(f"{what}: announced was {announced}, found was {found}")

    # --- hand-ins ------------------------------------------------------------------------------

    def key(self, name: str) -> Ed25519Signer:
        """A party's own key in the home, drawn at the first call; the inspector's is the charter's."""
        if name == INSPECTOR:
            return self.regime.cast.observer
        return load_or_create_key(self.home.signers / f"{name}.pem")

    def capture(self, events: Sequence[Json], *names: str) -> CaptureRow:
        """Hand in a document of these events, endorsed under these names; unsigned without any.

        Raises NotAsAnnounced where the register could not read every event.
        """
        document = document_of(events, self.now)
        keys = [self.key(name) for name in names]
        origin = self.regime.desk.origin
        envelope = endorse(sha256_hex(document), origin, keys).raw if keys else None
        row = self.regime.register.capture(document, envelope)
        if row.problems:
            raise NotAsAnnounced(f"a document is not sound: {row.problems.decode()[:500]}")
        return row

    def taken(self, events: Sequence[Json], *names: str) -> CaptureRow:
        """As `capture`, and all of it takes effect, or the step is not as announced."""
        row = self.capture(events, *names)
        self.expect((row.taken, row.waiting, row.refused), (len(events), 0, 0), "took effect")
        return row

    def settle(self) -> None:
        """Into the log and witnessed, before the calendar moves on."""
        self.regime.settle()

    # --- what the register says ----------------------------------------------------------------

    def standing(self, epc: str) -> Standing:
        found = self.regime.register.store.load_standings((epc,)).get(epc)
        if found is None:
            raise NotAsAnnounced(f"{epc} is not registered")
        return found

    def custodians(self) -> set[str]:
        """Who answers for the chips, all together."""
        found = self.regime.register.store.load_standings(CHIPS)
        return {standing.custodian for standing in found.values()}

    def alerts(self, codes: Iterable[str], *, after: int = 0) -> tuple[AlertRow, ...]:
        """The alerts of these codes that were stored behind a place."""
        wanted = frozenset(codes)
        rows = self.regime.register.store.load_alerts(after=after, limit=1_000)
        return tuple(row for row in rows if row.code in wanted)

    def newest_alert(self) -> int:
        """The place of the newest alert; 0 where there is none."""
        rows = self.regime.register.store.load_alerts(after=0, limit=1, newest=True)
        return rows[0].place if rows else 0
