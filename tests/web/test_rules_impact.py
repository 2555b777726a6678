"""The questionnaire on the console: what opens what, what travels in the form, what can be taken along."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.statements import ImpactAssessed, PackPublished, PackReference, parse_payload
from sekisho.rules.impact import ANSWERS_FORMAT, QUESTIONS, format_answers, parse_answers
from sekisho.web import create_app
from tests.factory import AUTHORITY, PARTY
from tests.regime import LiveRegime, live_regime

Asking = TestClient[Litestar]
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def client(regime: LiveRegime) -> Iterator[Asking]:
    app = create_app(regime.control, language="en")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as asking:
        yield asking


def post(
    client: Asking, fields: Mapping[str, object], status: int = 200, language: str = "en"
) -> str:
    answer = client.post(f"/impact?lang={language}", data=dict(fields))
    client.cookies.clear()
    assert answer.status_code == status, answer.text[-1500:]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text)
    return answer.text


def carried(text: str) -> str:
    found = re.search(r'name="answers" value="([^"]*)"', text)
    assert found is not None
    return html.unescape(found.group(1))


def asked(text: str) -> list[str]:
    return re.findall(r'name="asked" value="([^"]+)"', text)


def fill(text: str, **answers: object) -> dict[str, object]:
    """The form of a page with these answers; every question of it is sent, as a browser does."""
    fields: dict[str, object] = {"answers": carried(text), "asked": asked(text), "step": "next"}
    return {**fields, **{f"q-{name}": value for name, value in answers.items()}}


def file_of(**answers: object) -> str:
    return json.dumps({"format": ANSWERS_FORMAT, "answers": answers, "salt": "0" * 32})


def test_only_what_matters_is_opened(client: Asking) -> None:
    """Who does nothing with AI is asked nothing of chips; a firm in Japan is asked for its number."""
    text = client.get("/impact?lang=en").text
    assert "corporate_number" not in asked(text)
    text = post(client, fill(text, country="Japan", revenue="under-10m"))
    assert asked(text) == ["corporate_number"]
    text = post(client, fill(text))
    assert asked(text) == ["use"]
    text = post(client, fill(text, use="none"))
    assert asked(text) == ["exports"]


def test_what_is_left_empty_is_not_known(client: Asking) -> None:
    """Never no and never nought: the answer travels as null."""
    text = client.get("/impact?lang=en").text
    given = parse_answers(carried(post(client, fill(text))).encode(), "f").given
    assert given["country"] is None
    assert given["revenue"] is None


def test_i_do_not_know_wins_over_what_was_typed(client: Asking) -> None:
    """A ticked box says that the figure beside it does not count."""
    text = client.get("/impact?lang=en").text
    fields = {**fill(text, country="JP"), "unknown-country": "1"}
    assert parse_answers(carried(post(client, fields)).encode(), "f").given["country"] is None


def test_a_wrong_answer_is_named_where_it_stands(client: Asking) -> None:
    """The page comes again with the fault beside the question, and nothing of it is taken."""
    text = client.get("/impact?lang=en").text
    again = post(client, fill(text, country="Atlantis", name=HOSTILE), 422)
    assert "is no country" in again
    assert HOSTILE not in again
    assert html.escape(HOSTILE) in again or "&#34;&gt;&lt;script" in again
    assert parse_answers(carried(again).encode(), "f").given == {}


@pytest.mark.parametrize(
    "carry", ["{", "[]", '{"format":"other","answers":{}}', file_of(colour="red")]
)
def test_a_tampered_form_is_refused(client: Asking, carry: str) -> None:
    """What travels in the form is read as strictly as a file."""
    assert 'role="alert"' in post(client, {"answers": carry, "step": "next"}, 422)


def test_an_unknown_question_is_passed_over(client: Asking) -> None:
    """Nothing that is no question of ours enters the answers."""
    text = post(client, {"answers": file_of(), "asked": ["no-such"], "q-no-such": "1"})
    assert parse_answers(carried(text).encode(), "f").given == {}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_answer_says_scope_cost_and_whom(client: Asking, language: str) -> None:
    """Asked for early it stands on what is known, and what is not is unsure."""
    text = post(
        client, {"answers": file_of(country="JP", use="none"), "step": "finish"}, language=language
    )
    assert 'id="answer"' in text
    headings = re.findall(r'<h2 id="h-g\d+">([^<]+)</h2>', text)
    assert len(headings) >= 4
    assert "s-unverifiable" in text


def test_an_answer_can_be_changed_and_closes_what_it_opened(client: Asking) -> None:
    """A section comes again as it was filled in; what the new answer closes falls away."""
    carry = file_of(country="JP", use="train", chip_count="8", chip="H100 SXM5")
    text = post(client, {"answers": carry, "step": "change:use"})
    assert re.search(r'value="train" checked', text)
    assert 'value="H100 SXM5"' in text
    text = post(client, {**fill(text), "asked": ["use"], "q-use": "none"})
    given = parse_answers(carried(text).encode(), "f").given
    assert given["use"] == "none"
    assert "chip_count" not in given


def test_every_question_can_be_asked_on_a_page(client: Asking) -> None:
    """Each kind of question has its field, and each its words in both languages."""
    carry: dict[str, object] = dict.fromkeys(QUESTIONS)
    carry |= {"use": "fine-tune", "compute": "cloud", "exports": True, "offers_cloud": True}
    carry |= {
        "hosts_models": True,
        "export_items": ["chips", "servers", "weights"],
        "country": "JP",
    }
    carry |= {"end_user_known": True, "chip": "a chip of nobody"}
    seen: set[str] = set()
    for section in {question.section for question in QUESTIONS.values()}:
        for language in ("en", "ja"):
            step = {"answers": file_of(**carry), "step": f"change:{section}"}
            seen |= set(asked(post(client, step, language=language)))
    assert seen == set(QUESTIONS)


def test_the_answers_can_be_taken_along(client: Asking) -> None:
    """The file is the command line's own, byte for byte canonical, with its salt."""
    answer = client.post("/impact/answers.json", data={"answers": file_of(country="JP")})
    assert answer.status_code == 200
    read = parse_answers(answer.content, "f")
    assert read.given == {"country": "JP"}
    assert format_answers(read) == answer.content
    assert 'filename="answers.json"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_pack_that_counts_without_its_bytes_is_said_to_be_left_out(
    tmp_path: Path, language: str
) -> None:
    """The answer opens with a warning that names it; while every byte is at hand there is none."""
    sign = {"en": "Left out:", "ja": "除外："}[language]
    finish = {"answers": file_of(country="JP", use="none"), "step": "finish"}
    with live_regime(tmp_path / "regime") as running:
        app = create_app(running.control, language="en")
        with TestClient(app, base_url="http://127.0.0.1") as asking:
            assert sign not in post(asking, finish, language=language)
            pack = PackReference(name="lost-law", version="7", sha256="0" * 64)
            running.submit(PackPublished(effective=running.now, pack=pack, bytes=9), *AUTHORITY[:2])
            said = post(asking, finish, language=language)
    assert sign in said
    assert "lost-law 7" in said


@pytest.mark.parametrize("name", ["letter.pdf", "declaration.pdf"])
def test_the_answer_is_printed(client: Asking, name: str) -> None:
    """A PDF in the person's language; the same answers and instant give the same bytes."""
    fields = {"answers": file_of(country="JP", use="none"), "at": "2026-06-01"}
    pages = [client.post(f"/impact/{name}?lang=ja", data=fields) for _ in range(2)]
    client.cookies.clear()
    assert {answer.status_code for answer in pages} == {200}
    assert pages[0].content.startswith(b"%PDF")
    assert pages[0].content == pages[1].content


def test_the_unsigned_statement_is_for_the_key_that_will_sign(client: Asking) -> None:
    """A payload to be signed elsewhere, naming that key; without a key, or with none, nothing is drafted."""
    fields = {"answers": file_of(country="JP", use="none"), "at": "2026-06-01"}
    key = PARTY.public.to_text()
    answer = client.post("/impact/statement.json", data={**fields, "public": key})
    assert answer.status_code == 200, answer.text
    said = parse_payload(answer.content).predicate
    assert isinstance(said, ImpactAssessed)
    assert said.public == key
    for wrong in ("", "no key"):
        answer = client.post("/impact/statement.json", data={**fields, "public": wrong})
        assert answer.status_code == 422


def test_the_language_can_be_changed_in_the_middle(client: Asking) -> None:
    """The switch of a posted page posts the same form: no answer is lost."""
    text = post(client, {"answers": file_of(country="JP"), "step": "next"})
    switch = re.search(r'<form method="post" action="/impact\?lang=ja">(.*?)</form>', text)
    assert switch is not None
    assert parse_answers(carried(switch.group(1)).encode(), "f").given == {"country": "JP"}
