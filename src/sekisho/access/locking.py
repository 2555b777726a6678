"""Locking and unlocking weights on a machine: files, keys drawn at random, and the command that serves them.

A composition root of its own: a party locks where its weights lie, a host unlocks where it serves.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from sekisho.access.command import leave_by_interrupt, run_while_held
from sekisho.access.keyring import HeldKey
from sekisho.access.weights import (
    FILE_SALT,
    LockedFile,
    LockHeader,
    WeightsBroken,
    lock_stream,
    read_header,
    unlock_stream,
)
from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys import load_key
from sekisho.adapters.keys.deposit_keys import HpkeSealer
from sekisho.adapters.transport.key_client import KeyClient
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.statements import Reference, WeightsLocked
from sekisho.model.wire import canonical
from sekisho.signing.sealing import DepositKey
from sekisho.signing.weights import KEY_BYTES, SALT_BYTES, KeyDeposit, commit_key, seal_deposit

__all__ = [
    "Locking",
    "Unlocking",
    "hand_in_key",
    "lock_weights",
    "save_deposit",
    "unlock_weights",
]

Progress = Callable[[int, int], None]


class Locking(msgspec.Struct, frozen=True, kw_only=True):
    """What is locked for whom: the model, its licence and party, and the keeper's key."""

    model: str
    party: str
    licence: Reference
    keeper: DepositKey


class Unlocking(msgspec.Struct, frozen=True, kw_only=True):
    """Where a host asks, as whom, and for which `weights-locked` (its leaf digest)."""

    control: str
    host: str
    log: str
    locked: str
    key_file: Path


def lock_weights(
    source: Path, target: Path, plan: Locking, *, now: Instant, progress: Progress
) -> tuple[WeightsLocked, KeyDeposit]:
    """Encrypt `source` to `target`; the statement to be signed, and the key sealed to its keeper.

    The key is drawn here and nowhere else written down. Raises StateConflict where `target` is there, InvalidInput.
    """
    key, salt = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(SALT_BYTES)
    header = LockHeader(
        model=plan.model,
        licence=plan.licence,
        key=commit_key(key, salt),
        key_salt=salt.hex(),
        file_salt=secrets.token_hex(FILE_SALT),
    )
    with _opened(source) as reading, _new_file(target) as writing:
        total = os.fstat(reading.fileno()).st_size
        made = lock_stream(reading, writing, header, key, lambda done: progress(done, total))
    fact = WeightsLocked(
        effective=now,
        model=plan.model,
        party=plan.party,
        licence=plan.licence,
        plaintext=made.plaintext,
        ciphertext=made.ciphertext,
        bytes=made.size,
        key=header.key,
    )
    return fact, seal_deposit(key, salt, made.ciphertext, plan.keeper, HpkeSealer())


def hand_in_key(control: str, raw: bytes) -> str:
    """Hand a sealed key in at the keeper; the leaf of the weights that it locks. Raises what the keeper answers."""
    client = KeyClient(control)
    try:
        return client.send_key_deposit(raw)
    finally:
        client.close()


def unlock_weights(
    locked: Path, out: Path, plan: Unlocking, command: Sequence[str], *, progress: Progress
) -> tuple[LockedFile, str]:
    """Ask for the key and decrypt to `out` (mode 0600). With a command it runs while the key may be held.

    When the key has to go, or the command ends by itself, the command is ended and the plaintext removed: the reason is
    given. Without a command the plaintext stays. Raises StateConflict and NotAuthorised as the keeper refuses,
    WeightsBroken, WrongWeightsKey, Unavailable where there is no room; whoever is told to leave before the command runs
    leaves no plaintext either. Killed, it leaves the plaintext, and the kernel kills the command.
    """
    with _opened(locked) as reading:
        header = read_header(reading, path=str(locked))
    client, clock = KeyClient(plan.control), SystemClock()
    held = HeldKey(
        header,
        plan.locked,
        host=plan.host,
        log=plan.log,
        signer=load_key(plan.key_file),
        desk=client,
        clock=clock,
    )
    try:
        with leave_by_interrupt():
            held.ask()
            made = _decrypt(locked, out, held.key(), progress)
            if not command:
                return made, ""
            try:
                return made, run_while_held(command, held)
            finally:
                _remove(out)
    finally:
        held.drop("done")
        client.close()


def _decrypt(locked: Path, out: Path, key: bytes, progress: Progress) -> LockedFile:
    total = locked.stat().st_size
    try:
        with _opened(locked) as reading, _new_file(out) as writing:
            return unlock_stream(reading, writing, key, lambda done: progress(done, total))
    except WeightsBroken as error:
        raise WeightsBroken(f"{locked}: {error.message}", remedy=error.remedy) from None


def _remove(out: Path) -> None:
    """Take the plaintext away. What the disk and the command made of it is not reached."""
    with contextlib.suppress(FileNotFoundError):
        out.unlink()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    with file:
        yield file


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file of mode 0600 that is there whole or not at all; never over another.

    Crash within: a `.part` file that means nothing, which the next call replaces.
    """
    part = path.with_name(f"{path.name}.part")
    if path.exists():
        raise StateConflict(f"{path}: a file is already there", remedy="name another file")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", path=str(path)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        _sync_folder(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Unavailable(
                f"{path}: not written: {error.strerror}", remedy="make room, or name another place"
            ) from None
        raise


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def save_deposit(path: Path, deposit: KeyDeposit) -> None:
    """The sealed key's file: whoever has it and the keeper's private key has the weights."""
    if path.exists():
        raise StateConflict(f"{path}: a file is already there", remedy="name another file")
    replace_file(path, canonical(deposit))
