"""`sekisho key drill` and `sekisho key compromised`: prove that a key still signs, and report one that is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.charter_flags import parse_instant_flag, parse_key_id
from sekisho.cli.countersign import Phrase
from sekisho.cli.drafting import (
    DraftOut,
    Making,
    MaybeControl,
    OwnPublic,
    SignedOut,
    deliver_draft,
    deliver_own_word,
)
from sekisho.cli.durations import length_in_words
from sekisho.cli.own_key import KeyPlace, PassphraseFile
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import KeyStanding
    from sekisho.cli.words import View

__all__ = ["compromised", "drill"]


def drill(
    context: typer.Context,
    *,
    every: Annotated[
        bool, typer.Option("--list", help="Every charter key, its last proof, the doubtful ones.")
    ] = False,
    key: KeyPlace = "",
    public: OwnPublic = "",
    note: Annotated[str, typer.Option("--note", help="A remark; it is public.")] = "",
    out: SignedOut = "",
    control: MaybeControl = "",
    phrase: Phrase = "",
    passphrase_file: PassphraseFile = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Prove that your key still signs, over the newest witnessed tree that the log quotes."""
    from sekisho.ceremony import draft_drill

    sources = Sources(home=home, log=log, policy=policy)
    if every:
        _deliver_list(look(context, sources), as_json=as_json)
        return
    making = Making(
        out=out,
        key=key,
        public=public,
        phrase=phrase,
        passphrase_file=passphrase_file,
        control=control,
    )
    making.check()
    whose, signer = making.whose(context)
    view = look(context, sources)
    state = require_state(view, as_json=as_json)
    fact = draft_drill(state, whose.key_id, note, now=view.now)
    deliver_own_word(view, fact, signer, making, as_json=as_json)


def compromised(
    context: typer.Context,
    *,
    which: Annotated[
        str, typer.Argument(metavar="KEY", help="The lost key's id, its beginning, or its .pub.")
    ],
    since: Annotated[
        str,
        typer.Option("--since", help="When it was lost at the earliest, as 2027-04-01T00:00:00Z."),
    ],
    reason: Annotated[str, typer.Option("--reason", help="What happened; it is public.")],
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the report that a key is lost; what would stand in doubt is shown first. Then `key sign`, `key issue`."""
    from sekisho.ceremony import draft_compromise

    if not reason.strip():
        raise InvalidInput(
            "says nothing", path="--reason", remedy="say what happened: it is public"
        )
    view = look(context, Sources(home=home, log=log, policy=policy))
    charter = require_state(view, as_json=as_json).regime.in_force()
    key_id = parse_key_id(charter, which, "KEY")
    at = parse_instant_flag(since, "--since")
    fact = draft_compromise(charter, key_id, at, reason, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)


def _deliver_list(view: View, *, as_json: bool) -> None:
    """Every charter key; doubtful or lost ones first. Exit 0: who must not miss one reads the answer's `doubtful`."""
    from sekisho.ceremony import key_standings
    from sekisho.model.wire import to_plain

    state = require_state(view, as_json=as_json)
    rows = sorted(
        key_standings(state, now=view.now),
        key=lambda row: (not row.compromised, not row.doubtful, row.constituency, row.key),
    )
    every_s = state.regime.in_force().terms.key_drill_every_s
    doubtful = sum(row.doubtful for row in rows)
    lines = [_in_words(row, view) for row in rows]
    length = length_in_words(every_s, view.language)
    lines.append(
        say("key.drill.sum", view.language, doubtful=doubtful, count=len(rows), length=length)
    )
    document = {"keys": to_plain(rows), "doubtful": doubtful, "every_s": every_s}
    deliver(Answer(document=document, text="\n".join(lines)), as_json=as_json)


def _in_words(row: KeyStanding, view: View) -> str:
    state = "proved" if row.last is not None else "new"
    state = "lost" if row.compromised else "doubtful" if row.doubtful else state
    return say(
        "key.drill.row",
        view.language,
        state=say(f"key.drill.{state}", view.language),
        id=row.key[:16],
        constituency=tame(row.constituency),
        organisation=quote(row.organisation),
        holder=quote(row.holder),
        last=row.last if row.last is not None else say("key.drill.never", view.language),
    )
