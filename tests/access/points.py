"""An access point in memory over a control plane in memory, and asking what it lets through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, MutableMapping
from typing import Any

import msgspec

from sekisho.access import AccessGate, UserClass
from sekisho.access.picture import AccessPicture, decide_access
from sekisho.access.point import DeclaredModel, Point, PointSettings
from sekisho.following import Follower
from sekisho.model.statements import AccessTerms, OrderReference, Reference, Scope
from sekisho.signing import Envelope
from tests.factory import AUTHORITY, signed
from tests.fake_control import FakeControl
from tests.fakes import FakeFiles

__all__ = [
    "MODEL",
    "XA",
    "XB",
    "Asking",
    "HeldPicture",
    "PointRig",
    "asgi_scope",
    "gate_of",
    "licensed",
    "revoked",
    "unproven",
]

MODEL = "model-1"
XA = UserClass(nationality="XA", jurisdiction="XA", asserted_by="kyc")
XB = UserClass(nationality="XB", jurisdiction="XB", asserted_by="kyc")
Message = MutableMapping[str, Any]


class PointRig:
    """A control plane, an access point that follows it, and the picture of now."""

    def __init__(
        self, *, licence: str | None = None, files: FakeFiles | None = None, **settings: Any
    ) -> None:
        self.control = FakeControl()
        self.files = files or FakeFiles()
        self.settings = PointSettings(
            host="host-1",
            control="http://127.0.0.1:1",
            models=(
                DeclaredModel(model=MODEL, licence=licence),
                DeclaredModel(model="model-2"),
            ),
            **settings,
        )
        self.codes: list[str] = []
        self.cursor = 0
        self.point = self.start()

    def start(self) -> Point:
        """An access point that wakes on the same files."""
        self.cursor = 0
        follower = Follower("host-1", self.control.root)
        self.point = Point(self.settings, follower, self.control.clock, self.files)
        self.point.wake()
        return self.point

    def suspend(self, terms: AccessTerms | None = None, **fields: Any) -> Envelope:
        """A suspension by its quorum, in the log and in force."""
        order = self.control.order(
            kind="suspend-access",
            effect="suspend-access",
            access=terms or AccessTerms(nationalities=("XA",)),
            **fields,
        )
        return self.control.issue(order)

    def resume(self, *lifted: Envelope, scope: Scope | None = None) -> Envelope:
        return self.control.issue(self.unissued_resume(*lifted, scope=scope))

    def unissued_resume(self, *lifted: Envelope, scope: Scope | None = None) -> Envelope:
        names = [
            OrderReference(register="suspend-access/JP", number=number, digest=each.digest)
            for number, each in enumerate(lifted, 1)
        ]
        return self.control.order(
            kind="resume",
            effect="lift",
            lifts=names,
            scope=scope or Scope(sites=("site-1",)),
            now=self.control.now().plus(-self.control.now().us % 1_000_000 / 1_000_000),
        )

    def catch_up(self) -> None:
        feed = self.control.fetch_feed("host-1", self.cursor, 0)
        self.codes += [finding.code for finding in self.point.hear(feed)]
        self.cursor = feed.next

    def beat(self, seconds: float = 0.0) -> AccessPicture:
        """Time passes, the registers speak, the point hears, and draws."""
        self.control.clock.advance(seconds)
        self.control.state_heads()
        self.catch_up()
        return self.point.draw()

    def code(self, user: UserClass, model: str = MODEL) -> str:
        """By which rule the newest word serves or refuses, now."""
        return decide_access(self.point.draw(), user, model, self.control.now()).code


def unproven(rig: PointRig, envelope: Envelope) -> None:
    """Show an order by the feed without the log."""
    rig.control.show(envelope)
    rig.catch_up()


class HeldPicture:
    """Implements PictureSource with what a test puts there."""

    def __init__(self, picture: AccessPicture | None) -> None:
        self.picture = picture

    def current(self) -> AccessPicture | None:
        return self.picture


class Asking:
    """One client of an ASGI application, in memory: what it gets is in `sent`."""

    def __init__(self, scope: Message, *incoming: Message) -> None:
        self.scope = scope
        self.sent: list[Message] = []
        self._incoming = list(incoming)

    def run(self, app: Callable[..., Coroutine[Any, Any, None]]) -> Asking:
        asyncio.run(app(self.scope, self._receive, self._send))
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.sent if m["type"].endswith("body"))

    def problem(self) -> dict[str, Any]:
        return dict(msgspec.json.decode(self.body))

    async def _receive(self) -> Message:
        return self._incoming.pop(0) if self._incoming else {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


def asgi_scope(kind: str = "http", **more: Any) -> Message:
    return {"type": kind, "path": "/v1/chat", "headers": [], "extensions": {}, **more}


def licensed(rig: PointRig, **changes: Any) -> Reference:
    """Licence LIC-1 for host-1, until tomorrow."""
    return rig.control.license(**changes)


def revoked(rig: PointRig, licence: Reference) -> None:
    from sekisho.model.statements import LicenceRevoked

    fact = LicenceRevoked(
        effective=rig.control.now(), licence=licence, number="LIC-1", reason="withdrawn"
    )
    rig.control.admit(signed(fact, *AUTHORITY[:2]))


def gate_of(rig: PointRig, app: Any, user: UserClass = XB, **more: Any) -> AccessGate:
    """A gate over the rig's picture of now, whose every user is `user`."""
    held = HeldPicture(rig.point.draw())
    return AccessGate(
        app,
        picture=held,
        classify=lambda _: user,
        model=lambda _: MODEL,
        now=rig.control.now,
        elapsed_s=rig.control.clock.elapsed_s,
        **more,
    )
