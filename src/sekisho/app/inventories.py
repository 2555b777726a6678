"""Inventories wired: the stores of a home, the fleet agents' server side, and a watch that compares sites by itself."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.storage.declarations_sqlite import DeclarationsSqlite
from sekisho.adapters.storage.fleet_sqlite import FleetSqlite
from sekisho.adapters.storage.inventories_file import InventoriesFile
from sekisho.adapters.storage.push_tokens_sqlite import PushTokensSqlite
from sekisho.app.home import Home
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.operations.pushing import (
    Pusher,
    Pushers,
    PushPlan,
    make_push_token,
    revoke_push_token,
)
from sekisho.operations.register.fleet import Fleet, TokenPlan, UnknownToken, make_token
from sekisho.operations.register.reconciling import (
    WINDOW_S,
    Books,
    Raising,
    draft_from_lines,
    raise_differences,
    reconcile_site,
    sites_of,
    take_declaration,
)
from sekisho.ports.clock import Clock
from sekisho.ports.declaration_store import DeclarationRow
from sekisho.ports.fleet_store import FleetToken, NodeRow
from sekisho.ports.push_token_store import PushToken
from sekisho.ports.register_store import RegisterStore
from sekisho.registry.reading import (
    ColumnMapping,
    CsvTable,
    DeclaredItem,
    DeclaredRow,
    Reconciliation,
    read_lines,
)
from sekisho.registry.reading.drafts import Draft, DraftKind

__all__ = [
    "WINDOW_S",
    "DeclarationRow",
    "FleetToken",
    "Inventories",
    "NodeRow",
    "PushPlan",
    "PushToken",
    "Pusher",
    "TokenPlan",
    "UnknownToken",
    "draft_table",
    "end_push_token",
    "keep_table",
    "list_fleet",
    "list_push_tokens",
    "list_tokens",
    "new_push_token",
    "new_token",
    "reconcile_home",
    "release_node",
    "revoke_token",
]

COMPARED_EVERY_S: Final = 600
SHOWN_FOR_S: Final = 30


class _Beside(Protocol):
    """What the watch needs of the register in use."""

    @property
    def store(self) -> RegisterStore: ...


class Inventories:
    """The inventories of a running regime. `raising` states a finding; None: none is stated.

    `start` begins the watch, which compares every site each ten minutes; `stop` ends it, `close` closes the file.
    """

    def __init__(
        self,
        home: Home,
        register: _Beside,
        *,
        origin: str,
        clock: Clock,
        raising: Raising | None = None,
    ) -> None:
        self._file = InventoriesFile(home.path / "inventories.sqlite")
        store = FleetSqlite(self._file)
        self.declarations = DeclarationsSqlite(self._file)
        self.fleet = Fleet(
            store,
            signer=load_or_create_key(home.keys / "fleet.pem"),
            origin=origin,
            clock=clock,
            draw=secrets.token_bytes,
        )
        self.pushers = Pushers(PushTokensSqlite(self._file), self.fleet, clock)
        self.books = Books(register=register.store, fleet=store, declarations=self.declarations)
        self.problem = ""
        self._clock = clock
        self._raising = raising
        self._found: dict[str, Reconciliation] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._compare_all, name="inventories", daemon=True)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        """End the watch; a comparison that is under way is finished."""
        self._stopping.set()
        if self._watch.ident is not None:
            self._watch.join()

    def close(self) -> None:
        self._file.close()

    def sites(self) -> tuple[str, ...]:
        """Every site that a table or a node names."""
        return sites_of(self.books)

    def newest(self, site: str) -> Reconciliation | None:
        """What the newest comparison of a site came to; None where nobody has compared it since the start."""
        return self._found.get(site)

    def compare(self, site: str) -> Reconciliation:
        """What one site's books amount to now, at most half a minute old; one comparison at a time."""
        with self._lock:
            found, now = self._found.get(site), self._clock.now()
            if found is None or now.since(found.until) > SHOWN_FOR_S:
                found = self._found[site] = reconcile_site(self.books, site, now=now)
            return found

    def compare_and_raise(self) -> int:
        """Compare every site and state what is serious; how many findings stand."""
        return sum(
            raise_differences(self.compare(site), self._raising)
            for site in self.sites()
            if self._raising is not None
        )

    def _compare_all(self) -> None:
        while not self._stopping.wait(COMPARED_EVERY_S):
            try:
                self.compare_and_raise()
                self.problem = ""
            except SekishoError as error:
                self.problem = str(error)


# --- for the command line, beside a running server ------------------------------------------------------


def new_token(home: Home, plan: TokenPlan) -> tuple[str, FleetToken]:
    """Make an enrolment token in a home; its text is shown once."""
    with _open(home) as file:
        return make_token(
            FleetSqlite(file), plan, now=SystemClock().now(), secret=secrets.token_bytes(32)
        )


def list_tokens(home: Home) -> tuple[FleetToken, ...]:
    """The tokens of a home, by their digests."""
    with _open(home) as file:
        return FleetSqlite(file).load_tokens()


def revoke_token(home: Home, digest: str) -> FleetToken:
    """End a token and every enrolment under it; named by the first eight or more digits of its digest."""
    with _open(home) as file:
        store = FleetSqlite(file)
        named = [token for token in store.load_tokens() if token.digest.startswith(digest)]
        if len(digest) < 8 or len(named) != 1:
            raise InvalidInput(
                f"{len(named)} tokens begin with {digest[:64]!r}",
                path="token",
                remedy="sekisho registry fleet tokens",
            )
        store.revoke_token(named[0].digest)
        return named[0]


def new_push_token(home: Home, plan: PushPlan) -> tuple[str, PushToken]:
    """Make a token to push telemetry with; its text is shown once."""
    with _open(home) as file:
        return make_push_token(
            PushTokensSqlite(file), plan, now=SystemClock().now(), secret=secrets.token_bytes(32)
        )


def list_push_tokens(home: Home) -> tuple[PushToken, ...]:
    """The push tokens of a home, by their digests."""
    with _open(home) as file:
        return PushTokensSqlite(file).load_push_tokens()


def end_push_token(home: Home, digest: str) -> PushToken:
    """End a push token; named by the first eight or more digits of its digest."""
    with _open(home) as file:
        return revoke_push_token(PushTokensSqlite(file), digest)


def list_fleet(home: Home) -> tuple[tuple[NodeRow, Instant | None], ...]:
    """The nodes of a home, each with when it last reported."""
    with _open(home) as file:
        store = FleetSqlite(file)
        newest = ((node, store.find_newest(node.node)) for node in store.load_nodes())
        return tuple((node, None if m is None else m.last) for node, m in newest)


def release_node(home: Home, node: str) -> None:
    """Let another enrolment speak for a node. Raises InvalidInput for one that nobody speaks for."""
    with _open(home) as file:
        if not FleetSqlite(file).release_node(node):
            raise InvalidInput(f"no enrolment speaks for node {node[:128]}", path="node")


def keep_table(
    home: Home,
    table: CsvTable,
    mapping: ColumnMapping,
    *,
    site: str,
    heard: Callable[[DeclaredRow], None] = lambda _: None,
) -> DeclarationRow:
    """Take a firm's table into a home, as the newest of its site and kind."""
    row = DeclarationRow(
        site=site,
        kind=mapping.kind,
        source=Path(table.path).name,
        received=SystemClock().now(),
    )
    with _open(home) as file:
        rows = read_lines(table, mapping, site=site)
        return take_declaration(DeclarationsSqlite(file), rows, row, heard=heard)


def draft_table(home: Home, rows: Iterable[DeclaredItem], kind: DraftKind, *, party: str) -> Draft:
    """An EPCIS document from a table, for its party to sign."""
    with _register(home) as register:
        return draft_from_lines(
            register, rows, kind, terms=home.load_terms(), now=SystemClock().now(), party=party
        )


def reconcile_home(
    home: Home,
    site: str,
    *,
    window_s: int = WINDOW_S,
    declared: Iterable[DeclaredItem] = (),
) -> Reconciliation:
    """What one site's books amount to now; `declared` are lines beside those that the home keeps."""
    with _open(home) as file, _register(home) as register:
        books = Books(
            register=register, fleet=FleetSqlite(file), declarations=DeclarationsSqlite(file)
        )
        now = SystemClock().now()
        return reconcile_site(books, site, now=now, window_s=window_s, declared=declared)


@contextmanager
def _open(home: Home) -> Iterator[InventoriesFile]:
    if not home.path.is_dir():
        raise InvalidInput("there is no home here", path=str(home.path), remedy="sekisho up")
    file = InventoriesFile(home.path / "inventories.sqlite")
    try:
        yield file
    finally:
        file.close()


@contextmanager
def _register(home: Home) -> Iterator[RegisterStore]:
    """The register, read beside whoever writes it. Raises InvalidInput where there is none yet."""
    if not home.elsewhere.database and not home.register_file.is_file():
        raise InvalidInput(
            "no register of chips is kept here yet",
            path=str(home.register_file),
            remedy="sekisho up",
        )
    register = home.open_register(writes=False)
    try:
        yield register
    finally:
        register.close()
