"""The compiled way to decide: a pack read once for a date, then many requests; it agrees with the plain way."""

from sekisho.rules.engine.judge import Judge, decide, judge_of

__all__ = ["Judge", "decide", "judge_of"]
