"""Attacks on a repository of releases: who serves it, who stole some of its keys, who stands in the way."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from securesystemslib.signer import Signature
from tuf.api.metadata import Metadata, MetaFile, Root

from sekisho.adapters.storage.release_repository import key_name
from sekisho.adapters.transport.release_fetcher import BoundedFetcher
from sekisho.adapters.transport.releases import (
    EndlessRelease,
    FrozenRepository,
    MixedRepository,
    RolledBackRepository,
    SwappedRelease,
    TufRepository,
    TwiceCountedKey,
    UnsignedRepository,
)
from sekisho.model.errors import InvalidInput, Unavailable, VerificationError
from sekisho.signing import Signer
from tests import factory
from tests.fakes import FakeClock
from tests.released import OFFLINE, ONLINE, Updating, keys_of, make_tar

HTTPS = "https://releases.example/agent"


@pytest.fixture
def updating(tmp_path: Path) -> Updating:
    return Updating(tmp_path)


def sign_over(updating: Updating, name: str, document: Metadata, *signers: Signer) -> None:  # type: ignore[type-arg]  # of any role
    """Put a forged role in place, signed by these keys."""
    document.signatures.clear()
    for signer in signers:
        keyid = key_name(signer.public)
        document.signatures[keyid] = Signature(keyid, signer.sign(document.signed_bytes).hex())
    updating.publisher.role(name).write_bytes(document.to_bytes())


def unbind(meta: MetaFile) -> None:
    """Length and digest are optional: who forges a role leaves them out."""
    meta.length = meta.hashes = None


def refused(updating: Updating, attack: type[VerificationError]) -> None:
    """The update ends with this attack's name, and nothing changed on the host."""
    before = updating.shelf()
    with pytest.raises(attack):
        updating.update()
    assert updating.shelf() == before


def test_the_honest_repository_is_taken(updating: Updating) -> None:
    """Without an attack every release is, one after the other; the one before stays."""
    updating.release(1)
    assert updating.update() == "newer"
    updating.release(2)
    assert updating.update() == "newer"
    assert updating.update() == "current"
    assert updating.shelf().current == 2
    assert (updating.home / "releases" / "1" / "sekisho" / "__init__.py").exists()
    assert (updating.home / "current").resolve() == updating.home / "releases" / "2"


def test_freeze_with_an_expired_timestamp(updating: Updating) -> None:
    """Whoever keeps serving an old timestamp is found out when its word has ended."""
    updating.release(1)
    stale = updating.publisher.load("timestamp.json")
    stale.signed.version += 1
    stale.signed.expires = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    sign_over(updating, "timestamp.json", stale, ONLINE)
    refused(updating, FrozenRepository)


def test_freeze_with_the_hosts_clock_set_back(updating: Updating) -> None:
    """The client reads the system clock; signed time decides besides, so setting it back makes nothing fresh."""
    updating.release(1)
    clock = FakeClock(updating.control.now().plus(2 * 86_400))
    updating.clock = clock
    assert updating.update() == "frozen-repository"
    assert updating.shelf().current == 0


def test_rollback_of_the_whole_repository(updating: Updating) -> None:
    """An old set of roles, all of them once valid, is a step back."""
    updating.release(1)
    assert updating.update() == "newer"
    old = updating.publisher.snapshot_of()
    updating.release(2)
    assert updating.update() == "newer"
    updating.publisher.restore(old)
    refused(updating, RolledBackRepository)


def test_rollback_of_the_snapshot(updating: Updating) -> None:
    """With the online key stolen: a newer timestamp that leads to an older list of files is refused."""
    updating.release(1)
    old_targets = updating.publisher.load("2.targets.json")
    updating.release(2)
    assert updating.update() == "newer"
    snapshot, timestamp = (
        updating.publisher.load("3.snapshot.json"),
        updating.publisher.load("timestamp.json"),
    )
    snapshot.signed.version = 4
    snapshot.signed.meta["targets.json"].version = old_targets.signed.version
    unbind(snapshot.signed.meta["targets.json"])
    sign_over(updating, "4.snapshot.json", snapshot, ONLINE)
    timestamp.signed.version += 1
    timestamp.signed.snapshot_meta.version = 4
    unbind(timestamp.signed.snapshot_meta)
    sign_over(updating, "timestamp.json", timestamp, ONLINE)
    refused(updating, RolledBackRepository)


def test_mix_and_match_of_two_sets(updating: Updating) -> None:
    """Roles of different days, each signed, do not make a set: digests lead from one to the next."""
    updating.release(1)
    other = updating.publisher.load("2.targets.json")
    other.signed.expires += dt.timedelta(days=1)
    sign_over(updating, "2.targets.json", other, *OFFLINE[:2])
    refused(updating, MixedRepository)


def test_key_compromise_below_the_threshold(updating: Updating) -> None:
    """One key of two for the files, and the online key besides, publish nothing."""
    updating.release(1)
    targets = updating.publisher.load("2.targets.json")
    targets.signed.version = 3
    sign_over(updating, "3.targets.json", targets, OFFLINE[0])
    snapshot, timestamp = (
        updating.publisher.load("2.snapshot.json"),
        updating.publisher.load("timestamp.json"),
    )
    snapshot.signed.version = 3
    snapshot.signed.meta["targets.json"].version = 3
    unbind(snapshot.signed.meta["targets.json"])
    sign_over(updating, "3.snapshot.json", snapshot, ONLINE)
    timestamp.signed.version += 1
    timestamp.signed.snapshot_meta.version = 3
    unbind(timestamp.signed.snapshot_meta)
    sign_over(updating, "timestamp.json", timestamp, ONLINE)
    refused(updating, UnsignedRepository)


def test_one_key_under_two_names(updating: Updating) -> None:
    """A root that lists one holder's key twice would let that holder alone be a quorum of two."""
    updating.release(1)
    root = updating.publisher.load("1.root.json")
    root.signed.version = 2
    keyid = key_name(OFFLINE[0].public)
    twin = root.signed.keys[keyid]
    root.signed.keys["twin"] = type(twin)("twin", twin.keytype, twin.scheme, twin.keyval)
    root.signed.roles["targets"].keyids.append("twin")
    sign_over(updating, "2.root.json", root, *OFFLINE[:2])
    refused(updating, TwiceCountedKey)


def forged_root(updating: Updating) -> Metadata[Root]:
    """The next root, with a stranger's keys in every role."""
    strangers = [factory.signer(f"stranger-{n}") for n in (1, 2)]
    publisher = updating.publisher
    roles = {role: keys_of(strangers, 2) for role in ("root", "targets", "snapshot", "timestamp")}
    publisher.repository.rotate(roles, updating.control.now())  # type: ignore[arg-type]  # the roles' names
    root = Metadata[Root].from_bytes((publisher.folder / "staged" / "root.json").read_bytes())
    sign_over(updating, "2.root.json", root, *strangers, OFFLINE[0])
    return root


def test_root_rotated_without_the_old_quorum(updating: Updating) -> None:
    """A new root that its own keys signed, and only one of the old two, takes nothing over."""
    updating.release(1)
    forged_root(updating)
    refused(updating, UnsignedRepository)


def test_root_rotated_by_the_old_quorum(updating: Updating) -> None:
    """The same rotation with the old quorum's word is followed: the refusal above is not blind."""
    updating.release(1)
    assert updating.update() == "newer"
    fresh = tuple(factory.signer(f"fresh-{n}") for n in (1, 2))
    publisher = updating.publisher
    publisher.repository.rotate(
        {"root": keys_of(fresh, 2), "targets": keys_of(fresh, 2)}, updating.control.now()
    )
    assert not publisher.finish(signers=(*fresh, ONLINE))
    assert publisher.finish(signers=(*OFFLINE[:2], ONLINE))
    assert updating.update() == "current"


def test_artefact_swapped_after_signing(updating: Updating) -> None:
    """Other bytes of the same length at the same place are not the file that was signed."""
    updating.release(1)
    file = next((updating.publisher.folder / "targets").iterdir())
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    refused(updating, SwappedRelease)


def test_a_foreign_root_of_trust(updating: Updating) -> None:
    """A home whose root of trust is none says so, instead of trusting the first one that comes."""
    (updating.home / "release-root.json").write_text("{}")
    with pytest.raises(InvalidInput, match="no root of trust"):
        updating.open()


# --- what stands between host and repository ---------------------------------------------------


class Drip(httpx.SyncByteStream):
    """An answer that never ends, or comes a byte at a time while the clock runs."""

    def __init__(self, chunk: bytes, clock: list[float], step_s: float) -> None:
        self._chunk, self._clock, self._step_s = chunk, clock, step_s

    def __iter__(self) -> Iterator[bytes]:
        for _ in itertools.count():
            self._clock[0] += self._step_s
            yield self._chunk


def over_http(updating: Updating, clock: list[float], bad: str, stream: Drip) -> None:
    """Serve the repository over HTTP, and one of its files as an attacker would."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = updating.publisher.folder / request.url.path.removeprefix("/agent/")
        if bad in request.url.path:
            return httpx.Response(200, stream=stream)
        if not path.exists():
            return httpx.Response(404)
        return httpx.Response(200, stream=httpx.ByteStream(path.read_bytes()))

    updating.fetcher = BoundedFetcher(transport=httpx.MockTransport(answer), clock=lambda: clock[0])


@pytest.mark.parametrize("file", ["timestamp.json", "2.targets.json", ".tar"])
def test_endless_data(updating: Updating, file: str) -> None:
    """Neither a role nor a file is read beyond the length that it may have."""
    updating.release(1)
    clock = [0.0]
    over_http(updating, clock, file, Drip(b"x" * 65_536, clock, 0.001))
    with pytest.raises((EndlessRelease, SwappedRelease)), updating.open(HTTPS) as update:
        update.carry_out(update.judge())
    assert updating.shelf().current == 0
    assert not list((updating.home / "releases").iterdir())


def test_slow_retrieval(updating: Updating) -> None:
    """A byte every other second is cut off soon: a host is not held for days by whoever serves it."""
    updating.release(1)
    clock = [0.0]
    over_http(updating, clock, "timestamp.json", Drip(b"x", clock, 2.0))
    with pytest.raises(Unavailable), updating.open(HTTPS) as update:
        update.judge()
    assert clock[0] < 30


def test_a_repository_over_http_is_taken(updating: Updating) -> None:
    """The honest one, by the same way: the two refusals above are not blind."""
    updating.release(1)
    clock = [0.0]
    over_http(updating, clock, "nothing-bad", Drip(b"", clock, 0.0))
    with updating.open(HTTPS) as update:
        assert update.carry_out(update.judge()) is not None


@pytest.mark.parametrize(
    "place", ["http://releases.example/agent", "ftp://releases.example", "nowhere"]
)
def test_a_place_that_anybody_could_stand_in_for(updating: Updating, place: str) -> None:
    """Plain http to another machine, other schemes, and folders without a repository are refused by name."""
    with pytest.raises(InvalidInput):
        updating.open(place)


def test_a_target_that_is_half_a_release(updating: Updating) -> None:
    """A file whose line in the role misses a part is refused, not guessed at."""
    data = make_tar({"a": b"a"})
    updating.release(1, data)
    targets = updating.publisher.load("2.targets.json")
    path = next(iter(targets.signed.targets))
    targets.signed.targets[path].unrecognized_fields["custom"].pop("sequence")
    sign_over(updating, "2.targets.json", targets, *OFFLINE[:2])
    snapshot = updating.publisher.load("2.snapshot.json")
    unbind(snapshot.signed.meta["targets.json"])
    sign_over(updating, "2.snapshot.json", snapshot, ONLINE)
    timestamp = updating.publisher.load("timestamp.json")
    unbind(timestamp.signed.snapshot_meta)
    sign_over(updating, "timestamp.json", timestamp, ONLINE)
    refused(updating, MixedRepository)


def test_a_link_in_a_repositorys_folder(updating: Updating, tmp_path: Path) -> None:
    """A repository on a shared disk cannot have a host read another file of the machine as a role."""
    updating.release(1)
    role = updating.publisher.role("timestamp.json")
    (tmp_path / "elsewhere").write_bytes(role.read_bytes())
    role.unlink()
    role.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable), updating.open() as update:
        update.judge()


def test_two_updates_at_once(updating: Updating) -> None:
    """The second waits its turn: it is told who holds the folder."""
    updating.release(1)
    with updating.open(), pytest.raises(Exception, match="another update holds"):
        updating.open()


def test_the_client_keeps_what_it_saw(updating: Updating) -> None:
    """What was seen is on the disk: a client that starts anew refuses an older timestamp as well."""
    updating.release(1)
    old = updating.publisher.role("timestamp.json").read_bytes()
    updating.publisher.finish()
    assert updating.update() == "newer"
    updating.publisher.role("timestamp.json").write_bytes(old)
    root = updating.publisher.repository.first_root()
    anew = TufRepository(str(updating.publisher.folder), updating.home / "release-roles", root)
    with pytest.raises(RolledBackRepository):
        anew.fetch()
