"""Wires a log of its own: `sekisho log run` takes signed envelopes in over HTTP and publishes what it took.

Beside the regime's control plane, for whoever needs the log alone. It judges signatures only (sekisho.intake.gate).
"""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import uvicorn

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.keys.note_keys import load_note_keys
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.places import open_log_store
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.intake.files import LogFiles
from sekisho.intake.gate import Gate
from sekisho.intake.judging import SWITCH_S
from sekisho.intake.server import IntakeApp
from sekisho.ledger import Policy
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.sequencer import Sequencer
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.operations.marking import MarkMaker
from sekisho.signing.notes import NoteSigner

__all__ = ["LogPlan", "Ready", "run_log", "serve_folder"]

LOOPBACK = "127.0.0.1"
MAX_CONNECTIONS = 256


class LogPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A log to run: its public folder, its key, who may append, who witnesses, and where its database is.

    `policy` names witnesses with their addresses; None asks nobody. `database` is a file, or a PostgreSQL address.
    """

    origin: str
    folder: Path
    key: Path
    gate: Gate
    database: str
    policy: Policy | None = None
    port: int = 0
    bind: str = LOOPBACK


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A log that answers: its name, the keys that verify it, and its address."""

    origin: str
    vkeys: tuple[str, ...]
    address: str
    size: int


def run_log(plan: LogPlan, announce: Callable[[Ready], None]) -> None:
    """Run the log until told to stop; `announce` is called once the socket takes connections.

    Raises InvalidInput (key, policy, folder), Corrupt and RolledBack (database against folder), StateConflict
    (another writer), Unavailable (port, database).
    """
    sys.setswitchinterval(SWITCH_S)
    with ExitStack() as stack:
        listener = stack.enter_context(_listening(plan.bind, plan.port))
        store = stack.enter_context(open_log_store(plan.database, origin=plan.origin))
        tiles = FileTileStore(plan.folder)
        signers = [NoteSigner(plan.origin, key) for key in load_note_keys(plan.key)]
        sequencer = Sequencer(
            signer=signers[0],
            also=signers[1:],
            store=store,
            tiles=tiles,
            mark=MarkMaker(SystemClock(), load_or_create_key(plan.key)).make,
        )
        sequencer.recover()
        policy = plan.policy or Policy.of_log(*(signer.verifier for signer in signers))
        publisher = Publisher(
            sequencer=sequencer,
            store=store,
            tiles=tiles,
            policy=policy,
            witnesses=_witnesses(policy, stack),
        )
        stack.enter_context(publisher)
        vkeys = tuple(signer.verifier.to_text() for signer in signers)
        address = _address(listener, plan.bind)
        announce(Ready(origin=plan.origin, vkeys=vkeys, address=address, size=sequencer.size))
        app = IntakeApp(gate=plan.gate, sequencer=sequencer, public=LogFiles(tiles))
        _serve(app, listener)


def serve_folder(folder: Path, *, port: int, bind: str, announce: Callable[[str], None]) -> None:
    """Serve a log's folder, for reading, until told to stop; `announce` gets the address.

    Raises InvalidInput where there is no folder, Unavailable where the port is taken.
    """
    if not folder.is_dir():
        raise InvalidInput("is not a folder", path=str(folder), remedy="name a log's public folder")
    with _listening(bind, port) as listener:
        announce(_address(listener, bind))
        _serve(LogFiles(FileTileStore(folder)), listener)


def _witnesses(policy: Policy, stack: ExitStack) -> dict[str, HttpWitness]:
    without = [witness.name for witness in policy.witnesses if not witness.url]
    if without:
        raise InvalidInput(
            f"no address for {', '.join(without)}",
            path="--policy",
            remedy="write it behind the witness's key",
        )
    return {w.name: stack.enter_context(HttpWitness(w.url)) for w in policy.witnesses}


@contextmanager
def _listening(bind: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((bind, port))
            listener.listen()
        except (OSError, OverflowError) as error:
            raise Unavailable(
                f"port {port} is not free: {error}", remedy="name another, or 0"
            ) from None
        yield listener


def _address(listener: socket.socket, bind: str) -> str:
    host = f"[{bind}]" if ":" in bind else bind
    return f"http://{host}:{listener.getsockname()[1]}"


def _serve(app: object, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application by its call, which uvicorn types more narrowly
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        limit_concurrency=MAX_CONNECTIONS,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops first and then raises the signal again for us: by then the work is done.
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])
