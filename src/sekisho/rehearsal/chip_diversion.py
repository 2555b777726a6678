"""The other half of the chips' drill: a server leaves under its labels, and what finds it that labels do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Final

from sekisho.adapters.storage.declarations_sqlite import DeclarationsSqlite
from sekisho.adapters.storage.fleet_sqlite import FleetSqlite
from sekisho.adapters.storage.inventories_file import InventoriesFile
from sekisho.model.statements import IrregularityFound
from sekisho.operations.register.reconciling import Books, reconcile_site, take_declaration
from sekisho.ports.declaration_store import DeclarationRow
from sekisho.registry.reading import (
    BadRow,
    DeclaredItem,
    Reconciliation,
    bytes_source,
    open_table,
    propose_mapping,
    read_lines,
    write_csv,
)
from sekisho.rehearsal.chip_devices import (
    Accelerator,
    Device,
    EmptyBox,
    Outcome,
    Recorder,
    draw_challenge,
    judge_answer,
)
from sekisho.rehearsal.chip_documents import Json, challenged
from sekisho.rehearsal.chip_scene import (
    CHIPS,
    CLOUD,
    ELSEWHERE,
    HALL,
    INSPECTOR,
    SERVERS,
    ChipScene,
    NotAsAnnounced,
)
from sekisho.rehearsal.chip_trade import close_balance

__all__ = ["ask_devices", "balance_again", "count_labels", "divert", "turn_up"]

ASSET_REGISTER: Final = "asset-register.csv"
CLONE_CODES: Final = ("active-elsewhere",)
KEY_CODES: Final = ("other-device-key",)


def divert(scene: ChipScene) -> None:
    """The second server is carried out at night; its labels are warmed off and put on a dummy. No event says so."""
    scene.reach(10)
    events = scene.regime.register.store.load_numbers().event
    gone = scene.server_of[SERVERS[1]]
    kinds: Iterator[Callable[[], Device]] = cycle(
        (EmptyBox, EmptyBox, Accelerator, _recorder_of(scene, gone[3]))
    )
    dummies: dict[str, Device] = {}
    for chip, make in zip(gone, kinds, strict=False):
        scene.behind[ELSEWHERE][chip] = scene.behind[HALL][chip]
        dummies[chip] = make()
    scene.behind[HALL].update(dummies)
    scene.expect(scene.regime.register.store.load_numbers().event, events, "events of the night")
    scene.say("diverted", server=SERVERS[1].rsplit("/", 1)[-1], chips=len(gone))
    scene.say("dummies")


def count_labels(scene: ChipScene) -> None:
    """An inspection by labels: the firm's list agrees with the book, the balance holds. So labels prove nothing."""
    scene.reach(11)
    data = _asset_register(scene)
    (scene.home.path / ASSET_REGISTER).write_bytes(data)
    items = _read(data)
    found = _compare(scene, items)
    scene.expect((found.declared, found.fails), (len(scene.components), 0), "the label count")
    scene.say("labels", lines=len(items), differing=found.fails)
    balance = close_balance(scene, tuple(item.epc for item in items))
    scene.expect((balance.verdict, balance.unaccounted), ("holds", 0), "the balance of labels")
    scene.say("labels-pass")
    scene.expect(found.verdict, "unverifiable", "the register's own word for it")
    scene.say("labels-unverifiable", count=found.unverifiable)


def ask_devices(scene: ChipScene) -> None:
    """A fresh nonce to whatever stands behind each label: half answer with the registered key, the dummies cannot."""
    scene.reach(12)
    before = scene.newest_alert()
    outcomes = _inspect(scene, HALL, CHIPS)
    _tell_outcomes(scene, outcomes)
    genuine = {c for c, outcome in outcomes.items() if outcome == "registered-key"}
    scene.expect(genuine, set(scene.server_of[SERVERS[0]]), "who answers with the registered key")
    others = {c for c, outcome in outcomes.items() if outcome == "other-key"}
    alerted = {alert.epc for alert in scene.alerts(KEY_CODES, after=before)}
    scene.expect(alerted, others, "who is reported for another key")
    if not others:
        raise NotAsAnnounced("no dummy answered with a key of its own")
    scene.say("other-key", count=len(alerted), code=KEY_CODES[0])
    silent = len(outcomes) - len(genuine) - len(others)
    scene.say("silent", count=silent, verdict=scene.word("chip.verdict.unverifiable"))
    scene.settle()


def turn_up(scene: ChipScene) -> None:
    """The same serials in a warehouse abroad, and there the registered keys answer: the label is in one place."""
    scene.reach(14)
    before = scene.newest_alert()
    gone = scene.server_of[SERVERS[1]]
    outcomes = _inspect(scene, ELSEWHERE, gone)
    _tell_outcomes(scene, outcomes)
    scene.expect(set(outcomes.values()), {"registered-key"}, "the answers in the warehouse")
    alerted = {alert.epc for alert in scene.alerts(CLONE_CODES, after=before)}
    scene.expect(alerted, set(gone), "who is reported in two places")
    scene.say("clone", count=len(alerted), code=CLONE_CODES[0], hall=HALL, elsewhere=ELSEWHERE)
    scene.settle()


def balance_again(scene: ChipScene) -> None:
    """The same book against what proved itself: nine components are missing; every finding is in the log."""
    scene.reach(15)
    proven = (SERVERS[0], *scene.server_of[SERVERS[0]])
    balance = close_balance(scene, proven)
    missing = {SERVERS[1], *scene.server_of[SERVERS[1]]}
    scene.expect(balance.verdict, "fails", "the balance of what proved itself")
    scene.expect(set(balance.missing), missing, "what is missing")
    entries = scene.regime.desk.recorded()
    facts = [entry.verified.predicate for entry in entries]
    found = Counter(f.irregularity for f in facts if isinstance(f, IrregularityFound))
    for code in (*KEY_CODES, *CLONE_CODES, "balance-missing"):
        if not found[code]:
            raise NotAsAnnounced(f"the log holds no finding {code}")
    told = ", ".join(f"{code} {count}" for code, count in sorted(found.items()))
    scene.say("findings", findings=told)


# --- labels -------------------------------------------------------------------------------------


def _asset_register(scene: ChipScene) -> bytes:
    """What somebody with a scanner writes down in the hall: every label is there."""
    rows = [("Serial Number", "Model", "EPC", "Custodian", "Location", "Status")]
    for epc in scene.components:
        identity = scene.standing(epc).identity
        rows.append((identity.serial, identity.model, epc, CLOUD, HALL, "installed"))
    return write_csv(rows)


def _read(data: bytes) -> list[DeclaredItem]:
    table = open_table(bytes_source(data), path=ASSET_REGISTER)
    mapping = propose_mapping(table, name="drill", kind="asset-register").mapping
    rows = list(read_lines(table, mapping, site=HALL))
    bad = [row for row in rows if isinstance(row, BadRow)]
    if bad:
        raise NotAsAnnounced(f"line {bad[0].line} of the asset register: {bad[0].error}")
    return [row for row in rows if not isinstance(row, BadRow)]


def _compare(scene: ChipScene, items: list[DeclaredItem]) -> Reconciliation:
    """The list is kept as the hall's own declaration and held against the register."""
    file = InventoriesFile(scene.home.path / "inventories.sqlite")
    try:
        books = Books(
            register=scene.regime.register.store,
            fleet=FleetSqlite(file),
            declarations=DeclarationsSqlite(file),
        )
        row = DeclarationRow(
            site=HALL, kind="asset-register", source=ASSET_REGISTER, received=scene.now
        )
        take_declaration(books.declarations, items, row)
        return reconcile_site(books, HALL, now=scene.now)
    finally:
        file.close()


# --- challenges ---------------------------------------------------------------------------------


def _inspect(scene: ChipScene, place: str, labels: tuple[str, ...]) -> Mapping[str, Outcome]:
    """Challenge what stands behind each label, and state what was seen under the inspector's key."""
    outcomes: dict[str, Outcome] = {}
    events: list[Json] = []
    for label in labels:
        challenge = draw_challenge(label, place)
        answer = scene.behind[place][label].answer(challenge)
        registered = scene.standing(label).identity.device_key
        outcome, key = judge_answer(challenge, answer, registered)
        outcomes[label] = outcome
        events.append(challenged(scene.now, label, place, outcome=outcome, key=key))
    row = scene.taken(events, INSPECTOR)
    if "inspect" not in row.powers:
        raise NotAsAnnounced("the inspector's document does not bear the power to inspect")
    return outcomes


def _tell_outcomes(scene: ChipScene, outcomes: Mapping[str, Outcome]) -> None:
    for outcome, count in Counter(outcomes.values()).items():
        scene.say("outcome", count=count, outcome=scene.word(f"chip.drill.outcome.{outcome}"))


def _recorder_of(scene: ChipScene, chip: str) -> Callable[[], Device]:
    """How a dummy is made that plays back what the genuine chip answered the day before."""
    heard = scene.behind[HALL][chip].answer(draw_challenge(chip, HALL))
    if heard is None:
        raise NotAsAnnounced("the genuine chip does not answer")
    return lambda: Recorder(heard)
