"""Declared outages under the agent's name for them; they live in `sekisho.following.outages`."""

from __future__ import annotations

from sekisho.following.outages import KnownOutage, Outages, OutageTooLong

__all__ = ["KnownOutage", "OutageTooLong", "Outages"]
