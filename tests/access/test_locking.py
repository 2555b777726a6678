"""Locking, signing, handing in, unlocking and revoking by command, against a control plane that really runs."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.app.weights import open_keeper_key
from sekisho.model.statements import LeaseTerms, LicenceRevoked, Reference
from sekisho.signing.weights import KeyDeposit, open_deposit
from tests.access.serving import until, write_home
from tests.factory import AUTHORITY, ORIGIN, PARTY
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving

WEIGHTS = bytes(range(256)) * 9_000  # more than two chunks


class Machine:
    """A party's and a host's machine over one regime."""

    def __init__(self, folder: Path, regime: LiveRegime, url: str) -> None:
        self.folder = folder
        self.regime = regime
        self.url = url
        self.home = str(regime.control.home.path)
        self.point = write_home(folder / "point", regime.control.root, url)
        self.plain, self.locked = folder / "weights.bin", folder / "weights.locked"
        self.plain.write_bytes(WEIGHTS)
        self.party = folder / "party.pem"
        self.party.write_bytes(
            PARTY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        self.party.chmod(0o600)

    def run(self, *arguments: str, code: int = 0) -> str:
        told = subprocess.run(
            [sys.executable, "-m", "sekisho.cli", "access", *arguments],
            capture_output=True,
            check=False,
            env={**os.environ, "SEKISHO_LANG": "en"},
        )
        assert told.returncode == code, (told.returncode, told.stdout, told.stderr)
        return (told.stdout + told.stderr).decode()

    def lock(self) -> str:
        """Lock, sign, issue, hand the key in; the leaf of the lock."""
        keeper = json.loads(self.run("keeper-key", "--home", self.home, "--json"))["public"]
        told = self.run(
            *("lock", str(self.plain), "--out", str(self.locked), "--model", "model-1"),
            *("--licence", "LIC-1", "--keeper", keeper, "--home", self.home),
        )
        assert "what leaked stays leaked" in told
        draft = f"{self.locked}.draft"
        shown = json.loads(self._show(draft))
        assert [each["code"] for each in shown["warnings"]] == ["weights-leaked"]
        signed = self.folder / "lock.dsse"
        self.run(
            *("sign", draft, "--key", str(self.party), "--phrase", shown["phrase"]),
            *("--out", str(signed), "--home", self.home),
        )
        self.run("issue", str(signed), "--control", self.url)
        kept = self.run("deposit", f"{self.locked}.key", "--control", self.url, "--json")
        return str(json.loads(kept)["locked"])

    def _show(self, draft: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "sekisho.cli", "show", draft, "--home", self.home, "--json"],
            capture_output=True,
            check=True,
        ).stdout

    def find_no_key(self, process: int) -> None:
        """No form of the key stands in a file of any of the machines, an argument or a variable of the command."""
        key = self.drawn()
        forms = (key, key.hex().encode(), base64.b64encode(key).rstrip(b"="))
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        files += [Path(f"/proc/{process}/{name}") for name in ("cmdline", "environ")]
        assert len(files) > 10
        for path in files:
            raw = path.read_bytes()
            assert not any(form in raw for form in forms), path

    def drawn(self) -> bytes:
        """The key, as its keeper alone can open it."""
        raw = Path(f"{self.locked}.key").read_bytes()
        deposit = msgspec.json.decode(raw, type=KeyDeposit)
        return open_deposit(deposit, open_keeper_key(self.regime.control.home))[0]

    def unlock(self, leaf: str, out: Path, *command: str, code: int = 0) -> str:
        return self.run(
            *("unlock", str(self.locked), "--home", str(self.point), "--locked", leaf),
            *("--out", str(out), *(("--", *command) if command else ())),
            code=code,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    terms = LeaseTerms(interval_s=2, grace_s=2, quantum_s=2)
    with (
        live_regime(tmp_path / "regime", terms=terms) as regime,
        serving(regime.control) as url,
    ):
        yield Machine(tmp_path, regime, url)


def test_weights_are_locked_to_a_licence_and_go_with_it(machine: Machine) -> None:
    """Unlocked by the licensed host; revoked, the serving command ends, its plaintext goes, and nobody gets the key."""
    leaf = machine.lock()
    assert WEIGHTS[:4096] not in machine.locked.read_bytes()
    out = machine.folder / "plain.bin"
    assert "no revocation reaches it" in machine.unlock(leaf, out)
    assert out.read_bytes() == WEIGHTS
    assert out.stat().st_mode & 0o077 == 0
    assert "already there" in machine.unlock(leaf, out, code=1)
    out.unlink()

    serve = subprocess.Popen(
        [
            *(sys.executable, "-m", "sekisho.cli", "access", "unlock", str(machine.locked)),
            *("--home", str(machine.point), "--locked", leaf, "--out", str(out), "--json"),
            *("--", sys.executable, "-c", "import time; time.sleep(600)"),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        until(out.exists)
        machine.find_no_key(serve.pid)
        revoked = LicenceRevoked(
            effective=machine.regime.now,
            licence=Reference(log=ORIGIN, leaf=machine.regime.licence.leaf),
            number="LIC-1",
            reason="withdrawn",
        )
        machine.regime.submit(revoked, *AUTHORITY[:2])
        told, _ = serve.communicate(timeout=120)
        assert serve.returncode == 0
        assert "revoked" in json.loads(told)["ended"]
        assert not out.exists()
    finally:
        serve.kill()
        serve.wait()
    assert "revoked" in machine.unlock(leaf, out, code=1)
    shelf = machine.regime.control.home.path / "weights"
    until(lambda: not list(shelf.glob("*.json")))
    assert not out.exists()


def test_a_key_destroyed_by_command_is_given_to_nobody(machine: Machine) -> None:
    """destroy-key says what it does not reach; a second time there is nothing to destroy."""
    leaf = machine.lock()
    told = machine.run("destroy-key", "--home", machine.home, "--locked", leaf)
    assert "plaintext are not reached" in told
    machine.run("destroy-key", "--home", machine.home, "--locked", leaf, code=1)
    assert "holds no key" in machine.unlock(leaf, machine.folder / "out.bin", code=1)


def test_bad_input_is_named(machine: Machine) -> None:
    """An unknown licence, a key that is none, a file that is no locked weights, a digest that is none."""
    keeper = json.loads(machine.run("keeper-key", "--home", machine.home, "--json"))["public"]
    lock = ("lock", str(machine.plain), "--out", str(machine.locked), "--model", "model-1")
    told = machine.run(
        *lock, "--licence", "LIC-9", "--keeper", keeper, "--home", machine.home, code=2
    )
    assert "--licence" in told
    told = machine.run(*lock, "--licence", "LIC-1", "--keeper", "AAAA", code=2)
    assert "--keeper" in told
    machine.locked.write_bytes(WEIGHTS)
    assert "is no locked weights" in machine.unlock("0" * 64, machine.folder / "out", code=2)
    told = machine.run("destroy-key", "--home", machine.home, "--locked", "x", code=2)
    assert "leaf digest" in told
