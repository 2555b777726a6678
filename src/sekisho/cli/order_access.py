"""Flags of `sekisho order draft --kind suspend-access`: which models, whose access, and what of users unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.statements import AccessTerms

__all__ = [
    "AccessFlags",
    "Everybody",
    "Models",
    "Nationalities",
    "Unknown",
    "UserJurisdictions",
    "access_terms",
]

Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="A served model whose access ends; every model if left out."),
]
Nationalities = Annotated[
    list[str] | None,
    typer.Option("--nationality", help="Users of this nationality, as XA."),
]
UserJurisdictions = Annotated[
    list[str] | None,
    typer.Option("--user-jurisdiction", help="Users served in this jurisdiction, as XB or XB-01."),
]
Everybody = Annotated[
    bool, typer.Option("--everybody", help="Every user, whoever it is: the model is closed.")
]
Unknown = Annotated[
    str,
    typer.Option("--unknown", help="Users of whom the provider asserts nothing: refuse or serve."),
]


class AccessFlags(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed."""

    models: tuple[str, ...] = ()
    nationalities: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    everybody: bool = False
    unknown: str = ""

    @classmethod
    def typed(
        cls,
        models: list[str] | None,
        nationalities: list[str] | None,
        jurisdictions: list[str] | None,
        unknown: str,
        *,
        everybody: bool,
    ) -> AccessFlags:
        """As the command line hands them over."""
        return cls(
            models=tuple(models or ()),
            nationalities=tuple(nationalities or ()),
            jurisdictions=tuple(jurisdictions or ()),
            everybody=everybody,
            unknown=unknown,
        )

    @property
    def is_empty(self) -> bool:
        return self == AccessFlags()


def access_terms(kind: str, flags: AccessFlags) -> AccessTerms | None:
    """The terms of a suspend-access; None of any other kind. Raises InvalidInput where the flags do not fit."""
    from sekisho.model.statements import AccessTerms
    from sekisho.model.wire import from_json

    if kind != "suspend-access":
        if not flags.is_empty:
            raise InvalidInput(
                "only a suspend-access says whose access ends",
                path="--model, --nationality, --user-jurisdiction, --everybody, --unknown",
            )
        return None
    named = bool(flags.nationalities or flags.jurisdictions)
    if named == flags.everybody:
        raise InvalidInput(
            "whose access ends must be said, one way",
            path="--nationality, --user-jurisdiction, --everybody",
            remedy="name classes of users, or say --everybody",
        )
    unknown = flags.unknown or "refuse"
    if unknown not in ("refuse", "serve"):
        raise InvalidInput(
            f"{unknown[:40]!r} is neither", path="--unknown", remedy="use refuse or serve"
        )
    return from_json(
        AccessTerms,
        {
            "models": list(flags.models),
            "nationalities": list(flags.nationalities),
            "jurisdictions": list(flags.jurisdictions),
            "unknown": unknown,
        },
        path="access",
    )
