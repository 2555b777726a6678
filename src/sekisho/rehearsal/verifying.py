"""The rehearsal's verifier while a home is served: a process of its own that judges each observed halt.

`python -m sekisho.rehearsal.verifying --home H --control URL`. A drill judges in its own steps. Under `sekisho up` an
order by hand would otherwise stay at the word of the agent, since an observer states what it saw and judges nothing.
It reads the public log as any verifier does and holds the verifier's key, which the control plane never does. A crash
here loses no verdict: the next start judges what is left.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.statement_desk import send_envelope
from sekisho.app import Home
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import HaltJudged, make_payload
from sekisho.operations.following import LogFollower
from sekisho.operations.judging import gather_evidence, is_to_be_judged, judge_host
from sekisho.operations.state import State
from sekisho.rehearsal.cast import Cast
from sekisho.signing import sign_payload

__all__ = ["judge_new_halts", "main"]

_LOOK_EVERY_S = 1.0


def judge_new_halts(state: State, seen: set[str], *, now: Instant) -> list[HaltJudged]:
    """A verdict for each halt that was observed, or observed anew, and not judged since.

    Adds the digest of each observation to `seen`: whatever a receipt says, none is judged twice.
    """
    found = []
    for life in state.lives.lives.values():
        if not is_to_be_judged(state, life, now):
            continue
        evidence = gather_evidence(state, life.order, life.host, at=now)
        if evidence.observation_digest not in seen:
            seen.add(evidence.observation_digest)
            found.append(judge_host(state, evidence, now=now))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Judge until told to end."""
    parser = argparse.ArgumentParser(prog="python -m sekisho.rehearsal.verifying")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--control", required=True, help="base URL of the control plane")
    options = parser.parse_args(arguments)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    home = Home(path=options.home)
    verifier = Cast(home).verifier
    follower = LogFollower(FileTileStore(home.public), home.load_root())
    seen: set[str] = set()
    sys.stdout.write(json.dumps({"ready": True, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    while not ending.wait(_LOOK_EVERY_S):
        try:
            for verdict in judge_new_halts(follower.refresh(), seen, now=SystemClock().now()):
                envelope = sign_payload(make_payload(verdict), [verifier])
                send_envelope(options.control, envelope.raw)
        except SekishoError as error:
            sys.stderr.write(f"verifier: {error}\n")
            sys.stderr.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
