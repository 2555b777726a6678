"""Wires a log of its own: `sekisho log run` takes signed envelopes in over HTTP and publishes what it took.

Beside the regime's control plane, for whoever needs the log alone. It judges signatures only (sekisho.intake.gate).
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
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
from sekisho.ledger import LogReader, Policy
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.rebuilding import rebuild_store
from sekisho.ledger.sequencer import Sequencer
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.statements import TimeMarked, parse_payload_leniently
from sekisho.operations.marking import MarkMaker
from sekisho.ports.log_store import TreeHead
from sekisho.signing import parse_envelope
from sekisho.signing.notes import NoteSigner, VerifierKey

__all__ = ["Heard", "LogPlan", "Ready", "rebuild_folder", "run_log", "serve_folder"]

LOOPBACK = "127.0.0.1"
MAX_CONNECTIONS = 256
LOOK_S = 2.0


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


Heard = Callable[[Mapping[str, str]], None]
"""Told what each witness (by its name in the policy), or the log itself (""), last failed with; empty: all is well."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A log that answers: its name, the keys that verify it, and its address."""

    origin: str
    vkeys: tuple[str, ...]
    address: str
    size: int


def run_log(
    plan: LogPlan, announce: Callable[[Ready], None], heard: Heard = lambda _: None
) -> None:
    """Run the log until told to stop; `announce` is called once the socket takes connections.

    `heard` is told, in a thread of its own, whenever something else keeps checkpoints from being published.

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
        policy = _policy_of(plan, [signer.verifier for signer in signers])
        publisher = Publisher(
            sequencer=sequencer,
            store=store,
            tiles=tiles,
            policy=policy,
            witnesses=_witnesses(policy, stack),
        )
        stack.enter_context(publisher)
        stack.enter_context(_watching(publisher, heard))
        vkeys = tuple(signer.verifier.to_text() for signer in signers)
        address = _address(listener, plan.bind)
        announce(Ready(origin=plan.origin, vkeys=vkeys, address=address, size=sequencer.size))
        app = IntakeApp(gate=plan.gate, sequencer=sequencer, public=LogFiles(tiles))
        _serve(app, listener)


def rebuild_folder(
    folder: Path, database: str, policy: Policy, heard: Callable[[int, int], None]
) -> TreeHead:
    """Fill the lost or older database of a log of its own from its folder; the head after it.

    Raises what `rebuild_store` raises, what reading the checkpoint under `policy` raises, InvalidInput for a folder
    that is none.
    """
    tiles = FileTileStore(_checked(folder))
    cosigned = LogReader(tiles).load_checkpoint(policy)
    with open_log_store(database, origin=cosigned.checkpoint.origin) as store:
        return rebuild_store(store, tiles, cosigned, _claims_of, heard)


def _claims_of(entry: bytes) -> tuple[bytes | None, tuple[str, ...]]:
    """What an entry took when it came in: its payload digest, but for a time mark; the counter knows no unique key."""
    envelope = parse_envelope(entry)
    try:
        statement, _ = parse_payload_leniently(envelope.payload)
    except InvalidInput:  # the gate judges signatures, so payloads may be anything
        return bytes.fromhex(envelope.digest), ()
    is_mark = isinstance(statement.predicate, TimeMarked)
    return (None if is_mark else bytes.fromhex(envelope.digest)), ()


def _checked(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidInput("is not a folder", path=str(folder), remedy="name a log's public folder")
    return folder


def serve_folder(folder: Path, *, port: int, bind: str, announce: Callable[[str], None]) -> None:
    """Serve a log's folder, for reading, until told to stop; `announce` gets the address.

    Raises InvalidInput where there is no folder, Unavailable where the port is taken.
    """
    tiles = FileTileStore(_checked(folder))
    with _listening(bind, port) as listener:
        announce(_address(listener, bind))
        _serve(LogFiles(tiles), listener)


def _policy_of(plan: LogPlan, keys: list[VerifierKey]) -> Policy:
    """The plan's policy, or the log's own keys. A policy of another log would never let a checkpoint out."""
    if plan.policy is None:
        return Policy.of_log(*keys)
    if not set(keys) & set(plan.policy.logs):
        raise InvalidInput(
            "names no key of this log",
            path="--policy",
            remedy=f"begin it with: log {keys[0].to_text()}",
        )
    return plan.policy


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
def _watching(publisher: Publisher, heard: Heard) -> Iterator[None]:
    """Tell of what changed every LOOK_S: a log whose checkpoints stand still looks like one that has nothing to do."""
    over = threading.Event()

    def look() -> None:
        told: dict[str, str] = {}
        while not over.wait(LOOK_S):
            problems = publisher.problems
            if publisher.failure is not None:
                problems[""] = str(publisher.failure)
            if problems != told:
                told = problems
                heard(told)

    watch = threading.Thread(target=look, name="watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


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
                f"cannot listen at {bind}, port {port}: {error.strerror or error}"
                if isinstance(error, OSError)
                else f"port {port} is no port",
                remedy="name another port, or 0; an address of this machine behind --bind",
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
