from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger import EMPTY_ROOT, Checkpoint, Policy, QuorumMissing, WrongOrigin
from sekisho.ledger.checkpoint import sign_checkpoint
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.signing.notes import Note, NoteSigner
from tests.ledger.logs import LOG, NOW, ORIGIN, W1, W2, policy, policy_text, private_key, signed

LOG_LINE = f"log {LOG.verifier.to_text()}\n"
W1_LINE = f"witness w1 {W1.verifier.to_text()}\n"
W2_LINE = f"witness w2 {W2.verifier.to_text()} https://w2.example/\n"


def cosigner(number: int) -> NoteSigner:
    """One of many cosigners."""
    return NoteSigner.cosigner(f"example.org/{number}", private_key(f"cosigner {number}"))


def nested() -> Policy:
    """The example of tlog-policy: two of three X and any of three Y."""
    lines = [LOG_LINE]
    for number, name in enumerate(("X1", "X2", "X3", "Y1", "Y2", "Y3")):
        lines.append(f"witness {name} {cosigner(number).verifier.to_text()}\n")
    lines += [
        "group X 2 X1 X2 X3\n",
        "group Y any Y1 Y2 Y3\n",
        "group both all X Y\n",
        "quorum both\n",
    ]
    return Policy.from_text("".join(lines))


def test_example_of_the_specification_counts_nested_groups() -> None:
    """Two of X and one of Y make the quorum; nothing less does."""
    example = nested()
    assert example.is_satisfied({"X1", "X3", "Y2"})
    assert not example.is_satisfied({"X1", "Y1", "Y2", "Y3"})
    assert not example.is_satisfied({"X1", "X2", "X3"})
    assert not example.is_satisfied(())


@given(st.sets(st.sampled_from(["X1", "X2", "X3", "Y1", "Y2", "Y3"])))
def test_quorum_of_the_example_is_its_plain_formula(names: set[str]) -> None:
    """Group counting agrees with the sentence that describes it, for every set of witnesses."""
    expected = len(names & {"X1", "X2", "X3"}) >= 2 and bool(names & {"Y1", "Y2", "Y3"})
    assert nested().is_satisfied(names) == expected


def test_policy_goes_there_and_back() -> None:
    """A policy written as text reads back as the same policy."""
    for example in (nested(), policy(), Policy.from_text(LOG_LINE + W2_LINE + "quorum none")):
        assert Policy.from_text(example.to_text()) == example


def test_comments_blanks_and_tabs_are_allowed() -> None:
    """Whitespace around words and comment lines change nothing."""
    text = f"# a comment\n\n \t{LOG_LINE.replace(' ', chr(9))}\t # so too\n{W1_LINE} quorum\tw1 \n"
    assert Policy.from_text(text).quorum == "w1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        LOG_LINE,
        LOG_LINE + "quorum none\nquorum none\n",
        LOG_LINE + "quorum w1\n" + W1_LINE,
        LOG_LINE + "logs x\nquorum none\n",
        LOG_LINE + LOG_LINE + "quorum none\n",
        f"log {W1.verifier.to_text()}\nquorum none\n",
        f"witness w1 {LOG.verifier.to_text()}\nquorum none\n",
        W1_LINE + W1_LINE.replace("witness w1", "witness w9") + "quorum none\n",
        W1_LINE + W2_LINE.replace("witness w2", "witness w1") + "quorum none\n",
        W1_LINE.replace("witness w1", "witness none") + "quorum none\n",
        W1_LINE + "group g 2 w1\nquorum g\n",
        W1_LINE + "group g 0 w1\nquorum g\n",
        W1_LINE + "group g 01 w1\nquorum g\n",
        W1_LINE + "group g most w1\nquorum g\n",
        W1_LINE + "group g all\nquorum g\n",
        W1_LINE + "group g any none\nquorum g\n",
        W1_LINE + "group g any w1 w1\nquorum g\n",
        W1_LINE + "group g any w1\ngroup h any w1\nquorum g\n",
        W1_LINE + "group g any h\ngroup h any w1\nquorum g\n",
        W1_LINE + "group w1 any w1\nquorum w1\n",
        W1_LINE + "quorum w1 w1\n",
        LOG_LINE + "quorum none\r\n",
        LOG_LINE + "quorum\u0000 none\n",
        "log nothing\nquorum none\n",
    ],
)
def test_malformed_policy_is_bad_input_with_its_line(text: str) -> None:
    """What tlog-policy does not allow is refused, and the message names the place."""
    with pytest.raises(InvalidInput) as caught:
        Policy.from_text(text, path="trust.txt")
    assert caught.value.path.startswith("trust.txt")


def test_cosigned_checkpoint_yields_names_and_times() -> None:
    """A checkpoint under the whole quorum gives each witness's newest time and their median."""
    note = signed(0, EMPTY_ROOT, (W1, W2))
    later = note.with_signatures([W1.sign(note.text, timestamp=NOW + 60)])
    cosigned = policy().verify_cosigned(later)
    assert cosigned.times == {"w1": NOW + 60, "w2": NOW}
    assert cosigned.names == {"w1", "w2"}
    assert cosigned.median_time == NOW


def test_too_few_cosignatures_miss_the_quorum() -> None:
    """One witness is not both."""
    note = signed(0, EMPTY_ROOT, (W1,))
    with pytest.raises(QuorumMissing):
        policy().verify_cosigned(note)
    assert policy("any").verify_cosigned(note).names == {"w1"}


def test_cosignatures_without_the_logs_signature_are_not_enough() -> None:
    """Witnesses cannot speak for the log."""
    note = signed(0, EMPTY_ROOT, (W1, W2))
    stripped = Note(text=note.text, signatures=note.signatures[1:])
    with pytest.raises(BadSignature):
        policy().verify_cosigned(stripped)


def test_one_witness_twice_counts_once() -> None:
    """Two cosignatures of one key at two times are one witness."""
    note = signed(0, EMPTY_ROOT, (W1,))
    twice = note.with_signatures([W1.sign(note.text, timestamp=NOW + 1)])
    with pytest.raises(QuorumMissing):
        policy().verify_cosigned(twice)


def test_checkpoint_of_another_log_is_refused() -> None:
    """The origin must be the name of the log whose key signed."""
    text = Checkpoint(origin="example.org/other", size=0, root=EMPTY_ROOT)
    note = sign_checkpoint(text, LOG)
    with pytest.raises(WrongOrigin):
        Policy.of_log(LOG.verifier).verify_cosigned(note)


def test_bare_key_is_a_policy_without_witnesses() -> None:
    """A log's key alone asks for its signature and nobody else's."""
    cosigned = Policy.of_log(LOG.verifier).verify_cosigned(signed(0, EMPTY_ROOT))
    assert (cosigned.times, cosigned.median_time) == ({}, None)


def test_policy_text_of_the_tests_names_both_witnesses() -> None:
    """The quorum `all` of two needs both."""
    assert Policy.from_text(policy_text()).groups[0].needed == 2
    assert ORIGIN in policy_text()
