"""The server's side of the fleet agent, spoken to by a client that behaves like it."""

from __future__ import annotations

import itertools
import secrets

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.app.inventories import TokenPlan, list_fleet, new_token, release_node, revoke_token
from sekisho.model.wire import sha256_hex
from tests.inventoried import gpu_uuid, serial
from tests.regime import LiveRegime
from tests.web.agents import Agent, evidence

_NODES = (f"node-{n}" for n in itertools.count(1))


def token_for(regime: LiveRegime, site: str = "site-1", *, nodes: int = 10) -> str:
    return new_token(regime.control.home, TokenPlan(site=site, nodes=nodes))[0]


@pytest.fixture
def agent(client: TestClient[Litestar], regime: LiveRegime) -> Agent:
    """A host that has enrolled for site-1 and has said nothing yet."""
    new = Agent(client, next(_NODES))
    assert new.enroll(token_for(regime)).status_code == 200
    return new


def test_an_agent_enrols_and_reports(agent: Agent, regime: LiveRegime) -> None:
    """Its inventory is kept as it came, under the site of its token, whatever zone it names."""
    answer = agent.report(1, 2, computeZone="elsewhere")
    assert answer.status_code == 200
    assert answer.json() == {
        "nodeUUID": agent.node,
        "computeZone": "site-1",
        "nodeGroup": "training",
    }
    newest = regime.control.inventories.fleet.store.find_newest(agent.node)
    assert newest is not None
    assert newest.site == "site-1"
    assert b'"computeZone": "elsewhere"' in newest.body


def test_the_same_inventory_again_only_lasts_longer(agent: Agent, regime: LiveRegime) -> None:
    """One message is kept, and it says until when it was repeated."""
    store = regime.control.inventories.fleet.store
    agent.report(1)
    first = store.find_newest(agent.node)
    agent.report(1)
    last = store.find_newest(agent.node)
    assert first is not None
    assert last is not None
    assert (last.sha256, last.first) == (first.sha256, first.first)
    assert last.last > first.last


def test_what_was_seen_together_is_remembered(agent: Agent, regime: LiveRegime) -> None:
    """Serial and UUID of each device, by node."""
    agent.report(501, 502)
    agent.report(502)
    rows = regime.control.inventories.fleet.store.iterate_sightings()
    assert [(row.serial, row.uuid) for row in rows if row.node == agent.node] == [
        (serial(501), gpu_uuid(501)),
        (serial(502), gpu_uuid(502)),
    ]


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 400), ("rubbish", 400), ("skf_" + "0" * 64, 401), ("skf_" + "0" * 63, 400)],
)
def test_wrong_tokens_have_the_statuses_that_the_agent_puts_into_words(
    client: TestClient[Litestar], text: str, status: int
) -> None:
    """No token, something else, one that nobody made; problem+json, and no word of the token."""
    answer = Agent(client, "n").enroll(text)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert text not in answer.text or not text


def test_a_token_enrols_as_many_hosts_as_it_says(
    client: TestClient[Litestar], regime: LiveRegime
) -> None:
    """One more is 403."""
    token = token_for(regime, nodes=2)
    assert [Agent(client, "n").enroll(token).status_code for _ in range(3)] == [200, 200, 403]


def test_a_revoked_token_ends_its_enrolments(agent: Agent, regime: LiveRegime) -> None:
    """At once, those that were given before too."""
    text, token = new_token(regime.control.home, TokenPlan(site="site-1"))
    assert agent.enroll(text).status_code == 200
    revoke_token(regime.control.home, token.digest[:12])
    assert agent.report(1).status_code == 403
    assert agent.enroll(text).status_code == 403


def test_the_token_itself_is_kept_nowhere(regime: LiveRegime) -> None:
    """Only its digest is in the file."""
    text, token = new_token(regime.control.home, TokenPlan(site="site-1"))
    held = b"".join(path.read_bytes() for path in regime.control.home.path.glob("inventories*"))
    assert text.encode() not in held
    assert bytes.fromhex(text.removeprefix("skf_")) not in held
    assert token.digest == sha256_hex(text.encode())


def test_an_unknown_path_is_a_problem_and_no_page(client: TestClient[Litestar]) -> None:
    """The agent puts 404 into words."""
    answer = client.post("/v1/agent/enrol")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_nonce_is_fresh_and_renews_the_assertion(agent: Agent) -> None:
    """Another one each time, with a time to ask again."""
    before = agent.jwt
    first, second = agent.ask_nonce().json(), agent.ask_nonce().json()
    assert first["nonce"] != second["nonce"]
    assert len(bytes.fromhex(first["nonce"])) == 32
    assert first["nonceRefreshTimestamp"].endswith("Z")
    assert before.count(".") == agent.jwt.count(".") == 2
    assert agent.report(1).status_code == 200


def test_evidence_is_kept_and_believed_by_nobody(agent: Agent, regime: LiveRegime) -> None:
    """The very bytes, the nonce that they answer, and the verdict unverifiable."""
    nonce = agent.ask_nonce().json()["nonce"]
    answer = agent.attest(evidence(nonce))
    assert answer.json()["verdict"] == "unverifiable"
    (kept,) = regime.control.inventories.fleet.store.load_evidence(agent.node)
    assert kept.nonce == nonce
    assert nonce.encode() in kept.body


def test_a_nonce_is_answered_once(agent: Agent, regime: LiveRegime) -> None:
    """The same evidence again, or under a nonce that nobody gave, is kept as answering none."""
    nonce = agent.ask_nonce().json()["nonce"]
    for shown in (nonce, nonce, secrets.token_hex(32)):
        assert agent.attest(evidence(shown)).status_code == 200
    kept = regime.control.inventories.fleet.store.load_evidence(agent.node)
    assert [row.nonce for row in kept] == ["", "", nonce]


def test_a_whole_rack_of_evidence_fits(agent: Agent) -> None:
    """Far more than other bodies may have; beyond its own bound it is 413."""
    assert agent.attest(evidence("00", size=40_000)).status_code == 200
    assert agent.attest(evidence("00", size=150_000)).status_code == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"attestationData":5}', b'{"attestationData":{"sdkResponse":{"evidences":5}}}'],
)
def test_evidence_of_another_shape_is_refused(agent: Agent, body: bytes) -> None:
    """Nothing of it is kept."""
    answer = agent._send("POST", f"/v1/agent/nodes/{agent.node}/attestation", body)
    assert answer.status_code == 422


def test_an_agent_that_could_collect_nothing_says_so(agent: Agent) -> None:
    """An answer without evidence is kept as such."""
    document = {
        "attestationData": {
            "sdkResponse": {"evidences": None, "resultCode": 1, "resultMessage": "no device"},
            "success": False,
            "errorMessage": "no device",
        }
    }
    assert agent.attest(document).status_code == 200


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"not json", ""),
        (b'{"hostname":5}', "hostname"),
        (b'{"hostname":"a","resources":{"gpuInfo":{"gpus":5}}}', "resources.gpuInfo.gpus"),
    ],
)
def test_a_bad_inventory_is_refused_by_its_field(agent: Agent, body: bytes, path: str) -> None:
    """422, and the field."""
    answer = agent.put(body)
    assert answer.status_code == 422
    assert answer.json().get("path", "") == path


def test_an_inventory_has_a_bound(agent: Agent) -> None:
    """One megabyte."""
    assert agent.put(b'{"hostname":"' + b"x" * (1 << 20) + b'"}').status_code == 413


def test_nodes_are_listed_and_released(agent: Agent, regime: LiveRegime) -> None:
    """A host that was set up anew may enrol again once its node was released; the old enrolment ends."""
    agent.report(1)
    old = agent.jwt
    assert agent.enroll(token_for(regime)).status_code == 200
    assert agent.report(1).status_code == 403
    release_node(regime.control.home, agent.node)
    assert agent.report(1).status_code == 200
    assert agent.node in {node.node for node, _ in list_fleet(regime.control.home)}
    agent.jwt = old
    assert agent.report(1).status_code == 403


def test_messages_of_a_node_are_bounded(agent: Agent, regime: LiveRegime) -> None:
    """The newest few stay, however many it sends."""
    from sekisho.adapters.storage.fleet_sqlite import MESSAGES_KEPT

    for number in range(MESSAGES_KEPT + 3):
        agent.report(1, hostname=f"h{number}")
    file = regime.control.inventories._file
    with file.transaction() as connection:
        count = connection.exec_driver_sql(
            "SELECT count(*) FROM fleet_messages WHERE node = ?", (agent.node,)
        ).scalar_one()
    assert count == MESSAGES_KEPT
