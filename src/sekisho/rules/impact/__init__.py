"""影響診断: what the rules mean for a company, asked in minutes, answered with scope, cost and contacts."""

from sekisho.rules.impact.assessment import (
    METHOD,
    AskedOf,
    Assumption,
    Figures,
    Impact,
    ImpactVerdict,
    assess,
    result_digest,
    rules_that,
)
from sekisho.rules.impact.contacts import Contact
from sekisho.rules.impact.cost import Cost, CostLine
from sekisho.rules.impact.document import impact_document, question_document, questionnaire
from sekisho.rules.impact.letter import Proof, declaration, letter
from sekisho.rules.impact.missing import FindOut
from sekisho.rules.impact.question import Answer, Answers, Question
from sekisho.rules.impact.questions import (
    QUESTIONS,
    SECTIONS,
    Progress,
    next_questions,
    open_questions,
    progress,
)
from sekisho.rules.impact.reading import (
    ANSWERS_FORMAT,
    MAX_ANSWERS,
    answers_digest,
    format_answers,
    parse_answers,
    read_answer,
)
from sekisho.rules.impact.scope import Scope
from sekisho.rules.impact.shipped import laws_in_force, packs_at_hand
from sekisho.rules.impact.statement import (
    Check,
    Checked,
    Knowledge,
    check_statement,
    next_change,
    state_impact,
)
from sekisho.rules.impact.wording import answer_text, find_out_text, reason_text

__all__ = [
    "ANSWERS_FORMAT",
    "MAX_ANSWERS",
    "METHOD",
    "QUESTIONS",
    "SECTIONS",
    "Answer",
    "Answers",
    "AskedOf",
    "Assumption",
    "Check",
    "Checked",
    "Contact",
    "Cost",
    "CostLine",
    "Figures",
    "FindOut",
    "Impact",
    "ImpactVerdict",
    "Knowledge",
    "Progress",
    "Proof",
    "Question",
    "Scope",
    "answer_text",
    "answers_digest",
    "assess",
    "check_statement",
    "declaration",
    "find_out_text",
    "format_answers",
    "impact_document",
    "laws_in_force",
    "letter",
    "next_change",
    "next_questions",
    "open_questions",
    "packs_at_hand",
    "parse_answers",
    "progress",
    "question_document",
    "questionnaire",
    "read_answer",
    "reason_text",
    "result_digest",
    "rules_that",
    "state_impact",
]
