"""The console's pages, in both languages, in every state that a host and an order can be in."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.catalogue import MESSAGES, say
from sekisho.ledger.proof_rows import ProofVerdict, check_proof_rows
from sekisho.model.statements import FindingRaised, OrderReference, Reference, Spend
from sekisho.web import create_app
from tests.factory import HOST, ORIGIN
from tests.regime import LiveRegime, unwitnessed_control

Asking = TestClient[Litestar]
PAGES = (
    "/",
    "/orders",
    "/access",
    "/log",
    "/log?all=true",
    "/proof",
    "/hosts/host-1",
    "/licences/LIC-1",
)


class _Links(HTMLParser):
    """Everything that a page loads or leads to, and whether a script or style stands in it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.addresses += [names[a] or "" for a in ("href", "src", "hx-get") if a in names]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.inline.append(tag)
        self.inline += [name for name in names if name == "style" or name.startswith("on")]


def _words(answer_text: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", answer_text))


@pytest.fixture(scope="module")
def halted(regime: LiveRegime) -> OrderReference:
    """A pause under which host-1 is corroborated and host-2, emulated, verified; and a finding."""
    granted, _ = regime.control.grant_lease(regime.lease_request().raw)
    spend = Spend(
        lease=Reference(log=ORIGIN, leaf=granted.admitted.leaf),
        lease_number=1,
        reserved_flop=str(3 * 10**9),
        bound_flop=str(3 * 10**9),
    )
    begun = msgspec.structs.replace(spend, reserved_flop=str(4 * 10**9), bound_flop="0")
    regime.take("quantum", spend=begun)
    regime.take("final", spend=spend, state="ended")
    order = regime.issue(regime.order(drill=True))
    for host, degree in (("host-1", "corroborated"), ("host-2", "verified")):
        regime.take("received", host=host, order=order)
        receipt = regime.take("halted", host=host, order=order, state="frozen")
        seen = regime.observe(order, host, receipt)
        regime.judge(order, host, degree, (receipt, seen))
    finding = FindingRaised(
        effective=regime.now, finding="clock-behind", host="host-1", detail="<b>9 s</b> behind"
    )
    regime.submit(finding, HOST)
    return order


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", [*PAGES, "/orders/pause~JP/1", "/hosts/host-2"])
def test_every_page_renders_in_both_languages(
    client: Asking, halted: OrderReference, path: str, language: str
) -> None:
    """Each page answers in the language asked for, marked as such, with everything on our own host."""
    sign = "&" if "?" in path else "?"
    answer = client.get(f"{path}{sign}lang={language}")
    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text
    links = _Links()
    links.feed(answer.text)
    assert links.inline == []
    assert all(a.startswith(("/", "?", "#")) and not a.startswith("//") for a in links.addresses)


def test_every_link_on_the_pages_leads_somewhere(client: Asking, halted: OrderReference) -> None:
    """No page of the console links to a page, file or part of its own that is not there."""
    seen, todo = set[str](), list(PAGES)
    while todo:
        path = todo.pop().partition("#")[0]
        if not path or path in seen or len(seen) > 150:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            links = _Links()
            links.feed(answer.text)
            todo += links.addresses
    assert len(seen) > 30


def test_the_overview_says_what_is_known_and_marks_what_is_emulated(
    client: Asking, halted: OrderReference
) -> None:
    """The banner counts the pause; each host has its word, and the verified one its mark."""
    text = client.get("/?lang=en").text
    words = _words(text)
    assert "Paused: 1 restricting order(s) in force" in words
    assert "Halted: corroborated" in words
    assert "Halted: verified" in words
    tile = re.search(r'<li class="tile s-verified">.*?</li>', text, re.DOTALL)
    assert tile is not None
    assert 'class="tag emulated"' in tile.group(0)
    assert "One owner, Operator, holds the log and every witness" in words


def test_foreign_text_is_shown_as_text(client: Asking, halted: OrderReference) -> None:
    """What a statement says is never taken for markup."""
    text = client.get("/").text
    assert "<b>9 s</b>" not in text
    assert "&lt;b&gt;9 s&lt;/b&gt; behind" in text


def test_an_orders_page_shows_who_signed_and_the_phrase(
    client: Asking, halted: OrderReference
) -> None:
    """Four keys signed, three did not; phrase, basis, expiry and what expiry does are there."""
    text = client.get(f"/orders/pause~JP/{halted.number}?lang=en").text
    assert text.count('<li class="signed"') == 4
    assert text.count("did not sign") == 3
    words = _words(text)
    assert "Test act, section 1" in words
    assert "After expiry new work stays refused until a resume." in words
    phrase = re.search(r'<p class="phrase">([a-z ]+)</p>', text)
    assert phrase is not None
    assert len(phrase.group(1).split()) == 8


def test_a_verdict_is_said_only_until_it_lapses(client: Asking, regime: LiveRegime) -> None:
    """Once its time is over a host is not halted any more but unknown, in a colour of its own."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    seen = regime.observe(order, "host-1", receipt)
    regime.judge(order, "host-1", "corroborated", (receipt, seen), lapses_s=0.2)
    import time

    time.sleep(0.3)
    text = client.get(f"/orders/hold~JP/{order.number}?lang=en").text
    assert "Verdict lapsed" in _words(text)
    assert 'class="chip s-lapsed"' in text
    regime.take("resumed", order=order)
    regime.lift(order)


def test_a_resumed_host_keeps_the_steps_that_its_halt_had(
    client: Asking, regime: LiveRegime
) -> None:
    """After the resume the corroboration stays in the order's life, and nothing is said to come yet."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    seen = regime.observe(order, "host-1", receipt)
    regime.judge(order, "host-1", "corroborated", (receipt, seen))
    page = f"/orders/hold~JP/{order.number}?lang=en"
    assert "Verified not yet" in _words(client.get(page).text)
    assert "At expiry it lapses" in _words(client.get(page).text)
    regime.take("resumed", order=order)
    regime.lift(order)
    words = _words(client.get(page).text)
    life = words[words.index("host by host") : words.index("What the order says")]
    mine = life[life.index("host-1") :].split("Verified")[0]
    assert "not reached" not in mine.split("Corroborated")[1]
    assert "Verified not reached before the resume" in life
    assert "At expiry it lapses" not in words


def test_a_claim_alone_is_not_shown_as_more(client: Asking, regime: LiveRegime) -> None:
    """The agent's word is shown as claimed, and after the resume the host as resumed."""
    order = regime.issue(regime.order("hold"))
    page = f"/orders/hold~JP/{order.number}?lang=en"
    regime.take("received", order=order)
    assert "Order received" in _words(client.get(page).text)
    regime.take("halted", order=order, state="frozen")
    words = _words(client.get(page).text)
    assert "Halted: claimed" in words
    assert "Halted: corroborated" not in words
    resume = regime.lift(order)
    assert "Lifted, not resumed" in _words(client.get(page).text)
    assert "Lifted, not resumed" in _words(
        client.get(f"/orders/resume~JP/{resume.number}?lang=en").text
    )
    regime.take("resumed", order=order)
    assert "Resumed" in _words(client.get(page).text)


def test_the_ledger_agrees_with_the_books(client: Asking, halted: OrderReference) -> None:
    """Derived again line by line from the log, the postings end where the licence's books stand."""
    text = client.get("/licences/LIC-1?lang=en").text
    assert "it agrees with the books" in text
    words = _words(text)
    assert "Lease 1 closed, host-1" in words
    assert "Rest of lease 1 returned, host-1" in words


def test_the_proof_page_explains_an_entry(client: Asking, halted: OrderReference) -> None:
    """By payload digest, by leaf and by index the same entry is found, with signers and cosignatures."""
    by_digest = client.get(f"/proof?q={halted.digest}&lang=en")
    assert by_digest.status_code == 200
    words = _words(by_digest.text)
    assert "A pause is issued" in words
    assert "authority 1, Authority" in words
    assert "w1.example/test" in words
    assert "That what it says is true." in words
    leaf = re.search(r"/proof/([0-9a-f]{64})/tlog-proof", by_digest.text)
    assert leaf is not None
    for asked in (f"sha256:{halted.digest.upper()}", leaf.group(1)):
        assert "A pause is issued" in client.get("/proof", params={"q": asked}).text


@pytest.mark.parametrize(("asked", "status"), [("zz", 422), ("0" * 64, 404), ("#99999", 404)])
def test_the_proof_page_says_what_it_cannot_show(client: Asking, asked: str, status: int) -> None:
    """A malformed or unknown name is answered with a page that says so, and its status."""
    answer = client.get("/proof", params={"q": asked, "lang": "ja"})
    assert answer.status_code == status
    assert say("web.proof.not-found", "ja") in answer.text


def test_the_downloads_check_out_offline(
    client: Asking, regime: LiveRegime, halted: OrderReference, tmp_path: Path
) -> None:
    """The page's own recipe, run on the downloaded files in another process, verifies the entry."""
    page = client.get(f"/proof?q={halted.digest}").text
    leaf = re.search(r"/proof/([0-9a-f]{64})/tlog-proof", page)
    assert leaf is not None
    for part in ("tlog-proof", "envelope", "inclusion"):
        answer = client.get(f"/proof/{leaf.group(1)}/{part}")
        name = re.search(r'filename="([^"]+)"', answer.headers["content-disposition"])
        assert name is not None
        (tmp_path / name.group(1)).write_bytes(answer.content)
    (tmp_path / "trust.json").write_bytes((regime.control.home.path / "trust.json").read_bytes())
    (rows,) = tmp_path.glob("*.inclusion.jsonl")
    (verdict,) = check_proof_rows(rows.read_bytes(), path="rows")
    assert isinstance(verdict, ProofVerdict)
    assert verdict.verdict == "holds"
    recipes = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    recipe = html.unescape(recipes[1])
    done = subprocess.run(
        [sys.executable, "-c", recipe], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "w1.example/test" in done.stdout


def test_language_comes_from_address_then_memory_then_browser(client: Asking) -> None:
    """?lang= wins and is remembered; without it the browser's first known wish; else the server's own."""
    client.cookies.clear()
    ask = client.get
    assert (
        ask("/", headers={"accept-language": "fr, ja;q=0.8, en;q=0.5"}).headers["content-language"]
        == "ja"
    )
    assert ask("/", headers={"accept-language": "de"}).headers["content-language"] == "en"
    chosen = ask("/?lang=ja", headers={"accept-language": "en"})
    assert chosen.headers["content-language"] == "ja"
    assert "httponly" in chosen.headers["set-cookie"].lower()
    assert ask("/", headers={"accept-language": "en"}).headers["content-language"] == "ja"
    assert ask("/?lang=xx", headers={"accept-language": "en"}).headers["content-language"] == "ja"
    client.cookies.clear()


def test_the_live_part_alone_is_given_to_htmx(client: Asking) -> None:
    """A request by htmx gets the live part without the frame, with the request that renews it."""
    text = client.get("/", headers={"hx-request": "true"}).text
    assert "<html" not in text
    assert text.strip().startswith('<main id="live" hx-get="/?lang=en"')


@pytest.mark.parametrize(
    "path", ["/nowhere", "/orders/pause~JP/900", "/hosts/none", "/licences/none"]
)
def test_what_is_not_there_is_a_page_that_says_so(client: Asking, path: str) -> None:
    """An unknown address is 404 with a page for people, in their language."""
    answer = client.get(path + "?lang=ja")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert say("web.error.404", "ja") in answer.text


def test_the_log_can_be_read_to_its_beginning(client: Asking) -> None:
    """Following "older" leads to the first entry, which is the time mark of the first batch."""
    path, indices = "/log?all=true", list[int]()
    while path:
        text = client.get(path).text
        indices += [int(n) for n in re.findall(r'<tr><td class="number">(\d+)</td>', text)]
        older = re.search(r'<a href="([^"]+)" rel="next">', text)
        path = html.unescape(older.group(1)) if older else ""
    assert indices[-1] == 0
    assert indices == sorted(set(indices), reverse=True)


def test_an_empty_unwitnessed_regime_is_shown_as_what_it_is(tmp_path: Path) -> None:
    """Without charter, hosts and witnesses the pages say so, and nothing is shown as well."""
    with (
        unwitnessed_control(tmp_path) as control,
        TestClient(create_app(control), base_url="http://127.0.0.1") as client,
    ):
        words = _words(client.get("/").text)
        assert "No charter is adopted yet" in words
        assert "no witnessed checkpoint yet" in words
        assert "No host is enrolled" in words
        for path in ("/orders", "/log", "/proof"):
            assert client.get(path).status_code == 200
        assert client.get("/api/v1/state").json()["log"]["witnessed_size"] is None
        assert client.get("/api/v1/halts").json() == []
        assert client.get("/log/checkpoint").status_code == 404


def test_no_words_of_the_console_are_left_over() -> None:
    """Every message of the console is used by a template or a page, so that none is translated in vain."""
    web = Path(create_app.__code__.co_filename).parent
    sources = [*web.glob("templates/*.html"), *web.glob("*.py")]
    text = "\n".join(path.read_text() for path in sources)
    families = {f.removesuffix(".") for f in re.findall(r't\("([a-z.-]+\.)" ~', text)}
    families |= {"nav", "says", "kind", "span", "word"}
    for key in MESSAGES:
        room, _, name = key.partition(".")
        if room != "web":
            continue
        family = name.rpartition(".")[0]
        used = any(f"{q}{name}{q}" in text for q in "\"'") or family in families
        assert used or name.startswith("word."), key
