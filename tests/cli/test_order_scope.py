"""`sekisho order` with a predicate for a scope: drafted, shown, signed, and carried to a host by hand."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.catalogue import Language
from sekisho.cli.documents import parse_document
from sekisho.cli.words import View, describe
from sekisho.cli.words.lives import order_row, order_text
from sekisho.licensing.carrying import parse_carried
from sekisho.model.statements import OrderIssued, ResolvedScope, Scope, make_payload, parse_payload
from sekisho.model.wire import parse_json
from sekisho.operations.footing import Footing
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.orders.membership import HostTree, host_leaf, verify_absence, verify_membership
from tests.cli.ceremonies import KeyHolder, phrase_of
from tests.scoped import ScopedDesk

Capture = pytest.CaptureFixture[str]
BASIS = ("--legal-basis", "Test act, section 1", "--appeal", "in writing")
WHERE = ("--where", "site is site-1 and devices at-least 1", "--where", "run is run-7")


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def command(holder: KeyHolder, *flags: str) -> tuple[str | Path, ...]:
    out = holder.path("pause.json")
    out.unlink(missing_ok=True)
    where = flags or WHERE
    fixed = ("--effect", "freeze", *BASIS, "--out", out, "--log", holder.log)
    return ("order", "draft", "--kind", "pause", *where, *fixed)


def drafted(holder: KeyHolder, *flags: str) -> tuple[Path, OrderIssued]:
    assert holder.call(*command(holder, *flags)) == 0
    path = holder.path("pause.json")
    order = parse_payload(path.read_bytes()).predicate
    assert isinstance(order, OrderIssued)
    return path, order


def bent(holder: KeyHolder, **changes: object) -> Path:
    """The draft with another resolved scope than the log gives."""
    path, order = drafted(holder)
    assert order.resolved is not None
    scope = msgspec.structs.replace(order.resolved, **changes)
    path.write_bytes(make_payload(msgspec.structs.replace(order, resolved=scope)))
    return path


def test_a_draft_carries_tree_root_and_count(holder: KeyHolder) -> None:
    """What the drafter's log gives: the one host of the site, under the checkpoint that was read."""
    _, order = drafted(holder)
    resolved = order.resolved
    assert isinstance(resolved, ResolvedScope)
    assert order.scope == Scope()
    assert (resolved.count, len(resolved.predicate.any_of)) == (1, 2)
    assert resolved.root == HostTree([host_leaf("host-1")]).root
    assert resolved.size > 0


def test_the_page_names_each_host_with_its_reason(holder: KeyHolder, capsys: Capture) -> None:
    """Predicate in words, count, hosts with why; nothing behind !! where the log agrees."""
    path, _ = drafted(holder)
    page = holder.answer(capsys, "order", "preview", path, "--log", holder.log)
    assert page["named"] == [{"host": "host-1", "group": 1, "unknown": []}]
    assert page["says"]["named"] == ["host-1: site is site-1 and devices at least 1"]
    assert "run is run-7" in page["says"]["scope"][0]
    assert [w["code"] for w in page["warnings"]] == []


def test_what_is_unknown_of_a_host_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """A host without a licence is named by every condition on licences, and the page says why."""
    holder = KeyHolder(tmp_path, monkeypatch, second=3)
    path, _ = drafted(holder, "--where", "lineage-flop at-least 1e30 and site is site-1")
    page = holder.answer(capsys, "order", "preview", path, "--log", holder.log)
    assert page["named"] == [{"host": "host-1", "group": 1, "unknown": ["lineage-flop"]}]
    assert "nothing is known of lineage-flop" in page["says"]["named"][0]


def test_a_predicate_that_names_nobody_is_said(holder: KeyHolder, capsys: Capture) -> None:
    """With its licence known the host is outside, and the page warns of an order for nobody."""
    path, _ = drafted(holder, "--where", "lineage-flop at-least 1e30 and site is site-1")
    page = holder.answer(capsys, "order", "preview", path, "--log", holder.log)
    assert page["named"] == []
    assert "nobody" in [w["code"] for w in page["warnings"]]


@pytest.mark.parametrize(
    "changes",
    [{"count": 2}, {"root": "ab" * 32}, {"tree": "ab" * 32}, {"size": 10**6}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_bent_scope_is_shown_as_such_and_not_signed(
    holder: KeyHolder, capsys: Capture, changes: dict[str, object]
) -> None:
    """Predicate widened after signing, or a drafter who read another tree: a warning, and no signature."""
    path = bent(holder, **changes)
    page = holder.answer(capsys, "order", "preview", path, "--log", holder.log)
    assert "scope-differs" in [w["code"] for w in page["warnings"]]

    before = path.read_bytes()
    phrase = phrase_of(before)
    signing = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    assert holder.call(*signing, "--phrase", phrase) == 1
    assert path.read_bytes() == before


def test_without_the_log_the_page_says_what_it_cannot(holder: KeyHolder, capsys: Capture) -> None:
    """Nobody can tell whom a predicate names from the order alone."""
    path, _ = drafted(holder)
    page = holder.answer(capsys, "show", path)
    assert "scope-unchecked" in [w["code"] for w in page["warnings"]]
    assert page["named"] is None


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--where", "site equals x"), "column 6"),
        (("--where", "devices is 8"), "below or at-least"),
        (("--where", "site is x", "--scope", "site=site-1"), "without --scope"),
    ],
)
def test_what_is_no_predicate_is_refused(
    holder: KeyHolder, capsys: Capture, flags: tuple[str, ...], why: str
) -> None:
    """Exit 2, with the place and what would do."""
    assert holder.call(*command(holder, *flags)) == 2
    assert why in capsys.readouterr().err
    assert not holder.path("pause.json").exists()


def signed(holder: KeyHolder) -> tuple[Path, OrderIssued]:
    path, order = drafted(holder)
    phrase = phrase_of(path.read_bytes())
    signing = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    assert holder.call(*signing, "--phrase", phrase) == 0
    return path, order


@pytest.mark.parametrize(("host", "says"), [("host-1", "in"), ("host-9", "out")])
def test_an_order_is_carried_to_a_host_with_its_own_proof(
    holder: KeyHolder, capsys: Capture, host: str, says: str
) -> None:
    """One file for the stick: the envelope as signed, and the proof that its agent checks by itself."""
    path, order = signed(holder)
    out = holder.path("stick.json")
    made = ("order", "prove", path, "--host", host, "--out", out, "--log", holder.log)
    assert holder.answer(capsys, *made)["says"] == says

    feed = parse_carried(out.read_bytes()).feed
    assert feed is not None
    (item,) = feed.items
    assert order.resolved is not None
    assert item.membership is not None
    verify = verify_membership if says == "in" else verify_absence
    verify(item.membership, host_leaf(host), root=order.resolved.root, size=order.resolved.count)
    assert parse_json(item.envelope) == parse_json(path.read_bytes())


def test_only_a_signed_order_by_predicate_takes_a_proof(holder: KeyHolder, capsys: Capture) -> None:
    """A draft is nothing yet, and attributes a host matches by itself."""
    path, _ = drafted(holder)
    made = ("order", "prove", path, "--host", "host-1", "--out", holder.path("stick.json"))
    assert holder.call(*made, "--log", holder.log) == 2
    assert "not signed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "words"), [("en", "devices at least 8 (hosts: 1)"), ("ja", "（ホスト 1 台）")]
)
def test_who_signs_a_resume_reads_whom_the_predicate_of_its_order_named(
    tmp_path: Path, language: Language, words: str
) -> None:
    """Neither the list of orders nor the page of a resume says "nobody" of an order that names its hosts so."""
    with ScopedDesk(tmp_path) as made:
        desk = made.founded()
        order = desk.issue(desk.order())
        state = desk.desk.state
        (known,) = state.orders.in_force(desk.clock.now())
        plan = OrderPlan(
            kind="resume",
            scope=Scope(),
            resolved=order.resolved,
            effect="lift",
            lasts_s=3_600,
            legal_basis="Test act",
            appeal="in writing",
            lifts=(known.reference,),
        )
        view = View(language=language, now=desk.clock.now(), footing=Footing(state=state))
        resume = draft_order(state, plan, now=view.now)
        page = describe(parse_document(make_payload(resume), path="resume"), view)
    assert words in order_text(known, order_row(state, known, view), view)
    (lifted,) = page.to_document()["says"]["lifts"]  # type: ignore[index]  # as test_order_access reads it
    assert words in lifted
