"""`python -m sekisho.observer.main --home O --control URL`: looks at halted hosts, and states what it saw.

A process of its own under a key of another constituency (O/observer.pem) and its own trust root (O/trust.json); with
`--user` it reads its files and then becomes another user than the work's. It judges nothing: that is a verifier's act.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_key
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.statements import make_payload
from sekisho.model.wire import canonical
from sekisho.observer.observe import HaltClaim, Look, fold_regime, state_observation, verify_claim
from sekisho.observer.process_table import read_process_table
from sekisho.ports.clock import Clock
from sekisho.ports.control import HaltBoard
from sekisho.signing import Signer, TrustRoot, parse_policy, sign_payload

__all__ = ["Observer", "main"]

GAP_S = 5.2  # the protocol asks for five seconds; clocks are not that exact
POLL_S = 1.0
MAX_DOCUMENT = 1 << 20
EXIT_FAILED, EXIT_BAD_INPUT, EXIT_UNAVAILABLE = 1, 2, 4


class Observer:
    """Watches a control plane's open halts for one host, or for whichever it names."""

    def __init__(  # key, root, board, clock, and where to look
        self,
        board: HaltBoard,
        signer: Signer,
        root: TrustRoot,
        *,
        clock: Clock,
        host: str | None = None,
        gap_s: float = GAP_S,
    ) -> None:
        self._board = board
        self._signer = signer
        self._root = root
        self._clock = clock
        self._host = host
        self._gap_s = gap_s
        self._done: set[str] = set()
        self._ending = threading.Event()

    def end(self) -> None:
        self._ending.set()

    def watch(self) -> None:
        """Again and again until told to end; who does not answer or lies is reported on stderr and asked again."""
        while not self._ending.is_set():
            try:
                self.pass_once()
            except SekishoError as error:
                _say(str(error))
            self._ending.wait(POLL_S)

    def pass_once(self) -> int:
        """Observe every open halt that proves genuine; how many observations were handed in.

        Raises Unavailable where the control plane does not answer.
        """
        claims = self._claims()
        if not claims:
            return 0
        # Both looks come after the receipts, whose trees' roots make the nonces.
        first = Look(at=self._clock.now(), table=read_process_table())
        self._ending.wait(self._gap_s)
        second = Look(at=self._clock.now(), table=read_process_table())
        for claim in claims:
            self._hand_in(claim, first, second)
        return len(claims)

    def _claims(self) -> list[HaltClaim]:
        claims = []
        for halt in self._board.fetch_halts():
            if halt.receipt in self._done or self._host not in (None, halt.host):
                continue
            try:
                feed = self._board.fetch_feed(halt.host, 0, 0)
                stored = self._board.fetch_statement(halt.receipt)
                regime = fold_regime(self._root, feed.items)
                claims.append(verify_claim(halt, stored, regime, self._root))
            except Unavailable:
                raise
            except SekishoError as error:
                _say(f"halt of {halt.host}: {error}")
        return claims

    def _hand_in(self, claim: HaltClaim, first: Look, second: Look) -> None:
        observation = state_observation(
            claim, first, second, own_pids=frozenset({os.getpid()}), own_user=os.geteuid()
        )
        self._board.send_statement(sign_payload(make_payload(observation), (self._signer,)).raw)
        # Crash before this line: the control plane still lists the halt, or has the observation; both are sound.
        self._done.add(claim.receipt)


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
    observer = Observer(
        control,
        signer,
        root,
        clock=SystemClock(),
        host=options.host,
    )
    if options.user is not None:
        _load_everything(control)
        _become(options.user)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: observer.end())
    ready = {"ready": True, "user": os.geteuid()}
    print(canonical(ready).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
    if options.once:
        observer.pass_once()
    else:
        observer.watch()
    control.close()
    return 0


def _load_everything(control: ControlClient) -> None:
    """Load what Python loads at first use: the other user may not be able to read where Python lies."""
    for codec in ("ascii", "idna", "latin-1", "utf-8", "utf-16be"):
        codecs.lookup(codec)
    read_process_table()
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
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}", path=str(path), remedy="install it by hand"
        ) from None
    return parse_policy(data, path=str(path))


def _say(text: str) -> None:
    print(f"observer: {text}", file=sys.stderr, flush=True)  # noqa: T201  # the command's own voice


if __name__ == "__main__":
    sys.exit(main())
