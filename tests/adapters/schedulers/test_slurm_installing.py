"""The gate goes into a cluster's configuration and out of it again without a trace."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.schedulers.slurm.config import parse_config, stop_bound_s
from sekisho.adapters.schedulers.slurm.installing import (
    EPILOG,
    GATE_SCRIPT,
    NODE_EPILOG,
    NODE_PROLOG,
    PROLOG,
    GatePlan,
    plan_install,
    plan_remove,
)
from sekisho.model.errors import InvalidInput, StateConflict

PLAN = GatePlan(etc="/etc/slurm", gate="/var/lib/gate")
CONF = b"ClusterName=c\njobsubmitplugins = defaults\nPrologSlurmctld=/opt/site/prolog # ours\n"


def after(
    found: dict[str, bytes], made: dict[str, bytes] | dict[str, bytes | None]
) -> dict[str, bytes]:
    """The folder once a plan is carried out."""
    whole = {**found, **made}
    return {name: data for name, data in whole.items() if data is not None}


@given(
    conf=st.lists(
        st.sampled_from(
            [
                b"ClusterName=c",
                b"",
                b"# JobSubmitPlugins=x",
                b"JobSubmitPlugins=lua,b",
                b"\xff=\xfe",
                b"  EpilogSlurmctld=/opt/e",
                b"PROLOGSLURMCTLD=/opt/p",
                b"Prolog=/opt/node-p",
                b"epilog = /opt/node-e # theirs",
                b"NodeName=n[1-9] Gres=gpu:4\r",
            ]
        )
    ).map(b"\n".join),
    end=st.sampled_from([b"", b"\n", b"\n\n"]),
    script=st.none() | st.binary(max_size=40),
    nodes=st.booleans(),
)
def test_install_and_remove_leave_every_byte(
    conf: bytes, end: bytes, script: bytes | None, nodes: bool
) -> None:
    """Whatever the site had, with or without a last line end, with or without a script of its own."""
    found = {"slurm.conf": conf + end} | ({} if script is None else {GATE_SCRIPT: script})
    plan = msgspec.structs.replace(PLAN, nodes=nodes)
    installed = after(found, plan_install(found, plan))

    assert after(installed, plan_remove(installed)) == found


def test_the_nodes_keep_a_watch_only_where_asked_for() -> None:
    """Their own prolog and epilog are called from ours; without the wish neither is touched."""
    conf = CONF + b"Prolog=/opt/node-p\n"
    plain = plan_install({"slurm.conf": conf}, PLAN)
    watched = plan_install({"slurm.conf": conf}, msgspec.structs.replace(PLAN, nodes=True))

    assert not {NODE_PROLOG, NODE_EPILOG} & set(plain)
    assert b"\nProlog=/opt/node-p\n" in plain["slurm.conf"]
    assert f"\nProlog=/etc/slurm/{NODE_PROLOG}\n".encode() in watched["slurm.conf"]
    assert f"\nEpilog=/etc/slurm/{NODE_EPILOG}\n".encode() in watched["slurm.conf"]
    assert b"SITE='/opt/node-p'" in watched[NODE_PROLOG]
    assert b"SITE=''" in watched[NODE_EPILOG]
    with pytest.raises(InvalidInput, match="Prolog"):
        plan_install(
            {"slurm.conf": b"Prolog=/etc/slurm/prolog.d/*\n"},
            msgspec.structs.replace(PLAN, nodes=True),
        )


def test_what_stood_there_goes_on_doing_its_work() -> None:
    """Plugins are added to, a prolog is called from ours, a script of the site is chained."""
    conf = CONF.replace(b"defaults", b"defaults,lua")
    made = plan_install({"slurm.conf": conf, GATE_SCRIPT: b"-- ours"}, PLAN)

    assert b"JobSubmitPlugins=defaults,lua\n" in made["slurm.conf"]
    assert b"SITE='/opt/site/prolog'" in made[PROLOG]
    assert b"SITE=''" in made[EPILOG]
    assert b'SITE = "/etc/slurm/job_submit_site.lua"' in made[GATE_SCRIPT]
    assert made["job_submit_site.lua"] == b"-- ours"


def test_a_script_that_was_never_read_is_kept_and_not_brought_to_life() -> None:
    """A job_submit.lua without the lua plugin did nothing before, and does nothing now."""
    made = plan_install({"slurm.conf": CONF, GATE_SCRIPT: b"-- old"}, PLAN)

    assert b'SITE = ""' in made[GATE_SCRIPT]


def test_installing_twice_is_refused() -> None:
    """The first one's marks would be lost."""
    found = {"slurm.conf": CONF}
    installed = after(found, plan_install(found, PLAN))

    with pytest.raises(StateConflict, match="remove it first"):
        plan_install(installed, PLAN)
    with pytest.raises(StateConflict):
        plan_remove(found)


@pytest.mark.parametrize("path", ["gate", "/a b", "/a'b", '/a"b', "/a\nb", "/$(reboot)", "/a`b`"])
def test_a_path_that_could_be_a_command_is_refused(path: str) -> None:
    """Paths go into scripts: only plain ones."""
    with pytest.raises(InvalidInput, match="plain absolute path"):
        plan_install({"slurm.conf": CONF}, GatePlan(etc="/etc/slurm", gate=path))


def test_a_prolog_that_could_be_a_command_is_refused() -> None:
    """The site's own words go into our scripts, too."""
    with pytest.raises(InvalidInput, match="PrologSlurmctld"):
        plan_install({"slurm.conf": b"PrologSlurmctld=/opt/p';reboot;'\n"}, PLAN)
    with pytest.raises(InvalidInput, match="PrologSlurmctld"):
        plan_install({"slurm.conf": b"PrologSlurmctld=p';reboot;'\n"}, PLAN)


def test_a_folder_without_a_configuration_is_named() -> None:
    """Nothing is written where there is no cluster."""
    with pytest.raises(InvalidInput, match=r"slurm\.conf"):
        plan_install({}, PLAN)


def test_the_stop_that_is_promised_is_read_from_the_cluster() -> None:
    """KillWait counts where it is shorter than our own grace; what is missing is Slurm's default."""
    facts = parse_config(
        "KillWait                = 5 sec\nSlurmUser = slurm(64030)\nEpilog = (null)\n"
    )

    assert (facts.kill_wait_s, facts.unkillable_s, facts.slurm_user) == (5, 60, "slurm(64030)")
    assert stop_bound_s(facts.kill_wait_s, 30) == 15
    assert stop_bound_s(parse_config("").kill_wait_s, 5) == 15
    assert stop_bound_s(parse_config("").kill_wait_s, 3600) == 40
