"""The emulated accelerator's meter: processor time of whoever holds it, as a share of the last second."""

from __future__ import annotations

import os
from contextlib import closing
from decimal import Decimal

import pytest

from sekisho.adapters.instruments.dcgm_page import DcgmPage
from sekisho.adapters.schedulers.process_files import Process, read_process
from sekisho.model.errors import Unavailable
from sekisho.model.instants import Instant
from sekisho.rehearsal.device_page import BusyMeter, DevicePage, cpu_s_of
from tests.observing import cpu_ticks, spinning, stop_and_wait, wait_until


def holder(pid: int = 7) -> Process:
    return Process(
        pid=pid, parent=1, session=1, state="R", start_ticks=3, cpu_s=0.0, reaped_cpu_s=0.0
    )


def test_the_share_is_that_of_the_last_second() -> None:
    """Half a second in one is 50 percent, and a second later nothing is left of it."""
    meter = BusyMeter()
    shown = [
        meter.note(holder(), cpu_s, at_s) for at_s, cpu_s in ((0, 0.0), (1, 0.5), (2, 0.5), (3, 2))
    ]
    assert shown == [0, 50, 0, 100]


def test_the_least_work_is_not_rounded_to_rest() -> None:
    """A tick of the kernel's in a second is one percent, a part of it as well."""
    meter = BusyMeter()
    meter.note(holder(), 0.0, 0)
    assert meter.note(holder(), 0.001, 1) == 1


def test_a_device_that_nobody_holds_is_at_rest_at_once() -> None:
    """What its last holder used in this second is nobody's; the next one begins at nothing."""
    meter = BusyMeter()
    meter.note(holder(), 0.0, 0)
    assert meter.note(holder(), 1.0, 1) == 100
    assert meter.note(None, 0.0, 1.1) == 0
    assert meter.note(holder(8), 50.0, 1.2) == 0


def test_the_page_shows_a_process_that_works_and_one_that_was_stopped() -> None:
    """Read by the observer's own instrument; a stopped holder is at rest, one that is gone is none."""
    with spinning("held") as process:
        taken = read_process(process.pid)
        page = DevicePage("emulated-1", lambda: taken)
        with closing(page), closing(DcgmPage(url=f"{page.address}/metrics")) as meter:
            wait_until(lambda: busy(meter) > 2)
            stop_and_wait(process.pid)
            ticks = cpu_ticks(process.pid)
            wait_until(lambda: busy(meter) == 0)
            assert cpu_ticks(process.pid) == ticks
            process.kill()
            process.wait()
            assert cpu_s_of(taken) == (None, 0.0)


def test_another_process_under_the_holders_number_is_not_the_holder() -> None:
    """It began at another instant: the device is free."""
    mine = read_process(os.getpid())
    assert mine is not None
    assert cpu_s_of(mine._replace(start_ticks=mine.start_ticks + 1)) == (None, 0.0)
    assert cpu_s_of(mine)[0] is not None


def test_only_the_page_itself_is_served() -> None:
    """Any other path answers 404, which is never at rest."""
    page = DevicePage("emulated-1", lambda: None)
    with (
        closing(page),
        closing(DcgmPage(url=f"{page.address}/other")) as meter,
        pytest.raises(Unavailable, match="404"),
    ):
        busy(meter)


def busy(meter: DcgmPage) -> Decimal:
    (shown,) = meter.read(Instant(0))
    assert (shown.device, shown.quantity) == ("emulated-1", "gpu-util")
    return shown.value
