"""Attacks with time on a regime's rules: expired charters, renewed emergencies, algorithms past their end."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import StateConflict
from sekisho.model.statements import CosignatureAlgorithm, PackPublished, PackReference
from sekisho.operations.admission import check_admission
from sekisho.operations.grounds import Grounds
from sekisho.operations.state import State
from sekisho.signing import Recorded
from tests.factory import (
    AUTHORITY,
    NOW,
    RECOVERY,
    VERIFIER,
    charter,
    charter_envelope,
    recorded,
    signed,
)
from tests.signing.logs import (
    AMENDERS,
    DAY_S,
    NEW_KEY,
    RegimeLog,
    effect_at,
    issue,
    next_terms,
    reference_of,
)

EMERGENCY = (AUTHORITY[0], VERIFIER[0])
FULL = AUTHORITY[:2]


def pack(version: str, *, emergency: bool = False) -> PackPublished:
    """A version of the pack `loop`."""
    reference = PackReference(name="loop", version=version, sha256="4" * 64)
    return PackPublished(effective=NOW, pack=reference, bytes=1, emergency=emergency)


def in_force(log: RegimeLog, later_s: float = 0) -> str | None:
    found = log.shelf.in_force("loop", log.now.plus(later_s), log.regime.marks)
    return found.pack.version if found is not None else None


def publish(log: RegimeLog, version: str, *signers: object, emergency: bool = True) -> Recorded:
    entry = log.add(pack(version, emergency=emergency), *(signers or EMERGENCY))  # type: ignore[arg-type]  # signers
    log.mark()
    return entry


def admit(log: RegimeLog, fact: object, *signers: object) -> None:
    """Ask whether the desk would let it in now."""
    state = State(regime=log.regime, orders=log.book, shelf=log.shelf, size=len(log.entries))
    entry = recorded(signed(fact, *signers), log.regime, state.size)  # type: ignore[arg-type]  # the test's own
    check_admission(state, entry, Grounds(now=log.now, load_pack=lambda _: None))


def test_charter_emergency_pack_lapses() -> None:
    """After thirty witnessed days the pack before it counts again."""
    log = RegimeLog()
    publish(log, "1", *FULL, emergency=False)
    publish(log, "2")
    assert in_force(log, 30 * DAY_S - 1) == "2"
    assert in_force(log, 30 * DAY_S) == "1"


def test_charter_emergency_renewed() -> None:
    """A second emergency takes the first one's place, not more time; after the lapse few signatures renew nothing."""
    log = RegimeLog()
    publish(log, "1", *FULL, emergency=False)
    publish(log, "2")
    log.pass_time(29 * DAY_S)
    publish(log, "3")
    assert in_force(log) == "3"
    assert in_force(log, DAY_S) == "1"
    log.pass_time(DAY_S)
    with pytest.raises(StateConflict, match="publish-rules"):
        admit(log, pack("4", emergency=True), *EMERGENCY)
    publish(log, "4")
    assert in_force(log) == "1"
    publish(log, "5", *FULL)
    assert in_force(log) == "5"
    assert in_force(log, 30 * DAY_S) == "1"


def test_charter_emergency_renewed_behind_an_ordinary_pack() -> None:
    """An ordinary pack in between does not let a lapsed emergency come back by few; one in time does."""
    log = RegimeLog()
    publish(log, "1")
    log.pass_time(31 * DAY_S)
    publish(log, "2", *FULL, emergency=False)
    publish(log, "3")
    assert in_force(log) == "2"
    other = RegimeLog()
    publish(other, "1")
    publish(other, "2", *FULL, emergency=False)
    assert in_force(other) == "2"
    other.pass_time(60 * DAY_S)
    publish(other, "3")
    assert in_force(other) == "3"


def test_charter_emergency_kept_alive_by_a_date() -> None:
    """A licence dated before the lapse does not bring the lapsed pack back."""
    log = RegimeLog()
    publish(log, "1")
    log.pass_time(31 * DAY_S)
    assert in_force(log, -20 * DAY_S) is None


def test_charter_expiry_strands_no_halted_host() -> None:
    """Under an expired charter hold, pause and resume go on; amendments do not; recovery does."""
    log = RegimeLog()
    pause = issue(log)
    log.pass_time(366 * DAY_S)
    assert log.regime.in_force().terms.expires < log.now
    with pytest.raises(StateConflict, match="expired"):
        admit(log, next_terms(log, expires=log.now.plus(DAY_S)), *AMENDERS)
    issue(log, *AUTHORITY[:2], kind="hold", effect="freeze", expires=log.now.plus(60))
    issue(log, kind="resume", effect="lift", lifts=(reference_of(pause),))
    assert effect_at(log, log.now.plus(60)) is None
    entry = log.announce()
    log.pass_time(14 * DAY_S)
    admit(log, log.recovering(entry), *RECOVERY[:2], *AMENDERS)
    log.recover(entry)
    assert NEW_KEY.public.key_id in log.regime.in_force().keys


def test_charter_cosignatures_of_an_algorithm_past_its_end() -> None:
    """A tree that only a broken algorithm vouches for tells no time, so no notice runs out by it."""
    terms = charter()
    ending = (CosignatureAlgorithm(name="ed25519", until=NOW.plus(DAY_S)),)
    log_terms = msgspec.structs.replace(terms.log, cosignatures=ending)
    log = RegimeLog(charter_envelope(msgspec.structs.replace(terms, log=log_terms)))
    log.announce()
    log.pass_time(20 * DAY_S)
    assert log.regime.newest_mark is not None
    assert log.regime.newest_mark.at == NOW
