"""A repository of releases as a client of The Update Framework sees it: verified role by role, remembered for good.

Roles are followed by `tuf.ngclient` (TUF specification 1.0, section 5.3): root by root, each signed by the quorum of
the one before; then timestamp, snapshot, targets, none older than the last one seen, none expired, all of one set.
Beyond that: no key counts twice under two names, and what was seen is on the disk before its offer is acted on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from sekisho.adapters.durable_files import create_private_folder, sync_path
from sekisho.adapters.transport.release_fetcher import BoundedFetcher, HeardFetcher, base_url
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Digest, Name
from sekisho.ports.releases import Heard, Offer, Offered

__all__ = [
    "MAX_ARTEFACT",
    "EndlessRelease",
    "FrozenRepository",
    "MixedRepository",
    "RolledBackRepository",
    "SwappedRelease",
    "TufRepository",
    "TwiceCountedKey",
    "UnsignedRepository",
]

MAX_ARTEFACT: Final = 512 * 1024 * 1024
MAX_OFFERS: Final = 1000


class FrozenRepository(VerificationError):
    """A role's word has expired: whoever serves this may be hiding what came since."""

    code = "frozen-repository"


class RolledBackRepository(VerificationError):
    """A role is older than one that was seen before, or than the role above it says."""

    code = "rolled-back-repository"


class UnsignedRepository(VerificationError):
    """A role lacks the signatures that the role above it asks for."""

    code = "unsigned-repository"


class MixedRepository(VerificationError):
    """A role is not the one that the role above it names, or is no document of its kind."""

    code = "mixed-repository"


class SwappedRelease(VerificationError):
    """A file is not the one that was signed."""

    code = "swapped-release"


class EndlessRelease(VerificationError):
    """A file is longer than it may be."""

    code = "endless-release"


class TwiceCountedKey(VerificationError):
    """A role lists one key under two names, so that one holder would count twice."""

    code = "twice-counted-key"


_MEANING: Mapping[type[Exception], type[VerificationError]] = {
    exceptions.ExpiredMetadataError: FrozenRepository,
    exceptions.BadVersionNumberError: RolledBackRepository,
    exceptions.UnsignedMetadataError: UnsignedRepository,
    exceptions.RepositoryError: MixedRepository,
    exceptions.DownloadLengthMismatchError: EndlessRelease,
}
_LIMITS = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=0,
    root_max_length=256 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=64 * 1024,
    targets_max_length=1024 * 1024,
)


class _Custom(msgspec.Struct, frozen=True, kw_only=True):
    """What our repositories say of a target beside its length and digest."""

    statement: Digest
    version: Name
    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class TufRepository:
    """Implements ports.ReleaseSource at `place`, remembering in `folder` what it saw.

    `root` is the first root of trust, as it was handed over with the host. One at a time: whoever holds the folder.
    """

    def __init__(
        self, place: str, folder: Path, root: bytes, *, fetcher: FetcherInterface | None = None
    ) -> None:
        """Raises InvalidInput for a place that is no address or folder of a repository, or a root that is none."""
        url = base_url(place)
        create_private_folder(folder)
        self._folder = folder
        self._targets: dict[str, TargetFile] = {}
        self._fetcher = HeardFetcher(fetcher or BoundedFetcher())
        try:
            self._updater = Updater(
                metadata_dir=str(folder),
                metadata_base_url=f"{url}/metadata/",
                target_base_url=f"{url}/targets/",
                fetcher=self._fetcher,
                config=_LIMITS,
                bootstrap=root,
            )
        except exceptions.RepositoryError as error:
            raise InvalidInput(
                f"is no root of trust: {error}",
                path="root",
                remedy="take the root.json that was handed over with the host",
            ) from None

    def fetch(self) -> Offered:
        """What the targets role offers, once every role above it was verified."""
        try:
            with _named():
                self._updater.refresh()
        finally:
            # Crash before this: what was seen may be forgotten, and with it that something older is a step back. The
            # host's own shelf and the log's number refuse an older release all the same.
            _settle(self._folder)
        expires = self._look_at_roles()
        targets = _read(self._folder / "targets.json", Targets)
        if len(targets.targets) > MAX_OFFERS:
            raise EndlessRelease(f"the repository names more than {MAX_OFFERS} files")
        self._targets = dict(targets.targets)
        offers = (_offer(path, target) for path, target in self._targets.items())
        return Offered(offers=tuple(o for o in offers if o is not None), expires=expires)

    def download(self, offer: Offer, to: Path, heard: Heard = lambda *_: None) -> None:
        """The file at `to`, whole and on the disk, or nothing there."""
        target = self._targets.get(offer.path)
        if target is None or target.length != offer.bytes:
            raise SwappedRelease(f"{offer.path} is not what was offered")
        if target.length > MAX_ARTEFACT:
            raise EndlessRelease(f"{offer.path} has {target.length} bytes, over {MAX_ARTEFACT}")
        try:
            with _named(SwappedRelease), self._fetcher.telling(heard, target.length):
                self._updater.download_target(target, str(to))
            sync_path(to)
        except (SekishoError, OSError):
            to.unlink(missing_ok=True)
            raise

    def _look_at_roles(self) -> Instant:
        """Refuse a root that counts one key twice, however old; the earliest expiry of the roles in force."""
        roots = [
            _read(path, Root)
            for path in sorted((self._folder / "root_history").glob("*.root.json"))
        ]
        for root in roots:
            _check_keys(root)
        newest = max(roots, key=lambda root: root.version)
        roles = [
            newest,
            _read(self._folder / "timestamp.json", Timestamp),
            _read(self._folder / "snapshot.json", Snapshot),
            _read(self._folder / "targets.json", Targets),
        ]
        return min(_instant(role.expires) for role in roles)


def _offer(path: str, target: TargetFile) -> Offer | None:
    """An offer, where the target is an agent's release; None of other files. Raises MixedRepository for half of one."""
    custom, sha256 = target.custom, target.hashes.get("sha256")
    if not isinstance(custom, dict) or "statement" not in custom:
        return None
    try:
        said = msgspec.convert(custom, _Custom)
    except msgspec.ValidationError as error:
        raise MixedRepository(f"{path}: {error}") from None
    if sha256 is None:
        raise MixedRepository(f"{path}: without a SHA-256")
    return Offer(
        path=path,
        version=said.version,
        sequence=said.sequence,
        sha256=sha256,
        bytes=target.length,
        statement=said.statement,
    )


def _check_keys(root: Root) -> None:
    for name, role in root.roles.items():
        public = [json.dumps(root.keys[i].keyval, sort_keys=True) for i in role.keyids]
        if len(set(public)) != len(public):
            raise TwiceCountedKey(f"root {root.version} lists one key twice in the role {name}")


@contextmanager
def _named(mismatch: type[VerificationError] = MixedRepository) -> Iterator[None]:
    """What the client raises, by our names."""
    try:
        yield
    except exceptions.LengthOrHashMismatchError as error:
        raise mismatch(str(error)[:400]) from None
    except (exceptions.RepositoryError, exceptions.DownloadLengthMismatchError) as error:
        kind = next(_MEANING[k] for k in type(error).__mro__ if k in _MEANING)
        raise kind(str(error)[:400]) from None
    except exceptions.DownloadError as error:
        raise Unavailable(str(error)[:400], remedy="try again later") from None


def _read(path: Path, kind: type[Any]) -> Any:
    """A role that the client has verified and written. Raises MixedRepository where it is another one by now."""
    try:
        signed = Metadata.from_bytes(path.read_bytes()).signed
    except (OSError, exceptions.RepositoryError) as error:
        raise MixedRepository(f"{path.name} cannot be read again: {error}") from None
    if not isinstance(signed, kind):
        raise MixedRepository(f"{path.name} is another role than its name says")
    return signed


def _instant(at: datetime) -> Instant:
    return Instant.from_seconds(int(at.timestamp()))


def _settle(folder: Path) -> None:
    """The client replaces its files whole, and does not sync them."""
    for path in (*folder.glob("*.json"), *(folder / "root_history").glob("*.json")):
        sync_path(path)
    sync_path(folder / "root_history")
    sync_path(folder)
