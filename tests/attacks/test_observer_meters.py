"""Attacks on instruments beside the process table: silence, old figures, and levels of rest that call all work rest."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest

from sekisho.model.errors import SekishoError, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.statements import InstrumentReading
from sekisho.observer.instruments import Panel
from sekisho.observer.process_table import read_process_table
from sekisho.observer.seeing import Surveyor
from sekisho.observer.settings import InstrumentSettings, RestLevel
from sekisho.ports.instruments import InstrumentKind, Quantity, Shown
from tests.factory import NOW
from tests.observing import halted_rig, observe_with
from tests.observing import judged as judged_of
from tests.orders.test_halts import challenge, judged, observation

RUN = "metered-run-2209"


class Gauge:
    """An instrument that shows what it is told, look after look; an error where it is told one."""

    def __init__(self, *looks: tuple[Shown, ...] | SekishoError) -> None:
        self._looks = list(looks)

    def read(self, since: Instant) -> tuple[Shown, ...]:
        del since
        look = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        if isinstance(look, SekishoError):
            raise look
        return look

    def close(self) -> None:
        pass


def util(percent: str, device: str = "GPU-a", *holders: int) -> tuple[Shown, ...]:
    return (
        Shown(quantity="gpu-util", value=Decimal(percent), device=device, holders=tuple(holders)),
    )


def surveyor(
    gauge: Gauge,
    kind: InstrumentKind = "nvml",
    quantity: Quantity = "gpu-util",
    host: str | None = None,
) -> Surveyor:
    level = RestLevel(quantity=quantity, value="2", reason="idle cards of this site show 0")
    settings = InstrumentSettings(instrument=kind, at_rest=(level,), ready_after_s=0, host=host)
    return Surveyor(read_process_table, panel=Panel([(settings, gauge)]))


def shown(at: float, value: str, **more: object) -> InstrumentReading:
    """A meter's reading so many seconds after the receipt."""
    fields: dict[str, object] = {
        "at": NOW.plus(at),
        "instrument": "facility-power",
        "quantity": "power",
        "value": value,
        "unit": "W",
        "at_rest": "400",
        **more,
    }
    return InstrumentReading(**fields)  # type: ignore[arg-type]  # the test's own fields


QUIET = (shown(2, "350"), shown(7.4, "340"))


def test_work_that_only_a_meter_sees_is_contradicted() -> None:
    """Hidden from the process table, on a device all the same, in one look of four."""
    rig = halted_rig(RUN)
    made = observe_with(rig, surveyor(Gauge(util("0"), util("0"), util("97"), util("0"))))

    assert made.work_cpu_ms == 0
    verdict = judged_of(rig, made)
    assert verdict.degree == "contradicted"
    assert "NVML gpu-util of GPU-a showed 97 percent" in verdict.reasons[0]
    assert "at rest is up to 2 percent" in verdict.reasons[0]


@pytest.mark.parametrize(("host", "is_its"), [("host-2", False), ("host-1", True)])
def test_a_meter_of_another_host_says_nothing_of_this_one(host: str, is_its: bool) -> None:
    """One observer over several hosts: what works next door neither contradicts this halt nor bears it out."""
    rig = halted_rig(RUN)
    made = observe_with(rig, surveyor(Gauge(util("97", "GPU-a", os.getppid())), host=host))
    assert bool(made.instruments) is is_its
    assert ("idle cards" in made.means) is is_its
    assert (judged_of(rig, made).degree == "contradicted") is is_its


def test_an_instrument_that_does_not_answer_is_named_and_never_at_rest() -> None:
    """Silence is a limit: no verdict rests on it."""
    rig = halted_rig(RUN)
    made = observe_with(rig, surveyor(Gauge(Unavailable("the driver was unloaded"))))

    assert made.instruments == ()
    assert any("nvml did not answer: the driver was unloaded" in limit for limit in made.limits)
    assert not any("at rest" in reason for reason in judged_of(rig, made).reasons)


def test_an_instrument_that_shows_fewer_devices_than_enrolled_says_so() -> None:
    """A device that was taken out of sight is no device at rest."""
    rig = halted_rig(RUN)
    made = observe_with(rig, surveyor(Gauge((Shown(quantity="gpu-util", value=Decimal(0)),))))

    assert any("shows 0 of 1 enrolled devices" in limit for limit in made.limits)


def test_a_meter_at_rest_is_named_as_what_bears_the_halt_out() -> None:
    """Corroborated by observer and meter, in words."""
    verdict = judged(observed=observation(instruments=QUIET))
    assert verdict.degree == "corroborated"
    assert verdict.reasons[1] == (
        "corroborated by observer and facility meter (power of the whole host), all at rest"
    )


def test_a_meter_above_rest_contradicts_whatever_the_device_answers() -> None:
    """One reading is enough, and a filled memory does not mend it."""
    seen = observation(instruments=(*QUIET, shown(5, "401")))
    for verdict in (judged(observed=seen), judged(challenge(), observed=seen)):
        assert verdict.degree == "contradicted"
        assert "facility meter power showed 401 W" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("readings", "why"),
    [
        ((shown(-60, "350"), shown(-1, "9000")), "older than the receipt"),
        ((shown(11, "9000"),), "dated after the observation"),
        ((shown(2, "-5"), shown(7.4, "-5")), "below zero"),
        ((shown(2, "9", unit="percent"), shown(7.4, "9", unit="percent")), "not measured in"),
        (
            (
                shown(2, "99", quantity="gpu-util", unit="percent", at_rest="100"),
                shown(7.4, "99", quantity="gpu-util", unit="percent", at_rest="100"),
            ),
            "calls everything at rest",
        ),
        ((shown(2, "350"), shown(6.9, "350")), "4.9 s only, five are asked"),
    ],
    ids=["stale", "from the future", "below zero", "wrong unit", "rest at the whole", "4.9 s"],
)
def test_a_stale_or_malformed_figure_counts_for_nothing(
    readings: tuple[InstrumentReading, ...], why: str
) -> None:
    """Neither for the halt nor against it; the verdict says why."""
    verdict = judged(observed=observation(instruments=readings))
    assert verdict.degree == "corroborated"
    assert not any("all at rest" in reason for reason in verdict.reasons)
    assert any(why in reason for reason in verdict.reasons)


def test_a_process_on_a_device_that_nobody_named_is_work() -> None:
    """The device's own list of holders names it, whatever it is called."""
    rig = halted_rig(RUN)
    parent = os.getppid()
    made = observe_with(rig, surveyor(Gauge(util("0", "GPU-a", parent))))

    assert made.readings[-1].processes >= 1
    assert judged_of(rig, made).degree == "contradicted"
