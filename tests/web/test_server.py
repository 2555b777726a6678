"""Serving: the port, the first page, signals, and the long polls that a stop must not wait for."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sekisho.app import Control
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.web import serve
from tests.regime import unwitnessed_control


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with unwitnessed_control(tmp_path_factory.mktemp("home")) as running:
        yield running


def test_once_ends_when_the_first_page_has_answered(control: Control) -> None:
    """With `once` the address is told, the first page fetched, and the exit code is 0."""
    told: list[str] = []
    assert serve(control, port=0, on_ready=told.append, once=True) == 0
    assert told[0].startswith("http://127.0.0.1:")


def test_a_taken_port_is_unavailable_and_names_the_remedy(control: Control) -> None:
    """A port that another process holds is an error that names the port and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} cannot be used") as caught:
            serve(control, port=port, on_ready=lambda _: None)
    assert "--port" in caught.value.remedy


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(control: Control, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end it with 0, and the handlers of before are back."""
    before = signal.getsignal(number)
    assert serve(control, port=0, on_ready=lambda _: os.kill(os.getpid(), number)) == 0
    assert signal.getsignal(number) is before


def test_a_stop_does_not_wait_for_long_polls(control: Control) -> None:
    """A host that waits a minute for news is answered at once when the server is told to end."""
    answers: list[int] = []
    waiting: list[threading.Thread] = []

    def wait(address: str) -> None:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=90)
        connection.request("GET", "/api/v1/hosts/nobody/feed?wait_s=60")
        answers.append(connection.getresponse().status)
        connection.close()

    def on_ready(address: str) -> None:
        waiting.append(threading.Thread(target=wait, args=(address,)))
        waiting[0].start()
        time.sleep(0.4)
        os.kill(os.getpid(), signal.SIGTERM)

    began = time.monotonic()
    assert serve(control, port=0, on_ready=on_ready) == 0
    assert time.monotonic() - began < 30  # the poll asks for sixty seconds
    waiting[0].join(30)
    assert answers == [200]


def test_what_goes_wrong_when_ready_ends_the_server(control: Control) -> None:
    """An error of the caller's own start-up work is raised by `serve`, not lost in a thread."""

    def fail(_: str) -> None:
        raise InvalidInput("the sites cannot start")

    with pytest.raises(InvalidInput, match="the sites cannot start"):
        serve(control, port=0, on_ready=fail)
