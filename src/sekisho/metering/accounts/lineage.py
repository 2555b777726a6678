"""Which jobs are one run: restarts and continuations of one training, whatever names they were given.

1. Jobs of one owner with one run name are one run, at whichever site. 2. A job that names another job, its run, or a
checkpoint that it wrote as its parent continues it; rings of parents are one run. 3. Jobs of one owner that began
from one checkpoint which nobody recorded are one run, since its origin is unknown (protocol section 6: the worst
case). 4. Across owners only jobs that name each other are one: else anybody could join a stranger's run by naming it
as a parent. A parent of another owner that does not name back is said in a note.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

__all__ = ["JobNamed", "Runs", "join_runs"]

Node: TypeAlias = tuple[str, str]  # site and job


class JobNamed(msgspec.Struct, frozen=True, kw_only=True):
    """What a job's record says of its identity; `owner` is the group that its customer belongs to at its start."""

    job: str
    site: str
    owner: str
    start: int
    run: str = ""
    parents: tuple[str, ...] = ()


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """The run of each job by (site, job), and notes by run. A job that nobody described is its own run."""

    by_job: Mapping[Node, str]
    notes: Mapping[str, tuple[str, ...]]

    def of(self, site: str, job: str) -> str:
        return self.by_job.get((site, job), job)


class _Named(NamedTuple):
    """All nodes that a word names, within one owner's jobs."""

    owner: str
    nodes: tuple[Node, ...]


class _Joined:
    """Disjoint sets with path halving."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._above = {node: node for node in nodes}

    def find(self, node: Node) -> Node:
        above = self._above
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    def join(self, nodes: Sequence[Node]) -> None:
        first = self.find(nodes[0])
        for node in nodes[1:]:
            self._above[self.find(node)] = first


def join_runs(jobs: Iterable[JobNamed], checkpoints: Mapping[str, str] | None = None) -> Runs:
    """Join jobs into runs. `checkpoints` names the run or job that wrote a checkpoint, by its digest."""
    records = sorted(jobs, key=lambda job: (job.start, job.site, job.job))
    owners = {(job.site, job.job): job.owner for job in records}
    joined = _Joined(owners)
    words = _words(records)
    by_run: defaultdict[tuple[str, str], list[Node]] = defaultdict(list)
    for job in records:
        if job.run:
            by_run[job.owner, job.run].append((job.site, job.job))
    for nodes in by_run.values():
        joined.join(nodes)
    strays, orphans = _follow_parents(records, words, checkpoints or {}, joined)
    for nodes in orphans.values():
        joined.join(nodes)
    one_way = _join_mutual(strays, joined)
    labels = _labels(records, owners, joined)
    return Runs(
        by_job={node: labels[joined.find(node)] for node in owners},
        notes=_notes(labels, joined, orphans, one_way),
    )


def _words(records: Sequence[JobNamed]) -> dict[str, list[_Named]]:
    """What a parent may be called, job or run, with the jobs of each owner that are called so."""
    found: defaultdict[str, defaultdict[str, dict[Node, None]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for job in records:
        for word in {job.job, job.run} - {""}:
            found[word][job.owner][job.site, job.job] = None
    return {
        word: [_Named(owner, tuple(nodes)) for owner, nodes in owners.items()]
        for word, owners in found.items()
    }


def _follow_parents(
    records: Sequence[JobNamed],
    words: Mapping[str, Sequence[_Named]],
    checkpoints: Mapping[str, str],
    joined: _Joined,
) -> tuple[list[tuple[Node, Node]], dict[tuple[str, str], list[Node]]]:
    """Join within an owner; give back the edges to jobs of others, and who began from what nobody recorded."""
    strays: list[tuple[Node, Node]] = []
    orphans: defaultdict[tuple[str, str], list[Node]] = defaultdict(list)
    for job in records:
        node = (job.site, job.job)
        for parent in job.parents:
            named = words.get(checkpoints.get(parent, parent), ())
            mine = [group for group in named if group.owner == job.owner]
            if mine:
                joined.join([node, *mine[0].nodes])
            elif named:
                strays += [(node, group.nodes[0]) for group in named]
            else:
                orphans[job.owner, parent].append(node)
    return strays, dict(orphans)


def _join_mutual(strays: Sequence[tuple[Node, Node]], joined: _Joined) -> list[tuple[Node, Node]]:
    """Join runs of several owners that lead to each other; the edges that nobody answered are left over."""
    edges: defaultdict[Node, set[Node]] = defaultdict(set)
    for child, parent in strays:
        edges[joined.find(child)].add(joined.find(parent))
    for ring in _rings(edges):
        joined.join(ring)
    return [(a, b) for a, b in strays if joined.find(a) != joined.find(b)]


def _rings(edges: Mapping[Node, set[Node]]) -> list[list[Node]]:
    """Sets of nodes each of which leads to each other (Kosaraju: two walks, no recursion)."""
    order = _walked(edges, [*edges], {}, lambda _: None)
    back: defaultdict[Node, set[Node]] = defaultdict(set)
    for child, parents in edges.items():
        for parent in parents:
            back[parent].add(child)
    seen: dict[Node, None] = {}
    rings = []
    for node in reversed(order):
        ring: list[Node] = []
        _walked(back, [node], seen, ring.append)
        if len(ring) > 1:
            rings.append(ring)
    return rings


def _walked(
    edges: Mapping[Node, set[Node]],
    begins: Iterable[Node],
    seen: dict[Node, None],
    met: Callable[[Node], None],
) -> list[Node]:
    """Depth first from each beginning that was not seen; the nodes in the order in which they were done with."""
    done: list[Node] = []
    for begin in begins:
        if begin in seen:
            continue
        seen[begin] = None
        met(begin)
        path = [(begin, iter(sorted(edges.get(begin, ()))))]
        while path:
            node, rest = path[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                done.append(node)
                path.pop()
                continue
            seen[following] = None
            met(following)
            path.append((following, iter(sorted(edges.get(following, ())))))
    return done


def _labels(
    records: Sequence[JobNamed], owners: Mapping[Node, str], joined: _Joined
) -> dict[Node, str]:
    """A run is called after its first job: its run name, or its own; and with the owner, where two are called alike."""
    first: dict[Node, JobNamed] = {}
    for job in records:
        first.setdefault(joined.find((job.site, job.job)), job)
    called: defaultdict[str, list[Node]] = defaultdict(list)
    for root, job in first.items():
        called[job.run or job.job].append(root)
    labels: dict[Node, str] = {}
    for name, roots in called.items():
        for root in roots:
            site, job_id = first[root].site, first[root].job
            alone = f"{owners[site, job_id]}/{name}@{site}:{job_id}"
            labels[root] = name if len(roots) == 1 else alone
    return labels


def _notes(
    labels: Mapping[Node, str],
    joined: _Joined,
    orphans: Mapping[tuple[str, str], Sequence[Node]],
    one_way: Sequence[tuple[Node, Node]],
) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for (_, parent), nodes in orphans.items():
        label = labels[joined.find(nodes[0])]
        found[label][f"began from {parent[:32]}, which nobody recorded: its origin is unknown"] = (
            None
        )
    for child, parent_node in one_way:
        label, other = labels[joined.find(child)], labels[joined.find(parent_node)]
        found[label][f"names run {other} of another owner as its parent, and is not joined"] = None
    return {label: tuple(notes) for label, notes in found.items()}
