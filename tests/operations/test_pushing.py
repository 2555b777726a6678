"""Who may push telemetry: tokens by their digest, for one site, until they are over."""

from __future__ import annotations

from hashlib import sha256

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.operations.pushing import (
    KNOWN_FOR_S,
    Pusher,
    Pushers,
    PushPlan,
    make_push_token,
    revoke_push_token,
)
from sekisho.operations.register.fleet import Fleet, TokenRefused, UnknownToken
from sekisho.ports.push_token_store import PushToken
from tests.fakes import FakeClock


class Memory:
    """Tokens in memory, and how often somebody looked."""

    def __init__(self) -> None:
        self.tokens: dict[str, PushToken] = {}
        self.looks = 0

    def save_push_token(self, token: PushToken) -> None:
        self.tokens[token.digest] = token

    def load_push_tokens(self) -> tuple[PushToken, ...]:
        self.looks += 1
        return tuple(self.tokens.values())

    def revoke_push_token(self, digest: str) -> None:
        old = self.tokens[digest]
        self.tokens[digest] = PushToken(
            digest=digest, site=old.site, made=old.made, expires=old.expires, revoked=True
        )


class NoFleet(Fleet):
    """Nobody enrolled."""

    def __init__(self) -> None:
        """Without a store."""

    def identify(self, assertion: str) -> tuple[str, str]:
        raise UnknownToken("no such enrolment")


@pytest.fixture
def store() -> Memory:
    return Memory()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pushers(store: Memory, clock: FakeClock) -> Pushers:
    return Pushers(store, NoFleet(), clock)


def make(store: Memory, now: Instant, number: int = 1, **plan: int) -> str:
    return make_push_token(
        store, PushPlan(site="osaka-1", **plan), now=now, secret=bytes([number]) * 32
    )[0]


def test_a_token_is_known_by_its_digest_alone(
    store: Memory, pushers: Pushers, clock: FakeClock
) -> None:
    """Its text is nowhere in what is kept."""
    text = make(store, clock.now())
    assert pushers.identify(text) == Pusher(site="osaka-1")
    [kept] = store.tokens.values()
    assert kept.digest == sha256(text.encode()).hexdigest()
    assert text[4:] not in repr(kept)


def test_tokens_are_read_once_a_second_and_recalled_meanwhile(
    store: Memory, pushers: Pushers, clock: FakeClock
) -> None:
    """Recalling never looks; after a second, or for a token that is none, it says nothing."""
    text = make(store, clock.now())
    assert pushers.recall(text) is None
    pushers.identify(text)
    assert pushers.recall(text) == Pusher(site="osaka-1")
    for wrong in ("skm_" + "0" * 64, "skm_", "a.b.c"):
        assert pushers.recall(wrong) is None
    assert store.looks == 1
    clock.advance(KNOWN_FOR_S)
    assert pushers.recall(text) is None
    pushers.identify(text)
    assert store.looks == 2


def test_a_token_ends(store: Memory, pushers: Pushers, clock: FakeClock) -> None:
    """At its last instant, or when it is revoked, a second later at most; neither is recalled."""
    short, long = make(store, clock.now(), 1, lasts_s=60), make(store, clock.now(), 2)
    revoke_push_token(store, sha256(long.encode()).hexdigest()[:8])
    with pytest.raises(TokenRefused):
        pushers.identify(long)
    assert pushers.recall(long) is None
    assert pushers.identify(short).site == "osaka-1"
    clock.advance(60)
    with pytest.raises(TokenRefused):
        pushers.identify(short)


def test_what_is_no_push_token_is_an_agents_affair(pushers: Pushers) -> None:
    """And one that nobody made is unknown."""
    with pytest.raises(UnknownToken, match="enrolment"):
        pushers.identify("skf_" + "0" * 64)
    with pytest.raises(UnknownToken, match="push token"):
        pushers.identify("skm_" + "0" * 64)


def test_what_is_neither_is_told_what_a_push_token_looks_like(
    store: Memory, clock: FakeClock
) -> None:
    """An operator who pasted half a token is not told to enrol an agent alone."""

    class Agents(NoFleet):
        def identify(self, assertion: str) -> tuple[str, str]:
            raise InvalidInput("is no assertion", path="token", remedy="enrol again")

    pushers = Pushers(store, Agents(), clock)
    with pytest.raises(UnknownToken, match="skm_"):
        pushers.identify("x")


@pytest.mark.parametrize("site", ["", "a b", "a/b", "../x", "a..b", "-a", "x" * 65])
def test_a_site_that_no_folder_can_bear_is_refused(store: Memory, site: str) -> None:
    """Else every body under its token would be refused, and dropped by its sender."""
    with pytest.raises(InvalidInput, match="site"):
        make_push_token(store, PushPlan(site=site), now=Instant(0), secret=bytes(32))
    assert store.tokens == {}
