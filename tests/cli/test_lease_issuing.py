"""`sekisho lease grant` and `list`: a request file answered by an issuer that runs, and what the log says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.cli.main import call
from sekisho.licensing.carrying import parse_carried
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseGranted, LeaseRequested, parse_payload
from sekisho.operations.licence_drafts import draft_suspension
from sekisho.settings import Settings
from sekisho.signing import parse_envelope
from tests.factory import AUTHORITY, signed
from tests.regime import LiveRegime, key_of, live_regime
from tests.web.serving import serving


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("issuer")) as made:
        yield made


@pytest.fixture(scope="module")
def address(regime: LiveRegime) -> Iterator[str]:
    with serving(regime.control) as served:
        yield served


def sekisho(regime: LiveRegime, *arguments: str) -> int:
    home = regime.control.home.path
    return call([*arguments, "--json"], Settings(home=home, trust_file=home / "trusted.json"))


def told(capsys: pytest.CaptureFixture[str]) -> object:
    return json.loads(capsys.readouterr().out)


def test_a_request_file_is_answered_and_listed(
    regime: LiveRegime,
    address: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lease file carries lease, witnessed proof and disclosure; the list names host, number and term."""
    request, lease = tmp_path / "request", tmp_path / "lease"
    request.write_bytes(regime.lease_request("host-1").raw)
    asked = ("lease", "grant", str(request), "--out", str(lease), "--control", address)
    assert sekisho(regime, *asked) == 0
    document = told(capsys)
    assert isinstance(document, dict)
    assert (document["host"], document["number"], document["term"]) == ("host-1", 1, 1)
    carried = parse_carried(lease.read_bytes()).lease
    assert carried is not None
    fact = parse_payload(parse_envelope(carried.envelope).payload).predicate
    assert isinstance(fact, LeaseGranted)
    assert carried.proof.startswith("c2sp.org/tlog-proof")
    assert len(carried.disclosures) == 1
    assert sekisho(regime, *asked) == 2, "never over a file"
    capsys.readouterr()
    assert sekisho(regime, "lease", "list", "--host", "host-1") == 0
    rows = told(capsys)
    assert isinstance(rows, list)
    (row,) = rows
    assert (row["host"], row["number"], row["term"], row["ended"]) == ("host-1", 1, 1, None)
    assert int(row["allowance_flop"]) > 0, "the environment's home opens what it keeps itself"
    place = regime.control.home.path
    assert sekisho(regime, "lease", "list", "--log", str(place / "public/log")) == 0
    outside = told(capsys)
    assert isinstance(outside, list)
    assert outside[0]["allowance_flop"] is None, "an outsider's reading: nobody disclosed it"
    home = str(place)
    assert sekisho(regime, "lease", "list", "--home", home) == 0
    own = told(capsys)
    assert isinstance(own, list)
    assert int(own[0]["allowance_flop"]) > 0, "the home's own private store opens it"
    for words in (
        ("licence", "show", "LIC-1"),
        ("licence", "list"),
        ("licence", "burn-down", "LIC-1"),
    ):
        assert sekisho(regime, *words, "--home", home) == 0
    assert sekisho(regime, "lease", "list", "--host", "host-2") == 0
    capsys.readouterr()
    again = ("lease", "grant", str(request), "--out", str(tmp_path / "b"), "--control", address)
    assert sekisho(regime, *again) == 0, "the same lease once more"
    capsys.readouterr()

    later = regime.now.plus(90_000)

    class Later:
        def now(self) -> Instant:
            return later

    monkeypatch.setattr("sekisho.ceremony.SystemClock", Later)
    (tmp_path / "b").unlink()
    assert sekisho(regime, *again) == 1, "that lease has ended"
    assert "of no use to it any more" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("control", ["ftp://x", "here", "file:///etc"])
def test_an_issuer_is_asked_at_a_web_address_only(
    regime: LiveRegime, tmp_path: Path, capsys: pytest.CaptureFixture[str], control: str
) -> None:
    """Bad input that names the option; one that does not answer is not said to be tried again."""
    request = tmp_path / "request"
    request.write_bytes(regime.lease_request("host-1").raw)
    asked = ("lease", "grant", str(request), "--out", str(tmp_path / "out"), "--control")
    assert sekisho(regime, *asked, control) == 2
    assert "--control" in capsys.readouterr().err
    assert sekisho(regime, *asked, "http://127.0.0.1:1") == 4
    assert "it is tried again" not in capsys.readouterr().err


def test_a_licence_closed_by_its_home_is_listed_as_closed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any witness has seen the closing: the home knows its own entry, the public log does not yet."""
    with live_regime(tmp_path) as made:
        home = str(made.control.home.path)
    assert sekisho(made, "licence", "close", "LIC-1", "--yes", "--home", home) == 0
    capsys.readouterr()
    assert sekisho(made, "licence", "list", "--home", home) == 0
    rows = told(capsys)
    assert isinstance(rows, list)
    assert [row["status"] for row in rows] == ["closed"]


def test_a_refusal_says_every_reason_and_writes_nothing(
    regime: LiveRegime, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, and no lease file."""
    request, lease = tmp_path / "request", tmp_path / "lease"
    fact = parse_payload(regime.lease_request("host-2").payload).predicate
    assert isinstance(fact, LeaseRequested)
    asked = signed(msgspec.structs.replace(fact, number=9), key_of("host-2"))
    request.write_bytes(asked.raw)
    code = sekisho(
        regime, "lease", "grant", str(request), "--out", str(lease), "--control", address
    )
    assert (code, lease.exists()) == (1, False)
    assert "asks for lease 9, its last is 0" in capsys.readouterr().err


def test_what_is_no_request_is_bad_input(
    regime: LiveRegime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent; the message says what it is instead."""
    other = tmp_path / "other"
    other.write_bytes(regime.control.desk.recorded()[1].verified.envelope.raw)
    code = sekisho(regime, "lease", "grant", str(other), "--out", str(tmp_path / "out"))
    assert code == 2
    assert "expected a lease-requested" in capsys.readouterr().err


def test_without_an_address_it_says_how_to_start_the_issuer(
    regime: LiveRegime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A home that is not being served."""
    request = tmp_path / "request"
    request.write_bytes(regime.lease_request("host-1").raw)
    code = sekisho(
        regime,
        "lease",
        "grant",
        str(request),
        "--out",
        str(tmp_path / "out"),
        "--home",
        str(tmp_path),
    )
    assert code == 2
    assert "sekisho up --home" in capsys.readouterr().err


def test_a_lease_of_a_suspended_licence_is_not_carried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The issuer gives the lease once more; whoever would carry it is told why that is of no use."""
    request, out = tmp_path / "request", tmp_path / "lease"
    with live_regime(tmp_path) as made, serving(made.control) as served:
        request.write_bytes(made.lease_request("host-1").raw)
        asked = ("lease", "grant", str(request), "--out", str(out), "--control", served)
        assert sekisho(made, *asked) == 0
        out.unlink()
        state = made.control.desk.state
        fact = draft_suspension(state, "LIC-1", "looked into", now=made.now)
        made.settle(made.submit(fact, *AUTHORITY[:2]))
        assert sekisho(made, *asked) == 1
    assert "is suspended since" in capsys.readouterr().err
    assert not out.exists()
