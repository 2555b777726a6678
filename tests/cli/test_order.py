"""`sekisho order`: from draft to issue, and what the log says afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sekisho.model.statements import OrderIssued, parse_payload
from sekisho.signing import distinct_signers, parse_envelope
from tests import factory
from tests.cli.ceremonies import PAUSED, RESUMED, T0, KeyHolder, phrase_of
from tests.desks import TestDesk

Capture = pytest.CaptureFixture[str]
BASIS = ("--legal-basis", "Test act, section 1", "--appeal", "in writing")


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


@pytest.fixture
def paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch, second=PAUSED)


def drafted(holder: KeyHolder, *flags: str, kind: str = "pause") -> OrderIssued:
    """The order that `order draft` writes with these flags."""
    out = holder.path(f"{kind}.json")
    out.unlink(missing_ok=True)
    command = ("order", "draft", "--kind", kind, *BASIS, "--out", out, "--log", holder.log)
    assert holder.call(*command, *flags) == 0
    fact = parse_payload(out.read_bytes()).predicate
    assert isinstance(fact, OrderIssued)
    return fact


def test_a_draft_is_the_next_order_of_its_register(holder: KeyHolder) -> None:
    """Number, predecessor, charter, log and what expiry does come from the log; the rest from the flags."""
    order = drafted(
        holder,
        *("--scope", "site=site-1", "--scope", "run=run-1", "--effect", "freeze"),
        *("--lasts", "2h", "--grace", "45s", "--exempt", "run-9", "--drill"),
    )
    assert (order.register, order.number, order.kind) == ("pause/JP", 1, "pause")
    assert (order.log, order.charter) == (factory.ORIGIN, holder.charter_digest)
    assert (order.scope.sites, order.scope.runs) == (("site-1",), ("run-1",))
    assert (order.effect, order.grace_s, order.drill) == ("freeze", 45, True)
    assert order.expires.since(order.not_before) == 7200
    assert order.on_expiry == "refuse-until-resume"
    assert order.exemptions == ("run-9",)


@pytest.mark.parametrize(
    ("kind", "flags", "effect"),
    [
        ("pause", ("--scope", "everywhere"), "checkpoint-then-stop"),
        ("hold", ("--scope", "host=host-1", "--lasts", "12h"), "freeze"),
    ],
)
def test_each_kind_has_its_own_effect_where_none_is_given(
    holder: KeyHolder, kind: str, flags: tuple[str, ...], effect: str
) -> None:
    """A pause stops after a checkpoint, a hold freezes."""
    assert drafted(holder, *flags, kind=kind).effect == effect


def test_a_resume_repeats_the_scope_of_what_it_lifts(paused: KeyHolder) -> None:
    """Without --scope a resume takes the lifted order's own, so that it releases neither more nor less."""
    order = drafted(paused, "--lifts", "pause/JP/1", kind="resume")
    assert (order.effect, order.scope.sites) == ("lift", ("site-1",))
    assert [(o.register, o.number) for o in order.lifts] == [("pause/JP", 1)]


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--kind", "pause"), "--scope"),
        (("--kind", "pause", "--scope", "planet=Mars"), "--scope"),
        (("--kind", "pause", "--scope", "everywhere", "--scope", "run=r"), "--scope"),
        (("--kind", "pause", "--scope", "site=two words"), "--scope"),
        (("--kind", "ban", "--scope", "everywhere"), "--kind"),
        (("--kind", "pause", "--scope", "everywhere", "--effect", "explode"), "--effect"),
        (("--kind", "hold", "--scope", "everywhere", "--effect", "cap"), "hold cannot"),
        (("--kind", "hold", "--scope", "everywhere", "--lasts", "48h"), "24 h"),
        (("--kind", "pause", "--scope", "everywhere", "--lasts", "soon"), "--lasts"),
        (("--kind", "pause", "--scope", "everywhere", "--lasts", "24"), "--lasts"),
        (("--kind", "pause", "--scope", "everywhere", "--lasts", "9" * 12), "--lasts"),
        (("--kind", "pause", "--scope", "everywhere", "--issue-within", "4d"), "72 h"),
        (("--kind", "resume", "--lifts", "pause/JP/7"), "--lifts"),
        (("--kind", "resume", "--lifts", "x"), "--lifts"),
        (("--kind", "pause", "--scope", "everywhere", "--appeal", "x" * 4001), "order"),
    ],
)
def test_a_bad_draft_is_bad_input_that_names_the_flag(
    holder: KeyHolder, capsys: Capture, flags: tuple[str, ...], word: str
) -> None:
    """Exit 2, the flag or the rule in the message, and no file."""
    out = holder.path("draft.json")
    command = ("order", "draft", *BASIS, "--out", out, "--log", holder.log)
    assert holder.call(*command, *flags) == 2
    assert word in capsys.readouterr().err
    assert not out.exists()


def test_a_draft_never_takes_another_files_place(holder: KeyHolder) -> None:
    """Where --out is there already, nothing is written."""
    out = holder.path("draft.json")
    out.write_text("mine")
    command = ("order", "draft", "--kind", "pause", "--scope", "everywhere", *BASIS)
    assert holder.call(*command, "--out", out, "--log", holder.log) == 1
    assert out.read_text() == "mine"


@pytest.mark.parametrize("command", ["draft", "list", "status", "preview"])
def test_without_a_trust_root_nothing_is_drafted_or_told(
    holder: KeyHolder, capsys: Capture, command: str
) -> None:
    """A log that no root of the user covers is unverifiable: exit 3."""
    order = str(holder.order())
    holder.trust()
    flags = {
        "draft": ("--kind", "pause", *BASIS, "--scope", "everywhere", "--out", "o.json"),
        "preview": (order,),
    }.get(command, ())
    assert holder.call("order", command, *flags, "--log", holder.log, "--json") == 3
    assert json.loads(capsys.readouterr().out)["verdict"] == "unverifiable"


def test_a_quorum_signs_one_file_in_turn(holder: KeyHolder, capsys: Capture) -> None:
    """Draft, then each signer with the phrase; the file ends as an envelope that the quorum signed."""
    drafted(holder, "--scope", "site=site-1")
    path = holder.path("pause.json")
    payload = path.read_bytes()
    names = ("authority-1", "authority-2", "authority-3", "verifier-1")
    for count, name in enumerate(names, 1):
        done = holder.answer(
            capsys,
            *("order", "sign", path, "--key", holder.key(name), "--phrase", phrase_of(payload)),
            *("--log", holder.log),
        )
        assert (done["fresh"], done["signatures"]) == (True, count)
    envelope = parse_envelope(path.read_bytes())
    assert envelope.payload == payload
    keys = [holder.cast.signer(name).public for name in names]
    assert distinct_signers(envelope, keys) == {key.key_id for key in keys}
    assert holder.answer(capsys, "show", path, "--log", holder.log)["quorum"]


def test_the_phrase_is_typed_back_at_the_prompt(holder: KeyHolder, capsys: Capture) -> None:
    """What show prints comes first, then the question; case and spaces of the answer are free."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())
    typed = "  " + phrase.upper().replace(" ", "   ") + "\n"
    assert (
        holder.call("order", "sign", path, "--key", holder.key(), "--log", holder.log, typed=typed)
        == 0
    )
    printed = capsys.readouterr().out
    assert "Order: PAUSE" in printed
    assert phrase in printed
    assert len(parse_envelope(path.read_bytes()).signatures) == 1


def test_out_leaves_the_draft_as_it_was(holder: KeyHolder) -> None:
    """With --out the signature goes to a new file."""
    path, out = holder.order(), holder.path("signed.json")
    payload = path.read_bytes()
    command = ("order", "sign", path, "--key", holder.key(), "--phrase", phrase_of(payload))
    assert holder.call(*command, "--out", out, "--log", holder.log) == 0
    assert path.read_bytes() == payload
    assert parse_envelope(out.read_bytes()).payload == payload


def test_signing_offline_with_the_charter_alone(holder: KeyHolder) -> None:
    """A signer without a log signs under the root's own charter given as a file, not without any."""
    from sekisho.model.statements import make_payload

    path = holder.order()
    command = (
        "order",
        "sign",
        path,
        "--key",
        holder.key(),
        "--phrase",
        phrase_of(path.read_bytes()),
    )
    assert holder.call(*command) == 1
    charter = holder.path("charter.json")
    charter.write_bytes(make_payload(holder.cast.charter()))
    assert holder.call(*command, "--charter", charter) == 0


def test_an_encrypted_key_opens_with_its_passphrase_file(holder: KeyHolder) -> None:
    """A wrong passphrase is bad input and signs nothing."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
    )

    key = holder.path("locked.pem")
    key.touch(mode=0o600)
    private = holder.cast.signer("authority-1").private
    key.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    )
    path, secret = holder.order(), holder.path("secret")
    payload = path.read_bytes()
    command = ("order", "sign", path, "--key", key, "--phrase", phrase_of(payload))
    for passphrase, code in (("shut\n", 2), ("\n", 2), ("open\n", 0)):
        secret.write_text(passphrase)
        assert holder.call(*command, "--passphrase-file", secret, "--log", holder.log) == code
        assert (path.read_bytes() == payload) is (code != 0)


def test_preview_tells_reach_and_change(holder: KeyHolder, capsys: Capture) -> None:
    """Preview is show with a log it insists on."""
    found = holder.answer(capsys, "order", "preview", holder.order(), "--log", holder.log)
    assert found["reach"]["hosts"] == ["host-1"]


@contextmanager
def answering(status: int, document: object) -> Iterator[tuple[str, list[bytes]]]:
    """A control plane that answers every POST in one way, and what was sent to it."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def signed_order(holder: KeyHolder) -> Path:
    path = holder.path("signed.json")
    order = factory.order_issued(charter_digest=holder.charter_digest, now=holder.now)
    path.write_bytes(factory.signed(order, holder.cast.signer("authority-1")).raw)
    return path


def test_issue_sends_the_exact_envelope(holder: KeyHolder, capsys: Capture) -> None:
    """The bytes of the file go out as they are, and the answer says where they stand in the log."""
    path = signed_order(holder)
    digest = parse_envelope(path.read_bytes()).digest
    placed = {"index": 7, "leaf": "a" * 64, "digest": digest, "fresh": True}
    with answering(200, placed) as (url, sent):
        assert holder.answer(capsys, "order", "issue", path, "--control", url) == placed
    assert sent == [path.read_bytes()]


@pytest.mark.parametrize(
    ("status", "code"), [(403, 1), (409, 1), (422, 2), (429, 4), (503, 4), (500, 4)]
)
def test_a_refused_issue_ends_with_the_code_of_its_reason(
    holder: KeyHolder, capsys: Capture, status: int, code: int
) -> None:
    """Refusals are findings, overload is try again; what the other side wrote is quoted, not printed raw."""
    problem = {"code": "not-authorised", "detail": "one of three\x1b[2J"}
    with answering(status, problem) as (url, _):
        assert holder.call("order", "issue", signed_order(holder), "--control", url) == code
    told = capsys.readouterr().err
    assert "one of three" in told
    assert "\x1b" not in told


def test_issue_refuses_a_draft_a_foreign_answer_and_a_far_plain_address(
    holder: KeyHolder, capsys: Capture
) -> None:
    """An unsigned draft is bad input; an answer about another statement a conflict; http goes to this machine only."""
    assert holder.call("order", "issue", holder.order(), "--control", "http://127.0.0.1:9") == 2
    placed = {"index": 7, "leaf": "a" * 64, "digest": "b" * 64, "fresh": True}
    with answering(200, placed) as (url, _):
        assert holder.call("order", "issue", signed_order(holder), "--control", url) == 1
    far = "http://control.example"
    assert holder.call("order", "issue", signed_order(holder), "--control", far) == 2
    assert (
        holder.call("order", "issue", signed_order(holder), "--control", "http://127.0.0.1:9") == 4
    )
    assert "does not answer" in capsys.readouterr().err


def test_status_shows_each_host_with_its_degree_and_lapse(
    paused: KeyHolder, capsys: Capture
) -> None:
    """Stages in order, corroborated until the verdict lapses, claimed after it."""
    (row,) = paused.answer(capsys, "order", "status", "pause/JP", "1", "--log", paused.log)
    (host,) = row["hosts"]
    assert row["in_force"]
    assert [stage["stage"] for stage in host["stages"]] == ["received", "checkpointed", "halted"]
    assert (host["degree"], host["lapsed"]) == ("corroborated", False)
    assert host["limits"]
    paused.set_clock(T0.plus(10_000))
    (row,) = paused.answer(capsys, "order", "status", "--log", paused.log)
    assert (row["hosts"][0]["degree"], row["hosts"][0]["lapsed"]) == ("claimed", True)
    assert row["hosts"][0]["lapses"] is None


def test_a_covered_host_that_says_nothing_is_non_responsive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Status lists the hosts that the order covers, not only those that were heard of."""
    holder = KeyHolder(tmp_path, monkeypatch, second=21)
    (row,) = holder.answer(capsys, "order", "status", "--log", holder.log)
    assert [(h["host"], h["degree"], h["stage"]) for h in row["hosts"]] == [
        ("host-1", "non-responsive", None)
    ]


def test_list_shows_every_order_in_force_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """After the resume the pause restrains nothing and both are listed."""
    holder = KeyHolder(tmp_path, monkeypatch, second=RESUMED)
    rows = holder.answer(capsys, "order", "list", "--log", holder.log)
    assert [(r["register"], r["number"], r["in_force"]) for r in rows] == [
        ("pause/JP", 1, False),
        ("resume/JP", 1, False),
    ]
    (row,) = holder.answer(capsys, "order", "status", "pause/JP", "--log", holder.log)
    assert row["hosts"][0]["degree"] is None


def test_status_of_what_is_not_there(paused: KeyHolder) -> None:
    """An unknown register is bad input, a number that the register does not have is a refusal."""
    assert paused.call("order", "status", "pause/FR", "--log", paused.log) == 2
    assert paused.call("order", "status", "pause/JP", "9", "--log", paused.log) == 1


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_command_speaks_both_languages(paused: KeyHolder, language: str) -> None:
    """No command of orders lacks a message in a language."""
    paused.language = "ja" if language == "ja" else "en"
    for arguments in (("list",), ("status",), ("preview", str(paused.order()))):
        assert paused.call("order", *arguments, "--log", paused.log) == 0
    drafted(paused, "--scope", "everywhere", kind="hold")


def test_a_home_brings_its_own_log_and_root(holder: KeyHolder, capsys: Capture) -> None:
    """`--home` needs neither trust file nor --log."""
    from sekisho.model.wire import canonical

    home = holder.path("home")
    (home / "public").mkdir(parents=True)
    (home / "public" / "log").symlink_to(holder.log)
    (home / "trust.json").write_bytes(canonical(holder.sealed.root))
    holder.trust()
    assert holder.answer(capsys, "order", "list", "--home", home) == []


def test_what_the_ceremony_makes_a_desk_admits(holder: KeyHolder, capsys: Capture) -> None:
    """A pause and its resume, drafted, signed in turn and handed in at a real desk, end as the register says."""
    with TestDesk(holder.path("desk")) as desk:
        desk.licensed()
        holder.trust(desk.root)
        holder.set_clock(desk.clock.now())
        log = ("--log", holder.path("desk") / "log")
        pause = ("--kind", "pause", "--scope", "run=run-1")
        resume = ("--kind", "resume", "--lifts", "pause/JP/1")
        for kind in (pause, resume):
            desk.cosigned()
            path = holder.path(f"{kind[1]}.json")
            assert holder.call("order", "draft", *kind, *BASIS, "--out", path, *log) == 0
            phrase = phrase_of(path.read_bytes())
            for name in ("authority-1", "authority-3", "authority-5", "verifier-2"):
                sign = ("order", "sign", path, "--key", holder.key(name), "--phrase", phrase)
                assert holder.call(*sign, *log) == 0
            assert desk.desk.admit(path.read_bytes()).fresh
        assert desk.desk.state.orders.in_force(holder.now) == ()
        desk.cosigned()
        rows = holder.answer(capsys, "order", "list", *log)
        assert [(row["register"], row["in_force"]) for row in rows] == [
            ("pause/JP", False),
            ("resume/JP", False),
        ]
