"""`sekisho rules publish`: from a file to the log, signed by a quorum by hand, into a bundle that outsiders check."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.auditor import Trust, audit_bundle, open_evidence
from sekisho.cli import main
from sekisho.model.wire import sha256_hex
from sekisho.operations.running import decide_run
from sekisho.settings import Settings
from sekisho.signing import Ed25519Signer
from sekisho.signing.phrase import digest_phrase
from tests.factory import AUTHORITY
from tests.overlays import BASE_BYTES, newer_base, overlay
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


class Desk:
    """The machine of the regime: its home, and a folder for drafts and keys."""

    def __init__(self, regime: LiveRegime, folder: Path, capsys: Capture) -> None:
        self.home = regime.control.home.path
        self.folder = folder
        self._capsys = capsys

    def call(self, *arguments: str | Path) -> tuple[int, str, str]:
        self._capsys.readouterr()
        settings = Settings(home=self.home, trust_file=self.folder / "trust.json", language="en")
        code = main.call([str(argument) for argument in arguments], settings)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def key(self, signer: Ed25519Signer, name: str) -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(
            signer.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return path


@pytest.fixture
def desk(
    regime: LiveRegime, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Desk(regime, tmp_path, capsys)


def test_a_pack_goes_from_a_file_into_the_log_and_a_bundle(regime: LiveRegime, desk: Desk) -> None:
    """Draft, two signatures by hand, issued; the bundle carries its bytes and its base's, and an audit reads them."""
    pack, out = desk.file("reform.yaml", overlay(version="2")), desk.folder / "draft.json"
    code, shown, told = desk.call("rules", "publish", pack, "--out", out)
    assert code == 0, told
    assert "kept in the home: loop-tightened 2, loop-2026 1" in told
    assert "loop-tightened" in shown
    phrase = digest_phrase(sha256_hex(out.read_bytes()))
    for number in range(2):
        key = desk.key(AUTHORITY[number], f"a{number}.pem")
        sign = ("charter", "sign", out, "--key", key, "--phrase", phrase)
        code, _, told = desk.call(*sign, "--home", desk.home)
        assert code == 0, told
    with serving(regime.control) as address:
        code, shown, told = desk.call("charter", "issue", out, "--control", address, "--json")
    assert code == 0, told
    state = regime.control.desk.state
    published = state.shelf.find("loop-tightened", "2")
    assert published is not None
    found_pack = regime.control.home.find_pack(published.pack)
    assert found_pack is not None
    # Before its first day the overlay decides a declared run as its base does, under its own name.
    decision = decide_run(state, "run-1", found_pack, now=regime.now)
    assert (decision.decision, decision.policy) == ("permit", published.pack)

    regime.control.export_bundle(desk.folder / "bundle", register=False)
    kept = {path.name for path in (desk.folder / "bundle" / "packs").iterdir()}
    assert kept == {"loop-2026-1.yaml", "loop-tightened-2.yaml"}
    trust = Trust(policy=regime.control.root, known=())
    report = audit_bundle(open_evidence(desk.folder / "bundle"), trust)
    found = {check.name: check for check in report.checks}
    assert found["packs"].verdict == "holds", found["packs"].detail
    assert found["decisions"].verdict == "holds", found["decisions"].detail


def test_a_dry_run_shows_what_changes_and_writes_nothing(regime: LiveRegime, desk: Desk) -> None:
    """The declared runs and a made-up population, under the pack that counts and under the new one."""
    pack = desk.file("newer.yaml", newer_base().replace(b"value: 1e22", b"value: 1e10", 1))
    before = sorted((desk.home / "packs").iterdir())
    code, shown, told = desk.call("rules", "publish", pack, "--dry-run", "--json")
    assert code == 0, told
    document: dict[str, Any] = json.loads(shown)
    assert document["pack"]["version"] == "1.1"
    assert document["against"]["version"] == "1"
    assert document["change"]["requests"] > 1_000
    assert sum(document["change"]["changes"].values()) > 0
    assert sorted((desk.home / "packs").iterdir()) == before
    code, shown, _ = desk.call("rules", "publish", pack, "--dry-run")
    assert code == 0
    assert "nothing was written" in shown


def test_a_dry_run_can_be_asked_over_ones_own_requests(desk: Desk) -> None:
    """A file of requests takes the place of the made-up population; the log's runs stay."""
    pack = desk.file("newer.yaml", newer_base())
    over = desk.file("asked.jsonl", b'{"id":"a","planned_flop":"1"}\n{"id":"b"}\n')
    code, shown, told = desk.call("rules", "publish", pack, "--dry-run", "--over", over, "--json")
    assert code == 0, told
    assert json.loads(shown)["change"]["requests"] == 3


def test_a_dry_run_says_that_a_reform_begins_later_and_judges_on_that_day(desk: Desk) -> None:
    """That nothing changes today must not be read as: nothing changes."""
    later = "      - {from: 2999-01-01, value: 1e10, "
    text = newer_base().decode()
    line = next(one for one in text.splitlines() if "value: 1e22" in one)
    rest = line.split("value: 1e22, ")[1]
    pack = desk.file("newer.yaml", text.replace(line, f"{line}\n{later}{rest}", 1).encode())
    code, shown, told = desk.call("rules", "publish", pack, "--dry-run")
    assert code == 0, told
    assert "begins later, first on 2999-01-01" in shown
    flags = ["--dry-run", "--at", "2999-01-01"]
    shown = desk.call("rules", "publish", pack, *flags)[1]
    assert "law of 2999-01-01" in shown
    assert "begins later" not in shown
    changed = json.loads(desk.call("rules", "publish", pack, *flags, "--json")[1])["change"]
    assert sum(changed["changes"].values()) > 0


def test_an_overlay_whose_base_is_not_in_the_log_is_refused(desk: Desk) -> None:
    """With what to publish first; no draft is written."""
    out = desk.folder / "draft.json"
    code, _, told = desk.call("rules", "publish", "us-diffusion-tightened", "--out", out)
    assert code == 1
    assert "not published in this log" in told
    assert "publish each base first" in told
    assert not out.exists()


def test_an_overlay_whose_base_is_not_at_hand_is_refused(desk: Desk) -> None:
    """By file and line, with the remedy."""
    from sekisho.model.statements import PackReference

    absent = PackReference(name="nowhere", version="1", sha256="0" * 64)
    pack = desk.file("reform.yaml", overlay(absent))
    code, _, told = desk.call("rules", "publish", pack, "--dry-run")
    assert code == 2
    assert "reform.yaml:" in told
    assert "'nowhere' is not at hand" in told


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (BASE_BYTES, 1, "published and in force"),
        (BASE_BYTES + b"# more\n", 1, "published with other bytes"),
        (b"pack: [\n", 2, "p.yaml"),
    ],
)
def test_what_cannot_be_published_is_refused(desk: Desk, data: bytes, code: int, word: str) -> None:
    """A pack that counts already, other bytes under a published version, what is no pack at all."""
    ended, _, told = desk.call("rules", "publish", desk.file("p.yaml", data), "--dry-run")
    assert (ended, word in told) == (code, True), told


def test_a_draft_needs_a_place_and_a_home(desk: Desk) -> None:
    """Without --out nothing is begun; a folder without a regime is named and not made one."""
    code, _, told = desk.call("rules", "publish", "us-ear")
    assert code == 2
    assert "--out" in told
    nowhere = desk.folder / "nowhere"
    out = ("--out", desk.folder / "d.json")
    code, _, told = desk.call("rules", "publish", "us-ear", *out, "--home", nowhere)
    assert code != 0
    assert not nowhere.exists()


def test_a_draft_never_takes_another_file_s_place(desk: Desk) -> None:
    """Bad input as in every part of the group; neither the file nor the home is touched."""
    out = desk.file("draft.json", b"kept")
    before = sorted((desk.home / "packs").iterdir())
    pack = desk.file("r.yaml", overlay(version="77"))
    code, _, told = desk.call("rules", "publish", pack, "--out", out)
    assert code == 2
    assert "a file is already there" in told
    assert "name another file" in told
    assert out.read_bytes() == b"kept"
    assert sorted((desk.home / "packs").iterdir()) == before


def test_a_drafted_version_may_be_drafted_anew(regime: LiveRegime, desk: Desk) -> None:
    """Kept bytes of a draft that nobody published give way to a corrected one; published bytes never do."""
    for value in ("1e21", "1e20"):
        data = overlay(version="9", value=value)
        out = desk.folder / f"{value}.json"
        code, _, told = desk.call("rules", "publish", desk.file("r.yaml", data), "--out", out)
        assert code == 0, told
        kept = regime.control.home.packs / "loop-tightened-9.yaml"
        assert kept.read_bytes() == data
