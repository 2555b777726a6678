"""All the keys of a rehearsed regime, and the founding that they sign."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys import load_or_create_key
from sekisho.app import Home, RegimeFile
from sekisho.model.instants import Instant
from sekisho.model.statements import CharterKey, Predicate, make_payload
from sekisho.operations.founding import (
    FoundingPlan,
    WitnessPlan,
    approvals_asked,
    draft_founding,
)
from sekisho.signing import (
    Ed25519Signer,
    Envelope,
    TrustRoot,
    parse_envelope,
    root_of,
    sign_payload,
)
from sekisho.signing.keys import Signer

__all__ = ["OWNER", "WITNESSES", "Cast", "origin_of"]

ORIGIN = "sekisho.example/rehearsal"
OWNER = "Rehearsal on one machine"
WITNESSES = ("sekisho.example/w1", "sekisho.example/w2")
HEARTBEAT_S = 30
HALT_VERDICT_S = 900


class Cast:
    """Authority 1 to 5, verifier 1, the observer (verifier 2), the operator and the licensee of one home.

    A key is read when somebody signs with it, so that serving a founded home reads none of the signers'.
    """

    def __init__(self, home: Home) -> None:
        self.home = home

    @cached_property
    def authority(self) -> tuple[Ed25519Signer, ...]:
        return tuple(self._key(f"authority-{n}") for n in range(1, 6))

    @cached_property
    def verifier(self) -> Ed25519Signer:
        return self._key("verifier-1")

    @cached_property
    def observer(self) -> Ed25519Signer:
        return self._key("verifier-2")

    @cached_property
    def party(self) -> Ed25519Signer:
        return self._key("party-1")

    @cached_property
    def operator(self) -> Ed25519Signer:
        return load_or_create_key(self.home.keys / "operator.pem")

    @property
    def pause_quorum(self) -> tuple[Signer, ...]:
        """Three of five of the authority, and one verifier."""
        return (*self.authority[:3], self.verifier)

    def sign(self, predicate: Predicate, *signers: Signer) -> Envelope:
        return sign_payload(make_payload(predicate), signers)

    def found(self, log_vkey: str, witness_vkeys: Sequence[str], *, now: Instant) -> TrustRoot:
        """Draft and sign charter version 1 and keep it with the trust root. A crash before the root: begun again."""
        terms = draft_founding(
            FoundingPlan(
                name=OWNER,
                profile="authority",
                jurisdiction="JP",
                log_vkey=log_vkey,
                log_owner=OWNER,
                constituencies={
                    "authority": [
                        _held(k, f"authority {n}") for n, k in enumerate(self.authority, 1)
                    ],
                    "verifiers": [
                        _held(self.verifier, "verifier 1"),
                        _held(self.observer, "observer"),
                    ],
                    "operators": [_held(self.operator, "operator 1")],
                },
                witnesses=[WitnessPlan(vkey=vkey, owner=OWNER) for vkey in witness_vkeys],
                orders_in_force_every_s=HEARTBEAT_S,
                halt_verdict_s=HALT_VERDICT_S,
                licence_approvals=approvals_asked("authority"),
            ),
            now=now,
        )
        envelope = self.sign(terms, *self.pause_quorum)
        root = root_of(terms, envelope.digest)
        replace_file(self._charter_file, envelope.raw)
        self.home.save_root(root)
        return root

    def load_charter(self) -> Envelope:
        """Charter version 1 as it was founded."""
        return parse_envelope(self._charter_file.read_bytes(), path=str(self._charter_file))

    @property
    def _charter_file(self) -> Path:
        return self.home.path / "charter.json"

    def _key(self, name: str) -> Ed25519Signer:
        return load_or_create_key(self.home.signers / f"{name}.pem")


def origin_of(home: Home) -> str:
    """The log origin of a home, drawn at its first use: no two rehearsals bear one name.

    A crash after it was drawn leaves a home that is not founded yet and keeps its name.
    """
    if not (home.path / "regime.json").exists():
        origin = f"{ORIGIN}-{secrets.token_hex(4)}"
        home.save_regime(RegimeFile(origin=origin, witnesses=WITNESSES))
    return home.load_regime().origin


def _held(key: Signer, holder: str) -> CharterKey:
    return CharterKey(public=key.public.to_text(), organisation=OWNER, holder=holder)
