"""Slurm's accounting: `sacct -P` in text, and `sacct --json`.

One allocation for each job row; a job that was requeued has several, one for each time that it ran. Steps (`123.batch`)
belong to their job: they are folded into it, and say how many chips it had where its own row does not. Array tasks and
the parts of a heterogeneous job are jobs; the parts share a run. Sources: Slurm, sacct(1), job accounting fields and
state codes; JSON as data_parser writes it from 21.08 to 25.11 (numbers plain, or as set/infinite/number).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.adapters.telemetry.csv_lines import Crooked, decode, first_names, lines_of
from sekisho.adapters.telemetry.job_records.local_times import LocalTimes
from sekisho.adapters.telemetry.job_records.node_lists import expand_node_list
from sekisho.adapters.telemetry.job_records.records import MAX_HOSTS, Gathered, JobRecords
from sekisho.adapters.telemetry.job_records.resources import (
    Chips,
    chips_in_tres,
    chips_of_tres,
    said_in,
    uuids_in,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation
from sekisho.model.wire import JsonValue, parse_json

__all__ = ["parse_sacct", "parse_sacct_json"]

MAX_BODY: Final = 1 << 30
MAX_JSON: Final = 256 << 20
_LARGEST: Final = 2**64
_NEEDED: Final = ("jobid", "start", "end", "alloctres")
_REMEDY: Final = (
    "sacct -P -a -D -o JobID,JobIDRaw,User,Account,Partition,State,Start,End,Elapsed,AllocTRES,NodeList,"
    "Comment,AdminComment"
)
_DELIMITERS: Final = ("|", "\x1f", "\t", ";", ",")
_NOT_BEGUN: Final = ("PENDING", "CANCELLED", "REVOKED", "DEADLINE", "BOOT_FAIL", "REQUEUED")
_NO_NODES: Final = ("", "none assigned", "none", "(null)")


class _Job(msgspec.Struct, kw_only=True):
    """One row of a job, with what its steps add."""

    line: int
    id: str
    run: str = ""
    state: str = ""
    account: str = ""
    period: tuple[Instant, Instant | None] | None = None
    chips: Chips = Chips()
    of_steps: list[Chips] = []
    nodes: str = ""
    texts: list[str] = []


def parse_sacct(body: bytes | str, *, site: str, zone: str, path: str = "") -> JobRecords:
    """The allocations in parsable text with its heading.

    Slurm prints the cluster's own clock without a zone: `zone` names it (Asia/Tokyo, +09:00). With "" only epoch
    seconds (SLURM_TIME_FORMAT=%s) and times with an offset are read, and a plain one is refused with the remedy.
    Raises InvalidInput for a zone that does not exist, a heading without the columns that are needed, and no UTF-8.
    """
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    if len(raw) > MAX_BODY:
        raise InvalidInput(f"more than {MAX_BODY} bytes", path=path, remedy="export fewer days")
    times, gathered = LocalTimes(zone), Gathered()
    first = raw.split(b"\n", 1)[0].decode("utf-8", "replace")
    delimiter = next((d for d in _DELIMITERS if d in first), "|")
    names = first_names(raw, path=path, delimiter=delimiter)
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise InvalidInput(f"no column {', '.join(missing)}", path=path, remedy=_REMEDY)
    reader = _Reader(times, gathered, site)
    for line in lines_of(decode(raw, path=path), len(names), delimiter=delimiter, quoted=False):
        if isinstance(line, Crooked):
            gathered.refuse(line.number, "malformed", line.why, "sacct --delimiter=$'\\x1f'")
        else:
            reader.take(dict(zip(names, line.cells, strict=True)), line.number)
    reader.finish()
    return gathered.records()


class _Reader:
    """Rows of jobs and their steps, joined: a step says more of the row of its job that stands before it."""

    def __init__(self, times: LocalTimes, gathered: Gathered, site: str) -> None:
        self._times, self._gathered, self._site = times, gathered, site
        self._job: _Job | None = None

    def take(self, row: Mapping[str, str], line: int) -> None:
        """One row. A row of a job ends the job before it."""
        name, dot, _ = row["jobid"].partition(".")
        texts = [row.get(name, "") for name in ("comment", "admincomment", "tresbind")]
        if dot:
            self._gathered.passed_over += 1
            if self._job is not None and self._job.id == name:
                self._job.of_steps.append(chips_in_tres(row["alloctres"]))
                self._job.texts.extend(texts)
            return
        self.finish()
        try:
            period = self._times.period(row["start"], row["end"], row.get("elapsed", ""))
        except InvalidInput as error:
            self._gathered.refuse(line, "no start", error.message, error.remedy, job=name)
            return
        self._job = _Job(
            line=line,
            id=name,
            period=period,
            texts=texts,
            state=row.get("state", ""),
            account=row.get("account", "") or row.get("user", ""),
            chips=chips_in_tres(row["alloctres"]),
            nodes=row.get("nodelist", ""),
        )

    def finish(self) -> None:
        """Keep the job whose rows have ended."""
        if self._job is not None:
            _keep(self._job, self._gathered, self._site)
            self._job = None


def parse_sacct_json(body: bytes, *, site: str, path: str = "") -> JobRecords:
    """The allocations in `sacct --json`; its times are epoch seconds. Raises InvalidInput for another document."""
    document = parse_json(body, path=path, limit=MAX_JSON, largest=_LARGEST, any_float=True)
    jobs = document.get("jobs") if isinstance(document, dict) else None
    if not isinstance(jobs, list):
        raise InvalidInput(
            "holds no list of jobs", path=path or "jobs", remedy="sacct --json -a -D"
        )
    gathered = Gathered()
    for place, each in enumerate(jobs, 1):
        try:
            _keep(_job_of(each, place), gathered, site)
        except InvalidInput as error:
            gathered.refuse(place, "malformed", error.message)
    return gathered.records()


def _job_of(each: JsonValue, place: int) -> _Job:
    """Raises InvalidInput for what is no job."""
    job = _inside(each)
    number = _number(job.get("job_id"))
    if number is None:
        raise InvalidInput("a job without job_id")
    time, comment = _inside(job.get("time")), _inside(job.get("comment"))
    start, end = _number(time.get("start")), _number(time.get("end"))
    state = _inside(job.get("state")).get("current")
    account = (
        job.get("account") or _inside(job.get("association")).get("account") or job.get("user")
    )
    name, run = _ids(job, number)
    return _Job(
        line=place,
        id=name,
        run=run,
        account=_text(account),
        state=_text(state[0] if isinstance(state, list) and state else state),
        period=(_instant(start), _instant(end) if end else None) if start else None,
        chips=_chips(_inside(job.get("tres")).get("allocated")),
        nodes=_text(job.get("nodes")),
        texts=[_text(comment.get(name)) for name in ("job", "administrator", "system")],
    )


def _ids(job: Mapping[str, JsonValue], number: int) -> tuple[str, str]:
    """The id as sacct prints it, and the run that the parts of a heterogeneous job share."""
    array, het = _inside(job.get("array")), _inside(job.get("het"))
    task, parent = _number(array.get("task_id")), _number(array.get("job_id"))
    if parent and task is not None:
        return f"{parent}_{task}", ""
    leader, part = _number(het.get("job_id")), _number(het.get("job_offset"))
    if leader and part is not None:
        return f"{leader}+{part}", f"{leader}"
    return f"{number}", ""


def _chips(allocated: JsonValue) -> Chips:
    found: list[tuple[str, int]] = []
    for each in allocated if isinstance(allocated, list) else []:
        entry = _inside(each)
        count = _number(entry.get("count"))
        name = "/".join(
            part for part in (_text(entry.get("type")), _text(entry.get("name"))) if part
        )
        if count is not None:
            found.append((name, count))
    return chips_of_tres(found)


def _keep(job: _Job, gathered: Gathered, site: str) -> None:
    """A job's row as an allocation, or why it is none."""
    chips = job.chips
    if not chips.count and job.of_steps:
        chips = max(job.of_steps, key=lambda each: each.count)
    if not chips.count:
        gathered.passed_over += 1
        return
    if job.period is None:
        if job.state.upper().startswith(_NOT_BEGUN):
            gathered.passed_over += 1
        else:
            gathered.refuse(
                job.line, "no start", f"{job.state[:20]} without a start", _REMEDY, job=job.id
            )
        return
    nodes = "" if job.nodes.strip().lower() in _NO_NODES else job.nodes.strip()
    try:
        hosts = expand_node_list(nodes, limit=MAX_HOSTS) if nodes else ()
    except InvalidInput as error:
        gathered.refuse(job.line, "malformed", error.message, "check NodeList", job=job.id)
        return
    if chips.mixed:
        gathered.note("jobs with chips of several kinds: counted, their kind not told")
    start, end = job.period
    said = said_in(*job.texts)
    run = said.run or job.run or (job.id.partition("+")[0] if "+" in job.id else "")
    gathered.keep(
        Allocation(
            job=job.id,
            site=site,
            start=start,
            end=end,
            run=run,
            chips=chips.count,
            chip=chips.kind,
            hosts=hosts,
            devices=uuids_in(*job.texts),
            customer=job.account,
            parents=said.parents,
            format=said.format,
            source="sacct",
            line=job.line,
        )
    )


def _inside(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _number(value: JsonValue) -> int | None:
    """A whole number as it stands, or as {set, infinite, number}; None for one that is not set."""
    if isinstance(value, dict):
        value = value.get("number") if value.get("set") and not value.get("infinite") else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _instant(seconds: int) -> Instant:
    if not 0 <= seconds < 2**40:
        raise InvalidInput(f"{seconds} is no time")
    return Instant(seconds * 1_000_000)
