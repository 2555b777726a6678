"""`python -m sekisho.observer.main --home O --control URL`: looks at halted hosts, and states what it saw.

A process of its own under a key of another constituency (O/observer.pem) and its own trust root (O/trust.json); with
`--user` it reads its files and then becomes another user than the work's. It judges nothing: that is a verifier's act.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import math
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sekisho.adapters.bounded_files import read_up_to
from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_key
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.statements import make_payload
from sekisho.model.wire import canonical
from sekisho.observer.checking import SeenMeans, check_sight
from sekisho.observer.equipping import equip, load_settings
from sekisho.observer.instruments import InstrumentLook
from sekisho.observer.observe import (
    HaltClaim,
    Look,
    fold_regime,
    is_lifted,
    state_observation,
    verify_claim,
)
from sekisho.observer.planning import LookPlan
from sekisho.observer.process_table import read_process_table
from sekisho.observer.seeing import Surveyor
from sekisho.ports.clock import Clock
from sekisho.ports.control import HaltBoard
from sekisho.signing import Signer, TrustRoot, parse_policy, sign_payload

__all__ = ["Observer", "look_around", "main"]

GAP_S = 5.2  # the protocol asks for five seconds; clocks are not that exact
POLL_S = 1.0
MARKS_EVERY_S = (
    10.0  # whose jobs are whose: a scheduler is asked, which costs it more than a look at /proc
)
LOOKS_BETWEEN = 2
MAX_DOCUMENT = 1 << 20
EXIT_FAILED, EXIT_BAD_INPUT, EXIT_UNAVAILABLE = 1, 2, 4


class Observer:
    """Watches a control plane's open halts for one host, or for whichever it names.

    Halts that are due again, so that no verdict lapses while the order stands, are listed there as well. How long it
    then still waits, only it knows: `draw` gives a share of the time that may pass.
    """

    def __init__(  # noqa: PLR0913  # key, root, board, clock, eyes, and where to look
        self,
        board: HaltBoard,
        signer: Signer,
        root: TrustRoot,
        *,
        clock: Clock,
        host: str | None = None,
        gap_s: float = GAP_S,
        surveyor: Surveyor | None = None,
        draw: Callable[[], float] | None = None,
    ) -> None:
        self._board = board
        self._signer = signer
        self._root = root
        self._clock = clock
        self._host = host
        self._gap_s = gap_s
        self._surveyor = surveyor or Surveyor(read_process_table)
        self._draw = draw or random.SystemRandom().random
        self._plan = LookPlan()
        self._ending = threading.Event()

    def end(self) -> None:
        self._ending.set()

    def watch(self) -> None:
        """Again and again until told to end; who does not answer or lies is reported on stderr and asked again."""
        remembers = self._surveyor.settings.remember_every_s
        noted_s = marked_s = -math.inf
        while not self._ending.is_set():
            try:
                if remembers and time.monotonic() - marked_s >= MARKS_EVERY_S:
                    marked_s = time.monotonic()
                    self._surveyor.note_marks()
                if remembers and time.monotonic() - noted_s >= remembers:
                    noted_s = time.monotonic()
                    self._surveyor.look(self._clock.now())
                self.pass_once()
            except SekishoError as error:
                _say(str(error))
            self._ending.wait(POLL_S)

    def pass_once(self) -> int:
        """Observe every open halt that proves genuine and is due; how many observations were handed in.

        Raises Unavailable where the control plane does not answer.
        """
        claims = self._claims()
        if not claims:
            return 0
        looks, shown = self._look(claims)
        for claim in claims:
            self._hand_in(claim, looks, shown)
        return len(claims)

    def _look(self, claims: list[HaltClaim]) -> tuple[list[Look], list[InstrumentLook]]:
        """The first look, two in between at moments that nobody can foresee, and the last.

        All come after the receipts, whose trees' roots make the nonces.
        """
        since = min(claim.given for claim in claims)
        drawn = sorted(self._gap_s * self._draw() for _ in range(LOOKS_BETWEEN))
        looks: list[Look] = []
        shown: list[InstrumentLook] = []
        waited = 0.0
        for moment in (0.0, *drawn, self._gap_s):
            self._ending.wait(moment - waited)
            waited = moment
            # Instruments first: what they show is then never dated after the look that ends the observation.
            shown += self._surveyor.panel.read(self._clock.now(), since)
            looks.append(self._surveyor.look(self._clock.now()))
        return looks, shown

    def _claims(self) -> list[HaltClaim]:
        claims = []
        now = self._clock.now()
        for halt in self._plan.due(self._board.fetch_halts(), now):
            if self._host not in (None, halt.host):
                continue
            try:
                feed = self._board.fetch_feed(halt.host, 0, 0)
                stored = self._board.fetch_statement(halt.receipt)
                if self._plan.is_own(halt) and is_lifted(halt.order, feed.items):
                    self._plan.forget(halt)
                    continue
                regime = fold_regime(self._root, feed.items)
                claim = verify_claim(halt, stored, regime, self._root)
                verdict_s = regime.in_force().terms.halt_verdict_s
                if self._plan.may_look(halt, claim, verdict_s, now, self._draw):
                    claims.append(claim)
            except Unavailable:
                raise
            except SekishoError as error:
                _say(f"halt of {halt.host}: {error}")
        return claims

    def _hand_in(self, claim: HaltClaim, looks: list[Look], shown: list[InstrumentLook]) -> None:
        observation = state_observation(
            claim,
            looks[0],
            looks[-1],
            own_pids=frozenset({os.getpid()}),
            own_user=os.geteuid(),
            sight=self._surveyor.see(claim, looks, shown),
        )
        self._board.send_statement(sign_payload(make_payload(observation), (self._signer,)).raw)
        # Crash before this line: the control plane still lists the halt, or has the observation; both are sound.
        self._plan.observed(claim, looks[-1].at, self._surveyor.panel.settles_s)


def look_around(home: Path) -> tuple[SeenMeans, ...]:
    """A dry run over the settings of a home. Raises InvalidInput for settings that cannot be."""
    surveyor = equip(load_settings(home))
    try:
        return check_sight(surveyor, now=SystemClock().now(), user=os.geteuid())
    finally:
        surveyor.panel.close()


def main(arguments: list[str] | None = None) -> int:
    """Watch until told to end, or once; 1 for a refusal, 2 for bad input, 4 where nobody answers."""
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.observer.main", description="Observe halts."
    )
    parser.add_argument(
        "--home", type=Path, required=True, help="folder with observer.pem, trust.json"
    )
    parser.add_argument("--control", required=True, help="base URL of the control plane")
    parser.add_argument("--host", help="only this host's halts: the one that this process runs on")
    parser.add_argument("--user", type=int, help="uid to become once key and trust root are read")
    parser.add_argument("--once", action="store_true", help="observe what is open now, then leave")
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except InvalidInput as error:
        _say(str(error))
        return EXIT_BAD_INPUT
    except Unavailable as error:
        _say(str(error))
        return EXIT_UNAVAILABLE
    except SekishoError as error:
        _say(str(error))
        return EXIT_FAILED


def _run(options: argparse.Namespace) -> int:
    signer = load_key(options.home / "observer.pem")
    root = _load_trust(options.home / "trust.json")
    control = ControlClient(options.control)
    surveyor = equip(load_settings(options.home))
    observer = Observer(
        control,
        signer,
        root,
        clock=SystemClock(),
        host=options.host,
        surveyor=surveyor,
    )
    if options.user is not None:
        _load_everything(control, surveyor)
        _become(options.user)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: observer.end())
    ready = {"ready": True, "user": os.geteuid()}
    print(canonical(ready).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
    if options.once:
        observer.pass_once()
    else:
        observer.watch()
    surveyor.panel.close()
    control.close()
    return 0


def _load_everything(control: ControlClient, surveyor: Surveyor) -> None:
    """Load what Python loads at first use: the other user may not be able to read where Python lies."""
    for codec in ("ascii", "idna", "latin-1", "utf-8", "utf-16be"):
        codecs.lookup(codec)
    now = SystemClock().now()
    surveyor.look(now)
    surveyor.panel.read(now, now)
    with contextlib.suppress(SekishoError):
        control.fetch_halts()


def _become(user: int) -> None:
    """Drop to another user for good. Raises InvalidInput where this process may not."""
    try:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    except (OSError, OverflowError) as error:
        raise InvalidInput(
            f"cannot become user {user}: {error}",
            path="--user",
            remedy="start it as root, or without",
        ) from None


def _load_trust(path: Path) -> TrustRoot:
    data = read_up_to(path, MAX_DOCUMENT, remedy="install it by hand")
    return parse_policy(data, path=str(path))


def _say(text: str) -> None:
    print(f"observer: {text}", file=sys.stderr, flush=True)  # noqa: T201  # the command's own voice


if __name__ == "__main__":
    sys.exit(main())
