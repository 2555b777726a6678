"""`sekisho charter host` and `retire-host`: draft a host's enrolment, and its leave, for whoever holds that power."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sekisho.cli.answer import AsJson
from sekisho.cli.choices import parse_choice
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.own_key import load_public
from sekisho.cli.surroundings import HomeFolder, LogPlace, PolicyFile, Sources, look
from sekisho.model.amounts import format_flop, parse_quantity
from sekisho.model.errors import InvalidInput, StateConflict

if TYPE_CHECKING:
    from sekisho.model.chips import Chip
    from sekisho.model.wire import JsonValue

__all__ = ["add_to"]

_DRIVERS: Final = ("process", "cgroup", "slurm", "kubernetes", "none")
_HostName = Annotated[str, typer.Option("--host", help="The host's name.")]
_Public = Annotated[str, typer.Option("--public", help="The host's public key: its .pub file.")]
_Organisation = Annotated[str, typer.Option("--organisation", help="Whose it is; public.")]
_Site = Annotated[str, typer.Option("--site", help="Where it stands.")]
_Jurisdiction = Annotated[str, typer.Option("--jurisdiction", help="As JP or US-CA.")]
_Devices = Annotated[
    list[str],
    typer.Option(
        "--device",
        help="NAME=CHIP for a chip of the table, NAME=CHIP:PEAK (FLOP a second) for a declared one; repeat.",
    ),
]
_Driver = Annotated[
    str, typer.Option("--driver", help="process, cgroup, slurm, kubernetes or none.")
]
_AgentDigest = Annotated[
    str,
    typer.Option(
        "--agent-digest",
        help="SHA-256 of the agent's release; that of this installation's agent if left out.",
    ),
]
_Counter = Annotated[
    str, typer.Option("--counter", help="C0; a TPM's tier comes by charter tpm enrol.")
]
_Canary = Annotated[str, typer.Option("--canary", help="The run that drills act on.")]


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command("host")(enrol_host)
    app.command("retire-host")(retire_host)


def enrol_host(
    context: typer.Context,
    *,
    host: _HostName,
    public: _Public,
    organisation: _Organisation,
    site: _Site,
    jurisdiction: _Jurisdiction,
    devices: _Devices,
    driver: _Driver,
    out: DraftOut,
    agent: _AgentDigest = "",
    counter: _Counter = "C0",
    canary: _Canary = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a host's enrolment with a counter in a file, for whoever may enrol hosts to sign and issue.

    A host that is enrolled again has this enrolment in the place of the earlier one; the page shows what changes.
    """
    from sekisho.agent.measuring import measure_agent
    from sekisho.model.statements import HostEnrolled
    from sekisho.model.wire import from_json

    if counter != "C0":
        raise InvalidInput(
            f"{counter[:40]!r} is not C0",
            path="--counter",
            remedy="C1 and C2 rest on a TPM's answer: sekisho charter tpm enrol",
        )
    known = parse_choice(driver, _DRIVERS, path="--driver", noun="driver")
    view = look(context, Sources(home=home, log=log, policy=policy))
    fields: dict[str, JsonValue] = {
        "effective": str(view.now),
        "host": host,
        "public": load_public(public).to_text(),
        "organisation": organisation,
        "site": site,
        "jurisdiction": jurisdiction,
        "devices": _devices(devices),
        "counter": counter,
        "driver": known,
        "agent": agent or measure_agent(),
        "canary": canary or None,
    }
    fact = from_json(HostEnrolled, fields, path="host-enrolled")
    deliver_draft(view, fact, Path(out), as_json=as_json)


def retire_host(
    context: typer.Context,
    *,
    host: _HostName,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is public.")],
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a host's leave: from its entry on the host's key says nothing. Whoever may enrol hosts signs it."""
    from sekisho.model.statements import HostRetired
    from sekisho.model.wire import from_json

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = view.footing.state
    if state is not None and host not in state.regime.hosts:
        raise StateConflict(
            f"host {host[:80]} is not enrolled", remedy="there is nothing to retire"
        )
    fact = from_json(
        HostRetired,
        {"effective": str(view.now), "host": host, "reason": reason},
        path="host-retired",
    )
    deliver_draft(view, fact, Path(out), as_json=as_json)


def _devices(texts: list[str]) -> list[JsonValue]:
    """The devices in the order given, each name once. Raises InvalidInput."""
    found = [_device(text) for text in texts]
    names = [str(device["device"]) for device in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{twice[:80]!r} stands twice", path="--device")
    return [*found]


def _device(text: str) -> dict[str, JsonValue]:
    """NAME=CHIP[:PEAK]; without a peak the chip table gives the fastest dense one, since it is to bound."""
    from sekisho.model.chips import known_chips

    name, equals, rest = text.partition("=")
    chip, colon, peak = rest.rpartition(":")
    if not (name and equals and rest and (chip or not colon)):
        raise InvalidInput(
            f"{text[:80]!r} is not NAME=CHIP[:PEAK]",
            path="--device",
            remedy="write 'GPU-1=NVIDIA H100 SXM', or 'host-1/cpu=host CPU, 8 cores:1e12'",
        )
    if colon:
        flop = format_flop(parse_quantity(peak, path="--device"))
        return {"device": name, "chip": chip, "peak_flop_per_s": flop, "basis": "declared"}
    known = known_chips().find(rest)
    if known is None:
        near = ", ".join(known_chips().nearest(rest))
        raise InvalidInput(
            f"no chip of the table is called {rest[:80]!r}",
            path="--device",
            remedy=f"meant is perhaps {near}; else give its peak: NAME=CHIP:PEAK"
            if near
            else "give its peak: NAME=CHIP:PEAK",
        )
    return {"device": name, **_from_table(known)}


def _from_table(chip: Chip) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "chip": chip.name,
        "peak_flop_per_s": format_flop(chip.fastest_peak_flop_per_s),
        "basis": "table",
    }
    if chip.memory_gb is not None:
        found["memory_bytes"] = int(chip.memory_gb * 10**9)
    return found
