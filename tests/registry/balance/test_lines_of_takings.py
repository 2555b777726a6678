"""The ledger over the real custody rules: whatever the events, it says what `position_at` says."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sekisho.model.instants import Instant
from sekisho.ports.register_store import LineRow
from sekisho.registry.balance import held_at, lines_of, paths_asked
from sekisho.registry.custody import Captured, MemoryBook, Taking, path_of, position_at, take
from sekisho.registry.epcis.event import ErrorDeclaration, Event, Typed
from sekisho.registry.terms import OWN_NAMESPACE
from tests.registry.balance.worlds import AREAS, TERMS, at

PARTIES = frozenset({"maker", "cloud", "lab"})
EPCS = ("urn:chip:1", "urn:chip:2", "urn:box:1")
ACTS = {
    "make": ("commissioning", "active", "ADD"),
    "ship": ("shipping", "in_transit", "OBSERVE"),
    "receive": ("receiving", "in_progress", "OBSERVE"),
    "place": ("storing", "", "OBSERVE"),
    "activate": ("", "active", "OBSERVE"),
    "see": ("inspecting", "conformant", "OBSERVE"),
    "steal": ("", "stolen", "OBSERVE"),
    "recover": ("", OWN_NAMESPACE + "act/recovered", "OBSERVE"),
    "lose": ("", OWN_NAMESPACE + "act/lost", "OBSERVE"),
    "find": ("", OWN_NAMESPACE + "act/found", "OBSERVE"),
    "export": ("", OWN_NAMESPACE + "act/exported", "OBSERVE"),
    "destroy": ("destroying", "destroyed", "OBSERVE"),
}
AREAS_NAMED = ("fab", "osaka", "tokyo", "cold", "berlin")
PLACES = ("fab", "hall-1", "hall-2", "tokyo", "cold", "berlin")


class Register:
    """Events taken one after the other, as a capture does it; lines and histories with their place in knowing."""

    def __init__(self) -> None:
        self.book = MemoryBook()
        self.seen: dict[int, Captured] = {}
        self.lines: list[tuple[int, LineRow]] = []
        self.histories: dict[str, list[tuple[Captured, Instant | None]]] = {}
        self.known = 0
        self.outcomes: Counter[str] = Counter()

    def capture(self, event: Event, hash_id: str) -> None:
        number = len(self.seen) + 1
        captured = Captured(
            number=number,
            event=event,
            hash_id=hash_id,
            key=number.to_bytes(32, "big"),
            parties=PARTIES,
            powers=frozenset({"adjudicate"}),
            received=at(100),
        )
        self.seen[number] = captured
        for taking in take(self.book, captured, TERMS):
            self._settle(self.seen[taking.number], taking)

    def _settle(self, captured: Captured, taking: Taking) -> None:
        self.outcomes[taking.outcome] += 1
        standing = self.book.standing
        named = {*taking.standings, *taking.gone, *(touch.epc for touch in taking.touches)}
        before = {epc: standing(epc) for epc in named}
        asked = paths_asked(captured, taking, before.__getitem__)
        was = {epc: path_of(epc, self.book.history(epc), TERMS) for epc in asked}
        self.book.apply(taking, captured)
        paths = {e: (was[e], path_of(e, self.book.history(e), TERMS)) for e in asked}
        if taking.outcome != "taken":
            return
        self.known += 1
        for line in lines_of(captured, taking, before.__getitem__, AREAS, paths):
            self.lines.append((self.known, line))
        for epc in named:
            self.histories.setdefault(epc, []).append((captured, at(self.known)))

    def check(self) -> None:
        """For every area, a choice of instants and every step of knowing: lines held = components positioned."""
        for as_of in range(self.known + 1):
            lines = [line for known, line in self.lines if known <= as_of]
            for hours in (2, 5, 9, 12):
                where: dict[str, set[str]] = {}
                for epc, history in self.histories.items():
                    stands = position_at(epc, history, TERMS, at=at(hours), as_of=at(as_of))
                    where.setdefault(AREAS.at(stands), set()).add(epc)
                for area in AREAS_NAMED:
                    ledger = [line for line in lines if line.area == area]
                    held, impossible = held_at(ledger, at(hours).plus(0.000001))
                    assert (held, impossible) == (frozenset(where.get(area, set())), ())


def event_of(act: str, epcs: tuple[str, ...], hours: int, place: str, to: str) -> Event:
    step, disposition, action = ACTS[act]
    sends = act == "ship"
    goals = {"berlin": "lab", "fab": "maker"}
    consignee = Typed("possessing_party", f"urn:sekisho:party:{goals.get(to, 'cloud')}")
    return Event(
        type="ObjectEvent",
        at=at(hours),
        zone="+00:00",
        action=action,  # type: ignore[arg-type]  # words of the table above
        epcs=epcs,
        biz_step=step,
        disposition=disposition,
        biz_location=f"urn:sekisho:place:{place}",
        sources=(),
        destinations=(consignee, Typed("location", f"urn:sekisho:place:{to}")) if sends else (),
        ilmd=_made_of(epcs) if act == "make" else {},
        raw={},
    )


def _made_of(epcs: tuple[str, ...]) -> dict[str, object]:
    own = f"{{{OWN_NAMESPACE}}}"
    return {own + "model": "H100 SXM", own + "maker": "maker", own + "component": "package"}


tellings = st.lists(
    st.tuples(
        st.sampled_from([*ACTS, "make", "ship", "ship", "receive", "receive", "receive", "place"]),
        st.sets(st.sampled_from(EPCS[:2]), min_size=1).map(lambda found: tuple(sorted(found))),
        st.integers(0, 12),
        st.sampled_from(PLACES),
        st.sampled_from(PLACES),
        st.integers(0, 30),
    ),
    min_size=4,
    max_size=16,
)


def told(
    story: list[tuple[str, tuple[str, ...], int, str, str, int]], *, made: bool = True
) -> Register:
    """A register to which a story was told; a last number below the count of events before declares one an error."""
    register = Register()
    if made:
        for epc in EPCS[:2]:
            register.capture(event_of("make", (epc,), 0, "hall-1", ""), f"hash of {epc}")
    events: list[tuple[Event, str]] = []
    for act, epcs, hours, place, to, voids in story:
        if voids < len(events):
            event, hash_id = events[voids]
            wrong = ErrorDeclaration(at=at(50), reason="did_not_occur")
            register.capture(replace(event, error=wrong), hash_id)
            continue
        event = event_of(act, epcs, hours, place, to)
        events.append((event, f"hash {len(events)}"))
        register.capture(*events[-1])
    return register


@settings(max_examples=250, deadline=None)
@given(tellings, st.booleans())
def test_an_item_balance_is_exact_for_every_at_and_as_of(
    story: list[tuple[str, tuple[str, ...], int, str, str, int]], made: bool
) -> None:
    """Invariant 6 under late, early, refused and voided events of every kind."""
    told(story, made=made).check()


def test_the_stories_do_take_effect() -> None:
    """A plain history is taken, moves chips between areas, and loses its line when it is voided."""
    register = told(
        [
            ("ship", EPCS[:2], 1, "hall-1", "berlin", 30),
            ("receive", EPCS[:1], 3, "berlin", "", 30),
            ("place", EPCS[:1], 2, "fab", "", 30),
            ("receive", EPCS[:1], 3, "berlin", "", 1),
        ]
    )
    register.check()
    codes = [(line.area, line.code, line.reverses) for _, line in register.lines]
    assert ("berlin", "RF", False) in codes
    assert ("osaka", "SF", False) in codes
    assert register.outcomes["taken"] >= 4
    assert ("berlin", "RF", True) in codes
