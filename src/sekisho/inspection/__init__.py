"""Inspection: checks of evidence that the operator cannot make by itself. Pure."""

from __future__ import annotations

from sekisho.inspection.memory_fill import (
    ExpectedFill,
    FillAnswer,
    FillJudgement,
    expect_fill,
    expected_digest,
    judge_answer,
)

__all__ = [
    "ExpectedFill",
    "FillAnswer",
    "FillJudgement",
    "expect_fill",
    "expected_digest",
    "judge_answer",
]
