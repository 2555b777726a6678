"""Attacks on the picture that gates go by: stale, rolled back, forged, or nobody there to draw it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from sekisho.access.picture import decide_access
from sekisho.access.shown import sign_picture
from sekisho.access.source import PictureFile
from sekisho.adapters.clocks import SystemClock
from tests.access.points import MODEL, XB, PointRig
from tests.access.serving import point_home, until
from tests.access.test_source import PICTURE, Shelf, changed
from tests.factory import HOST, signer
from tests.fake_control import FakeControl
from tests.served import SystemFakeClock, served


def test_a_stale_picture_serves_nobody() -> None:
    """Kept for longer than it counts, a picture refuses everybody, also those whom no order names."""
    rig = PointRig()
    kept = rig.beat()
    rig.control.clock.advance(61)
    assert decide_access(kept, XB, MODEL, rig.control.now()).code == "picture-stale"


def test_a_rolled_back_picture_file_is_known_by_its_number(tmp_path: Path) -> None:
    """The picture from before the suspension, put back over the new one: nobody is served until a newer one comes."""
    shelf = Shelf(tmp_path)
    shelf.put(PICTURE)
    before = shelf.path.read_bytes()
    shelf.put(changed(sequence=8, until=shelf.now.plus(60)))
    assert shelf.sequence() == 8
    shelf.path.write_bytes(before)
    os.utime(shelf.path, (1, 1))
    shelf.advance(1)
    assert shelf.sequence() is None
    assert "8 was seen before" in shelf.file.problem
    shelf.put(changed(sequence=9, written=shelf.now, until=shelf.now.plus(60)))
    assert shelf.sequence() == 9


def test_a_rolled_back_picture_file_with_the_clock_set_back_counts_no_longer(
    tmp_path: Path,
) -> None:
    """A server that starts anew beside it believes it for its own length at most, by a clock that nobody sets."""
    shelf = Shelf(tmp_path)
    shelf.now = PICTURE.written.plus(-86_400)
    shelf.put(PICTURE)
    assert shelf.sequence() == 7
    shelf.elapsed += 60
    assert shelf.sequence() is None


def test_the_same_picture_put_there_again_and_again_with_the_clock_set_back_counts_no_longer(
    tmp_path: Path,
) -> None:
    """Whoever sets the clock and writes the file keeps no suspension away from a server that runs."""
    shelf = Shelf(tmp_path)
    for _ in range(4):
        shelf.put(PICTURE)
        assert shelf.sequence() == 7
        shelf.advance(14)
        shelf.now = PICTURE.written.plus(-86_400)
    shelf.put(PICTURE)
    shelf.advance(1)
    assert shelf.sequence() is None
    shelf.put(changed(sequence=8, written=shelf.now, until=shelf.now.plus(60)))
    assert shelf.sequence() == 8


def test_a_pipe_in_the_pictures_place_holds_up_no_server(tmp_path: Path) -> None:
    """Opened, it would wait for a writer for ever; the picture before runs out in its time."""
    shelf = Shelf(tmp_path)
    shelf.put(PICTURE)
    assert shelf.sequence() == 7
    shelf.path.unlink()
    os.mkfifo(shelf.path)
    shelf.advance(1)
    assert shelf.sequence() == 7
    assert "is no file" in shelf.file.problem
    shelf.advance(60)
    assert shelf.sequence() is None


def test_a_picture_taken_away_before_a_restart_shuts_no_gate_for_good(tmp_path: Path) -> None:
    """The point begins above every number that it ever gave, so that servers which saw the last one go on."""
    rig = PointRig()
    shelf = Shelf(tmp_path)
    shelf.now = rig.control.now()
    rig.point.wake(0)
    first = rig.beat()
    shelf.put(first)
    assert shelf.sequence() == first.sequence
    rig.control.clock.advance(1)
    rig.start()
    shelf.put(rig.beat(1))
    found = shelf.sequence()
    assert found is not None
    assert found > first.sequence


def test_a_picture_that_another_key_signed_is_not_taken(tmp_path: Path) -> None:
    """Who can write the file and holds no key opens nothing."""
    shelf = Shelf(tmp_path)
    shelf.put(PICTURE, by=signer("stranger"))
    assert shelf.sequence() is None
    assert "no signature" in shelf.file.problem


def test_an_open_picture_of_another_point_is_not_taken(tmp_path: Path) -> None:
    """The picture of a host that no order covers, copied beside this one's server."""
    elsewhere = tmp_path / "access.json"
    elsewhere.write_bytes(sign_picture(PICTURE, signer("host-2")))
    file = PictureFile(elsewhere, HOST.public, now=lambda: PICTURE.written)
    assert file.current() is None


def test_the_endpoint_killed_the_gate_goes_on_and_then_shuts(tmp_path: Path) -> None:
    """SIGKILL: what it had shown counts for its few seconds, then everybody is refused."""
    control = FakeControl(SystemFakeClock())
    with served(control) as url:
        control.state_heads()
        home = point_home(tmp_path, control, url, keep_s=2)
        process = subprocess.Popen(
            [sys.executable, "-m", "sekisho.cli", "access", "serve", "--home", str(home)],
            stdout=subprocess.PIPE,
        )
        try:
            file = PictureFile(home / "access.json", HOST.public)

            def code() -> str:
                return decide_access(file.current(), XB, MODEL, SystemClock().now()).code

            until(lambda: code() == "served")
            process.send_signal(signal.SIGKILL)
            process.wait()
            until(lambda: code() == "picture-stale")
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
