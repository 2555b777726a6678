"""The published copy in a real object store: moto's server, started here on a loopback port, and a local folder."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow.fs as arrow  # type: ignore[import-untyped]  # it comes without types
import pytest
from moto.server import ThreadedMotoServer

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.object_tiles import ObjectTileStore, open_object_tiles
from sekisho.ledger import LogReader, check_log
from sekisho.ledger.copying import PublishedCopy
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.tile_store import NotStored
from tests.ledger.logs import LOG, W1, W2, numbered, policy, tiled

SIGNERS = (LOG, W1, W2)
SECRET = "AKIAEXAMPLESECRET"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 that anybody may write to."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials as a person gives them: in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def bucket(endpoint: str, environment: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty place in a bucket of this test's own."""
    name = f"bucket-{abs(hash(request.node.name)):x}"
    raw(endpoint).create_dir(name)
    yield f"s3://{name}/pre/log?endpoint_override=http://{endpoint}"
    raw(endpoint).delete_dir(name)


@pytest.fixture(params=["s3", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectTileStore]:
    """The same promises over both file systems."""
    local = f"file://{tmp_path}/copy of it"
    address = request.getfixturevalue("bucket") if request.param == "s3" else local
    with open_object_tiles(address) as opened:
        yield opened


def raw(endpoint: str) -> arrow.S3FileSystem:
    """The store without our adapter."""
    return arrow.S3FileSystem(
        endpoint_override=endpoint,
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )


def listed(store: ObjectTileStore) -> dict[str, bytes]:
    """Every object below the store's prefix, with its bytes."""
    selector = arrow.FileSelector(store._prefix, recursive=True, allow_not_found=True)
    found = store._files.get_file_info(selector)
    names = [info.path for info in found if info.type == arrow.FileType.File]
    cut = len(store._prefix) + 1
    return {name[cut:]: store.read(name[cut:], 1 << 25) for name in names}


def test_files_go_there_and_back(store: ObjectTileStore) -> None:
    """What was written is read, empty and 17 MiB large alike; writing again replaces it whole."""
    for data in (b"", b"a tile", bytes(17 * 1024 * 1024), b"small again"):
        store.write("tile/0/x001/000.p/7", data)
        assert store.read("tile/0/x001/000.p/7", 1 << 25) == data
    assert list(listed(store)) == ["tile/0/x001/000.p/7"]


def test_missing_file_is_not_stored(store: ObjectTileStore) -> None:
    """Nothing there, a folder there, and nothing at all in the bucket are told alike."""
    store.write("tile/0/000", b"x")
    for path in ("checkpoint", "tile/0/001", "tile/1/000"):
        assert not store.exists(path)
        with pytest.raises(NotStored):
            store.read(path, 10)
    assert not store.exists("tile/0")
    assert store.exists("tile/0/000")


def test_longer_file_than_asked_for_is_refused_before_it_is_read(store: ObjectTileStore) -> None:
    """The limit holds to the byte."""
    store.write("checkpoint", b"x" * 100)
    assert len(store.read("checkpoint", 100)) == 100
    with pytest.raises(InvalidInput, match="longer than 99 bytes"):
        store.read("checkpoint", 99)


@pytest.mark.parametrize(
    "path", ["", "/etc", "../x", "a/../b", "a//b", "a/.", "a\\b", "a\0b", "a/"]
)
def test_path_out_of_the_store_is_refused(store: ObjectTileStore, path: str) -> None:
    """Every method refuses what would leave the prefix."""
    for ask in (
        lambda: store.read(path, 1),
        lambda: store.write(path, b""),
        lambda: store.exists(path),
        lambda: store.drop_folder(path),
    ):
        with pytest.raises(InvalidInput):
            ask()


def test_many_files_are_there_when_writing_returns(store: ObjectTileStore) -> None:
    """A whole step of files, and dropping the folder of some of them; dropping what is not there is nothing."""
    files = [(f"tile/0/000.p/{width}", bytes([width])) for width in range(1, 30)]
    store.write_all([*files, ("tile/0/000", b"full")])
    assert listed(store) == dict([*files, ("tile/0/000", b"full")])
    store.drop_folder("tile/0/000.p")
    store.drop_folder("tile/0/001.p")
    assert listed(store) == {"tile/0/000": b"full"}


def test_bucket_equals_the_folder_after_random_growth(
    store: ObjectTileStore, tmp_path: Path, dice: random.Random
) -> None:
    """A log that grew in random steps and its copy hold the same files, and the check passes over the copy."""
    folder, size, held = FileTileStore(tmp_path / "public"), 0, 0
    keeper = PublishedCopy(source=folder, copy=store, keys=(LOG.verifier,), refuse=lambda _: None)
    for _ in range(6):
        held, size = size, size + dice.choice([1, 3, 200, 256, 300])
        files = tiled(numbered(size), SIGNERS).files
        folder.write_all(list(files.items()))
        keeper.copy_once(LogReader(folder).load_checkpoint(policy()))
        for path in files:
            if ".p/" not in path and path != "checkpoint" and held % 256:
                folder.drop_folder(f"{path}.p")  # as the log's own write side does
    found = {
        str(path.relative_to(folder.root)): path.read_bytes()
        for path in folder.root.rglob("*")
        if path.is_file()
    }
    assert listed(store) == found
    assert check_log(store, policy()).faults == ()


def test_copy_in_a_bucket_serves_proofs(store: ObjectTileStore) -> None:
    """A reader needs nothing but the copy: checkpoint, entry, proof."""
    store.write_all(list(tiled(numbered(300), SIGNERS).files.items()))
    reader = LogReader(store)
    cosigned = reader.load_checkpoint(policy())
    assert reader.prove(299, cosigned).verify(b"entry 299", policy()).checkpoint.size == 300


def test_bucket_that_is_not_there_is_unavailable_for_writing(
    endpoint: str, environment: None
) -> None:
    """No bucket: nothing is stored there, and writing says why and what to check."""
    with open_object_tiles(f"s3://no-such-bucket/log?endpoint_override=http://{endpoint}") as store:
        assert not store.exists("checkpoint")
        with pytest.raises(Unavailable, match="NO_SUCH_BUCKET") as caught:
            store.write("checkpoint", b"x")
        assert "check bucket" in caught.value.remedy


def test_store_that_does_not_answer_is_unavailable(
    environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens: every method says so, and no message carries a credential."""
    monkeypatch.setattr("sekisho.adapters.storage.object_tiles.TRIES", 1)
    with open_object_tiles("s3://bucket/log?endpoint_override=http://127.0.0.1:9") as store:
        for ask in (
            lambda: store.read("checkpoint", 1),
            lambda: store.write_all([("checkpoint", b""), ("tile/0/000", b"")]),
            lambda: store.exists("checkpoint"),
        ):
            with pytest.raises(Unavailable) as caught:
                ask()
            assert "NETWORK_CONNECTION" in str(caught.value)
            assert SECRET not in str(caught.value)
            assert not isinstance(caught.value, NotStored)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bucket/log",
        "http://127.0.0.1/log",
        "s3:///log",
        "s3://bucket/log#part",
        "s3://key:secret@bucket/log",
        "s3://bucket/log?secret_key=x",
        "s3://bucket/log?endpoint_override=h:1&access_key=AKIA",
        "file://host/folder",
        "file:///",
        "file:///folder?scheme=http",
    ],
)
def test_address_that_is_none_or_carries_credentials_is_refused(address: str) -> None:
    """Only a place is named; a secret in an address would be written down, and is not repeated in the message."""
    with pytest.raises(InvalidInput) as caught:
        open_object_tiles(address)
    assert caught.value.path == "SEKISHO_COPY"
    assert "AKIA" not in str(caught.value)
    assert ":secret" not in str(caught.value)


def test_local_copy_leaves_no_half_written_file(tmp_path: Path) -> None:
    """In a folder, files are written aside and moved; where that fails, the old bytes stay."""
    with open_object_tiles(f"file://{tmp_path}") as store:
        store.write("checkpoint", b"old")
        (tmp_path / ".checkpoint.tmp").mkdir()
        with pytest.raises(Unavailable):
            store.write("checkpoint", b"new")
        assert store.read("checkpoint", 10) == b"old"
