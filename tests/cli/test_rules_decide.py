"""`sekisho rules decide` for every kind: defaults, several packs, readings, stated facts, words for a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sekisho.cli import main
from sekisho.rules import load_pack, pack_names
from sekisho.settings import Settings
from tests.rule_packs import NOTICE, exception_text, pack_text, rule_text

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
Call: TypeAlias = Callable[..., tuple[int, str]]
PARTY = {
    "name": "Alpha",
    "country": "CN",
    "headquarters": "CN",
    "parent_headquarters": "CN",
    "listed": False,
    "listed_owner_known": False,
    "listed_owner_share": "0",
}
TRANSFER: dict[str, Any] = {
    "kind": "transfer",
    "id": "t",
    "activity": "export",
    "item": {"chip": "H100"},
    "count": 8,
    "origin": "US",
    "destination": "CN",
    "exporter": {"headquarters": "US", "parent_headquarters": "US"},
    "consignee": PARTY,
    "end_user_is_consignee": True,
    "end_use": ["training"],
}


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Writes the requests, decides them, and gives code and what was printed."""

    def decide(*requests: object, flags: list[str] | None = None) -> tuple[int, str]:
        file = tmp_path / "requests.json"
        file.write_text("\n".join(json.dumps(one) for one in requests), encoding="utf-8")
        code = main.call(["rules", "decide", str(file), *(flags or [])], SETTINGS)
        return code, capsys.readouterr().out

    return decide


def pack_file(folder: Path, text: str, name: str = "own") -> str:
    """A pack in a file."""
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("request_", "pack"),
    [
        ({"id": "r"}, "loop-2026"),
        (
            {"id": "r", "kind": "cluster", "cluster": {"chips": [{"chip": "H100", "count": 1}]}},
            "treaty-2511",
        ),
        (TRANSFER, "us-ear"),
        ({"id": "r", "kind": "cloud-use"}, "us-ear"),
        ({"id": "r", "kind": "access"}, "access-suspension"),
    ],
    ids=["training-run", "cluster", "transfer", "cloud-use", "access"],
)
def test_each_kind_has_its_own_pack(call: Call, request_: dict[str, Any], pack: str) -> None:
    """Where nobody names one."""
    _, printed = call(request_, flags=["--at", "2026-06-15", "--json"])
    assert json.loads(printed)["policy"]["name"] == pack


def test_a_transfer_is_decided_with_rule_limb_source_and_review(call: Call) -> None:
    """H100 to China in December 2023: a licence, presumed to be denied, since 4800 TPP are passed."""
    code, printed = call(TRANSFER, flags=["--at", "2023-12-01", "--json"])
    document = json.loads(printed)
    assert (code, document["decision"]) == (1, "licence")
    row = next(rule for rule in document["rules"] if rule["quantity"] == "tpp")
    assert (row["threshold"], row["unit"]) == ("4800", "TPP")
    assert row["source"]
    assert row["review"]["policy"] == "presumption-of-denial"
    assert {"id", "decision", "rules", "policy", "trace"} <= document.keys()
    assert len(document["trace"]) == len(load_pack("us-ear").rules)


def test_the_day_is_the_flag_s_else_the_request_s_own(call: Call) -> None:
    """`on` counts where --at is left out."""
    asked = {**TRANSFER, "on": "2023-12-01"}
    assert json.loads(call(asked, flags=["--json"])[1])["at"] == "2023-12-01T00:00:00Z"
    flags = ["--at", "2022-10-08", "--json"]
    assert json.loads(call(asked, flags=flags)[1])["at"] == "2022-10-08T00:00:00Z"


def test_several_packs_are_answered_side_by_side(call: Call, tmp_path: Path) -> None:
    """Each whole, the strictest word and where they differ; the exit code is the strictest's."""
    one = pack_file(tmp_path, pack_text(rule_text("r0", "deny", "a"), name="one"), "one")
    two = pack_file(tmp_path, pack_text(rule_text("r0", "report", "a"), name="two"), "two")
    flags = ["--pack", one, "--pack", two, "--at", "2024-01-01"]
    run = {"id": "r", "facts": {"a": True}}
    code, printed = call(run, flags=[*flags, "--json"])
    document = json.loads(printed)
    assert (code, document["decision"]) == (1, "deny")
    assert [row["decision"] for row in document["regimes"]] == ["deny", "report"]
    assert document["conflicts"] == ["one says deny (r0); two says report (r0)"]
    text = call(run, flags=flags)[1]
    assert "they differ: one says deny (r0); two says report (r0)" in text


def test_all_packs_that_speak_about_the_kind_are_asked_by_one_word(call: Call) -> None:
    """Those whose law has not begun or has ended are left out, as nobody named them."""
    flags = ["--pack", "all", "--at", "2026-06-15", "--json"]
    names = {
        row["policy"]["name"] for row in json.loads(call({"id": "r"}, flags=flags)[1])["regimes"]
    }
    assert {"loop-2026", "eu-ai-act", "us-ca-sb53"} <= names
    assert "access-suspension" not in names
    early = json.loads(
        call({"id": "r"}, flags=["--pack", "all", "--at", "2019-01-01", "--json"])[1]
    )
    assert early["decision"] == "unsure"


@pytest.mark.parametrize(
    ("reading", "day", "absent", "present"),
    [
        ("enforced", "2026-06-15", {"us-ny-raise", "us-eo14110"}, {"us-ca-sb53"}),
        ("announced", "2026-06-15", {"us-eo14110"}, {"us-ny-raise", "us-ca-sb53"}),
        ("enforced", "2027-06-15", {"us-eo14110"}, {"us-ny-raise"}),
    ],
)
def test_packs_without_an_acting_rule_are_not_asked(
    call: Call, reading: str, day: str, absent: set[str], present: set[str]
) -> None:
    """Nobody named them, and all they could say is that they say nothing."""
    flags = ["--pack", "all", "--at", day, "--reading", reading, "--json"]
    regimes = json.loads(call({"id": "r"}, flags=flags)[1])["regimes"]
    names = {row["policy"]["name"] for row in regimes}
    assert not names & absent
    assert present <= names
    assert not [why for row in regimes for why in row["missing"] if "says nothing" in why]


def test_law_is_asked_until_it_is_revoked(call: Call) -> None:
    """Where one pack alone speaks, its answer stands alone."""
    flags = ["--pack", "all", "--at", "2024-06-15", "--json"]
    assert json.loads(call({"id": "r"}, flags=flags)[1])["policy"]["name"] == "us-eo14110"


def test_where_no_law_speaks_the_kind_s_own_pack_is_asked(call: Call) -> None:
    """One at least says why there is no answer."""
    code, printed = call({"id": "r"}, flags=["--pack", "all", "--at", "2001-01-01", "--json"])
    document = json.loads(printed)
    assert code == 3
    assert document["policy"]["name"] == "loop-2026"
    assert document["missing"] == ["loop-2026 says nothing about training runs on that date"]


def test_all_stands_alone(call: Call) -> None:
    """Beside another name it would say two things."""
    assert call({"id": "r"}, flags=["--pack", "all", "--pack", "us-ear"])[0] == 2


def test_a_reading_asks_for_what_stands_in_the_books(call: Call) -> None:
    """The Diffusion Framework is codified and not enforced."""
    flags = ["--at", "2025-06-01", "--json"]
    asked = {**TRANSFER, "destination": "IN", "consignee": {**PARTY, "country": "IN"}}
    enforced = json.loads(call(asked, flags=flags)[1])
    codified = json.loads(call(asked, flags=[*flags, "--reading", "codified"])[1])
    assert (enforced["reading"], codified["reading"]) == ("enforced", "codified")
    notes = [row.get("note", "") for row in enforced["trace"]]
    assert any(note.startswith("codified, not enforced") for note in notes)
    assert call(asked, flags=[*flags, "--reading", "wished"])[0] == 2


def test_a_row_with_an_unknown_fact_is_answered_with_its_error(call: Call) -> None:
    """The rest is decided; alone it is bad input."""
    wrong = {"id": "w", "facts": {"no-such-fact": True}}
    code, printed = call(wrong, {"id": "r"}, flags=["--at", "2026-02-01", "--json"])
    rows = json.loads(printed)
    assert code == 2
    assert rows[0]["line"] == 1
    assert "facts.no-such-fact" in rows[0]["error"]
    assert rows[1]["decision"] == "unsure"
    assert call(wrong, flags=["--json"])[0] == 2


def test_a_person_reads_exceptions_reviews_and_notices(call: Call, tmp_path: Path) -> None:
    """What does not hold, what is not known, what the exception asks, and what to do until when."""
    duty = (
        "    duties:\n      - {id: apply, what: apply, per: shipment,"
        " deadline: {days: 14, before: the shipment}}\n"
        "    reviews:\n      - {policy: denial, when: {quantity: d, op: is, value: true},"
        " from: 2020-01-01, source: law, cite: Art. 9, mark: P}\n"
    )
    text = pack_text(
        rule_text("r0", "licence", "a", more=duty),
        more="exceptions:\n" + exception_text("e0", "r0", "b", "c", notices=NOTICE),
    )
    flags = ["--pack", pack_file(tmp_path, text), "--at", "2024-01-01"]
    printed = call({"id": "r", "facts": {"a": True, "b": True}}, flags=flags)[1]
    for line in (
        "r: licence",
        "  licence: r0 (Art. r0; in force since 2020-01-01): a true is true: true",
        "    source: law, Art. 1 (P)",
        "    review: denial (Art. 9; P); it depends on facts.d",
        "    to do: apply (each shipment); 14 days before the shipment",
        "  exception: e0 (exception e0; Art. e0): not known to hold",
        "    not known: the flag c is up",
        "    missing: facts.c",
    ):
        assert line in printed.splitlines()
    lifted = call({"id": "r", "facts": {"a": True, "b": True, "c": True}}, flags=flags)[1]
    assert "    lifted by: e0" in lifted.splitlines()
    assert "    it asks: tell the authority (each shipment)" in lifted.splitlines()
    failed = call({"id": "r", "facts": {"a": True, "b": False}}, flags=flags)[1]
    assert "    does not hold: the flag b is up" in failed.splitlines()


def test_a_chip_that_no_table_knows_is_named(call: Call) -> None:
    """It may be a slip of the pen; in a transfer and in a cluster."""
    item = {"chip": "H999"}
    assert 'does not know "H999"' in call({**TRANSFER, "item": item})[1]
    assert "does not know" not in call(TRANSFER)[1]
    cluster = {"chips": [{"chip": "H999", "count": 1}]}
    assert 'does not know "H999"' in call({"id": "r", "kind": "cluster", "cluster": cluster})[1]


def test_an_open_rule_asks_for_nothing_yet(call: Call, tmp_path: Path) -> None:
    """It is told as open, with what it would be, and without source, review and duties."""
    duty = "    duties:\n      - {id: apply, what: apply, per: shipment}\n"
    text = pack_text(rule_text("r0", "licence", "a", more=duty))
    flags = ["--pack", pack_file(tmp_path, text), "--at", "2024-01-01"]
    code, printed = call({"id": "r"}, flags=flags)
    assert code == 3
    assert "  open, licence if it holds: r0 (Art. r0;" in printed
    assert "to do" not in printed
    assert "source" not in printed


def test_a_permit_says_that_no_rule_reaches_the_request(call: Call, tmp_path: Path) -> None:
    """A bare word would leave the reader to wonder what was looked at."""
    flags = ["--pack", pack_file(tmp_path, pack_text(rule_text("r0", "deny", "a")))]
    code, printed = call({"id": "r", "facts": {"a": False}}, flags=[*flags, "--at", "2024-01-01"])
    assert code == 0
    assert "  no rule of this pack reaches it" in printed.splitlines()


def test_long_round_thresholds_are_powers_of_ten(call: Call) -> None:
    """Exactly: a figure with an end of its own stays whole."""
    run = {"id": "r", "planned_flop": str(10**24 + 1), "origin": "scratch"}
    printed = call(run, flags=["--at", "2026-09-01"])[1]
    assert f"run_flop {10**24 + 1} > 10^24 FLOP" in printed


def test_many_regimes_are_told_once_under_each_word(call: Call) -> None:
    """Eight packs have up to 28 pairs; the document keeps them, a person reads a line for each answer."""
    run = {"id": "r", "planned_flop": str(2 * 10**24), "origin": "scratch", "jurisdictions": ["JP"]}
    flags = ["--pack", "all", "--at", "2026-08-15"]
    printed = call(run, flags=flags)[1]
    apart = [line for line in printed.splitlines() if "they differ" in line]
    assert "  they differ: deny: loop-2026, treaty-2511" in apart
    assert len(apart) <= 4
    assert len(json.loads(call(run, flags=[*flags, "--json"])[1])["conflicts"]) > 4


def test_a_japanese_reader_reads_japanese_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Duties too, where the pack has them."""
    file = tmp_path / "t.json"
    file.write_text(json.dumps(TRANSFER), encoding="utf-8")
    settings = Settings(
        home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"), language="ja"
    )
    main.call(["rules", "decide", str(file), "--at", "2023-12-01"], settings)
    printed = capsys.readouterr().out
    assert "    出典: " in printed
    assert "審査方針: 原則不許可 (presumption-of-denial)" in printed


def test_silence_and_deadlines_are_told_in_japanese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Why a pack has no answer, and what a deadline counts from; the document stays English."""
    file = tmp_path / "t.json"
    exporter = {"headquarters": "JP", "parent_headquarters": "JP"}
    request = TRANSFER | {"origin": "JP", "exporter": exporter, "end_use": ["wmd"]}
    file.write_text(json.dumps(request), encoding="utf-8")
    settings = Settings(
        home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"), language="ja"
    )
    asked = [str(file), "--pack", "jp-export", "--at", "2026-06-01"]
    main.call(["rules", "decide", *asked], settings)
    assert "出荷の90日前まで" in capsys.readouterr().out
    asked = [str(file), "--pack", "loop-2026", "--at", "2026-09-01"]
    main.call(["rules", "decide", *asked], settings)
    assert "loop-2026 はその日付の「移転」について定めていません" in capsys.readouterr().out
    main.call(["rules", "decide", *asked, "--json"], settings)
    assert "loop-2026 says nothing about transfers on that date" in capsys.readouterr().out
    main.call(["rules", "timeline", *asked], settings)
    assert "定めていません" in capsys.readouterr().out


def test_foreign_text_cannot_move_the_cursor(call: Call, tmp_path: Path) -> None:
    """A pack's words are written out where they would act on a terminal."""
    text = pack_text(rule_text("r0", "deny", "a")).replace(
        "    duty: d\n", '    duty: "d\\e[2Jgone"\n'
    )
    code, printed = call(
        {"id": "r", "facts": {"a": True}},
        flags=["--pack", pack_file(tmp_path, text), "--at", "2024-01-01"],
    )
    assert "\x1b" not in printed
    assert code in (1, 2)


def test_the_schema_names_what_each_pack_asks_for_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All five kinds; every declared fact of the packs that ship."""
    assert main.call(["rules", "decide", "--schema", "--json"], SETTINGS) == 0
    document = json.loads(capsys.readouterr().out)
    kinds = {"RunRequest", "ClusterRequest", "TransferRequest", "CloudUseRequest", "AccessRequest"}
    assert kinds <= document["$defs"].keys()
    for kind in kinds:
        told = document["$defs"][kind]["properties"]["facts"]["description"]
        for name in pack_names():
            for fact in load_pack(name).quantities:
                assert f"{name}: {fact} (" in told
