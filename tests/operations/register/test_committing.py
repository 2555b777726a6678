"""Saved batches come into the log: once, in order, whatever else goes on."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TypeVar

import pytest

from sekisho.model.errors import Unavailable
from sekisho.model.statements import (
    ChipRegistered,
    CustodyMoved,
    DisclosureDeposited,
    IrregularityFound,
    Predicate,
)
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.register import committing
from sekisho.registry.commitments import batch_root, commitment
from sekisho.registry.disclosed import DisclosedEvent, parse_lines
from sekisho.registry.sealed_content import SealedAt, open_content
from sekisho.signing import open_fields, parse_disclosure
from sekisho.signing.tag import unique_key
from tests import factory as f
from tests.register_desk import TAG_KEY, RegisterDesk, wait_for
from tests.registry.year import (
    PARTIES,
    TERMS,
    commissioned,
    counted,
    declared_wrong,
    document_of,
    inspected,
    received,
)

P = TypeVar("P", bound=Predicate)
FAB = f.signer("fab")
CHIPS = tuple(f"https://chips.example/id/gpu/SN-{n}" for n in range(1, 4))


def desk_in(folder: Path, *, holders: int = 0) -> RegisterDesk:
    return RegisterDesk(folder, PARTIES, terms=TERMS, holders=holders)


def told(desk: RegisterDesk, *events: dict[str, object]) -> bytes:
    """A document of events that happened a minute ago."""
    at = desk.clock.now().plus(-60)
    return document_of([{"eventTime": str(at), **event} for event in events], desk.clock.now())


def facts(desk: RegisterDesk, kind: type[P]) -> list[P]:
    return [
        entry.verified.predicate
        for entry in desk.desk.recorded()
        if isinstance(entry.verified.predicate, kind)
    ]


def test_each_batch_is_stated_once_and_in_its_order(tmp_path: Path) -> None:
    """Number, count and root of what was saved, dated as the batch was; then the batch knows its entry."""
    with desk_in(tmp_path) as desk:
        for chip in CHIPS:
            desk.capture(told(desk, commissioned(chip)), FAB)
            desk.clock.move(60)
        desk.settle()
        moved = facts(desk, CustodyMoved)
        rows = desk.store.load_batches()
        assert [(m.batch, m.events, m.root, m.effective) for m in moved] == [
            (row.batch, row.events, row.root.hex(), row.made) for row in rows
        ]
        for row in rows:
            made = [commitment(*salted) for salted in desk.store.load_batch_salts(row.batch)]
            assert batch_root(made) == row.root
            entry = desk.desk.recorded()[row.entry or 0]
            assert entry.leaf == row.leaf
            assert isinstance(entry.verified.predicate, CustodyMoved)


def test_asked_again_nothing_is_stated_again(tmp_path: Path) -> None:
    """Neither in the same process nor at the next start."""
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, commissioned(*CHIPS)), FAB)
        desk.settle()
        desk.committer.complete()
        size = desk.desk.state.size
    with desk_in(tmp_path) as again:
        again.committer.complete()
        assert again.desk.state.size == size


def test_every_new_chip_is_tagged_in_pieces_of_two_hundred(tmp_path: Path) -> None:
    """450 chips in one document are three statements, each with the batch's root; none is tagged twice."""
    chips = [f"https://chips.example/id/gpu/N-{n:03d}" for n in range(450)]
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, commissioned(*chips)), FAB)
        desk.settle()
        registered = facts(desk, ChipRegistered)
        assert [len(fact.chips) for fact in registered] == [200, 200, 50]
        tags = [chip.serial for fact in registered for chip in fact.chips]
        expected = [TAG_KEY.tag("chip-serial", f"fab/N-{n:03d}") for n in range(450)]
        assert tags == expected


def test_a_device_key_is_tagged_beside_its_serial(tmp_path: Path) -> None:
    """Under a scheme of its own, so that a key is registered once, whatever the label says."""
    key = "ab" * 32
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, commissioned(CHIPS[0], **{"skh:deviceKeySha256": key})), FAB)
        desk.settle()
        (fact,) = facts(desk, ChipRegistered)
        assert fact.chips[0].device_key == TAG_KEY.tag("device-key", key)
        assert unique_key("device-key", fact.chips[0].device_key)


def test_a_serial_that_reads_as_another_becomes_a_finding_and_blocks_nothing(
    tmp_path: Path,
) -> None:
    """The register tells bytes apart, the log's tags tell readers' words apart; the other chips of the batch get on."""
    looks_alike = "https://chips.example/id/gpu/sn-1"
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, commissioned(CHIPS[0])), FAB)
        desk.capture(told(desk, commissioned(looks_alike, *CHIPS[1:])), FAB)
        desk.settle()
        assert sum(len(fact.chips) for fact in facts(desk, ChipRegistered)) == 3
        (found,) = facts(desk, IrregularityFound)
        assert found.irregularity == "duplicate-serial"
        assert looks_alike not in repr(found)
        assert looks_alike in " ".join(fields_of(desk, "about"))


def test_a_chip_registered_anew_after_an_undone_registration_is_no_finding(tmp_path: Path) -> None:
    """The maker told a wrong lot, declared it, and tells the same serials again."""
    with desk_in(tmp_path) as desk:
        at = {"eventTime": str(desk.clock.now().plus(-60))}
        wrong = {**at, **commissioned(CHIPS[0])}
        desk.capture(document_of([wrong], desk.clock.now()), FAB)
        desk.settle()
        undone = {**declared_wrong(wrong, 0.0)}
        desk.capture(document_of([undone], desk.clock.now()), FAB)
        desk.clock.move(120)
        desk.capture(told(desk, commissioned(CHIPS[0], **{"skh:tpp": "15832"})), FAB)
        desk.settle()
        assert desk.store.load_standings(CHIPS[:1])
        assert len(facts(desk, ChipRegistered)) == 1
        assert facts(desk, IrregularityFound) == []


def test_a_serious_alert_becomes_one_finding_with_its_detail_concealed(tmp_path: Path) -> None:
    """The code is public, the chip is not; the alert remembers its entry."""
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, counted("cloud-x", CHIPS[:1])), f.signer("cloud-x"))
        desk.settle()
        desk.settle()
        (found,) = facts(desk, IrregularityFound)
        assert (found.irregularity, found.count) == ("unknown-id", 1)
        assert CHIPS[0] not in repr(found)
        assert CHIPS[0] in fields_of(desk, "about")[0]
        (alert,) = desk.store.load_alerts(after=0, limit=10)
        assert alert.leaf == desk.desk.recorded()[-1].leaf


def test_what_nobody_signed_makes_no_finding(tmp_path: Path) -> None:
    """Else whoever can send a document could fill the log."""
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, counted("cloud-x", CHIPS)))
        desk.settle()
        assert desk.store.load_alerts(after=0, limit=10)
        assert facts(desk, IrregularityFound) == []


def test_what_is_only_early_makes_no_finding(tmp_path: Path) -> None:
    """A receipt before its shipment waits; that is no irregularity."""
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, received("dist-a", CHIPS)), f.signer("dist-a"))
        desk.settle()
        assert desk.store.load_alerts(after=0, limit=10)
        assert facts(desk, IrregularityFound) == []


def test_many_alerts_at_once_are_few_findings(tmp_path: Path) -> None:
    """Twenty by themselves, the rest as one with their count: a party cannot flood the log with one document."""
    strangers = [f"https://chips.example/id/gpu/X-{n}" for n in range(300)]
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, counted("cloud-x", strangers)), f.signer("cloud-x"))
        desk.settle()
        counts = [fact.count for fact in facts(desk, IrregularityFound)]
        assert counts == [1] * 20 + [280]
        assert all(row.leaf for row in desk.store.load_alerts(after=0, limit=1_000))


def test_a_finding_raised_again_is_the_same_finding(tmp_path: Path) -> None:
    """By what it is about, also after a restart, and from whoever notices it."""
    with desk_in(tmp_path) as desk:
        first = desk.committer.raise_irregularity("balance", "shortage", "hall-x 2026", "2 of 10")
        again = desk.committer.raise_irregularity("balance", "shortage", "hall-x 2026", "3 of 10")
        assert (again.leaf, again.fresh) == (first.leaf, False)
        other = desk.committer.raise_irregularity("balance", "shortage", "hall-y 2026", "2 of 10")
        assert other.leaf != first.leaf
    with desk_in(tmp_path) as restarted:
        raised = restarted.committer.raise_irregularity("balance", "shortage", "hall-x 2026", "")
        assert raised.leaf == first.leaf


def test_a_very_long_detail_is_cut(tmp_path: Path) -> None:
    """What is concealed must fit a deposit."""
    with desk_in(tmp_path, holders=3) as desk:
        desk.committer.raise_irregularity("custody", "shortage", "x", "y" * 100_000)
        assert len(fields_of(desk, "detail")[0]) == 6_000


def test_a_batch_is_known_from_the_first_witnessed_tree_that_holds_it(tmp_path: Path) -> None:
    """Before a mark it is in no `as_of`; afterwards it is as of the witnesses' time, also after a restart."""
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, commissioned(CHIPS[0])), FAB)
        desk.settle()
        assert desk.store.find_batch(1).known is None  # type: ignore[union-attr]  # it is there
        desk.clock.move(100)
        seen = desk.clock.now()
        desk.mark()
        assert desk.store.find_batch(1).known == seen  # type: ignore[union-attr]  # it is there
        desk.clock.move(100)
        desk.capture(told(desk, commissioned(CHIPS[1])), FAB)
        desk.settle()
        later = desk.clock.now()
        desk.witness()
        desk.desk.mark_time()
        # Stopped here, before anybody passed the mark on.
    with desk_in(tmp_path) as again:
        again.committer.complete()
        assert [row.known for row in again.store.load_batches()] == [seen, later]


def test_capture_does_not_wait_for_the_log(tmp_path: Path) -> None:
    """While the desk is held up, documents are taken and their batches stand as not in the log yet."""
    with desk_in(tmp_path) as desk:
        desk.settle()
        busy, done = threading.Event(), threading.Event()

        def hold() -> None:
            with desk.desk.lock:
                busy.set()
                done.wait(30)

        holder = threading.Thread(target=hold)
        holder.start()
        busy.wait(30)
        try:
            began = time.monotonic()
            for chip in CHIPS:
                desk.capture(told(desk, commissioned(chip)), FAB)
            assert time.monotonic() - began < 10
            assert len(desk.store.load_batches(unlogged=True)) == 3
        finally:
            done.set()
            holder.join()
        wait_for(lambda: not desk.store.load_batches(unlogged=True))
        assert len(facts(desk, CustodyMoved)) == 3


def test_what_the_log_refuses_is_a_problem_until_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch stays, the reason is told, and the next try gets it in."""
    monkeypatch.setattr(committing, "RETRY_S", 0.01)
    with desk_in(tmp_path) as desk:
        state_fact = desk.desk.state_fact
        refusals = [3]

        def refuse(*given: object, **named: object) -> object:
            if refusals[0]:
                refusals[0] -= 1
                raise Unavailable("the disk is full")
            return state_fact(*given, **named)  # type: ignore[arg-type]  # passed on as it came

        monkeypatch.setattr(desk.desk, "state_fact", refuse)
        desk.capture(told(desk, commissioned(CHIPS[0])), FAB)
        wait_for(lambda: "disk is full" in desk.committer.problem or not refusals[0])
        wait_for(lambda: not desk.store.load_batches(unlogged=True))
        wait_for(lambda: desk.committer.problem == "")


def test_a_log_that_refuses_at_the_start_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders and captures must go on while a batch waits; it is stated once the log takes it."""
    monkeypatch.setattr(committing, "RETRY_S", 0.01)
    with desk_in(tmp_path) as desk, monkeypatch.context() as patch:
        patch.setattr(desk.committer, "commit", lambda _: None)
        desk.capture(told(desk, commissioned(CHIPS[0])), FAB)
    state_fact, refusals = Desk.state_fact, [3]

    def refuse(self: Desk, fact: Predicate, *, disclosures: tuple[str, ...] = ()) -> Admitted:
        if refusals[0]:
            refusals[0] -= 1
            raise Unavailable("the disk is full")
        return state_fact(self, fact, disclosures=disclosures)

    monkeypatch.setattr(Desk, "state_fact", refuse)
    with desk_in(tmp_path) as again:
        again.capture(told(again, commissioned(CHIPS[1])), FAB)
        wait_for(lambda: not again.store.load_batches(unlogged=True))
        assert [fact.batch for fact in facts(again, CustodyMoved)] == [1, 2]


def test_where_the_charter_names_holders_the_content_is_deposited(tmp_path: Path) -> None:
    """Key and address are the concealed field, which the depositor deposits; the folder alone says nothing."""
    with desk_in(tmp_path, holders=3) as desk:
        desk.capture(told(desk, commissioned(*CHIPS)), FAB)
        desk.settle()
        (place,) = [
            SealedAt.from_text(text) for text in fields_of(desk, "content", of=CustodyMoved)
        ]
        row = desk.store.load_batches()[0]
        sealed = desk.contents.load(place.sha256, 1 << 20)
        assert CHIPS[0].encode() not in sealed
        content = open_content(place.key_bytes, sealed, row.root)
        (event,) = parse_lines(DisclosedEvent, content, "content")
        assert CHIPS[0] in event.document
        assert event.salt_bytes == desk.store.load_batch_salts(1)[0][0]
        deposits = facts(desk, DisclosureDeposited)
        concealing = [
            e for e in desk.desk.recorded() if isinstance(e.verified.predicate, CustodyMoved)
        ]
        assert concealing[0].verified.digest in {d.statement for d in deposits}


def test_without_holders_nothing_is_concealed_and_no_content_is_kept(tmp_path: Path) -> None:
    """A charter without deposit keys asks for no folder."""
    with desk_in(tmp_path) as desk:
        desk.capture(told(desk, commissioned(*CHIPS)), FAB)
        desk.settle()
        assert facts(desk, CustodyMoved)[0].concealed == ()
        assert not (tmp_path / "custody").exists()


def test_another_key_in_a_challenge_is_a_finding(tmp_path: Path) -> None:
    """A moved label: the dummy answers under a key that its chip does not have."""
    with desk_in(tmp_path) as desk:
        key, other = "ab" * 32, "cd" * 32
        desk.capture(told(desk, commissioned(CHIPS[0], **{"skh:deviceKeySha256": key})), FAB)
        seen = inspected("fab", CHIPS[:1], **{"skh:deviceKeySha256": other})
        desk.capture(told(desk, seen), FAB)
        desk.settle()
        codes = {fact.irregularity for fact in facts(desk, IrregularityFound)}
        assert "other-device-key" in codes


def fields_of(
    desk: RegisterDesk, name: str, *, of: type[Predicate] = IrregularityFound
) -> list[str]:
    """The opened values of a concealed field, over all statements of a kind."""
    found = []
    for entry in desk.desk.recorded():
        fact = entry.verified.predicate
        if isinstance(fact, of):
            texts = desk.desk.disclosures_of(entry.verified.digest)
            open_fields(texts, fact.concealed)  # type: ignore[attr-defined]  # of those kinds
            found += [d.value for d in map(parse_disclosure, texts) if d.name == name]
    return found
