"""A witness's key changes while a log is published under it, and readers of every policy go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.ledger import Policy, QuorumMissing
from sekisho.ledger.publisher import Publisher
from sekisho.signing.notes import Note, NoteSigner
from sekisho.witness.main import WitnessPlan, rotate_witness
from tests.ledger.logs import LOG, W1, W2, LogOnDisk, open_log, private_key, submission
from tests.witness.processes import running_witness

NAMES = {"w1": "example.org/w1", "w2": "example.org/w2"}


def policy_of(keys: Mapping[str, str], *, either: str = "") -> Policy:
    """Both witnesses are asked for; with `either` a second key of w1 counts as well, as one witness."""
    lines = [f"log {LOG.verifier.to_text()}"]
    lines += [f"witness {name} {key}" for name, key in keys.items()]
    first = "w1"
    if either:
        lines += [f"witness w1-next {either}", "group w1-either any w1 w1-next"]
        first = "w1-either"
    return Policy.from_text("\n".join([*lines, f"group both all {first} w2", "quorum both", ""]))


def published(log: LogOnDisk, policy: Policy, clients: Mapping[str, HttpWitness]) -> Note:
    """One more entry, published with every cosignature that this policy names."""
    log.sequencer.append([submission(f"entry {log.sequencer.size}")])
    log.sequencer.integrate()
    publisher = Publisher(
        sequencer=log.sequencer,
        store=log.store,
        tiles=log.tiles,
        policy=policy,
        witnesses={w.name: clients[w.name.removesuffix("-next")] for w in policy.witnesses},
    )
    try:
        publisher.publish()
        return publisher.publish().note  # the second round takes up whoever was late in the first
    finally:
        publisher.stop()


def takes(policy: Policy, note: Note) -> bool:
    """Whether a reader of this policy is satisfied."""
    try:
        policy.verify_cosigned(note)
    except QuorumMissing:
        return False
    return True


def test_witness_key_changes_and_readers_of_both_policies_go_on(tmp_path: Path) -> None:
    """Old policy, a policy that knows both keys as one witness, new policy; and the log never stops."""
    keys: dict[str, str] = {}
    readers: list[Policy] = []
    taken: list[list[bool]] = []
    for stage in ("old", "both", "new"):
        with (
            running_witness(tmp_path / "w1", NAMES["w1"], LOG.verifier) as (first, _),
            running_witness(tmp_path / "w2", NAMES["w2"], LOG.verifier) as (second, _),
            HttpWitness(first.address) as one,
            HttpWitness(second.address) as two,
            open_log(tmp_path / "log") as log,
        ):
            if stage == "both":
                mine = policy_of(keys, either=first.vkeys[1])
            else:
                keys = {"w1": first.vkey, "w2": second.vkey}
                mine = policy_of(keys)
            note = published(log, mine, {"w1": one, "w2": two})
            readers.append(mine)
            taken.append([takes(reader, note) for reader in readers])
        if stage == "old":
            rotate_witness(WitnessPlan(folder=tmp_path / "w1", logs=()))
        if stage == "both":
            assert takes(policy_of({**keys, "w1": first.vkeys[1]}), note)
            rotate_witness(WitnessPlan(folder=tmp_path / "w1", logs=()), finish=True)
    assert taken == [[True], [True, True], [False, True, True]]


def test_two_keys_of_one_witness_are_not_two_witnesses() -> None:
    """Both of its lines are no quorum without the other witness."""
    keys = {"w1": W1.verifier.to_text(), "w2": W2.verifier.to_text()}
    following = NoteSigner.cosigner("example.org/w1", private_key("w1 next"))
    policy = policy_of(keys, either=following.verifier.to_text())
    assert policy.is_satisfied({"w1", "w2"})
    assert policy.is_satisfied({"w1-next", "w2"})
    assert not policy.is_satisfied({"w1", "w1-next"})
