"""People on call are told: once, signed, again while it does not go, and nobody's silence holds up another."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.storage.notice_file import FileNotifier, ToldFile
from sekisho.adapters.transport.notice_webhook import WebhookNotifier
from sekisho.app import notices
from sekisho.app.notices import Notices, Place, load_notice_settings, open_notices
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.notifier import Notice
from tests.desks import MovingClock, TestDesk
from tests.factory import NOW
from tests.ladders import HALT_DUE_S, LadderDesk
from tests.receiving import receiving

SECRET = b"s" * 32


class Pager:
    """A place that takes notices, or does not."""

    def __init__(self) -> None:
        self.came: list[Notice] = []
        self.tries = 0
        self.silent = False

    def tell(self, notice: Notice) -> None:
        self.tries += 1
        if self.silent:
            raise Unavailable("nobody answers")
        self.came.append(notice)

    def close(self) -> None:
        self.came.append(Notice(notice="closed", event="test", at=NOW, text="closed"))

    @property
    def events(self) -> list[str]:
        return [notice.event for notice in self.came]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    with TestDesk(tmp_path / "desk") as desk:
        yield LadderDesk(desk)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir(exist_ok=True)


def telling(room: LadderDesk, folder: Path, *places: tuple[Place, Pager]) -> Notices:
    return Notices(places, ToldFile(folder / "told.jsonl"), lambda: room.state, room.desk.clock)


def test_each_occasion_is_told_once_to_each_place(room: LadderDesk, tmp_path: Path) -> None:
    """Looking again tells nothing new, and a start after that neither."""
    one, two = Pager(), Pager()
    places = ((Place(name="one"), one), (Place(name="two", events=("straggler",)), two))
    found = telling(room, tmp_path, *places)
    room.pause()
    assert found.look() == 1
    room.move(HALT_DUE_S)
    found.look()
    found.look()
    assert one.events == ["order-issued", "straggler", "step-due"]
    assert two.events == ["straggler"]
    again = Pager()
    assert telling(room, tmp_path, (Place(name="one"), again)).look() == 0
    assert again.came == []


def test_a_silent_place_is_tried_again_and_holds_up_nobody(
    room: LadderDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other place has it at once; the silent one after its pause, under the same name."""
    monkeypatch.setattr(notices, "FIRST_PAUSE_S", 0.0)
    one, two = Pager(), Pager()
    one.silent = True
    found = telling(room, tmp_path, (Place(name="one"), one), (Place(name="two"), two))
    room.pause()
    assert found.look() == 1
    assert "one: nobody answers" in found.problem
    one.silent = False
    assert found.look() == 1
    assert [n.notice for n in one.came] == [n.notice for n in two.came]
    assert found.problem == ""


def test_a_place_that_is_silent_is_not_asked_at_every_look(
    room: LadderDesk, tmp_path: Path
) -> None:
    """Ever more rarely, so that a dead receiver costs little."""
    pager = Pager()
    pager.silent = True
    found = telling(room, tmp_path, (Place(name="one"), pager))
    room.pause()
    for _ in range(5):
        found.look()
    assert pager.tries == 1


def test_trying_has_an_end_that_is_said(
    room: LadderDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many attempts a notice is given up, named as such, and the next one is told."""
    monkeypatch.setattr(notices, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(notices, "MAX_ATTEMPTS", 3)
    pager = Pager()
    pager.silent = True
    found = telling(room, tmp_path, (Place(name="one"), pager))
    room.pause()
    for _ in range(5):
        found.look()
    assert pager.tries == 3
    assert "gave up order-issued" in found.problem
    pager.silent = False
    room.move(HALT_DUE_S)
    found.look()
    assert pager.events == ["straggler", "step-due"]


def test_each_place_is_told_in_its_language(room: LadderDesk, tmp_path: Path) -> None:
    """The same notice under the same name, its sentence in the words of whoever is on call there."""
    london, tokyo = Pager(), Pager()
    room.pause()
    places = (Place(name="london"), london), (Place(name="tokyo", language="ja"), tokyo)
    assert telling(room, tmp_path, *places).look() == 2
    (english,), (japanese,) = london.came, tokyo.came
    assert english.notice == japanese.notice
    assert "is issued" in english.text
    assert "発令" in japanese.text


def test_a_crash_between_telling_and_remembering_tells_it_again_under_one_name(
    room: LadderDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that knows names sees one notice."""
    pager = Pager()
    room.pause()
    monkeypatch.setattr(ToldFile, "add", _die)
    with pytest.raises(Unavailable):
        telling(room, tmp_path, (Place(name="one"), pager)).look()
    monkeypatch.undo()
    telling(room, tmp_path, (Place(name="one"), pager)).look()
    first, second = (notice.notice for notice in pager.came)
    assert first == second


def test_a_cut_line_of_the_told_file_is_left_out(tmp_path: Path) -> None:
    """A power cut within a write loses that line, and no other."""
    file = ToldFile(tmp_path / "told.jsonl")
    file.add("one", ("a", "b"))
    file.add("one", ("c",))
    with (tmp_path / "told.jsonl").open("ab") as stream:
        stream.write(b'{"place":"one","ke')
    assert ToldFile(tmp_path / "told.jsonl").load() == {"one": {"a", "b", "c"}}


def test_a_webhook_is_signed_with_the_shared_secret() -> None:
    """The receiver recomputes it over the second and the very body; another secret gives another."""
    clock = MovingClock()
    notice = Notice(notice="n1", event="straggler", at=NOW, text="late", hosts=("host-1",), count=1)
    with receiving() as receiver:
        place = WebhookNotifier(f"{receiver.address}/duty", SECRET, clock)
        place.tell(notice)
        place.close()
    ((path, headers, body),) = receiver.came
    named = {key.lower(): value for key, value in headers.items()}
    seconds, _, mac = named["sekisho-signature"].removeprefix("t=").partition(",v1=")
    right = hmac.new(SECRET, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert (path, mac, int(seconds)) == ("/duty", right, NOW.us // 10**6)
    assert (named["sekisho-notice"], named["sekisho-event"]) == ("n1", "straggler")
    assert json.loads(body)["hosts"] == ["host-1"]
    assert SECRET not in body


def test_a_receiver_that_refuses_is_unavailable() -> None:
    """An answer that is not 2xx counts as not told."""
    with receiving() as receiver:
        receiver.status = 500
        place = WebhookNotifier(receiver.address, SECRET, MovingClock())
        with pytest.raises(Unavailable, match="500"):
            place.tell(Notice(notice="n1", event="test", at=NOW, text="-"))
        place.close()


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://192.0.2.1/x", SECRET),
        ("https://169.254.169.254/x", SECRET),
        ("https://a.example/x", b"short"),
    ],
)
def test_a_webhook_goes_only_where_it_may_with_a_secret_that_will_do(
    url: str, secret: bytes
) -> None:
    """No plain http to elsewhere, no metadata service, no secret of five letters."""
    with pytest.raises(InvalidInput):
        WebhookNotifier(url, secret, MovingClock())


def test_a_book_of_notices_is_lines_of_json_for_its_owner_alone(tmp_path: Path) -> None:
    """One line each, whole, mode 0600."""
    book = FileNotifier(tmp_path / "notices.jsonl")
    for number in (1, 2):
        book.tell(Notice(notice=f"n{number}", event="test", at=NOW, text="-"))
    lines = (tmp_path / "notices.jsonl").read_text().splitlines()
    assert [json.loads(line)["notice"] for line in lines] == ["n1", "n2"]
    assert (tmp_path / "notices.jsonl").stat().st_mode & 0o077 == 0


def settings(folder: Path, text: str) -> Path:
    path = folder / "notify.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"places":[{"name":"a"}]}', "either a webhook or a file"),
        ('{"places":[{"name":"a","file":"x","webhook":"https://a.example"}]}', "either"),
        ('{"places":[{"name":"a","webhook":"https://a.example"}]}', "secret_file"),
        ('{"places":[{"name":"a","file":"x"},{"name":"a","file":"y"}]}', "two places"),
        ('{"places":[{"name":"a","file":"x","events":["fire"]}]}', "events"),
        ('{"places":[{"name":"a","file":"x","secret":"s"}]}', "secret"),
        ("{", "notify.json"),
    ],
)
def test_bad_settings_name_the_file_and_the_field(tmp_path: Path, text: str, word: str) -> None:
    """A secret in the settings themselves is an unknown field."""
    with pytest.raises(InvalidInput) as caught:
        load_notice_settings(settings(tmp_path, text))
    assert word in str(caught.value)
    assert "notify.json" in str(caught.value)


def test_a_secret_that_others_can_read_is_refused(room: LadderDesk, tmp_path: Path) -> None:
    """Its file must be its owner's alone."""
    (tmp_path / "duty.secret").write_bytes(SECRET)
    (tmp_path / "duty.secret").chmod(0o644)
    settings(
        tmp_path,
        '{"places":[{"name":"a","webhook":"https://a.example","secret_file":"duty.secret"}]}',
    )
    with pytest.raises(InvalidInput, match="others can read"):
        open_notices(tmp_path, lambda: room.state, room.desk.clock)


def test_a_home_without_settings_tells_nobody(room: LadderDesk, tmp_path: Path) -> None:
    """No file, no places, no thread."""
    found = open_notices(tmp_path, lambda: room.state, room.desk.clock)
    room.pause()
    found.start()
    assert (found.look(), found.problem) == (0, "")
    found.stop()


def _die(*_: object) -> None:
    raise Unavailable("power cut")
