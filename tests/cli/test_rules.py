"""`sekisho rules`: outputs and exit codes that people script."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sekisho.cli import main
from sekisho.rules import pack_bytes
from sekisho.settings import Settings

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
Call: TypeAlias = Callable[..., tuple[int, Any]]
CLUSTER = {"networked": True, "chips": [{"chip": "H100", "count": 8}]}


def ask(**fields: object) -> str:
    """One request as a line of JSON."""
    known = {"id": "r", "origin": "scratch", "jurisdictions": ["JP"], "cluster": CLUSTER}
    return json.dumps({**known, **fields})


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Writes a file of requests, decides it at a fixed date, and gives code and JSON document."""

    def decide(text: str, *flags: str, name: str = "requests.json") -> tuple[int, Any]:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        arguments = ["rules", "decide", str(file), "--json", "--at", "2026-09-01", *flags]
        code = main.call(arguments, SETTINGS)
        return code, json.loads(capsys.readouterr().out)

    return decide


@pytest.mark.parametrize(
    ("flop", "word", "code"),
    [
        (str(10**24 + 1), "deny", 1),
        (str(10**24), "licence", 1),
        (str(10**22), "permit", 0),
        (None, "unsure", 3),
    ],
)
def test_each_decision_has_its_exit_code(
    call: Call, flop: str | None, word: str, code: int
) -> None:
    """Permit 0, licence and deny 1, unsure 3; one request gives one object."""
    ended, document = call(ask(planned_flop=flop))
    assert (ended, document["decision"]) == (code, word)
    assert document["policy"]["sha256"] == hashlib.sha256(pack_bytes()).hexdigest()


def test_report_is_zero(call: Call) -> None:
    """A covered cluster is to be registered, which stops nobody."""
    cluster = {"networked": True, "chips": [{"chip": "H100", "count": 17}]}
    ended, document = call(ask(planned_flop="1", cluster=cluster))
    assert (ended, document["decision"]) == (0, "report")
    rule = document["rules"][0]
    assert rule["id"] == "treaty-covered-cluster"
    assert {"cite", "quantity", "threshold"} <= rule.keys()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([ask(planned_flop="1"), ask(planned_flop=None)], 3),
        ([ask(planned_flop=None), ask(planned_flop=str(10**25))], 1),
        ([ask(planned_flop=str(10**25)), "{oops"], 2),
        ([ask(planned_flop="1"), ask(planned_flop="2")], 0),
    ],
)
def test_several_rows_end_with_the_first_present_code(
    call: Call, lines: list[str], code: int
) -> None:
    """2, 1, 3, 0; a bad row is answered with line and error, the rest is decided."""
    ended, document = call("\n".join(lines))
    assert ended == code
    assert len(document) == len(lines)
    for line, row in zip(lines, document, strict=True):
        assert ("error" in row) == (line == "{oops")


def test_json_lines_of_one_line_are_still_a_list(call: Call) -> None:
    """The shape follows the file's kind, not its length."""
    assert isinstance(call(ask(planned_flop="1"), name="requests.jsonl")[1], list)


@pytest.mark.parametrize("text", ["", "{oops", '{"id": "r", "planed_flop": "1"}', "\ufeff{}"])
def test_a_bad_file_is_bad_input(call: Call, text: str) -> None:
    """Exit 2, with the place named."""
    ended, document = call(text)
    assert ended == 2
    assert "requests.json" in document["error"]["message"]


def test_an_unknown_pack_or_date_is_bad_input(call: Call) -> None:
    """Each names the flag or the packs at hand."""
    assert call(ask(planned_flop="1"), "--pack", "nope")[0] == 2
    assert call(ask(planned_flop="1"), "--as-of", "2026-02-30")[0] == 2


def test_a_pack_of_ones_own_is_read_from_its_file(call: Call, tmp_path: Path) -> None:
    """A lawyer can try a change; its identity differs."""
    own = tmp_path / "own.yaml"
    own.write_bytes(pack_bytes().replace(b"value: 1e22", b"value: 1e20"))
    ended, document = call(ask(planned_flop=str(10**21)), "--pack", str(own))
    assert (ended, document["decision"]) == (1, "licence")
    assert document["policy"]["sha256"] == hashlib.sha256(own.read_bytes()).hexdigest()
    own.write_text("pack: x\npack: y\n", encoding="utf-8")
    ended, document = call(ask(planned_flop="1"), "--pack", str(own))
    assert ended == 2
    assert f"{own}:2" in document["error"]["message"]


def test_the_schema_is_printed_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """`rules decide --schema`."""
    assert main.call(["rules", "decide", "--schema", "--json"], SETTINGS) == 0
    assert "RunRequest" in json.loads(capsys.readouterr().out)["$defs"]
    assert main.call(["rules", "decide"], SETTINGS) == 2


def test_packs_and_show_say_what_is_decided_by(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and digests; thresholds with source and mark on a date."""
    assert main.call(["rules", "packs", "--json"], SETTINGS) == 0
    listed = json.loads(capsys.readouterr().out)
    assert "loop-2026" in [row["name"] for row in listed]
    assert main.call(["rules", "show", "--at", "2025-12-01", "--json"], SETTINGS) == 0
    document = json.loads(capsys.readouterr().out)
    values = {row["name"]: row["value"] for row in document["parameters"]}
    assert values["treaty-strict"] == str(10**24)
    assert values["ca-frontier"] is None
    acts = {row["id"]: row["acts"] for row in document["rules"]}
    assert acts["eu-systemic-risk"]
    assert not acts["ca-frontier-developer"]


def test_a_person_reads_the_rule_the_limb_and_the_duty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --json: words, thresholds, what is missing, the pack."""
    file = tmp_path / "r.json"
    file.write_text(ask(planned_flop=None), encoding="utf-8")
    assert main.call(["rules", "decide", str(file), "--at", "2026-09-01"], SETTINGS) == 3
    printed = capsys.readouterr().out
    assert "r: unsure" in printed
    assert "missing: planned_flop" in printed
    assert "by loop-2026 1" in printed
    assert main.call(["rules", "show"], SETTINGS) == 0
    assert "treaty-strict: " in capsys.readouterr().out
    assert main.call(["rules", "packs"], SETTINGS) == 0
    assert "sha256" in capsys.readouterr().out
