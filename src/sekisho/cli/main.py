"""The command `sekisho`: a table of commands whose rooms are imported only when they are called."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from sekisho import __version__
from sekisho.catalogue import Language, say, translate
from sekisho.cli.errors import Complaint, complain, complaint_of, print_details
from sekisho.settings import Settings, load_settings

__all__ = ["COMMANDS", "build", "call", "run"]

# Name -> (module, attribute). The attribute is a function, which becomes one command, or a
# typer.Typer, which becomes a group (or one command where it holds one). The line that `--help`
# shows is the catalogue's `cli.command.NAME`, so that asking for help imports no room.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "up": ("sekisho.cli.up", "app"),
    "drill": ("sekisho.cli.drill", "app"),
    "trust": ("sekisho.cli.trust", "app"),
    "show": ("sekisho.cli.show", "app"),
    "audit": ("sekisho.cli.audit", "app"),
    "log": ("sekisho.cli.log", "app"),
    "registry": ("sekisho.cli.registry", "app"),
    "rules": ("sekisho.cli.rules", "app"),
    "meter": ("sekisho.cli.meter", "app"),
    "charter": ("sekisho.cli.charter", "app"),
    "disclosure": ("sekisho.cli.disclosure", "app"),
    "key": ("sekisho.cli.key", "app"),
    "licence": ("sekisho.cli.licence", "app"),
    "lease": ("sekisho.cli.lease", "app"),
    "order": ("sekisho.cli.order", "app"),
    "agent": ("sekisho.cli.agent", "app"),
    "access": ("sekisho.cli.access", "app"),
    "observe": ("sekisho.cli.observe", "app"),
    "tables": ("sekisho.cli.tables", "app"),
    "home": ("sekisho.cli.home", "app"),
}
_INTERRUPTED: Final = 130
_NOBODY_READS: Final = 141


class Announced(TyperCommand):
    """A command known by name and help line only; its module is imported when it is called."""

    def __init__(self, name: str, line: str, place: tuple[str, str], language: Language) -> None:
        super().__init__(name=name, help=line, short_help=line, rich_markup_mode=None)
        self._place = place
        self._language = language

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Stands aside: from here on the real command parses and acts (Any: as Typer has it)."""
        found = _real_command(self.name or "", *self._place)
        _put_in_words(found, self._language)
        return found.make_context(*args, **kwargs)


def _real_command(name: str, module: str, attribute: str) -> TyperCommand | TyperGroup:
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer()
        alone.command(name)(found)
        found = alone
    found.rich_markup_mode = None
    command = get_command(found)
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"{module}.{attribute} is no command")
    # Only `sekisho` itself offers to install completion.
    completion = {"install_completion", "show_completion"}
    command.params = [known for known in command.params if known.name not in completion]
    return command


def _put_in_words(command: Any, language: Language) -> None:
    """Help of a command and of all below it in the reader's language; in a list, its whole first sentence.

    Any: Typer's commands and groups, and their parameters, have `help` without a class of their own for it.
    """
    if command.help:
        command.help = translate(command.help, language)
        command.short_help = _first_sentence(command.help)
    for known in command.params:
        if getattr(known, "help", None):
            known.help = translate(known.help, language)
    for below in getattr(command, "commands", {}).values():
        _put_in_words(below, language)


def _first_sentence(text: str) -> str:
    """What a list of commands says of one: not cut in the middle, as Click would."""
    paragraph = " ".join(text.split("\n\n", 1)[0].split())
    end = re.search(r"[.?](?= [A-Z`])|。", paragraph)
    return paragraph[: end.end()] if end else paragraph


def build(language: Language) -> TyperGroup:
    """The whole command line, with help in `language`."""
    app = typer.Typer(
        name="sekisho",
        help=say("cli.about", language),
        no_args_is_help=True,
        rich_markup_mode=None,  # plain help takes 0.11 s, rich's 0.24 s
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def sekisho(
        version: bool = typer.Option(
            False,
            "--version",
            callback=_print_version,
            is_eager=True,
            help=say("cli.version", language),
        ),
    ) -> None:
        pass

    group = get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError("Typer makes a group of an application with a callback")
    for name, place in COMMANDS.items():
        group.add_command(Announced(name, say(f"cli.command.{name}", language), place, language))
    return group


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"sekisho {__version__}")
        raise typer.Exit


def call(arguments: Sequence[str], settings: Settings) -> int:
    """Does what the arguments ask and gives the exit code; every error ends here, in words.

    Commands find `settings` in their context's `obj`.
    """
    language = settings.language
    as_json = "--json" in arguments
    try:
        code = build(language).main(
            list(arguments), prog_name="sekisho", standalone_mode=False, obj=settings
        )
    except typer.TyperException as error:
        return _complain_of_usage(error, language, as_json=as_json)
    except typer.Abort:
        ended = Complaint(code="usage", message=say("cli.ended-input", language), exit_code=2)
        return complain(ended, language, as_json=as_json)
    except BrokenPipeError:
        # Whoever read us has left; writing the rest of the buffer at exit would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NOBODY_READS
    except Exception as error:  # noqa: BLE001 - the outermost edge: a person gets words, not a trace
        if settings.debug:
            print_details(error)
        return complain(complaint_of(error, language), language, as_json=as_json)
    if code == _INTERRUPTED:
        sys.stderr.write(say("cli.interrupted", language) + "\n")
    return code if isinstance(code, int) else 0


def _complain_of_usage(error: typer.TyperException, language: Language, *, as_json: bool) -> int:
    command = getattr(getattr(error, "ctx", None), "command_path", "sekisho")
    show = getattr(error, "show", None)
    if not as_json and show is not None:
        show()  # usage, the hint at --help and the message, as Typer's users know them
        return 2
    complaint = Complaint(
        code="usage",
        message=error.format_message(),
        remedy=say("cli.usage.remedy", language, command=command),
        exit_code=2,
    )
    return complain(complaint, language, as_json=as_json)


def run() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number, never a crash half-way.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    raise SystemExit(call(sys.argv[1:], load_settings(os.environ)))


if __name__ == "__main__":
    run()
