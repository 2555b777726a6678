"""What people type of a licence's terms: a mode, evidence by its file, a share of the budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.cli.choices import parse_choice
from sekisho.cli.durations import parse_length
from sekisho.cli.reading import read_input
from sekisho.model.amounts import format_flop, parse_quantity
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.statements import BudgetShare, Evidence, LeaseTerms, Mode
    from sekisho.rules import Pack

__all__ = [
    "PackName",
    "load_named_pack",
    "parse_evidence",
    "parse_lease_terms",
    "parse_mode",
    "parse_name",
    "parse_shares",
]

PackName = Annotated[
    str, typer.Option("--pack", help="A pack's name, or the path of a .yaml file.")
]
_MAX_EVIDENCE = 64 * 1024 * 1024


def load_named_pack(name: str) -> Pack:
    """A pack by its name, or the file of one; the shipped one for no name. Raises InvalidInput."""
    from sekisho.rules import DEFAULT_PACK, load_pack, parse_pack

    if name.endswith((".yaml", ".yml")):
        return parse_pack(read_input(name, limit=2**20 + 1), name)
    return load_pack(name or DEFAULT_PACK)


def parse_mode(word: str) -> Mode:
    """A rung of the ladder. Raises InvalidInput."""
    from sekisho.model.statements import Mode

    return parse_choice(word, get_args(Mode), path="--mode", noun="mode")


def parse_name(text: str, *, path: str) -> str:
    """A name as the log takes it, typed as the option `path`. Raises InvalidInput naming that option."""
    from sekisho.model.statements import Name
    from sekisho.model.wire import from_json

    try:
        return str(from_json(Name, text, path=path))
    except InvalidInput:
        raise InvalidInput(
            f"{text[:60]!r} is no name",
            path=path,
            remedy="letters, digits and . _ : / @ + - without blanks, as LIC-1",
        ) from None


def parse_evidence(texts: list[str]) -> tuple[Evidence, ...]:
    """TITLE=FILE each: the file stays where it is, its digest goes into the log. Raises InvalidInput."""
    from sekisho.model.statements import Evidence
    from sekisho.model.wire import sha256_hex

    found = []
    for text in texts:
        title, equals, file = text.rpartition("=")
        if not (title and equals and file):
            raise InvalidInput(
                f"{text[:60]!r} is no evidence", path="--evidence", remedy="write TITLE=FILE"
            )
        digest = sha256_hex(read_input(file, limit=_MAX_EVIDENCE))
        found.append(Evidence(title=title, sha256=digest))
    return tuple(found)


def parse_shares(texts: list[str]) -> tuple[BudgetShare, ...]:
    """NAME=FLOP[@SITE,SITE][/ISSUER] each: a part of the budget, where it is spent, whose key grants it.

    Raises InvalidInput.
    """
    from sekisho.model.statements import BudgetShare

    shares = []
    for text in texts:
        name, equals, rest = text.partition("=")
        rest, _, issuer = rest.partition("/")
        flop, _, sites = rest.partition("@")
        if not (name and equals and flop):
            raise InvalidInput(
                f"{text[:60]!r} is no share",
                path="--share",
                remedy="write NAME=1e18, NAME=1e18@site-1 or NAME=1e18/ISSUER-KEY-ID",
            )
        shares.append(
            BudgetShare(
                share=name,
                budget_flop=format_flop(parse_quantity(flop, path="--share")),
                issuer=issuer or None,
                sites=tuple(site for site in sites.split(",") if site),
            )
        )
    return tuple(shares)


def parse_lease_terms(texts: Mapping[str, str], held: LeaseTerms | None) -> LeaseTerms:
    """A lease's interval, grace and quantum as typed, by their fields; what is left out stays as `held` has it.

    Raises InvalidInput naming the option, or the term that is out of its bounds.
    """
    from sekisho.model.statements import LeaseTerms
    from sekisho.model.wire import from_json

    given = {
        name: parse_length(text, path=f"--{name.removesuffix('_s')}")
        for name, text in texts.items()
        if text
    }
    kept = {} if held is None else {name: getattr(held, name) for name in texts}
    return from_json(LeaseTerms, {**kept, **given}, path="lease terms")
