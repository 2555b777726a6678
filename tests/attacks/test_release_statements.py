"""Attacks on what the log says of a release: the repository's own signatures are never enough."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import KeyCompromised
from sekisho.model.wire import canonical, encode_base64
from sekisho.ports.control import Feed, FeedItem
from tests.factory import AUTHORITY, VERIFIER, signed
from tests.fake_control import WITNESSES
from tests.released import OFFLINE, ONLINE, QUORUM, Updating, make_tar


@pytest.fixture
def updating(tmp_path: Path) -> Updating:
    return Updating(tmp_path)


def test_statement_missing_from_the_log(updating: Updating) -> None:
    """The repository's whole quorum alone installs nothing: nobody vouches for it in the log."""
    updating.release(1, logged=False)
    assert updating.update() == "unknown-statement"
    assert updating.shelf().current == 0


def test_statement_without_its_quorum(updating: Updating) -> None:
    """Where the charter asks two constituencies, one of them releases nothing, however many of its keys signed."""
    data = make_tar({"a": b"a"})
    fact = updating.fact(1, data)
    alone = signed(fact, *AUTHORITY[:3])
    with pytest.raises(NotAuthorised, match="publish-agent"):
        updating.control.admit(alone)
    slip_in(updating, alone.raw)
    updating.publisher.offer(updating.publisher.file("agent.tar", data), alone, fact)
    assert updating.update() == "unknown-statement"
    assert updating.shelf().current == 0


def slip_in(updating: Updating, raw: bytes, *, proven: bool = True) -> None:
    """A control plane that logs, or tells, what it should not."""
    control = updating.control
    if not proven:
        control.feed.append((-1, "agent-released", raw))
        return
    control.feed.append((control.log.append(raw), "agent-released", None))


def test_statement_not_witnessed(updating: Updating) -> None:
    """The full quorum's statement without its proof in a witnessed checkpoint counts for nothing yet."""
    data = make_tar({"a": b"a"})
    fact = updating.fact(1, data)
    envelope = signed(fact, *QUORUM)
    slip_in(updating, envelope.raw, proven=False)
    updating.publisher.offer(updating.publisher.file("agent.tar", data), envelope, fact)
    assert updating.update() == "unknown-statement"
    updating.control.admit(envelope)
    assert updating.update() == "newer"


def test_statement_proven_by_one_witness_only(updating: Updating) -> None:
    """A proof whose checkpoint too few witnesses signed is none."""
    fact = updating.release(1)
    control = updating.control
    index = control.indexes[signed(fact, *QUORUM).digest]

    def fewer(host: str, after: int, wait_s: int) -> Feed:
        items = [
            FeedItem(
                envelope=control.log.entries[row],
                proof=control.log.prove(
                    row, control.now(), cosigners=WITNESSES[:1] if row == index else WITNESSES
                ),
            )
            for row, _, _ in control.feed
        ]
        return Feed(next=len(items), items=tuple(items))

    control.fetch_feed = fewer  # type: ignore[method-assign]  # a control plane that lies
    assert updating.update() == "unknown-statement"


def test_downgrade_that_the_repository_allows(updating: Updating) -> None:
    """Signers of the repository who offer an older release under newer roles are refused by its number."""
    updating.release(1)
    updating.release(2)
    assert updating.update() == "newer"
    targets = updating.publisher.repository._next(
        "targets", updating.control.now()
    )  # as its signers could
    del targets.signed.targets[max(targets.signed.targets)]
    updating.publisher.repository._stage("targets", targets)  # the same
    assert updating.publisher.finish()
    assert updating.update() == "withheld-release"
    forget(updating, sequence=2)
    assert updating.update() == "downgrade"
    assert updating.shelf().current == 2


def forget(updating: Updating, *, sequence: int) -> None:
    """A control plane that no longer tells of a release; the host's own shelf remembers it."""
    control = updating.control
    gone = {
        control.indexes[verified.digest]
        for verified in control.statements
        if getattr(verified.predicate, "sequence", None) == sequence
    }
    control.feed = [row for row in control.feed if row[0] not in gone]


def test_newest_release_withheld(updating: Updating) -> None:
    """A repository that stays behind the log is not followed to its older file."""
    updating.release(1)
    data = make_tar({"b": b"b"})
    updating.control.admit(signed(updating.fact(2, data), *QUORUM))
    assert updating.update() == "withheld-release"
    assert updating.shelf().current == 0


def test_sequence_reused_with_another_digest(updating: Updating) -> None:
    """A number that once was one file is never another one, whatever log and repository agree on today."""
    updating.release(1)
    assert updating.update() == "newer"
    forget(updating, sequence=1)
    updating.release(1, make_tar({"other": b"bytes"}), version="1.1-bis")
    assert updating.update() == "reused-sequence"
    assert updating.shelf().current == 1


def test_two_files_under_one_number_in_the_log(updating: Updating) -> None:
    """A host that was told of both takes neither."""
    data = make_tar({"other": b"bytes"})
    updating.control.admit(signed(updating.fact(1, data), *QUORUM))
    updating.release(1)
    assert updating.update() == "reused-sequence"


def test_release_of_a_key_that_was_lost(updating: Updating) -> None:
    """Once a key behind it is reported and the quorum is short without it, the release is not installed any more."""
    updating.release(1)
    report = KeyCompromised(
        effective=updating.control.now(),
        key=AUTHORITY[0].public.key_id,
        since=updating.control.now().plus(-3_600),
        reason="stolen",
    )
    updating.control.admit(signed(report, AUTHORITY[1], VERIFIER[1]))
    assert updating.update() == "doubtful-statement"


def test_going_back_takes_a_signed_reason_and_a_word(updating: Updating) -> None:
    """Earlier bytes come back under a newer number only: with a reason in the log, and `--back` on the host."""
    data = make_tar({"a": b"first"})
    updating.release(1, data)
    assert updating.update() == "newer"
    updating.release(2)
    assert updating.update() == "newer"
    assert updating.update(back=True) == "current"
    updating.release(3, data, version="1.1", reason="1.2 leaks handles")
    assert updating.update() == "undo-unasked"
    assert updating.update(back=True) == "newer"
    assert updating.shelf().current == 3
    updating.release(4)
    assert updating.update(back=True) == "no-undo"


def test_going_back_without_a_reason(updating: Updating) -> None:
    """A quorum that names earlier bytes again and does not say why is not followed, with or without the word."""
    data = make_tar({"a": b"first"})
    updating.release(1, data)
    updating.release(2, data)
    assert updating.update() == "silent-undo"
    assert updating.update(back=True) == "silent-undo"


def test_repository_that_describes_another_file(updating: Updating) -> None:
    """A line that borrows a real statement for other bytes is an attack."""
    fact = updating.release(1)
    other = make_tar({"other": b"x"})
    lie = msgspec.structs.replace(updating.fact(1, other), version=fact.version)
    file = updating.publisher.file("agent1.tar", other)
    digest = signed(fact, *QUORUM).digest
    updating.publisher.repository.offer(file, lie, digest, updating.control.now())
    assert updating.publisher.finish(signers=(*OFFLINE[1:], ONLINE))
    assert updating.update() == "other-release"


def test_the_hosts_own_journal_is_verified_again(updating: Updating) -> None:
    """A line that somebody wrote into the home is no statement; what the agent kept is believed with its proof only."""
    fact = updating.fact(1, make_tar({"a": b"a"}))
    envelope = signed(fact, *AUTHORITY[:3])
    line = {
        "envelope": encode_base64(envelope.raw),
        "kind": "agent-released",
        "proof": None,
        "seen": str(updating.control.now()),
    }
    (updating.home / "followed.jsonl").write_bytes(canonical(line) + b"\n{torn")
    updating.publisher.offer(
        updating.publisher.file("agent.tar", make_tar({"a": b"a"})), envelope, fact
    )
    assert updating.update() == "unknown-statement"
    assert (updating.home / "followed.jsonl").read_bytes().endswith(b"{torn")


def test_without_the_control_plane(updating: Updating) -> None:
    """Silence of the control plane makes nothing verifiable: what this host was never told, it does not take."""
    updating.release(1)
    updating.control.is_silent = True
    with updating.open() as update:
        assert not update.heard
        assert update.judge().verdict == "unverifiable"
    updating.control.is_silent = False
    assert updating.update() == "newer"
