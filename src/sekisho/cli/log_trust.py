"""By which keys a log is believed: `--vkey` for its own key alone, `--policy` for its witnesses too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ledger.policy import Policy
    from sekisho.signing.notes import VerifierKey

__all__ = ["LogKeys", "PolicyFile", "checked_vkey", "read_key", "read_policy"]

_MAX_FILE = 1 << 20

LogKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--vkey", help="The log's key, or a file that holds it; twice while the key changes."
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", help="A tlog-policy file, or a trust root: log and witness quorum."),
]


def read_key(text: str, *, path: str = "--vkey") -> VerifierKey:
    """A verifier key as typed, or the one in a file."""
    from sekisho.signing.notes import VerifierKey

    if "+" not in text and Path(text).is_file():
        text = read_input(text, limit=_MAX_FILE).decode("utf-8", "replace")
    return VerifierKey.from_text(checked_vkey(text, path), path=path)


def checked_vkey(text: str, path: str) -> str:
    """The text, if it has a verifier key's form at all: public keys and policies are given here by mistake."""
    if text.count("+") < 2 or len(text.split()) != 1:
        raise InvalidInput(
            f"{text[:40]!r} is no verifier key, NAME+ID+BASE64, nor a file with one",
            path=path,
            remedy="take it from where the log or witness shows it; sekisho key show F.pub --vkey NAME makes one",
        )
    return text


def read_policy(vkeys: list[str] | None, policy: Path | None) -> Policy:
    """The policy that the flags come to. Raises InvalidInput where they name none, or both."""
    from sekisho.ledger.policy import Policy

    if bool(vkeys) == (policy is not None):
        raise InvalidInput(
            "needs the log's key or a policy, and not both",
            path="--vkey, --policy",
            remedy="--vkey asks for the log's own signature, --policy for its witnesses too",
        )
    if policy is not None:
        return _read_policy_file(policy)
    return Policy.of_log(*(read_key(text) for text in vkeys or ()))


def _read_policy_file(file: Path) -> Policy:
    from sekisho.ledger.policy import Policy
    from sekisho.signing import parse_policy

    data = read_input(str(file), limit=_MAX_FILE)
    if not data.lstrip().startswith(b"{"):
        try:
            return Policy.from_text(data.decode("utf-8"), path=str(file))
        except UnicodeDecodeError:
            raise InvalidInput("is not UTF-8", path=str(file)) from None
    root = parse_policy(data, path=str(file))
    return Policy.from_text(root.witnesses, path=f"{file} witnesses")
