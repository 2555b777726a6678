"""All that an audit looks at, gathered once: the files, the trust root that the verifier brought, the log as read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from sekisho.auditor.bundle import Bundle
from sekisho.auditor.history import History
from sekisho.auditor.register_evidence import Disclosed, read_disclosed
from sekisho.auditor.walking import policy_under, walk_log
from sekisho.ledger import Checkpoint, Policy
from sekisho.ledger.tiles import CHECKPOINT_PATH, bundles_of_tree, load_bundle
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.wire import from_json, parse_canonical
from sekisho.ports.tile_store import NotStored
from sekisho.signing import Envelope, Regime, TrustRoot, Verified, find_root, parse_envelope
from sekisho.signing.notes import MAX_NOTE_BYTES, Note

__all__ = ["Evidence", "Paper", "Seen", "Trust", "gather_evidence"]

MAX_ENTRIES = 2_000_000
MAX_LINES = 1_000_000
DISCLOSURES = "disclosures.json"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint of the log as somebody else saw it, and the file that the verifier took it from."""

    source: str
    note: Note


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier brings along: one root named for this audit, else those of the user's own trust file.

    `seen` are checkpoints of the log that others saw.
    """

    policy: TrustRoot | None = None
    known: Sequence[TrustRoot] = ()
    seen: Sequence[Seen] = ()

    def root_for(self, origin: str) -> TrustRoot | None:
        return self.policy if self.policy is not None else find_root(tuple(self.known), origin)


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement that is no log entry, with the file and line where it stands."""

    where: str
    verified: Verified


class Evidence(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One value for every check. `history` is None without a trust root; `trouble` says why reading it broke off."""

    bundle: Bundle
    origin: str
    root: TrustRoot | None
    note: Note | None
    checkpoint: Checkpoint | None
    history: History | None
    entries: tuple[bytes, ...] = ()
    read: Mapping[str, tuple[Paper, ...] | str] = {}
    trouble: str = ""
    seen: tuple[Seen, ...] = ()

    @cached_property
    def memory(self) -> dict[str, Any]:
        """What one check worked out and another asks for as well."""
        return {}

    @cached_property
    def _disclosed(self) -> Disclosed | None:
        return read_disclosed(self.bundle.files)

    def disclosed(self) -> Disclosed | None:
        """What of the register is disclosed; None where nothing is. Raises InvalidInput where it cannot be read."""
        return self._disclosed

    def disclosures(self) -> dict[str, tuple[str, ...]]:
        """The disclosures of concealed fields by leaf digest. Raises InvalidInput."""
        return read_disclosures(self.bundle)

    def entry(self, index: int) -> bytes:
        return self.entries[index]

    def past(self) -> History:
        """The log as read. Raises InvalidInput where it could not be, so that the check which asks fails."""
        if self.history is None:
            raise InvalidInput(self.trouble or "the log could not be read")
        return self.history

    def policy(self) -> Policy:
        """The witness policy at the log's end."""
        if self.root is None:
            raise InvalidInput("no trust root")
        return policy_under(self.root, self.past().regime)

    def hosts(self, name: str) -> list[str]:
        """The hosts of whom the bundle holds a file of this name."""
        return sorted(
            path.removeprefix("hosts/").removesuffix(f"/{name}")
            for path in self.bundle.files
            if path.startswith("hosts/") and path.endswith(f"/{name}")
        )

    def has_paper(self, host: str, name: str) -> bool:
        return f"hosts/{host}/{name}" in self.bundle.files

    def papers(self, host: str, name: str) -> tuple[Paper, ...]:
        """The statements of one file, each verified; raises InvalidInput naming the first bad line."""
        papers = self.read.get(f"hosts/{host}/{name}", ())
        if isinstance(papers, str):
            raise InvalidInput(papers)
        return papers


def gather_evidence(
    bundle: Bundle, trust: Trust, *, progress: Callable[[int, int], None] = lambda *_: None
) -> Evidence:
    """Read everything that the checks need. Never raises for what the evidence holds."""
    note, checkpoint = _read_checkpoint(bundle)
    origin = checkpoint.origin if checkpoint is not None else ""
    if not origin and bundle.manifest is not None:
        origin = bundle.manifest.origin
    root = trust.root_for(origin)
    history, trouble, entries, papers = None, "", list[bytes](), {}
    if root is not None:
        try:
            entries = _read_entries(bundle, checkpoint)
            disclosures = _read_disclosures(bundle)
            history = walk_log(entries, root, disclosures, note=note, progress=progress)
            papers = _read_papers(bundle, history)
        except Exception as error:  # noqa: BLE001  # hostile bytes: whatever breaks off the reading is a failing check, never a pass
            trouble = f"the log could not be read: {type(error).__name__}: {error}"
    return Evidence(
        bundle=bundle,
        origin=origin,
        root=root,
        note=note,
        checkpoint=checkpoint,
        history=history,
        entries=tuple(entries),
        read=papers,
        trouble=trouble,
        seen=tuple(trust.seen),
    )


def read_disclosures(bundle: Bundle) -> dict[str, tuple[str, ...]]:
    """The disclosures by leaf digest. Raises InvalidInput where the file is not in its one form."""
    data = bundle.files.get(DISCLOSURES)
    if data is None:
        return {}
    value = parse_canonical(data, path=DISCLOSURES, limit=1 << 26)
    return from_json(dict[str, tuple[str, ...]], value, path=DISCLOSURES)


def _read_disclosures(bundle: Bundle) -> Mapping[str, tuple[str, ...]]:
    """None where the file is damaged: the check of the budgets reads it again and fails."""
    try:
        return read_disclosures(bundle)
    except InvalidInput:
        return {}


def _read_checkpoint(bundle: Bundle) -> tuple[Note | None, Checkpoint | None]:
    try:
        raw = bundle.tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
        note = Note.from_bytes(raw, path="log/checkpoint")
        return note, Checkpoint.from_text(note.text, path="log/checkpoint")
    except (NotStored, InvalidInput):
        return None, None


def _read_entries(bundle: Bundle, checkpoint: Checkpoint | None) -> list[bytes]:
    """The entries as they lie; whether they are the signed tree's is another check."""
    if checkpoint is None:
        raise InvalidInput("there is no checkpoint to read by", path="log/checkpoint")
    if checkpoint.size > MAX_ENTRIES:
        raise InvalidInput(f"claims more than {MAX_ENTRIES} entries", path="log/checkpoint")
    entries: list[bytes] = []
    for tile in bundles_of_tree(checkpoint.size):
        entries += load_bundle(tile, bundle.tiles.read)
    return entries


def _read_papers(bundle: Bundle, history: History) -> dict[str, tuple[Paper, ...] | str]:
    """Every host's files of statements, each read and verified once; for a bad file, what is wrong with it."""
    read: dict[str, tuple[Paper, ...] | str] = {}
    for path, data in bundle.files.items():
        if path.startswith("hosts/") and path.endswith(".jsonl"):
            try:
                read[path] = _read_file(path, data, history)
            except InvalidInput as error:
                read[path] = error.message
    return read


def _read_file(path: str, data: bytes, history: History) -> tuple[Paper, ...]:
    if data and not data.endswith(b"\n"):
        raise InvalidInput("does not end with a newline: it is cut off", path=path)
    lines = data.split(b"\n")[:-1]
    if len(lines) > MAX_LINES:
        raise InvalidInput(f"holds more than {MAX_LINES} lines", path=path)
    regime = history.regime_of_host(path.removeprefix("hosts/").rpartition("/")[0])
    return tuple(_paper(line, f"{path}:{number}", regime) for number, line in enumerate(lines, 1))


def _paper(line: bytes, where: str, regime: Regime) -> Paper:
    try:
        verified = regime.verify(line, path=where)
    except SekishoError as error:
        told = error.message.removeprefix(f"{where}: ")
        raise InvalidInput(f"{type(error).code}: {told}", path=where) from None
    if not _is_strictly_signed(parse_envelope(line, path=where), verified.signers):
        raise InvalidInput("carries a signature or a key id that does not belong to it", path=where)
    return Paper(where=where, verified=verified)


def _is_strictly_signed(envelope: Envelope, signers: frozenset[str]) -> bool:
    """Outside the log no leaf digest pins an envelope, so each signature must be its named key's."""
    return sorted(signature.keyid for signature in envelope.signatures) == sorted(signers)
