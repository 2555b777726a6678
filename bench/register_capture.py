"""How many events a second a register captures end to end: signed documents in, durable rows, answers out.

    documents (signed, JSON) -> verified, parsed, hashed -> decided -> saved, synced -> stated in the log -> answered

Every chip is made, shipped, received, shipped on and received: five events, each endorsed by the party that must. All
of it runs in one process, as in `sekisho up`, with a real log and desk behind it; PostgreSQL is a server of the bench's
own. The target is that of documents of a hundred events by the facade; over HTTP the client's work is in the figure.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from row import Row, Target, missing, row_of

sys.path.insert(
    0, str(Path(__file__).parents[1])
)  # the documents and the server that the tests use too
from sekisho.app import Control, Elsewhere
from sekisho.model.wire import encode_base64
from tests.capturing import (
    PARTIES,
    chip,
    commissioned,
    document,
    endorsed,
    enrolled,
    received,
    shipped,
)
from tests.factory import AUTHORITY
from tests.postgres import find_postgres, start_server
from tests.regime import live_regime
from tests.web.serving import serving

__all__ = ["measure_capture"]

SIZES = (1, 100)
CALLERS = {1: 64, 100: 8}
ROUNDS = 5
TARGETS = {"SQLite": Target(least=3_000), "PostgreSQL": Target(least=1_500)}
Paper = tuple[bytes, bytes]
Send = Callable[[Paper], int]


def measure_capture(chips: int, *, whole: bool = True) -> list[Row]:
    """Rows of both databases, by the facade and over HTTP; unless `whole`, of SQLite by the facade alone."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
        Path(folder).chmod(0o755)  # a server runs as its own account
        rows += _rows("SQLite", Path(folder) / "sqlite", None, chips, over_http=whole)
        if not whole:
            return rows
        if find_postgres() is None:
            target = TARGETS["PostgreSQL"]
            why = "PostgreSQL is not installed"
            return [*rows, missing(_name("PostgreSQL", 100, ""), "/s", target, why)]
        with start_server(Path(folder)) as server:
            place = Elsewhere(database=server.create("bench"))
            rows += _rows("PostgreSQL", Path(folder) / "pg", place, chips, over_http=whole)
    return rows


def _rows(
    kind: str, folder: Path, elsewhere: Elsewhere | None, chips: int, *, over_http: bool
) -> list[Row]:
    folder.mkdir()
    rows, first = [], 0
    with live_regime(folder, elsewhere) as regime:
        for party in PARTIES:
            regime.submit(enrolled(party), AUTHORITY[0])
        for how in ("", " over HTTP") if over_http else ("",):
            with _sender(regime.control, is_http=bool(how)) as send:
                for size in SIZES:
                    count = chips if size > 1 else chips // 10
                    rates = []
                    for _ in range(ROUNDS):
                        stages = list(_papers(first, count // ROUNDS, size))
                        first += count // ROUNDS
                        rates.append(_rate(stages, send, CALLERS[size]))
                    target = TARGETS[kind] if size > 1 and not how else None
                    rows.append(row_of(_name(kind, size, how), "/s", rates, target))
        found = regime.control.register.check()
        if found.differences:
            raise SystemExit(f"{kind}: {found.differences} derived values differ from a rebuild")
    return rows


def _rate(stages: Sequence[Sequence[Paper]], send: Send, callers: int) -> float:
    """Events a second over all stages; a stage begins when the one before is answered."""
    taken = 0
    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        for papers in stages:
            taken += sum(pool.map(send, papers))
    return taken / (time.perf_counter() - began)


def _papers(first: int, chips: int, size: int) -> Iterator[list[Paper]]:
    """The documents of each stage of these chips' lives, signed before the clock runs."""
    stages = (
        ("maker", lambda c: commissioned(c, hours=0)),
        ("maker", lambda c: shipped("maker", "dist", c, hours=1)),
        ("dist", lambda c: received("dist", c, hours=2)),
        ("dist", lambda c: shipped("dist", "cloud", c, hours=3)),
        ("cloud", lambda c: received("cloud", c, hours=4)),
    )
    named = [chip(first + n) for n in range(chips)]
    for signer, make in stages:
        papers = []
        for start in range(0, chips, size):
            data = document(*(make(one) for one in named[start : start + size]))
            papers.append((data, endorsed(data, signer) or b""))
        yield papers


@contextmanager
def _sender(control: Control, *, is_http: bool) -> Iterator[Send]:
    if not is_http:
        yield lambda paper: control.register.capture(*paper).taken
        return
    with ExitStack() as stack:
        address = stack.enter_context(serving(control))
        client = stack.enter_context(
            httpx.Client(
                base_url=address,
                timeout=60,
                limits=httpx.Limits(max_connections=100, max_keepalive_connections=100),
            )
        )

        def send(paper: Paper) -> int:
            headers = {
                "content-type": "application/ld+json",
                "sekisho-endorsement": encode_base64(paper[1]),
            }
            answer = client.post("/epcis/capture", content=paper[0], headers=headers)
            answer.raise_for_status()
            return int(answer.json()["taken"])

        yield send


def _name(kind: str, size: int, how: str) -> str:
    one = "documents of one event" if size == 1 else f"documents of {size} events"
    return f"register: signed events captured durably, {one}{how} ({kind})"


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    for row in measure_capture(chosen, whole="--quick" not in sys.argv):
        print(row)
