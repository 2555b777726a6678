"""The charter's drill: found, amend, lose a key, lose too many, recover; every step says what it shows.

One table of steps; each raises where something is not as announced, and the drill ends there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.storage.file_tiles import FileTileStore
from sekisho.catalogue import Language
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import CharterAdopted, Scope, make_payload
from sekisho.model.wire import canonical, sha256_hex
from sekisho.operations.amending import AmendmentPlan, KeyChange, draft_amendment
from sekisho.operations.difference import compare_charter
from sekisho.operations.founding import draft_founding
from sekisho.operations.key_care import (
    doubt_of,
    draft_compromise,
    draft_confirmation,
    draft_drill,
    key_standings,
    lost_powers,
    weigh_compromise,
)
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.reading import read_state
from sekisho.operations.recovering import draft_announcement, draft_recovery, draft_veto
from sekisho.operations.state import start_state
from sekisho.rehearsal.charter_scene import DAY_S, CharterScene, NotAsAnnounced
from sekisho.rehearsal.script import Narrator, StepResult
from sekisho.signing import Charter, root_of

__all__ = ["STEPS", "CharterDrillResult", "play_charter"]

QUORUM = ("authority-1", "authority-2", "authority-3", "verifiers-1")


class CharterDrillResult(msgspec.Struct, frozen=True, kw_only=True):
    """*holds* when every step did what was announced. `origin` is the rehearsed log's name, which nobody trusts."""

    verdict: Literal["holds", "fails"]
    home: str
    origin: str
    steps: tuple[StepResult, ...]


def found(scene: CharterScene) -> None:
    """Version 1 from public keys; below the quorum it is nothing, at the quorum a trust root."""
    terms = draft_founding(scene.plan(), now=scene.now)
    envelope = scene.sign(terms, QUORUM[:2])
    charter = Charter(terms, envelope.digest)
    signers = frozenset(map(scene.key_id, QUORUM[:2]))
    scene.must_refuse("early", lambda: charter.verify_power("amend", signers))
    envelope = scene.sign(terms, QUORUM[2:], onto=envelope)
    scene.root = root_of(terms, envelope.digest)
    (scene.home / "trust.json").write_bytes(canonical(scene.root) + b"\n")
    scene.say("root", charter=scene.root.charter)
    scene.log.open(start_state(scene.root))
    scene.enter(envelope)


def prove(scene: CharterScene) -> None:
    """Three holders prove their keys; after the charter's term the others are doubtful."""
    scene.pass_time(
        DAY_S
    )  # a drill answers the newest tree that the log quotes, which is the one before
    scene.pass_time(60)
    for name in QUORUM[:3]:
        scene.done(draft_drill(scene.state, scene.key_id(name), "DRILL", now=scene.now), name)
    scene.pass_time(scene.state.regime.in_force().terms.key_drill_every_s - DAY_S // 2)
    rows = key_standings(scene.state, now=scene.now)
    doubtful = {row.key for row in rows if row.doubtful}
    if not doubtful or doubtful & set(map(scene.key_id, QUORUM[:3])):
        raise NotAsAnnounced("the doubtful keys are not those that nobody proved")
    scene.say("doubtful", count=len(doubtful), all=len(rows))


def amend(scene: CharterScene) -> None:
    """Version 2 with another member's key: old and new quorum; with the new one alone it is refused."""
    change = KeyChange(old=scene.key_id("authority-5"), new=scene.held("authority-5b", "authority"))
    terms = _amended(scene, AmendmentPlan(replaced=(change,)))
    few = scene.sign(terms, ("authority-5b", *QUORUM[:2], QUORUM[3]))
    scene.must_refuse("old-quorum", lambda: scene.log.append(few.raw, scene.now))
    scene.enter(scene.sign(terms, ("authority-3",), onto=few))


def lose(scene: CharterScene) -> None:
    """A key is lost after a pause was signed with it: the pause is in doubt, is confirmed, and stands."""
    lost, since = "authority-3", scene.now
    scene.pass_time(60)
    plan = OrderPlan(
        kind="pause",
        scope=Scope(everywhere=True),
        effect="checkpoint-then-stop",
        lasts_s=DAY_S,
        legal_basis="DRILL",
        appeal="DRILL",
        drill=True,
    )
    order = scene.done(draft_order(scene.state, plan, now=scene.now), *QUORUM)
    charter = scene.state.regime.in_force()
    report = draft_compromise(charter, scene.key_id(lost), since, "DRILL", now=scene.now)
    for row in weigh_compromise(scene.state, report, now=scene.now):
        scene.say("doubt", name=row.name, kind=row.kind, ends=row.ends or "-")
    scene.done(report, "authority-1", "verifiers-1")
    if doubt_of(scene.state, order.verified.digest) is None:
        raise NotAsAnnounced("the pause is not in doubt")
    again = draft_order(scene.state, plan, now=scene.now)
    scene.must_refuse("lost-key", lambda: scene.sign(again, (lost,)))
    known = next(iter(scene.state.orders.orders["pause/JP"].values()))
    confirmation = draft_confirmation(scene.state, known.reference, now=scene.now)
    scene.done(confirmation, "authority-1", "authority-2", "authority-4", "verifiers-1")
    if doubt_of(scene.state, order.verified.digest) is not None:
        raise NotAsAnnounced("the confirmed pause is still in doubt")


def succeed(scene: CharterScene) -> None:
    """Version 3 puts a new key in the lost one's place."""
    change = KeyChange(old=scene.key_id("authority-3"), new=scene.held("authority-3b", "authority"))
    terms = _amended(scene, AmendmentPlan(replaced=(change,)))
    scene.done(terms, "authority-1", "authority-2", "authority-4", "verifiers-1")


def veto(scene: CharterScene) -> None:
    """Recovery keys announce what nobody needs; another constituency says no, and it is over."""
    change = KeyChange(old=scene.key_id("authority-1"), new=scene.held("usurper-1", "authority"))
    fact = draft_announcement(scene.state, [change], now=scene.now)
    leaf = scene.done(fact, "recovery-1", "recovery-2").leaf
    no = draft_veto(scene.state, leaf, "verifiers", "DRILL", now=scene.now)
    scene.done(no, "verifiers-1")
    scene.pass_time(15 * DAY_S)
    scene.must_refuse("vetoed", lambda: draft_recovery(scene.state, leaf, now=scene.now))


def recover(scene: CharterScene) -> None:
    """Three of five are lost and nobody can amend: recovery keys, 14 days in witnessed checkpoints, new keys."""
    gone = ("authority-1", "authority-2", "authority-3b")
    powers = lost_powers(scene.state, *map(scene.key_id, gone))
    if "amend" not in powers:
        raise NotAsAnnounced("the charter could still be amended")
    scene.say("powers", names=", ".join(gone), powers=", ".join(powers))
    changes = [
        KeyChange(old=scene.key_id(name), new=scene.held(f"{name}-recovered", "authority"))
        for name in gone
    ]
    fact = draft_announcement(scene.state, changes, now=scene.now)
    leaf = scene.done(fact, "recovery-2", "recovery-3").leaf
    scene.pass_time(13 * DAY_S)
    scene.must_refuse("too-early", lambda: draft_recovery(scene.state, leaf, now=scene.now))
    scene.pass_time(DAY_S)
    scene.pass_time(60)  # the log quotes the tree that was witnessed after the 14 days
    terms = draft_recovery(scene.state, leaf, now=scene.now)
    new = tuple(f"{name}-recovered" for name in gone)
    scene.done(terms, "recovery-2", "recovery-3", *new, "verifiers-1")
    if scene.state.regime.in_force().terms != terms:
        raise NotAsAnnounced("the recovered charter is not in force")
    later = AmendmentPlan(expires=terms.expires.plus(DAY_S))
    next_terms = draft_amendment(scene.state.regime.in_force(), later, now=scene.now)
    scene.must_refuse("old-member", lambda: scene.sign(next_terms, ("authority-1",)))


def check(scene: CharterScene) -> None:
    """A stranger reads the whole log from its files, under the root alone, and finds the same charter in force."""
    if scene.root is None:
        raise NotAsAnnounced("there is no trust root")
    scene.log.publish()
    state, cosigned = read_state(FileTileStore(scene.home / "public" / "log"), scene.root)
    mine, theirs = scene.state.regime.in_force(), state.regime.in_force()
    if theirs.digest != mine.digest or cosigned.checkpoint.size != scene.state.size:
        raise NotAsAnnounced("a stranger reads another charter than the one that was adopted")
    scene.say("read", size=cosigned.checkpoint.size, version=theirs.terms.version)


STEPS: tuple[tuple[str, Callable[[CharterScene], None]], ...] = (
    ("found", found),
    ("prove", prove),
    ("amend", amend),
    ("lose", lose),
    ("succeed", succeed),
    ("veto", veto),
    ("recover", recover),
    ("check", check),
)


def play_charter(
    home: Path, narrator: Narrator, *, now: Instant, language: Language
) -> CharterDrillResult:
    """Play every step until one fails. `now` is where the rehearsal's calendar begins."""
    scene = CharterScene(home, now, language, narrator.say)
    results: list[StepResult] = []
    for number, (name, act) in enumerate(STEPS, 1):
        narrator.begin(name, number, len(STEPS))
        results.append(_played(name, act, scene))
        narrator.end(results[-1])
        if not results[-1].ok:
            scene.log.publish()  # for whoever looks for the reason in a kept home
            break
    holds = len(results) == len(STEPS) and all(step.ok for step in results)
    return CharterDrillResult(
        verdict="holds" if holds else "fails",
        home=str(home),
        origin=scene.origin,
        steps=tuple(results),
    )


def _played(name: str, act: Callable[[CharterScene], None], scene: CharterScene) -> StepResult:
    start = time.monotonic()
    problem = ""
    try:
        act(scene)
    except SekishoError as error:
        problem = str(error)
    seconds = round(time.monotonic() - start, 3)
    return StepResult(name=name, ok=not problem, seconds=seconds, problem=problem)


def _amended(scene: CharterScene, plan: AmendmentPlan) -> CharterAdopted:
    """The next version, with every change told."""
    charter = scene.state.regime.in_force()
    terms = draft_amendment(charter, plan, now=scene.now)
    for change in compare_charter(charter.terms, terms):
        scene.say(
            "change", what=change.what, before=change.before or "-", after=change.after or "-"
        )
    scene.say("drafted", version=terms.version, digest=sha256_hex(make_payload(terms))[:16])
    return terms
