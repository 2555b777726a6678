"""Signed statements of impacts, and what a reader checks them with."""

from __future__ import annotations

import msgspec

from sekisho.model.statements import PackReference, make_payload
from sekisho.rules import Pack
from sekisho.rules.impact import Answer, Checked, Knowledge, assess, state_impact
from sekisho.signing import Envelope, sign_payload
from tests.factory import PARTY
from tests.rules.impact.companies import AT, packs, signed_answers

__all__ = ["envelope_of", "knowledge", "verdicts"]

LATER = AT.plus(60)


def envelope_of(given: dict[str, Answer], chosen: tuple[Pack, ...] | None = None) -> Envelope:
    used = packs() if chosen is None else chosen
    said = state_impact(assess(given, used, AT), signed_answers(given), used, PARTY.public)
    return sign_payload(make_payload(said), [PARTY])


def knowledge(given: dict[str, Answer] | None = None, **changes: object) -> Knowledge:
    held = {pack.sha256: pack for pack in packs()}

    def find(reference: PackReference) -> Pack | None:
        return held.get(reference.sha256)

    known = Knowledge(
        now=LATER,
        laws=packs(),
        find=find,
        key=PARTY.public,
        answers=signed_answers(given) if given is not None else None,
    )
    return msgspec.structs.replace(known, **changes)


def verdicts(checked: Checked) -> dict[str, str]:
    return {check.name: check.verdict for check in checked.checks}
