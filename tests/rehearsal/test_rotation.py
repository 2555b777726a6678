"""The log's key and a witness's key change while the log runs, and every reader goes on reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.storage import FileTileStore
from sekisho.app import Control, Home, RegimeFile, begin_log_rotation, finish_log_rotation
from sekisho.auditor.main import AuditPlan, audit_here, verify_root
from sekisho.cli.main import call
from sekisho.ledger import Cosigned, LogReader, Policy, WrongOrigin
from sekisho.ledger.mirror import Mirror
from sekisho.model.errors import BadSignature, StateConflict
from sekisho.model.statements import CharterAdopted, CharterKey, PartyEnrolled
from sekisho.model.wire import canonical
from sekisho.operations.founding import FoundingPlan, WitnessPlan, draft_founding
from sekisho.operations.reading import read_state
from sekisho.settings import Settings
from sekisho.signing import Ed25519Signer, TrustRoot, root_of
from sekisho.signing.notes import VerifierKey
from tests.factory import AUTHORITY, ORIGIN, VERIFIER, signed, signer
from tests.witness.processes import running_witness

NAMES = ("w1.example/test", "w2.example/test")


def held(key: Ed25519Signer, organisation: str) -> CharterKey:
    return CharterKey(public=key.public.to_text(), organisation=organisation, holder="somebody")


class Rehearsal:
    """One home, two witnesses of other owners, started and stopped as often as the rotation needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home.open(folder / "home")
        self.logs = [self.home.log_signer(ORIGIN)[0].verifier]
        self.terms: CharterAdopted | None = None
        self.digest = ""
        self.parties = 0

    @contextmanager
    def running(self) -> Iterator[Control]:
        """Both witnesses, knowing every log key so far, and the control plane."""
        with ExitStack() as stack:
            more = [part for key in self.logs[1:] for part in ("--log", key.to_text())]
            ready = {
                name: stack.enter_context(
                    running_witness(self.folder / f"w{n}", name, self.logs[0], *more)
                )[0]
                for n, name in enumerate(NAMES)
            }
            first = self.terms is None and self._found([r.vkey for r in ready.values()])
            addresses = {name: r.address for name, r in ready.items()}
            control = stack.enter_context(Control(self.home, addresses))
            if first:
                control.submit(first)
            yield control

    def _found(self, vkeys: list[str]) -> bytes:
        operator = load_or_create_key(self.home.keys / "operator.pem")
        terms = draft_founding(
            FoundingPlan(
                name="Test regime",
                profile="authority",
                jurisdiction="JP",
                log_vkey=self.logs[0].to_text(),
                log_owner="Operator",
                constituencies={
                    "authority": [held(key, "Authority") for key in AUTHORITY],
                    "verifiers": [held(key, "Verifier") for key in VERIFIER],
                    "operators": [held(operator, "Operator")],
                },
                witnesses=[
                    WitnessPlan(vkey=vkey, owner=owner)
                    for vkey, owner in zip(vkeys, ("Observer A", "Observer B"), strict=True)
                ],
            ),
            now=SystemClock().now(),
        )
        envelope = signed(terms, *AUTHORITY[:3], VERIFIER[0])
        self.terms, self.digest = terms, envelope.digest
        self.home.save_regime(RegimeFile(origin=ORIGIN, witnesses=NAMES))
        self.home.save_root(root_of(terms, envelope.digest))
        return envelope.raw

    def amend(self, control: Control, key: VerifierKey) -> None:
        """The next charter names another log key."""
        assert self.terms is not None
        self.terms = msgspec.structs.replace(
            self.terms,
            version=self.terms.version + 1,
            previous=self.digest,
            effective=SystemClock().now(),
            log=msgspec.structs.replace(self.terms.log, vkey=key.to_text()),
        )
        envelope = signed(self.terms, *AUTHORITY[:3], VERIFIER[0])
        self.digest = envelope.digest
        control.submit(envelope.raw)

    def work(self, control: Control) -> Cosigned:
        """An entry and its mark, witnessed."""
        self.parties += 1
        fact = PartyEnrolled(
            effective=SystemClock().now(),
            party=f"party-{self.parties}",
            public=signer(f"party {self.parties}").public.to_text(),
            organisation="Developer",
            country="JP",
        )
        index = control.submit(signed(fact, AUTHORITY[0]).raw).index
        control.publisher.wait_witnessed(index, 20)
        control.desk.mark_time()
        return control.publisher.wait_witnessed(control.desk.state.size - 1, 20)

    @property
    def public(self) -> FileTileStore:
        return FileTileStore(self.home.public)

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether a reader who holds this log key alone takes the published checkpoint."""
        try:
            LogReader(self.public).load_checkpoint(key)
        except (BadSignature, WrongOrigin):
            return False
        return True

    def follows(self, root: TrustRoot) -> int:
        """How far a reader of this root gets, who reads the whole log through its charters."""
        return read_state(self.public, root)[0].size


def audited(rehearsal: Rehearsal, control: Control, root: TrustRoot, name: str) -> str:
    """The verdict on a bundle exported now, by this root; the single machine's ownership of nothing is accepted."""
    folder = rehearsal.folder / name
    control.export_bundle(folder)
    policy = rehearsal.folder / f"{name}.json"
    policy.write_bytes(canonical(root))
    report = audit_here(AuditPlan(path=str(folder), policy=policy))
    failing = [(c.name, c.detail) for c in report.checks if c.verdict == "fails"]
    assert not failing, failing
    return report.verdict


def test_logs_key_changes_and_no_reader_is_left_behind(tmp_path: Path) -> None:
    """Old key, both, new key: readers by checkpoint, readers by charter, a mirror and an auditor, at every stage."""
    rehearsal = Rehearsal(tmp_path)
    copy = FileTileStore(tmp_path / "copy")
    old = rehearsal.logs[0]
    with rehearsal.running() as control:
        rehearsal.work(control)
        before = rehearsal.home.load_root()
        assert audited(rehearsal, control, before, "one key") != "fails"
    Mirror(rehearsal.public, copy, Policy.of_log(old)).copy()
    with pytest.raises(StateConflict, match="no rotation"):
        finish_log_rotation(rehearsal.home)

    new = begin_log_rotation(rehearsal.home)
    with pytest.raises(StateConflict, match="under way"):
        begin_log_rotation(rehearsal.home)
    rehearsal.logs.append(new)
    with rehearsal.running() as control:
        rehearsal.work(control)
        assert rehearsal.signed_by(old)
        assert rehearsal.signed_by(new)
        with pytest.raises(StateConflict, match="still names the old key"):
            finish_log_rotation(rehearsal.home)
        rehearsal.amend(control, new)
        rehearsal.work(control)
        assert audited(rehearsal, control, before, "both keys") != "fails"
    with (
        rehearsal.running() as control
    ):  # a restart in the middle: the home trusts what the charter says
        rehearsal.work(control)
        assert rehearsal.signed_by(old)
        assert rehearsal.signed_by(new)
    Mirror(rehearsal.public, copy, Policy.of_log(old, new)).copy()

    assert finish_log_rotation(rehearsal.home) == new
    after = rehearsal.home.load_root()
    verify_root(after)
    with rehearsal.running() as control:
        size = rehearsal.work(control).checkpoint.size
        assert not rehearsal.signed_by(old)
        assert rehearsal.signed_by(new)
        # Who holds the old root follows through the charters; who starts from the new one reads from the beginning.
        assert rehearsal.follows(before) == rehearsal.follows(after) == size
        assert audited(rehearsal, control, before, "old root") != "fails"
        assert audited(rehearsal, control, after, "new root") != "fails"
    Mirror(rehearsal.public, copy, Policy.of_log(new)).copy()
    with pytest.raises(BadSignature):
        Mirror(rehearsal.public, FileTileStore(tmp_path / "late"), Policy.of_log(old)).copy()


def test_root_after_the_rotation_is_one_that_people_can_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`trust add` takes a root with two `log` lines, and it replaces the one of the same log."""
    rehearsal = Rehearsal(tmp_path)
    with rehearsal.running() as control:
        rehearsal.work(control)
    before = rehearsal.home.load_root()
    settings = Settings(home=tmp_path / "home", trust_file=tmp_path / "trust.json")
    assert call(["log", "rotate", "--json"], settings) == 0
    new = VerifierKey.from_text(json.loads(capsys.readouterr().out)["vkey"])
    assert call(["log", "rotate", "--finish"], settings) == 1
    assert new.to_text() in capsys.readouterr().err
    rehearsal.logs.append(new)
    with rehearsal.running() as control:
        rehearsal.work(control)
        rehearsal.amend(control, new)
        rehearsal.work(control)
    assert call(["log", "rotate", "--home", str(tmp_path / "home"), "--finish"], settings) == 0
    for number, root in enumerate((before, rehearsal.home.load_root())):
        file = tmp_path / f"root-{number}.json"
        file.write_bytes(canonical(root))
        assert call(["trust", "add", str(file)], settings) == 0
    assert call(["trust", "list"], settings) == 0
    told = capsys.readouterr().out
    assert new.key_id.hex() in told
