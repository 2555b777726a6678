"""The gate put into a cluster's own configuration, and taken out again to the byte. Pure: files in, files out.

slurm.conf gets one block at its end; a line of the same key that stood before is kept behind a mark. A job_submit.lua,
a prolog or an epilog of the site's own go on doing their work: ours calls them. The nodes' own prolog and epilog, which
end work where controller and watchdog are gone together, are put in only where asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict

__all__ = [
    "EPILOG",
    "GATE_SCRIPT",
    "NODE_EPILOG",
    "NODE_PROLOG",
    "PROLOG",
    "GatePlan",
    "plan_install",
    "plan_remove",
]

CONF = "slurm.conf"
GATE_SCRIPT, SITE_SCRIPT = "job_submit.lua", "job_submit_site.lua"
PROLOG, EPILOG = "sekisho-prolog", "sekisho-epilog"
NODE_PROLOG, NODE_EPILOG = "sekisho-node-prolog", "sekisho-node-epilog"
BEGIN = b"# sekisho: begin, taken back by `sekisho agent slurm remove`\n"
BEGIN_JOINED = BEGIN[:-1] + b" (the line before had no end)\n"
END = b"# sekisho: end\n"
KEPT = b"#sekisho-kept# "
MARK = b"-- Sekisho's gate at submission."
_PLAIN = re.compile(r"/[A-Za-z0-9._/+@-]{0,1023}")

Files = Mapping[str, bytes]


class GatePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie: slurm.conf's folder, the gate's folder, scontrol. `language` is that of refusals.

    `nodes`: each node keeps a watch of its own over licensed jobs; it must see both folders at these very paths.
    """

    etc: str
    gate: str
    scontrol: str = "/usr/bin/scontrol"
    language: Literal["en", "ja"] = "en"
    nodes: bool = False


def plan_install(found: Files, plan: GatePlan) -> dict[str, bytes]:
    """What the files in slurm.conf's folder become, by name; `found` is what is there now.

    Raises InvalidInput for a folder without slurm.conf or a path that no script can hold, StateConflict where the
    gate is installed already.
    """
    for field, path in (("--etc", plan.etc), ("--gate", plan.gate), ("scontrol", plan.scontrol)):
        if not _PLAIN.fullmatch(path):
            raise InvalidInput("is no plain absolute path", path=f"{field} {path[:100]!r}")
    conf = _conf_of(found)
    if BEGIN in conf or BEGIN_JOINED in conf:
        raise StateConflict(f"{CONF} holds the gate already", remedy="remove it first")
    site = found.get(GATE_SCRIPT)
    words = {
        "GATE": f"{plan.gate}/gate",
        "RECORDS": f"{plan.gate}/jobs",
        "LANGUAGE": plan.language,
        "SITE": f"{plan.etc}/{SITE_SCRIPT}" if site is not None and _uses_lua(conf) else "",
        "PROLOG": _script(conf, "PrologSlurmctld"),
        "EPILOG": _script(conf, "EpilogSlurmctld"),
        "NODEPROLOG": _script(conf, "Prolog") if plan.nodes else "",
        "NODEEPILOG": _script(conf, "Epilog") if plan.nodes else "",
        "CONF": f"{plan.etc}/{CONF}",
        "SCONTROL": plan.scontrol,
    }
    made = {
        CONF: _with_block(conf, plan),
        GATE_SCRIPT: _filled("job_submit.lua", words),
        PROLOG: _filled("prolog", words),
        EPILOG: _filled("epilog", words),
    }
    if plan.nodes:
        made[NODE_PROLOG] = _filled("node-prolog", words)
        made[NODE_EPILOG] = _filled("node-epilog", words)
    return made if site is None else {**made, SITE_SCRIPT: site}


def plan_remove(found: Files) -> dict[str, bytes | None]:
    """What the files become when the gate is taken out; None where a file goes.

    Raises StateConflict where there is no gate, or only half of its marks.
    """
    conf = _conf_of(found)
    joined = BEGIN_JOINED in conf
    before, begin, rest = conf.partition(BEGIN_JOINED if joined else BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise StateConflict(f"{CONF} holds no gate of ours", remedy="nothing to remove")
    if joined:
        before = before[:-1]
    lines = (before + after).splitlines(keepends=True)
    bare = b"".join(line.removeprefix(KEPT) for line in lines)
    ours = found.get(GATE_SCRIPT, b"").startswith(MARK)
    script = {GATE_SCRIPT: found.get(SITE_SCRIPT)} if ours else {}
    gone = dict.fromkeys((SITE_SCRIPT, PROLOG, EPILOG, NODE_PROLOG, NODE_EPILOG))
    return {CONF: bare, **script, **gone}


def _conf_of(found: Files) -> bytes:
    conf = found.get(CONF)
    if conf is None:
        raise InvalidInput(f"there is no {CONF}", path="--etc", remedy="name its folder")
    return conf


def _with_block(conf: bytes, plan: GatePlan) -> bytes:
    """The lines that we replace are kept behind a mark; ours come last."""
    plugins = [name for name in _value(conf, "JobSubmitPlugins").split(",") if name]
    plugins += [] if "lua" in plugins else ["lua"]
    ours = {
        "JobSubmitPlugins": ",".join(plugins),
        "PrologSlurmctld": f"{plan.etc}/{PROLOG}",
        "EpilogSlurmctld": f"{plan.etc}/{EPILOG}",
    }
    if plan.nodes:
        ours |= {"Prolog": f"{plan.etc}/{NODE_PROLOG}", "Epilog": f"{plan.etc}/{NODE_EPILOG}"}
    kept = b"".join(
        KEPT + line if any(_is_of(line, key) for key in ours) else line
        for line in conf.splitlines(keepends=True)
    )
    is_joined = bool(kept) and not kept.endswith(b"\n")
    begin = b"\n" + BEGIN_JOINED if is_joined else BEGIN
    block = "".join(f"{key}={value}\n" for key, value in ours.items()).encode()
    return kept + begin + block + END


def _uses_lua(conf: bytes) -> bool:
    return "lua" in _value(conf, "JobSubmitPlugins").split(",")


def _is_of(line: bytes, key: str) -> bool:
    return re.match(rb"\s*" + key.encode() + rb"\s*=", line, re.IGNORECASE) is not None


def _value(conf: bytes, key: str) -> str:
    """A key's value, empty where it stands nowhere."""
    lines = [line for line in conf.splitlines() if _is_of(line, key)]
    if not lines:
        return ""
    return lines[-1].split(b"=", 1)[1].split(b"#")[0].strip().decode(errors="replace")


def _script(conf: bytes, key: str) -> str:
    """A script of the site's own, empty where there is none. Raises InvalidInput for what ours cannot call."""
    value = _value(conf, key)
    if value and not _PLAIN.fullmatch(value):
        raise InvalidInput("is no plain absolute path", path=f"{CONF}: {key}")
    return value


def _filled(name: str, words: Mapping[str, str]) -> bytes:
    text = (files("sekisho.adapters.schedulers.slurm") / "files" / name).read_text("utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: words[match.group(1)], text).encode()
