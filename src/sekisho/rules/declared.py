"""From a logged run declaration to the request that the rules judge: the same step for issuer and auditor."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.model.amounts import format_flop, parse_flop
from sekisho.model.statements import EnrolledDevice, HostEnrolled, RunDeclared
from sekisho.rules.requests.training_run import (
    ChipsAsked,
    Cluster,
    DeclaredDevice,
    Origin,
    RunRequest,
)

__all__ = ["request_from_run"]

_DECLARED_BITS = 32  # a declared host CPU is counted at FP32; a table chip brings its own formats


def request_from_run(
    run: RunDeclared, hosts: Sequence[HostEnrolled], *, lineage_flop: int | None = None
) -> RunRequest:
    """What is asked of the rules for a declared run on enrolled hosts.

    The larger of both planned FLOP figures counts (the model's and the hardware's). A start from weights counts as
    origin unknown, the rule's worst case, unless the caller knows what its lineage has cost (`lineage_flop`).
    """
    planned = max(parse_flop(run.planned_flop), parse_flop(run.planned_flop_hardware))
    origin: Origin = "scratch" if run.lineage.scratch else "unknown"
    if not run.lineage.scratch and lineage_flop is not None:
        origin = "known"
    devices = [device for host in hosts for device in host.devices]
    return RunRequest(
        id=run.run,
        party=run.party,
        # Whoever declared none has not said where; that no law reaches the run is no fact.
        jurisdictions=run.jurisdictions or None,
        planned_flop=format_flop(planned),
        origin=origin,
        lineage_flop=format_flop(lineage_flop or 0) if origin == "known" else None,
        post_training=run.post_training,
        # The hosts of one run work on one task, and the chips of one host are co-located (Art. II.16).
        cluster=Cluster(chips=tuple(_asked(device) for device in devices), networked=True)
        if devices
        else None,
    )


def _asked(device: EnrolledDevice) -> ChipsAsked:
    declared = DeclaredDevice(
        peak_flop_per_s=device.peak_flop_per_s,
        bits=_DECLARED_BITS,
        memory_gb=_gigabytes(device.memory_bytes),
    )
    return ChipsAsked(
        chip=device.chip, count=1, declared=declared if device.basis == "declared" else None
    )


def _gigabytes(size: int | None) -> str | None:
    """Decimal gigabytes, rounded up to a whole number: an upper bound for the memory limb."""
    return None if size is None else str(-(-size // 10**9))
