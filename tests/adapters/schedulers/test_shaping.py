"""What leaves a set is slowed by the kernel, in network namespaces of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.shaping import Shaper, make_plan, plan_commands
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from tests.netns import Spaces, two_spaces

LIMIT = 2_000_000
HEADERS = 0.965  # 1448 bytes of payload in a frame of 1514
TOLERANCE = 0.12  # of the rate: half a second of a busy machine with two cores


@pytest.fixture
def spaces() -> Iterator[Spaces]:
    with two_spaces() as made:
        yield made


@pytest.fixture
def shaper(spaces: Spaces, tmp_path: Path) -> Shaper:
    return Shaper(tmp_path, spaces.here)


@pytest.mark.netns
@pytest.mark.slow
def test_a_limited_interface_sends_no_faster(spaces: Spaces, shaper: Shaper) -> None:
    """Without a list of what is inside, everything on the interface has the limit."""
    plan = make_plan("out", LIMIT)
    assert spaces.rate_to(spaces.outside, 1.0) > 10 * LIMIT

    shaper.apply(plan)

    assert spaces.rate_to(spaces.outside) == pytest.approx(LIMIT * HEADERS, rel=TOLERANCE)


@pytest.mark.netns
@pytest.mark.slow
def test_what_stays_inside_is_not_slowed(spaces: Spaces, shaper: Shaper) -> None:
    """Prefixes inside the set have the line to themselves; the rest of the same interface has the limit."""
    plan = make_plan("out", LIMIT, ["10.77.1.0/24", "fd77::/64"])

    shaper.apply(plan)

    assert spaces.rate_to(spaces.outside) == pytest.approx(LIMIT * HEADERS, rel=TOLERANCE)
    assert spaces.rate_to(spaces.inside, 1.0) > 10 * LIMIT


@pytest.mark.netns
@pytest.mark.slow
def test_removed_it_is_as_it_was(spaces: Spaces, shaper: Shaper, tmp_path: Path) -> None:
    """The queues are those of before, the full rate is back, and no record is left."""
    before = spaces.ask("tc", "qdisc", "show", "dev", "out")
    shaper.apply(make_plan("out", LIMIT, ["10.77.1.0/24"]))
    assert spaces.ask("tc", "qdisc", "show", "dev", "out") != before

    assert shaper.remove("out") is True

    assert spaces.ask("tc", "qdisc", "show", "dev", "out") == before
    assert spaces.ask("tc", "filter", "show", "dev", "out") == ""
    assert spaces.rate_to(spaces.outside, 1.0) > 10 * LIMIT
    assert not list((tmp_path / spaces.here).iterdir())
    assert shaper.remove("out") is False


@pytest.mark.netns
def test_shaping_of_others_is_never_lost(spaces: Spaces, shaper: Shaper) -> None:
    """An interface that a site shapes itself is refused, and its queue stays."""
    spaces.ask(
        "tc", *"qdisc add dev out root handle 7: tbf rate 1mbit burst 32k latency 9ms".split()
    )
    before = spaces.ask("tc", "qdisc", "show", "dev", "out")

    with pytest.raises(StateConflict, match="tbf 7:"):
        shaper.apply(make_plan("out", LIMIT))

    assert shaper.remove("out") is False
    assert spaces.ask("tc", "qdisc", "show", "dev", "out") == before


@pytest.mark.netns
@pytest.mark.parametrize(
    "change",
    [
        "qdisc del dev out root",
        "filter del dev out parent 5ec1: pref 10",
        "class change dev out classid 5ec1:2 htb rate 10gbit",
        "filter add dev out parent 5ec1: protocol ip pref 9 u32 match ip dst 0.0.0.0/0 flowid 5ec1:1",
    ],
)
def test_a_limit_that_was_changed_is_not_on(spaces: Spaces, shaper: Shaper, change: str) -> None:
    """Taken off, without its filter, faster, or led past: whoever checks sees it, and can put it on again."""
    plan = make_plan("out", LIMIT, ["10.77.1.0/24"])
    shaper.apply(plan)
    assert shaper.is_applied(plan)

    spaces.ask("tc", *change.split())

    assert not shaper.is_applied(plan)
    shaper.apply(plan)
    assert shaper.is_applied(plan)


@pytest.mark.netns
def test_a_plan_gives_way_to_the_next(spaces: Spaces, shaper: Shaper) -> None:
    """Another rate replaces the one before; removing still finds what was there at first."""
    one, other = make_plan("out", LIMIT), make_plan("out", 2 * LIMIT, ["10.77.1.0/24"])
    before = spaces.ask("tc", "qdisc", "show", "dev", "out")

    for plan in (one, other, other, one):
        shaper.apply(plan)
        assert shaper.is_applied(plan)

    shaper.remove("out")
    assert spaces.ask("tc", "qdisc", "show", "dev", "out") == before


@pytest.mark.netns
def test_a_limit_that_cannot_be_put_on_leaves_nothing(
    spaces: Spaces, shaper: Shaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interface that is not there is named; one whose last filter fails is as before."""
    with pytest.raises(Unavailable, match="gone"):
        shaper.apply(make_plan("gone", LIMIT))

    before = spaces.ask("tc", "qdisc", "show", "dev", "out")
    broken = make_plan("out", LIMIT, ["10.77.1.0/24"])
    broken = type(broken)(
        interface="out", bytes_per_s=LIMIT, inside=(*broken.inside, "10.77.2.0/24")
    )
    monkeypatch.setattr(shaper, "_tell", _failing_after(3, shaper))
    with pytest.raises(Unavailable, match="made to fail"):
        shaper.apply(broken)
    assert spaces.ask("tc", "qdisc", "show", "dev", "out") == before


def _failing_after(count: int, shaper: Shaper) -> Callable[[tuple[str, ...]], None]:
    tell, told = shaper._tell, [0]

    def fail(command: tuple[str, ...]) -> None:
        told[0] += 1
        if told[0] == count + 1:
            raise Unavailable("made to fail")
        tell(command)

    return fail


@pytest.mark.parametrize(
    ("interface", "rate", "inside"),
    [
        ("-x", LIMIT, []),
        ("a b", LIMIT, []),
        ("interface-of-too-many", LIMIT, []),
        ("out", 999, []),
        ("out", 10**13, []),
        ("out", LIMIT, ["10.0.0.1/8"]),
        ("out", LIMIT, ["flowid"]),
        ("out", LIMIT, ["10.0.0.0/8"] * 257),
    ],
)
def test_a_bad_plan_is_refused(interface: str, rate: int, inside: list[str]) -> None:
    """No word of a plan reaches `tc` before it is an interface, a rate and prefixes."""
    with pytest.raises(InvalidInput):
        make_plan(interface, rate, inside)


def test_the_limited_class_comes_before_any_way_past_it() -> None:
    """In no moment of putting it on does traffic have a class without a limit to fall into."""
    words = [
        " ".join(command) for command in plan_commands(make_plan("out", LIMIT, ["10.0.0.0/8"]))
    ]

    assert words[0].endswith("htb default 2")
    assert "classid 5ec1:2" in words[1]
    assert all("5ec1:2" not in later for later in words[2:])
