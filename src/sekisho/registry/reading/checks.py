"""The checks of a reconciliation: each looks at one item, with everything that is said of it, and says what differs.

A label is not silicon: a serial that turns up over another UUID than before is a difference, however well it reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from sekisho.model.chips import known_chips
from sekisho.model.custody import LifeState, Standing
from sekisho.registry.reading.asset_register import presence_of
from sekisho.registry.reading.declared import serial_key
from sekisho.registry.reading.differences import Difference, DifferenceCode
from sekisho.registry.reading.fleet_agent import ObservedDevice
from sekisho.registry.reading.subjects import AtSite, Subject

__all__ = ["CHECKS", "is_present", "is_same_model"]

_TURNED_UP: Final[Mapping[LifeState, DifferenceCode]] = {
    "stolen": "stolen-observed",
    "destroyed": "retired-observed",
    "lost": "lost-observed",
    "in-transit": "not-received",
}


def _check_clone(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """One serial or UUID at two nodes at once is two devices, or a node that lies."""
    twins = subject.twins
    if at.site in {twin.site for twin in twins}:
        yield _differ(
            "clone",
            subject,
            f"{' and '.join(_where(twin) for twin in twins[:8])} report it at once",
            *sorted({f"with the UUID {twin.uuid}" for twin in twins[:8]}),
            sources=tuple(twin.source for twin in twins[:8]),
        )


def _check_uuid(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """A known serial over another UUID: the label was moved to another device.

    Boards with several devices report one serial for all of them: what one node reports together belongs together.
    """
    for device in _own(subject, at):
        together = {other.uuid for other in subject.seen if other.node == device.node}
        item = next((item for item in subject.declared if item.serial and item.device_uuid), None)
        if item is not None and item.device_uuid not in together:
            yield _differ(
                "other-uuid",
                subject,
                f"declared with the UUID {item.device_uuid}",
                f"{_where(device)} reports it with {device.uuid}",
                sources=(item.source, device.source),
            )
        earlier = [
            sighting
            for sighting in subject.sightings
            if serial_key(sighting.serial) == subject.key and sighting.uuid not in together
        ]
        first = min(earlier, key=lambda sighting: sighting.first, default=None)
        if first is not None and device.serial and first.first < device.last:
            yield _differ(
                "other-uuid",
                subject,
                f"reported with the UUID {first.uuid} since {first.first} by node {first.node}",
                f"{_where(device)} now reports it with {device.uuid}",
                sources=(f"node {first.node}", device.source),
            )
            return


def _check_serial(subject: Subject, _: AtSite) -> Iterator[Difference]:
    """A known UUID under another serial: the device was given another label."""
    for device in subject.relabelled[:1]:
        item = next(item for item in subject.declared if item.device_uuid == device.uuid)
        yield _differ(
            "other-serial",
            subject,
            f"declared with the UUID {item.device_uuid}",
            f"{_where(device)} reports that UUID with the serial {device.serial}",
            sources=(item.source, device.source),
        )
    for device in subject.seen:
        earlier = [s for s in subject.sightings if s.uuid == device.uuid and s.serial]
        other = [s for s in earlier if serial_key(s.serial) != subject.key]
        if other and device.serial:
            yield _differ(
                "other-serial",
                subject,
                f"{_where(device)} reports the UUID {device.uuid} with this serial",
                f"node {other[0].node} reported it with the serial {other[0].serial} since {other[0].first}",
                sources=(device.source, f"node {other[0].node}"),
            )
            return


def _check_key(subject: Subject, _: AtSite) -> Iterator[Difference]:
    """The firm's list and the register name two device keys for one serial."""
    standing = subject.standing
    for item in subject.declared:
        registered = standing.identity.device_key if standing else ""
        if registered and item.device_key and item.device_key != registered:
            yield _differ(
                "other-device-key",
                subject,
                f"declared with the device key {item.device_key}",
                f"registered with {registered}",
                sources=(item.source, *_event(standing)),
            )


def _check_turned_up(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """What the register has as stolen, destroyed, lost or on its way, and a node reports."""
    standing, seen = subject.standing, subject.seen_at(at.site)
    code = _TURNED_UP.get(standing.state) if standing is not None else None
    if standing is not None and seen and code is not None:
        yield _differ(
            code,
            subject,
            f"{standing.state} since {standing.at} by the register",
            f"{_where(seen[0])} reports it at {seen[0].last}",
            sources=(*_event(standing), seen[0].source),
        )


def _check_registered(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """Observed or declared here, and the register knows no such serial."""
    seen = subject.seen_at(at.site)
    if subject.standings or not (seen or subject.declared):
        return
    sources = (*(item.source for item in subject.declared), *(device.source for device in seen))
    if not seen and not any(item.serial for item in subject.declared):
        reason, verdict = "declared without a serial, so the register cannot be asked", False
    elif seen and not any(device.serial for device in seen):
        reason, verdict = "the board reports no serial, so the register cannot be asked", False
    else:
        reason, verdict = "no chip or component is registered with this serial", True
    said = [f"{_where(seen[0])} reports it as {seen[0].model or 'unnamed'}"] if seen else []
    yield _differ("unregistered", subject, reason, *said, sources=sources, fails=verdict)


def _check_site(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """Here by one voice, elsewhere by another."""
    standing, here = subject.standing, subject.seen_at(at.site)
    if standing is not None and standing.site not in ("", at.site) and (here or subject.declared):
        voices = [f"{_where(here[0])} reports it here"] if here else []
        yield _differ(
            "elsewhere",
            subject,
            f"at {standing.site} by the register",
            *(voices or [f"declared at {at.site}"]),
            sources=(*_event(standing), *_sources(subject, here)),
        )
    there = [device for device in (*subject.seen, *subject.through) if device.site != at.site]
    is_ours = bool(subject.declared) or (standing is not None and standing.site == at.site)
    if there and not here and is_ours:
        yield _differ(
            "elsewhere",
            subject,
            f"{_where(there[0])} reports it at {there[0].site}",
            f"{'declared' if subject.declared else 'registered'} at {at.site}",
            sources=(*_sources(subject, there[:1]), *_event(standing)),
        )


def _check_model(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """Two voices name two models."""
    standing = subject.standing
    voices = [(device.model, _where(device), device.source) for device in _own(subject, at)]
    voices += [(item.model, "the list", item.source) for item in subject.declared]
    if standing is not None:
        voices.insert(0, (standing.identity.model, "the register", f"event {standing.number}"))
    named = [voice for voice in voices if voice[0]]
    for model, who, source in named[1:]:
        alike = is_same_model(named[0][0], model)
        if alike is not True:
            yield _differ(
                "model-mismatch",
                subject,
                f"{named[0][1]} says {named[0][0]}",
                f"{who} says {model}",
                sources=(named[0][2], source),
                fails=alike is False,
            )
            return


def _check_holder(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """The list names another holder or owner than the register; a name that nobody enrolled decides nothing."""
    standing = subject.standing
    if standing is None:
        return
    for item in subject.declared:
        for what, said, known in (
            ("holder", item.holder, {standing.holder, standing.custodian}),
            ("owner", item.owner, {standing.owner}),
        ):
            if said and said not in known:
                yield _differ(
                    "holder-mismatch",
                    subject,
                    f"{what} {said} by the list",
                    f"{what} {standing.holder if what == 'holder' else standing.owner} by the register",
                    *([] if said in at.parties else [f"{said} is no enrolled party's name"]),
                    sources=(item.source, *_event(standing)),
                    fails=said in at.parties,
                )


def _check_state(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """The list says that it is gone, and a node reports it or the register has it here."""
    standing = subject.standing
    for item in subject.declared:
        if presence_of(item.state) != "gone":
            continue
        seen = subject.seen_at(at.site)
        is_here = standing is not None and standing.site == at.site and is_present(standing)
        if seen or is_here:
            yield _differ(
                "state-mismatch",
                subject,
                f"{item.state} by the list",
                f"{_where(seen[0])} reports it" if seen else "at this site by the register",
                sources=(item.source, *(device.source for device in seen[:1]), *_event(standing)),
            )


def _check_missing(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """Declared or registered here, and no node reported it in the window."""
    standing = subject.standing
    is_registered = standing is not None and standing.site == at.site and is_present(standing)
    is_declared = any(presence_of(item.state) != "gone" for item in subject.declared)
    if subject.seen or subject.through or not (is_registered or is_declared):
        return
    holding = subject.holding
    if holding is None:
        reasons = ["no node reported it in the window, and none that should have it reported"]
        reasons += [f"last seen {s.last} by {s.node}" for s in subject.sightings[-1:]]
    else:
        reasons = [f"{_where(holding)} should have it and reported without it"]
    who = "declared" if is_declared else "registered"
    sources = (*_sources(subject, ()), *_event(standing), *([holding.source] if holding else []))
    yield _differ(
        "missing",
        subject,
        f"{who} at {at.site}",
        *reasons,
        sources=sources,
        fails=holding is not None,
    )


def _check_declared(subject: Subject, at: AtSite) -> Iterator[Difference]:
    """In the register or at a node here, and not in the firm's own asset register."""
    if not at.has_register or subject.declared:
        return
    standing, seen = subject.standing, subject.seen_at(at.site)
    is_here = standing is not None and standing.site == at.site and is_present(standing)
    if is_here or seen:
        yield _differ(
            "undeclared",
            subject,
            f"the asset register of {at.site} does not name it",
            sources=(*_event(standing), *(device.source for device in seen)),
        )


CHECKS: Final[tuple[Callable[[Subject, AtSite], Iterator[Difference]], ...]] = (
    _check_clone,
    _check_uuid,
    _check_serial,
    _check_key,
    _check_turned_up,
    _check_registered,
    _check_site,
    _check_model,
    _check_holder,
    _check_state,
    _check_missing,
    _check_declared,
)


# --- what the checks share ---------------------------------------------------------------------------


def _differ(
    code: DifferenceCode,
    subject: Subject,
    *reasons: str,
    sources: Sequence[str],
    fails: bool = True,
) -> Difference:
    standing = subject.standing
    models = [standing.identity.model] if standing is not None else []
    models += [device.model for device in subject.seen] + [item.model for item in subject.declared]
    return Difference(
        code=code,
        verdict="fails" if fails else "unverifiable",
        item=subject.name,
        epc=standing.epc if standing is not None else "",
        model=next((model for model in models if model), ""),
        reasons=reasons,
        sources=tuple(dict.fromkeys(source for source in sources if source)),
    )


def _where(device: ObservedDevice) -> str:
    return f"node {device.node} ({device.hostname})" if device.hostname else f"node {device.node}"


def _event(standing: Standing | None) -> tuple[str, ...]:
    return (f"event {standing.number}",) if standing is not None else ()


def _sources(subject: Subject, devices: Iterable[ObservedDevice]) -> tuple[str, ...]:
    return (*(item.source for item in subject.declared), *(device.source for device in devices))


def _own(subject: Subject, at: AtSite) -> list[ObservedDevice]:
    """Reports of the item itself from this site; a chassis says nothing of what is in it."""
    return [device for device in subject.seen if device.site == at.site]


def is_present(standing: Standing) -> bool:
    """Whether the register has it in somebody's hands, at rest."""
    return standing.state in ("registered", "active", "suspended", "returned")


@lru_cache(maxsize=4096)
def is_same_model(one: str, other: str) -> bool | None:
    """Whether two names are one model; None where neither the table nor the words can tell."""
    if _words(one) <= _words(other) or _words(other) <= _words(one):
        return True
    first, second = known_chips().find(one), known_chips().find(other)
    if first is None or second is None:
        return None
    return first.name == second.name


def _words(model: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", model.casefold())) - {"nvidia", "amd", "intel"}
