"""`sekisho show`: every form of document in words, offline."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.cli.documents import parse_document
from sekisho.model.statements import (
    KINDS,
    BudgetShare,
    EnrolledDevice,
    HostEnrolled,
    LeaseTerms,
    LicenceIssued,
    Lineage,
    OrderIssued,
    OrderReference,
    Predicate,
    Reference,
    Scope,
    Span,
    TpmEnrolled,
    make_payload,
    parse_payload,
)
from sekisho.model.wire import canonical, sha256_hex
from sekisho.signing import parse_envelope
from sekisho.signing.phrase import digest_phrase
from tests import factory, factory_kinds
from tests.cli.ceremonies import LICENSED, PAUSED, T0, KeyHolder, phrase_of, sealed_until

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def test_an_order_is_shown_with_reach_difference_and_phrase(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Under its log an order says whom it covers by name, what changes for them, who is missing, and its phrase."""
    draft = holder.order()
    shown = holder.answer(capsys, "show", draft, "--log", holder.log)
    assert (shown["form"], shown["kind"], shown["signed"]) == ("statement", "order-issued", False)
    assert shown["digest"] == sha256_hex(draft.read_bytes())
    assert shown["phrase"] == phrase_of(draft.read_bytes())
    assert shown["reach"]["hosts"] == ["host-1"]
    assert shown["reach"]["licensees"] == ["party-1"]
    assert shown["difference"]["place"] == "next"
    assert shown["difference"]["changes"] == [{"host": "host-1", "before": None, "after": "freeze"}]
    assert shown["standing"] == [
        {"constituency": "authority", "have": 0, "asked": 3},
        {"constituency": "verifiers", "have": 0, "asked": 1},
    ]
    assert not shown["quorum"]
    assert shown["warnings"] == []


def test_every_field_of_an_order_is_in_its_words(holder: KeyHolder, capsys: Capture) -> None:
    """Changing any one field of an order changes what is shown: nothing is signed unseen."""
    base = factory.order_issued(charter_digest=holder.charter_digest, now=holder.now)
    sample = factory_kinds.one_of_each()["order-issued"]
    assert isinstance(sample, OrderIssued)
    changes = {
        "log": "other.example/log",
        "charter": "1" * 64,
        "register": "pause/FR",
        "number": 2,
        "previous": "2" * 64,
        "kind": "hold",
        "scope": Scope(runs=("run-1",)),
        "effect": "checkpoint-then-stop",
        "grace_s": 61,
        "not_before": holder.now.plus(7200),
        "expires": holder.now.plus(9000),
        "on_expiry": "lapse",
        "issue_until": holder.now.plus(10_800),
        "legal_basis": "another act",
        "appeal": "none",
        "exemptions": ("run-9",),
        "lifts": factory.order_issued(lifts=()).lifts or (_reference(base),),
        "cap_percent": 40,
        "drill": True,
        "resolved": sample.resolved,
        "access": sample.access,
        "effective": holder.now.plus(-100),
    }
    fields = {field.name for field in msgspec.structs.fields(OrderIssued)} - {"crit"}
    assert set(changes) == fields
    texts = {}
    for name, value in [("", None), *changes.items()]:
        order = msgspec.structs.replace(base, **({name: value} if name else {}))
        if name == "cap_percent":
            order = msgspec.structs.replace(order, effect="cap", kind="cap")
            texts["cap"] = _words(holder, capsys, msgspec.structs.replace(order, cap_percent=41))
        texts[name] = _words(holder, capsys, order)
    assert len(set(texts.values())) == len(texts)


def _reference(order: OrderIssued) -> OrderReference:
    return OrderReference(register=order.register, number=1, digest="3" * 64)


def _words(holder: KeyHolder, capsys: Capture, predicate: Predicate) -> str:
    path = holder.path("one.json")
    path.write_bytes(make_payload(predicate))
    says = holder.answer(capsys, "show", path)["says"]
    # The digest changes with every field, so it must not be what tells two pages apart.
    return json.dumps(
        {code: text for code, text in says.items() if code not in ("digest", "phrase")}
    )


def test_every_field_of_a_licence_is_in_its_words(holder: KeyHolder, capsys: Capture) -> None:
    """Changing any one field of a licence changes what is shown."""
    base = factory.licence_issued(Reference(log=factory.ORIGIN, leaf="4" * 64))
    changes = {
        "effective": T0.plus(1),
        "number": "LIC-2",
        "licensee": "party-2",
        "run": "run-2",
        "declaration": Reference(log=factory.ORIGIN, leaf="5" * 64),
        "lineage": Lineage(scratch=False, parents=("6" * 64,)),
        "hosts": ("host-1", "host-2"),
        "devices": 2,
        "devices_root": "7" * 64,
        "sites": ("site-2",),
        "budget_flop": "10000000000001",
        "period": Span(start=T0, end=T0.plus(86_401)),
        "lease": LeaseTerms(interval_s=60, grace_s=2, quantum_s=3),
        "mode": "drain",
        "decision": msgspec.structs.replace(base.decision, rules=("rule-1",)),
        "shares": (BudgetShare(share="east", budget_flop="10000000000000"),),
        "application": Reference(log=factory.ORIGIN, leaf="8" * 64),
        "approvals": (Reference(log=factory.ORIGIN, leaf="9" * 64),),
        "egress_bytes_per_s": 1_000_000,
    }
    fields = {field.name for field in msgspec.structs.fields(LicenceIssued)}
    assert set(changes) == fields - {"crit", "counting"}  # counting has one value only
    pages = [_words(holder, capsys, base)]
    pages += [
        _words(holder, capsys, msgspec.structs.replace(base, **{name: value}))
        for name, value in changes.items()
    ]
    assert len(set(pages)) == len(pages)


def test_every_field_of_an_enrolment_is_in_its_words(holder: KeyHolder, capsys: Capture) -> None:
    """Changing any one field of a host, of one of its devices or of its TPM changes what is shown."""
    tpm = TpmEnrolled(
        endorsement=("AAAA",),
        attestation="BBBB",
        attestation_name="000b" + "1" * 64,
        counter_index=0x01805E51,
        counter_name="000b" + "2" * 64,
    )
    base = msgspec.structs.replace(factory.host_enrolled(), tpm=tpm)
    (device,) = base.devices
    other = factory.signer("other").public.to_text()
    changes: dict[str, Any] = {
        "effective": T0.plus(1),
        "host": "host-2",
        "public": other,
        "organisation": "Another",
        "site": "site-2",
        "jurisdiction": "US",
        "devices": (device, msgspec.structs.replace(device, device="host-1/device-1")),
        "counter": "C1",
        "driver": "slurm",
        "agent": "1" * 64,
        "canary": "run-2",
        "tpm": None,
    }
    of_device: dict[str, Any] = {
        "device": "host-1/gpu",
        "chip": "another",
        "peak_flop_per_s": "1000000001",
        "basis": "table",
        "public": other,
        "memory_bytes": 1 << 21,
        "emulated": True,
    }
    of_tpm: dict[str, Any] = {
        "endorsement": ("AAAB",),
        "attestation": "BBBC",
        "attestation_name": "000b" + "1" * 63 + "2",
        "counter_index": 0x01805E52,
        "counter_name": "000b" + "2" * 63 + "1",
    }
    for kind, changed in (
        (HostEnrolled, changes),
        (EnrolledDevice, of_device),
        (TpmEnrolled, of_tpm),
    ):
        assert set(changed) == {field.name for field in msgspec.structs.fields(kind)} - {"crit"}
    every = [
        base,
        *(msgspec.structs.replace(base, **{n: v}) for n, v in changes.items()),
        *(
            msgspec.structs.replace(base, devices=(msgspec.structs.replace(device, **{n: v}),))
            for n, v in of_device.items()
        ),
        *(
            msgspec.structs.replace(base, tpm=msgspec.structs.replace(tpm, **{n: v}))
            for n, v in of_tpm.items()
        ),
    ]
    pages = [_words(holder, capsys, fact) for fact in every]
    assert len(set(pages)) == len(pages)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_enrolment_that_changes_a_host_in_force_is_loud(
    holder: KeyHolder, capsys: Capture, language: str
) -> None:
    """Another key, another peak, a device more or less, another site: each is a warning, beside what is in force."""
    holder.language = "ja" if language == "ja" else "en"
    held = next(
        fact
        for kind, raw in _envelopes()
        if kind == "host-enrolled"
        and isinstance(fact := parse_payload(parse_envelope(raw).payload).predicate, HostEnrolled)
    )
    (device,) = held.devices
    more = msgspec.structs.replace(device, device="host-1/device-1")
    slower = msgspec.structs.replace(device, peak_flop_per_s="1")
    other = factory.signer("other").public.to_text()
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"effective": T0.plus(1)}, []),
        ({"public": other}, ["host-key"]),
        ({"devices": (slower,)}, ["host-device"]),
        ({"devices": (device, more)}, ["host-device-new"]),
        ({"devices": (more,)}, ["host-device-gone", "host-device-new"]),
        ({"site": "site-2", "driver": "none"}, ["host-field", "host-field"]),
        ({"host": "host-2", "public": other}, []),
    ]
    path = holder.path("host.json")
    for changed, expected in cases:
        path.write_bytes(make_payload(msgspec.structs.replace(held, **changed)))
        shown = holder.answer(capsys, "show", path, "--log", holder.log)
        assert [row["code"] for row in shown["warnings"]] == expected
        assert len(shown["difference"]) == len(expected)
        assert shown["says"]["change"]
    path.write_bytes(make_payload(held))
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert (shown["difference"], shown["warnings"]) == (None, [])


def test_signatures_are_named_by_their_keys(holder: KeyHolder, capsys: Capture) -> None:
    """Each signature shows organisation and holder of the key that made it, and the quorum as far as it has come."""
    order = factory.order_issued(charter_digest=holder.charter_digest, now=holder.now)
    signers = holder.cast.signers("authority-1", "authority-2", "authority-3", "verifier-2")
    path = holder.path("signed.json")
    path.write_bytes(factory.signed(order, *signers).raw)
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert shown["quorum"]
    assert {row["key"] for row in shown["signatures"]} == {s.public.key_id for s in signers}
    assert any('verifiers: "Verifier", "verifier 2"' in text for text in shown["says"]["signed_by"])


def test_a_stranger_and_a_forged_signature_are_loud(holder: KeyHolder, capsys: Capture) -> None:
    """A signature by no known key counts for nothing; one that claims a known key and fails is called bad."""
    order = factory.order_issued(charter_digest=holder.charter_digest, now=holder.now)
    envelope = factory.signed(order, holder.cast.signer("authority-1"), factory.signer("stranger"))
    form = json.loads(envelope.raw)
    known = holder.cast.signer("authority-2").public.key_id
    form["signatures"].append({"keyid": known, "sig": form["signatures"][0]["sig"][:-4] + "AAA="})
    path = holder.path("signed.json")
    path.write_bytes(canonical(form))
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert {w["code"] for w in shown["warnings"]} == {"unknown-signature", "bad-signature"}
    assert shown["standing"][0]["have"] == 1


def test_names_come_from_a_charter_file_that_the_root_names(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Without a log the charter itself gives the names, but only the very charter of the trust root."""
    charter = holder.path("charter.json")
    charter.write_bytes(make_payload(holder.cast.charter()))
    shown = holder.answer(capsys, "show", holder.order(), "--charter", charter)
    assert shown["standing"][0]["asked"] == 3
    assert shown["reach"] is None
    forged = msgspec.structs.replace(holder.cast.charter(), name="Another")
    charter.write_bytes(make_payload(forged))
    assert holder.call("show", holder.order(), "--charter", charter) == 1


def test_without_a_trust_root_a_document_is_shown_as_unverified(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Nothing is vouched for without a root: the words say so, and give no quorum and no reach."""
    holder.trust()
    shown = holder.answer(capsys, "show", holder.order(), "--log", holder.log)
    assert "nothing here is verified" in shown["says"]["read"][0]
    assert shown["log"] is None
    assert "standing" not in shown


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"scope": Scope(everywhere=True)}, "everywhere"),
        ({"scope": Scope(sites=("elsewhere",))}, "nobody"),
        ({"expires": T0.plus(5)}, "expired"),
        ({"issue_until": T0.plus(5)}, "stale"),
        ({"log": "other.example/log"}, "other-log"),
        ({"charter_digest": "0" * 64}, "other-charter"),
        ({"number": 3}, "place.gap"),
        ({"register": "pause/FR"}, "place.no-register"),
        ({"effect": "cap"}, "fault"),
        ({"register": "hold/JP"}, "fault"),
    ],
)
def test_what_a_reader_must_not_miss_is_a_warning(
    holder: KeyHolder, capsys: Capture, changes: dict[str, Any], warning: str
) -> None:
    """Each fault of an order has its own loud line."""
    shown = holder.answer(capsys, "show", holder.order(**changes), "--log", holder.log)
    assert warning in {row["code"] for row in shown["warnings"]}


def test_an_unknown_field_is_loud_and_an_unknown_critical_one_louder(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Fields that this program does not know are named with their values, at any depth."""
    plain = json.loads(make_payload(factory.order_issued()))
    plain["predicate"]["scope"]["planets"] = ["Mars"]
    plain["predicate"]["mercy"] = "none"
    plain["predicate"]["crit"] = ["mercy"]
    plain["subject"][0]["digest"]["sha256"] = sha256_hex(canonical(plain["predicate"]))
    path = holder.path("unknown.json")
    path.write_bytes(canonical(plain))
    shown = holder.answer(capsys, "show", path)
    assert sorted(shown["unknown_fields"]) == ["mercy", "scope.planets"]
    codes = [row["code"] for row in shown["warnings"]]
    assert codes.count("unknown-field") == 2
    assert codes.count("unknown-critical") == 1
    assert "Mars" in json.dumps(shown["warnings"])


def test_a_charter_shows_keys_powers_and_both_bounds(holder: KeyHolder, capsys: Capture) -> None:
    """Max time to halt stands beside max outage survived, and each key with its holder."""
    path = holder.path("charter.json")
    terms = holder.cast.charter()
    path.write_bytes(make_payload(terms))
    shown = holder.answer(capsys, "show", path)
    assert shown["max_outage_survived_s"] == terms.max_lease_s + terms.max_grace_s
    assert shown["max_time_to_halt_s"] == shown["max_outage_survived_s"] + 3600
    assert len(shown["says"]["key"]) == 8
    assert "pause: authority 3 + verifiers 1" in shown["says"]["power"]


def test_a_charter_version_shows_which_powers_and_keys_change(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Against the charter in force every changed key, power and term is one row."""
    old = holder.cast.charter()
    powers = tuple(g for g in old.powers if g.power != "hold")
    group = old.constituencies[1]
    held = msgspec.structs.replace(group.keys[0], public=factory.signer("new").public.to_text())
    groups = (
        old.constituencies[0],
        msgspec.structs.replace(group, keys=(held, group.keys[1])),
        old.constituencies[2],
    )
    new = msgspec.structs.replace(
        old,
        version=2,
        previous=holder.charter_digest,
        constituencies=groups,
        powers=powers,
        registers=tuple(r for r in old.registers if r.power != "hold"),
        max_lease_s=60,
    )
    path = holder.path("charter-2.json")
    path.write_bytes(make_payload(new))
    found = holder.answer(capsys, "show", path, "--log", holder.log)["difference"]
    kinds = sorted((row["what"], row["before"] is None, row["after"] is None) for row in found)
    assert kinds == [
        ("key", False, True),
        ("key", True, False),
        ("power", False, True),
        ("register", False, True),
        ("term", False, False),
    ]


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_kind_in_the_log_can_be_shown(
    holder: KeyHolder, capsys: Capture, name: str, language: str
) -> None:
    """Each statement of the honest story, and each paper beside it, has a page in both languages."""
    holder.language = "ja" if language == "ja" else "en"
    found = [raw for kind, raw in _envelopes() if kind == name]
    if not found:
        assert name in _NOT_IN_THE_STORY
    for raw in found[:2]:
        path = holder.path("entry.json")
        path.write_bytes(raw)
        assert holder.call("show", path, "--log", holder.log) == 0
        text = capsys.readouterr().out
        assert digest_phrase(parse_document(raw, path="").digest) in text


_NOT_IN_THE_STORY = {
    "agent-released",
    "application-filed",
    "approval-given",
    "balance-closed",
    "challenge-answered",
    "checkpoint-recorded",
    "chip-registered",
    "custody-moved",
    "finding-raised",
    "disclosure-deposited",
    "disclosure-erased",
    "key-compromised",
    "key-drilled",
    "order-confirmed",
    "recovery-announced",
    "recovery-vetoed",
    "signature-withdrawn",
    "host-retired",
    "impact-assessed",
    "inventory-taken",
    "irregularity-found",
    "licence-amended",
    "licence-closed",
    "licence-revoked",
    "licence-suspended",
    "outage-declared",
    "order-sealed",
    "order-opened",
    "refusal-recorded",
    "appeal-filed",
    "appeal-decided",
    "access-decided",
    "weights-locked",
    "weights-key-released",
    "production-reported",
    "usage-reported",
}


def _envelopes() -> list[tuple[str, bytes]]:
    from sekisho.ledger.tiles import Tile, decode_bundle
    from sekisho.signing import parse_envelope

    files = sealed_until(80).files
    path = next(name for name in files if "/entries/" in name)
    count = Tile.from_path(path.removeprefix("log/")).width
    raws = decode_bundle(files[path], count, path=path)
    for name, data in files.items():
        if name.endswith(".jsonl"):
            raws += data.splitlines()
    return [(parse_payload(parse_envelope(raw).payload).kind, raw) for raw in raws]


def test_a_licence_that_is_in_the_log_is_not_called_refused(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Whoever looks at the very licence of the log is told that it is there, as with an order."""
    path = holder.path("licence.json")
    path.write_bytes(next(raw for kind, raw in _envelopes() if kind == "licence-issued"))
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert [row["code"] for row in shown["warnings"]] == ["licence-logged"]


def test_papers_that_are_no_statements_are_shown(holder: KeyHolder, capsys: Capture) -> None:
    """Checkpoint, manifest, trust root, trust file, policy, verifier key, public key: each by its form."""
    root = holder.sealed.root
    vkey = root.log
    files = {
        "checkpoint": holder.sealed.files["log/checkpoint"],
        "manifest": holder.sealed.files["manifest.dsse"],
        "trust-root": canonical(root) + b"\n",
        "trust-file": canonical([root]) + b"\n",
        "policy": root.witnesses.encode(),
        "vkey": vkey.encode() + b"\n",
        "public-key": factory.LOG.public.to_text().encode() + b"\n",
    }
    for form, data in files.items():
        path = holder.path("paper")
        path.write_bytes(data)
        shown = holder.answer(capsys, "show", path)
        assert shown["form"] == form
        assert shown["phrase"] == digest_phrase(shown["digest"])
    path.write_bytes(files["checkpoint"])
    shown = holder.answer(capsys, "show", path)
    assert shown["witnessed"]
    assert len(shown["says"]["witness"]) == 2


def test_a_proof_is_shown_as_good_only_with_its_entry(holder: KeyHolder, capsys: Capture) -> None:
    """A tlog-proof names its index and its checkpoint, and says that it needs the entry's bytes."""
    from sekisho.adapters.storage import FileTileStore
    from sekisho.ledger import LogReader, Policy

    reader = LogReader(FileTileStore(Path(holder.log)))
    cosigned = reader.load_checkpoint(Policy.from_text(holder.sealed.root.witnesses))
    path = holder.path("proof")
    path.write_text(reader.prove(1, cosigned).to_text(), encoding="utf-8")
    shown = holder.answer(capsys, "show", path)
    assert shown["form"] == "proof"
    assert shown["size"] == cosigned.checkpoint.size
    assert "entry's bytes" in shown["says"]["meaning"][0]


def test_a_private_key_shows_nothing_but_its_public_part(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Of a private key the id and the public bytes are shown; a file that others can read is refused."""
    path = Path(holder.key())
    shown = holder.answer(capsys, "show", path)
    public = holder.cast.signer("authority-1").public
    assert (shown["form"], shown["digest"]) == ("private-key", public.key_id)
    assert path.read_text().splitlines()[1] not in json.dumps(shown)
    path.chmod(0o644)
    assert holder.call("show", path) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"{}",
        b'{"payloadType": "x", "payload": "", "signatures": []}',
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"\xff\xfe",
        b'{"_type": "https://in-toto.io/Statement/v1"}',
    ],
)
def test_what_is_no_document_is_bad_input_naming_the_file(
    holder: KeyHolder, capsys: Capture, data: bytes
) -> None:
    """An unknown form or a broken document is exit 2 with the file's name."""
    path = holder.path("odd.json")
    path.write_bytes(data)
    assert holder.call("show", path) == 2
    assert "odd.json" in capsys.readouterr().err


def test_japanese_words_say_the_same_data(holder: KeyHolder, capsys: Capture) -> None:
    """In Japanese only `says` and the warnings' texts differ."""
    draft = holder.order()
    english = holder.answer(capsys, "show", draft, "--log", holder.log)
    holder.language = "ja"
    japanese = holder.answer(capsys, "show", draft, "--log", holder.log)
    assert english["says"].keys() == japanese["says"].keys()
    assert "凍結" in japanese["says"]["effect"][0]
    assert {k: v for k, v in english.items() if k != "says"} == {
        k: v for k, v in japanese.items() if k != "says"
    }


def test_a_resume_shows_what_it_lifts_and_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """While pause 1 stands, its resume shows the order, its scope, and that the host becomes free."""
    holder = KeyHolder(tmp_path, monkeypatch, second=PAUSED)
    out = holder.path("resume.json")
    basis = ("--legal-basis", "Test act, section 2", "--appeal", "none")
    drafted = holder.answer(
        capsys,
        *("order", "draft", "--kind", "resume", "--lifts", "pause/JP/1", *basis),
        *("--out", out, "--log", holder.log),
    )
    assert drafted["difference"]["strictest"] == "checkpoint-then-stop"
    assert drafted["difference"]["changes"] == [
        {"host": "host-1", "before": "checkpoint-then-stop", "after": None}
    ]
    assert "pause/JP 1" in drafted["says"]["lifts"][0]


def test_show_needs_neither_server_nor_network(holder: KeyHolder) -> None:
    """A key holder's machine loads no database, no server and no HTTP client to show an order against a log folder."""
    probe = (
        "import sys; from pathlib import Path; from sekisho.cli import main\n"
        "from sekisho.settings import Settings\n"
        f"settings = Settings(home=Path('/nowhere'), trust_file=Path({str(holder.path('trust.json'))!r}))\n"
        f"assert main.call(['show', {str(holder.order())!r}, '--log', {holder.log!r}], settings) == 0\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "sekisho.ceremony" in loaded
    assert loaded.isdisjoint({"httpx", "sqlalchemy", "litestar", "numpy", "sekisho.app"})


def test_the_log_is_read_under_its_root_or_not_at_all(holder: KeyHolder, capsys: Capture) -> None:
    """A log whose entry was changed is refused, whatever the document."""
    tile = next(p for p in Path(holder.log).rglob("*") if p.is_file() and "entries" in str(p))
    data = bytearray(tile.read_bytes())
    data[200] ^= 1
    tile.write_bytes(bytes(data))
    assert holder.call("show", holder.order(), "--log", holder.log) == 1
    assert "damaged-tile" in capsys.readouterr().err


def test_an_old_tree_is_loud(holder: KeyHolder, capsys: Capture) -> None:
    """Whoever serves a tree that was witnessed long ago may hide what came since, so the page says how old it is."""
    path = holder.order(expires=T0.plus(9000), issue_until=T0.plus(9000))
    for second, expected in ((600, []), (7200, ["old-log"])):
        holder.set_clock(T0.plus(second))
        shown = holder.answer(capsys, "show", path, "--log", holder.log)
        assert [row["code"] for row in shown["warnings"]] == expected


def test_second_of_the_story_is_before_any_order() -> None:
    """The seconds that tests name stand where they say in the story."""
    assert LICENSED < 20 < PAUSED
