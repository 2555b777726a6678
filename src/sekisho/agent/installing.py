"""A new release on a host: fetched, judged, unpacked, made current. The agent at work is neither asked nor touched.

A composition root of its own, in a process of its own: 1 learn again what the agent's home keeps of the regime, and
what the control plane has besides; 2 fetch what the repository offers; 3 decide (`updating`); 4 download within bounds;
5 unpack; 6 write it down; 7 move `current`; 8 take away what is old and run by nobody. A power cut leaves the release
before whole and current at every step before 7. Licensed work goes on throughout: its watchdog keeps it, and a new
agent takes it over when it is started.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage.release_shelf import ReleaseShelf
from sekisho.adapters.transport.control_ring import open_controls
from sekisho.agent.host import AgentSettings
from sekisho.agent.memory import FOLLOWED, STATE, parse_followed
from sekisho.agent.updating import Judgement, Known, decide_update
from sekisho.following import Followed, Follower
from sekisho.licensing.spending import parse_state
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.wire import JsonValue, from_json, parse_json
from sekisho.ports.clock import HostClock
from sekisho.ports.control import OrderFeed
from sekisho.ports.releases import Heard, Offer, Placed, ReleaseSource, Shelf
from sekisho.signing import parse_policy

if TYPE_CHECKING:
    from tuf.ngclient.fetcher import FetcherInterface

__all__ = ["Installed", "Update", "open_repository", "open_update"]

MAX_DOCUMENT = 1 << 20
MAX_ROOT = 256 * 1024
MAX_FOLLOWED = 256 * 1024 * 1024
MAX_LINE = 256 * 1024
ROOT, SEEN = "release-root.json", "release-roles"


def _unheard(_done: int, _total: int) -> None:
    """Nobody looks."""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A release that is current now, where it lies, the one that was current before (0: none), and what went."""

    placed: Placed
    folder: str
    before: int
    pruned: tuple[int, ...] = ()


class Update:
    """One update of one host: looked at first, carried out afterwards if anybody says so."""

    def __init__(
        self,
        follower: Follower,
        source: ReleaseSource,
        shelf: ReleaseShelf,
        latest: Instant,
        *,
        heard: bool,
    ) -> None:
        self._source = source
        self._shelf = shelf
        self.heard = heard
        self.known = Known(
            book=follower.releases,
            doubted=frozenset(doubt.digest for doubt in follower.regime.doubts),
            shelf=shelf.load(),
            latest=latest,
        )

    @property
    def shelf(self) -> Shelf:
        return self.known.shelf

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shelf.close()

    def judge(self, *, back: bool = False) -> Judgement:
        """What the repository offers now, and whether this host takes it. Raises what the source raises."""
        return decide_update(self._source.fetch(), self.known, back=back)

    def carry_out(self, judgement: Judgement, heard: Heard = _unheard) -> Installed | None:
        """Do what was judged; None where nothing is to be done. Raises what stopped it: the old one is current then.

        `heard` is told the bytes that came and those to come.
        """
        offer = judgement.offer
        if judgement.verdict != "holds" or judgement.act == "none" or offer is None:
            return None
        placed = Placed(
            sequence=offer.sequence,
            version=offer.version,
            sha256=offer.sha256,
            statement=offer.statement,
        )
        if judgement.act == "install":
            self._install(placed, offer, heard)
        self._shelf.switch(offer.sequence)
        return Installed(
            placed=placed,
            folder=str(self._shelf.path_of(offer.sequence)),
            before=self.shelf.current,
            pruned=self._shelf.prune(),
        )

    def _install(self, placed: Placed, offer: Offer, heard: Heard) -> None:
        with self._shelf.incoming() as file:
            # Crash here: a file under a name that means nothing, gone with the next update.
            self._source.download(offer, file, heard)
            self._shelf.place(placed, file)


def open_update(
    home: Path,
    source: ReleaseSource,
    *,
    into: Path | None = None,
    control: OrderFeed | None = None,
    clock: HostClock | None = None,
) -> Update:
    """What a host knows beside `source`, ready to judge. `into` is where releases lie, else the home.

    Raises InvalidInput for a home without agent.json or trust.json, StateConflict while another update is at work.
    """
    settings = from_json(AgentSettings, _parse(home / "agent.json"), path=str(home / "agent.json"))
    trust = home / "trust.json"
    follower = Follower(settings.host, parse_policy(_read(trust, MAX_DOCUMENT), path=str(trust)))
    clock = clock or SystemClock()
    follower.elapsed_s = clock.elapsed_s()
    follower.boot = clock.boot_id()
    for followed in _kept(home):
        follower.take_again(followed)
    heard = _hear(follower, settings, control, clock.elapsed_s())
    latest = _latest(home, follower, clock)
    return Update(follower, source, ReleaseShelf(into or home), latest, heard=heard)


def open_repository(
    home: Path,
    place: str,
    *,
    into: Path | None = None,
    root: Path | None = None,
    fetcher: FetcherInterface | None = None,
) -> ReleaseSource:
    """The repository at an address or in a folder, under the root of trust that was handed over with the host.

    Raises InvalidInput, also where the extra `releases` is not installed.
    """
    try:
        from sekisho.adapters.transport.releases import TufRepository  # noqa: PLC0415  # an extra of its own
    except ImportError as error:
        raise InvalidInput(
            f"the package {error.name} is not installed",
            path="--repository",
            remedy="pip install 'sekisho[releases]'",
        ) from None
    file = root or home / ROOT
    return TufRepository(place, (into or home) / SEEN, _read(file, MAX_ROOT), fetcher=fetcher)


def _kept(home: Path) -> Iterator[Followed]:
    """What the agent accepted, read without a hand on it: the agent may be writing its next line."""
    path = home / FOLLOWED
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for line in iter(lambda: file.readline(MAX_LINE), b""):
            if file.tell() > MAX_FOLLOWED:
                raise InvalidInput(f"longer than {MAX_FOLLOWED} bytes", path=str(path))
            try:
                yield parse_followed(line.removesuffix(b"\n"))
            except InvalidInput:
                continue  # torn: the feed has it, too


def _hear(
    follower: Follower, settings: AgentSettings, control: OrderFeed | None, elapsed_s: float
) -> bool:
    """What the control plane has besides, verified like everything; whether it answered."""
    client = open_controls(settings.control) if control is None else None
    asked: OrderFeed = client if client is not None else control  # type: ignore[assignment]  # one of the two is there
    try:
        follower.take(asked.fetch_feed(settings.host, 0, 0), elapsed_s)
    except (Unavailable, InvalidInput):
        return False
    finally:
        if client is not None:
            client.close()
    return True


def _latest(home: Path, follower: Follower, clock: HostClock) -> Instant:
    """The latest that it can be: what the agent wrote down of the time counts here, too."""
    elapsed_s = clock.elapsed_s()
    with contextlib.suppress(SekishoError):
        state = parse_state(_read(home / STATE, MAX_DOCUMENT), path=STATE)
        follower.clocks = follower.clocks.remembering(state.known, elapsed_s)
    return follower.clocks.latest(elapsed_s, clock.now())


def _parse(path: Path) -> JsonValue:
    return parse_json(_read(path, MAX_DOCUMENT), path=str(path))


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    if len(data) > most:
        raise InvalidInput(f"longer than {most} bytes", path=str(path))
    return data
