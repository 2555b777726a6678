"""`python bench/rules_rates.py [--requests N]`: how many requests a second are decided under the full US pack.

From decoded requests to reasons, on one core, processor time, a thousand requests a turn; the first turns fill what a
judge keeps and are not counted. Transfers come from the made-up population of `rules diff`, always the same. Beside
each turn cedarpy decides the same requests by the same limbs and thresholds, its policies parsed once; it answers with
the ids of the policies that decided, so its rival is the answer with reasons and without trace. Where Cedar forbids
what we do not, or the other way round, nothing is printed: a wrong answer is no fast one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import cedarpy
import msgspec
from row import Row, Target, row_of
from rules_cedar import cedar_policies, cedar_request

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Judge, Pack, Request, TransferRequest, decide_plainly, load_pack
from sekisho.rules.logic import World
from sekisho.rules.what_if import sample_population

__all__ = ["measure_rates"]

AT = parse_date_or_instant("2026-02-01")
SEED = 5
TURN, WARM = 1000, 4
Way: TypeAlias = Callable[[Sequence[Any]], object]
REASONS, TRACED = Target(least=30_000), Target(least=15_000)


def measure_rates(count: int) -> list[Row]:
    """The rows of the table; each figure has its own requests and its own judge, so that none warms another's."""
    pack = load_pack("us-ear")
    turns = max(1, count // TURN) + WARM
    requests = _transfers(pack, 3 * turns * TURN)
    cedar = _Cedar(pack)
    _check(Judge(pack, AT), cedar, requests[: TURN // 2])
    found: list[list[float]] = [[], [], [], []]
    ways = _ways(pack)
    for number in range(turns):
        slices = [requests[(3 * number + n) * TURN :][:TURN] for n in range(3)]
        for rates, way, turn in zip(found, ways, slices, strict=False):
            rates.append(_rate(way, turn))
        found[3].append(_rate(cedar.decide, [cedar.request(one) for one in slices[0]]))
    plainly = [_rate(_plain_way(pack), requests[:100])]
    return _rows(pack, cedar, [rates[WARM:] for rates in found], plainly)


def _ways(pack: Pack) -> list[Way]:
    """Reasons without trace, with it, and the bare word."""
    first, second, third = (Judge(pack, AT) for _ in range(3))
    return [
        lambda turn: [first.decide(one, trace=False) for one in turn],
        lambda turn: [second.decide(one) for one in turn],
        lambda turn: [third.word(one) for one in turn],
    ]


def _plain_way(pack: Pack) -> Way:
    return lambda turn: [decide_plainly(one, pack, AT) for one in turn]


def _rows(
    pack: Pack, cedar: _Cedar, counted: Sequence[list[float]], plainly: list[float]
) -> list[Row]:
    reasons, traced, words, theirs = counted
    ours = row_of(
        "rules: transfers under us-ear, reasons, no trace",
        "/s",
        reasons,
        REASONS,
    )
    rival = row_of("  cedarpy: the same limbs as policies", "/s", theirs)
    times = (ours.median or 0) / (rival.median or 1)
    return [
        msgspec.structs.replace(ours, note=f"{len(pack.rules)} rules; {times:.1f} x cedarpy"),
        row_of("  with the trace of every rule and definition", "/s", traced, TRACED),
        row_of("  the answer and the ids of its rules alone", "/s", words),
        msgspec.structs.replace(rival, note=f"{cedar.policies} policies"),
        row_of("  the plain way that auditors run", "/s", plainly),
    ]


class _Cedar:
    """The rival: policies parsed once, no entities."""

    def __init__(self, pack: Pack) -> None:
        world = World(
            facts={},
            parameters=pack.parameters,
            sets=pack.sets,
            definitions=pack.definitions,
            at=AT,
            as_of=None,
        )
        text, self.policies = cedar_policies(pack, world, "transfer")
        self._pack = pack
        self._parsed = cedarpy.PolicySet.from_str(text)
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._names = [line.split('"')[1] for line in text.splitlines() if line.startswith("@id")]

    def request(self, request: Request) -> dict[str, object]:
        return cedar_request(request, self._pack)

    def decide(self, requests: Sequence[dict[str, object]]) -> list[cedarpy.AuthzResult]:
        return cedarpy.is_authorized_batch(list(requests), self._parsed, self._entities)

    def forbidden_by(self, requests: Sequence[dict[str, object]]) -> list[set[str]]:
        """The rules that forbid each request."""
        answers = self.decide(requests)
        if any(answer.diagnostics.errors for answer in answers):
            raise RuntimeError(f"Cedar: {answers[0].diagnostics.errors}")
        return [
            set() if answer.allowed else {self._name(one) for one in answer.diagnostics.reasons}
            for answer in answers
        ]

    def _name(self, policy: str) -> str:
        """Cedar numbers policies in their order; the first is the general permission."""
        number = policy.removeprefix("policy")
        return self._names[int(number) - 1] if number.isdigit() else policy


def _check(judge: Judge, cedar: _Cedar, requests: Sequence[Request]) -> None:
    """What we hold to be forbidden Cedar forbids, and for what we know not to be it gives no rule."""
    theirs = cedar.forbidden_by([cedar.request(request) for request in requests])
    for request, found in zip(requests, theirs, strict=True):
        trace = judge.decide(request).trace
        ours = [one for one in trace if one.outcome in ("licence", "deny")]
        known = {one.rule: one.truth for one in ours if one.truth in ("true", "false")}
        differing = {name for name, truth in known.items() if (truth == "true") != (name in found)}
        if differing:
            raise RuntimeError(f"{request.id}: Cedar and we differ on {sorted(differing)}")


def _transfers(pack: Pack, count: int) -> list[Request]:
    """The first transfers of the population."""
    found: list[Request] = []
    for row in sample_population(4 * count, SEED, pack.quantities):
        if row.get("kind") == "transfer":
            found.append(msgspec.convert(row, TransferRequest))
            if len(found) == count:
                break
    return found


def _rate(way: Way, turn: Sequence[Any]) -> float:
    began = time.process_time()
    way(turn)
    return len(turn) / (time.process_time() - began)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000)
    for row in measure_rates(parser.parse_args().requests):
        print(
            f"{row.what}: median {row.median:,.0f}{row.unit} of {row.n} turns {row.note} {row.verdict}"
        )


if __name__ == "__main__":
    main()
