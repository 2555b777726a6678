"""`sekisho charter enrol`: a party's enrolment is drafted here, signed by who may enrol, and in the log afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.statements import PartyEnrolled, parse_payload
from tests import factory
from tests.cli.governing import Governor

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def command(governor: Governor, **changes: str | Path) -> list[str | Path]:
    """The flags of an enrolment, some changed."""
    flags: dict[str, str | Path] = {
        "--public": governor.public("maker"),
        "--organisation": "Maker Ltd",
        "--country": "TW",
        "--log": governor.log,
        "--out": governor.path("enrol.json"),
    }
    flags.update({f"--{name}": value for name, value in changes.items()})
    return ["charter", "enrol", "maker", *(part for flag in flags.items() for part in flag)]


def test_a_party_is_drafted_signed_and_in_force(governor: Governor, capsys: Capture) -> None:
    """The draft says who may sign it; once it is in the log, the party's key speaks for it."""
    page = governor.answer(capsys, *command(governor))
    assert page["predicate"]["party"] == "maker"
    assert page["quorum"] is False
    path = governor.path("enrol.json")
    fact = parse_payload(path.read_bytes()).predicate
    assert isinstance(fact, PartyEnrolled)
    assert fact.public == factory.signer("maker").public.to_text()
    governor.done("charter", path, "authority-1")
    assert governor.state.regime.parties["maker"].country == "TW"


def test_what_cannot_be_enrolled_is_refused_by_its_flag(
    governor: Governor, capsys: Capture
) -> None:
    """A private key, a country that is none, and a file that is there already: nothing is written over."""
    assert governor.call(*command(governor, public=governor.key("maker"))) == 2
    assert "give the .pub file" in capsys.readouterr().err
    assert governor.call(*command(governor, country="Taiwan")) == 2
    assert "country: is not a jurisdiction" in capsys.readouterr().err
    governor.path("enrol.json").write_text("mine")
    assert governor.call(*command(governor)) != 0
    assert governor.path("enrol.json").read_text() == "mine"
