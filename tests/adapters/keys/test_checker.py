"""The process that tries signatures: right, wrong, gone, silent, and ended by whoever started it."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.keys.checker import SignatureProcess
from sekisho.adapters.keys.checking import LENGTH_BYTES, MAX_FRAME, answer
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.signature_check import Signed
from tests import factory as f

DATA = b"what was signed"


@pytest.fixture
def check() -> Iterator[SignatureProcess]:
    made = SignatureProcess(rest_s=0)
    yield made
    made.close()


def row(name: str = "one", data: bytes = DATA) -> Signed:
    signer = f.signer(name)
    return signer.public.spki, signer.sign(DATA), data


def started(check: SignatureProcess) -> int:
    """The id of the process, once it has answered."""
    assert check.begin([row()]).result() == [True]
    assert check.pid is not None
    return check.pid


def test_each_signature_is_told_by_itself(check: SignatureProcess) -> None:
    """Right, over other bytes, by another key, and under what is no key at all."""
    stranger = (f.signer("two").public.spki, row()[1], DATA)
    asked = [row(), row(data=b"else"), stranger, (b"no key", b"", DATA), row("two")]
    assert check.begin(asked).result() == [True, False, False, False, True]


def test_frames_are_answered_in_the_order_of_asking(check: SignatureProcess) -> None:
    """Also where the later one is asked for first."""
    first, second = check.begin([row()] * 3), check.begin([row(data=b"else")])
    assert second.result() == [False]
    assert first.result() == [True, True, True]


def test_a_frame_larger_than_the_pipe_goes_through(check: SignatureProcess) -> None:
    """More than a pipe holds at once."""
    signer, data = f.signer("one"), bytes(200_000)
    asked = [(signer.public.spki, signer.sign(data), data)] * 3
    assert check.begin(asked).result() == [True] * 3


def test_more_than_a_frame_takes_is_refused(check: SignatureProcess) -> None:
    """Nothing is started for it."""
    with pytest.raises(InvalidInput):
        check.begin([row(data=bytes(MAX_FRAME))])
    assert check.pid is None


def test_nothing_runs_before_it_is_asked_nor_after_it_is_closed(check: SignatureProcess) -> None:
    """The process is waited for, so its id is gone; whoever asks later is told so."""
    assert check.pid is None
    pid = started(check)
    check.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Unavailable):
        check.begin([row()])


def test_it_is_given_no_secret(check: SignatureProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its arguments nor its environment hold what ours does."""
    monkeypatch.setenv("SEKISHO_DATABASE", "postgresql://u:hunter2@h/d")
    pid = started(check)
    for name in ("cmdline", "environ"):
        assert b"hunter2" not in Path(f"/proc/{pid}/{name}").read_bytes()


def test_one_that_is_silent_is_ended() -> None:
    """Stopped, it answers nothing: whoever waits is told, and the process is gone."""
    check = SignatureProcess(answer_s=30, rest_s=0)
    try:
        pid = started(check)
        os.kill(pid, signal.SIGSTOP)
        check._answer_s = 0.05  # only once it is stopped: a busy machine starts it slowly
        with pytest.raises(Unavailable):
            check.begin([row()]).result()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    finally:
        check.close()


def test_one_that_died_is_not_replaced_at_once() -> None:
    """Where none can live, asking costs nothing."""
    check = SignatureProcess(rest_s=3_600)
    try:
        os.kill(started(check), signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(Unavailable):
                check.begin([row()]).result()
        assert check.pid is None
    finally:
        check.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\0",
        (5).to_bytes(LENGTH_BYTES, "big") + b"four",
        (MAX_FRAME + 1).to_bytes(LENGTH_BYTES, "big"),
        (1).to_bytes(LENGTH_BYTES, "big") + b"\xc1",
        (1).to_bytes(LENGTH_BYTES, "big") + msgspec.msgpack.encode(7),
    ],
    ids=["half a head", "cut off", "too long", "not MessagePack", "no rows"],
)
def test_what_is_no_frame_ends_it(sent: bytes) -> None:
    """It guesses nothing."""
    told = io.BytesIO()
    assert answer(io.BytesIO(sent), told) == 2
    assert told.getvalue() == b""
