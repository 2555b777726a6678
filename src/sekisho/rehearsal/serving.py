"""Serving a home: found it where it is new, start its witnesses, run the control plane and its pages."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sekisho.adapters.bounded_files import read_up_to
from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import hold_folder
from sekisho.adapters.storage.places import is_server
from sekisho.adapters.transport.http_tiles import check_url
from sekisho.adapters.trust_file import add_trust
from sekisho.app import Control, Home
from sekisho.app.standby import HOLD, Turn, await_database, await_turn
from sekisho.catalogue import Language
from sekisho.ledger import Policy
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import from_json, parse_json
from sekisho.rehearsal.cast import Cast, origin_of
from sekisho.rehearsal.stage import Stage

__all__ = ["Standby", "load_witness_file", "opened", "serve_home", "trust_home"]

_MAX_WITNESS_FILE = 256 * 1024
_WITNESS_FORM = "one address for each name, as the guide on two machines shows"


def load_witness_file(path: Path) -> dict[str, str]:
    """Witnesses that somebody else runs: `{"w1.example/a": "http://127.0.0.1:9101"}`, by name as in the charter.

    Raises InvalidInput naming the file and the witness.
    """
    raw = read_up_to(path, _MAX_WITNESS_FILE)
    document = parse_json(raw, path=str(path))
    try:
        told = from_json(dict[str, str], document, path=str(path))
    except InvalidInput as error:
        told_there = error.message.removeprefix(f"{error.path}: ")
        raise InvalidInput(told_there, path=error.path, remedy=_WITNESS_FORM) from None
    if not told:
        raise InvalidInput("names no witness", path=str(path), remedy=_WITNESS_FORM)
    found = {}
    for name, url in told.items():
        try:
            found[name] = check_url(url)
        except InvalidInput as error:
            where = f"{path}: {name[:120]}"
            raise InvalidInput(error.message, path=where, remedy=error.remedy) from None
    return found


def _known(home: Home, witnesses: Mapping[str, str]) -> Mapping[str, str]:
    policy = Policy.from_text(home.load_root().witnesses, path="trust.json witnesses")
    names = {witness.name for witness in policy.witnesses}
    for name in witnesses:
        if name not in names:
            raise InvalidInput(
                f"the regime has no witness {name[:120]!r}",
                path="--witnesses",
                remedy=f"it has {', '.join(sorted(names))}",
            )
    return witnesses


@contextmanager
def opened(
    home: Home, stage: Stage, witnesses: Mapping[str, str] | None = None
) -> Iterator[Control]:
    """A running control plane over `home`, founded at its first use, with its witnesses as children of `stage`.

    Or with those at the addresses in `witnesses`, by name, which somebody else runs. Raises InvalidInput where the
    home is not founded then, or one is not a witness of its regime.
    """
    if witnesses is not None:
        with Control(home, _known(home, witnesses)) as control:
            yield control
        return
    children = stage.start_witnesses()
    cast = Cast(home)
    if not home.is_founded:
        log_vkey = home.log_signer(origin_of(home))[0].verifier.to_text()
        cast.found(log_vkey, [w.text("vkey") for w in children.values()], now=SystemClock().now())
    with Control(home, {name: w.text("address") for name, w in children.items()}) as control:
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
    witnesses: Mapping[str, str] | None = None,
) -> int:
    """Serve until told to stop; the exit code. With `sites`, its own rehearsed hosts run as well.

    With them go the observer and the verifier. Raises Unavailable where the port is taken, StateConflict where another
    `up` serves this home; a `standby` waits until that one is gone instead. `witnesses` are those that somebody else
    runs, by name; a home that shares its database with another one's needs them.
    """
    from sekisho.web.server import serve  # noqa: PLC0415  # the web stack takes half a second to import

    if home.elsewhere.shared and (witnesses is None or not is_server(home.elsewhere.database)):
        raise InvalidInput(
            "needs the log in PostgreSQL, and witnesses that run by themselves",
            path="--shared",
            remedy="set SEKISHO_DATABASE, and name the witnesses with --witnesses",
        )
    if standby is None or home.elsewhere.shared:
        hold_folder(home.path, HOLD)
    if standby is not None and not _wait_for_turn(home, standby):
        return 0
    with Stage(home) as stage, opened(home, stage, witnesses) as control:
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
        wait = await_database if home.elsewhere.shared else await_turn
        turn = wait(home, take_over_after_s=standby.take_over_after_s, waits=ending.wait)
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
