"""The server: one visible stack from the guard to the handlers, and uvicorn around it on 127.0.0.1."""

from __future__ import annotations

import contextlib
import gc
import http.client
import resource
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Server as Address

from sekisho import __version__
from sekisho.app import Control
from sekisho.catalogue import Language
from sekisho.model.errors import Unavailable
from sekisho.web.access_pages import AccessPages
from sekisho.web.agents_door import AgentDoor
from sekisho.web.api import Api
from sekisho.web.balance_pages import BalancePages
from sekisho.web.control_room import ControlRoomPages, WorkApi
from sekisho.web.delivery import DeliveryApi
from sekisho.web.description import MAX_BODY
from sekisho.web.epcis_routes import make_epcis_router
from sekisho.web.files import serve_asset, serve_log_file
from sekisho.web.fleet import FleetAgents
from sekisho.web.guard import SECURITY_HEADERS, GuardedApp
from sekisho.web.host_pages import HostPages
from sekisho.web.inventory_pages import InventoryPages
from sekisho.web.licence_pages import LicencePages
from sekisho.web.metering_pages import MeteringPages
from sekisho.web.metrics import serve_metrics
from sekisho.web.pages import Pages, respond_with_page
from sekisho.web.plane import Plane
from sekisho.web.problems import respond_with_problem
from sekisho.web.register_pages import RegisterPages
from sekisho.web.rules_api import ImpactApi, RulesApi
from sekisho.web.rules_impact_pages import ImpactPages
from sekisho.web.rules_pages import RulesPages
from sekisho.web.sealed import SealedApi
from sekisho.web.tables import Tables
from sekisho.web.telemetry import TelemetryApi, TelemetryIntake
from sekisho.web.weights import WeightsApi

__all__ = ["StoppingServer", "create_app", "raise_open_files", "serve"]

_HOST: Final = "127.0.0.1"
_GRACE_S: Final = 3
_FIRST_PAGE_S: Final = 20
_KEEP_ALIVE_S: Final = 75
"""Longer than the longest poll: a host's connection stays between two polls, however busy the host is."""
_BACKLOG: Final = 4096
_SWITCH_S: Final = 0.0005
"""How long a thread may keep the others from Python: at the usual 5 ms each answer waits for what judges receipts."""
_FOR_PROGRAMS: Final = ("/api/", "/epcis", "/log/", "/static/", "/v1/")
_ROUTES: Final = (
    Api,
    Tables,
    RulesApi,
    ImpactApi,
    FleetAgents,
    TelemetryApi,
    TelemetryIntake,
    SealedApi,
    WeightsApi,
    WorkApi,
    DeliveryApi,
    Pages,
    HostPages,
    RegisterPages,
    BalancePages,
    InventoryPages,
    LicencePages,
    ControlRoomPages,
    AccessPages,
    RulesPages,
    ImpactPages,
    MeteringPages,
    serve_metrics,
    serve_log_file,
    serve_asset,
)


def create_app(control: Control, *, language: Language = "en") -> Litestar:
    """The whole web side of one control plane; `language` is for who states no wish."""
    plane = Plane(control, language=language)
    door = AgentDoor(plane, [(k.encode(), v.encode()) for k, v in SECURITY_HEADERS.items()])

    def provide_plane() -> Plane:
        return plane

    def respond(request: Request[Any, Any, State], error: Exception) -> Response[Any]:
        if request.url.path.startswith(_FOR_PROGRAMS):
            return respond_with_problem(request, error)
        return respond_with_page(plane, request, error)

    @contextlib.asynccontextmanager
    async def wake_waiters(_: Litestar) -> AsyncIterator[None]:
        plane.news.open()
        door.open()
        try:
            yield
        finally:
            plane.news.close()
            door.close()

    app = GuardedApp(
        route_handlers=[*_ROUTES, make_epcis_router()],
        dependencies={"plane": Provide(provide_plane, sync_to_thread=False)},
        exception_handlers={Exception: respond},
        lifespan=[wake_waiters],
        request_max_body_size=MAX_BODY,
        openapi_config=_describe_api(),
        state=State({"plane": plane}),
        logging_config=None,
    )
    app.door = door
    return app


def serve(
    control: Control,
    *,
    port: int,
    language: Language = "en",
    on_ready: Callable[[str], None],
    once: bool = False,
) -> int:
    """Serve on 127.0.0.1 in the calling thread until SIGTERM, SIGINT or `once` is done; the exit code.

    `on_ready` gets the address, in a thread of its own, once the server answers; what it raises ends the server and
    is raised here. With `once` the server ends when its first page has answered; raises Unavailable where that page
    fails, or where the port is taken (0: any free one).
    """
    app = create_app(control, language=language)
    raise_open_files()
    sys.setswitchinterval(_SWITCH_S)
    # What is there by now stays: no search for garbage has to walk through the whole log's state.
    gc.freeze()
    with _listen(port) as listener:
        address = f"http://{_HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=_KEEP_ALIVE_S,
            backlog=_BACKLOG,
        )
        server = StoppingServer(config, app.state["plane"].news.close)
        greeter = _Greeter(server, address, on_ready, once=once)
        server.when_started = greeter.start
        server.run(sockets=[listener])
        return greeter.finish()


class StoppingServer(uvicorn.Server):
    """Ends quietly on SIGTERM and SIGINT, and lets those who wait for news go before it waits for them."""

    def __init__(self, config: uvicorn.Config, release: Callable[[], None]) -> None:
        super().__init__(config)
        self._release = release
        self.when_started: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._release()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's own, but the signal is not raised again afterwards: a stop that was asked for is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Greeter:
    """Tells that the server answers, and with `once` asks for the first page and ends it."""

    def __init__(
        self, server: uvicorn.Server, address: str, on_ready: Callable[[str], None], *, once: bool
    ) -> None:
        self._server = server
        self._address = address
        self._on_ready = on_ready
        self._once = once
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._greet, name="greeter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> int:
        """Wait for the greeting; raise what went wrong in it; 0."""
        if self._thread.ident is not None:
            self._thread.join(_FIRST_PAGE_S)
        if self._error is not None:
            raise self._error
        return 0

    def _greet(self) -> None:
        try:
            self._on_ready(self._address)
            if self._once:
                _fetch_first_page(self._address)
        except Exception as error:  # noqa: BLE001  # carried to the calling thread and raised there
            self._error = error
        finally:
            if self._once or self._error is not None:
                self._server.should_exit = True


def _fetch_first_page(address: str) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=_FIRST_PAGE_S)
    try:
        connection.request("GET", "/", headers={"connection": "close"})
        answer = connection.getresponse()
        answer.read()
    except OSError as error:
        raise Unavailable(f"the first page did not answer: {error}", remedy="try again") from None
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK:
        raise Unavailable(
            f"the first page answered {answer.status}", remedy="read the server's log"
        )


def raise_open_files() -> int:
    """Let this process hold as many connections as the machine allows it; how many files that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _listen(port: int) -> socket.socket:
    # The protocol is named, since asyncio switches Nagle off only for sockets that name it: 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or str(error)
        raise Unavailable(
            f"port {port} cannot be used: {why}", remedy="name another with --port, or 0 for any"
        ) from None
    return listener


def _describe_api() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Sekisho",
        version=__version__,
        description=(
            "The control plane of one regime. Authority is in the signatures of what is sent; errors are "
            "problem+json with a stable `code`. Names in paths have ~ for each slash."
        ),
        path="/api/v1/openapi.json",
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        servers=[Address(url="/")],
    )
