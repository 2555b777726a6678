"""`sekisho agent release`: the statement that a quorum signs, and the repository that hosts fetch from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import add_issue, add_sign
from sekisho.cli.drafting import DraftOut, add_withdraw, deliver_draft
from sekisho.cli.own_key import PassphraseFile, load_public, open_own_key
from sekisho.cli.plain_text import tame
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    language_of,
    look,
    require_state,
    settings_of,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import ReleaseRepository
    from sekisho.model.statements import AgentReleased
    from sekisho.ports.releases import RoleKeys, RoleName, RoleStanding
    from sekisho.signing import Charter, PublicKey, Signer

__all__ = ["add_to"]

CHUNK = 1024 * 1024
MAX_STATEMENT = 70_000
_KINDS = ("agent-released",)
_QUORUM_ROLES = ("root", "targets")
_Repository = Annotated[Path, typer.Argument(metavar="DIR", help="The repository's folder.")]
_Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="A private key's file, or hsm:TOKEN/ID; repeat."),
]
_RoleKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help="ROLE=FILE.pub or ROLE=CONSTITUENCY:FILE.pub; of root, targets, snapshot, timestamp.",
    ),
]
_Thresholds = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold", help="ROLE=K; else the charter's sum for root and targets, else 1."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Put the commands under `sekisho agent`."""
    release = typer.Typer(no_args_is_help=True, help="Release an agent: statement and repository.")
    release.command("draft")(draft)
    add_sign(
        release, _KINDS, "Show the release, have its phrase typed back, and add your signature."
    )
    add_issue(release, _KINDS, "Hand a signed release in at a control plane.")
    add_withdraw(release, _KINDS, "Take your signature back, before the release is in the log.")
    for command in (start, publish, cosign, refresh, rotate):
        release.command()(command)
    app.add_typer(release, name="release")


def draft(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The wheel or tar.")],
    version: Annotated[str, typer.Option("--version", help="As people call it.")],
    out: DraftOut,
    sequence: Annotated[
        int, typer.Option("--sequence", min=0, help="Its number; the next one if left out.")
    ] = 0,
    reason: Annotated[
        str, typer.Option("--reason", help="Why bytes are released again; it is public.")
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the statement that releases a file: its digest, its length and the next number."""
    from sekisho.ceremony import draft_release
    from sekisho.model.statements import AgentReleased
    from sekisho.model.wire import JsonValue, from_json

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    sha256, length = _measure(file)
    fields: dict[str, JsonValue] = {
        "effective": str(view.now),
        "version": version,
        "sha256": sha256,
        "bytes": length,
        "sequence": sequence or None,
        "reason": reason or None,
    }
    fact = from_json(AgentReleased, {k: v for k, v in fields.items() if v is not None})
    deliver_draft(view, draft_release(state, fact, now=view.now), Path(out), as_json=as_json)


def start(
    context: typer.Context,
    *,
    repository: _Repository,
    role: _RoleKeys = None,
    threshold: _Thresholds = None,
    key: _Keys = None,
    passphrase_file: PassphraseFile = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Begin a repository: who may sign what. Its first root goes to every host by hand, as release-root.json."""
    from sekisho.ceremony import open_release_repository

    view = look(context, Sources(home=home, log=log, policy=policy))
    place = open_release_repository(repository)
    roles, said = _roles(role or [], threshold or [], view.footing.charter, view.language)
    missing = {"root", "targets", "snapshot", "timestamp"} - set(roles)
    if missing:
        raise InvalidInput(f"no key for {', '.join(sorted(missing))}", path="--role")
    place.start(roles, view.now)
    _go_on(context, place, key or [], passphrase_file, said=said, as_json=as_json)


def publish(
    context: typer.Context,
    *,
    repository: _Repository,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The wheel or tar.")],
    statement: Annotated[
        str, typer.Option("--statement", help="The agent-released that releases it.")
    ],
    key: _Keys = None,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Offer a released file: hosts take it once the log's witnesses have seen the statement, too."""
    from sekisho.ceremony import SystemClock, open_release_repository

    fact, digest = _released(statement)
    place = open_release_repository(repository)
    place.offer(file, fact, digest, SystemClock().now())
    _go_on(context, place, key or [], passphrase_file, as_json=as_json)


def cosign(
    context: typer.Context,
    *,
    repository: _Repository,
    key: _Keys = None,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Add signatures to what is staged, and publish it where that is enough."""
    from sekisho.ceremony import open_release_repository

    place = open_release_repository(repository)
    if not place.standings():
        raise InvalidInput("nothing is staged", path=str(repository))
    _go_on(context, place, key or [], passphrase_file, as_json=as_json)


def refresh(
    context: typer.Context,
    *,
    repository: _Repository,
    key: _Keys = None,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Sign a new snapshot and timestamp: at least daily, or hosts take the repository for frozen."""
    from sekisho.ceremony import open_release_repository

    place = open_release_repository(repository)
    if place.standings():
        raise InvalidInput(
            "something is staged", path=str(repository), remedy="`release cosign` it first"
        )
    _go_on(context, place, key or [], passphrase_file, as_json=as_json)


def rotate(
    context: typer.Context,
    *,
    repository: _Repository,
    role: _RoleKeys = None,
    threshold: _Thresholds = None,
    key: _Keys = None,
    passphrase_file: PassphraseFile = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Stage the next root: the roles that are named get these keys alone; the old quorum signs, and the new one."""
    from sekisho.ceremony import open_release_repository

    view = look(context, Sources(home=home, log=log, policy=policy))
    place = open_release_repository(repository)
    roles, said = _roles(role or [], threshold or [], view.footing.charter, view.language)
    place.rotate(roles, view.now)
    _go_on(context, place, key or [], passphrase_file, said=said, as_json=as_json)


def _go_on(
    context: typer.Context,
    place: ReleaseRepository,
    keys: Sequence[str],
    passphrase_file: str,
    *,
    said: str = "",
    as_json: bool,
) -> None:
    """Show what is staged, sign it with the keys at hand, publish it if that is enough; ends the command."""
    from sekisho.ceremony import SystemClock

    language = language_of(context)
    for line in _lines(place.standings(), language):
        typer.echo(line, err=True)  # before any passphrase is asked for: nobody signs blind
    signers: list[Signer] = [
        open_own_key(settings_of(context), one, passphrase_file) for one in keys
    ]
    place.sign(signers)
    standings = place.standings()
    done = place.publish(signers, SystemClock().now())
    told = "release.published" if done else "release.waiting"
    text = [*_lines(standings, language), *([said] if said else [])]
    text.append(say(told, language, folder=place.folder))
    document = {"published": done, "staged": standings, "folder": str(place.folder)}
    deliver(
        Answer(document=document, text="\n".join(text), exit_code=0 if done else 3), as_json=as_json
    )


def _lines(standings: Iterable[RoleStanding], language: Language) -> list[str]:
    return [
        say(
            "release.staged",
            language,
            role=row.role,
            version=row.version,
            signed=row.signed,
            asked=row.asked,
            files="".join(f"\n  {tame(name)}" for name in row.files),
        )
        for row in standings
    ]


def _roles(
    named: Sequence[str],
    thresholds: Sequence[str],
    charter: Charter | None,
    language: Language,
) -> tuple[dict[RoleName, RoleKeys], str]:
    """Keys and quorums by role; what the charter's own quorum became, in words."""
    from sekisho.ports.releases import ROLES, RoleKeys

    asked = dict(_parse_threshold(text) for text in thresholds)
    keys: dict[RoleName, list[tuple[str, PublicKey]]] = {}
    for text in named:
        role, _, rest = text.partition("=")
        known = next((name for name in ROLES if name == role), None)
        if known is None or not rest:
            raise InvalidInput("is not ROLE=FILE.pub", path=f"--role {text[:80]}")
        constituency, _, file = rest.rpartition(":")
        keys.setdefault(known, []).append((constituency, load_public(file)))
    roles: dict[RoleName, RoleKeys] = {}
    said = ""
    for role_name, rows in keys.items():
        threshold = asked.get(role_name, 1)
        if role_name in _QUORUM_ROLES and role_name not in asked and charter is not None:
            threshold, said = _charter_threshold(charter, rows, language)
        roles[role_name] = RoleKeys(
            keys=tuple(key.to_text() for _, key in rows), threshold=threshold
        )
    return roles, said


def _charter_threshold(
    charter: Charter, rows: Sequence[tuple[str, PublicKey]], language: Language
) -> tuple[int, str]:
    from sekisho.ceremony import express_quorum

    grant = charter.grant_of("publish-agent")
    if grant is None:
        raise InvalidInput("the charter gives nobody the power publish-agent", path="--log")
    counted: dict[str, int] = {}
    for constituency, public in rows:
        # A key of the charter's own stands where the charter says, whatever its flag calls it.
        name = charter.constituency_of(public.key_id) or constituency
        counted[name] = counted.get(name, 0) + 1
    found = express_quorum(grant, counted)
    told = "release.exact" if found.is_exact else "release.inexact"
    return found.threshold, say(told, language, threshold=found.threshold)


def _parse_threshold(text: str) -> tuple[str, int]:
    role, _, number = text.partition("=")
    if not number.isdigit() or not 1 <= int(number) <= 64:
        raise InvalidInput("is not ROLE=K", path=f"--threshold {text[:80]}")
    return role, int(number)


def _released(file: str) -> tuple[AgentReleased, str]:
    from sekisho.cli.documents import parse_document
    from sekisho.model.statements import AgentReleased

    document = parse_document(read_input(file, limit=MAX_STATEMENT), path=file)
    statement = document.statement
    if statement is None or not isinstance(statement.predicate, AgentReleased):
        raise InvalidInput("is no agent-released", path=file)
    return statement.predicate, statement.digest


def _measure(file: Path) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            length += len(chunk)
    return digest.hexdigest(), length
