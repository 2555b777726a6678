"""Trust policies: which logs, which witnesses, and how many of them make a checkpoint good.

Source: C2SP tlog-policy. Who owns a witness is not part of it: the charter says that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from sekisho.ledger.checkpoint import Checkpoint, WrongOrigin
from sekisho.model.errors import BadSignature, InvalidInput, VerificationError
from sekisho.signing.notes import (
    Note,
    NoteAlgorithm,
    NoTrustedSignature,
    VerifiedSignature,
    VerifierKey,
    verify_note,
)

__all__ = ["Cosigned", "Group", "Policy", "QuorumMissing", "WitnessEntry"]

MAX_POLICY_BYTES = 1024 * 1024
MAX_NAMES = 1024
NO_QUORUM = "none"
_LOG_KEYS = (NoteAlgorithm.ED25519, NoteAlgorithm.COSIGNATURE_MLDSA44)


class QuorumMissing(VerificationError):
    """Too few of the policy's witnesses cosigned the checkpoint."""

    code = "quorum-missing"


class WitnessEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A witness under the name that this policy gives it; `url` is its submission prefix, if known."""

    name: str
    key: VerifierKey
    url: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group that counts as having witnessed once `needed` of its members (witnesses or groups) have."""

    name: str
    needed: int
    members: tuple[str, ...]


class Cosigned(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that satisfied a policy: the note as it came, and who cosigned it when.

    `times` gives each witness (by its name in the policy) the newest POSIX second it signed.
    """

    checkpoint: Checkpoint
    note: Note
    times: dict[str, int]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.times)

    @property
    def median_time(self) -> int | None:
        """The lower median of the cosignature times in POSIX seconds; None where nobody cosigned."""
        ordered = sorted(self.times.values())
        return ordered[(len(ordered) - 1) // 2] if ordered else None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Known logs, known witnesses, and the name (of a witness, a group or "none") that makes the quorum."""

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[WitnessEntry, ...]
    groups: tuple[Group, ...]
    quorum: str
    log_urls: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str, *, path: str = "policy") -> Policy:
        """Read a tlog-policy file. Raises InvalidInput with the line's number."""
        if len(text) > MAX_POLICY_BYTES:
            raise InvalidInput(f"longer than {MAX_POLICY_BYTES} characters", path=path)
        reader = _PolicyReader(path)
        for number, line in enumerate(text.split("\n"), start=1):
            reader.take(line, f"{path} line {number}")
        return reader.finish()

    @classmethod
    def of_log(cls, *keys: VerifierKey) -> Policy:
        """The policy that asks for the log's own signature, by any of its keys, and no witness."""
        return cls(logs=keys, witnesses=(), groups=(), quorum=NO_QUORUM)

    def to_text(self) -> str:
        """The same policy as a tlog-policy file, without comments."""
        urls = self.log_urls or ("",) * len(self.logs)
        lines = [
            f"log {key.to_text()} {url}".rstrip() for key, url in zip(self.logs, urls, strict=True)
        ]
        lines += [f"witness {w.name} {w.key.to_text()} {w.url}".rstrip() for w in self.witnesses]
        lines += [f"group {g.name} {g.needed} {' '.join(g.members)}" for g in self.groups]
        return "\n".join([*lines, f"quorum {self.quorum}"]) + "\n"

    def is_satisfied(self, names: Collection[str]) -> bool:
        """Whether cosignatures of the witnesses named make the quorum."""
        held = {NO_QUORUM, *names} - {group.name for group in self.groups}
        # A group names only what stands above it, so one walk settles all; a deep nesting must not exhaust the stack.
        for group in self.groups:
            if sum(member in held for member in group.members) >= group.needed:
                held.add(group.name)
        return self.quorum in held

    def verify_logged(self, note: Note) -> Checkpoint:
        """Check that a known log signed a checkpoint under its own name, whoever else did or did not.

        Raises BadSignature, NoTrustedSignature, WrongOrigin, InvalidInput.
        """
        try:
            verified = verify_note(note, self.logs)
        except NoTrustedSignature:
            names = ", ".join(sorted({repr(line.name[:60]) for line in note.signatures}))
            raise NoTrustedSignature(
                f"checkpoint: no signature by a log that is trusted here; the lines claim {names}",
                remedy="name this log's own key",
            ) from None
        except BadSignature as error:
            raise BadSignature(
                f"checkpoint: {error.message}",
                remedy="fetch it again, or take it from another copy",
            ) from None
        checkpoint = Checkpoint.from_text(note.text)
        if all(item.key.name != checkpoint.origin for item in verified):
            raise WrongOrigin(f"a checkpoint of {checkpoint.origin!r} under the key of another log")
        return checkpoint

    def verify_cosigned(self, note: Note) -> Cosigned:
        """Check a checkpoint against the whole policy.

        1. A known log signed, and the origin is its name; 2. every line that claims a known witness verifies;
        3. the quorum cosigned. Raises what `verify_logged` raises, BadSignature, QuorumMissing.
        """
        names = {witness.key: witness.name for witness in self.witnesses}
        checkpoint, verified = self._verify_at_once(note, names)
        times: dict[str, int] = {}
        for item in verified:
            if item.key in names and item.timestamp is not None:
                name = names[item.key]
                times[name] = max(item.timestamp, times.get(name, 0))
        if not self.is_satisfied(times):
            raise QuorumMissing(
                f"cosigned by {sorted(times) or 'nobody'}, which is not the quorum {self.quorum!r}"
            )
        return Cosigned(checkpoint=checkpoint, note=note, times=times)

    def _verify_at_once(
        self, note: Note, names: Iterable[VerifierKey]
    ) -> tuple[Checkpoint, tuple[VerifiedSignature, ...]]:
        """Every signature of log and witnesses, each tried once; what is wrong is said as `verify_logged` says it."""
        try:
            verified = verify_note(note, [*self.logs, *names])
        except (BadSignature, NoTrustedSignature):
            self.verify_logged(note)
            raise
        checkpoint = Checkpoint.from_text(note.text)
        logs = set(self.logs)
        if any(item.key in logs and item.key.name == checkpoint.origin for item in verified):
            return checkpoint, verified
        return self.verify_logged(note), verified


class _PolicyReader:
    """Takes the lines of a policy one by one; later lines may only name what earlier ones defined."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._logs: list[VerifierKey] = []
        self._log_urls: list[str] = []
        self._witnesses: dict[str, WitnessEntry] = {}
        self._groups: dict[str, Group] = {}
        self._members: set[str] = set()
        self._quorum: str | None = None

    def take(self, line: str, where: str) -> None:
        if any((ord(c) < 0x20 and c != "\t") or ord(c) == 0x7F for c in line):
            raise InvalidInput("a control character", path=where)
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            return
        takers = {
            "log": self._take_log,
            "witness": self._take_witness,
            "group": self._take_group,
            "quorum": self._take_quorum,
        }
        taker = takers.get(words[0])
        if taker is None:
            raise InvalidInput(
                f"unknown word {words[0]!r}", path=where, remedy="log, witness, group or quorum"
            )
        taker(words[1:], where)

    def finish(self) -> Policy:
        if self._quorum is None:
            raise InvalidInput(
                "no quorum line", path=self._path, remedy="end with: quorum NAME, or quorum none"
            )
        return Policy(
            logs=tuple(self._logs),
            witnesses=tuple(self._witnesses.values()),
            groups=tuple(self._groups.values()),
            quorum=self._quorum,
            log_urls=tuple(self._log_urls),
        )

    def _take_log(self, words: Sequence[str], where: str) -> None:
        _check_count(words, 1, 2, "log VKEY [URL]", where)
        key = VerifierKey.from_text(words[0], path=where)
        if key.algorithm not in _LOG_KEYS:
            raise InvalidInput("an Ed25519 cosigner key cannot be a log's", path=where)
        _check_new_key(key, self._logs, where)
        self._logs.append(key)
        self._log_urls.append(words[1] if len(words) > 1 else "")

    def _take_witness(self, words: Sequence[str], where: str) -> None:
        _check_count(words, 2, 3, "witness NAME VKEY [URL]", where)
        key = VerifierKey.from_text(words[1], path=where)
        if not key.algorithm.is_cosignature:
            raise InvalidInput("a witness key must be a cosigner's (type 04 or 06)", path=where)
        _check_new_key(key, [witness.key for witness in self._witnesses.values()], where)
        self._check_new_name(words[0], where)
        url = words[2] if len(words) > 2 else ""
        self._witnesses[words[0]] = WitnessEntry(name=words[0], key=key, url=url)

    def _take_group(self, words: Sequence[str], where: str) -> None:
        _check_count(words, 3, MAX_NAMES, "group NAME all|any|COUNT MEMBER...", where)
        name, rule, *members = words
        self._check_new_name(name, where)
        for member in members:
            if member not in self._witnesses and member not in self._groups:
                raise InvalidInput(f"{member!r} is not defined above", path=where)
            if member in self._members:
                raise InvalidInput(f"{member!r} is already a member of a group", path=where)
            self._members.add(member)
        needed = _parse_needed(rule, len(members), where)
        self._groups[name] = Group(name=name, needed=needed, members=tuple(members))

    def _take_quorum(self, words: Sequence[str], where: str) -> None:
        _check_count(words, 1, 1, "quorum NAME", where)
        if self._quorum is not None:
            raise InvalidInput("a second quorum line", path=where)
        known = words[0] in self._witnesses or words[0] in self._groups
        if words[0] != NO_QUORUM and not known:
            raise InvalidInput(f"{words[0]!r} is not defined above", path=where)
        self._quorum = words[0]

    def _check_new_name(self, name: str, where: str) -> None:
        if name == NO_QUORUM or name in self._witnesses or name in self._groups:
            raise InvalidInput(f"the name {name!r} is taken", path=where)


def _check_count(words: Sequence[str], least: int, most: int, form: str, where: str) -> None:
    if not least <= len(words) <= most:
        raise InvalidInput(f"expected {form}", path=where)


def _check_new_key(key: VerifierKey, known: Sequence[VerifierKey], where: str) -> None:
    """One key under two names would count twice."""
    if any(key.public_key == other.public_key for other in known):
        raise InvalidInput("this public key stands above under another line", path=where)


def _parse_needed(rule: str, members: int, where: str) -> int:
    if rule in ("any", "all"):
        return 1 if rule == "any" else members
    if not (rule.isascii() and rule.isdigit()) or rule.startswith("0") or len(rule) > 4:
        raise InvalidInput(f"{rule!r} is neither all, any nor a count", path=where)
    if int(rule) > members:
        raise InvalidInput(f"{rule} of {members} members can never be reached", path=where)
    return int(rule)
