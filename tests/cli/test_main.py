"""The command line's shell: table, borders, languages and speed of `sekisho --help`."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest
import typer

from sekisho.catalogue import MESSAGES
from sekisho.cli import main
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.errors import EXIT_CODES
from sekisho.model.errors import (
    BadSignature,
    Corrupt,
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.settings import Settings

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
KINDS = [
    (InvalidInput("not a number", path="runs.csv:7"), 2),
    (NotAuthorised("two of three signatures"), 1),
    (BadSignature("no key fits"), 1),
    (StateConflict("already lifted"), 1),
    (Unavailable("no answer"), 4),
    (Corrupt("tile changed"), 1),
]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module behind the command name `probe`; a test puts its function there."""
    module = types.ModuleType("probe_of_the_command_line")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(main, "COMMANDS", {"show": (module.__name__, "act")})
    return module


def raising(error: BaseException) -> object:
    """A command that takes --json and ends with this error."""

    def act(*, as_json: AsJson = False) -> None:
        raise error

    return act


@pytest.mark.parametrize(("error", "code"), KINDS, ids=lambda value: type(value).__name__)
def test_each_kind_of_error_has_its_exit_code_and_json_document(
    command: types.ModuleType,
    capsys: pytest.CaptureFixture[str],
    error: SekishoError,
    code: int,
) -> None:
    """An error ends with the code of its kind and, with --json, as one document on stdout."""
    command.act = raising(error)  # type: ignore[attr-defined]  # a module made for this test
    assert main.call(["show", "--json"], SETTINGS) == code
    printed = capsys.readouterr()
    document = json.loads(printed.out)["error"]
    assert document["code"] == error.code
    assert document["message"] == error.message
    assert document["path"] == getattr(error, "path", "")
    assert error.code in printed.err


def test_every_kind_below_the_root_is_in_the_table() -> None:
    """No direct kind of SekishoError is left to the root's default."""
    kinds = {
        kind for kind in SekishoError.__subclasses__() if kind.__module__.startswith("sekisho")
    }
    assert kinds <= set(EXIT_CODES)


def test_an_error_for_a_person_names_the_remedy_on_stderr_only(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --json nothing is on stdout; stderr has code, message and remedy."""
    error = InvalidInput("is empty", path="runs.csv", remedy="add a row")
    command.act = raising(error)  # type: ignore[attr-defined]  # a module made for this test
    assert main.call(["show"], SETTINGS) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "error (invalid-input): runs.csv: is empty\n  what to do: add a row\n"


def test_interrupt_ends_with_130_and_no_traceback(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends with 130 and one word."""
    command.act = raising(KeyboardInterrupt())  # type: ignore[attr-defined]  # a made module
    assert main.call(["show"], SETTINGS) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


@pytest.mark.parametrize("debug", [False, True])
def test_an_unforeseen_error_shows_its_traceback_only_when_asked(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str], *, debug: bool
) -> None:
    """A defect of ours is `internal` with a code of its own; the traceback needs SEKISHO_DEBUG=1."""
    command.act = raising(ZeroDivisionError("by nought"))  # type: ignore[attr-defined]  # made
    settings = Settings(home=SETTINGS.home, trust_file=SETTINGS.trust_file, debug=debug)
    assert main.call(["show"], settings) == 70
    printed = capsys.readouterr().err
    assert "error (internal)" in printed
    assert ("Traceback" in printed) is debug


def test_a_missing_file_is_bad_input_naming_the_path(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file that is not there is exit 2 with its path, not a defect of ours."""

    def act(*, as_json: AsJson = False) -> None:
        (tmp_path / "gone.json").read_bytes()

    command.act = act  # type: ignore[attr-defined]  # a module made for this test
    assert main.call(["show", "--json"], SETTINGS) == 2
    assert json.loads(capsys.readouterr().out)["error"]["path"] == str(tmp_path / "gone.json")


@pytest.mark.parametrize("arguments", [["no-such"], ["show", "--no-such"], ["show", "extra"]])
def test_bad_usage_is_exit_2_and_a_document_when_asked(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """An unknown command, flag or argument is bad input, for a person and for a script."""
    command.act = raising(AssertionError("must not run"))  # type: ignore[attr-defined]  # made
    assert main.call(arguments, SETTINGS) == 2
    assert "Usage: sekisho" in capsys.readouterr().err
    assert main.call([*arguments, "--json"], SETTINGS) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_an_answer_is_one_document_or_one_text(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` prints the document alone, otherwise the text alone; the exit code is the answer's."""

    def act(*, as_json: AsJson = False) -> None:
        answer = Answer(document={"verdict": "fails"}, text="it fails", exit_code=1)
        deliver(answer, as_json=as_json)

    command.act = act  # type: ignore[attr-defined]  # a module made for this test
    assert main.call(["show", "--json"], SETTINGS) == 1
    assert json.loads(capsys.readouterr().out) == {"verdict": "fails"}
    assert main.call(["show"], SETTINGS) == 1
    assert capsys.readouterr().out == "it fails\n"


def test_a_group_of_commands_is_reached_by_two_words(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typer.Typer behind a name is a group, and only `sekisho` itself installs completion."""
    group = typer.Typer()
    group.command("one")(lambda: typer.echo("one"))
    group.command("two")(lambda: typer.echo("two"))
    command.act = group  # type: ignore[attr-defined]  # a module made for this test
    assert main.call(["show", "two"], SETTINGS) == 0
    assert capsys.readouterr().out == "two\n"
    assert main.call(["show", "--help"], SETTINGS) == 0
    printed = capsys.readouterr().out
    assert "Usage: sekisho show" in printed
    assert "completion" not in printed


def test_commands_find_the_settings_in_their_context(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment is read once; a command finds it in its context."""

    def act(context: typer.Context) -> None:
        typer.echo(context.obj.home)

    command.act = act  # type: ignore[attr-defined]  # a module made for this test
    assert main.call(["show"], SETTINGS) == 0
    assert capsys.readouterr().out == "/nowhere\n"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_help_lists_every_command_in_the_chosen_language(
    capsys: pytest.CaptureFixture[str], language: str
) -> None:
    """`--help` shows each command's line from the catalogue, importing none of their modules."""
    settings = Settings(
        home=SETTINGS.home,
        trust_file=SETTINGS.trust_file,
        language="ja" if language == "ja" else "en",
    )
    assert main.call(["--help"], settings) == 0
    printed = "".join(capsys.readouterr().out.split())
    for name in main.COMMANDS:
        line = MESSAGES[f"cli.command.{name}"][0 if language == "en" else 1]
        assert name + "".join(line.split()) in printed


@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_every_line_of_the_table_leads_to_a_command(name: str) -> None:
    """Each module of the table exists and holds its attribute."""
    module, attribute = main.COMMANDS[name]
    assert callable(getattr(importlib.import_module(module), attribute))


def test_help_imports_no_room_but_the_model() -> None:
    """`sekisho --help` stays fast because it imports neither rooms nor rich nor the HTTP client."""
    probe = (
        "import sys; from sekisho.cli import main\n"
        "from sekisho.settings import load_settings\n"
        "assert main.call(['--help'], load_settings({})) == 0\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "sekisho.cli.main" in loaded
    heavy = {"rich", "httpx", "sqlalchemy", "litestar", "numpy", "yaml", "cryptography"}
    rooms = {f"sekisho.{room}" for room in ("signing", "ledger", "rules", "operations", "app")}
    assert loaded.isdisjoint(heavy | rooms)


def test_output_survives_a_terminal_without_unicode() -> None:
    """On an ASCII terminal a text shows numbers of characters; a JSON document stays UTF-8."""
    probe = (
        "from sekisho.cli import main\n"
        "from sekisho.cli.answer import Answer, AsJson, deliver\n"
        "def act(*, as_json: AsJson = False) -> None:\n"
        "    deliver(Answer(document=['\\u95a2\\u6240'], text='\\u95a2\\u6240'), as_json=as_json)\n"
        "main.COMMANDS = {'show': ('__main__', 'act')}\n"
        "main.run()"
    )
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    printed = [
        subprocess.run(
            [sys.executable, "-X", "utf8=0", "-c", probe, "show", *flags],
            capture_output=True,
            env=environment,
            check=True,
        ).stdout
        for flags in ([], ["--json"])
    ]
    assert printed[0] == b"\\u95a2\\u6240\n"
    assert json.loads(printed[1].decode("utf-8")) == ["関所"]


def test_verdicts_and_rows_have_the_codes_of_the_contract() -> None:
    """Permit and report are 0, licence and deny 1; of several rows 2, 4, 1, 3, 0 is the order."""
    words = [
        "holds",
        "fails",
        "unverifiable",
        "not measured",
        "permit",
        "report",
        "licence",
        "deny",
    ]
    assert [verdict_code(word) for word in words] == [0, 1, 3, 3, 0, 0, 1, 1]
    assert worst_code([0, 3, 1, 4, 2]) == 2
    assert worst_code([0, 3, 1, 4]) == 4
    assert worst_code([0, 3, 1]) == 1
    assert worst_code([0, 3]) == 3
    assert worst_code([]) == 0
