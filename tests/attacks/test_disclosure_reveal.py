"""Lies in a reveal: another value, another entry, another log, another proof. None is believed, each says why."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest

from sekisho.ledger import leaf_hash
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import encode_base64
from sekisho.operations.disclosing import (
    Reveal,
    RevealVerdict,
    find_concealed,
    judge_reveal,
    make_reveal,
    parse_reveal,
)
from sekisho.signing import conceal
from tests.factory import SALT, host_enrolled, signed, signer
from tests.revealed import TestHome, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    return make_home(tmp_path_factory.mktemp("reveal") / "home")


@pytest.fixture(scope="module")
def honest(home: TestHome) -> Reveal:
    return make_reveal(home.log, home.root, home.granted, "allowance_flop", home.disclosures)


def judged(home: TestHome, reveal: Reveal) -> tuple[RevealVerdict, RevealVerdict]:
    """By the log as read whole, and by the reveal's own proof."""
    found = find_concealed(home.log, home.root, reveal.leaf)
    return judge_reveal(reveal, home.root, found), judge_reveal(reveal, home.root, None)


def test_an_honest_reveal_holds_with_and_without_the_log(home: TestHome, honest: Reveal) -> None:
    """The field's name and value, known for certain; through the wire and back."""
    again = parse_reveal(honest.to_bytes())
    assert again == honest
    for verdict in judged(home, again):
        assert (verdict.verdict, verdict.name, verdict.known) == ("holds", "allowance_flop", True)
        assert verdict.value == str(62 * 10**9)


def test_a_forged_reveal_fails(home: TestHome, honest: Reveal) -> None:
    """The right name and salt with another value."""
    salt = json.loads(base64.urlsafe_b64decode(honest.disclosure + "=="))[0]
    raw = base64.urlsafe_b64decode(salt + "==")
    for text in (
        conceal("allowance_flop", "1", raw)[1].text,
        conceal("allowance_flop", str(62 * 10**9), SALT)[1].text,
        conceal("consumed_flop", str(62 * 10**9), raw)[1].text,
    ):
        for verdict in judged(home, msgspec.structs.replace(honest, disclosure=text)):
            assert (verdict.verdict, verdict.value) == ("fails", "")
            assert "forged-disclosure" in verdict.why


def test_a_reveal_under_another_leaf_fails(home: TestHome, honest: Reveal) -> None:
    """A true disclosure of the lease, shown as the lease's end: its digest is not there."""
    other = make_reveal(home.log, home.root, home.closed, "consumed_flop", home.disclosures)
    moved = msgspec.structs.replace(other, disclosure=honest.disclosure)
    for verdict in judged(home, moved):
        assert verdict.verdict == "fails"
    relabelled = msgspec.structs.replace(honest, leaf=other.leaf)
    for verdict in judged(home, relabelled):
        assert (verdict.verdict, "another entry" in verdict.why) == ("fails", True)
    renamed = msgspec.structs.replace(honest, statement=other.statement)
    for verdict in judged(home, renamed):
        assert (verdict.verdict, "another entry" in verdict.why) == ("fails", True)


def test_a_reveal_of_an_entry_that_the_log_does_not_hold_is_unverifiable(
    home: TestHome, honest: Reveal
) -> None:
    """It may be newer than the checkpoint that was read: missing evidence is neither holds nor fails."""
    absent = msgspec.structs.replace(honest, leaf="0" * 64)
    found = find_concealed(home.log, home.root, absent.leaf)
    assert judge_reveal(absent, home.root, found).verdict == "unverifiable"


def test_a_reveal_with_a_forged_entry_fails(home: TestHome, honest: Reveal) -> None:
    """A statement of the liar's own, that conceals its own value, with the honest entry's proof."""
    forged = signed(host_enrolled("host-9", of=signer("host-9")), signer("liar"))
    lie = msgspec.structs.replace(
        honest, envelope=encode_base64(forged.raw), statement=forged.digest
    )
    verdict = judge_reveal(lie, home.root, None)
    assert (verdict.verdict, "bad-proof" in verdict.why) == ("fails", True)


def test_a_reveal_with_a_damaged_proof_fails(home: TestHome, honest: Reveal) -> None:
    """Another index, a cut path, a checkpoint without its cosignatures, none at all."""
    lines = honest.proof.split("\n")
    index = next(n for n, line in enumerate(lines) if line.startswith("index "))
    note = honest.proof.index("\n\n")
    unsigned = honest.proof[: honest.proof.rindex("\n\n") + 2]
    for proof in (
        "\n".join([*lines[:index], "index 0", *lines[index + 1 :]]),
        "\n".join(lines[: index + 1]) + honest.proof[note:],
        unsigned,
        "",
    ):
        verdict = judge_reveal(msgspec.structs.replace(honest, proof=proof), home.root, None)
        assert verdict.verdict == "fails", proof


def test_a_reveal_of_a_log_that_nobody_here_trusts_is_unverifiable(
    home: TestHome, honest: Reveal
) -> None:
    """Without a root, and with another log's: never from the reveal itself."""
    elsewhere = msgspec.structs.replace(honest, log="other.example/log")
    for reveal, root in ((honest, None), (elsewhere, home.root)):
        verdict = judge_reveal(reveal, root, None)
        assert (verdict.verdict, verdict.known) == ("unverifiable", False)


def test_a_reveal_of_one_field_of_several_holds_and_is_not_known(
    home: TestHome, honest: Reveal
) -> None:
    """While other digests are unopened, one may bear the same name with another value for another reader."""
    found = find_concealed(home.log, home.root, honest.leaf)
    recorded = found.require()
    fact = recorded.verified.predicate
    second, _ = conceal("allowance_flop", "1", SALT)
    assert hasattr(fact, "concealed")
    twofold = msgspec.structs.replace(fact, concealed=(*fact.concealed, second))
    envelope = signed(twofold, signer("operator-1"))
    verified = msgspec.structs.replace(
        recorded.verified, predicate=twofold, digest=envelope.digest, envelope=envelope
    )
    leaf = leaf_hash(envelope.raw).hex()
    shown = msgspec.structs.replace(honest, leaf=leaf, statement=envelope.digest)
    read = msgspec.structs.replace(
        found, recorded=msgspec.structs.replace(recorded, leaf=leaf, verified=verified)
    )
    verdict = judge_reveal(shown, home.root, read)
    assert (verdict.verdict, verdict.unopened, verdict.known) == ("holds", 1, False)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "sekisho-reveal/v2"},
        {"leaf": "AB" * 32},
        {"extra": "field"},
        {"disclosure": 5},
        {"proof": None},
    ],
)
def test_a_reveal_of_another_form_is_bad_input(honest: Reveal, change: dict[str, object]) -> None:
    """Read strictly, in one form, up to a limit."""
    fields = {**json.loads(honest.to_bytes()), **change}
    data = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(InvalidInput):
        parse_reveal(data, path="F")
    with pytest.raises(InvalidInput, match="canonical"):
        parse_reveal(b" " + honest.to_bytes(), path="F")
    with pytest.raises(InvalidInput, match="longer"):
        parse_reveal(b"[" * (256 * 1024 + 1), path="F")
