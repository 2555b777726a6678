"""Tells people on call, in a thread of its own: each occasion once to each place, tried again while it does not go.

A place that is silent is asked ever more rarely and holds up nobody else; after a day of trying a notice is given up,
and said to be. What was told is kept in the home, so that a start tells nothing twice; a crash in between may.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Final

import msgspec

from sekisho.adapters.bounded_files import read_up_to
from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys.secret_files import load_secret_file
from sekisho.adapters.storage.notice_file import FileNotifier, ToldFile
from sekisho.adapters.transport.notice_webhook import WebhookNotifier
from sekisho.catalogue import Language, say
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Name
from sekisho.model.wire import from_json, parse_json
from sekisho.operations.state import State
from sekisho.operations.telling import LEAD_S, Occasion, notices_of, occasions
from sekisho.ports.clock import Clock
from sekisho.ports.notifier import Event, Notice, Notifier

__all__ = [
    "NoticeSettings",
    "Notices",
    "Place",
    "load_notice_settings",
    "open_notices",
    "tell_test",
]

LOOK_S: Final = 5.0
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0
MAX_ATTEMPTS: Final = 150  # about a day at the longest pause
_MAX_SETTINGS: Final = 256 * 1024
_log = logging.getLogger("sekisho.notices")


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where notices go: a webhook with the file of its secret, or a file of JSON lines. Paths count from the home.

    `events` are those told there; all of them where none is named. `language` is that of the sentence.
    """

    name: Name
    webhook: str = ""
    secret_file: str = ""
    file: str = ""
    events: tuple[Event, ...] = ()
    language: Language = "en"


class NoticeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`notify.json` of a home. `lead_s` is how long before a lapse or an end people are told."""

    places: Annotated[tuple[Place, ...], msgspec.Meta(max_length=64)]
    lead_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = LEAD_S


class _Standing(msgspec.Struct, kw_only=True):
    """How one place stands: what it was told, and how it answered last."""

    place: Place
    notifier: Notifier
    told: set[str]
    failed: int = 0
    due_at: float = 0.0
    problem: str = ""
    attempts: dict[str, int] = msgspec.field(default_factory=dict)


class Notices:
    """Looks at the state, and tells each place what it was not told. `state` and `clock` are asked at each look."""

    def __init__(
        self,
        places: Iterable[tuple[Place, Notifier]],
        told: ToldFile,
        state: Callable[[], State],
        clock: Clock,
        *,
        lead_s: float = LEAD_S,
    ) -> None:
        known = told.load()
        self._standings = [
            _Standing(place=place, notifier=notifier, told=known.get(place.name, set()))
            for place, notifier in places
        ]
        self._told = told
        self._state = state
        self._clock = clock
        self._lead_s = lead_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

    def start(self) -> None:
        if self._standings:
            self._thread.start()

    def stop(self) -> None:
        """End; what is under way is waited for, within its time."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        for standing in self._standings:
            standing.notifier.close()

    @property
    def problem(self) -> str:
        """What a person should look at: which places are silent, and what they said last."""
        silent = [s for s in self._standings if s.problem]
        return "; ".join(f"{s.place.name}: {s.problem}" for s in silent)

    def look(self) -> int:
        """One look: tell what is due to be told; how many notices went out."""
        now = self._clock.now()
        found = list(occasions(self._state(), now, lead_s=self._lead_s))
        return sum(self._tell(standing, found, now) for standing in self._standings)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self.look()
            except SekishoError as error:
                _log.error("people on call are not told: %s", error)

    def _tell(self, standing: _Standing, found: list[Occasion], now: Instant) -> int:
        if time.monotonic() < standing.due_at:
            return 0
        wanted = standing.place.events
        due = [o for o in found if o.key not in standing.told and (not wanted or o.event in wanted)]
        sent = 0
        for notice, keys in notices_of(due, now, standing.place.language):
            if self._stopping.is_set():
                break
            problem = _try(standing.notifier, notice)
            if problem and not self._is_given_up(standing, keys[0]):
                self._failed(standing, problem)
                break
            standing.failed, standing.due_at = 0, 0.0
            standing.problem = f"gave up {notice.event}: {problem}" if problem else ""
            standing.told.update(keys)
            # Crash here: this place is told once more, under the same name.
            self._told.add(standing.place.name, keys)
            sent += not problem
        return sent

    def _is_given_up(self, standing: _Standing, key: str) -> bool:
        count = standing.attempts.get(key, 0) + 1
        standing.attempts[key] = count
        if count < MAX_ATTEMPTS:
            return False
        standing.attempts.pop(key)
        _log.error("%s is given up for %s", key, standing.place.name)
        return True

    def _failed(self, standing: _Standing, problem: str) -> None:
        standing.failed += 1
        standing.problem = problem[:500]
        pause = FIRST_PAUSE_S * 2 ** min(standing.failed - 1, 16)
        standing.due_at = time.monotonic() + min(pause, LONGEST_PAUSE_S)


def load_notice_settings(path: Path) -> NoticeSettings:
    """The settings of a home; no places where there is no file. Raises InvalidInput naming file and field."""
    if not path.exists():
        return NoticeSettings(places=())
    raw = read_up_to(path, _MAX_SETTINGS)
    settings = from_json(
        NoticeSettings, parse_json(raw, path=str(path), limit=_MAX_SETTINGS), path=str(path)
    )
    names = [place.name for place in settings.places]
    for number, place in enumerate(settings.places):
        where = f"{path}: places[{number}]"
        if bool(place.webhook) == bool(place.file):
            raise InvalidInput("is either a webhook or a file", path=where)
        if place.webhook and not place.secret_file:
            raise InvalidInput("a webhook has a secret_file", path=where)
        if names.count(place.name) > 1:
            raise InvalidInput(f"two places are named {place.name}", path=where)
    return settings


def open_notices(home: Path, state: Callable[[], State], clock: Clock) -> Notices:
    """The notices of a home, as its `notify.json` has them. Raises InvalidInput for what is wrong there."""
    settings = load_notice_settings(home / "notify.json")
    places = [(place, _open(home, place, clock)) for place in settings.places]
    return Notices(places, ToldFile(home / "told.jsonl"), state, clock, lead_s=settings.lead_s)


def tell_test(home: Path) -> dict[str, str]:
    """Tell every place of a home a test; by name what went wrong, "" where it has it. Raises InvalidInput."""
    clock = SystemClock()
    now, told = clock.now(), {}
    for place in load_notice_settings(home / "notify.json").places:
        text = say("notice.test", place.language)
        notice = Notice(notice=f"test-{now.us}", event="test", at=now, text=text)
        notifier = _open(home, place, clock)
        told[place.name] = _try(notifier, notice)
        notifier.close()
    return told


def _open(home: Path, place: Place, clock: Clock) -> Notifier:
    if place.file:
        return FileNotifier(home / place.file)
    secret = load_secret_file(home / place.secret_file).strip()
    return WebhookNotifier(place.webhook, secret, clock)


def _try(notifier: Notifier, notice: Notice) -> str:
    """What went wrong; "" where the place has it."""
    try:
        notifier.tell(notice)
    except SekishoError as error:
        return error.message or type(error).__name__
    return ""
