"""What a command reads a document against: whose root, which log, which charter. Flags here, for all that take them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, deliver
from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput
from sekisho.settings import Settings

if TYPE_CHECKING:
    from sekisho.app import Home
    from sekisho.ceremony import PublicLog, State
    from sekisho.cli.words import View
    from sekisho.ledger import Cosigned
    from sekisho.model.instants import Instant
    from sekisho.signing import Charter, TrustRoot

__all__ = [
    "CharterFile",
    "DisclosuresFile",
    "HomeFolder",
    "LogPlace",
    "PolicyFile",
    "Sources",
    "deliver_unverifiable",
    "find_log",
    "home_in",
    "language_of",
    "look",
    "require_state",
    "settings_of",
]

HomeFolder = Annotated[str, typer.Option("--home", help="A home: its own log and trust root.")]
LogPlace = Annotated[
    str, typer.Option("--log", help="The public log: a folder, a bundle or an address.")
]
PolicyFile = Annotated[
    str, typer.Option("--policy", help="A trust root; your trust file if left out.")
]
CharterFile = Annotated[
    str, typer.Option("--charter", help="The charter, where no log is at hand.")
]
DisclosuresFile = Annotated[
    str,
    typer.Option(
        "--disclosures",
        help="A bundle's disclosures.json, for concealed amounts; with --home, what it keeps itself.",
    ),
]
_MAX_TRUST = 1 << 20
_PUBLIC = ("public", "log")


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The flags as they came; empty is not given. `books`: of a home's own log its private store opens the amounts."""

    home: str = ""
    log: str = ""
    policy: str = ""
    charter: str = ""
    disclosures: str = ""
    books: bool = False


def language_of(context: typer.Context) -> Language:
    """The language that the environment chose."""
    return settings_of(context).language


def look(context: typer.Context, sources: Sources, *, origin: str | None = None) -> View:
    """The view that the flags ask for; `origin` is the log that a document says it belongs to.

    Roots come from --policy, else from --home, else from the trust file and then the home of the environment. A log
    is read where one is named, or where that home keeps the document's own. Raises what reading a log raises.
    """
    from sekisho.ceremony import Footing, SystemClock
    from sekisho.cli.words import View
    from sekisho.signing import find_root

    settings = settings_of(context)
    roots = _roots(sources, settings)
    place = _place(sources, settings, roots, origin)
    now = SystemClock().now()
    if place is not None:
        root, log = _own_books(sources, settings) or _read(place, roots, sources.disclosures)
        state = log.state if log is not None else None
        charter = state.regime.charter if state is not None else None
        cosigned = log.cosigned if log is not None else None
        footing = Footing(
            root=root,
            charter=charter,
            state=state,
            witnessed=_witnessed(cosigned),
            root_at=log.root_at if log is not None else None,
        )
        return View(language=settings.language, now=now, footing=footing, cosigned=cosigned)
    root = find_root(roots, origin) if origin is not None else None
    charter = _load_charter(sources.charter, root) if sources.charter else None
    return View(language=settings.language, now=now, footing=Footing(root=root, charter=charter))


def find_log(
    context: typer.Context, sources: Sources, *, origin: str | None
) -> tuple[str | None, TrustRoot | None]:
    """Where the log lies that the flags and the environment name, and the root that counts for it; unread yet."""
    from sekisho.ceremony import claimed_origin, open_log
    from sekisho.signing import find_root

    settings = settings_of(context)
    roots = _roots(sources, settings)
    place = _place(sources, settings, roots, origin)
    if place is not None:
        return place, find_root(roots, claimed_origin(open_log(place)))
    return None, find_root(roots, origin) if origin is not None else None


def require_state(view: View, *, as_json: bool) -> State:
    """The state of the log that was read; ends the command as unverifiable where none could be."""
    if view.footing.state is None:
        deliver_unverifiable("cli.no-log", view.language, as_json=as_json)
    return view.footing.state


def deliver_unverifiable(key: str, language: Language, *, as_json: bool) -> NoReturn:
    """Ends the command with 3: what would decide is not at hand."""
    why = say(key, language)
    deliver(
        Answer(document={"verdict": "unverifiable", "why": why}, text=why, exit_code=3),
        as_json=as_json,
    )


def home_in(context: typer.Context, folder: str) -> Home:
    """The home that `--home` names, else the settings' one, with the database that the settings name."""
    from sekisho.app import Elsewhere, Home

    settings = settings_of(context)
    path = Path(folder).expanduser() if folder else settings.home
    return Home(path=path, elsewhere=Elsewhere(database=settings.database))


def settings_of(context: typer.Context) -> Settings:
    """The environment's choices, as the command line passes them on."""
    settings = context.find_root().obj
    if not isinstance(settings, Settings):
        raise TypeError("the command line passes its settings in the context")
    return settings


def _roots(sources: Sources, settings: Settings) -> tuple[TrustRoot, ...]:
    """The roots that count, the least preferred first: the last one for an origin wins."""
    from sekisho.signing import parse_policy, parse_trust

    if sources.policy:
        data = read_input(sources.policy, limit=_MAX_TRUST)
        return (parse_policy(data, path=sources.policy),)
    if sources.home:
        return (_root_of_home(Path(sources.home).expanduser()),)
    own = [_root_of_home(settings.home)] if (settings.home / "trust.json").is_file() else []
    if not settings.trust_file.is_file():
        return tuple(own)
    trusted = read_input(str(settings.trust_file), limit=_MAX_TRUST)
    return (*own, *parse_trust(trusted, path=str(settings.trust_file)))


def _root_of_home(home: Path) -> TrustRoot:
    from sekisho.signing import parse_policy

    path = str(home / "trust.json")
    return parse_policy(read_input(path, limit=_MAX_TRUST), path=path)


def _place(
    sources: Sources, settings: Settings, roots: tuple[TrustRoot, ...], origin: str | None
) -> str | None:
    if sources.log:
        return sources.log
    if sources.home:
        return str(Path(sources.home).expanduser().joinpath(*_PUBLIC))
    home = settings.home.joinpath(*_PUBLIC)
    if sources.policy or sources.charter or not (home / "checkpoint").is_file():
        return None
    own = [root.origin for root in roots[:1] if (settings.home / "trust.json").is_file()]
    return str(home) if origin is None or origin in own else None


def _witnessed(cosigned: Cosigned | None) -> Instant | None:
    from sekisho.model.instants import Instant

    seconds = cosigned.median_time if cosigned is not None else None
    return Instant.from_seconds(seconds) if seconds is not None else None


def _read(
    place: str, roots: tuple[TrustRoot, ...], disclosures: str
) -> tuple[TrustRoot | None, PublicLog | None]:
    """The log under the root for the origin that it claims; neither where nobody trusts that origin."""
    from sekisho.ceremony import claimed_origin, load_disclosures, open_log, read_log
    from sekisho.signing import find_root

    store = open_log(place)
    root = find_root(roots, claimed_origin(store))
    if root is None:
        return None, None
    known = load_disclosures(disclosures) if disclosures else None
    return root, read_log(store, root, known)


def _own_books(sources: Sources, settings: Settings) -> tuple[TrustRoot, PublicLog] | None:
    """The log of the home that --home names, else of the environment's, its amounts opened.

    None where it is not asked for or not ours; and where the trust file names another root for the environment's own
    log: then what the public log shows under that root is all there is.
    """
    elsewhere = sources.log or sources.policy or sources.charter or sources.disclosures
    folder = Path(sources.home).expanduser() if sources.home else settings.home
    if not sources.books or elsewhere or not _is_own(folder, sources, settings):
        return None
    try:
        from sekisho.app import Elsewhere, Home
        from sekisho.app.own_books import read_own_books
    except ImportError:  # the base installation: it has no database's library
        return None
    from sekisho.ceremony import PublicLog

    home = Home(path=folder, elsewhere=Elsewhere(database=settings.database))
    found = read_own_books(home)
    if found is None:
        return None
    return home.load_root(), PublicLog(state=found[0], cosigned=found[1])


def _is_own(folder: Path, sources: Sources, settings: Settings) -> bool:
    """Whether this folder's own root is the one that counts for its log."""
    from sekisho.signing import find_root

    if sources.home:
        return True
    if not (folder / "trust.json").is_file():
        return False
    own = _root_of_home(folder)
    return find_root(_roots(sources, settings), own.origin) == own


def _load_charter(path: str, root: TrustRoot | None) -> Charter:
    """A charter given as a file, believed only where it is the very one that the root names."""
    from sekisho.cli.documents import MAX_DOCUMENT_BYTES, parse_document
    from sekisho.model.statements import CharterAdopted
    from sekisho.signing import Charter, ForgedRegime

    document = parse_document(read_input(path, limit=MAX_DOCUMENT_BYTES), path=path)
    statement = document.statement
    if statement is None or not isinstance(statement.predicate, CharterAdopted):
        raise InvalidInput("is no charter", path=path)
    if root is None or root.charter_digest != statement.digest:
        raise ForgedRegime(
            f"{path}: charter {statement.digest[:16]} is not one that your trust root names",
            remedy="add the root after comparing its digest by word of mouth, or read the log",
        )
    return Charter(statement.predicate, statement.digest)
