"""Help and remedies of the groups that people license, order and operate with, in Japanese as in English."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import sekisho
from sekisho.catalogue import (
    PHRASES,
    agents,
    gates,
    help_agent,
    help_charter,
    help_home,
    help_licence,
    help_log,
    help_order,
    order_remedies,
    remedies,
    translate,
)
from sekisho.cli import main
from sekisho.settings import Settings
from tests.cli.ceremonies import KeyHolder

GROUPS = (
    *("licence", "lease", "agent", "charter"),
    *("order", "access", "observe", "home", "log", "key", "trust"),
)
ALONE = ("up", "drill", "audit", "show")  # one command each, so no list of commands
SOURCE = Path(sekisho.__file__).parent
# Whose remedies a person of these groups meets first; those of rooms further in are put into words as far as known.
SAID = (
    *("cli/licence*.py", "cli/lease*.py", "cli/agent*.py", "cli/charter*.py"),
    *("cli/order*.py", "cli/access*.py", "cli/observe*.py", "cli/home*.py", "cli/log*.py"),
    *("cli/key*.py", "cli/trust.py", "cli/sealed_file.py", "cli/up.py", "cli/audit.py"),
    *("cli/countersign.py", "cli/drafting.py", "cli/durations.py", "cli/own_key.py"),
    *("cli/choices.py", "adapters/bounded_files.py"),
    *("cli/reading.py", "cli/surroundings.py", "cli/tpm_files.py", "cli/qr_page.py"),
    *("ceremony.py", "app/kubernetes.py", "app/slurm.py", "app/shaping.py", "licensing/*.py"),
    *("adapters/schedulers/kubernetes/checks.py", "adapters/schedulers/shaping.py"),
    *("orders/*.py", "access/*.py", "observer/*.py", "adapters/transport/event_sinks.py"),
    *("adapters/storage/backup_files.py", "adapters/storage/event_cursor.py"),
    *("app/backup.py", "app/restoring.py", "app/exporting.py", "app/order_push.py", "app/home.py"),
    *("operations/appealing.py", "operations/drilling.py", "operations/judging.py"),
    *("operations/key_release.py", "operations/resolving.py", "operations/sealing.py"),
    *("operations/straggling.py", "operations/admission.py", "auditor/*.py"),
)


def group(name: str) -> Any:
    return main._real_command(name, *main.COMMANDS[name])


def texts(command: Any) -> Iterator[str]:
    """Every help text of a command and of all below it."""
    yield from (text for text in [command.help, *_helps(command)] if text)
    for below in getattr(command, "commands", {}).values():
        yield from texts(below)


def _helps(command: Any) -> list[str | None]:
    return [getattr(known, "help", None) for known in command.params]


@cache
def said(path: Path) -> tuple[str, ...]:
    """Every text in a file, `{}` where a value stands."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(" ".join(node.value.split()))
        elif isinstance(node, ast.JoinedStr):
            found.append(" ".join(_template(node).split()))
    return tuple(found)


def _template(node: ast.JoinedStr) -> str:
    return "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)  # type: ignore[misc]  # str


def remedies_of(path: Path) -> Iterator[str]:
    """What a file says to do, where it says it in one text of its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "remedy":
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                yield node.value.value
            elif isinstance(node.value, ast.JoinedStr):
                yield _template(node.value)


@pytest.mark.parametrize("name", [*GROUPS, *ALONE])
def test_every_help_text_has_its_japanese(name: str) -> None:
    """No command, argument or flag of these groups is explained in English to who asked for Japanese."""
    untold = {text for text in texts(group(name)) if " ".join(text.split()) not in PHRASES}
    assert untold == set(), "add it to catalogue/help_*.py"


def test_no_help_text_is_translated_for_nobody() -> None:
    """A text that was changed in its command takes its translation with it."""
    used = {" ".join(t.split()) for name in (*GROUPS, *ALONE) for t in texts(group(name))}
    for face in (help_agent, help_charter, help_home, help_licence, help_log, help_order):
        assert set(face.PHRASES) - used == set()


def test_every_remedy_of_these_groups_has_its_japanese() -> None:
    """What to do is never said in English to who asked for Japanese."""
    files = [path for pattern in SAID for path in sorted(SOURCE.glob(pattern))]
    assert len(files) > len(SAID)
    untold = {r for file in files for r in remedies_of(file) if translate(r, "ja") == r}
    assert untold - {""} == set(), "add it to catalogue/remedies.py"


def test_no_phrase_is_translated_that_nobody_says() -> None:
    """Each phrase of a remedy or a check stands somewhere in the source, or is the end of one that does."""
    everything = {
        text
        for path in SOURCE.rglob("*.py")
        if "catalogue" not in path.parts
        for text in said(path)
    }
    known = [key for face in (gates, order_remedies, remedies) for key in face.PHRASES]
    gone = [
        key
        for key in known
        if key not in everything and not any(key.endswith(t) for t in everything if len(t) > 12)
    ]
    assert gone == []


def test_values_stand_in_the_japanese_as_in_the_english() -> None:
    """A phrase with values keeps their number; what is longest is asked first; the unknown stays as it is."""
    assert {k for k, v in PHRASES.items() if k.count("{}") != v.count("{}")} == set()
    assert translate("use advise, kill", "ja") == "次のいずれかを使ってください：advise, kill"
    assert translate("use process", "ja") == "process を使ってください"
    assert translate("do as you like", "ja") == "do as you like"
    assert translate("use process", "en") == "use process"
    with_braces = 'give "slurm": {"gate": "/..."}'
    assert translate(with_braces, "ja").startswith('"slurm"')


@pytest.mark.parametrize("name", GROUPS)
def test_help_is_japanese_and_no_line_of_a_list_is_cut(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The list of commands says whole sentences, in either language."""
    for language, word in (("en", "Commands:"), ("ja", "。")):
        settings = Settings(home=tmp_path, trust_file=tmp_path / "t", language=language)  # type: ignore[arg-type]
        assert main.call([name, "--help"], settings) == 0
        shown = capsys.readouterr().out
        assert word in shown
        assert "...\n" not in shown.partition("Commands:")[2]


def test_an_errors_remedy_is_japanese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error and in the JSON document alike; the error's code and path stay."""
    holder = KeyHolder(tmp_path, monkeypatch)
    holder.language = "ja"
    assert holder.call("licence", "show", "LIC-99", "--log", holder.log) == 2
    told = capsys.readouterr().err
    assert "(invalid-input)" in told
    assert "sekisho licence list を参照してください" in told


def test_every_word_of_the_agents_commands_is_used() -> None:
    """A message of `sekisho agent` that nobody says is taken away."""
    everything = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((SOURCE / "cli").glob("*_*.py"))
    ) + (SOURCE / "cli/agent.py").read_text(encoding="utf-8")
    built = ("gate.file.", "shape.")  # completed by what happened
    unused = {k for k in agents.MESSAGES if f'"{k}"' not in everything and not k.startswith(built)}
    assert unused == set()
