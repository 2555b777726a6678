"""A register's operator shows an outsider another register than the log commits to: each way is found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sekisho.auditor import CheckResult
from sekisho.auditor.register_evidence import Signed, read_disclosed, replay_events
from sekisho.model.statements import ChipRegistered, ChipTags, CustodyMoved
from sekisho.model.wire import canonical, encode_base64, sha256_hex
from sekisho.operations.register.findings import Findings
from sekisho.registry.commitments import capture_id
from sekisho.registry.disclosed import (
    BATCHES,
    CAPTURES,
    DOCUMENTS,
    EVENTS,
    STANDINGS,
    TERMS,
    to_lines,
)
from sekisho.signing.endorsing import endorse
from tests import factory as f
from tests.factory_bundle import check_of
from tests.register_desk import RegisterDesk
from tests.registry.year import (
    PARTIES,
    commissioned,
    counted,
    document_of,
    received,
    shipped,
)
from tests.registry.year import (
    TERMS as PLACES,
)

CHIPS = tuple(f"https://chips.example/id/gpu/SN-{n}" for n in range(1, 5))
NAMES = ("custody", "endorsements", "standings", "chip-tags", "irregularities")
Files = dict[str, bytes]


def told(desk: RegisterDesk, *events: dict[str, Any]) -> bytes:
    at = desk.clock.now().plus(-60)
    return document_of([{"eventTime": str(at), **event} for event in events], desk.clock.now())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisterDesk]:
    """Four chips are made, shipped, received; an unknown one is counted; one note is unsigned."""
    with RegisterDesk(tmp_path_factory.mktemp("register"), PARTIES, terms=PLACES) as made:
        for events, signer in (
            ([commissioned(*CHIPS)], "fab"),
            ([shipped("fab", "dist-a", CHIPS)], "fab"),
            ([received("dist-a", CHIPS[:3])], "dist-a"),
            ([counted("dist-a", CHIPS[:2]), counted("dist-a", [CHIPS[0] + "0"])], "dist-a"),
            ([counted("cloud-x", CHIPS[3:])], ""),
        ):
            made.capture(told(made, *events), *((f.signer(signer),) if signer else ()))
            made.clock.move(3_600)
        yield made


@pytest.fixture(scope="module")
def honest(desk: RegisterDesk) -> Files:
    return desk.files()


def verdicts(desk: RegisterDesk, files: Mapping[str, bytes]) -> dict[str, CheckResult]:
    report = desk.audit(files)
    return {name: check_of(report, name) for name in NAMES}


def rows_of(files: Files, path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[path].splitlines()]


def with_rows(files: Files, path: str, rows: list[dict[str, Any]]) -> Files:
    return {**files, path: b"".join(canonical(row) + b"\n" for row in rows)}


def test_an_honest_register_holds(desk: RegisterDesk, honest: Files) -> None:
    """Every check of the register, and each says what it looked at."""
    found = verdicts(desk, honest)
    assert {row.verdict for row in found.values()} == {"holds"}, found
    assert "6 events in 5 batches" in found["custody"].detail
    assert "4 of 5 documents signed" in found["endorsements"].detail
    assert "4 chips" in found["chip-tags"].detail


def test_a_register_that_is_not_disclosed_is_unverifiable(desk: RegisterDesk) -> None:
    """What is missing is named, and nothing that needs it holds."""
    found = verdicts(desk, desk.files(register=False))
    assert {found[name].verdict for name in NAMES[:4]} == {"unverifiable"}
    assert "6 events are not disclosed" in found["custody"].detail


def test_a_log_without_chips_holds(tmp_path: Path) -> None:
    """A regime without a register has nothing to disclose."""
    with RegisterDesk(tmp_path, PARTIES, terms=PLACES) as empty:
        assert {row.verdict for row in verdicts(empty, empty.files()).values()} == {"holds"}


def test_an_event_left_out_is_missed(desk: RegisterDesk, honest: Files) -> None:
    """Its batch's count says so: unverifiable, and the missing one is named; what follows from it is not told."""
    rows = rows_of(honest, EVENTS)
    found = verdicts(desk, with_rows(honest, EVENTS, rows[:2] + rows[3:]))
    assert found["custody"].verdict == "unverifiable"
    assert "1 events of batch 3 not disclosed" in found["custody"].detail
    assert found["standings"].verdict == "unverifiable"
    assert "event 3 is not disclosed" in found["standings"].detail


def test_an_event_left_out_and_the_rest_renumbered_fails(desk: RegisterDesk, honest: Files) -> None:
    """The last event of a batch of two, moved up to hide the first, has not the batch's root."""
    rows = rows_of(honest, EVENTS)
    first, second = rows[3], rows[4]
    twice = [{**second, "number": first["number"], "place": 0}, second]
    found = verdicts(desk, with_rows(honest, EVENTS, [*rows[:3], *twice, *rows[5:]]))
    assert found["custody"].verdict == "fails"
    assert "another root" in found["custody"].detail


def test_a_changed_event_fails(desk: RegisterDesk, honest: Files) -> None:
    """Another site in a count: neither the root nor the signed document has it."""
    rows = rows_of(honest, EVENTS)
    rows[3] = {**rows[3], "document": rows[3]["document"].replace("dock-a", "dock-b")}
    found = verdicts(desk, with_rows(honest, EVENTS, rows))
    assert found["custody"].verdict == "fails"
    assert found["endorsements"].verdict == "fails"
    assert "event 4 is not in the document" in found["endorsements"].detail


def test_events_in_another_order_fail(desk: RegisterDesk, honest: Files) -> None:
    """Two events of one batch change places: each is there, the root is not."""
    rows = rows_of(honest, EVENTS)
    first, second = rows[3], rows[4]
    swapped = [
        {**second, "number": first["number"], "place": first["place"]},
        {**first, "number": second["number"], "place": second["place"]},
    ]
    found = verdicts(desk, with_rows(honest, EVENTS, [*rows[:3], *swapped, *rows[5:]]))
    assert found["custody"].verdict == "fails"


def test_a_swapped_salt_fails(desk: RegisterDesk, honest: Files) -> None:
    """The commitment is over the very salt."""
    rows = rows_of(honest, EVENTS)
    rows[3]["salt"], rows[4]["salt"] = rows[4]["salt"], rows[3]["salt"]
    found = verdicts(desk, with_rows(honest, EVENTS, rows))
    assert found["custody"].verdict == "fails"
    assert "another root" in found["custody"].detail


def test_a_gap_in_the_numbers_fails(desk: RegisterDesk, honest: Files) -> None:
    """All six are there, and the last calls itself the seventh."""
    rows = rows_of(honest, EVENTS)
    rows[5] = {**rows[5], "number": 7}
    assert verdicts(desk, with_rows(honest, EVENTS, rows))["custody"].verdict == "fails"


def test_a_batch_that_no_entry_commits_to_fails(desk: RegisterDesk, honest: Files) -> None:
    """An event slipped in behind the log's last batch."""
    rows = rows_of(honest, EVENTS)
    more = {**rows[5], "number": 7, "batch": 6}
    found = verdicts(desk, with_rows(honest, EVENTS, [*rows, more]))
    assert found["custody"].verdict == "fails"
    assert "no entry commits" in found["custody"].detail


def test_a_forged_endorsement_fails(desk: RegisterDesk, honest: Files) -> None:
    """The unsigned count is said to be the cloud's, under a key that nobody enrolled."""
    rows = rows_of(honest, CAPTURES)
    forged = endorse(rows[4]["sha256"], f.ORIGIN, [f.signer("stranger")]).raw
    rows[4] = {**rows[4], "endorsement": encode_base64(forged), "parties": ["cloud-x"]}
    found = verdicts(desk, with_rows(honest, CAPTURES, rows))
    assert found["endorsements"].verdict == "fails"
    assert "bad-signature" in found["endorsements"].detail


def test_a_claim_without_any_signature_fails(desk: RegisterDesk, honest: Files) -> None:
    """The register says signed, and shows nothing."""
    rows = rows_of(honest, CAPTURES)
    rows[4] = {**rows[4], "parties": ["cloud-x"]}
    found = verdicts(desk, with_rows(honest, CAPTURES, rows))
    assert found["endorsements"].verdict == "fails"
    assert "is said to be signed" in found["endorsements"].detail


def test_an_endorsement_by_another_party_than_claimed_fails(
    desk: RegisterDesk, honest: Files
) -> None:
    """The distributor's receipt is told as the cloud's."""
    rows = rows_of(honest, CAPTURES)
    rows[2] = {**rows[2], "parties": ["cloud-x"]}
    found = verdicts(desk, with_rows(honest, CAPTURES, rows))
    assert found["endorsements"].verdict == "fails"
    assert "signed by others" in found["endorsements"].detail


def test_a_dropped_endorsement_changes_what_follows(desk: RegisterDesk, honest: Files) -> None:
    """A receipt whose signature is kept back takes no effect in the replay: the claimed standings are not given."""
    rows = rows_of(honest, CAPTURES)
    rows[2] = {**rows[2], "endorsement": "", "parties": []}
    found = verdicts(desk, with_rows(honest, CAPTURES, rows))
    assert found["standings"].verdict == "fails"
    assert f"{CHIPS[0]} stands otherwise" in found["standings"].detail


def test_an_endorsement_of_another_log_fails(desk: RegisterDesk, honest: Files) -> None:
    """A party's true signature, made for another register, carried here."""
    rows = rows_of(honest, CAPTURES)
    elsewhere = endorse(rows[4]["sha256"], "other.example/log", [f.signer("cloud-x")]).raw
    rows[4] = {**rows[4], "endorsement": encode_base64(elsewhere), "parties": ["cloud-x"]}
    found = verdicts(desk, with_rows(honest, CAPTURES, rows))
    assert "endorsement-for-another-log" in found["endorsements"].detail


def test_a_signed_document_that_is_kept_back_is_unverifiable(
    desk: RegisterDesk, honest: Files
) -> None:
    """Nobody can tell what was signed."""
    path = next(path for path in honest if path.startswith(DOCUMENTS))
    found = verdicts(desk, {p: data for p, data in honest.items() if p != path})
    assert found["endorsements"].verdict == "unverifiable"
    assert "is not disclosed" in found["endorsements"].detail


def test_another_document_under_a_digest_fails(desk: RegisterDesk, honest: Files) -> None:
    """A file of that name whose bytes have another digest."""
    path = next(path for path in honest if path.startswith(DOCUMENTS))
    found = verdicts(desk, {**honest, path: honest[path] + b" "})
    assert found["endorsements"].verdict == "fails"


@pytest.mark.parametrize(
    "change",
    [
        {"custodian": "cloud-x"},
        {"state": "active"},
        {"site": "hall-x"},
        {"number": 1},
    ],
    ids=str,
)
def test_a_standing_that_the_replay_does_not_give_fails(
    desk: RegisterDesk, honest: Files, change: dict[str, Any]
) -> None:
    """Another custodian, state, place or event."""
    rows = rows_of(honest, STANDINGS)
    rows[0] = {**rows[0], **change}
    found = verdicts(desk, with_rows(honest, STANDINGS, rows))
    assert found["standings"].verdict == "fails"
    assert "stands otherwise" in found["standings"].detail


def test_two_custodians_of_one_chip_fail(desk: RegisterDesk, honest: Files) -> None:
    """One chip told twice, each time with another custodian."""
    rows = rows_of(honest, STANDINGS)
    found = verdicts(desk, with_rows(honest, STANDINGS, [{**rows[0], "custodian": "fab"}, *rows]))
    assert found["standings"].verdict == "fails"
    assert "two custodians" in found["standings"].detail


def test_a_chip_that_is_kept_back_from_the_standings_fails(
    desk: RegisterDesk, honest: Files
) -> None:
    """The events register it: it must be accounted for."""
    rows = rows_of(honest, STANDINGS)
    found = verdicts(desk, with_rows(honest, STANDINGS, rows[1:]))
    assert found["standings"].verdict == "fails"
    assert "no standing is claimed" in found["standings"].detail


@pytest.mark.parametrize(
    "change",
    [{"outcome": "refused", "effect": None}, {"effect": 3}, {"voided_by": 3}],
    ids=str,
)
def test_an_outcome_that_the_replay_does_not_give_fails(
    desk: RegisterDesk, honest: Files, change: dict[str, Any]
) -> None:
    """A shipment is told as refused, as later than it was, or as undone."""
    rows = rows_of(honest, EVENTS)
    rows[1] = {**rows[1], **change}
    found = verdicts(desk, with_rows(honest, EVENTS, rows))
    assert found["standings"].verdict == "fails"
    assert "event 2 is claimed" in found["standings"].detail


def test_other_terms_give_other_standings(desk: RegisterDesk, honest: Files) -> None:
    """Places renamed afterwards: the replay under them does not give what is claimed."""
    terms = json.loads(honest[TERMS])
    terms["places"][1]["country"] = "US"
    found = verdicts(desk, {**honest, TERMS: canonical(terms)})
    assert found["standings"].verdict == "fails"


def test_more_tags_than_chips_fail(tmp_path: Path) -> None:
    """The operator reserves a serial for a chip that nobody commissioned."""
    with RegisterDesk(tmp_path, PARTIES, terms=PLACES) as desk:
        desk.capture(told(desk, commissioned(*CHIPS)), f.signer("fab"))
        desk.settle()
        (root,) = [
            entry.verified.predicate.root
            for entry in desk.desk.recorded()
            if isinstance(entry.verified.predicate, CustodyMoved)
        ]
        more = ChipTags(serial=sha256_hex(b"made up"))
        now = desk.clock.now()
        desk.desk.state_fact(ChipRegistered(effective=now, batch=root, chips=(more,)))
        found = verdicts(desk, desk.files())
        assert found["chip-tags"].verdict == "fails"
        assert "5 chips tagged, 4 commissioned" in found["chip-tags"].detail


def test_a_commissioned_chip_without_a_tag_fails(tmp_path: Path) -> None:
    """So that it could be registered elsewhere under the same serial."""
    with RegisterDesk(tmp_path, PARTIES, terms=PLACES) as desk:
        desk.committer._tagging.register = lambda row: None  # type: ignore[method-assign]  # the attack
        desk.capture(told(desk, commissioned(*CHIPS)), f.signer("fab"))
        found = verdicts(desk, desk.files())
        assert found["chip-tags"].verdict == "fails"
        assert "0 chips tagged, 4 commissioned" in found["chip-tags"].detail


def test_a_batch_number_that_is_left_out_fails(tmp_path: Path) -> None:
    """A log whose second batch is the third hides one."""
    with RegisterDesk(tmp_path, PARTIES, terms=PLACES) as desk:
        desk.capture(told(desk, commissioned(*CHIPS)), f.signer("fab"))
        desk.settle()
        now = desk.clock.now()
        desk.desk.state_fact(CustodyMoved(effective=now, batch=3, events=1, root="1" * 64))
        found = verdicts(desk, desk.files())
        assert found["custody"].verdict == "fails"
        assert "batch 3 where 2 is next" in found["custody"].detail


def test_a_finding_told_to_be_about_another_chip_fails(desk: RegisterDesk, honest: Files) -> None:
    """The disclosure of what a finding is about is swapped for one that the statement does not carry."""
    disclosures = json.loads(honest["disclosures.json"])
    (leaf,) = [leaf for leaf, texts in disclosures.items() if len(texts) == 2]
    disclosures[leaf] = [f.disclosed("about", CHIPS[1])]
    found = verdicts(desk, {**honest, "disclosures.json": canonical(disclosures)})
    assert found["irregularities"].verdict == "fails"


def test_a_finding_whose_subject_is_kept_back_is_unverifiable(
    desk: RegisterDesk, honest: Files
) -> None:
    """That something does not fit stands in the log; about what, nobody can check."""
    disclosures = json.loads(honest["disclosures.json"])
    hidden: dict[str, list[str]] = {leaf: [] for leaf in disclosures}
    found = verdicts(desk, {**honest, "disclosures.json": canonical(hidden)})
    assert found["irregularities"].verdict == "unverifiable"


@pytest.mark.parametrize("path", [TERMS, EVENTS, CAPTURES, BATCHES, STANDINGS])
def test_bytes_that_cannot_be_read_fail(desk: RegisterDesk, honest: Files, path: str) -> None:
    """A cut or garbled file never lets a check hold."""
    for data in (honest[path][:-3], b"\xff" + honest[path], b"[]\n"):
        found = verdicts(desk, {**honest, path: data})
        assert "fails" in {found["standings"].verdict, found["endorsements"].verdict}
        assert found["standings"].verdict != "holds"


def test_the_same_party_enrolled_anew_does_not_unmake_what_it_signed(tmp_path: Path) -> None:
    """Who signed is judged by the keys that counted when the document came."""
    from sekisho.model.statements import PartyEnrolled

    with RegisterDesk(tmp_path, PARTIES, terms=PLACES) as desk:
        desk.capture(told(desk, commissioned(*CHIPS)), f.signer("fab"))
        desk.settle()
        desk.mark()
        desk.clock.move(60)
        fact = PartyEnrolled(
            effective=desk.clock.now(),
            party="fab",
            public=f.signer("fab anew").public.to_text(),
            organisation="Organisation of fab",
            country="JP",
        )
        desk.desk.admit(f.signed(fact, f.AUTHORITY[0]).raw)
        desk.capture(told(desk, shipped("fab", "dist-a", CHIPS)), f.signer("fab anew"))
        found = verdicts(desk, desk.files())
        assert {row.verdict for row in found.values()} == {"holds"}, found


def test_a_dropped_endorsement_does_not_leave_the_capture_its_name(
    desk: RegisterDesk, honest: Files
) -> None:
    """The id that the party was told follows from document and endorsement, so both are found by it or missed."""
    rows = rows_of(honest, CAPTURES)
    rows[2] = {**rows[2], "endorsement": "", "parties": []}
    found = verdicts(desk, with_rows(honest, CAPTURES, rows))
    assert found["endorsements"].verdict == "fails"
    assert "is not named after its document and endorsement" in found["endorsements"].detail


def test_a_capture_dated_back_fails(desk: RegisterDesk, honest: Files) -> None:
    """Into the time of a key that has been replaced or stolen since: the batch's entry says when it came."""
    rows = rows_of(honest, CAPTURES)
    rows[2] = {**rows[2], "received": "2020-01-01T00:00:00Z"}
    found = verdicts(desk, with_rows(honest, CAPTURES, rows))
    assert found["endorsements"].verdict == "fails"
    assert "its batch is of" in found["endorsements"].detail


def test_an_event_dated_back_fails(desk: RegisterDesk, honest: Files) -> None:
    """When an event was received decides whether it may still be undone, or was announced long enough before."""
    rows = rows_of(honest, EVENTS)
    rows[2] = {**rows[2], "received": "2020-01-01T00:00:00Z"}
    found = verdicts(desk, with_rows(honest, EVENTS, rows))
    assert found["custody"].verdict == "fails"
    assert "event 3 is said to be of" in found["custody"].detail


def test_a_finding_that_the_log_was_not_given_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator states batches, and keeps to itself that an unknown chip was counted among them."""
    monkeypatch.setattr(Findings, "state_new", lambda _: None)
    with RegisterDesk(tmp_path, PARTIES, terms=PLACES) as silent:
        for events, signer in (
            ([commissioned(*CHIPS)], "fab"),
            ([counted("dist-a", [CHIPS[0] + "0"])], "dist-a"),
            ([shipped("fab", "dist-a", CHIPS)], "fab"),
        ):
            silent.capture(told(silent, *events), f.signer(signer))
            silent.clock.move(3_600)
        found = verdicts(silent, silent.files())
    assert found["irregularities"].verdict == "fails"
    assert "raise 1 more unknown-id" in found["irregularities"].detail


def test_a_register_told_anew_without_an_endorsement(desk: RegisterDesk, honest: Files) -> None:
    """The root covers each event's capture, whose id follows from document and endorsement: now another."""
    captures, events = rows_of(honest, CAPTURES), rows_of(honest, EVENTS)
    told = captures[2]
    unsigned = capture_id(told["sha256"], None, "proceed")
    captures[2] = {**told, "capture": unsigned, "endorsement": "", "parties": []}
    events[2] = {**events[2], "capture": unsigned}
    files = with_rows(with_rows(honest, CAPTURES, captures), EVENTS, events)
    del files[DOCUMENTS + told["sha256"]]
    disclosed = read_disclosed(files)
    assert disclosed is not None
    signed = {
        row.capture: Signed(frozenset(row.parties), frozenset(row.powers))
        for row in disclosed.captures.values()
    }
    replay = replay_events(disclosed, signed)
    for place, row in enumerate(events):
        settled = replay.settled[row["number"]]
        bare = {name: value for name, value in row.items() if name != "effect"}
        effect = {} if settled.effect is None else {"effect": settled.effect}
        events[place] = {**bare, "outcome": settled.outcome, **effect}
    standings = [replay.standings[epc] for epc in sorted(replay.standings)]
    files = with_rows(files, EVENTS, events) | {STANDINGS: to_lines(standings)}
    found = verdicts(desk, files)
    assert {standing.custodian for standing in standings} == {"fab"}
    assert found["custody"].verdict == "fails"
    assert "have another root than the log's" in found["custody"].detail
