"""What the C2SP specifications ask for and no other test here says by name. The whole table: docs/c2sp.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from sekisho.adapters.transport.witness_client import format_request
from sekisho.ledger import Checkpoint, Policy, TlogProof, sign_checkpoint
from sekisho.ledger.mirror import Mirror
from sekisho.ledger.tiles import bundles_of_tree, tiles_of_tree
from sekisho.ledger.witness import Refused
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.signing.notes import (
    Note,
    NoteSigner,
    NoTrustedSignature,
    VerifierKey,
    parse_signature_lines,
    verify_note,
)
from sekisho.witness import WitnessApp, WitnessMemory
from tests.ledger.forks import entries_of, root_of
from tests.ledger.logs import (
    LOG,
    NOW,
    ORIGIN,
    W1,
    W2,
    LocalWitness,
    MemoryTiles,
    open_log,
    private_key,
    signed,
    submission,
)
from tests.ledger.test_mirror import source_of


def witness_knowing(*keys: VerifierKey) -> WitnessApp:
    """A witness of the logs with these keys."""
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for key in keys:
        logs[key.name] = (*logs.get(key.name, ()), key)
    return WitnessApp(signers=[W1], logs=logs, memory=WitnessMemory(MemoryTiles()), now=lambda: NOW)


def ask(app: WitnessApp, note: Note, old: int = 0) -> Refused | bytes:
    """The answer to an add-checkpoint without a proof."""
    return app.answer(format_request(old, [], note.to_bytes()))


# --- signed-note ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "a\u00a0b", "a\u2003b", "a\u3000b", "a+b", "a\tb"])
def test_key_name_has_no_unicode_space_and_no_plus(name: str) -> None:
    """In a signature line as in a vkey; an empty one is none."""
    with pytest.raises(InvalidInput):
        NoteSigner(name, private_key("x"))
    line = LOG.sign("text\n").to_line().replace(ORIGIN, name)
    with pytest.raises(InvalidInput):
        Note.from_bytes(f"text\n\n{line}".encode())


def test_sixteen_signatures_are_accepted() -> None:
    """Post-quantum lines of five kilobytes each among them."""
    key = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    note = signed(3, root_of(entries_of(3)))
    lines = [NoteSigner.cosigner(f"w{n}", key).sign(note.text, timestamp=NOW) for n in range(15)]
    full = note.with_signatures(lines)
    assert len(Note.from_bytes(full.to_bytes()).signatures) == 16


def test_signature_that_shares_only_the_name_or_only_the_id_is_ignored() -> None:
    """Name and id together name a key; one of them alone is a stranger's."""
    other = NoteSigner(ORIGIN, private_key("other")).sign("text\n")
    same_id = LOG.sign("text\n").to_line().replace(ORIGIN, "example.org/else")
    note = Note(text="text\n", signatures=(other, LOG.sign("text\n")))
    assert [item.key for item in verify_note(note, [LOG.verifier])] == [LOG.verifier]
    stranger = Note.from_bytes(f"text\n\n{same_id}".encode())
    with pytest.raises(NoTrustedSignature):
        verify_note(stranger, [LOG.verifier])


# --- tlog-checkpoint --------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["a log with spaces", "a+b", "https://example.org/x", "ログ"])
def test_origin_of_any_form_is_read(origin: str) -> None:
    """That it looks like an address is advice to logs, and no rule for readers."""
    text = f"{origin}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert Checkpoint.from_text(text).origin == origin


def test_log_may_sign_as_ml_dsa_and_the_policy_takes_it() -> None:
    """A type 06 key may be a log's own; the extension lines are not under its signature."""
    log = NoteSigner.cosigner("example.org/pq", MLDSA44PrivateKey.from_seed_bytes(bytes(32)))
    text = Checkpoint(origin=log.name, size=3, root=root_of(entries_of(3))).to_text()
    note = Note(text=text, signatures=(log.sign(text, timestamp=NOW),))
    policy = Policy.from_text(f"log {log.verifier.to_text()}\nquorum none\n")
    assert policy.verify_cosigned(note).checkpoint.size == 3


# --- tlog-cosignature -------------------------------------------------------------------------


def with_extension(note: Note) -> str:
    return note.text + "an extension\n"


def test_ed25519_cosignature_covers_extension_lines() -> None:
    """A line added or changed breaks it."""
    note = signed(3, root_of(entries_of(3)))
    line = W1.sign(with_extension(note), timestamp=NOW)
    W1.verifier.verify(with_extension(note), line)
    with pytest.raises(BadSignature):
        W1.verifier.verify(note.text, line)


def test_ml_dsa_cosignature_says_nothing_about_extension_lines() -> None:
    """It signs name, time, origin, size and root; the start of a whole tree is 0."""
    signer = NoteSigner.cosigner("w", MLDSA44PrivateKey.from_seed_bytes(bytes(32)))
    note = signed(3, root_of(entries_of(3)))
    line = signer.sign(note.text, timestamp=NOW)
    signer.verifier.verify(with_extension(note), line)
    renamed = VerifierKey(
        name="other", algorithm=signer.verifier.algorithm, public_key=signer.verifier.public_key
    )
    with pytest.raises(BadSignature):
        renamed.verify(note.text, line)


def test_time_beyond_2_63_is_refused() -> None:
    """The largest is 2^63 - 1, made and verified."""
    note = signed(3, root_of(entries_of(3)))
    line = W1.sign(note.text, timestamp=2**63 - 1)
    assert W1.verifier.verify(note.text, line).timestamp == 2**63 - 1
    beyond = bytes([0x80]) + bytes(7) + line.signature[8:]
    with pytest.raises(BadSignature):
        W1.verifier.verify(
            note.text, type(line)(name=line.name, key_id=line.key_id, signature=beyond)
        )


def test_one_key_for_two_cosigners_is_refused_by_the_policy() -> None:
    """An Ed25519 cosignature does not say whose it is, so two names for one key are one witness too many."""
    key = private_key("w1")
    lines = [f"witness {n} {NoteSigner.cosigner(f'w{n}', key).verifier.to_text()}" for n in "ab"]
    with pytest.raises(InvalidInput, match="line 2"):
        Policy.from_text("\n".join([*lines, "quorum a", ""]))


# --- tlog-witness -----------------------------------------------------------------------------


def test_unknown_origin_is_404_and_untrusted_signature_is_403() -> None:
    """In this order: a log that is not known is not even verified."""
    note = signed(3, root_of(entries_of(3)))
    unknown = ask(witness_knowing(NoteSigner("example.org/b", private_key("b")).verifier), note)
    untrusted = ask(witness_knowing(NoteSigner(ORIGIN, private_key("b")).verifier), note)
    assert [r.status for r in (unknown, untrusted) if isinstance(r, Refused)] == [404, 403]


def test_witness_that_never_cosigned_says_size_zero() -> None:
    """A conflict before the first checkpoint names 0, in the type and form that clients parse."""
    refused = ask(witness_knowing(LOG.verifier), signed(3, root_of(entries_of(3))), old=2)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.body, refused.content_type) == (409, "0\n", "text/x.tlog.size")


def test_answer_is_signature_lines_and_nothing_else() -> None:
    """Each begins with an em dash and ends with a newline."""
    answer = ask(witness_knowing(LOG.verifier), signed(3, root_of(entries_of(3))))
    assert isinstance(answer, bytes)
    assert answer.decode().startswith("\u2014 example.org/w1 ")
    assert answer.endswith(b"\n")
    assert len(parse_signature_lines(answer.decode())) == 1


def test_proof_of_more_than_63_lines_is_not_sent() -> None:
    """The client refuses before anything leaves."""
    with pytest.raises(InvalidInput, match="63"):
        format_request(1, [bytes(32)] * 64, b"")


def test_log_ignores_cosignatures_of_keys_that_it_does_not_know(tmp_path: Path) -> None:
    """A witness may answer with lines of other keys; the log takes those that its policy names."""
    stranger = NoteSigner.cosigner("example.org/w1", private_key("stranger"))

    class Talkative(LocalWitness):
        def add_checkpoint(self, *request: object) -> bytes:
            answer = super().add_checkpoint(*request)  # type: ignore[arg-type]  # passed on as it came
            return stranger.sign("nonsense\n", timestamp=NOW).to_line().encode() + answer

    with open_log(tmp_path) as log:
        log.sequencer.append([submission("a")])
        log.sequencer.integrate()
        witnesses = {"w1": Talkative(W1, MemoryTiles()), "w2": LocalWitness(W2, MemoryTiles())}
        publisher = log.publisher(witnesses)
        note = publisher.publish().note
        publisher.stop()
    assert stranger.verifier.key_id not in {line.key_id for line in note.signatures}
    assert len(note.signatures) == 3


# --- tlog-tiles -------------------------------------------------------------------------------


def test_reader_asks_only_for_tiles_that_a_verified_checkpoint_promises() -> None:
    """No partial tile is guessed at, and none of another size is asked for."""
    source, target = source_of(entries_of(300)), MemoryTiles()
    Mirror(source, target, Policy.of_log(LOG.verifier)).copy()
    source.files = source_of(entries_of(600)).files
    Mirror(source, target, Policy.of_log(LOG.verifier)).copy()
    promised = {"checkpoint"}
    for size in (300, 600):
        promised |= {tile.to_path() for tile in tiles_of_tree(size)}
        promised |= {tile.to_path() for tile in bundles_of_tree(size)}
    assert set(source.asked) <= promised


def test_log_signs_its_checkpoints_with_ed25519(tmp_path: Path) -> None:
    """The one type that every public witness takes."""
    with open_log(tmp_path) as log:
        log.sequencer.append([submission("a")])
        log.sequencer.integrate()
        note = log.sequencer.signed_head()
    assert LOG.verifier.algorithm == 1
    assert Policy.of_log(LOG.verifier).verify_logged(note).size > 0


# --- tlog-proof -------------------------------------------------------------------------------


def test_extra_data_of_a_proof_proves_nothing() -> None:
    """It is carried and not looked at: whatever it says, the verdict is the same."""
    entries = entries_of(1)
    note = signed(1, root_of(entries))
    for extra in (None, b"", b"trust me"):
        proof = TlogProof(index=0, hashes=(), note=note, extra=extra)
        again = TlogProof.from_text(proof.to_text())
        assert again.verify(entries[0], Policy.of_log(LOG.verifier)).checkpoint.size == 1


# --- tlog-policy ------------------------------------------------------------------------------


def test_policy_takes_32_logs_witnesses_and_groups() -> None:
    """And more; the limits are far beyond."""
    logs = [
        f"log {NoteSigner(f'log{n}', private_key(f'l{n}')).verifier.to_text()}" for n in range(32)
    ]
    witnesses = [
        f"witness w{n} {NoteSigner.cosigner(f'w{n}', private_key(f'w{n}')).verifier.to_text()}"
        for n in range(32)
    ]
    groups = [f"group g{n} 1 w{n}" for n in range(32)]
    policy = Policy.from_text("\n".join([*witnesses, *logs, *groups, "quorum g31", ""]))
    assert (len(policy.logs), len(policy.witnesses), len(policy.groups)) == (32, 32, 32)


def test_names_of_a_policy_are_opaque() -> None:
    """The letter K and the Kelvin sign are two names."""
    keys = [NoteSigner.cosigner(f"w{n}", private_key(f"w{n}")).verifier.to_text() for n in range(2)]
    text = f"witness K {keys[0]}\nwitness \u212a {keys[1]}\ngroup g all K \u212a\nquorum g\n"
    policy = Policy.from_text(text)
    assert policy.is_satisfied(["K", "\u212a"])
    assert not policy.is_satisfied(["K"])


def test_several_keys_of_one_log_are_each_accepted() -> None:
    """While a log's key changes, two lines name one origin."""
    new = NoteSigner(ORIGIN, private_key("log next"))
    text = f"log {LOG.verifier.to_text()}\nlog {new.verifier.to_text()}\nquorum none\n"
    policy = Policy.from_text(text)
    checkpoint = Checkpoint(origin=ORIGIN, size=3, root=root_of(entries_of(3)))
    for signers in ([LOG], [new], [LOG, new]):
        assert (
            policy.verify_cosigned(sign_checkpoint(checkpoint, *signers)).checkpoint == checkpoint
        )
