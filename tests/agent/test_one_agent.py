"""Which process of the agent's user a privileged watchdog hears."""

from __future__ import annotations

from sekisho.agent.one_agent import OneAgent

AGENT, OTHER = 1001, 1002


def test_the_first_to_speak_is_the_agent_until_it_ends() -> None:
    """A second process waits for the end of the first, and a later process with the first's number is another."""
    starts: dict[int, int] = {7: 100, 8: 200}
    door = OneAgent(AGENT, starts.get)
    assert door.refusal(7, AGENT) is None
    assert door.refusal(7, AGENT) is None
    assert "process 7" in (door.refusal(8, AGENT) or "")
    starts[7] = 300
    assert door.refusal(8, AGENT) is None
    assert "process 8" in (door.refusal(7, AGENT) or "")
    del starts[8]
    assert door.refusal(7, AGENT) is None


def test_whoever_cannot_be_seen_is_not_heard() -> None:
    """A process of another process table has number 0 here; one that has ended has no start."""
    door = OneAgent(AGENT, lambda _: None)
    assert "cannot be seen" in (door.refusal(0, AGENT) or "")
    assert "cannot be seen" in (door.refusal(9, AGENT) or "")


def test_root_is_no_agent() -> None:
    """A look of root's takes nobody's place."""
    starts = {7: 100, 8: 200}
    door = OneAgent(AGENT, starts.get)
    assert door.refusal(8, 0) is None
    assert door.refusal(7, AGENT) is None
    assert door.refusal(8, 0) is None
