"""Node lists written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.telemetry.job_records.node_lists import expand_node_list
from sekisho.model.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("gpu07", "gpu07"),
        ("gpu[01-03,7]", "gpu01 gpu02 gpu03 gpu7"),
        ("gpu[9-11]", "gpu9 gpu10 gpu11"),
        ("gpu[08-11],login1", "gpu08 gpu09 gpu10 gpu11 login1"),
        ("rack[1-2]n[1-2]", "rack1n1 rack1n2 rack2n1 rack2n2"),
        ("a[1]b,c-d.e[0-1].local", "a1b c-d.e0.local c-d.e1.local"),
    ],
)
def test_an_expression_names_its_hosts_in_order(text: str, hosts: str) -> None:
    """Ranges keep their zeros in front, commas part expressions, and two brackets multiply."""
    assert expand_node_list(text, limit=100) == tuple(hosts.split())


@given(st.lists(st.tuples(st.sampled_from(["n", "gpu-"]), st.integers(0, 999)), min_size=1))
def test_names_without_brackets_come_back_as_they_stand(said: list[tuple[str, int]]) -> None:
    """A list of plain names is its own expansion, in the order in which they were said."""
    names = tuple(f"{prefix}{number:03d}" for prefix, number in said)
    assert expand_node_list(",".join(names), limit=10_000) == names


@pytest.mark.parametrize(
    "text",
    ["gpu[1-", "gpu]1[", "gpu[3-1]", "gpu[a-b]", "gpu[]", "gpu[1[2]]", ",", "a,,b", "a,", ""],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    """Brackets that do not pair, ranges that do not rise or hold no numbers, and names that are empty."""
    with pytest.raises(InvalidInput):
        expand_node_list(text, limit=100)


def test_as_many_hosts_as_the_limit_and_no_more() -> None:
    """A hundred hosts pass a limit of a hundred; under a limit of 99 they are refused."""
    assert len(expand_node_list("n[1-100]", limit=100)) == 100
    with pytest.raises(InvalidInput, match="more than 99 hosts"):
        expand_node_list("n[1-100]", limit=99)
