"""Drivers: what starts, watches and stops the work of one run."""

from __future__ import annotations

from sekisho.adapters.schedulers.process import ProcessDriver
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink, spawn_watchdog

__all__ = ["ProcessDriver", "WatchdogLink", "spawn_watchdog"]
