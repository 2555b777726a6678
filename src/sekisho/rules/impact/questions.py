"""The questionnaire: what is asked in which order, and what each answer opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from sekisho.model.chips import known_chips
from sekisho.rules.impact.question import Answer, Question, Section, When
from sekisho.rules.requests.access import UserClass
from sekisho.rules.requests.transfer import EndUse

__all__ = ["QUESTIONS", "SECTIONS", "Progress", "next_questions", "open_questions", "progress"]

SECTIONS: Final[tuple[Section, ...]] = (
    "company",
    "use",
    "export",
    "cloud",
    "hosting",
    "ownership",
    "effort",
)
_COMPUTES: Final = (When("use", ("run", "fine-tune", "train")),)
_TRAINS: Final = (When("use", ("fine-tune", "train")),)
_TUNES: Final = (When("use", ("fine-tune",)),)
_EXPORTS: Final = (When("exports", (True,)),)
_GOODS: Final = (*_EXPORTS, When("export_items", ("chips", "servers")))
_SERVERS: Final = (*_EXPORTS, When("export_items", ("servers",)))
_WEIGHTS: Final = (*_EXPORTS, When("export_items", ("weights",)))
_USER_KNOWN: Final = (*_EXPORTS, When("end_user_known", (True,)))
_OFFERS: Final = (When("offers_cloud", (True,)),)
_HOSTS: Final = (When("hosts_models", (True,)),)
_CHIPS: Final = (
    "H100 SXM",
    "H200 SXM",
    "B200",
    "A100 80GB",
    "L40S",
    "L4",
    "RTX 4090",
    "MI300X",
)
END_USES: Final[tuple[str, ...]] = get_args(EndUse)
USER_CLASSES: Final[tuple[str, ...]] = get_args(UserClass)

_TABLE: Final[tuple[Question, ...]] = (
    Question(id="name", section="company", kind="text", optional=True),
    Question(id="country", section="company", kind="country"),
    Question(
        id="corporate_number",
        section="company",
        kind="text",
        optional=True,
        when=(When("country", ("JP",)),),
        most=40,
    ),
    Question(
        id="size",
        section="company",
        kind="choice",
        options=("small", "medium", "large"),
        optional=True,
    ),
    Question(
        id="revenue",
        section="company",
        kind="choice",
        options=("under-10m", "10m-100m", "100m-500m", "over-500m"),
    ),
    # --- what is done with AI, on what
    Question(
        id="use",
        section="use",
        kind="choice",
        options=("none", "services", "run", "fine-tune", "train"),
    ),
    Question(id="compute", section="use", kind="choice", options=("own", "cloud"), when=_COMPUTES),
    Question(
        id="cloud",
        section="use",
        kind="text",
        optional=True,
        when=(*_COMPUTES, When("compute", ("cloud",))),
    ),
    Question(id="chips_in", section="use", kind="country", when=_COMPUTES),
    Question(id="chip", section="use", kind="text", suggestions=_CHIPS, when=_COMPUTES),
    Question(
        id="chip_peak",
        section="use",
        kind="amount",
        unit="TFLOP/s",
        when=_COMPUTES,
        unlisted="chip",
    ),
    Question(id="chip_designed_in", section="use", kind="country", when=_COMPUTES, unlisted="chip"),
    Question(id="chip_count", section="use", kind="amount", unit="chips", when=_COMPUTES),
    Question(id="networked", section="use", kind="yes-no", when=_COMPUTES),
    Question(id="hours", section="use", kind="amount", unit="hours", when=_TRAINS),
    Question(
        id="utilisation",
        section="use",
        kind="amount",
        unit="%",
        when=_TRAINS,
        optional=True,
        default="40",
    ),
    Question(id="base_other", section="use", kind="yes-no", when=_TUNES),
    Question(id="base_flop", section="use", kind="amount", unit="FLOP", when=_TUNES),
    Question(id="generates", section="use", kind="yes-no", when=_TRAINS),
    Question(id="purpose", section="use", kind="choices", options=END_USES, when=_COMPUTES),
    Question(id="markets", section="use", kind="countries", when=_TRAINS, most=250),
    # --- what leaves the country
    Question(id="exports", section="export", kind="yes-no"),
    Question(
        id="export_items",
        section="export",
        kind="choices",
        options=("chips", "servers", "weights"),
        when=_EXPORTS,
    ),
    Question(id="export_to", section="export", kind="countries", when=_EXPORTS, most=40),
    Question(id="export_chip", section="export", kind="text", suggestions=_CHIPS, when=_GOODS),
    Question(id="chips_each", section="export", kind="amount", unit="chips", when=_SERVERS),
    Question(id="export_count", section="export", kind="amount", unit="items", when=_GOODS),
    Question(id="list_controlled", section="export", kind="yes-no", when=_EXPORTS),
    Question(id="weights_flop", section="export", kind="amount", unit="FLOP", when=_WEIGHTS),
    Question(id="weights_published", section="export", kind="yes-no", when=_WEIGHTS),
    Question(id="end_user_known", section="export", kind="yes-no", when=_EXPORTS),
    Question(
        id="end_user_headquarters", section="export", kind="countries", when=_USER_KNOWN, most=20
    ),
    Question(id="end_user_listed", section="export", kind="yes-no", when=_USER_KNOWN),
    Question(
        id="end_user_listed_share", section="export", kind="amount", unit="%", when=_USER_KNOWN
    ),
    Question(id="arms_end_user", section="export", kind="yes-no", when=_USER_KNOWN),
    Question(id="red_flags_resolved", section="export", kind="yes-no", when=_GOODS),
    Question(id="end_use", section="export", kind="choices", options=END_USES, when=_EXPORTS),
    # --- compute for others
    Question(id="offers_cloud", section="cloud", kind="yes-no"),
    Question(id="cloud_in", section="cloud", kind="country", when=_OFFERS),
    Question(id="customers_headquarters", section="cloud", kind="countries", when=_OFFERS, most=40),
    Question(id="customers_listed", section="cloud", kind="yes-no", when=_OFFERS),
    Question(id="customers_listed_share", section="cloud", kind="amount", unit="%", when=_OFFERS),
    Question(id="offers_prc_chips", section="cloud", kind="yes-no", when=_OFFERS),
    Question(id="customers_flop", section="cloud", kind="amount", unit="FLOP", when=_OFFERS),
    Question(id="customers_use", section="cloud", kind="choices", options=END_USES, when=_OFFERS),
    # --- models for others
    Question(id="hosts_models", section="hosting", kind="yes-no"),
    Question(id="hosted_flop", section="hosting", kind="amount", unit="FLOP", when=_HOSTS),
    Question(id="users_in", section="hosting", kind="countries", when=_HOSTS, most=40),
    Question(id="user_class", section="hosting", kind="choices", options=USER_CLASSES, when=_HOSTS),
    Question(id="gives_weights", section="hosting", kind="yes-no", when=_HOSTS),
    # --- who owns us
    Question(id="parent_in", section="ownership", kind="country"),
    Question(id="own_listed", section="ownership", kind="yes-no"),
    Question(id="listed_owner_share", section="ownership", kind="amount", unit="%"),
    # --- what it costs: money in yen for a firm in Japan, else in dollars
    Question(id="wage", section="effort", kind="amount", unit="money/hour", optional=True),
    Question(id="daily_margin", section="effort", kind="amount", unit="money/day", optional=True),
    Question(id="fees", section="effort", kind="amount", unit="money/year", optional=True),
    Question(
        id="runs_a_year", section="effort", kind="amount", unit="runs", when=_TRAINS, optional=True
    ),
    Question(
        id="shipments_a_year",
        section="effort",
        kind="amount",
        unit="shipments",
        when=_EXPORTS,
        optional=True,
    ),
    Question(
        id="customers",
        section="effort",
        kind="amount",
        unit="customers",
        when=_OFFERS,
        optional=True,
    ),
)
QUESTIONS: Final[Mapping[str, Question]] = {question.id: question for question in _TABLE}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a questionnaire has come: questions answered ("I do not know" counts) of those open so far."""

    answered: int
    open: int
    section: str  # of the next question; "" where nothing is left
    done: bool


def open_questions(answers: Mapping[str, Answer]) -> tuple[Question, ...]:
    """Every question that these answers open, answered or not, in order."""
    return tuple(question for question in _TABLE if _is_open(question, answers))


def next_questions(answers: Mapping[str, Answer]) -> tuple[Question, ...]:
    """The open questions without an answer of the first section that has any; empty where all is answered."""
    left = [question for question in open_questions(answers) if question.id not in answers]
    return tuple(question for question in left if question.section == left[0].section)


def progress(answers: Mapping[str, Answer]) -> Progress:
    """How many of the open questions are answered, and which section is next."""
    asked = open_questions(answers)
    left = next_questions(answers)
    return Progress(
        answered=sum(question.id in answers for question in asked),
        open=len(asked),
        section=left[0].section if left else "",
        done=not left,
    )


def _is_open(question: Question, answers: Mapping[str, Answer]) -> bool:
    """An answer "I do not know" opens nothing: what it would have opened stays unknown."""
    if question.unlisted:
        name = answers.get(question.unlisted)
        if not isinstance(name, str) or known_chips().find(name) is not None:
            return False
    return all(_meets(part, answers) for part in question.when)


def _meets(part: When, answers: Mapping[str, Answer]) -> bool:
    answer = answers.get(part.question)
    if isinstance(answer, tuple):
        return any(word in part.values for word in answer)
    return answer is not None and answer in part.values
