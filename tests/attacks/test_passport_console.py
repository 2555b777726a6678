"""What strangers wrote, on the pages of chips: it is shown as text, and asks for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.registry.terms import OWN_NAMESPACE
from sekisho.web import create_app
from tests.chip_stories import GPU, HOSTILE, capture, chip_regime, wait_logged
from tests.regime import LiveRegime
from tests.registry.passports import commissioned, installed, told

Asking = TestClient[Litestar]
SCRIPT = '"><script>alert(1)</script>'
HANDLER = "x' onmouseover='alert(2)"


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with chip_regime(tmp_path_factory.mktemp("chips")) as running:
        capture(
            running,
            commissioned(
                2,
                "urn:own:hostile",
                model=SCRIPT,
                **{"skh:serial": HANDLER, "skh:deviceKeySha256": "<b>"},
            ),
            "fab",
        )
        capture(running, installed(3, "urn:own:hostile", parent=HOSTILE), "fab")
        capture(running, _seen(4, "https://evil.example/<svg/onload=alert(3)>"))
        wait_logged(running)
        yield running


@pytest.fixture(scope="module")
def client(regime: LiveRegime) -> Iterator[Asking]:
    app = create_app(regime.control, language="en")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as asking:
        yield asking


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.leads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.leads += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def elements(text: str) -> _Elements:
    parser = _Elements()
    parser.feed(text)
    return parser


@pytest.mark.parametrize(
    "path",
    [
        "/chips",
        "/chips?model=" + quote(SCRIPT),
        "/chips?q=" + quote(SCRIPT),
        "/chips/passport?epc=urn:own:hostile",
        "/chips/passport?epc=" + quote(HOSTILE, safe=""),
        "/chips/passport?epc=" + quote(SCRIPT),
        "/chips/holdings?by=" + quote(SCRIPT),
        "/chips/holdings",
        "/chips/clusters",
        "/chips/alerts",
    ],
)
def test_a_hostile_serial_model_or_identifier_stays_text(client: Asking, path: str) -> None:
    """No script, handler, style or foreign address comes out of what a document or an address says."""
    answer = client.get(path)
    assert answer.status_code in (200, 404, 422)
    found = elements(answer.text)
    assert found.names.count("script") == 2, "the console's own two"
    assert found.handlers == []
    assert all(lead.startswith(("/", "#")) for lead in found.leads)
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_hostile_identifier_does_not_leave_its_link(client: Asking) -> None:
    """An identifier with quotes, ampersands and a fragment is one parameter of one address, and leads to itself."""
    text = client.get("/chips/passport?epc=urn:own:hostile").text
    address = "/chips/passport?epc=" + quote(HOSTILE, safe="")
    lead = next(item for item in elements(text).leads if item.startswith(address[:30]))
    assert HOSTILE in client.get(lead).text.replace("&#39;", "'").replace("&amp;", "&")


@pytest.mark.parametrize(
    "epc",
    [
        "../../trust.json",
        "..%2f..%2fkeys/operator.pem",
        "/etc/passwd",
        "file:///etc/passwd",
        "urn:own:hostile/../../register.sqlite",
        "C:\\boot.ini",
    ],
)
@pytest.mark.parametrize("form", ["passport", "passport.json"])
def test_path_traversal_in_an_identifier_reaches_no_file(
    client: Asking, epc: str, form: str
) -> None:
    """An identifier names rows of the register and never a path: nothing is found, and no file's content comes back."""
    answer = client.get(f"/chips/{form}?epc={quote(epc, safe='')}")
    assert answer.status_code == 404
    assert "BEGIN" not in answer.text
    assert "root:" not in answer.text


def test_header_injection_in_an_identifier_reaches_no_header(client: Asking) -> None:
    """A line end in an identifier is refused; no identifier at all stands in a header of the download."""
    broken = client.get("/chips/passport.json?epc=" + quote("a\r\nset-cookie: x=1"))
    assert broken.status_code == 422
    assert "set-cookie" not in broken.headers
    whole = client.get("/chips/passport.json?epc=" + quote(HOSTILE, safe=""))
    assert whole.headers["content-disposition"] == 'attachment; filename="passport.json"'
    assert json.loads(whole.content)["epc"] == HOSTILE


def test_another_sites_form_changes_nothing(client: Asking) -> None:
    """The pages only show: whatever is posted to them is refused."""
    for path in ("/chips", "/chips/passport?epc=" + quote(GPU[0], safe=""), "/chips/alerts"):
        assert client.post(path, content=b"x").status_code == 405


def _seen(day: float, place: str) -> dict[str, object]:
    return told(
        day,
        "ObjectEvent",
        action="OBSERVE",
        bizStep=OWN_NAMESPACE + "act/lost",
        epcList=["urn:own:hostile"],
        bizLocation={"id": place},
    )
