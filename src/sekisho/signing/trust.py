"""Trust roots: what a verifier brings along and never takes from what it verifies (protocol section 2)."""

from __future__ import annotations

import re

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import CharterAdopted
from sekisho.model.wire import JsonValue, canonical, from_json, parse_json
from sekisho.signing.keys import PublicKey
from sekisho.signing.notes import VerifierKey
from sekisho.signing.regime import Regime

__all__ = [
    "TrustRoot",
    "current_root",
    "find_root",
    "format_trust",
    "log_keys_of",
    "parse_policy",
    "parse_trust",
    "root_of",
    "start_regime",
    "with_former_keys",
]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class TrustRoot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The digest of charter version 1 (`sha256:...`), the log's verifier key, and the witness policy's text."""

    charter: str
    log: str
    witnesses: str

    @property
    def charter_digest(self) -> str:
        return self.charter.removeprefix("sha256:")

    @property
    def origin(self) -> str:
        """The log's origin: the name in its verifier key."""
        return self.log.split("+", 1)[0]


def parse_policy(data: bytes, *, path: str = "") -> TrustRoot:
    """Read one trust root (a `--policy` file)."""
    return _root(parse_json(data, path=path, limit=1 << 20), path)


def parse_trust(data: bytes, *, path: str = "") -> tuple[TrustRoot, ...]:
    """Read the user's trust file: a JSON list of trust roots."""
    value = parse_json(data, path=path, limit=1 << 20)
    if not isinstance(value, list):
        raise InvalidInput("a trust file is a JSON list", path=path)
    return tuple(_root(item, f"{path}[{i}]") for i, item in enumerate(value))


def format_trust(roots: tuple[TrustRoot, ...]) -> bytes:
    """The trust file's bytes; `parse_trust` reads them back."""
    return canonical(list(roots)) + b"\n"


def find_root(roots: tuple[TrustRoot, ...], origin: str) -> TrustRoot | None:
    """The root for a log's origin; the last one added wins."""
    return next((root for root in reversed(roots) if root.origin == origin), None)


def root_of(terms: CharterAdopted, digest: str) -> TrustRoot:
    """The trust root that charter version 1 amounts to, for whoever installs it by hand."""
    log = terms.log
    lines = [f"log {log.vkey}"]
    lines += [f"witness {w.name} {w.vkey}" for w in log.witnesses]
    lines.append(f"group charter {log.witness_quorum} {' '.join(w.name for w in log.witnesses)}")
    lines.append("quorum charter")
    return TrustRoot(charter=f"sha256:{digest}", log=log.vkey, witnesses="\n".join(lines) + "\n")


def current_root(root: TrustRoot, regime: Regime) -> TrustRoot:
    """What to check the log's newest checkpoint against: the trust root, as later charters have changed it.

    The root's charter stays version 1, which is what makes the rest follow. As long as no amendment speaks, the
    root's own witness policy counts, which a verifier may have made stricter.
    """
    charter = regime.charter
    if charter is None or charter.terms.version == 1:
        return root
    derived = root_of(charter.terms, charter.digest)
    return msgspec.structs.replace(derived, charter=root.charter)


def log_keys_of(root: TrustRoot) -> tuple[PublicKey, ...]:
    """The keys under which the root's log may have spoken: its own, then those of further `log` lines of its policy.

    A root that was made after the log's key changed names the new key, and keeps the old one's line behind it: the
    first entries were signed by that. Raises InvalidInput.
    """
    lines = (line.replace("\t", " ").split() for line in root.witnesses.split("\n"))
    texts = [root.log, *(words[1] for words in lines if len(words) > 1 and words[0] == "log")]
    keys = [VerifierKey.from_text(text, path="the trust root's log") for text in texts]
    own = [key for key in keys if key.name == root.origin and not key.algorithm.is_cosignature]
    return tuple(PublicKey.from_ed25519_raw(key.public_key) for key in dict.fromkeys(own))


def start_regime(root: TrustRoot) -> Regime:
    """The regime before a log's first entry, under this trust root. Raises InvalidInput."""
    keys = log_keys_of(root)
    if not keys:
        raise InvalidInput("is not an Ed25519 key of the log", path="log")
    regime = Regime.start(root.charter_digest, keys[0])
    # The last line is the oldest key: the one that opened the log.
    former = keys[-1] if len(keys) > 1 else None
    return msgspec.structs.replace(regime, former_log_key=former)


def with_former_keys(root: TrustRoot, former: TrustRoot) -> TrustRoot:
    """A root with the `log` lines of the one before behind its own, so that the log is read from its beginning."""
    kept = [line for line in former.witnesses.split("\n") if line.split()[:1] == ["log"]]
    lines = [f"log {former.log}", *kept]
    known = {line.split()[1] for line in root.witnesses.split("\n") if line.split()[:1] == ["log"]}
    added = [line for line in dict.fromkeys(lines) if line.split()[1] not in known]
    first, _, rest = root.witnesses.partition("\n")
    return msgspec.structs.replace(root, witnesses="\n".join([first, *added, rest]))


def _root(value: JsonValue, path: str) -> TrustRoot:
    root = from_json(TrustRoot, value, path=path)
    if not _DIGEST.fullmatch(root.charter):
        raise InvalidInput("is not sha256: with 64 hexadecimal digits", path=f"{path}.charter")
    if root.log.count("+") < 2:
        raise InvalidInput("is not a verifier key of a signed note", path=f"{path}.log")
    return root
