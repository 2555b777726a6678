from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.ledger.evidence import ForkEvidence, find_fork, judge_evidence
from sekisho.ledger.monitor import (
    MAX_OPEN,
    Comparison,
    Finding,
    FindingKind,
    Followed,
    Sighting,
    find_clash,
    judge_round,
    judge_sighting,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.signing.notes import Note
from tests.ledger.forks import entries_of, root_of, tree_of
from tests.ledger.logs import LOG, W1, W2, signed

AT = Instant.from_seconds(1_800_000_000)
ROOTS: dict[tuple[int, int | None], bytes] = {}


def note_of(size: int, fork_at: int | None = None) -> Note:
    """A branch's signed checkpoint."""
    if (size, fork_at) not in ROOTS:
        ROOTS[size, fork_at] = root_of(entries_of(size, fork_at=fork_at))
    return signed(size, ROOTS[size, fork_at])


def seen(size: int, fork_at: int | None = None, *, source: str = "a", after_s: int = 0) -> Sighting:
    """A sighting of a branch."""
    return Sighting(source=source, note=note_of(size, fork_at), at=AT.plus(after_s))


def truth(state: Followed, sighting: Sighting, fork_at: int | None) -> Comparison:
    """What somebody with every tile would say: the newest is always of the honest branch here."""
    clash = find_clash(state, sighting)
    if clash is not None:
        return Comparison(relation="forked", evidence=clash)
    if state.newest is None:
        return Comparison(relation="first")
    size, newest = sighting.checkpoint.size, state.size
    larger = entries_of(max(size, newest), fork_at=fork_at if size > newest else None)
    fork = find_fork(state.newest, sighting.note, tree_of(larger))
    if fork is not None:
        return Comparison(relation="forked", evidence=fork)
    return Comparison(relation="same" if size == newest else "grown" if size > newest else "older")


def test_first_checkpoint_is_followed() -> None:
    """The first one seen is the newest, since then."""
    state, findings = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    assert (state.size, state.newest_at, findings) == (5, AT, ())


def test_growth_is_followed_and_says_when() -> None:
    """What extends the newest becomes the newest."""
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    state, findings = judge_sighting(state, seen(9, after_s=60), Comparison(relation="grown"))
    assert (state.size, state.newest_at, findings) == (9, AT.plus(60), ())


def test_smaller_checkpoint_of_another_source_is_a_laggard_and_no_finding() -> None:
    """A mirror that is behind is behind, and nothing more."""
    state, _ = judge_sighting(Followed(), seen(9), Comparison(relation="first"))
    state, findings = judge_sighting(state, seen(5, source="b"), Comparison(relation="older"))
    assert (state.size, findings) == (9, ())


def test_source_that_goes_back_is_found() -> None:
    """A size that goes down at one source is a finding, though the smaller tree is a prefix."""
    state, _ = judge_sighting(Followed(), seen(9), Comparison(relation="first"))
    _, findings = judge_sighting(state, seen(5), Comparison(relation="older"))
    assert [(f.kind, f.source, f.detail) for f in findings] == [("shrank", "a", "9 -> 5")]


def test_fork_is_told_once_and_never_forgotten() -> None:
    """The same two notes again tell nothing new; the state names the evidence for ever."""
    evidence = ForkEvidence.of(note_of(5), note_of(5, 2))
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    forked = Comparison(relation="forked", evidence=evidence)
    state, findings = judge_sighting(state, seen(5, 2, source="b"), forked)
    assert [f.kind for f in findings] == ["fork"]
    again, none = judge_sighting(state, seen(5, 2, source="b"), forked)
    assert (again.forks, none) == ((evidence.file_name,), ())
    assert again.size == 5


def test_fork_does_not_move_the_branch_that_is_followed() -> None:
    """A larger forked tree is not the newest; the first branch stays."""
    evidence = find_fork(note_of(5), note_of(9, 2), tree_of(entries_of(9, fork_at=2)))
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    state, _ = judge_sighting(state, seen(9, 2), Comparison(relation="forked", evidence=evidence))
    assert state.newest == note_of(5)


def test_sighting_without_tiles_stays_open_until_it_is_compared() -> None:
    """What nobody can compare is kept, once, and settled by the first comparison that succeeds."""
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    for _ in range(2):
        state, findings = judge_sighting(state, seen(9), Comparison(relation="open"))
    assert ([s.checkpoint.size for s in state.open], findings) == ([9], ())
    state, _ = judge_sighting(state, seen(9), Comparison(relation="grown"))
    assert (state.open, state.size) == ((), 9)


def test_open_sightings_are_bounded() -> None:
    """A log that signs sizes without end, and shows tiles of none, does not fill the state."""
    state = Followed(newest=note_of(1), newest_at=AT)
    one = seen(2)
    full = msgspec.structs.replace(state, open=(seen(3),) * MAX_OPEN)
    after, _ = judge_sighting(full, one, Comparison(relation="open"))
    assert len(after.open) == MAX_OPEN


def test_two_roots_of_one_size_clash_even_without_tiles() -> None:
    """Two bare notes suffice where the sizes are equal, whether newest or open."""
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="open"))
    clash = find_clash(state, seen(5, 2, source="b"))
    assert clash is not None
    assert judge_evidence(clash, [LOG.verifier]).verdict == "holds"
    assert find_clash(state, seen(5, source="b")) is None
    assert find_clash(state, seen(6, 2, source="b")) is None


def test_same_tree_under_more_cosignatures_is_kept() -> None:
    """Of two notes over one tree the better signed one stays, so that evidence names its cosigners."""
    root = root_of(entries_of(5))
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    better = Sighting(source="b", note=signed(5, root, (LOG, W1, W2)), at=AT)
    state, _ = judge_sighting(state, better, Comparison(relation="same"))
    assert state.newest == better.note
    state, _ = judge_sighting(state, seen(5), Comparison(relation="same"))
    assert state.newest == better.note


def finding(kind: FindingKind, source: str = "a", after_s: int = 0) -> Finding:
    """Something wrong at a source."""
    return Finding(kind=kind, source=source, at=AT.plus(after_s))


def test_finding_is_told_when_it_begins_and_when_it_is_over() -> None:
    """In between it stands, with its beginning, and says nothing."""
    state, told = judge_round(Followed(), [finding("silent")], now=AT, stale_s=None)
    assert [(f.kind, f.over) for f in told] == [("silent", False)]
    state, told = judge_round(state, [finding("silent", after_s=60)], now=AT.plus(60), stale_s=None)
    assert told == ()
    assert state.standing == {"silent a": AT}
    state, told = judge_round(state, [], now=AT.plus(120), stale_s=None)
    assert [(f.kind, f.source, f.at, f.over) for f in told] == [("silent", "a", AT, True)]
    assert state.standing == {}


def test_one_source_may_have_several_findings_and_each_source_its_own() -> None:
    """Findings are told apart by kind and source."""
    found = [finding("silent"), finding("missing"), finding("silent", "b"), finding("silent")]
    state, told = judge_round(Followed(), found, now=AT, stale_s=None)
    assert len(told) == len(state.standing) == 3


@pytest.mark.parametrize(
    ("age_s", "stale_s", "stale"), [(61, 60, True), (60, 60, False), (999, None, False)]
)
def test_log_without_news_is_stale(age_s: int, stale_s: int | None, stale: bool) -> None:
    """Nothing newer within the limit is a finding; without a limit nothing is."""
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    _, told = judge_round(state, [], now=AT.plus(age_s), stale_s=stale_s)
    assert [f.kind for f in told] == (["stale"] if stale else [])


def test_staleness_ends_with_the_next_checkpoint() -> None:
    """What grew is not stale any more."""
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    state, _ = judge_round(state, [], now=AT.plus(100), stale_s=60)
    state, _ = judge_sighting(state, seen(6, after_s=101), Comparison(relation="grown"))
    _, told = judge_round(state, [], now=AT.plus(102), stale_s=60)
    assert [(f.kind, f.over) for f in told] == [("stale", True)]


class Shown(msgspec.Struct, frozen=True):
    """One thing that a source shows: an honest tree, or one of another story."""

    source: str
    size: int
    fork_at: int | None


SHOWN = st.builds(
    Shown,
    st.sampled_from(["log", "mirror", "friend"]),
    st.integers(0, 24),
    st.one_of(st.none(), st.none(), st.sampled_from([3, 8, 15])),
)


@settings(max_examples=120)
@given(st.lists(SHOWN, max_size=12), st.integers(0, 11))
def test_whatever_is_shown_in_whatever_order_a_fork_is_found_exactly_where_there_is_one(
    history: list[Shown], crash_at: int
) -> None:
    """Over any history, with a crash anywhere: evidence exactly for the sightings that contradict the first branch."""
    state, forked = Followed(), 0
    state, _ = judge_sighting(state, seen(1), Comparison(relation="first"))
    for step, shown in enumerate(history):
        sighting = seen(shown.size, shown.fork_at, source=shown.source, after_s=step)
        comparison = truth(state, sighting, shown.fork_at)
        newest = state.newest
        state, findings = judge_sighting(state, sighting, comparison)
        lies = shown.fork_at is not None and shown.fork_at < min(
            shown.size, Followed(newest=newest).size
        )
        forked += lies
        for found in findings:
            if found.kind == "fork":
                assert found.evidence is not None
                assert judge_evidence(found.evidence, [LOG.verifier]).verdict == "holds"
        assert (comparison.relation == "forked") == lies
        if shown.fork_at is not None and shown.fork_at < shown.size and not lies:
            return  # the liar came first: from here on the other branch is the one that is followed
        if step == crash_at:
            state = Followed.from_bytes(state.to_bytes())
    assert bool(state.forks) == bool(forked)


def test_state_goes_there_and_back() -> None:
    """Everything that a monitor remembers survives its file, sizes beyond 2^53 too."""
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    state, _ = judge_sighting(state, seen(9, source="b"), Comparison(relation="open"))
    huge = Sighting(source="c", note=signed(2**60, bytes(32)), at=AT)
    state, _ = judge_sighting(state, huge, Comparison(relation="older"))
    state, _ = judge_round(
        state.with_walked("a", 4), [finding("silent", "b")], now=AT, stale_s=None
    )
    assert Followed.from_bytes(state.to_bytes()) == state
    assert Followed.from_bytes(Followed().to_bytes()) == Followed()


@pytest.mark.parametrize(
    "change",
    [
        (b"sekisho-monitor/v1", b"sekisho-monitor/v0"),
        (b'"shown":"5"', b'"shown":"05"'),
        (b'"shown":"5"', b'"shown":5'),
        (b'"newest_at":"', b'"newest_at":"x'),
        (b"\\n5\\n", b"\\n05\\n"),
        (b'"forks":[]', b'"forks":{}'),
        (b'"open":', b'"opened":'),
    ],
)
def test_damaged_state_is_bad_input(change: tuple[bytes, bytes]) -> None:
    """A state that is not exactly one is refused, never guessed at."""
    state, _ = judge_sighting(Followed(), seen(5), Comparison(relation="first"))
    data = state.to_bytes()
    assert change[0] in data
    with pytest.raises(InvalidInput):
        Followed.from_bytes(data.replace(*change))
