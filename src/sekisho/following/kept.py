"""What a follower accepted, kept in files, so that no control plane can make it forget an order by a restart.

Files: `followed.jsonl` (all items in their order) and `heads.json` (the newest heartbeat). What is read back is
verified anew, as if it had just come.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sekisho.following.follow import Followed
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.membership import Membership
from sekisho.model.wire import (
    JsonValue,
    canonical,
    decode_base64,
    encode_base64,
    from_json,
    parse_json,
    to_plain,
)
from sekisho.ports.host_files import HostFiles

__all__ = ["FOLLOWED", "HEADS", "keep_followed", "load_followed", "parse_followed"]

FOLLOWED, HEADS = "followed.jsonl", "heads.json"


class _FollowedRow(msgspec.Struct, frozen=True):
    kind: str
    envelope: str
    proof: str | None
    seen: Instant
    boot: str = ""
    at_s: float | None = None
    membership: Membership | None = None
    disclosures: tuple[str, ...] = ()


def keep_followed(files: HostFiles, followed: Followed) -> None:
    """Make one accepted item durable; of heartbeats only the newest is kept."""
    row: dict[str, JsonValue] = {
        "envelope": encode_base64(followed.envelope),
        "kind": followed.kind,
        "proof": followed.proof,
        "seen": str(followed.seen),
    }
    if followed.proof is None:
        row |= {"at_s": followed.at_s, "boot": followed.boot}
    if followed.membership is not None:
        row["membership"] = to_plain(followed.membership)
    if followed.disclosures:
        row["disclosures"] = list(followed.disclosures)
    line = canonical(row)
    # Crash here: what was accepted counts already, and the feed brings the item again.
    if followed.kind == "orders-in-force":
        files.save(HEADS, line)
    else:
        files.append(FOLLOWED, line)


def load_followed(files: HostFiles) -> Iterator[Followed]:
    """All that was kept, in its order; a line that cannot be read is passed over, since the feed has it too."""
    heads = files.load(HEADS)
    for line in (*files.load_lines(FOLLOWED), *([heads] if heads else [])):
        try:
            yield parse_followed(line)
        except InvalidInput:
            continue


def parse_followed(line: bytes) -> Followed:
    """One kept item, to be verified anew. Raises InvalidInput."""
    row = from_json(_FollowedRow, parse_json(line, path=FOLLOWED), path=FOLLOWED)
    return Followed(
        kind=row.kind,
        envelope=decode_base64(row.envelope),
        proof=row.proof,
        seen=row.seen,
        boot=row.boot,
        at_s=row.at_s,
        membership=row.membership,
        disclosures=row.disclosures,
    )
