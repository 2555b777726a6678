"""The console's pages of rules, in both languages: packs, a pack on a date, decisions, classes, comparisons, impact."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.app import PublicationPlan, draft_publication, keep_pack
from sekisho.catalogue import MESSAGES
from sekisho.rules import pack_names
from sekisho.web import create_app
from sekisho.web.rules_comparing import MOST_POPULATION, MOST_ROWS
from tests.factory import AUTHORITY
from tests.overlays import overlay
from tests.regime import LiveRegime

Asking = TestClient[Litestar]
PAGES = (
    "/rules",
    "/rules/decide",
    "/rules/decide?form=training-run",
    "/rules/decide?form=json",
    "/rules/classify",
    "/rules/what-if",
    "/impact",
    *(f"/rules/{name}" for name in pack_names()),
)
HOSTILE = '"><script>alert(1)</script>'
TRANSFER = {
    "form": "transfer",
    "chip": "H100 SXM5",
    "count": "8",
    "activity": "export",
    "origin": "US",
    "destination": "CN",
}


@pytest.fixture(scope="module")
def client(regime: LiveRegime) -> Iterator[Asking]:
    app = create_app(regime.control, language="en")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as asking:
        yield asking


def words(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def check_clean(text: str) -> None:
    """No inline script or style, and no foreign address."""
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)
    assert HOSTILE not in text


def page(client: Asking, path: str, language: str = "en", status: int = 200) -> str:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    client.cookies.clear()
    assert answer.status_code == status, answer.text[-2000:]
    check_clean(answer.text)
    return words(answer.text)


def post(client: Asking, path: str, data: object, status: int = 200, language: str = "en") -> str:
    answer = client.post(f"{path}?lang={language}", data=data)  # type: ignore[arg-type]  # passed through
    client.cookies.clear()
    assert answer.status_code == status, answer.text[-2000:]
    check_clean(answer.text)
    return answer.text


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_renders_in_both_languages(client: Asking, path: str, language: str) -> None:
    """Each answers without anything inline, in the language asked for."""
    assert page(client, path, language)


def test_every_link_leads_somewhere(client: Asking) -> None:
    """Whatever the list of packs and a pack's page link to is there."""
    for start in ("/rules", "/rules/us-ear", "/rules/loop-2026"):
        text = client.get(start).text
        for path in set(re.findall(r'href="(/rules[^"#]*|/impact[^"#]*)', text)):
            assert client.get(html.unescape(path)).status_code == 200, path
        for anchor in set(re.findall(r'href="#([^"]+)"', text)):
            assert f'id="{anchor}"' in text


def test_the_list_says_what_counts_and_what_is_only_at_hand(
    client: Asking, regime: LiveRegime
) -> None:
    """The published pack counts; a shipped one that nobody published is said to be so."""
    text = client.get("/rules?lang=en").text
    rows = {
        name: re.search(rf"<tr>\s*<th[^>]*><a[^>]*>{name}</a>.*?</tr>", text, re.DOTALL)
        for name in ("loop-2026", "us-ear")
    }
    published, shipped = rows["loop-2026"], rows["us-ear"]
    assert published is not None
    assert shipped is not None
    assert "Published, in force" in words(published.group(0))
    assert "Not published" in words(shipped.group(0))


def test_a_published_overlay_is_read_over_its_base(
    client: Asking, regime: LiveRegime, tmp_path: Path
) -> None:
    """Its page names the base and shows the base's rules with its own value beside."""
    control = regime.control
    data = overlay()
    pack = control.home.parse_pack(data, "loop-tightened.yaml")
    state = control.desk.state
    fact = draft_publication(state, pack, data, PublicationPlan(), now=regime.now)
    assert keep_pack(control.home, state, pack, data) == ("loop-tightened 1", "loop-2026 1")
    regime.submit(fact, *AUTHORITY[:2])
    said = page(client, "/rules/loop-tightened?at=2100-02-01")
    assert "laid over loop-2026 1" in said
    assert "10^23 FLOP" in said
    assert "2100年からの厳しい基準" in page(client, "/rules/loop-tightened", "ja")
    assert "loop-tightened" in page(client, "/rules")


def test_a_pack_says_what_counts_on_the_date_asked(client: Asking) -> None:
    """Before the order was revoked its rules act; after it they do not, and the sources stand with their marks."""
    before = page(client, "/rules/us-eo14110?at=2024-06-01")
    after = page(client, "/rules/us-eo14110?at=2025-06-01")
    assert "in force" in before
    assert "revoked" in after
    assert "P primary text read" in before
    assert "R recalled, to be verified" in before


def test_a_reading_lets_codified_rules_act(client: Asking) -> None:
    """What stands in the books and is not enforced is marked, and acts under that reading."""
    enforced = page(client, "/rules/us-ear?at=2025-03-01")
    codified = page(client, "/rules/us-ear?at=2025-03-01&reading=codified")
    assert "not applied" in enforced
    assert "applied by this reading" in codified


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rules/no-such-pack", 404),
        ("/rules/us-ear?version=99", 404),
        ("/rules/us-ear?at=2026-02-30", 422),
        ("/rules/us-ear?reading=loud", 422),
        ("/rules/classify?at=yesterday", 422),
        ("/rules/classify?pack=eu-ai-act", 422),
        ("/rules/..%2f..%2fetc", 404),
    ],
)
def test_what_is_not_there_or_not_understood_is_said(
    client: Asking, path: str, status: int
) -> None:
    """In words, with the status of the table of problems."""
    page(client, path, status=status)


# --- decide ---------------------------------------------------------------------------------------


def test_a_transfer_is_decided_under_several_packs_on_several_days(client: Asking) -> None:
    """A matrix of days and packs, conflicts in words, and every reason in the trace."""
    data = {**TRANSFER, "pack": ["us-ear", "jp-export"], "dates": "2025-06-01, 2023-12-01"}
    text = post(client, "/rules/decide", data)
    said = words(text)
    assert said.index("2023-12-01") < said.index("2025-06-01")
    assert 'id="d-us-ear-2023-12-01"' in text
    assert "Licence" in said
    assert "Regimes stand side by side" in said
    assert "Why the days differ" in said
    assert text.count("Trace: every rule, every limb") == 4
    assert 'value="H100 SXM5"' in text


def test_a_decision_shows_its_warnings(client: Asking) -> None:
    """What the answer rests on that was only recalled stands above its reasons."""
    text = post(client, "/rules/decide", {**TRANSFER, "dates": "2025-06-01"})
    assert "to be verified" in text
    assert re.search(r"\d+ warnings", words(text))


def test_a_run_is_decided_and_what_is_missing_is_named(client: Asking) -> None:
    """An empty field is a missing fact: never nought, never no."""
    text = post(
        client,
        "/rules/decide",
        {"form": "training-run", "planned_flop": "2e23", "pack": "loop-2026"},
        language="ja",
    )
    said = words(text)
    assert "判断不能" in said
    assert "不足している事実" in said
    text = post(
        client,
        "/rules/decide",
        {"form": "training-run", "planned_flop": "2e24", "run_origin": "scratch"},
    )
    assert "Deny" in words(text)


def test_a_request_as_json_is_decided(client: Asking) -> None:
    """The same document as for the command line."""
    asked = {"id": "r", "planned_flop": str(10**21), "origin": "scratch"}
    text = post(client, "/rules/decide", {"form": "json", "json": json.dumps(asked)})
    assert 'id="answer"' in text


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({**TRANSFER, "destination": "XX"}, "destination"),
        ({**TRANSFER, "count": "-1"}, "count"),
        ({**TRANSFER, "count": "²"}, "count"),
        ({**TRANSFER, "dates": "2026-13-01"}, "dates"),
        ({**TRANSFER, "dates": " ".join(["2026-01-01"] * 13)}, "dates"),
        ({**TRANSFER, "pack": "no-such-pack"}, "pack"),
        ({**TRANSFER, "reading": "loud"}, "reading"),
        ({"form": "json", "json": "{"}, "json"),
        ({"form": "json", "json": ""}, "json"),
        ({"form": "json", "json": '{"id":"x","kind":"gift"}'}, "json.kind"),
        ({"form": "training-run", "planned_flop": "much"}, "planned_flop"),
    ],
)
def test_bad_fields_are_named_and_the_form_is_kept(
    client: Asking, fields: dict[str, str], where: str
) -> None:
    """422 with the field's path; what was typed stands in the form again."""
    text = post(client, "/rules/decide", fields, status=422)
    alert = re.search(r'role="alert">(.*?)</div>', text, re.DOTALL)
    assert alert is not None
    assert where in words(alert.group(1))
    assert 'id="answer"' not in text


def test_a_fault_names_its_field_once(client: Asking) -> None:
    """The place stands before what is wrong, and not in it again."""
    text = post(client, "/rules/decide", {**TRANSFER, "count": "-3"}, status=422)
    alert = re.search(r'role="alert">(.*?)</div>', text, re.DOTALL)
    assert alert is not None
    assert words(alert.group(1)).strip().startswith("count : '-3' is no count")
    assert words(alert.group(1)).count("count :") == 1


def test_an_answer_of_now_stands_under_the_date_alone(client: Asking, regime: LiveRegime) -> None:
    """Where nobody named a day no clock time is shown; an instant that was named is shown whole."""
    text = post(client, "/rules/decide", TRANSFER)
    heading = re.search(r'<h2 id="h-d-us-ear-([^"]+)">([^<]+)</h2>', text)
    assert heading is not None
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", heading.group(1))
    assert "T" not in heading.group(2).rpartition("·")[2]
    text = post(client, "/rules/decide", {**TRANSFER, "dates": "2025-06-01T12:00:00Z"})
    assert 'id="d-us-ear-2025-06-01T12:00:00Z"' in text


# --- facts ----------------------------------------------------------------------------------------

WAY = {**TRANSFER, "item_form": "ic", "dates": "2026-06-01"}
PARTIES = {
    "exporter_country": "US",
    "exporter_headquarters": "US",
    "end_user_is_consignee": "yes",
    "consignee_listed": "no",
    "consignee_owner_known": "no",
    "consignee_owner_share": "0",
    "end_use": "commercial",
}


def asked_first(text: str) -> list[str]:
    """The facts that the form asks for first, in their order."""
    found = re.search(r'<fieldset[^>]* id="first-facts">(.*?)</fieldset>', text, re.DOTALL)
    assert found is not None
    return re.findall(r'name="fact-([^"]+)"', found.group(1))


@pytest.mark.parametrize("country", ["MY", "DE"])
def test_a_shipment_is_decided_by_filling_what_is_missing(client: Asking, country: str) -> None:
    """Unsure first; with the parties fewer facts are missing; with the one asked first it is permitted."""
    way = {**WAY, "destination": country}
    text = post(client, "/rules/decide", way)
    assert 'id="gaps"' in text
    assert "Unsure" in words(text)
    parties = {**PARTIES, "consignee_country": country}
    parties |= dict.fromkeys(("consignee_headquarters", "consignee_parent"), country)
    text = post(client, "/rules/decide", {**way, **parties})
    assert asked_first(text)[0] == "red-flags-resolved"
    assert len(asked_first(text)) == 13
    filled = {**way, **parties, "fact-red-flags-resolved": "yes"}
    text = post(client, "/rules/decide", filled)
    decided = re.search(r'<section[^>]* id="d-us-ear-2026-06-01".*?</header>', text, re.DOTALL)
    assert decided is not None
    assert "Permit" in words(decided.group(0))
    assert 'id="gaps"' not in text


def test_missing_fields_are_marked_and_no_others(client: Asking) -> None:
    """Beside the field stands that it is missing; what was told carries no mark."""
    text = post(client, "/rules/decide", {**WAY, "destination": "MY"})

    def is_marked(name: str) -> bool:
        before = text.partition(f'name="{name}"')[0].rpartition("<label")[2]
        return "missing</span>" in before

    assert all(is_marked(name) for name in ("consignee_country", "consignee_listed", "end_use"))
    assert is_marked("fact-rf01")
    assert not any(is_marked(name) for name in ("destination", "chip", "fact-nac-objection"))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_blank_form_asks_what_decides_most_first(client: Asking, language: str) -> None:
    """Few facts stand open, the others are folded; nothing is chosen beforehand."""
    text = client.get(f"/rules/decide?lang={language}").text
    client.cookies.clear()
    first = asked_first(text)
    assert first[0] == "red-flags-resolved"
    assert len(first) <= 6
    folded = text.partition('id="more-facts"')[2]
    assert "fact-rf01" in folded
    assert not re.search(r'<option value="(yes|no)" selected', text)
    assert ("分からない" if language == "ja" else "I do not know") in text
    assert ("点検" if language == "ja" else "every red flag") in text


def test_a_listed_owner_is_told_also_as_a_percentage(client: Asking) -> None:
    """Half owned by listed parties needs a licence; the share may be written either way."""
    listed = {**WAY, **PARTIES, "destination": "MY", "consignee_owner_known": "yes"}
    answers = [
        post(client, "/rules/decide", {**listed, "consignee_owner_share": share})
        for share in ("0.5", "50%", "50 %")
    ]
    told = [words(text).partition("What is asked")[2].partition("Answer")[2] for text in answers]
    assert told[0] == told[1] == told[2]
    text = post(client, "/rules/decide", {**listed, "consignee_owner_share": "150%"}, status=422)
    assert "listed_owner_share" in words(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fact-red-flags-resolved", "maybe"),
        ("fact-claimed-exception", "no-such"),
        ("fact-packaged-transistors", "many"),
        ("consignee_listed", "maybe"),
        ("end_user_is_consignee", "1"),
    ],
)
def test_a_fact_of_another_kind_is_refused(client: Asking, name: str, value: str) -> None:
    """It is named and never read as silence."""
    text = post(client, "/rules/decide", {**WAY, name: value}, status=422)
    alert = re.search(r'role="alert">(.*?)</div>', text, re.DOTALL)
    assert alert is not None
    assert name.removeprefix("fact-") in words(alert.group(1))


def test_a_fact_of_a_pack_not_chosen_travels_on(client: Asking) -> None:
    """It is not asked of the packs at hand, and comes back when its own is chosen again."""
    fact = {"fact-red-flags-resolved": "yes"}
    text = post(client, "/rules/decide", {**WAY, **fact, "pack": "jp-export"})
    hidden = '<input type="hidden" name="fact-red-flags-resolved" value="yes">'
    assert hidden in text.partition('<form class="ask many"')[2]
    text = post(client, "/rules/decide", {**WAY, **fact, "pack": "us-ear"})
    text = text.partition('<form class="ask many"')[2]
    assert hidden not in text
    assert re.search(r'name="fact-red-flags-resolved">.*?value="yes" selected', text, re.DOTALL)


def test_a_run_tells_the_facts_of_its_pack(client: Asking) -> None:
    """An amount of California's law is asked for by name and decides."""
    run = {
        "form": "training-run",
        "planned_flop": "2e26",
        "run_origin": "scratch",
        "jurisdictions": "US-CA",
        "pack": "us-ca-sb53",
        "dates": "2026-06-01",
    }
    text = post(client, "/rules/decide", run)
    (name,) = set(re.findall(r'name="(fact-[^"]+)"', text))
    assert name.startswith("fact-")
    small, large = (
        post(client, "/rules/decide", {**run, name: amount}) for amount in ("1", "900000000000")
    )
    assert words(small).partition("Answer")[2] != words(large).partition("Answer")[2]


def test_foreign_text_stays_text(client: Asking) -> None:
    """A chip's name, a pack's name, JSON: nothing of it becomes markup."""
    post(client, "/rules/decide", {**TRANSFER, "chip": HOSTILE, "pack": HOSTILE}, status=422)
    asked = {"kind": "transfer", "id": "x", "item": {"chip": HOSTILE}, "destination": "CN"}
    post(client, "/rules/decide", {"form": "json", "json": json.dumps(asked)})
    post(client, "/rules/classify", {"name": HOSTILE, "fp16_dense_tflops": "1"})
    page(client, "/rules/classify?q=" + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E")


@pytest.mark.parametrize("path", ["/rules/decide", "/rules/classify", "/rules/what-if", "/impact"])
def test_another_sites_form_is_refused(client: Asking, path: str) -> None:
    """A form that another origin's page sends is answered 403, whatever it asks."""
    answer = client.post(path, data=TRANSFER, headers={"origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    answer = client.post(path, data=TRANSFER, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_too_large_a_form_is_refused(client: Asking) -> None:
    """Above its bound nothing is read."""
    answer = client.post("/rules/decide", data={"form": "json", "json": "x" * 70_000})
    assert answer.status_code == 413


# --- classify -------------------------------------------------------------------------------------


def test_the_chip_table_is_narrowed(client: Asking) -> None:
    """By name, maker and class; how many there are stands below."""
    said = page(client, "/rules/classify?q=h100&vendor=NVIDIA")
    assert "H100 SXM5" in said
    assert "15832" in said
    assert "B200" not in said.partition("By a data sheet")[0]
    assert "3A090.a" in page(client, "/rules/classify?class=3A090.a", "ja")


def test_a_data_sheet_is_classified_and_what_is_unknown_is_named(client: Asking) -> None:
    """Without a die area the class may hang on it: unsure, with the fact that would decide."""
    text = post(
        client,
        "/rules/classify",
        {"name": "One", "fp16_dense_tflops": "500", "datacenter": "yes", "die_mm2": "800"},
    )
    assert "3A090.a" in words(text.partition('id="spec"')[2])
    text = post(
        client, "/rules/classify", {"name": "Two", "fp16_dense_tflops": "150", "datacenter": "yes"}
    )
    spec = words(text.partition('id="spec"')[2])
    assert "Two: unsure" in spec
    assert "die_mm2" in spec
    text = post(client, "/rules/classify", {"fp16_dense_tflops": "fast"}, status=422)
    assert "fp16_dense_tflops" in words(text)


# --- what if --------------------------------------------------------------------------------------

SIDES = {
    "a_pack": "us-ear",
    "b_pack": "us-diffusion-tightened",
    "a_at": "2027-06-01",
    "b_at": "2027-06-01",
}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_reform_is_compared_with_tables_and_charts(client: Asking, language: str) -> None:
    """Every chart stands beside a table that says the same; nothing inline comes with the drawings."""
    answer = client.post(
        f"/rules/what-if?lang={language}", data=SIDES, files={"population": ("", b"")}
    )
    assert answer.status_code == 200, answer.text[-1000:]
    check_clean(answer.text)
    assert 'id="chart-flows-1"' in answer.text
    for figure in re.findall(r'id="chart-([a-z-]+)-\d', answer.text):
        assert f'id="h-{figure}"' in answer.text
    assert answer.text.count("<table>") >= 5


def test_ones_own_population_is_read_and_bad_rows_are_counted(client: Asking) -> None:
    """JSON lines, judged under both; a row that cannot be read is refused by its line."""
    rows = b'{"kind":"transfer","id":"t1","item":{"chip":"H100 SXM5"},"destination":"CN","count":1}\n{"kind":"gift"}\n'
    answer = client.post(
        "/rules/what-if?lang=en", data=SIDES, files={"population": ("p.jsonl", rows)}
    )
    assert answer.status_code == 200
    said = words(answer.text)
    assert "population:2" in said
    client.cookies.clear()


@pytest.mark.parametrize("data", [b"", b"not json", b"\xff\xfe\x00", b"[]"])
def test_a_population_that_is_none_is_refused(client: Asking, data: bytes) -> None:
    """In words; an empty file is as no file."""
    answer = client.post("/rules/what-if", data=SIDES, files={"population": ("p.jsonl", data)})
    assert answer.status_code == (422 if data else 200)


def test_a_population_has_its_bounds(client: Asking) -> None:
    """Too many rows are sent to the command line; too many bytes are not read."""
    rows = b"{}\n" * (MOST_ROWS + 1)
    answer = client.post("/rules/what-if", data=SIDES, files={"population": ("p", rows)})
    assert answer.status_code == 422
    assert "sekisho rules diff" in answer.text
    big = b"x" * (MOST_POPULATION + 100_000)
    answer = client.post("/rules/what-if", data=SIDES, files={"population": ("p", big)})
    assert answer.status_code == 413


def test_every_word_of_the_pages_stands_in_the_catalogue() -> None:
    """Each key that a template asks for by name exists, and each key of the catalogue is asked for."""
    root = Path(__file__).parents[2] / "src" / "sekisho"
    sources = [
        *root.glob("web/templates/*.html"),
        *root.glob("web/rules_*.py"),
        *root.glob("cli/rules_*.py"),
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    asked = set(re.findall(r"""\br\(["']([a-zA-Z0-9_. -]+)["'][,)]""", text))
    families = set(re.findall(r"""\br\(["']([a-zA-Z0-9_. -]+\.)["'] ~""", text))
    missing = {key for key in asked if f"law.{key}" not in MESSAGES}
    assert missing == set()
    for key in MESSAGES:
        room, _, name = key.partition(".")
        if room == "law":
            family = any(name.startswith(prefix) for prefix in families | _BY_NAME)
            assert name in asked or family or f'"{name}"' in text or key in text, key


# Families that a value's own word names: select(), Python's f-strings, the command line's reader.
_BY_NAME = {
    "when.",
    "deadline.",
    "truth-of.",
    "origin.",
    "item.",
    "activity.",
    "authorisation.",
    "use.",
    "spec.",
    "kind.",
    "impact.countr",
}
