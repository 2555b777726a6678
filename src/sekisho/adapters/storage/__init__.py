"""Durable storage.

The database is imported by its own name (`sekisho.adapters.storage.sqlite_log`), so that whoever
needs files only does not load it.
"""

from sekisho.adapters.storage.file_tiles import FileTileStore

__all__ = ["FileTileStore"]
