"""The console's pages of chips, in both languages, over a register in which everything has gone wrong once."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import get_args
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.catalogue import MESSAGES, say
from sekisho.model.custody import Component, LifeState
from sekisho.registry.custody.acts import Act
from sekisho.registry.custody.book import AlertCode, Outcome, TouchRole
from sekisho.registry.passport import LIMITS, parse_passport
from sekisho.registry.passport_check import CheckName
from sekisho.registry.passport_gaps import GapKind
from sekisho.registry.passport_line import Verdict, Why
from sekisho.web import create_app
from sekisho.web.qr import qr_code
from sekisho.web.register_views import STATE_SHAPES
from sekisho.web.sentences import say_kind
from tests.chip_stories import GPU, HOSTILE, chip_regime
from tests.regime import LiveRegime

Asking = TestClient[Litestar]


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with chip_regime(tmp_path_factory.mktemp("chips")) as running:
        yield running


@pytest.fixture(scope="module")
def client(regime: LiveRegime) -> Iterator[Asking]:
    app = create_app(regime.control, language="en")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as asking:
        yield asking


@pytest.fixture(autouse=True)
def _no_memory(client: Asking) -> None:
    """The language that an earlier test asked for is forgotten."""
    client.cookies.clear()


def passport_of(epc: str, **more: str) -> str:
    query = "".join(f"&{name}={quote(value, safe='')}" for name, value in more.items())
    return f"/chips/passport?epc={quote(epc, safe='')}{query}"


PAGES = (
    "/chips",
    "/chips?party=cloud-x&state=active",
    passport_of(GPU[0]),
    passport_of(GPU[1] + "-unknown"),
    passport_of(GPU[0], at="2026-01-07"),
    passport_of(HOSTILE),
    "/chips/holdings",
    "/chips/holdings?by=custodian",
    "/chips/holdings?by=owner",
    "/chips/holdings?by=country",
    "/chips/clusters",
    "/chips/alerts",
)


class _Tags(HTMLParser):
    """Which elements a page has, what they lead to, and whether a script, style or handler stands in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.tags.append(tag)
        self.addresses += [names[a] or "" for a in ("href", "src", "action") if a in names]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.inline.append(tag)
        self.inline += [name for name in names if name == "style" or name.startswith("on")]


def tags_of(text: str) -> _Tags:
    parser = _Tags()
    parser.feed(text)
    return parser


def words_of(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_renders_in_both_languages(client: Asking, path: str, language: str) -> None:
    """Each page answers in the language asked for, loads nothing from elsewhere and has nothing inline."""
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    tags = tags_of(answer.text)
    assert tags.inline == []
    foreign = [a for a in tags.addresses if not a.startswith(("/", "#"))]
    assert foreign == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("component", get_args(Component)),
        ("state", (*get_args(LifeState), "unregistered")),
        ("act", get_args(Act)),
        ("role", get_args(TouchRole)),
        ("outcome", (*get_args(Outcome), "struck")),
        ("verdict", get_args(Verdict)),
        ("why", get_args(Why)),
        ("gap", get_args(GapKind)),
        ("check", get_args(CheckName)),
        ("limit", (*LIMITS, "proof-alone")),
        ("alert", get_args(AlertCode)),
    ],
)
def test_every_word_of_the_register_has_its_message(kind: str, words: tuple[str, ...]) -> None:
    """No state, act, gap, verdict or alert can meet a page that has no words for it; and none is left over."""
    known = {
        key.removeprefix(f"chip.{kind}.") for key in MESSAGES if key.startswith(f"chip.{kind}.")
    }
    assert known - {"lasts"} == set(words)


def test_every_state_has_a_shape() -> None:
    """A state is never said by colour alone."""
    assert set(STATE_SHAPES) == {*get_args(LifeState), "unregistered"}


def test_the_passport_page_shows_the_whole_story(client: Asking) -> None:
    """Custodian, correction struck through, gap in words, evidence, unsigned claim, alert and proof are all there."""
    text = client.get(passport_of(GPU[0])).text
    words = words_of(text)
    assert "<s>Put to use</s>" in text
    for said in (
        "Struck out by event",
        "Strikes out event",
        "Signed by cloud-x",
        "Unsigned claim",
        "A claim that nobody signed",
        "Active in two places: clone or dummy",
        "Alerts that stand: ",
        "Every line is borne out by the log",
        "recalled, to be verified",
    ):
        assert said in words
    assert 'class="qr"' in text
    assert text.count("<details>") == len(re.findall(r'<li id="e\d+"', text)) == 8


def test_each_line_leads_to_its_log_entry(client: Asking) -> None:
    """The proof of a line names an entry of the log, and the proof page knows it."""
    passport = client.get(passport_of(GPU[0])).text
    leaf = re.search(r'href="(/proof\?q=[0-9a-f]{64})"', passport)
    assert leaf is not None
    assert say_kind("custody-moved", "en") in words_of(client.get(leaf.group(1)).text)


def test_a_chip_that_nobody_registered_is_shown_as_such(client: Asking) -> None:
    """Events about an unknown identifier have a passport that says what is missing."""
    words = words_of(client.get(passport_of(GPU[1] + "-unknown")).text)
    assert "Never registered" in words
    assert "nobody vouches for what this is" in words


def test_a_look_back_is_marked(client: Asking) -> None:
    """A passport at an earlier time says that it is not the present, and ends there."""
    answer = client.get(passport_of(GPU[0], at="2026-01-07"))
    words = words_of(answer.text)
    assert "This is a look back, not the present." in words
    assert "In transit" in words
    assert "Received" not in words


def test_the_download_is_the_passport(client: Asking, regime: LiveRegime) -> None:
    """The JSON file reads back as a proven passport of this log, under a file name of ours."""
    answer = client.get(passport_of(GPU[0]).replace("passport?", "passport.json?"))
    passport = parse_passport(answer.content)
    assert (passport.log, passport.epc) == (regime.control.root.origin, GPU[0])
    assert passport.verdict == "holds"
    assert passport.entries
    assert answer.headers["content-disposition"] == 'attachment; filename="passport.json"'


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("q=GPU-0003", GPU[3], GPU[4]),
        ("q=fab/GPU-0003", GPU[3], GPU[4]),
        (f"q={quote(GPU[3])}", GPU[3], GPU[4]),
        (f"q={quote(GPU[0][:-1])}", GPU[9], GPU[10]),
        ("state=lost", GPU[17], GPU[0]),
        ("party=fab", GPU[19], GPU[0]),
        ("site=hall-x&state=active", GPU[0], GPU[1]),
        ("model=L4", "onclick", GPU[1]),
    ],
)
def test_a_chip_is_found(client: Asking, query: str, shown: str, hidden: str) -> None:
    """By serial, maker and serial, identifier or its beginning, by party, site, model and state."""
    words = words_of(client.get(f"/chips?{query}").text)
    assert shown in words
    assert f"{hidden} " not in words.replace(shown, "")


def test_nothing_found_is_said(client: Asking) -> None:
    """A search without a hit says so instead of showing everything."""
    assert "Nothing in the register fits" in client.get("/chips?q=nobody").text


def test_holdings_have_bars_and_the_same_figures_as_a_table(client: Asking) -> None:
    """Each bar's figure stands in the table too; what is not measured and what is retired is told."""
    text = client.get("/chips/holdings").text
    bars = re.findall(r'<span class="value">([^<]+) H100e</span>', text)
    assert bars
    table = text[text.index("<table") :]
    assert all(f'<td class="number">{value}</td>' in table for value in bars)
    words = words_of(text)
    assert "Abacus <b>9000</b> · package · 1" in words
    assert "15824 TPP is one H100e" in words


def test_clusters_show_each_limb(client: Asking) -> None:
    """A covered network shows three limbs with figure and limit; one with an unknown model is unverifiable."""
    words = words_of(client.get("/chips/clusters").text)
    assert "1 covered, 1 unverifiable, 0 not covered" in words
    assert "campus" in words
    assert "16813 TFLOP/s" in words
    assert "at least" in words


def test_alerts_are_listed_newest_first(client: Asking, regime: LiveRegime) -> None:
    """Every alert stands there in words, with its detail, and the newest comes first."""
    words = words_of(client.get("/chips/alerts").text)
    alerts = regime.control.papers.alerts()
    places = [alert.place for alert in alerts]
    assert places == sorted(places, reverse=True)
    details = [words.index(alert.detail) for alert in alerts if alert.code != "receipt-overdue"]
    assert details == sorted(details)
    assert "Unknown identifier" in words


def test_alerts_are_shown_a_page_at_a_time(regime: LiveRegime) -> None:
    """Whoever goes on behind an alert sees what was stored before it, and nothing twice."""
    papers = regime.control.papers
    everything = papers.alerts()
    first = papers.alerts(limit=2)
    assert (*first, *papers.alerts(before=first[-1].place)) == everything


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (passport_of("https://chips.example/nothing"), 404),
        ("/chips/passport.json?epc=nothing", 404),
        ("/chips/passport", 422),
        (passport_of(GPU[0], at="yesterday"), 422),
        (passport_of("\x00"), 422),
        ("/chips/holdings?by=colour", 422),
        ("/chips?state=broken", 422),
        ("/chips?q=" + "x" * 3000, 422),
        ("/chips/alerts?before=-1", 422),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_page(
    client: Asking, path: str, status: int
) -> None:
    """Bad input is the reader's to mend: a page with the right status, never an error of ours."""
    answer = client.get(path)
    assert answer.status_code == status
    assert "<main" in answer.text


def test_chips_stand_in_the_navigation(client: Asking) -> None:
    """The register is reached from every page, and is marked while one looks at it."""
    assert 'href="/chips">Chips</a>' in client.get("/log").text
    assert 'href="/chips" aria-current="page"' in client.get("/chips/holdings").text


def test_the_code_is_drawn_without_the_text_in_it() -> None:
    """A QR code is geometry under an escaped label; a text too long for one has none."""
    drawn = qr_code("https://chips.example/<script>", '"><script>')
    assert drawn is not None
    assert "<script" not in drawn
    assert drawn.count("<path") == 2
    assert qr_code("x" * 801, "long") is None
    assert qr_code("", "none") is None


def test_the_words_of_the_register_are_said_in_japanese(client: Asking) -> None:
    """The Japanese page has no English words of ours left in its headings."""
    words = words_of(client.get(passport_of(GPU[0]) + "&lang=ja").text)
    for key in (
        "web.passport.gaps",
        "web.passport.timeline",
        "chip.act.ship",
        "chip.evidence.unsigned",
    ):
        assert say(key, "ja") in words
    assert "Timeline" not in words


def test_the_json_of_a_passport_is_canonical(client: Asking) -> None:
    """Whoever downloads the same passport twice within one look gets a document of one form."""
    answer = client.get(passport_of(GPU[2]).replace("passport?", "passport.json?"))
    assert list(json.loads(answer.content)) == sorted(json.loads(answer.content))
