"""The pages on Kubernetes and on enforcement: their commands run, their table is the program's."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
import yaml

from sekisho.agent.renting import ACTORS, MEANS, WAYS
from sekisho.catalogue import MESSAGES
from sekisho.catalogue import enforcement as words
from sekisho.cli.agent_means import markdown_table
from sekisho.cli.main import call
from sekisho.settings import Settings
from tests.certificates import write_certificate
from tests.clusters import cluster, pod_document

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
COMMAND = re.compile(r"^\$ sekisho (.*)$", re.MULTILINE)


SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
Run: TypeAlias = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one line of a page; its exit code and all that it printed."""

    def one(line: str, language: str = "en") -> tuple[int, str]:
        settings = msgspec.structs.replace(SETTINGS, language=language)
        code = call(shlex.split(line), settings)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return one


def test_the_page_of_kubernetes_runs_to_the_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """Documents are printed; the audit lists what runs unlabelled; the check says what is missing."""
    monkeypatch.chdir(tmp_path)
    write_certificate(tmp_path / "ca.pem", tmp_path / "ca.key")
    commands = COMMAND.findall((GUIDE / "kubernetes.md").read_text(encoding="utf-8"))
    manifests, audit, check = commands
    code, text = run(manifests.partition(" > ")[0])
    assert code == 0
    documents = list(yaml.safe_load_all(text))
    hook = next(d for d in documents if d["kind"] == "ValidatingWebhookConfiguration")
    assert hook["webhooks"][0]["clientConfig"]["caBundle"].startswith("LS0tLS1CRUdJTi")
    with cluster(tmp_path) as world:
        world.add("/api/v1/namespaces/team/pods", pod_document("old", run=None))
        code, text = run(audit.replace("http://127.0.0.1:8001", world.url_text) + " --json")
        assert (code, json.loads(text)["strays"][0]["pod"]) == (1, "team/old")
        code, text = run(check.replace("http://127.0.0.1:8001", world.url_text))
        assert code == 1
        assert "fails        policy: is not there" in text


def test_the_table_of_the_page_is_the_programs() -> None:
    """Word for word, "none" included."""
    page = (GUIDE / "enforcement.md").read_text(encoding="utf-8")
    assert markdown_table("en") in page
    assert "| managed Slurm | operator | none | none | none |" in page


def test_the_table_has_a_row_for_each_party_to_each_way_of_renting() -> None:
    """Once each, in order; who has no means has none of anything."""
    assert [(row.way, row.actor) for row in MEANS] == [(w, a) for w in WAYS for a in ACTORS]
    for row in MEANS:
        if not row.stops:
            assert (row.counter, row.measured) == (None, None)
        assert (row.actor == "provider") or "power" not in row.stops


def test_every_word_of_the_table_is_used_and_exists() -> None:
    """In both languages, and no word that nobody says."""
    used = {row.why for row in MEANS} | {f"means.way.{row.way}" for row in MEANS}
    used |= {f"means.actor.{row.actor}" for row in MEANS}
    used |= {f"means.tried.{row.tried}" for row in MEANS}
    used |= {f"means.stop.{stop}" for row in MEANS for stop in row.stops} | {"means.none"}
    used |= {f"means.head.{c}" for c in "way actor stops counter measured tried why".split()}
    assert used == set(words.MESSAGES)
    assert used <= set(MESSAGES)


def test_means_are_printed_for_people_and_for_programs(run: Run) -> None:
    """In English and in Japanese, as text, as JSON and as a table."""
    code, text = run("agent means")
    assert code == 0
    assert text.startswith("managed Slurm\n  operator: none\n")
    code, text = run("agent means --json")
    rows = json.loads(text)
    assert len(rows) == len(MEANS)
    assert rows[0]["stops"] == []
    assert run("agent means --markdown")[1].strip() == markdown_table("en")
    assert run("agent means", "ja")[1].startswith("マネージド Slurm\n  運用者: なし\n")
    assert markdown_table("ja").startswith("| 借り方 | 当事者 | 停止手段 |")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("agent kubernetes manifests --image x --resource 'BAD name'", "--resource"),
        ("agent kubernetes manifests --image x --exempt 'Not A Name'", "--exempt"),
        ("agent kubernetes manifests --image x --ca-bundle none.pem", "none.pem"),
        ("agent kubernetes check --server ftp://x", "server"),
        ("agent webhook --gate g --cert none.crt --key none.key", "none.crt"),
    ],
)
def test_bad_input_names_what_is_wrong(run: Run, line: str, says: str) -> None:
    """With exit code 2."""
    code, text = run(line)
    assert code == 2
    assert says in text
