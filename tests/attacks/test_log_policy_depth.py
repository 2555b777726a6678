"""A policy of groups in groups without end must be judged like any other."""

from __future__ import annotations

from sekisho.ledger import Policy
from tests.ledger.logs import LOG, W1, W2

DEPTH = 20_000


def nested(depth: int, rule: str = "all") -> Policy:
    """One witness, and so many groups around it."""
    lines = [f"log {LOG.verifier.to_text()}", f"witness w {W1.verifier.to_text()}"]
    lines += [f"group g{n} {rule} {f'g{n - 1}' if n else 'w'}" for n in range(depth)]
    return Policy.from_text("\n".join([*lines, f"quorum g{depth - 1}"]) + "\n")


def test_a_policy_nested_deeper_than_the_stack() -> None:
    """Twenty thousand groups around one witness ask for that witness, and exhaust nothing."""
    policy = nested(DEPTH)
    assert policy.is_satisfied(["w"])
    assert not policy.is_satisfied(["v"])
    assert not policy.is_satisfied([])


def test_a_witness_that_bears_the_name_of_a_group() -> None:
    """A group's name among those who cosigned makes no quorum: only its members do."""
    lines = [f"log {LOG.verifier.to_text()}"]
    lines += [f"witness w{n} {w.verifier.to_text()}" for n, w in enumerate((W1, W2))]
    policy = Policy.from_text("\n".join([*lines, "group both all w0 w1", "quorum both"]) + "\n")
    assert not policy.is_satisfied(["both"])
    assert not policy.is_satisfied(["both", "w0"])
    assert policy.is_satisfied(["w0", "w1"])
