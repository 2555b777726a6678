"""Two control planes with a home each over one PostgreSQL: the second takes over with the first one's machine gone.

Nothing but the database and the witnesses is common to both. The first is killed, or stopped and woken when another
writes: what it answered is in the log, the chain of a host's receipts goes on, one tree is published, and the one that
was woken acknowledges nothing.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.processes import ChildProcess
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.app import Elsewhere, Home
from sekisho.app.backup import back_up
from sekisho.app.restoring import RestorePlan, restore_home
from sekisho.ledger import Policy
from sekisho.ledger.fsck import check_log
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tree import subtree_root
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import OrderReference, PartyEnrolled, ReceiptGiven
from sekisho.model.wire import canonical
from sekisho.operations.reading import read_state
from sekisho.rehearsal.cast import WITNESSES, Cast, origin_of
from sekisho.rehearsal.serving import load_witness_file, serve_home
from sekisho.signing import Envelope, parse_envelope
from tests import factory as f
from tests.crashes.test_standby import WAIT_S, Planes, post
from tests.witness.processes import running_witness

pytestmark = pytest.mark.postgres

PASSPHRASE = b"six random words are better"


class Pair:
    """Two homes of one regime, its witnesses, and the control planes that are started over them."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.folder = folder
        self.database = url
        self.stack = stack
        self.first = Planes(folder / "one", stack)
        self._witness_file = folder / "witnesses.json"
        home = self.first.home
        log = home.log_signer(origin_of(home))[0].verifier
        ready = [
            stack.enter_context(running_witness(folder / f"w{n}", name, log))[0]
            for n, name in enumerate(WITNESSES)
        ]
        Cast(home).found(log.to_text(), [r.vkey for r in ready], now=SystemClock().now())
        self._witness_file.write_bytes(canonical({r.name: r.address for r in ready}))
        self.last: Envelope | None = None

    def second(self) -> Home:
        """The other machine's home: a backup of the first one's, restored."""
        back_up(
            Home(path=self.first.home.path, elsewhere=Elsewhere(database=self.database)),
            self.folder / "backup",
            now=SystemClock().now(),
            passphrase=PASSPHRASE,
        )
        home = self.folder / "two" / "home"
        home.parent.mkdir()
        plan = RestorePlan(
            backup=self.folder / "backup",
            home=home,
            as_it_is=True,
            passphrase=PASSPHRASE,
            elsewhere=Elsewhere(database=self.database),
        )
        restore_home(plan)
        return Home.open(home)

    def enrol_host(self, address: str) -> None:
        cast = self.first.cast
        fact = f.host_enrolled("host-1", of=f.HOST, emulated=False, now=SystemClock().now())
        assert post(address, cast.sign(fact, cast.authority[0], cast.operator).raw) is not None

    def give_receipt(self, address: str, order: OrderReference, stage: str) -> None:
        """The next link of the host's chain, which must be taken."""
        fact = ReceiptGiven(
            effective=SystemClock().now(),
            host="host-1",
            sequence=1 if self.last is None else 2,
            previous=None if self.last is None else self.last.digest,
            stage=stage,  # type: ignore[arg-type]  # the test's own word
            counter="C0",
            quantum=0,
            state="none",
            order=order,
        )
        envelope = f.signed(fact, f.HOST)
        answer = httpx.post(
            f"{address}/api/v1/receipts", content=envelope.raw, timeout=30.0, trust_env=False
        )
        assert answer.is_success, answer.text
        self.last = envelope

    def start(self, home: Home, *more: str) -> ChildProcess:
        child = ChildProcess.start(
            "control plane",
            [
                "sekisho.rehearsal.control",
                *("--home", str(home.path), "--port", "0", "--parent", str(os.getpid())),
                *("--database", self.database, "--shared"),
                *("--witnesses", str(self._witness_file), *more),
            ],
            log=home.logs / "plane.log",
            wait_s=WAIT_S,
        )
        self.stack.callback(child.kill)
        return child


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    (tmp_path / "one").mkdir()
    with ExitStack() as stack:
        yield Pair(tmp_path, postgres_url, stack)


def standing_by(pair: Pair, home: Home, *more: str) -> Callable[[], ChildProcess]:
    """One that waits for the database; what is returned waits until it serves."""
    found: list[ChildProcess] = []
    thread = threading.Thread(
        target=lambda: found.append(pair.start(home, "--standby", *more)), daemon=True
    )
    thread.start()

    def ready() -> ChildProcess:
        thread.join(WAIT_S)
        return found[0]

    return ready


def issue_pause(pair: Pair, address: str) -> OrderReference:
    raw = pair.first.pause()
    assert post(address, raw) is not None
    order = parse_envelope(raw)
    return OrderReference(register="pause/JP", number=1, digest=order.digest)


def check_one_tree(pair: Pair, home: Home, *payloads: str) -> None:
    """Published by the second one: one tree, the pause once, and all that was answered."""
    root = home.load_root()
    tiles = FileTileStore(home.public)
    assert check_log(tiles, Policy.from_text(root.witnesses)).holds
    digests: list[str] = []
    state, cosigned = read_state(tiles, root, hear=lambda r: digests.append(r.verified.digest))
    assert sorted(state.orders.orders["pause/JP"]) == [1]
    assert set(payloads) <= set(digests)
    # The first one's last published tree begins this one.
    first = FileTileStore(pair.first.home.public)
    _, before = read_state(first, root)
    tree = TreeReader(tiles, cosigned.checkpoint)
    size = before.checkpoint.size
    assert size <= tree.size
    assert subtree_root(0, size, tree.node) == before.checkpoint.root


def test_a_standby_on_another_machine_goes_on_where_the_killed_one_ended(pair: Pair) -> None:
    """Killed after an order and a receipt that its backup never saw: both stand, and the host's chain goes on."""
    primary = pair.start(pair.first.home)
    address = primary.text("address")
    assert post(address, pair.first.cast.load_charter().raw) is not None
    pair.enrol_host(address)
    second = pair.second()
    ready = standing_by(pair, second)
    order = issue_pause(pair, address)
    pair.give_receipt(address, order, "received")
    assert pair.last is not None
    received = pair.last
    primary.kill()
    standby = ready()
    pair.give_receipt(standby.text("address"), order, "halted")
    standby.stop()
    check_one_tree(pair, second, order.digest, received.digest)
    private = PrivateSqlite(second.path / "private.sqlite")
    kept = [paper.digest for paper in private.load_papers("receipt", "host-1")]
    private.close()
    assert kept == [received.digest, pair.last.digest]


def test_a_primary_that_is_woken_while_another_writes_is_fenced_off(pair: Pair) -> None:
    """Stopped, it holds the database's lock; its standby has its sessions ended, and woken it acknowledges nothing."""
    primary = pair.start(pair.first.home)
    address = primary.text("address")
    assert post(address, pair.first.cast.load_charter().raw) is not None
    second = pair.second()
    ready = standing_by(pair, second, "--take-over-after", "3")
    os.kill(primary.pid, signal.SIGSTOP)
    standby = ready()
    order = issue_pause(pair, standby.text("address"))
    os.kill(primary.pid, signal.SIGCONT)
    late = pair.first.cast.sign(
        PartyEnrolled(
            effective=SystemClock().now(),
            party="party-late",
            public=f.signer("late").public.to_text(),
            organisation="Late",
            country="JP",
        ),
        pair.first.cast.authority[0],
    )
    wait_for(lambda: code_of(address) == "fenced-off")
    assert post(address, late.raw) is None
    assert primary.is_running()
    assert post(standby.text("address"), late.raw) is not None
    standby.stop()
    assert post(address, late.raw) is None
    check_one_tree(pair, second, order.digest, late.digest)


def code_of(address: str) -> str:
    """What a control plane answers a host that asks."""
    with suppress(httpx.HTTPError):
        answer = httpx.get(
            f"{address}/api/v1/hosts/host-1/feed?after=0&wait_s=0", timeout=10.0, trust_env=False
        )
        return str(answer.json().get("code", answer.status_code))
    return ""


def wait_for(found: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not found():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_shared_home_without_database_or_witnesses_is_refused(tmp_path: Path) -> None:
    """Two machines with witnesses of their own would be two regimes: said before anything starts."""
    for elsewhere in (Elsewhere(shared=True), Elsewhere(shared=True, database="postgresql:///x")):
        home = Home.open(tmp_path / "home", elsewhere)
        with pytest.raises(InvalidInput, match="--witnesses"):
            serve_home(home, port=0, language="en", on_ready=lambda _: None)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"w": "http://192.0.2.1"}', "w"),
        ("{}", "witnesses.json"),
        ("[1]", "witnesses.json"),
        ('{"w": 1}', "witnesses.json"),
    ],
)
def test_a_bad_witness_file_is_named(tmp_path: Path, text: str, where: str) -> None:
    """Neither https nor this machine, nobody at all, another document."""
    file = tmp_path / "witnesses.json"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        load_witness_file(file)
    assert where in refused.value.path
    assert refused.value.remedy
