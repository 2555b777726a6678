"""Runs: restarts and continuations joined, within an owner; across owners only what names each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.accounts import JobNamed, Runs, join_runs

DIGEST = "a" * 64


def named(job: str, start: int = 0, *, owner: str = "acme", **more: object) -> JobNamed:
    fields = {"run": "", "parents": (), "site": "", **more}
    return JobNamed(job=job, start=start, owner=owner, **fields)  # type: ignore[arg-type]  # test's words


def runs_of(found: Runs, *jobs: str) -> list[str]:
    return [found.of("", job) for job in jobs]


def test_a_job_that_names_another_as_its_parent_continues_its_run() -> None:
    """Whatever it is called, and along a chain."""
    found = join_runs(
        [named("1", run="gpt"), named("2", 1, parents=("1",)), named("3", 2, parents=("2",))]
    )
    assert runs_of(found, "1", "2", "3") == ["gpt"] * 3


def test_one_run_name_of_one_owner_is_one_run_at_every_site() -> None:
    """Two customers of one owner, two sites: the owner and the name join them."""
    found = join_runs([named("1", run="gpt", site="a"), named("2", run="gpt", site="b")])
    assert found.of("a", "1") == found.of("b", "2") == "gpt"


def test_one_run_name_of_two_owners_is_two_runs() -> None:
    """Everybody calls a run gpt."""
    found = join_runs([named("1", run="gpt"), named("2", run="gpt", owner="beta")])
    first, second = runs_of(found, "1", "2")
    assert first != second
    assert first.startswith("acme/gpt")


def test_a_checkpoint_joins_through_whoever_wrote_it() -> None:
    """A restart that names the checkpoint alone is found through the record of its writing."""
    jobs = [named("1", run="gpt"), named("2", 1, parents=(DIGEST,))]
    assert runs_of(join_runs(jobs, {DIGEST: "gpt"}), "1", "2") == ["gpt", "gpt"]


def test_jobs_from_one_checkpoint_that_nobody_recorded_are_one_run_and_it_is_said() -> None:
    """Origin unknown is the worst case, within one owner."""
    jobs = [
        named("1", parents=(DIGEST,)),
        named("2", 1, parents=(DIGEST,)),
        named("3", owner="beta", parents=(DIGEST,)),
    ]
    found = join_runs(jobs)
    assert runs_of(found, "1", "2", "3") == ["1", "1", "3"]
    assert "nobody recorded" in found.notes["1"][0]


def test_a_ring_of_parents_is_one_run() -> None:
    """Jobs that name each other in a circle end the walk all the same."""
    jobs = [named(str(n), n, parents=(str((n + 1) % 5),)) for n in range(5)]
    assert set(runs_of(join_runs(jobs), *"01234")) == {"0"}


def test_across_owners_only_a_ring_joins() -> None:
    """Naming a stranger's run joins nothing; naming each other does."""
    one_way = join_runs([named("1"), named("2", 1, owner="beta", parents=("1",))])
    assert runs_of(one_way, "1", "2") == ["1", "2"]
    assert "another owner" in one_way.notes["2"][0]
    both = join_runs([named("1", parents=("2",)), named("2", 1, owner="beta", parents=("1",))])
    assert runs_of(both, "1", "2") == ["1", "1"]
    assert both.notes == {}


def test_a_ring_through_three_owners_is_one_run() -> None:
    """Each names the next."""
    jobs = [named(str(n), n, owner=f"o{n}", parents=(str((n + 1) % 3),)) for n in range(3)]
    assert set(runs_of(join_runs(jobs), *"012")) == {"0"}


def test_a_job_that_nobody_described_is_its_own_run() -> None:
    """Telemetry without a record."""
    assert join_runs([]).of("site", "17") == "17"


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_joining_is_what_being_connected_means(edges: list[tuple[int, int]]) -> None:
    """Two jobs of one owner are one run where a chain of parents connects them, whichever way."""
    parents: dict[int, list[str]] = {n: [] for n in range(7)}
    for child, parent in edges:
        parents[child].append(str(parent))
    found = join_runs([named(str(n), n, parents=tuple(parents[n])) for n in range(7)])
    group = {n: {n} for n in range(7)}
    for child, parent in edges:
        merged = group[child] | group[parent]
        for member in merged:
            group[member] = merged
    assert all(found.of("", str(n)) == str(min(group[n])) for n in range(7))


def test_a_long_chain_of_restarts_needs_no_recursion() -> None:
    """Twenty thousand restarts join as two do, and a ring through five thousand owners too."""
    jobs = [named(str(n), n, parents=(str(n - 1),) if n else ()) for n in range(20_000)]
    assert join_runs(jobs).of("", "19999") == "0"
    ring = [named(str(n), n, owner=f"o{n}", parents=(str((n + 1) % 5_000),)) for n in range(5_000)]
    assert join_runs(ring).of("", "4999") == "0"
