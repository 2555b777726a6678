from __future__ import annotations

import json

import msgspec
import pytest

from sekisho.ledger import Policy
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.signing import TrustRoot, find_root, format_trust, parse_policy, parse_trust, root_of
from sekisho.signing.notes import NoteSigner
from tests.factory import LOG, ORIGIN, charter, charter_envelope, signer

ROOT = TrustRoot(
    charter=f"sha256:{'0' * 64}", log=f"{ORIGIN}+00000000+AAAA", witnesses="quorum none\n"
)


def real_root() -> TrustRoot:
    """The root of a charter whose log and witnesses have real keys."""
    log = NoteSigner(ORIGIN, LOG.private)
    known = charter().log.witnesses
    witnesses = tuple(
        msgspec.structs.replace(
            w,
            vkey=NoteSigner.cosigner(
                f"{w.name}.example", signer(w.name).private
            ).verifier.to_text(),
        )
        for w in known
    )
    terms = charter(log_vkey=log.verifier.to_text(), witnesses=witnesses)
    return root_of(terms, charter_envelope(terms).digest)


def test_trust_files_go_there_and_back() -> None:
    """A trust file is a list of policies, each of which is a file of its own."""
    roots = (ROOT, real_root())
    assert parse_trust(format_trust(roots)) == roots
    assert parse_policy(canonical(roots[1])) == roots[1]
    assert parse_trust(b"[]") == ()
    assert set(json.loads(canonical(ROOT))) == {"charter", "log", "witnesses"}


def test_the_root_of_a_charter_is_a_policy_that_the_ledger_reads() -> None:
    """Log key, witnesses and quorum of the charter, in tlog-policy's words."""
    root = real_root()
    policy = Policy.from_text(root.witnesses)
    assert root.origin == ORIGIN
    assert len(root.charter_digest) == 64
    assert root.witnesses.splitlines()[-2:] == ["group charter 2 w1 w2", "quorum charter"]
    assert policy.to_text() == root.witnesses


def test_the_root_added_last_wins() -> None:
    """A log's root may be replaced by hand; another log's root is not its root."""
    newer = TrustRoot(charter=f"sha256:{'1' * 64}", log=ROOT.log, witnesses="quorum none\n")
    assert find_root((ROOT, newer), ORIGIN) == newer
    assert find_root((ROOT,), "log.example/other") is None
    assert find_root((), ORIGIN) is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"charter": "0" * 64}, "trust.json[1].charter"),
        ({"charter": "sha256:" + "A" * 64}, "trust.json[1].charter"),
        ({"charter": "sha256:" + "0" * 64 + "\n"}, "trust.json[1].charter"),
        ({"log": "just a name"}, "trust.json[1].log"),
        ({"log": 5}, "trust.json[1].log"),
        ({"extra": 1}, "trust.json[1]"),
        ({"witnesses": None}, "trust.json[1].witnesses"),
    ],
)
def test_a_bad_root_is_named_by_its_place(change: dict[str, object], path: str) -> None:
    """The error says which entry and field of the trust file is wrong."""
    good = json.loads(canonical(ROOT))
    with pytest.raises(InvalidInput) as refused:
        parse_trust(json.dumps([good, {**good, **change}]).encode(), path="trust.json")
    assert refused.value.path == path


@pytest.mark.parametrize("data", [b"{}", b"", b"[[]]", b'[{"charter":1}]', b"\xef\xbb\xbf[]"])
def test_another_document_is_no_trust_file(data: bytes) -> None:
    """A policy is no list of policies, and neither is anything else."""
    with pytest.raises(InvalidInput):
        parse_trust(data)
