"""Serving a home: found it where it is new, start its witnesses, run the control plane and its pages."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import hold_folder
from sekisho.adapters.trust_file import add_trust
from sekisho.app import Control, Home
from sekisho.app.standby import HOLD, Turn, await_turn
from sekisho.catalogue import Language
from sekisho.rehearsal.cast import Cast, origin_of
from sekisho.rehearsal.stage import Stage

__all__ = ["Standby", "opened", "serve_home", "trust_home"]


@contextmanager
def opened(home: Home, stage: Stage) -> Iterator[Control]:
    """A running control plane over `home`, founded at its first use, with its witnesses as children of `stage`."""
    witnesses = stage.start_witnesses()
    cast = Cast(home)
    if not home.is_founded:
        log_vkey = home.log_signer(origin_of(home))[0].verifier.to_text()
        cast.found(log_vkey, [w.text("vkey") for w in witnesses.values()], now=SystemClock().now())
    with Control(home, {name: w.text("address") for name, w in witnesses.items()}) as control:
        if control.desk.state.regime.charter is None:
            control.submit(cast.load_charter().raw)
        yield control


def serve_home(  # noqa: PLR0913  # what `up` can be told
    home: Home,
    *,
    port: int,
    language: Language,
    on_ready: Callable[[str], None],
    once: bool = False,
    sites: bool = False,
    standby: Standby | None = None,
    push: Path | None = None,
) -> int:
    """Serve until told to stop; the exit code. With `sites`, its own rehearsed hosts run as well.

    With them go the observer and the verifier. Raises Unavailable where the port is taken, StateConflict where another
    `up` serves this home; a `standby` waits until that one is gone instead.
    """
    from sekisho.web.server import serve  # noqa: PLC0415  # the web stack takes half a second to import

    if standby is None:
        hold_folder(home.path, HOLD)
    elif not _wait_for_turn(home, standby):
        return 0
    with Stage(home) as stage, opened(home, stage) as control:
        if push is not None:
            control.start_push(push)

        def ready(address: str) -> None:
            if sites:
                start_sites(stage, address)
            stage.tend()
            home.save_address(address)
            on_ready(address)

        try:
            return serve(control, port=port, language=language, on_ready=ready, once=once)
        finally:
            home.forget_address()
            stage.end_agents()
            stage.end_work()


class Standby(msgspec.Struct, frozen=True, kw_only=True):
    """How to wait beside another one: how long it may be silent before it is ended (None: for ever), whom to tell."""

    take_over_after_s: float | None = None
    on_waiting: Callable[[], None] = lambda: None
    on_turn: Callable[[Turn], None] = lambda _: None


def _wait_for_turn(home: Home, standby: Standby) -> bool:
    """Until the home is ours; False where SIGTERM or SIGINT came first."""
    ending = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: ending.set()) for number in numbers}
    try:
        standby.on_waiting()
        turn = await_turn(home, take_over_after_s=standby.take_over_after_s, waits=ending.wait)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if turn is not None:
        standby.on_turn(turn)
    return turn is not None


def trust_home(trust_file: Path, home: Home) -> bool:
    """Add the home's trust root to the user's own trust file; whether it was new."""
    return add_trust(trust_file, home.load_root())


def start_sites(stage: Stage, control: str) -> None:
    """Run every host that the home was rehearsed with, and the observer; none where it was not."""
    hosts = stage.known_hosts()
    if not hosts:
        return
    if stage.has_device:
        stage.start_device()
    for host in hosts:
        stage.point_host(host, control)
        stage.start_agent(host)
    stage.start_observer(control, stage.home.load_root())
    stage.start_verifier(control)
