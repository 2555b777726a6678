"""Releases for tests: a publisher with keys and a folder, the log's statements, a host that updates."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata
from tuf.ngclient.fetcher import FetcherInterface

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage.release_repository import ReleaseRepository
from sekisho.agent.installing import ROOT, Update, open_repository, open_update
from sekisho.model.instants import Instant
from sekisho.model.statements import AgentReleased
from sekisho.ports.clock import HostClock
from sekisho.ports.releases import RoleKeys, RoleName, Shelf
from sekisho.signing import Envelope, Signer
from tests import factory
from tests.agent.homes import write_home
from tests.factory import AUTHORITY, VERIFIER, signed
from tests.fakes import FakeControl
from tests.served import SystemFakeClock

__all__ = ["OFFLINE", "ONLINE", "QUORUM", "Publisher", "Updating", "keys_of", "make_tar"]

OFFLINE: tuple[Signer, ...] = tuple(factory.signer(f"release-{n}") for n in (1, 2, 3))
ONLINE: Signer = factory.signer("release-online")
QUORUM: tuple[Signer, ...] = (*AUTHORITY[:2], VERIFIER[0])
DAY_S = 86_400


def keys_of(signers: Iterable[Signer], threshold: int) -> RoleKeys:
    return RoleKeys(keys=tuple(s.public.to_text() for s in signers), threshold=threshold)


def make_tar(
    files: dict[str, bytes], extra: Iterable[tarfile.TarInfo] = (), mode: str = "w"
) -> bytes:
    """A tar of these files, and of members that hold no bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]  # one of its modes
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(data))
        for member in extra:
            archive.addfile(member)
    return out.getvalue()


class Publisher:
    """A repository whose root and targets take 2 of 3 keys, and whose other roles one key that is always at hand."""

    def __init__(self, folder: Path, now: Instant | None = None) -> None:
        self.folder = folder / "repository"
        self.work = folder
        self.repository = ReleaseRepository(self.folder)
        roles: dict[RoleName, RoleKeys] = {
            "root": keys_of(OFFLINE, 2),
            "targets": keys_of(OFFLINE, 2),
            "snapshot": keys_of([ONLINE], 1),
            "timestamp": keys_of([ONLINE], 1),
        }
        self.repository.start(roles, now or SystemClock().now())
        assert self.finish(now)

    def finish(self, now: Instant | None = None, signers: Sequence[Signer] = ()) -> bool:
        keys = tuple(signers) or (*OFFLINE[:2], ONLINE)
        self.repository.sign(keys)
        return self.repository.publish(keys, now or SystemClock().now())

    def file(self, name: str, data: bytes) -> Path:
        path = self.work / name
        path.write_bytes(data)
        return path

    def offer(self, file: Path, envelope: Envelope, fact: AgentReleased) -> str:
        path = self.repository.offer(file, fact, envelope.digest, SystemClock().now())
        assert self.finish()
        return path

    def role(self, name: str) -> Path:
        return self.folder / "metadata" / name

    def load(self, name: str) -> Metadata[Any]:
        return Metadata.from_bytes(self.role(name).read_bytes())

    def snapshot_of(self) -> dict[str, bytes]:
        """Every file of the repository, to be put back later."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def restore(self, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            (self.folder / name).write_bytes(data)


class Updating:
    """A log with a witness quorum, a publisher, and one host that looks for releases."""

    def __init__(self, folder: Path) -> None:
        self.control = FakeControl(SystemFakeClock())
        self.publisher = Publisher(folder)
        self.home = folder / "home"
        write_home(self.home, self.control, "http://127.0.0.1:9")
        (self.home / ROOT).write_bytes(self.publisher.repository.first_root())
        self.fetcher: FetcherInterface | None = None
        self.clock: HostClock | None = None

    def release(
        self,
        sequence: int,
        data: bytes | None = None,
        *,
        version: str | None = None,
        reason: str | None = None,
        logged: bool = True,
    ) -> AgentReleased:
        """A release in the log and in the repository, by everybody who must sign it."""
        data = make_tar({"sekisho/__init__.py": b"# %d\n" % sequence}) if data is None else data
        fact = self.fact(sequence, data, version=version, reason=reason)
        envelope = signed(fact, *QUORUM)
        if logged:
            self.control.admit(envelope)
        self.publisher.offer(self.publisher.file(f"agent{sequence}.tar", data), envelope, fact)
        return fact

    def fact(
        self, sequence: int, data: bytes, *, version: str | None = None, reason: str | None = None
    ) -> AgentReleased:
        return AgentReleased(
            effective=self.control.now(),
            version=version or f"1.{sequence}",
            sha256=hashlib.sha256(data).hexdigest(),
            sequence=sequence,
            bytes=len(data),
            reason=reason,
        )

    def open(self, place: str = "") -> Update:
        source = open_repository(
            self.home, place or str(self.publisher.folder), fetcher=self.fetcher
        )
        return open_update(self.home, source, control=self.control, clock=self.clock)

    def update(self, *, back: bool = False) -> str:
        """The code of the judgement, once it was carried out."""
        with self.open() as update:
            judgement = update.judge(back=back)
            update.carry_out(judgement)
            return judgement.code

    def shelf(self) -> Shelf:
        with self.open() as update:
            return update.shelf
