"""Decisions: the strictest rule wins, missing facts make it unsure only where they could raise it."""

from __future__ import annotations

import itertools

import pytest

from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.model.wire import to_plain
from sekisho.rules import (
    ChipsAsked,
    Cluster,
    Decision,
    Pack,
    RunRequest,
    decide,
    load_pack,
    parse_pack,
)

AT = parse_date_or_instant("2026-09-01")
SMALL = Cluster(chips=(ChipsAsked(chip="H100", count=8),), networked=True)
SEVERITY = {"permit": 0, "report": 1, "licence": 2, "deny": 3}


def pack_of(*rules: tuple[str, str]) -> Pack:
    """A pack with one rule for each (outcome, flag limb's truth): true, false or unknown."""
    limbs = {
        "true": "{quantity: cluster_networked, op: is, value: true}",
        "false": "{quantity: cluster_networked, op: is, value: false}",
        "unknown": "{quantity: post_training, op: is, value: true}",
    }
    text = (
        "pack: p\nversion: '1'\ntitle: t\nnote: n\nsources: {law: {title: t, where: w, mark: O}}\n"
    )
    text += "parameters:\n  x: {unit: GB, means: m, values: "
    text += "[{from: 2020-01-01, value: 1, source: law, cite: c, mark: O}]}\nrules:\n"
    for number, (outcome, truth) in enumerate(rules):
        text += (
            f"  - id: r{number}\n    cite: c\n    binding: b\n    duty: d\n    outcome: {outcome}\n"
        )
        text += f"    when: {limbs[truth]}\n    status: [{{from: 2020-01-01, status: in force, "
        text += "acts: true, source: law, cite: c, mark: O}]\n"
    return parse_pack(text, "p.yaml")


def judged(*rules: tuple[str, str]) -> Decision:
    """The decision on one fixed request, which leaves post_training open."""
    return decide(RunRequest(id="r", origin="known", cluster=SMALL), pack_of(*rules), AT)


@pytest.mark.parametrize(
    "rules",
    list(
        itertools.product(
            itertools.product(["report", "licence", "deny"], ["true", "false", "unknown"]), repeat=2
        )
    ),
    ids=str,
)
def test_an_open_rule_matters_only_where_it_could_raise_the_severity(
    rules: tuple[tuple[str, str], ...],
) -> None:
    """Compared with every way in which the missing fact could turn out."""
    answer = judged(*rules).decision
    worlds = []
    for turned in ("true", "false"):
        held = [
            outcome
            for outcome, truth in rules
            if truth == "true" or (truth, turned) == ("unknown", "true")
        ]
        worlds.append(max((SEVERITY[outcome] for outcome in held), default=0))
    expected = next(word for word, rank in SEVERITY.items() if rank == worlds[0])
    assert answer == (expected if worlds[0] == worlds[1] else "unsure")


def test_a_definite_deny_stays_a_deny_whatever_is_missing() -> None:
    """Even beside a rule that asks for a person."""
    assert judged(("deny", "true"), ("unsure", "true"), ("deny", "unknown")).decision == "deny"


def test_a_rule_that_asks_for_a_person_makes_it_unsure() -> None:
    """Its outcome could be anything up to a deny."""
    answer = judged(("licence", "true"), ("unsure", "true"))
    assert answer.decision == "unsure"
    assert [rule.id for rule in answer.rules] == ["r0", "r1"]
    assert answer.missing == ()


def test_an_unsure_answer_names_what_would_settle_it() -> None:
    """And the rule that is open."""
    answer = judged(("report", "true"), ("licence", "unknown"))
    assert answer.decision == "unsure"
    assert answer.missing == ("post_training",)
    assert [(rule.id, rule.truth) for rule in answer.rules] == [("r0", "true"), ("r1", "unknown")]


def test_a_pack_that_says_nothing_on_the_date_leaves_it_unsure() -> None:
    """Before its first rule nothing is permitted; the trace says why each rule does not act."""
    answer = decide(RunRequest(id="r"), load_pack(), parse_date_or_instant("2020-01-01"))
    assert answer.decision == "unsure"
    assert answer.missing == ("loop-2026 says nothing about training runs on that date",)
    assert answer.rules == ()
    assert {step.truth for step in answer.trace} == {"not in force"}
    assert all(step.note == "no status on that date" for step in answer.trace)


def test_a_decision_carries_policy_rule_limb_and_trace() -> None:
    """The wire form of interfaces: id, decision, rules with cite, quantity, threshold; policy; trace."""
    request = RunRequest(id="run-7", planned_flop=str(10**24 + 1), origin="scratch", cluster=SMALL)
    answer = decide(request, load_pack(), AT)
    plain = to_plain(answer)
    assert isinstance(plain, dict)
    assert plain["id"] == "run-7"
    assert plain["decision"] == "deny"
    assert plain["policy"] == to_plain(load_pack().reference)
    assert plain["at"] == "2026-09-01T00:00:00Z"
    first = answer.rules[0]
    assert (first.id, first.quantity, first.threshold) == (
        "treaty-strict-training",
        "run_flop",
        str(10**24),
    )
    assert first.value == str(10**24 + 1)
    assert "Art. II.8" in first.cite
    assert first.status == "draft"
    assert "adopts this pack" in first.binding
    assert len(answer.trace) == len(load_pack().rules)


def test_a_recalled_chip_value_is_named_in_the_trace() -> None:
    """Memory of the L40S is recalled: it counts, and says that it is to be verified."""
    cluster = Cluster(chips=(ChipsAsked(chip="L40S", count=40),), networked=True)
    request = RunRequest(id="r", planned_flop="1", origin="scratch", cluster=cluster)
    answer = decide(request, load_pack(), AT)
    assert answer.decision == "report"
    notes = [note for step in answer.trace for limb in step.limbs for note in limb.notes]
    assert "L40S: memory is recalled, to be verified" in notes


def test_a_parameter_without_a_value_on_the_date_leaves_an_acting_rule_open() -> None:
    """The rule acts, its threshold has ended: unsure, never a silent permit."""
    text = (
        "pack: p\nversion: '1'\ntitle: t\nnote: n\nsources: {law: {title: t, where: w, mark: O}}\n"
        "parameters:\n  x: {unit: FLOP, means: m, values: "
        "[{from: 2020-01-01, to: 2021-01-01, value: 1, source: law, cite: c, mark: O}]}\n"
        "rules:\n  - {id: r, cite: c, binding: b, duty: d, outcome: deny,\n"
        "     when: {quantity: run_flop, op: '>', parameter: x, unit: FLOP},\n"
        "     status: [{from: 2020-01-01, status: in force, acts: true, source: law, cite: c, mark: O}]}\n"
    )
    answer = decide(RunRequest(id="r", planned_flop="0"), parse_pack(text, "p.yaml"), AT)
    assert answer.decision == "unsure"
    assert answer.missing == ("parameter x on that date",)


def test_deciding_reads_no_clock() -> None:
    """The same arguments give the same answer, byte for byte."""
    request = RunRequest(id="r", planned_flop="5")
    assert decide(request, load_pack(), Instant(0)) == decide(request, load_pack(), Instant(0))
