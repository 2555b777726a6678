"""docs/guide/slurm.md followed to the letter, on a cluster of the tests' own with Debian's Slurm.

What differs from the page: the folders, the port, how slurmctld is restarted, and that a digest phrase is given as an
option, since nobody sits there to type it back; and that `sekisho` is loaded once for all commands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.keys import load_key
from sekisho.app import Home
from sekisho.model.statements import LeaseTerms
from sekisho.rehearsal import opening
from sekisho.rehearsal.scene import Scene
from sekisho.rehearsal.stage import Stage
from tests.rehearsal.slurm_stage import HOST, RUN, enrol_cluster, license_cluster
from tests.slurms import Cluster, start_cluster
from tests.warm_command import warm_commands

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
PAGE = (Path(__file__).parents[2] / "docs/guide/slurm.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(word, code) for word, code in FENCE.findall(PAGE) if word in ("sh", "json")]
TERMS = LeaseTerms(interval_s=600, grace_s=10, quantum_s=5)


class Reader:
    """Who follows the page, block by block; nothing may be left out."""

    def __init__(self, scene: Scene, cluster: Cluster, commands: Path) -> None:
        self.scene = scene
        self.cluster = cluster
        self._commands = commands
        self.folder = scene.stage.host_folder(HOST).parent
        self._next = iter(BLOCKS)
        self._functions = ""
        for key in (*scene.cast.authority[:2], scene.cast.party):
            path = next(
                p for p in scene.home.signers.glob("*.pem") if load_key(p).public == key.public
            )
            (self.folder / path.name).write_bytes(path.read_bytes())
            (self.folder / path.name).chmod(0o600)
            (self.folder / f"{path.name}.pub").write_text(key.public.to_text() + "\n")
        (self.folder / "cluster").symlink_to(scene.stage.host_folder(HOST))

    def here(self, text: str) -> str:
        """The page's folders and port as they are here."""
        gate, etc = str(self.cluster.gate), str(self.cluster.etc)
        port = self.scene.address.rsplit(":", 1)[1]
        return (text.replace("/var/lib/sekisho-gate", gate).replace("/etc/slurm", etc)).replace(
            "8480", port
        )

    def block(self, begins: str) -> str:
        """The next block of the page, which must begin so."""
        _, code = next(self._next)
        assert code.startswith(begins), f"the page goes on with {code!r}"
        return self.here(code)

    def run(self, begins: str, *, exits: int = 0) -> str:
        """What the page's next command says."""
        return self._shell(self.block(begins), exits=exits)

    def restart(self) -> None:
        assert self.block("systemctl") == "systemctl restart slurmctld\n"
        self.cluster.restart_controller()

    def climb(self, begins: str) -> None:
        """The next rung of the page, or the way back, until the gate shows it."""
        self._shell(self._functions + self.block(begins))
        picture, mode = self.cluster.gate / "gate", begins.split()[1]
        self.cluster.wait_for(f"mode {mode}", lambda: f"mode\t{mode}\n" in picture.read_text())

    def learn(self, begins: str) -> None:
        """A function of the page, with the phrase that a signer would type back."""
        phrase = (
            "$(sekisho show {} --json | python3"
            " -ISc 'import json,sys;print(json.load(sys.stdin)[\"phrase\"])')"
        )
        self._functions += re.sub(
            r"sign (\S+) --key \S+",
            lambda found: f'{found[0]} --phrase "{phrase.format(found[1])}"',
            self.block(begins),
        )

    def is_done(self) -> bool:
        return next(self._next, None) is None

    def _shell(self, script: str, *, exits: int = 0) -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=self.folder,
            env={
                **os.environ,
                **self.cluster.environment,
                "SEKISHO_HOME": str(self.scene.home.path),
                "PATH": f"{self._commands}:{Path(sys.executable).parent}:{self.cluster.environment['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == exits, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """An enrolled cluster and a licence, as the page takes for given; no agent, no gate."""
    with (
        warm_commands(tmp_path / "bin") as commands,
        Stage(Home.open(tmp_path / "home")) as stage,
        start_cluster() as cluster,
    ):
        scene = Scene(stage.home, stage, lambda _: None)
        opening.found(scene)
        enrol_cluster(scene)
        monkeypatch.setattr(opening, "name_runs", lambda _: {HOST: RUN})
        opening.declare_and_decide(scene)
        license_cluster(scene, TERMS, "advise")
        assert scene.root is not None
        stage.prepare_host(scene.plans[HOST], scene.address, scene.root)
        try:
            yield Reader(scene, cluster, commands)
        finally:
            stage.end_agents()
            stage.end_work()


def test_the_page_from_install_to_the_last_rung_and_back(reader: Reader) -> None:
    """Every block, in order: each rung does what its row says, and at the end every byte is as it was."""
    cluster = reader.cluster
    before = {path.name: path.read_bytes() for path in cluster.etc.iterdir()}
    assert "nothing was changed" in reader.run("sekisho agent slurm install")
    assert {path.name: path.read_bytes() for path in cluster.etc.iterdir()} == before
    reader.run("sekisho agent slurm install")
    reader.restart()
    cluster.wait_state(cluster.submit("true", "--gres=gpu:1"), "COMPLETED")

    _start_agent(reader)
    assert "fails" not in reader.run("sekisho agent slurm check", exits=3)
    first = int(reader.run("sbatch").split()[-1])
    cluster.wait_state(first, "RUNNING")

    stray = cluster.submit("sleep 90", "--gres=gpu:1")
    cluster.wait_state(stray, "RUNNING")
    reader.learn("rung() {")
    reader.learn("back() {")
    reader.climb("rung block-new")
    told = reader.run("sbatch", exits=1)
    assert "sekisho [no-run-named]" in told
    assert "remedy: submit with --comment=sekisho:RUN" in told
    cluster.wait_state(cluster.submit("true"), "COMPLETED")
    assert cluster.state(stray) == "RUNNING"
    for rung in ("rung drain", "rung kill", "back block-new"):
        reader.climb(rung)
        assert cluster.state(first) == "RUNNING"

    reader.run("sekisho agent slurm remove")
    reader.restart()
    assert {path.name: path.read_bytes() for path in cluster.etc.iterdir()} == before
    assert cluster.state(first) == "RUNNING"
    cluster.wait_state(cluster.submit("true", "--gres=gpu:1"), "COMPLETED")
    assert reader.is_done()


def _start_agent(reader: Reader) -> None:
    """agent.json as the page has it, then its command, as a child that the stage ends."""
    settings = json.loads(reader.block('{"host"'))
    folder = reader.folder / "cluster"
    (folder / "agent.json").write_text(json.dumps(settings))
    (folder / "out").mkdir(exist_ok=True)
    assert msgspec.json.encode(settings["slurm"]["grace_s"]) == b"5"
    assert reader.block("sekisho agent run") == "sekisho agent run --home cluster\n"
    reader.scene.stage.start_agent(HOST)
    picture = reader.cluster.gate / "gate"
    reader.cluster.wait_for("an open gate", lambda: "\topen\t" in picture.read_text(), timeout_s=40)
