"""An EPCIS document in words, for whoever is about to endorse it: what it says, how often, of how many things."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import tame
from sekisho.model.wire import sha256_hex
from sekisho.registry.epcis import Document
from sekisho.signing.phrase import digest_phrase

__all__ = ["Summary", "summarise"]

MOST_SHOWN = 12


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says; `steps` counts events by business step and disposition, `places` by place."""

    sha256: str
    events: int
    problems: tuple[str, ...]
    epcs: int
    declarations: int
    since: str
    until: str
    steps: dict[str, int]
    places: dict[str, int]
    parties: tuple[str, ...]

    @property
    def phrase(self) -> str:
        return digest_phrase(self.sha256)

    def to_document(self) -> dict[str, Any]:
        return {**msgspec.structs.asdict(self), "phrase": self.phrase}

    def to_text(self, file: str, language: Language) -> str:
        lines = [
            say("registry.sign.file", language, file=tame(file), sha256=self.sha256),
            say("registry.sign.events", language, events=self.events, epcs=self.epcs),
            say("registry.sign.span", language, since=self.since or "-", until=self.until or "-"),
        ]
        for key, found in (("steps", self.steps), ("places", self.places)):
            told = ", ".join(f"{tame(name) or '-'} {n}" for name, n in _most(found))
            lines.append(f"  {say(f'registry.sign.{key}', language)}: {told}")
        if self.parties:
            named = ", ".join(tame(party) for party in self.parties)
            lines.append(f"  {say('registry.sign.parties', language)}: {named}")
        if self.declarations:
            lines.append(say("registry.sign.declarations", language, count=self.declarations))
        if self.problems:
            lines.append(say("registry.sign.problems", language, count=len(self.problems)))
            lines += [f"    {tame(problem)}" for problem in self.problems[:MOST_SHOWN]]
        lines.append(say("registry.sign.phrase", language, phrase=self.phrase))
        return "\n".join(lines)


def summarise(data: bytes, read: Document) -> Summary:
    """What the bytes of a document say."""
    events = read.events
    things = {
        epc
        for event in events
        for epc in (*event.epcs, event.parent, *event.children, *event.inputs, *event.outputs)
        if epc
    }
    times = sorted(event.at for event in events)
    ends = [end.id for event in events for end in (*event.sources, *event.destinations)]
    return Summary(
        sha256=sha256_hex(data),
        events=len(events),
        problems=tuple(f"{found.path}: {found.problem}" for found in read.problems),
        epcs=len(things),
        declarations=sum(event.error is not None for event in events),
        since=str(times[0]) if times else "",
        until=str(times[-1]) if times else "",
        steps=dict(Counter(_step(e.biz_step, e.disposition) for e in events)),
        places=dict(Counter(e.biz_location or e.read_point for e in events)),
        parties=tuple(dict.fromkeys(ends))[:MOST_SHOWN],
    )


def _step(step: str, disposition: str) -> str:
    return f"{step}/{disposition}" if disposition else step


def _most(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_SHOWN]
