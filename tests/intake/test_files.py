from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.cli.main import call
from sekisho.intake.files import LogFiles
from sekisho.ledger import check_log
from sekisho.settings import Settings
from tests.ledger.forks import branch, entries_of, write_log
from tests.ledger.logs import LOG, MemoryTiles, signed

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))
FILES = branch(entries_of(600))[1]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """A `sekisho log` command as a process; its ready line, read as JSON."""
    command = [sys.executable, "-m", "sekisho.cli", "log", *arguments, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.terminate()
            process.wait(10)


def test_every_file_of_the_tree_is_served_with_its_type_and_cache() -> None:
    """Full tiles for ever, partial ones for a while, the checkpoint never from a cache."""
    served = LogFiles(FILES)
    for path, data in FILES.files.items():
        answer = served.answer(f"/{path}")
        assert (answer.status, answer.body) == (200, data)
        if path == "checkpoint":
            assert (answer.kind, answer.cache) == ("text/plain; charset=utf-8", "no-cache")
        else:
            assert answer.kind == "application/octet-stream"
            assert ("immutable" in answer.cache) == (".p/" not in path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "//checkpoint",
        "/checkpoint/",
        "/checkpoint.tmp",
        "/tile/0/000.p/7",
        "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/0/003",
        "/tile/2/000.p/1",
        "/tile/00/000",
        "/tile/0/0",
        "/tile/0/x000/000",
        "/tile/-1/000",
        "/tile/64/000",
        "/tile/0/../0/000",
        "/../tile/0/000",
        "/tile/entries/002.p/87",
        "/tile/entries/../../checkpoint",
        "/state.json",
        "/%2e%2e/checkpoint",
    ],
)
def test_everything_else_is_not_there(path: str) -> None:
    """No listing, no other spelling, no way out, and no partial tile that this tree has not."""
    assert LogFiles(FILES).answer(path).status == 404


def test_files_beyond_the_checkpoint_are_not_promised() -> None:
    """What a cut pass left in the folder is not served before a checkpoint covers it."""
    files = MemoryTiles({**FILES.files, "checkpoint": branch(entries_of(300))[0].to_bytes()})
    served = LogFiles(files)
    assert served.answer("/tile/0/000").status == 200
    assert served.answer("/tile/0/001").status == 404
    assert served.answer("/tile/0/002.p/88").status == 404
    assert served.answer("/tile/entries/001").status == 404


def test_folder_without_a_readable_checkpoint_serves_no_tile() -> None:
    """Nothing is promised where nobody says how large the tree is."""
    for raw in (None, b"nonsense", signed(0, bytes(32)).to_bytes()):
        files = {path: data for path, data in FILES.files.items() if path != "checkpoint"}
        if raw is not None:
            files["checkpoint"] = raw
        assert LogFiles(MemoryTiles(files)).answer("/tile/0/000").status == 404


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    """A link planted in the folder leads nowhere."""
    write_log(tmp_path / "log", entries_of(300))
    (tmp_path / "secret").write_bytes(b"secret")
    tile = tmp_path / "log" / "tile" / "0" / "000"
    tile.unlink()
    tile.symlink_to(tmp_path / "secret")
    assert b"secret" not in LogFiles(FileTileStore(tmp_path / "log")).answer("/tile/0/000").body


def test_bundles_are_packed_for_whoever_takes_that() -> None:
    """Entries compress, hashes do not."""
    served = LogFiles(FILES)
    answer = served.answer("/tile/entries/000", packed=True)
    assert answer.packed
    assert gzip.decompress(answer.body) == FILES.files["tile/entries/000"]
    assert not served.answer("/tile/0/000", packed=True).packed


def test_served_log_is_mirrored_over_http(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`log serve` and `log mirror` as processes and commands: the copy is the log, and a monitor agrees."""
    write_log(tmp_path / "log", entries_of(1100))
    with running("serve", str(tmp_path / "log")) as (ready, process):
        address = ready["address"]
        key = ["--vkey", LOG.verifier.to_text()]
        assert call(["log", "mirror", address, str(tmp_path / "copy"), *key], SETTINGS) == 0
        assert check_log(FileTileStore(tmp_path / "copy"), LOG.verifier).holds
        watch = ["log", "monitor", address, str(tmp_path / "copy"), "--whole", "--once"]
        assert call([*watch, "--state", str(tmp_path / "state"), *key], SETTINGS) == 0
        with httpx.Client(trust_env=False) as client:
            head = client.head(f"{address}/checkpoint")
            assert (head.status_code, head.content) == (200, b"")
            assert int(head.headers["content-length"]) > 100
            assert client.post(f"{address}/checkpoint").status_code == 405
            assert client.get(f"{address}/..%2f..%2fetc/passwd").status_code == 404
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    capsys.readouterr()


def test_address_that_nobody_serves_is_unavailable(tmp_path: Path) -> None:
    """Exit 4: try again; a monitor goes on and says silent."""
    key = ["--vkey", LOG.verifier.to_text()]
    nobody = "http://127.0.0.1:1"
    assert call(["log", "mirror", nobody, str(tmp_path / "copy"), *key], SETTINGS) == 4
    watch = ["log", "monitor", nobody, "--state", str(tmp_path / "state"), "--once", *key]
    assert call(watch, SETTINGS) == 4


def test_follower_copies_what_comes_and_ends_when_told(tmp_path: Path) -> None:
    """`--follow` goes on: growth is copied, and SIGTERM ends it with 0."""
    write_log(tmp_path / "log", entries_of(3))
    arguments = ["mirror", str(tmp_path / "log"), str(tmp_path / "copy"), "--follow"]
    with running(*arguments, "--every", "1s", "--vkey", LOG.verifier.to_text()) as (first, process):
        assert (first["event"], first["size"]) == ("copied", 3)
        write_log(tmp_path / "log", entries_of(300))
        assert process.stdout is not None
        sizes = [json.loads(process.stdout.readline())["size"] for _ in range(2)]
        assert 300 in sizes
        process.terminate()
        assert process.wait(60) == 0


def test_two_mirrors_do_not_write_one_folder(tmp_path: Path) -> None:
    """The second is refused, and says that another works there."""
    write_log(tmp_path / "log", entries_of(3))
    key = ["--vkey", LOG.verifier.to_text()]
    arguments = ["mirror", str(tmp_path / "log"), str(tmp_path / "copy"), *key]
    with running(*arguments, "--follow") as (first, _):
        assert first["event"] == "copied"
        assert call(["log", *arguments], SETTINGS) == 1
