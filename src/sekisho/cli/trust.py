"""`sekisho trust`: the roots that this person trusts; an auditor takes its root from here and from nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.settings import Settings

if TYPE_CHECKING:
    from sekisho.signing import TrustRoot

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


@app.command("add")
def add(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="A policy: charter, log and witnesses as JSON.")
    ] = None,
    charter: Annotated[
        str, typer.Option("--charter", help="sha256: and 64 hexadecimal digits.")
    ] = "",
    log: Annotated[str, typer.Option("--log", help="The log's verifier key.")] = "",
    witnesses: Annotated[
        Path | None, typer.Option("--witnesses", help="The witness policy, as a tlog-policy file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Trust a regime: the digest of its first charter, its log's key and its witness policy."""
    from sekisho.auditor.main import change_trust, load_policy

    settings: Settings = context.obj
    if file is not None and (charter or log or witnesses):
        raise InvalidInput("name a policy file or the three parts, not both", path="trust add")
    root = load_policy(file) if file is not None else _root_of_parts(charter, log, witnesses)
    change_trust(
        settings.trust_file,
        lambda roots: (*(known for known in roots if known.origin != root.origin), root),
    )
    text = f"{say('trust.added', settings.language)}\n{_in_words(root, settings.language)}"
    deliver(Answer(document={"trusted": root}, text=text), as_json=as_json)


@app.command("list")
def list_roots(context: typer.Context, as_json: AsJson = False) -> None:
    """Say which regimes are trusted."""
    from sekisho.auditor.main import load_trust

    settings: Settings = context.obj
    roots = load_trust(settings.trust_file)
    text = "\n\n".join(_in_words(root, settings.language) for root in roots)
    deliver(
        Answer(document={"trusted": roots}, text=text or say("trust.none", settings.language)),
        as_json=as_json,
    )


@app.command("remove")
def remove(
    context: typer.Context,
    origin: Annotated[str, typer.Argument(help="The log's name, as `trust list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Trust a regime no longer."""
    from sekisho.auditor.main import change_trust, load_trust

    settings: Settings = context.obj
    if all(root.origin != origin for root in load_trust(settings.trust_file)):
        raise StateConflict(
            f"no regime of the log {origin} is trusted", remedy="see sekisho trust list"
        )
    left = change_trust(
        settings.trust_file, lambda roots: tuple(root for root in roots if root.origin != origin)
    )
    deliver(
        Answer(
            document={"trusted": left}, text=say("trust.removed", settings.language, origin=origin)
        ),
        as_json=as_json,
    )


def _root_of_parts(charter: str, log: str, witnesses: Path | None) -> TrustRoot:
    from sekisho.auditor.main import verify_root
    from sekisho.model.wire import canonical
    from sekisho.signing import parse_policy

    if not (charter and log and witnesses is not None):
        raise InvalidInput(
            "needs all three: --charter, --log and --witnesses",
            path="trust add",
            remedy="or name a policy file",
        )
    text = witnesses.read_text(encoding="utf-8")
    root = parse_policy(
        canonical({"charter": charter, "log": log, "witnesses": text}), path="trust add"
    )
    verify_root(root)
    return root


def _in_words(root: TrustRoot, language: Language) -> str:
    """What trusting this root means: whose charter, whose log, which witnesses and how many of them."""
    from sekisho.auditor.main import verify_root

    policy = verify_root(root)
    group = next((group for group in policy.groups if group.name == policy.quorum), None)
    needed = group.needed if group else min(len(policy.witnesses), policy.quorum != "none")
    names = ", ".join(f"{w.name} ({w.key.key_id.hex()})" for w in policy.witnesses) or "-"
    return say(
        "trust.words",
        language,
        origin=root.origin,
        charter=root.charter,
        log_key=policy.logs[0].key_id.hex(),
        needed=needed,
        count=len(policy.witnesses),
        names=names,
    )
