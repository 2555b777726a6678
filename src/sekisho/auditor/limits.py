"""What a verdict does not cover: said with every report, so that nobody reads more into it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History
from sekisho.auditor.manifest import MANIFEST, SIGNATURE
from sekisho.auditor.order_checks import outages
from sekisho.auditor.refusal_checks import late_at_end, overdue_resumes
from sekisho.auditor.register_evidence import is_custody_file
from sekisho.auditor.verdicts import CheckResult
from sekisho.catalogue import Language, say
from sekisho.model.statements import CustodyMoved, FindingRaised, HaltJudged, IrregularityFound

__all__ = ["describe_limits"]

_NAMED_FINDINGS = 20
_HOST_FILES = ("receipts.jsonl", "requests.jsonl", "acknowledgements.jsonl", "forks.jsonl")


def describe_limits(
    evidence: Evidence,
    checks: Sequence[CheckResult],
    accepted: Collection[str],
    language: Language,
    *,
    network_gone: bool | None,
) -> tuple[str, ...]:
    """Every limit in words. `network_gone` is None where the caller audits in its own process."""
    said = [say("audit.limit.honest", language), say("audit.limit.submitted", language)]
    if not evidence.seen:
        said.append(say("audit.limit.unseen", language))
    if network_gone is False:
        said.append(say("audit.limit.network", language))
    said += [
        say("audit.limit.accepted", language, check=check.name, detail=check.detail)
        for check in checks
        if check.name in accepted and check.verdict == "unverifiable"
    ]
    said += [
        say("audit.limit.unread", language, path=path) for path in _unread(evidence.bundle.files)
    ]
    if evidence.history is not None:
        said += _of_history(evidence.history, language)
    return tuple(dict.fromkeys(said))


def _of_history(history: History, language: Language) -> Iterator[str]:
    if history.final is not None:
        size, time = history.final.size, history.final.time
        yield say("audit.limit.until", language, size=size, time=time)
    for start, end in outages(history):
        yield say("audit.limit.outage", language, start=start, end=end)
    findings = [fact for _, fact in history.facts(FindingRaised)]
    for fact in findings[:_NAMED_FINDINGS]:
        yield say(
            "audit.limit.finding",
            language,
            finding=fact.finding,
            host=fact.host,
            detail=fact.detail,
        )
    if len(findings) > _NAMED_FINDINGS:
        yield say("audit.limit.findings", language, count=len(findings) - _NAMED_FINDINGS)
    yield from _of_orders(history, language)
    yield from _of_chips(history, language)
    yield from _of_hosts(history, language)
    yield from _of_verdicts(history, language)


def _of_orders(history: History, language: Language) -> Iterator[str]:
    """Who is late at the log's end, and which resume is overdue: neither makes a record wrong, both must be known."""
    late = late_at_end(history)
    for known, host in late[:_NAMED_FINDINGS]:
        order = f"{known.order.register}/{known.order.number}"
        yield say("audit.limit.late", language, host=host.host, order=order, due=host.due)
    if len(late) > _NAMED_FINDINGS:
        yield say("audit.limit.late-more", language, count=len(late) - _NAMED_FINDINGS)
    for appeal, named, due in overdue_resumes(history):
        order = f"{named.register}/{named.number}"
        yield say("audit.limit.resume", language, appeal=appeal, order=order, due=due)


def _of_chips(history: History, language: Language) -> Iterator[str]:
    """What a closed custody does not say, and how many findings the books of chips hold."""
    if any(True for _ in history.facts(CustodyMoved)):
        yield say("audit.limit.custody", language)
    found = sum(fact.count for _, fact in history.facts(IrregularityFound))
    if found:
        yield say("audit.limit.irregularities", language, count=found)


def _of_hosts(history: History, language: Language) -> Iterator[str]:
    for host in history.regime.hosts.values():
        if host.counter != "C2":
            yield say("audit.limit.counter", language, host=host.host, tier=host.counter)
        if any(device.emulated for device in host.devices):
            yield say("audit.limit.emulated", language, host=host.host)
        if any(device.basis == "declared" for device in host.devices):
            yield say("audit.limit.declared", language, host=host.host)


def _of_verdicts(history: History, language: Language) -> Iterator[str]:
    newest = {(fact.order.digest, fact.host): fact for _, fact in history.facts(HaltJudged)}
    for fact in newest.values():
        limits = "; ".join(fact.limits) or "-"
        yield say(
            "audit.limit.halt",
            language,
            host=fact.host,
            degree=fact.degree,
            lapses=fact.lapses,
            limits=limits,
        )
        if fact.challenge_ms is not None:
            took, limit = fact.challenge_ms, fact.challenge_limit_ms
            yield say("audit.limit.challenge", language, host=fact.host, ms=took, limit=limit)


def _unread(files: Mapping[str, bytes]) -> list[str]:
    """Files that no check reads: the manifest pins them, and that is all."""
    return sorted(path for path in files if not _is_read(path))


def _is_read(path: str) -> bool:
    room, _, rest = path.partition("/")
    return (
        path in (MANIFEST, SIGNATURE, "disclosures.json")
        or room == "log"
        or (room == "hosts" and rest.rpartition("/")[2] in _HOST_FILES)
        or (room == "packs" and rest.endswith(".yaml"))
        or is_custody_file(path)
    )
