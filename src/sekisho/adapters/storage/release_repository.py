"""A repository of releases as its publishers keep it: a folder that any web server can offer as it stands.

`metadata/` holds the four roles of The Update Framework, `targets/` the files, `staged/` what still lacks signatures.
Key holders sign one after the other, each on a copy of the folder if they like; what is staged is published at once
when every role in it has its quorum. Whoever reads meanwhile sees the set before or the set after: the timestamp,
which leads to all the rest, is written last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import load_der_public_key
from securesystemslib.signer import Signature, SSlibKey
from tuf.api import exceptions
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import AgentReleased
from sekisho.ports.releases import RoleKeys, RoleName, RoleStanding
from sekisho.signing.keys import PublicKey, Signer

__all__ = ["ReleaseRepository", "key_name"]

LIVES: Final[Mapping[RoleName, int]] = {"root": 365, "targets": 90, "snapshot": 14, "timestamp": 1}
"""Days after which a role's word counts no more: whoever hides the newest can do so for that long."""
MAX_ROLE: Final = 1024 * 1024
CHUNK: Final = 1024 * 1024


class ReleaseRepository:
    """One repository. Every change is staged, signed with the keys at hand, and published if that is enough."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- what is changed ---------------------------------------------------------------------

    def start(self, roles: Mapping[RoleName, RoleKeys], now: Instant) -> None:
        """Stage the first root and an empty list of files. Raises StateConflict where something is there already."""
        if self._versions("root") or self._staged_path("root").exists():
            raise StateConflict(f"{self.folder} is a repository already")
        root = Root(version=1, expires=_ends("root", now), consistent_snapshot=True)
        _fill(root, roles)
        self._stage("root", Metadata(root))
        self._stage("targets", Metadata(Targets(version=1, expires=_ends("targets", now))))

    def offer(self, file: Path, released: AgentReleased, statement: str, now: Instant) -> str:
        """Stage one more release: its file goes into `targets/`, its line into the role. Returns its path there.

        Raises InvalidInput where the file is not the one that the statement releases.
        """
        sha256, length = _measure(file)
        if sha256 != released.sha256 or released.bytes not in (None, length):
            raise InvalidInput("is not the file that the statement releases", path=str(file))
        path = f"agent-{released.sequence}-{file.name}"
        if not path.isascii() or not path.isprintable() or set(path) & set("/\\%?# "):
            raise InvalidInput("has no plain name", path=str(file), remedy="rename it")
        targets = self._next("targets", now)
        target = TargetFile(length=length, hashes={"sha256": sha256}, path=path)
        target.unrecognized_fields["custom"] = {
            "sequence": released.sequence,
            "statement": statement,
            "version": released.version,
        }
        targets.signed.targets[path] = target
        replace_file(self.folder / "targets" / f"{sha256}.{path}", file.read_bytes(), mode=0o644)
        # Crash here: a file that no role names.
        self._stage("targets", targets)
        return path

    def rotate(self, roles: Mapping[RoleName, RoleKeys], now: Instant) -> None:
        """Stage the next root with other keys; it takes the quorum of the root before, and its own.

        The list of files is staged anew beside it, since its signers may be others now.
        """
        root = self._next("root", now)
        _fill(root.signed, roles)
        self._stage("root", root)
        self._stage("targets", self._next("targets", now))

    # --- signatures --------------------------------------------------------------------------

    def sign(self, signers: Sequence[Signer]) -> None:
        """Put the signatures of these keys under whatever is staged and lists them."""
        for role in ("root", "targets"):
            staged = self._load_staged(role)
            if staged is None:
                continue
            listed = {i for root in self._judges(role) for i in root.roles[role].keyids}
            for signer in signers:
                _sign(staged, signer, listed)
            self._stage(role, staged)

    def standings(self) -> tuple[RoleStanding, ...]:
        """What is staged, and how far; a root stands under itself and the one before: the worse of the two is told."""
        found: list[RoleStanding] = []
        for role in ("root", "targets"):
            staged = self._load_staged(role)
            if staged is not None:
                found.append(_standing(role, staged, self._judges(role)))
        return tuple(found)

    def publish(self, signers: Sequence[Signer], now: Instant) -> bool:
        """Publish what is staged where all of it has its quorum, with a new snapshot and timestamp; whether it did.

        Raises NotAuthorised where no key of snapshot or timestamp is at hand.
        """
        if not all(standing.is_met for standing in self.standings()):
            return False
        staged = {role: self._load_staged(role) for role in ("root", "targets")}
        root = (staged["root"] or self._current("root")).signed
        targets = staged["targets"] or self._current("targets")
        _verify_targets(root, targets)
        snapshot, timestamp = self._tops(root, targets, signers, now)
        for role, document in (("root", staged["root"]), ("targets", staged["targets"])):
            if document is not None:
                self._write(f"{document.signed.version}.{role}.json", document)
        self._write(f"{snapshot.signed.version}.snapshot.json", snapshot)
        # Crash here: readers follow the old timestamp to the old set. (After a change of keys they wait for the new
        # one: run `refresh` again.)
        self._write("timestamp.json", timestamp)
        self._staged_path("root").unlink(missing_ok=True)
        self._staged_path("targets").unlink(missing_ok=True)
        return True

    def first_root(self) -> bytes:
        """The root of trust that is handed over with a host."""
        return (self.folder / "metadata" / "1.root.json").read_bytes()

    # --- within ------------------------------------------------------------------------------

    def _tops(
        self, root: Root, targets: Metadata[Targets], signers: Sequence[Signer], now: Instant
    ) -> tuple[Metadata[Snapshot], Metadata[Timestamp]]:
        """The next snapshot and timestamp over these targets, signed."""
        snapshot: Metadata[Snapshot] = Metadata(
            Snapshot(version=self._last("snapshot") + 1, expires=_ends("snapshot", now))
        )
        snapshot.signed.meta["targets.json"] = _meta(targets)
        _complete(root, "snapshot", snapshot, signers)
        timestamp: Metadata[Timestamp] = Metadata(
            Timestamp(version=self._last("timestamp") + 1, expires=_ends("timestamp", now))
        )
        timestamp.signed.snapshot_meta = _meta(snapshot)
        _complete(root, "timestamp", timestamp, signers)
        return snapshot, timestamp

    def _judges(self, role: RoleName) -> list[Root]:
        """The roots whose quorum a staged role takes: for a root the one before and itself."""
        staged = self._load_staged("root")
        if role == "root":
            roots = [self._current("root")] if self._versions("root") else []
            return [document.signed for document in (*roots, *([staged] if staged else []))]
        return [(staged or self._current("root")).signed]

    def _next(self, role: RoleName, now: Instant) -> Metadata[Any]:
        """The staged role without its signatures, else the one in force under the next number."""
        document = self._load_staged(role)
        if document is None:
            document = self._current(role)
            document.signed.version += 1
        document.signatures.clear()
        document.signed.expires = _ends(role, now)
        return document

    def _current(self, role: RoleName) -> Metadata[Any]:
        versions = self._versions(role)
        if not versions:
            raise InvalidInput(
                f"holds no {role} yet", path=str(self.folder), remedy="`release start` it first"
            )
        return _load(self.folder / "metadata" / f"{versions[-1]}.{role}.json")

    def _last(self, role: RoleName) -> int:
        if role != "timestamp":
            return (self._versions(role) or [0])[-1]
        path = self.folder / "metadata" / "timestamp.json"
        return int(_load(path).signed.version) if path.exists() else 0

    def _versions(self, role: RoleName) -> list[int]:
        names = (p.name for p in (self.folder / "metadata").glob(f"*.{role}.json"))
        numbers = (name.partition(".")[0] for name in names)
        return sorted(int(number) for number in numbers if number.isdigit())

    def _staged_path(self, role: RoleName) -> Path:
        return self.folder / "staged" / f"{role}.json"

    def _load_staged(self, role: RoleName) -> Metadata[Any] | None:
        path = self._staged_path(role)
        return _load(path) if path.exists() else None

    def _stage(self, role: RoleName, document: Metadata[Any]) -> None:
        replace_file(self._staged_path(role), document.to_bytes(), mode=0o644)

    def _write(self, name: str, document: Metadata[Any]) -> None:
        replace_file(self.folder / "metadata" / name, document.to_bytes(), mode=0o644)


def key_name(public: PublicKey) -> str:
    """The name under which a role lists a key."""
    return _tuf_key(public).keyid


def _tuf_key(public: PublicKey) -> SSlibKey:
    return SSlibKey.from_crypto(load_der_public_key(public.spki))


def _fill(root: Root, roles: Mapping[RoleName, RoleKeys]) -> None:
    """Give a root these keys and quorums; roles that are not named stay. Raises InvalidInput for an empty quorum."""
    for name, wanted in roles.items():
        public = [PublicKey.from_text(text, path=f"role {name}") for text in wanted.keys]
        names = {key_name(one) for one in public}
        if len(names) != len(wanted.keys) or not 1 <= wanted.threshold <= len(names):
            raise InvalidInput(
                f"takes {wanted.threshold} of {len(names)} distinct keys", path=f"role {name}"
            )
        root.roles[name] = Role([], wanted.threshold)
    used = {keyid for role in root.roles.values() for keyid in role.keyids}
    for keyid in set(root.keys) - used:
        del root.keys[keyid]
    for name, wanted in roles.items():
        for text in wanted.keys:
            root.add_key(_tuf_key(PublicKey.from_text(text)), name)


def _sign(document: Metadata[Any], signer: Signer, listed: Iterable[str]) -> None:
    keyid = key_name(signer.public)
    if keyid in listed:
        signature = signer.sign(document.signed_bytes)
        document.signatures[keyid] = Signature(keyid, signature.hex())


def _standing(role: RoleName, document: Metadata[Any], judges: Iterable[Root]) -> RoleStanding:
    results = [
        root.get_verification_result(role, document.signed_bytes, document.signatures)
        for root in judges
    ]
    worst = min(results, key=lambda result: len(result.signed) - result.threshold)
    return RoleStanding(
        role=role,
        version=document.signed.version,
        signed=len(worst.signed),
        asked=worst.threshold,
        files=tuple(sorted(document.signed.targets)) if role == "targets" else (),
    )


def _verify_targets(root: Root, targets: Metadata[Any]) -> None:
    try:
        root.verify_delegate("targets", targets.signed_bytes, targets.signatures)
    except exceptions.RepositoryError as error:
        raise NotAuthorised(
            f"the list of files lacks its quorum under this root: {error}"
        ) from None


def _complete(
    root: Root, role: RoleName, document: Metadata[Any], signers: Iterable[Signer]
) -> None:
    """Sign with every key at hand that the role lists. Raises NotAuthorised where that is not its quorum."""
    listed = root.roles[role].keyids
    for signer in signers:
        _sign(document, signer, listed)
    if len(document.signatures) < root.roles[role].threshold:
        raise NotAuthorised(
            f"the role {role} takes {root.roles[role].threshold} of its keys, {len(document.signatures)} are at hand",
            remedy="name them with --key",
        )


def _meta(document: Metadata[Any]) -> MetaFile:
    return MetaFile.from_data(document.signed.version, document.to_bytes(), ["sha256"])


def _ends(role: RoleName, now: Instant) -> datetime:
    at = datetime.fromtimestamp(int(now.seconds), UTC)
    return at + timedelta(days=LIVES[role])


def _load(path: Path) -> Metadata[Any]:
    try:
        with path.open("rb") as file:
            return Metadata.from_bytes(file.read(MAX_ROLE))
    except exceptions.RepositoryError as error:
        raise InvalidInput(f"is no role of a repository: {error}", path=str(path)) from None


def _measure(file: Path) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    with file.open("rb") as stream:
        read: Callable[[], bytes] = lambda: stream.read(CHUNK)  # noqa: E731  # the loop's own word
        for chunk in iter(read, b""):
            digest.update(chunk)
            length += len(chunk)
    return digest.hexdigest(), length
