"""`sekisho audit` and the auditor's own process: exit codes, documents, words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sekisho.auditor.main import AuditPlan, _Patience, audit_here, main
from sekisho.auditor.rendering import render_report
from sekisho.auditor.verdicts import CheckResult, Report
from sekisho.catalogue import Language
from sekisho.cli.main import call
from sekisho.model.wire import canonical
from sekisho.settings import Settings
from sekisho.signing import format_trust
from tests.factory_bundle import Cast, Sealed, honest_story, pack_tar, seal, write_folder

ALONE = Cast(owners=("Operator", "Operator"))


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    """A bundle whose witnesses one owner holds."""
    return seal(honest_story(ALONE), ALONE)


@pytest.fixture
def settings(tmp_path: Path, sealed: Sealed) -> Settings:
    """A person who trusts the sealed regime."""
    trust = tmp_path / "trust.json"
    trust.write_bytes(format_trust((sealed.root,)))
    return Settings(home=tmp_path / "home", trust_file=trust)


def test_exit_codes_and_documents_of_the_command(
    sealed: Sealed, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """3 for one owner's witnesses, 0 once accepted, 1 for a changed file, 2 for no bundle and for no such check."""
    bundle = str(write_folder(tmp_path / "bundle", sealed.files))
    assert call(["audit", bundle, "--json"], settings) == 3
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"verdict", "checks", "limits"}
    assert set(document["checks"][0]) == {"name", "verdict", "detail"}
    assert document["verdict"] == "unverifiable"
    assert call(["audit", bundle, "--accept", "witnessed"], settings) == 0
    assert "holds" in capsys.readouterr().out
    assert call(["audit", bundle, "--json", "--accept", "nonsense"], settings) == 2
    assert json.loads(capsys.readouterr().out)["error"]["path"] == "--accept"
    assert call(["audit", str(tmp_path / "gone"), "--json"], settings) == 2
    assert "gone" in json.loads(capsys.readouterr().out)["error"]["path"]
    (tmp_path / "bundle" / "more").write_text("x")
    assert call(["audit", bundle, "--json", "--accept", "witnessed"], settings) == 1
    failed = [c for c in json.loads(capsys.readouterr().out)["checks"] if c["verdict"] == "fails"]
    assert [c["name"] for c in failed] == ["manifest"]
    assert "more" in failed[0]["detail"]


def test_without_any_trust_the_command_is_unverifiable(
    sealed: Sealed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty trust file is exit 3, and the detail says how to add a root."""
    tar = tmp_path / "bundle.tar"
    tar.write_bytes(pack_tar(sealed.files))
    settings = Settings(home=tmp_path, trust_file=tmp_path / "none.json")
    assert call(["audit", str(tar)], settings) == 3
    assert "trust add" in "".join(capsys.readouterr().out.split("\n"))


def test_an_address_is_told_to_be_unavailable(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log's address is not audited over the network yet, and the remedy says what to do instead."""
    assert call(["audit", "https://log.example/", "--json"], settings) == 4
    assert "fetch" in json.loads(capsys.readouterr().out)["error"]["remedy"]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_auditors_own_process_answers_alone(
    sealed: Sealed, tmp_path: Path, *, as_json: bool
) -> None:
    """`python -m sekisho.auditor.main` needs neither the command line nor a server."""
    tar = tmp_path / "bundle.tar"
    tar.write_bytes(pack_tar(sealed.files))
    policy = tmp_path / "policy.json"
    policy.write_bytes(canonical(sealed.root))
    flags = ["--json"] if as_json else ["--language=ja"]
    done = subprocess.run(
        [sys.executable, "-m", "sekisho.auditor.main", f"--policy={policy}", *flags, str(tar)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == b""
    if as_json:
        assert json.loads(done.stdout)["verdict"] == "unverifiable"
    else:
        assert "検証不能" in done.stdout.decode()


def test_bad_input_of_the_auditors_own_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no evidence is exit 2 there too, in words or as a document."""
    monkeypatch.setattr("sekisho.auditor.main.leave_network", lambda: False)
    assert main(["--json", str(tmp_path / "gone")]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "invalid-input"
    assert main([str(tmp_path / "gone")]) == 2
    assert "gone" in capsys.readouterr().err


def test_a_host_that_keeps_its_network_is_told_among_the_limits(
    sealed: Sealed, settings: Settings, tmp_path: Path
) -> None:
    """Where the network could not be given up the report says so; where it was, it does not."""
    path = str(write_folder(tmp_path / "b", sealed.files))
    plan = AuditPlan(path=path, trust_file=settings.trust_file)
    said = [audit_here(plan, network_gone=gone).limits for gone in (False, True)]
    assert [any("network" in limit for limit in limits) for limits in said] == [True, False]


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("witnesses", "quorum none\n", "witnesses"),
        ("witnesses", "nonsense\n", "witnesses"),
        ("log", "log.example/sekisho+00000000+AAAA", "log"),
        ("charter", "sha256:12", "charter"),
    ],
)
def test_a_policy_whose_parts_do_not_fit_is_bad_input_with_its_field(
    sealed: Sealed,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    field: str,
    value: str,
    path: str,
) -> None:
    """A policy that cannot be read is never a verdict."""
    bundle = str(write_folder(tmp_path / "b", sealed.files))
    policy = tmp_path / "policy.json"
    policy.write_bytes(canonical({**msgspec.to_builtins(sealed.root), field: value}))
    assert call(["audit", bundle, "--json", "--policy", str(policy)], settings) == 2
    assert f"policy.json.{path}" in json.loads(capsys.readouterr().out)["error"]["path"]


@pytest.mark.parametrize(("language", "word"), [("en", "Verdict: fails"), ("ja", "結論： 不成立")])
def test_a_report_is_said_in_the_readers_language_without_control_characters(
    language: Language, word: str
) -> None:
    """What hostile evidence says cannot move the reader's cursor or colour the verdict green."""
    row = CheckResult(name="halts", verdict="fails", detail="\x1b[32mholds\x1b[0m [green]x[/green]")
    report = Report(verdict="fails", checks=(row,), limits=("\x07bell",))
    plain = render_report(report, language)
    assert word in plain
    assert "\x1b" not in plain
    assert "\x07" not in plain
    assert "[green]x[/green]" in plain
    assert "\x1b[1;31m" in render_report(report, language, colour=True)
    assert "\x1b[32m" not in render_report(report, language, colour=True)


def test_a_long_audit_shows_its_progress_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After two seconds a bar appears on standard error, where that is a terminal, and goes when it is done."""
    monkeypatch.setattr("sekisho.auditor.main.PATIENCE_S", -1.0)
    for is_terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda told=is_terminal: told)
        with _Patience("en") as patience:
            patience.tell(1, 2)
            patience.tell(2, 2)
        said = capsys.readouterr()
        assert said.out == ""
        assert ("Reading the log" in said.err) is is_terminal


def test_a_quick_audit_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing flickers where an audit is done at once."""
    with _Patience("en") as patience:
        patience.tell(1, 1)
    assert capsys.readouterr().err == ""
