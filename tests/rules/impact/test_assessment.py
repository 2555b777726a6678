"""What the rules come to for a company: three verdicts, and what is unknown never turns into no."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.rules import load_pack
from sekisho.rules.impact import (
    QUESTIONS,
    Answer,
    Impact,
    assess,
    result_digest,
    rules_that,
)
from tests.rules.impact.companies import AT, exporter, host, maker, packs, provider

Company = Callable[..., dict[str, Answer]]
COMPANIES: tuple[Company, ...] = (maker, exporter, provider, host)


def impact(answers: dict[str, Answer], at: Instant = AT) -> Impact:
    return assess(answers, packs(), at)


def test_a_small_manufacturer_is_not_affected() -> None:
    """8 H100, 30 days, Japan, no export; with the factor to the nearest threshold, and nothing to pay."""
    found = impact(maker(use="train"))
    assert found.verdict == "not-affected"
    assert found.find_out == ()
    assert found.cost.lines == ()
    assert found.cost.total == ("0", "0", "0")
    line = next(one for one in found.scope if one.rule == "eu-gpai-provider")
    assert (line.touches, line.because) == ("no", "elsewhere")
    assert (line.share, line.bound_share) == ("0.082074", "0.410366")
    assert line.mark == "S"
    assert {contact.id for contact in found.contacts} >= {"jp-meti", "jp-bureau", "cloud-desk"}


def test_a_maker_that_fine_tunes_a_public_model_is_not_affected() -> None:
    """A third of the model's own compute is far away."""
    assert impact(maker(markets=("JP", "DE"))).verdict == "not-affected"


def test_a_company_that_ships_h100_servers_to_china_is_affected() -> None:
    """A licence by the rule on destinations, with its duties in money and the authority among the contacts."""
    found = impact(exporter())
    assert found.verdict == "affected"
    assert "us-ear/advanced-to-d-groups" in rules_that(found, "yes")
    line = next(one for one in found.scope if one.rule == "advanced-to-d-groups")
    assert (line.outcome, line.threshold, line.figure) == ("licence", "4800", "15832")
    assert found.cost.lines
    assert not found.cost.complete
    assert "us-bis" in {contact.id for contact in found.contacts}


def test_an_unknown_end_user_cannot_be_told() -> None:
    """And what to find out next is who it is."""
    found = impact(exporter(export_to=("MY",), end_user_known=False))
    assert found.verdict == "unsure"
    assert "end_user_known" in {one.question for one in found.find_out}
    assert rules_that(found, "unsure")


def test_who_answers_nothing_is_not_told_that_nothing_touches() -> None:
    """Every question comes back as something to find out."""
    found = impact({})
    assert found.verdict == "unsure"
    assert {"use", "exports", "offers_cloud"} <= {one.question for one in found.find_out}


def test_a_bound_above_and_an_estimate_below_is_unsure_with_its_reason() -> None:
    """24 H100 for 30 days in the EU: 1.2e23 FLOP at full use of FP8, 2.5e22 as estimated; the criterion is 1e23."""
    answers = maker(use="train", markets=("DE",), chip_count="24", utilisation="40")
    found = impact(answers)
    assert found.verdict == "unsure"
    line = next(one for one in found.scope if one.rule == "eu-gpai-provider")
    assert line.only_at_bound
    assert line.touches == "unsure"
    assert "measured" in {one.fact for one in found.find_out}
    certain = impact({**answers, "chip_count": "120"})
    assert certain.verdict == "affected"


def test_drafts_and_reforms_stand_apart_and_change_no_verdict() -> None:
    """The treaty draft's 1e22 would touch the small manufacturer; it binds nobody."""
    found = impact(maker(use="train"))
    would = [line for line in found.scope if line.touches == "would"]
    assert {line.standing for line in would} <= {"draft", "reform"}
    assert "treaty-2511" in {line.pack for line in would}
    with_loop = assess(maker(use="train"), (*packs(), load_pack("loop-2026")), AT)
    assert with_loop.verdict == "not-affected"


def test_a_reform_that_repeats_its_base_says_nothing_twice() -> None:
    """Only what the overlay would change is shown of it."""
    found = impact(exporter())
    base = {
        (one.role, one.rule) for one in found.scope if one.pack == "us-ear" and one.touches == "yes"
    }
    reform = {(one.role, one.rule) for one in found.scope if one.pack == "us-diffusion-tightened"}
    assert base
    assert not base & reform


def test_before_all_law_that_the_packs_know_nobody_can_tell() -> None:
    """A date before the first rule is no licence to say no."""
    assert impact(maker(), Instant.parse("2010-01-01T00:00:00Z")).verdict == "unsure"


def test_answers_to_questions_that_are_closed_do_not_count() -> None:
    """What was typed before the gate was closed is not asked of the rules."""
    leftover = {**maker(), "export_to": ("CN",), "export_chip": "H100", "end_use": ("wmd",)}
    assert result_digest(impact(leftover)) == result_digest(impact(maker()))


def test_one_request_for_each_destination_each_item() -> None:
    """Nothing is summed over countries."""
    found = impact(exporter(export_items=("chips", "servers"), export_to=("CN", "KR", "SG")))
    shipped = [one.request.id for one in found.requests if one.role == "transfer"]
    assert len(shipped) == len(set(shipped)) == 6


def test_a_server_without_a_count_of_chips_has_no_amount() -> None:
    """The class is known, the sums are not."""
    (asked,) = (one for one in impact(exporter(chips_each=None)).requests if one.role == "transfer")
    assert getattr(asked.request, "count", 1) is None


def test_a_host_of_models_is_touched_while_the_order_stands_and_not_after() -> None:
    """The order of June 2026, by the day; a model whose name nobody told may be one of those."""
    assert impact(host(), Instant.parse("2026-06-20T00:00:00Z")).verdict == "unsure"
    assert impact(host()).verdict == "not-affected"


@pytest.mark.parametrize("company", COMPANIES)
def test_the_same_answers_give_the_same_result(company: Company) -> None:
    """Digest for digest."""
    assert result_digest(impact(company())) == result_digest(impact(company()))


RANKS = {"not-affected": 0, "unsure": 1, "affected": 1}


@given(st.sampled_from(COMPANIES), st.data())
def test_leaving_an_answer_out_never_turns_the_verdict_to_not_affected(
    company: Company, data: st.DataObject
) -> None:
    """Neither leaving out nor not knowing: for any company, any set of answers."""
    answers = data.draw(_varied(company()))
    whole = impact(answers)
    dropped = data.draw(st.sets(st.sampled_from(sorted(answers)), min_size=1))
    fewer = {name: answer for name, answer in answers.items() if name not in dropped}
    blurred = {name: None if name in dropped else answer for name, answer in answers.items()}
    for less in (impact(fewer), impact(blurred)):
        assert RANKS[whole.verdict] <= RANKS[less.verdict]


def _varied(answers: dict[str, Answer]) -> st.SearchStrategy[dict[str, Answer]]:
    """The company with some of its figures, places and yeses changed."""
    return st.fixed_dictionaries({name: _other(name, answer) for name, answer in answers.items()})


def _other(name: str, answer: Answer) -> st.SearchStrategy[Answer]:
    question = QUESTIONS[name]
    if question.kind == "yes-no":
        return st.sampled_from((answer, True, False))
    if question.kind == "choice":
        return st.sampled_from((answer, *question.options))
    if question.kind == "amount":
        return st.sampled_from((answer, "1", "90"))
    if question.kind == "countries":
        return st.sampled_from((answer, ("CN",), ("DE",), ("JP", "MY"), ("US",)))
    if question.kind == "country":
        return st.sampled_from((answer, "JP", "CN", "DE"))
    return st.just(answer)


@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_more_compute_never_frees_a_company(count: int, hours: int) -> None:
    """The verdict is monotone in chips and hours."""
    order = {"not-affected": 0, "unsure": 1, "affected": 2}
    first = impact(
        maker(use="train", markets=("DE", "US-CA"), chip_count=str(count), hours=str(hours))
    )
    more = impact(
        maker(use="train", markets=("DE", "US-CA"), chip_count=str(count * 2), hours=str(hours * 3))
    )
    assert order[first.verdict] <= order[more.verdict]


def test_packs_of_one_name_are_refused() -> None:
    """Which of the two decided would be anybody's guess."""
    with pytest.raises(InvalidInput, match="differ by name"):
        assess(maker(), (*packs(), packs()[0]), AT)
    with pytest.raises(InvalidInput, match="differ by name"):
        assess(maker(), (), AT)
