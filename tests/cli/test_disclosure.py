"""`sekisho disclosure`: one field shown and checked, a deposit opened by two of three, an erasure that is meant."""

from __future__ import annotations

import io
import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.keys.deposit_keys import load_deposit_key
from sekisho.adapters.keys.tag_keys import load_tag_key
from sekisho.catalogue import Language
from sekisho.cli import main
from sekisho.model.wire import canonical
from sekisho.settings import Settings
from sekisho.signing import TrustRoot
from sekisho.signing.phrase import digest_phrase
from sekisho.signing.sealing import DepositKey
from tests.deposited import HOLDERS, STRANGER
from tests.revealed import TestHome, make_home, write_holder

Capture = pytest.CaptureFixture[str]
ALLOWANCE = str(62 * 10**9)
BASIS = "Data protection act, section 17"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    return make_home(tmp_path_factory.mktemp("disclosure") / "home")


class Desk:
    """Somebody's command line, with a trust file and a folder of their own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, home: TestHome) -> None:
        self.folder, self.home = folder, home
        self._monkeypatch = monkeypatch
        self.language: Language = "en"
        self.policy(home.root)

    def policy(self, root: TrustRoot) -> Path:
        path = self.folder / "policy.json"
        path.write_bytes(canonical(root))
        return path

    def call(self, *arguments: str | Path, typed: str = "") -> int:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        settings = Settings(
            home=self.folder / "no-home",
            trust_file=self.folder / "no-trust.json",
            language=self.language,
        )
        return main.call(["disclosure", *(str(a) for a in arguments)], settings)

    def answer(self, capsys: Capture, *arguments: str | Path, code: int = 0) -> Any:
        capsys.readouterr()
        assert self.call(*arguments, "--json") == code, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    def revealed(self, capsys: Capture, name: str = "reveal.json") -> Path:
        out = self.folder / name
        where = ("--home", self.home.folder, "--out", out)
        self.answer(capsys, "reveal", self.home.granted, "allowance_flop", *where)
        return out

    def read_log(self) -> tuple[str | Path, ...]:
        """As an outsider reads it: the public files, by a root of one's own."""
        return (
            "--log",
            self.home.folder / "public" / "log",
            "--policy",
            self.folder / "policy.json",
        )

    def share(self, capsys: Capture, number: int) -> Path:
        """What a holder's own machine makes of the log and the holder's key."""
        key = write_holder(self.folder, f"holder-{number}", HOLDERS[number - 1])
        out = self.folder / f"share-{number}"
        how = ("--key", key, "--out", out, *self.read_log())
        opened = self.answer(capsys, "open", self.home.granted, *how)
        assert (opened["number"], opened["threshold"], opened["holders"]) == (number, 2, 3)
        return out


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: TestHome) -> Desk:
    return Desk(tmp_path, monkeypatch, made)


# --- reveal and check


def test_one_field_is_revealed_and_checked_against_the_log(desk: Desk, capsys: Capture) -> None:
    """By the log as read, and offline by the proof that travels along; the second says what it does not cover."""
    out = desk.revealed(capsys)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    whole = desk.answer(capsys, "check", out, *desk.read_log())
    assert (whole["verdict"], whole["name"], whole["value"]) == (
        "holds",
        "allowance_flop",
        ALLOWANCE,
    )
    assert (whole["known"], whole["limits"]) == (True, [])
    offline = desk.answer(capsys, "check", out, "--policy", desk.folder / "policy.json")
    assert (offline["verdict"], offline["value"]) == ("holds", ALLOWANCE)
    assert "authority" in offline["limits"][0]


def test_the_field_is_named_by_the_leaf_as_well(desk: Desk, capsys: Capture) -> None:
    """What proofs and bundles know an entry by."""
    out, leaf = desk.folder / "closing.json", desk.home.leaves[desk.home.closed]
    where = ("--home", desk.home.folder, "--out", out)
    shown = desk.answer(capsys, "reveal", leaf, "consumed_flop", *where)
    assert (shown["statement"], shown["value"]) == (desk.home.closed, "0")


def test_a_forged_reveal_fails_with_1(desk: Desk, capsys: Capture) -> None:
    """Another disclosure in the same document."""
    out = desk.revealed(capsys)
    fields = json.loads(out.read_bytes())
    fields["disclosure"] = desk.home.disclosures[desk.home.closed][0]
    out.write_bytes(canonical(fields))
    verdict = desk.answer(capsys, "check", out, *desk.read_log(), code=1)
    assert (verdict["verdict"], verdict["value"], verdict["known"]) == ("fails", "", False)


def test_without_a_trust_root_a_reveal_is_unverifiable(desk: Desk, capsys: Capture) -> None:
    """Exit code 3, and the log is named."""
    out = desk.revealed(capsys)
    verdict = desk.answer(capsys, "check", out, code=3)
    assert "log.example/sekisho" in verdict["why"]


def test_what_is_no_reveal_is_bad_input(desk: Desk, capsys: Capture) -> None:
    """The message names the file."""
    path = desk.folder / "order.json"
    path.write_bytes(b"{}")
    assert desk.call("check", path, *desk.read_log()) == 2
    assert "order.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("0" * 64, "allowance_flop"), 1, "no such statement"),
        (("xyz", "allowance_flop"), 2, "DIGEST"),
        (("{granted}", "budget_flop"), 2, "it has: allowance_flop"),
    ],
)
def test_what_cannot_be_revealed_is_said(
    desk: Desk, capsys: Capture, arguments: tuple[str, str], code: int, said: str
) -> None:
    """An unknown statement, a digest that is none, another field; no file is written."""
    digest, name = (part.format(granted=desk.home.granted) for part in arguments)
    out = desk.folder / "out.json"
    assert desk.call("reveal", digest, name, "--home", desk.home.folder, "--out", out) == code
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_is_no_home_is_bad_input(desk: Desk, capsys: Capture) -> None:
    """And it is not made into one."""
    where = ("--home", desk.folder / "nowhere", "--out", desk.folder / "x")
    assert desk.call("reveal", desk.home.granted, "allowance_flop", *where) == 2
    assert "no regime" in capsys.readouterr().err
    assert not (desk.folder / "nowhere").exists()


# --- open


def test_two_of_three_holders_open_a_deposit(desk: Desk, capsys: Capture) -> None:
    """Each opens its own share on its own machine; any two together read the field."""
    shares = [desk.share(capsys, number) for number in (1, 3)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in shares} == {0o600}
    given = tuple(word for path in shares for word in ("--share", path))
    opened = desk.answer(capsys, "open", desk.home.granted, *given, *desk.read_log())
    assert opened["verdict"] == "holds"
    assert opened["fields"] == {"allowance_flop": ALLOWANCE}
    assert tuple(opened["disclosures"]) == desk.home.disclosures[desk.home.granted]
    assert opened["leaf"] == desk.home.leaves[desk.home.granted]


def test_one_share_is_unverifiable(desk: Desk, capsys: Capture) -> None:
    """Exit code 3: nothing can be said, and nothing is shown."""
    share = desk.share(capsys, 2)
    twice = ("--share", share, "--share", share)
    verdict = desk.answer(capsys, "open", desk.home.granted, *twice, *desk.read_log(), code=3)
    assert (verdict["verdict"], "fields" in verdict) == ("unverifiable", False)


def test_a_corrupted_share_is_named_by_its_holder(desk: Desk, capsys: Capture) -> None:
    """Exit code 1, with the number and the key; the share's bytes are not printed."""
    good, bad = desk.share(capsys, 1), desk.share(capsys, 2)
    fields = json.loads(bad.read_bytes())
    fields["share"] = "00" * 16
    bad.write_bytes(canonical(fields))
    given = ("--share", good, "--share", bad)
    assert desk.call("open", desk.home.granted, *given, *desk.read_log()) == 1
    said = capsys.readouterr().err
    assert f"share 2, of key {HOLDERS[1].key.key_id[:16]}" in said
    assert "00" * 16 not in said


def test_a_stranger_has_no_share(desk: Desk, capsys: Capture) -> None:
    """Its key is not among the charter's."""
    key = write_holder(desk.folder, "stranger", STRANGER)
    how = ("--key", key, "--out", desk.folder / "share", *desk.read_log())
    assert desk.call("open", desk.home.granted, *how) == 1
    assert "no share" in capsys.readouterr().err
    assert not (desk.folder / "share").exists()


def test_a_share_of_another_log_or_of_no_form_is_bad_input(desk: Desk, capsys: Capture) -> None:
    """Named by its file; what is in it is never quoted."""
    share = desk.share(capsys, 1)
    honest = share.read_bytes()
    for changed, said in (
        (honest.replace(b"log.example/sekisho", b"log.example/another"), "share of log"),
        (honest.replace(b'"number":1', b'"number":99'), "no opened share"),
        (honest[:-5], "no opened share"),
    ):
        share.write_bytes(changed)
        assert desk.call("open", desk.home.granted, "--share", share, *desk.read_log()) == 2
        assert said in capsys.readouterr().err
    share.write_bytes(honest)
    share.chmod(0o644)
    assert desk.call("open", desk.home.granted, "--share", share, *desk.read_log()) == 2
    assert "others can read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [(), ("--key", "k"), ("--out", "o"), ("--key", "k", "--share", "s")]
)
def test_opening_asks_for_a_key_or_for_shares(
    desk: Desk, capsys: Capture, given: tuple[str, ...]
) -> None:
    """One or the other, whole."""
    assert desk.call("open", desk.home.granted, *given, *desk.read_log()) == 2
    assert "--share once for each" in capsys.readouterr().err


def test_without_a_log_nothing_is_opened(desk: Desk, capsys: Capture) -> None:
    """Exit code 3, as everywhere where no log is at hand."""
    verdict = desk.answer(
        capsys, "open", desk.home.granted, "--share", desk.folder / "share", code=3
    )
    assert verdict["verdict"] == "unverifiable"


# --- erase


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: TestHome) -> Desk:
    """A home of the test's own, to erase in."""
    folder = tmp_path / "home"
    shutil.copytree(made.folder, folder)
    home = TestHome(
        folder=folder,
        root=made.root,
        granted=made.granted,
        closed=made.closed,
        disclosures=made.disclosures,
        leaves=made.leaves,
    )
    return Desk(tmp_path, monkeypatch, home)


def private_bytes(desk: Desk) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(desk.home.folder.glob("private.sqlite*")))


def test_an_erasure_asks_for_the_phrase_back_and_then_is_final(own: Desk, capsys: Capture) -> None:
    """The phrase is shown with what is lost; afterwards there is nothing to reveal, and no byte in the store."""
    (text,) = own.home.disclosures[own.home.closed]
    where = ("--home", own.home.folder, "--basis", BASIS)
    phrase = digest_phrase(own.home.closed)
    assert own.call("erase", own.home.closed, *where, typed=f"{phrase}\n") == 0
    said = capsys.readouterr()
    assert phrase in said.err
    assert "never zero" in said.err
    assert text.encode() not in private_bytes(own)
    out = own.folder / "late.json"
    assert own.call(
        "reveal", own.home.closed, "consumed_flop", "--home", own.home.folder, "--out", out
    )
    assert not out.exists()


@pytest.mark.parametrize(
    "typed", ["", "\n", "kakaka kakaka kakaka kakaka kakaka kakaka kakaka kakaka\n"]
)
def test_without_the_phrase_nothing_is_erased(own: Desk, capsys: Capture, typed: str) -> None:
    """No input, an empty line, another phrase."""
    (text,) = own.home.disclosures[own.home.closed]
    where = ("--home", own.home.folder, "--basis", BASIS)
    assert own.call("erase", own.home.closed, *where, typed=typed) == 1
    assert "nothing was erased" in capsys.readouterr().err
    assert text.encode() in private_bytes(own)


def test_a_script_says_the_digest_twice(own: Desk, capsys: Capture) -> None:
    """`--json` alone, and with another digest, erases nothing; a second time answers with the first."""
    where = ("--home", own.home.folder, "--basis", BASIS)
    for wrong in (
        (),
        ("--yes-erase", own.home.granted),
        ("--phrase", digest_phrase(own.home.closed)),
    ):
        refused = own.answer(capsys, "erase", own.home.closed, *where, *wrong, code=1)
        assert refused["error"]["code"] == "phrase-missing"
    leaf = own.home.leaves[own.home.closed]
    erased = own.answer(capsys, "erase", leaf, *where, "--yes-erase", own.home.closed)
    assert (erased["erased"], erased["basis"], erased["fresh"]) == (own.home.closed, BASIS, True)
    again = own.answer(capsys, "erase", leaf, *where, "--yes-erase", own.home.closed)
    assert (again["index"], again["fresh"]) == (erased["index"], False)


@pytest.mark.parametrize(
    ("digest", "basis", "code"), [("0" * 64, BASIS, 1), ("xyz", BASIS, 2), ("{closed}", " ", 2)]
)
def test_what_cannot_be_erased_is_said_before_anything_is_asked(
    own: Desk, capsys: Capture, digest: str, basis: str, code: int
) -> None:
    """An unknown statement, a digest that is none, no basis."""
    digest = digest.format(closed=own.home.closed)
    where = ("--home", own.home.folder, "--basis", basis)
    assert own.call("erase", digest, *where, typed="anything\n") == code
    assert "phrase  " not in capsys.readouterr().err


# --- keys, words


def test_a_deposit_key_is_its_owners_alone_and_public_beside(desk: Desk, capsys: Capture) -> None:
    """The private file has mode 0600, F.pub holds what the charter names."""
    path = desk.folder / "verifier.x25519"
    made = desk.answer(capsys, "key", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_deposit_key(path).key.key_id == made["key"]
    public = Path(made["public_file"]).read_text().strip()
    assert DepositKey.from_text(public).key_id == made["key"]
    assert desk.call("key", path) == 2
    Path(made["public_file"]).unlink()
    assert desk.call("key", path) == 1


def test_a_deposit_key_with_a_passphrase_opens_with_it(desk: Desk, capsys: Capture) -> None:
    """From a file, never from the command line."""
    path, secret = desk.folder / "verifier.x25519", desk.folder / "secret"
    secret.write_text("correct horse\n")
    made = desk.answer(capsys, "key", path, "--passphrase-file", secret)
    assert load_deposit_key(path, passphrase=b"correct horse").key.key_id == made["key"]


def test_a_tag_key_is_made_on_request(desk: Desk, capsys: Capture) -> None:
    """It has no public part and no passphrase."""
    path = desk.folder / "registry.tag"
    assert desk.answer(capsys, "key", path, "--tag") == {"file": str(path)}
    assert len(load_tag_key(path).tag("serial", "A1")) == 64
    assert not path.with_name("registry.tag.pub").exists()
    assert desk.call("key", desk.folder / "x", "--tag", "--passphrase-file", path) == 2


def test_the_commands_speak_japanese(desk: Desk, capsys: Capture) -> None:
    """Words from the catalogue; names, values and digests as they are."""
    desk.language = "ja"
    out = desk.folder / "reveal.json"
    where = ("--home", desk.home.folder, "--out", out)
    assert desk.call("reveal", desk.home.granted, "allowance_flop", *where) == 0
    assert "開示書" in capsys.readouterr().out
    assert desk.call("check", out, "--policy", desk.folder / "policy.json") == 0
    assert "権限" in capsys.readouterr().out
