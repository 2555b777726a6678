"""What can be stopped, and shown, where: one row for each way of renting accelerators and each party to it.

The one table: `sekisho agent means` prints it, docs/guide/enforcement.md repeats it and is held to it by a test. The
words stand in the catalogue under `means.`. Rows say what this product can do there, reasoned from what each party
controls; `tried` says how much of that anybody has run.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from sekisho.ports.counter import CounterTier

__all__ = ["ACTORS", "MEANS", "WAYS", "Actor", "Means", "Stop", "Tried", "Way"]

Way: TypeAlias = Literal[
    "managed-slurm",
    "own-slurm",
    "managed-kubernetes",
    "own-kubernetes",
    "passthrough-vm",
    "bare-metal",
    "confidential-vm",
]
Actor: TypeAlias = Literal["operator", "tenant", "provider"]
Stop: TypeAlias = Literal["gate", "suspend", "requeue", "freeze", "end", "power"]
Tried: TypeAlias = Literal["real", "emulated", "not"]
Measured: TypeAlias = Literal["0", "1", "2", "3"]

WAYS: Final[tuple[Way, ...]] = get_args(Way)
ACTORS: Final[tuple[Actor, ...]] = get_args(Actor)


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What one party can do in one way of renting.

    `stops` is empty where there is none. `counter` is the best tier of counter that a licence can rest on there, and
    `measured` the best tier of metering, None for none.
    """

    way: Way
    actor: Actor
    stops: tuple[Stop, ...]
    counter: CounterTier | None
    measured: Measured | None
    tried: Tried

    @property
    def why(self) -> str:
        """The key of the reason in the catalogue."""
        return f"means.why.{self.way}.{self.actor}"


def _row(  # one row of a table
    way: Way,
    actor: Actor,
    stops: str,
    counter: CounterTier | None,
    measured: Measured | None,
    tried: Tried,
) -> Means:
    return msgspec.convert(
        {
            "way": way,
            "actor": actor,
            "stops": stops.split(),
            "counter": counter,
            "measured": measured,
            "tried": tried,
        },
        Means,
    )


MEANS: Final[tuple[Means, ...]] = (
    _row("managed-slurm", "operator", "", None, None, "not"),
    _row("managed-slurm", "tenant", "end", None, "1", "not"),
    _row("managed-slurm", "provider", "gate suspend requeue end power", "C2", "2", "not"),
    _row("own-slurm", "operator", "gate suspend requeue end", "C2", "2", "real"),
    _row("own-slurm", "tenant", "end", None, "1", "not"),
    _row("own-slurm", "provider", "power", None, "0", "not"),
    _row("managed-kubernetes", "operator", "gate end", "C0", "2", "emulated"),
    _row("managed-kubernetes", "tenant", "end", None, None, "not"),
    _row("managed-kubernetes", "provider", "end power", None, "0", "not"),
    _row("own-kubernetes", "operator", "gate end", "C2", "2", "emulated"),
    _row("own-kubernetes", "tenant", "end", None, None, "not"),
    _row("own-kubernetes", "provider", "power", None, "0", "not"),
    _row("passthrough-vm", "operator", "freeze end", "C1", "2", "emulated"),
    _row("passthrough-vm", "tenant", "freeze end", "C1", "2", "emulated"),
    _row("passthrough-vm", "provider", "power", None, "0", "not"),
    _row("bare-metal", "operator", "freeze end", "C2", "2", "real"),
    _row("bare-metal", "tenant", "freeze end", "C2", "2", "real"),
    _row("bare-metal", "provider", "power", None, "0", "not"),
    _row("confidential-vm", "operator", "freeze end", "C1", "3", "not"),
    _row("confidential-vm", "tenant", "freeze end", "C1", "3", "not"),
    _row("confidential-vm", "provider", "power", None, "0", "not"),
)
