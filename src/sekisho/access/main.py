"""`sekisho access serve --home H`: wires an access point, and keeps it on duty until it is told to leave.

Leaving ends nothing: the picture stays, and servers go by it until it runs out.
"""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from sekisho.access.door import MAX_QUESTION, Asked, Door
from sekisho.access.picture import AccessDecision, AccessPicture, decide_access
from sekisho.access.point import Point, PointSettings
from sekisho.access.post import PointPost
from sekisho.access.shown import MAX_PICTURE, parse_picture, sign_picture
from sekisho.access.spool import load_counts, prune_counts
from sekisho.adapters.bounded_files import read_up_to
from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import create_private_folder, hold_folder, replace_file
from sekisho.adapters.keys import load_key
from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.adapters.transport.bounded_server import BoundedServer, Bounds
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.following import Finding, Follower
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.statements import FindingRaised, Predicate, make_payload
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.orders.asking import OrderAsked, sign_asked
from sekisho.ports.control import Feed, FeedItem
from sekisho.signing import PublicKey, TrustRoot, parse_policy, sign_payload

__all__ = ["AccessPoint", "load_settings", "load_trust", "run_point"]

MAX_DOCUMENT = 1 << 20
DRAW_SHARE = 4
"""A picture is drawn anew when a quarter of its time has passed, so that three may fail."""
SETTLED_S = 30.0
"""How long after its end a period waits for the counts of its workers."""
FETCH_EVERY_S = 2.0
FINDING_EVERY_S = 600.0
MAX_FINDINGS = 64


class AccessPoint:
    """One access point, wired. `run` keeps it on duty in the calling thread; `end` may be called from anywhere."""

    def __init__(self, home: Path) -> None:
        """Raises InvalidInput for a bad home, StateConflict where another process holds it, Unavailable."""
        settings = load_settings(home)
        create_private_folder(home)
        hold_folder(home, "access")
        self.settings = settings
        self._picture_path = home / settings.picture
        self._counts = home / settings.counts
        self._counts.mkdir(exist_ok=True, parents=True)
        self._signer = load_key(home / "host.pem")
        self._clock = SystemClock()
        files = HostFolder(home)
        self._follower = Follower(settings.host, load_trust(home))
        self.point = Point(settings, self._follower, self._clock, files)
        self._heard: queue.SimpleQueue[Feed | FeedItem | None] = queue.SimpleQueue()
        self._control = ControlClient(settings.control)
        self.post = PointPost(
            self._control, settings.host, self._heard.put, files, self._ask_sealed
        )
        self.picture: AccessPicture | None = None
        self._raw: bytes | None = None
        self._raised: dict[tuple[str, str | None], float] = {}
        self._fetch_at_s = 0.0
        self._ending = False
        door = Door(decide=self._decide, picture=lambda: self._raw)
        self.doors = _open_doors(door, home / settings.socket, settings.port)

    def run(self, on_ready: Callable[[], None]) -> None:
        """Wake, then draw whenever something happened or is due, until told to end."""
        try:
            self.point.wake(_last_sequence(self._picture_path, self._signer.public))
            self._show()
            self.post.start()
            for door in self.doors:
                threading.Thread(target=door.serve, daemon=True).start()
            on_ready()
            while not self._ending:
                self._hear(self.settings.keep_s / DRAW_SHARE)
                self._look()
        finally:
            self.post.end()
            for door in self.doors:
                door.close()
            self._control.close()

    def end(self) -> None:
        self._ending = True
        self._heard.put(None)

    def _hear(self, wait_s: float) -> None:
        """Everything that has come by now, or the first thing within `wait_s`."""
        try:
            came = self._heard.get(
                timeout=min(wait_s, FETCH_EVERY_S if self.point.lacking() else wait_s)
            )
            while True:
                if isinstance(came, Feed):
                    self._report(self.point.hear(came))
                elif isinstance(came, FeedItem):
                    self._report(self.point.hear_order(came))
                came = self._heard.get_nowait()
        except queue.Empty:
            return

    def _look(self) -> None:
        self._show()
        self._report(self.point.findings())
        now = self._clock.elapsed_s()
        lacking = self.point.lacking()
        if lacking and now >= self._fetch_at_s:
            self._fetch_at_s = now + FETCH_EVERY_S
            for register, number in lacking:
                self.post.fetch_order(register, number)
        self._roll_up()

    def _show(self) -> None:
        """Draw, sign, and put the picture there before anybody is answered by it."""
        picture = self.point.draw()
        raw = sign_picture(picture, self._signer)
        # Crash here: the picture before, which runs out by itself.
        with contextlib.suppress(Unavailable):
            replace_file(self._picture_path, raw, mode=0o644)
        self.picture, self._raw = picture, raw

    def _roll_up(self) -> None:
        stated = self.point.roll_ups(load_counts(self._counts), settled_s=SETTLED_S)
        if not stated:
            return
        self.post.keep([self._sign(each) for each in stated])
        # Crash here: the statements are kept; the next start makes them anew, and the log refuses the second ones.
        self.point.close(stated)
        prune_counts(self._counts, self._clock.now().plus(-48.0 * self.settings.period_s))

    def _decide(self, asked: Asked) -> AccessDecision:
        now: Instant = self._clock.now()
        return decide_access(self.picture, asked.user, asked.model, now)

    def _report(self, findings: list[Finding]) -> None:
        """State that something is wrong: the same matter once in ten minutes."""
        now = self._clock.elapsed_s()
        self._raised = {k: at for k, at in self._raised.items() if now - at < FINDING_EVERY_S}
        for finding in findings:
            key = (finding.code, finding.about)
            if key in self._raised or len(self._raised) >= MAX_FINDINGS:
                continue
            self._raised[key] = now
            fact = FindingRaised(
                effective=self._clock.now(),
                finding=finding.code,
                host=self.settings.host,
                detail=finding.detail[:4000],
                about=finding.about,
            )
            self.post.keep([self._sign(fact)])

    def _ask_sealed(self, register: str, number: int) -> bytes:
        asked = OrderAsked(
            log=self._follower.origin,
            host=self.settings.host,
            register=register,
            number=number,
            at=self._clock.now(),
        )
        return sign_asked(asked, self._signer)

    def _sign(self, fact: Predicate) -> bytes:
        return sign_payload(make_payload(fact), [self._signer]).raw


def _open_doors(door: Door, path: Path, port: int | None) -> list[BoundedServer]:
    """On a unix socket, and on 127.0.0.1 where a port is named: a flood of the one leaves the other alone."""
    bounds = Bounds(body=MAX_QUESTION)
    doors = [BoundedServer(path, door.answer, bounds)]
    try:
        if port is not None:
            doors.append(BoundedServer(("127.0.0.1", port), door.answer, bounds))
    except Unavailable:
        doors[0].close()
        raise
    return doors


def run_point(home: Path) -> None:
    """An access point on duty until SIGTERM or SIGINT. Raises what `AccessPoint` raises."""
    point = AccessPoint(home)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: point.end())

    def ready() -> None:
        told = {"ready": True, "socket": str(home / point.settings.socket)}
        print(canonical(told).decode(), flush=True)  # noqa: T201  # the ready line is this command's output

    point.run(ready)


def load_settings(home: Path) -> PointSettings:
    """`point.json` of a home. Raises InvalidInput naming the file and the field."""
    path = home / "point.json"
    told = from_json(PointSettings, parse_json(_read(path), path=str(path)), path=str(path))
    if not told.control.startswith(("http://", "https://")):
        raise InvalidInput(
            f"{told.control[:60]!r} is no address",
            path=f"{path}.control",
            remedy="give one such as http://127.0.0.1:8080",
        )
    return told


def _last_sequence(path: Path, key: PublicKey) -> int:
    """The number of the picture that lies there; 0 where none of ours does."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_PICTURE)
        return parse_picture(raw, key).sequence
    except (OSError, SekishoError):
        return 0


def load_trust(home: Path) -> TrustRoot:
    """`trust.json` of a home. Raises InvalidInput."""
    path = home / "trust.json"
    return parse_policy(_read(path), path=str(path))


def _read(path: Path) -> bytes:
    return read_up_to(
        path, MAX_DOCUMENT, remedy="the home needs point.json, host.pem and trust.json"
    )
