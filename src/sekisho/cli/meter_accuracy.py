"""`sekisho meter accuracy`: how wrong estimates are, by what was left out, with n and what the count proves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import Answer, AsJson, deliver

if TYPE_CHECKING:
    from sekisho.metering import Accuracy, Split
    from sekisho.metering.tier_accuracy import TierAccuracy

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Hang the command into the group."""
    app.command(name="accuracy")(accuracy)


def accuracy(
    is_generated: Annotated[
        bool,
        typer.Option(
            "--generated",
            help="Hold tiers 0, 1 and 2 against generated workloads of known truth instead; takes seconds.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """How far estimates are off where the truth is known, with systems, scales, chips or families left out whole."""
    deliver(_generated() if is_generated else _runs(), as_json=as_json)


def _runs() -> Answer:
    from sekisho.metering import measure_accuracy
    from sekisho.metering.accuracy import CAUTION

    splits: list[Split] = ["system", "scale", "chip"]
    found = [measure_accuracy(split) for split in splits]
    return Answer(document=found, text="\n".join([*map(_run_text, found), CAUTION]))


def _run_text(a: Accuracy) -> str:
    return (
        f"leave one {a.split} out ({a.population}, n = {a.runs}, {a.groups} groups): "
        f"median error {a.median_error:.1%}, worst {a.worst_error:.1%}\n"
        f"  interval holds {a.coverage}; whole groups {a.group_coverage}; "
        f"high over low {a.median_width:.2f}, at most {a.widest:.2f}\n"
        f"  bound holds {a.held_by_bound} of {a.runs}"
    )


def _generated() -> Answer:
    from sekisho.metering.tier_accuracy import CAUTION, generate_corpus, measure_tiers

    found = measure_tiers(generate_corpus(watch=_watched))
    lines = [_tier_text(a) for a in found if a.tier == "2" or a.reading == found[0].reading]
    lines += [_family_text(a) for a in found if a.tier == "2"][:1]
    return Answer(document=found, text="\n".join([*lines, CAUTION]))


def _tier_text(a: TierAccuracy) -> str:
    width = "begins at nothing" if a.median_width is None else f"{a.median_width:.1f}"
    return (
        f"tier {a.tier}, {a.reading} ({a.population}, n = {a.n}, {a.families} families): median error "
        f"{a.median_error:.1%}, within a tenth {a.within_tenth} of {a.n}\n"
        f"  interval holds {a.coverage}; whole families {a.family_coverage}\n"
        f"  high over low, median: {width}; bound holds {a.bound_held} of {a.n}"
    )


def _family_text(a: TierAccuracy) -> str:
    lines = [f"tier {a.tier}, {a.reading}, by family (error of the best figure, interval holds):"]
    lines += [
        f"  {f.family:24} median {f.median_error:+8.1%}, worst {f.worst_error:+8.1%}, {f.held} of {f.n}"
        for f in a.by_family
    ]
    return "\n".join(lines)


def _watched(names: Iterable[str]) -> Iterator[str]:
    """The names of families, with a bar on the terminal."""
    from sekisho.cli.progress import bar

    known = list(names)
    with bar("generating workloads") as show:
        for done, name in enumerate(known):
            show(done, len(known))
            yield name
