"""A real regime whose charter names the root of the tests' TPM authority, and a host enrolled with a TPM by command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sekisho.cli import main
from sekisho.model.statements import (
    FindingRaised,
    HostEnrolled,
    LeaseTerms,
    ReceiptGiven,
    parse_payload,
)
from sekisho.model.wire import canonical, sha256_hex, to_plain
from sekisho.settings import Settings
from sekisho.signing import Signer, sign_payload
from tests.agent.homes import wait_until, write_key
from tests.factory import AUTHORITY, HOST, VERIFIER, signed
from tests.factory import host_enrolled as enrolment_of
from tests.regime import LiveRegime, live_regime
from tests.swtpms import SwTpm, authority, swtpm
from tests.web.serving import serving

__all__ = ["TpmHost", "tpm_host"]

TERMS = LeaseTerms(interval_s=60, grace_s=1, quantum_s=1)


class TpmHost:
    """host-1 of a running regime, its home, and its TPM."""

    def __init__(self, folder: Path, regime: LiveRegime, address: str, tpm: SwTpm) -> None:
        self.folder = folder
        self.regime = regime
        self.tpm = tpm
        self.home = folder / "agent"
        self._write_home(address)

    def call(self, *arguments: str | Path) -> int:
        """The exit code of a command of ours."""
        settings = Settings(home=self.folder / "none", trust_file=self.folder / "trust.json")
        return main.call([str(a) for a in arguments], settings)

    def show(self) -> int:
        """The host's first step: its paper."""
        chain = self.folder / "chain.der"
        flags: list[str | Path] = []
        for number, der in enumerate(authority().chain):
            place = chain.with_suffix(f".{number}.der")
            place.write_bytes(der)
            flags += ["--chain", place]
        paper = self.folder / "paper.json"
        return self.call("agent", "tpm", "paper", "--home", self.home, "--out", paper, *flags)

    def challenge(self) -> int:
        place, out = self.folder / "kept", self.folder / "challenge.json"
        paper = self.folder / "paper.json"
        return self.call("charter", "tpm", "challenge", paper, "--keep", place, "--out", out)

    def answer(self) -> int:
        out, challenge = self.folder / "answer.json", self.folder / "challenge.json"
        return self.call("agent", "tpm", "answer", challenge, "--home", self.home, "--out", out)

    def draft(self, tier: str, *, out: str = "draft.json") -> int:
        """The enroller's last step."""
        plain = to_plain(enrolment_of("host-1", of=HOST))
        assert isinstance(plain, dict)
        fields = {k: v for k, v in plain.items() if k not in ("effective", "counter")}
        host = self.folder / "host.json"
        host.write_bytes(canonical(fields))
        names = ("paper.json", "challenge.json", "answer.json")
        flags: list[str | Path] = ["--keep", self.folder / "kept", "--host", host, "--tier", tier]
        flags += ["--home", self.regime.control.home.path, "--out", self.folder / out]
        return self.call("charter", "tpm", "enrol", *(self.folder / n for n in names), *flags)

    def enrol(self, tier: str) -> None:
        """All steps, and the draft signed and in the log."""
        assert (self.show(), self.challenge(), self.answer(), self.draft(tier)) == (0, 0, 0, 0)
        self.hand_in((self.folder / "draft.json").read_bytes())

    def hand_in(self, payload: bytes) -> None:
        signers: tuple[Signer, ...] = (AUTHORITY[0], self.regime.operator)
        self.regime.settle(self.regime.control.submit(sign_payload(payload, signers).raw))

    def fact(self) -> HostEnrolled:
        fact = parse_payload((self.folder / "draft.json").read_bytes()).predicate
        assert isinstance(fact, HostEnrolled)
        return fact

    def pin(self) -> None:
        """The charter's next version names the authority's root."""
        charter = self.regime.control.desk.state.regime.in_force()
        terms = msgspec.structs.replace(
            charter.terms,
            version=charter.terms.version + 1,
            previous=charter.digest,
            effective=self.regime.now,
            tpm_roots=(sha256_hex(authority().chain[-1]),),
        )
        envelope = signed(terms, *AUTHORITY[:3], VERIFIER[0])
        self.regime.settle(self.regime.control.submit(envelope.raw))

    def last(self) -> ReceiptGiven | None:
        """The newest receipt that the issuer has taken."""
        return self.regime.control.leases.chain("host-1").last

    def quantum(self) -> int:
        last = self.last()
        return last.quantum if last is not None else 0

    def spends(self, quanta: int = 1) -> int:
        """Wait until the host has begun so many quanta more, by the issuer's book; the number of the last."""
        wait_until(lambda: (r := self.last()) is not None and r.stage == "quantum", timeout_s=20)
        begun = self.quantum()
        wait_until(lambda: self.quantum() >= begun + quanta, timeout_s=20)
        return self.quantum()

    def ends(self) -> set[str | None]:
        """How this host's leases ended so far."""
        licences = self.regime.control.desk.state.licences.licences.values()
        return {lease.ended for licence in licences for lease in licence.leases}

    def findings(self) -> list[str]:
        """The codes of what was found about this host, as the log has them."""
        facts = (r.verified.predicate for r in self.regime.control.desk.recorded())
        return [fact.finding for fact in facts if isinstance(fact, FindingRaised)]

    def _write_home(self, address: str) -> None:
        self.home.mkdir(mode=0o700)
        write_key(self.home / "host.pem", HOST)
        root = self.regime.control.home.load_root()
        (self.home / "trust.json").write_bytes(canonical(root))
        out = self.home / "out"
        command = [sys.executable, "-m", "sekisho.canary", "--out", str(out), "--seed", "7"]
        settings = {
            "host": "host-1",
            "control": address,
            "run": "run-1",
            "command": [*command, "--run", "run-1", "--pace", "0.3"],
            "environment": {},
            "out": "out",
            "counter": "tpm",
            "tcti": self.tpm.tcti,
        }
        (self.home / "agent.json").write_bytes(canonical(settings))


@contextmanager
def tpm_host(folder: Path) -> Iterator[TpmHost]:
    """A regime, its server, a TPM and a home that is not enrolled with it yet."""
    with (
        live_regime(folder / "regime", terms=TERMS) as regime,
        serving(regime.control) as address,
        swtpm() as tpm,
    ):
        yield TpmHost(folder, regime, address, tpm)
