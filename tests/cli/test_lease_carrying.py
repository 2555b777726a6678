"""`sekisho lease request`, `accept`, `qr` and `join`: a real agent without a network, and files on paper."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sekisho.agent.inbox import Inbox
from sekisho.cli.main import call
from sekisho.licensing.carrying import split_parts, write_feed_file, write_lease_file
from sekisho.settings import Settings
from tests.agent.homes import license_now, living, wait_until, write_home
from tests.fakes import FakeControl
from tests.served import SystemFakeClock

NOWHERE = "http://127.0.0.1:9"


def sekisho(tmp_path: Path, *arguments: str) -> int:
    return call(list(arguments), Settings(home=tmp_path, trust_file=tmp_path / "trust.json"))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


@pytest.mark.slow
def test_a_real_host_without_a_network_is_leased_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Feed in, request out, over QR to the issuer, lease back in: the agent holds it, and says so."""
    control = FakeControl(SystemFakeClock())
    license_now(control)
    home, request, lease = tmp_path / "home", tmp_path / "request", tmp_path / "lease"
    feed_file = tmp_path / "feed"
    feed = control.fetch_feed("host-1", 0, 0)
    feed_file.write_bytes(write_feed_file(feed.items, feed.checkpoint))
    write_home(home, control, NOWHERE)
    with living(home):
        wait_until((home / "inbox").is_dir)
        arguments = ("--home", str(home), "--wait", "20", "--json")
        assert sekisho(tmp_path, "lease", "accept", str(feed_file), *arguments) == 0
        assert told(capsys)["taken"] is True
        assert sekisho(tmp_path, "lease", "request", "--out", str(request), *arguments) == 0
        assert told(capsys)["number"] == 1

        parts = "\n".join(reversed(split_parts(request.read_bytes())))
        (tmp_path / "scanned").write_text(parts)
        copied = str(tmp_path / "copied")
        assert sekisho(tmp_path, "lease", "join", str(tmp_path / "scanned"), "--out", copied) == 0
        lease.write_bytes(write_lease_file(control.send_request(Path(copied).read_bytes())))
        capsys.readouterr()
        assert sekisho(tmp_path, "lease", "accept", str(lease), *arguments) == 0
        assert told(capsys)["lease"] == 1

        lease.write_bytes(lease.read_bytes().replace(b"tlog-proof", b"tlog-prooF"))
        assert sekisho(tmp_path, "lease", "accept", str(lease), *arguments) == 0  # it is in hand
        capsys.readouterr()
    assert json.loads((home / "state.json").read_bytes())["lease_number"] == 1


def test_a_host_that_asks_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, and no file."""
    out = tmp_path / "request"
    code = sekisho(
        tmp_path, "lease", "request", "--home", str(tmp_path), "--out", str(out), "--wait", "0"
    )

    assert code == 3
    assert "asks for no lease" in capsys.readouterr().out
    assert not out.exists()


def test_without_an_agent_the_file_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3; it lies in the inbox until the next start."""
    Inbox(tmp_path)
    feed = tmp_path / "feed"
    feed.write_bytes(write_feed_file(()))
    code = sekisho(
        tmp_path, "lease", "accept", str(feed), "--home", str(tmp_path), "--wait", "0", "--json"
    )

    assert code == 3
    waits = str(told(capsys)["waits_as"])
    assert (tmp_path / "inbox" / waits).read_bytes() == feed.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("lease", "accept", "bad", "--home", "."), "bad"),
        (("lease", "accept", "feed", "--home", "none"), "none"),
        (("lease", "request", "--home", "none", "--out", "o"), "--home"),
        (("lease", "qr", "feed", "--out", "page.pdf"), "--out"),
        (("lease", "join", "bad", "--out", "o"), "bad line 1"),
        (("lease", "join", "foreign", "--out", "o"), "foreign line 2"),
        (("lease", "join", "part", "--out", "o"), "PARTS"),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    named: str,
) -> None:
    """Exit code 2; the file, line or flag; and nothing is written."""
    monkeypatch.chdir(tmp_path)
    one, other = split_parts(b"x" * 2_000), split_parts(b"y" * 2_000)
    (tmp_path / "bad").write_text("hello\n")
    (tmp_path / "feed").write_bytes(write_feed_file(()))
    (tmp_path / "part").write_text(one[0])
    (tmp_path / "foreign").write_text(f"{one[0]}\n{other[1]}\n")
    (tmp_path / "none.file").write_bytes(b"")

    assert sekisho(tmp_path, *arguments) == 2
    assert named in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    assert not (tmp_path / "page.pdf").exists()


@pytest.mark.parametrize("ending", ["svg", "html"])
def test_a_page_of_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    """As many codes as parts, numbered, and nothing of the lease in plain text."""
    lease = tmp_path / "lease & co"
    lease.write_bytes(bytes(range(256)) * 5)
    page = tmp_path / f"page.{ending}"

    assert sekisho(tmp_path, "lease", "qr", str(lease), "--out", str(page), "--json") == 0
    count = told(capsys)["parts"]
    drawn = page.read_text()
    assert isinstance(count, int)
    assert count > 1
    assert len(re.findall(r"<svg ", drawn)) == count + (ending == "svg")
    assert f"lease &amp; co {count}/{count}" in drawn
    assert "SEKISHO" not in drawn
    assert sekisho(tmp_path, "lease", "qr", str(lease), "--out", str(page)) != 0
