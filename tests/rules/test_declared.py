"""From a logged declaration to a request: the larger figure, the worst origin, one cluster."""

from __future__ import annotations

import pytest

from sekisho.model.instants import Instant
from sekisho.model.statements import EnrolledDevice, HostEnrolled, RunDeclared
from sekisho.model.statements.licensing import Lineage
from sekisho.model.statements.shapes import Span
from sekisho.rules import decide, load_pack, request_from_run

AT = Instant.parse("2026-09-01T00:00:00Z")


def run(*, scratch: bool = True, flop: str = "100", hardware: str = "200") -> RunDeclared:
    """A declared run; FLOP by the model and by the hardware."""
    return RunDeclared(
        effective=AT,
        run="run-1",
        party="party-1",
        site="site-1",
        jurisdictions=("JP",),
        purpose="a test",
        lineage=Lineage(scratch=scratch, parents=() if scratch else ("ab" * 32,)),
        chips=(),
        hosts=("host-1",),
        planned_flop=flop,
        planned_flop_hardware=hardware,
        period=Span(start=AT, end=AT.plus(60)),
    )


def host(chip: str, count: int, *, declared: bool = False) -> HostEnrolled:
    """A host with so many devices of one chip."""
    devices = tuple(
        EnrolledDevice(
            device=f"d{number}",
            chip=chip,
            peak_flop_per_s="1000000000000",
            basis="declared" if declared else "table",
            memory_bytes=0,
        )
        for number in range(count)
    )
    return HostEnrolled(
        effective=AT,
        host="host-1",
        public="A" * 44,
        organisation="o",
        site="site-1",
        jurisdiction="JP",
        devices=devices,
        counter="C0",
        driver="process",
        agent="ab" * 32,
    )


def test_the_larger_of_both_planned_figures_counts() -> None:
    """The model's count must not hide the hardware's, nor the other way round."""
    assert request_from_run(run(), []).planned_flop == "200"
    assert request_from_run(run(flop="300"), []).planned_flop == "300"


def test_a_start_from_weights_is_the_worst_case_unless_its_cost_is_known() -> None:
    """Unknown origin is denied; a known lineage is added, zero included."""
    hosts = [host("H100", 8)]
    assert decide(request_from_run(run(scratch=False), hosts), load_pack(), AT).decision == "deny"
    for spent, word in ((0, "permit"), (10**22, "licence")):
        request = request_from_run(run(scratch=False), hosts, lineage_flop=spent)
        assert request.lineage_flop == str(spent)
        assert decide(request, load_pack(), AT).decision == word


@pytest.mark.parametrize(("count", "word"), [(16, "permit"), (17, "report")])
def test_the_chips_of_one_host_are_one_cluster(count: int, word: str) -> None:
    """Co-located chips are networked, also in a single large host."""
    request = request_from_run(run(), [host("NVIDIA H100-SXM5-80GB", count)])
    assert decide(request, load_pack(), AT).decision == word


def test_a_declared_host_cpu_is_counted_as_declared() -> None:
    """A small canary on a CPU is permitted, and the trace says whose figure it is."""
    request = request_from_run(run(), [host("host-cpu", 1, declared=True)])
    answer = decide(request, load_pack(), AT)
    assert answer.decision == "permit"
    notes = [note for step in answer.trace for limb in step.limbs for note in limb.notes]
    assert "host-cpu: as declared" in notes
