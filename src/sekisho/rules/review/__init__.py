"""What a careful reader would object to in a pack: gaps, contradictions, rows without effect, names without use."""

from sekisho.rules.review.checking import check_pack
from sekisho.rules.review.problem import PackProblem

__all__ = ["PackProblem", "check_pack"]
