"""Software TPMs with a certificate authority of their own, each in a folder of its own: what tests of TPMs speak to."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sekisho.adapters.devices.tpm_enrolment import SeatWanted, open_challenge, seat_counter
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.inspection.tpm import Dice, challenge_paper, verify_answer
from sekisho.model.statements import TpmEnrolled
from sekisho.model.tpm_papers import TpmPaper

__all__ = ["DICE", "Authority", "SwTpm", "authority", "enrol", "seat", "swtpm"]

DICE = Dice(secret=b"o" * 32, seed=b"e" * 32, nonce=b"n" * 16)


class Authority:
    """A local authority for endorsement certificates, in a folder; it is made with the first TPM that asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        lines = {
            "localca.conf": f"statedir = {folder}\nsigningkey = {folder}/signkey.pem\n"
            f"issuercert = {folder}/issuercert.pem\ncertserial = {folder}/certserial\n",
            "localca.options": "--platform-manufacturer Test\n--platform-version 1\n--platform-model Test\n",
            "setup.conf": "create_certs_tool = /usr/bin/swtpm_localca\n"
            f"create_certs_tool_config = {folder}/localca.conf\n"
            f"create_certs_tool_options = {folder}/localca.options\nactive_pcr_banks = sha256\n",
        }
        for name, text in lines.items():
            (folder / name).write_text(text)

    def manufacture(self, state: Path, *, certified: bool = True) -> None:
        """A new TPM's state, with endorsement certificates unless told otherwise."""
        state.mkdir(parents=True)
        command = ["swtpm_setup", "--tpm2", "--tpm-state", str(state), "--createek"]
        if certified:
            command.append("--create-ek-cert")
        command += ["--config", str(self._folder / "setup.conf")]
        command += ["--logfile", str(self._folder / "setup.log")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Its certificates in DER: the one that issues, then its root."""
        names = ("issuercert.pem", "swtpm-localca-rootca-cert.pem")
        return tuple(
            x509.load_pem_x509_certificate((self._folder / name).read_bytes()).public_bytes(
                Encoding.DER
            )
            for name in names
        )


@lru_cache(maxsize=1)
def authority() -> Authority:
    """The one authority of this process: a key of 3072 bits is not made for each test."""
    return Authority(_folder_of_this_process("tpmca"))


@lru_cache(maxsize=2)
def _pristine(certified: bool) -> Path:
    """A manufactured TPM's state to copy from, where a test needs one TPM and does not care which."""
    state = _folder_of_this_process("tpm") / "state"
    authority().manufacture(state, certified=certified)
    return state


def _folder_of_this_process(prefix: str) -> Path:
    folder = Path(mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class SwTpm:
    """One software TPM. `power_off` and `power_on` are what they are for a chip: a reset, with its state kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def tcti(self) -> str:
        return f"swtpm:path={self.folder}/s"

    def power_on(self) -> None:
        # Absolute paths: swtpm changes its directory. Output nowhere: it tells of each connection.
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}"]
        command += ["--ctrl", f"type=unixio,path={self.folder}/s.ctrl"]
        command += ["--server", f"type=unixio,path={self.folder}/s"]
        command += ["--flags", "not-need-init,startup-clear"]
        for name in ("s", "s.ctrl"):
            (self.folder / name).unlink(missing_ok=True)
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        begun = time.monotonic()
        while not all((self.folder / name).exists() for name in ("s", "s.ctrl")):
            assert time.monotonic() - begun < 60, "swtpm does not start"
            time.sleep(0.005)

    def power_off(self) -> None:
        """As a power cut is: nothing is told to the TPM before."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def hang(self) -> None:
        """The TPM takes questions and answers none, until `power_off`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def copy_state(self) -> Path:
        """A copy of what the TPM keeps, as an owner of the hypervisor can take it."""
        kept = Path(mkdtemp(dir=self.folder, prefix="kept"))
        shutil.copytree(self.state, kept, dirs_exist_ok=True)
        return kept

    def restore_state(self, kept: Path) -> None:
        """Put an earlier copy in its place; the TPM must be off."""
        assert self._process is None
        shutil.rmtree(self.state)
        shutil.copytree(kept, self.state)


@contextlib.contextmanager
def swtpm(*, certified: bool = True, own: bool = False) -> Iterator[SwTpm]:
    """A running TPM; `own`: manufactured for this test, so that it is another one than those of other tests."""
    folder = Path(mkdtemp(prefix="swtpm"))  # not tmp_path: a socket's path has 107 letters at most
    tpm = SwTpm(folder)
    if own:
        authority().manufacture(tpm.state, certified=certified)
    else:
        shutil.copytree(_pristine(certified), tpm.state)
    tpm.power_on()
    try:
        yield tpm
    finally:
        tpm.power_off()
        shutil.rmtree(folder)


def seat(tpm: SwTpm, host: str = "host-1", **where: int) -> tuple[TpmPaper, TpmSeat, int]:
    """A counter and an attestation key in a TPM, under a secret that is the same each time."""
    chain = authority().chain
    return seat_counter(tpm.tcti, SeatWanted(host=host, secret=b"s" * 32, chain=chain, **where))


def enrol(tpm: SwTpm, host: str = "host-1", **where: int) -> tuple[TpmEnrolled, TpmSeat]:
    """The whole of an enrolment: paper, challenge, answer, and what may be enrolled then."""
    paper, seated, _ = seat(tpm, host, **where)
    challenge = challenge_paper(paper, DICE)
    answer = open_challenge(tpm.tcti, seated, challenge)
    enrolled, _ = verify_answer(paper, challenge, answer, secret=DICE.secret)
    return enrolled, seated
