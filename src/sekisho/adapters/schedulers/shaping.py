"""What leaves a host's set is slowed by the kernel: `tc` on named interfaces, put on and taken off exactly.

With addresses inside the set: a hierarchical token bucket (htb) whose default class has the limit, and one filter per
prefix that leads to a class without one. Without: one token bucket (tbf) over the whole interface. Only an interface
with the kernel's own default queue is taken: another site's shaping cannot be put back from what `tc` prints, so it is
refused rather than lost. Needs the right to administer the network; whoever has that right takes it off again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final

import msgspec

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["MARK", "ShapePlan", "Shaper", "make_plan", "plan_commands"]

MARK: Final = "5ec1:"
"""The handle of our queue, by which it is known again."""
INSIDE, OUTSIDE = f"{MARK}1", f"{MARK}2"
NO_LIMIT: Final = "100gbit"
LEAST_BURST: Final = 32_768
LATENCY: Final = "400ms"
TIMEOUT_S: Final = 10.0
MAX_ANSWER: Final = 1 << 20
MAX_PREFIXES: Final = 256
_INTERFACE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}", re.ASCII)
_SPACE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PATH: Final = "/usr/sbin:/sbin:/usr/bin:/bin"

Command = tuple[str, ...]


class ShapePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One interface, the bytes a second that may leave by it, and the prefixes inside the set, which are not slowed."""

    interface: str
    bytes_per_s: int
    inside: tuple[str, ...] = ()


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is on an interface by us, and what `tc` showed there before."""

    plan: ShapePlan
    before: str


def make_plan(interface: str, bytes_per_s: int, inside: Sequence[str] = ()) -> ShapePlan:
    """A plan of written words. Raises InvalidInput for a name, rate or prefix that is none."""
    if not _INTERFACE.fullmatch(interface):
        raise InvalidInput(f"{interface!r} is no interface's name", path="interface")
    if not 1_000 <= bytes_per_s <= 10**12:
        raise InvalidInput("is outside 1,000 to 10^12 bytes a second", path="rate")
    if len(inside) > MAX_PREFIXES:
        raise InvalidInput(f"are more than {MAX_PREFIXES} prefixes", path="inside")
    return ShapePlan(
        interface=interface,
        bytes_per_s=bytes_per_s,
        inside=tuple(str(_network(prefix)) for prefix in inside),
    )


def plan_commands(plan: ShapePlan) -> tuple[Command, ...]:
    """The words for `tc`, in order; after the last one the limit holds."""
    rate, burst = f"{plan.bytes_per_s}bps", str(max(LEAST_BURST, plan.bytes_per_s // 100))
    root = ("qdisc", "add", "dev", plan.interface, "root", "handle", MARK)
    if not plan.inside:
        return ((*root, "tbf", "rate", rate, "burst", burst, "latency", LATENCY),)
    child = ("class", "add", "dev", plan.interface, "parent", MARK, "classid")
    most = ("htb", "rate", NO_LIMIT, "quantum", "200000")
    limited = ("htb", "rate", rate, "ceil", rate, "burst", burst, "cburst", burst)
    # The limited class first: what is sent between two commands is slowed, not let through.
    return (
        (*root, "htb", "default", OUTSIDE.removeprefix(MARK)),
        (*child, OUTSIDE, *limited, "quantum", "60000"),
        (*child, INSIDE, *most),
        *(_filter(plan.interface, _network(prefix)) for prefix in plan.inside),
    )


class Shaper:
    """Puts plans on and takes them off, remembering in `folder` what stood there; `netns` is a namespace's name."""

    def __init__(self, folder: Path, netns: str = "") -> None:
        """Raises InvalidInput for a bad name of a namespace."""
        if netns and not _SPACE.fullmatch(netns):
            raise InvalidInput(f"{netns!r} is no network namespace's name", path="netns")
        self._folder = folder / (netns or "host")
        self._space = ("-n", netns) if netns else ()

    def apply(self, plan: ShapePlan) -> None:
        """Limit an interface; the same again does nothing, another plan of ours is replaced.

        Raises StateConflict where others shape it, Unavailable where the kernel or our rights do not allow it: then
        it is as before.
        """
        if self.is_applied(plan):
            return
        if self._is_ours(plan.interface):
            self.remove(plan.interface)
        before = self._queues(plan.interface)
        if not _is_default(before):
            raise StateConflict(
                f"{plan.interface} is shaped by others: {_first(before)}",
                remedy="take that off first, or leave the limit to it",
            )
        # Crash after this: the record names what was there, and remove() finds nothing of ours to take off.
        self._keep(_Kept(plan=plan, before=_text(before)))
        try:
            for command in plan_commands(plan):
                self._tell(command)
        except SekishoError:
            self._undo(plan.interface)
            raise
        if not self.is_applied(plan):
            self._undo(plan.interface)
            raise Unavailable(f"{plan.interface} does not show the limit that was put on it")

    def remove(self, interface: str) -> bool:
        """Take our limit off; False where there is none. Raises Unavailable where what was there is not back."""
        make_plan(interface, 1_000)
        kept = self._kept(interface)
        if not self._is_ours(interface):
            self._forget(interface)
            return False
        self._undo(interface)
        now = _text(self._queues(interface))
        if kept is not None and now != kept.before:
            raise Unavailable(f"{interface} shows {now} now, and {kept.before} before the limit")
        self._forget(interface)
        return True

    def is_applied(self, plan: ShapePlan) -> bool:
        """Whether the kernel shows exactly this limit: queue, rate, and a filter for each prefix."""
        root = _root(self._queues(plan.interface))
        if root.get("handle") != MARK:
            return False
        if not plan.inside:
            shown = root.get("options", {}).get("rate")
            return bool(root.get("kind") == "tbf" and shown == plan.bytes_per_s)
        kept = self._kept(plan.interface)
        filters = self._ask_json("filter", "show", "dev", plan.interface)
        led = sum(f.get("options", {}).get("flowid") == INSIDE for f in filters)
        classes = self._ask("class", "show", "dev", plan.interface).decode(errors="replace")
        shown = _rate_of(classes, OUTSIDE)
        is_right = (
            abs(shown - plan.bytes_per_s) * 100 <= plan.bytes_per_s
        )  # tc shows rounded figures
        is_whole = is_right and {f"htb {INSIDE} ", f"htb {OUTSIDE} "} <= set(
            re.findall(r"htb \S+ ", classes)
        )
        same = kept is not None and kept.plan == plan
        return root.get("kind") == "htb" and is_whole and led == len(plan.inside) and same

    # --- the kernel ----------------------------------------------------------------------------

    def _is_ours(self, interface: str) -> bool:
        return _root(self._queues(interface)).get("handle") == MARK

    def _queues(self, interface: str) -> list[dict[str, Any]]:
        return self._ask_json("qdisc", "show", "dev", interface)

    def _undo(self, interface: str) -> None:
        if self._is_ours(interface):
            self._tell(("qdisc", "del", "dev", interface, "root", "handle", MARK))

    def _tell(self, command: Command) -> None:
        self._ask(*command)

    def _ask_json(self, *words: str) -> list[dict[str, Any]]:
        """A list that `tc` prints; its own output, so plain JSON. Raises Unavailable for anything else."""
        try:
            found = json.loads(self._ask("-j", *words) or b"[]")
        except ValueError:
            raise Unavailable("tc answers with something that is no JSON") from None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Unavailable("tc answers with something that is no list")
        return found

    def _ask(self, *words: str) -> bytes:
        try:
            done = subprocess.run(
                ["tc", *self._space, *words],  # noqa: S607  # found on PATH, as iproute2 lies in more than one place
                capture_output=True,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", _PATH)},
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"tc gave no answer within {TIMEOUT_S:.0f} s") from None
        except OSError as error:
            raise Unavailable(
                f"tc cannot be run: {error.strerror}", remedy="install iproute2"
            ) from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[:500]
            raise Unavailable(
                f"tc {' '.join(words)} ended with {done.returncode}: {said}",
                remedy="is the interface there, are you root, has the kernel sch_tbf, sch_htb and cls_u32?",
            )
        return done.stdout[:MAX_ANSWER]

    # --- the record ----------------------------------------------------------------------------

    def _record(self, interface: str) -> Path:
        return self._folder / f"{interface}.json"

    def _keep(self, kept: _Kept) -> None:
        create_private_folder(self._folder)
        replace_file(self._record(kept.plan.interface), canonical(msgspec.to_builtins(kept)))

    def _kept(self, interface: str) -> _Kept | None:
        path = self._record(interface)
        try:
            with path.open("rb") as file:
                body = file.read(MAX_ANSWER)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
        return from_json(_Kept, parse_json(body, path=str(path)), path=str(path))

    def _forget(self, interface: str) -> None:
        self._record(interface).unlink(missing_ok=True)


def _network(prefix: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(prefix)
    except ValueError as error:
        raise InvalidInput(str(error), path="inside", remedy="write 10.1.0.0/16") from None


def _filter(interface: str, network: IPv4Network | IPv6Network) -> Command:
    """Protocols have priorities of their own: one list of the kernel's holds one protocol."""
    protocol, word, order = ("ip", "ip", "10") if network.version == 4 else ("ipv6", "ip6", "11")
    where = ("filter", "add", "dev", interface, "parent", MARK, "protocol", protocol)
    return (*where, "pref", order, "u32", "match", word, "dst", str(network), "flowid", INSIDE)


def _rate_of(classes: str, named: str) -> int:
    """Bytes a second of a class as `tc` prints it (`rate 8Mbit`); 0 where it is not there."""
    found = re.search(rf"^class htb {named} .*?\brate ([0-9]+)([KMGT]?)bit", classes, re.MULTILINE)
    return 0 if found is None else int(found[1]) * 1000 ** " KMGT".index(found[2] or " ") // 8


def _root(queues: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return next((queue for queue in queues if queue.get("root")), {})


def _is_default(queues: Sequence[dict[str, Any]]) -> bool:
    """The kernel gives its own queues no handle of their own."""
    return all(queue.get("handle") == "0:" for queue in queues)


def _first(queues: Sequence[dict[str, Any]]) -> str:
    named = next((q for q in queues if q.get("handle") != "0:"), {})
    return f"{named.get('kind')} {named.get('handle')}"


def _text(queues: Sequence[dict[str, Any]]) -> str:
    """Queues in a form that two looks give alike: without counts of who refers to them."""
    kept = [{name: q[name] for name in q if name != "refcnt"} for q in queues]
    return json.dumps(kept, sort_keys=True)
