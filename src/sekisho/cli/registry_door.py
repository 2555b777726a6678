"""Ways into a register for commands: over HTTP where it is served, else by opening the home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.cli.surroundings import Sources, find_log, settings_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.app import Home

__all__ = [
    "Door",
    "HomeOfRegister",
    "Taken",
    "UrlOfRegister",
    "home_of",
    "opened_door",
    "origin_of",
]

HomeOfRegister = Annotated[
    str, typer.Option("--home", help="The home with the register; SEKISHO_HOME if left out.")
]
UrlOfRegister = Annotated[str, typer.Option("--url", help="The register's address instead.")]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A register's answer, however it was reached."""

    capture: str
    events: int
    taken: int
    waiting: int
    refused: int
    repeated: int
    parties: tuple[str, ...]
    powers: tuple[str, ...]
    problems: tuple[dict[str, str], ...]


class Door(msgspec.Struct, frozen=True):
    """A way into a register: the origin of its log, and what takes a document with its endorsement."""

    origin: str
    take: Callable[[bytes, bytes | None], Taken]


@contextmanager
def opened_door(context: typer.Context, home: str, url: str) -> Iterator[Door]:
    """The way into the register that the flags name. Raises what opening or reaching it raises."""
    from sekisho.app import opened_register

    place = home_of(context, home)
    address = url or place.find_address()
    if url and home:
        raise InvalidInput("goes with --home or alone, not both", path="--url")
    if address:
        with _door_over_http(context, address, is_named=bool(url)) as door:
            if door is not None:
                yield door
                return
    with opened_register(place) as register:

        def take(document: bytes, endorsement: bytes | None) -> Taken:
            row = register.capture(document, endorsement)
            problems = msgspec.json.decode(row.problems or b"[]", type=tuple[dict[str, str], ...])
            return Taken(
                capture=row.capture,
                events=row.events,
                taken=row.taken,
                waiting=row.waiting,
                refused=row.refused,
                repeated=row.repeated,
                parties=row.parties,
                powers=row.powers,
                problems=problems,
            )

        yield Door(register.origin, take)


@contextmanager
def _door_over_http(
    context: typer.Context, address: str, *, is_named: bool
) -> Iterator[Door | None]:
    """The register at an address; None where nobody answers at one that was only noted."""
    from sekisho.ceremony import open_register_client
    from sekisho.model.errors import Unavailable

    with open_register_client(address) as client:
        try:
            origin = client.fetch_origin()
        except Unavailable:
            if is_named:
                raise
            yield None
            return

        def take(document: bytes, endorsement: bytes | None) -> Taken:
            job = client.send(document, endorsement)
            problems = tuple(
                {"path": found.get("instance", ""), "problem": found.get("title", "")}
                for found in job.errors
            )
            return Taken(
                capture=job.capture_id,
                events=job.events,
                taken=job.taken,
                waiting=job.waiting,
                refused=job.refused,
                repeated=job.repeated,
                parties=job.parties,
                powers=job.powers,
                problems=problems,
            )

        yield Door(_trusted(context, origin) if is_named else origin, take)


def home_of(context: typer.Context, home: str) -> Home:
    """The home that the flags or the environment name."""
    from sekisho.app import Elsewhere, Home

    settings = settings_of(context)
    folder = Path(home).expanduser() if home else settings.home
    return Home(path=folder, elsewhere=Elsewhere(database=settings.database))


def _trusted(context: typer.Context, origin: str) -> str:
    """An origin that an address claims, "" unless the user trusts a log of that name: nothing is signed for it then."""
    _, root = find_log(context, Sources(), origin=origin)
    return origin if root is not None and root.origin == origin else ""


def origin_of(context: typer.Context, home: str, policy: str) -> str:
    """The log that is endorsed for: the home's, or the only one that is trusted."""
    _, root = find_log(context, Sources(home=home, policy=policy), origin=None)
    if root is None:
        place = home_of(context, home)
        if place.is_founded:
            root = place.load_root()
    if root is None:
        raise InvalidInput(
            "no log is named that the endorsement is for",
            path="--log",
            remedy="name its origin, a --home, or a --policy",
        )
    return str(root.origin)
