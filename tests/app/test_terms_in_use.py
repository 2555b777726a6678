"""A register.json that changed under a register is told, until what follows from the events is made again."""

from __future__ import annotations

import json
from pathlib import Path

from sekisho.adapters.clocks import SystemClock
from sekisho.app import rebuild_home_register
from sekisho.app.home import Home
from sekisho.app.terms_in_use import stale_terms
from sekisho.operations.register.endorsing import Voices
from sekisho.operations.register.register import Register
from sekisho.registry.terms import Place, RegisterTerms
from sekisho.signing import Regime
from tests.registry.epcis.samples import document, made

OTHER = RegisterTerms(places=(Place(place="fab", country="TW"),))


def _nobody() -> Regime:
    raise AssertionError("nothing here is endorsed")


def _capture(home: Home) -> None:
    with home.open_register() as store:
        voices = Voices("log.example/register", _nobody)
        register = Register(store=store, terms=RegisterTerms(), voices=voices, clock=SystemClock())
        register.start()
        register.capture(json.dumps(document(made(ilmd=None))).encode())
        register.stop()


def _stale(home: Home, terms: RegisterTerms) -> str:
    with home.open_register() as store:
        return stale_terms(home, store, terms)


def test_a_register_without_events_takes_the_terms_that_it_finds(tmp_path: Path) -> None:
    """Before the first event nothing rests on the terms, so they may change."""
    home = Home.open(tmp_path)
    assert (_stale(home, RegisterTerms()), _stale(home, OTHER)) == ("", "")


def test_changed_terms_are_told_until_the_register_is_made_again(tmp_path: Path) -> None:
    """A server that ran on would show standings that no replay gives, and say nothing."""
    home = Home.open(tmp_path)
    assert _stale(home, RegisterTerms()) == ""
    _capture(home)
    assert _stale(home, RegisterTerms()) == ""
    assert "sekisho registry rebuild" in _stale(home, OTHER)
    home.register_terms.write_text('{"places":[{"place":"fab","country":"TW"}]}')
    rebuild_home_register(home, lambda *_: None)
    assert _stale(home, home.load_terms()) == ""
    assert "register.json changed" in _stale(home, RegisterTerms())
