"""Durable storage.

The database is imported by its own name (`sekisho.adapters.storage.sqlite_log`), so that whoever
needs files only does not load it.
"""

from sekisho.adapters.storage.file_tiles import FileTileStore, write_durably
from sekisho.adapters.storage.key_file import load_or_create_key

__all__ = ["FileTileStore", "load_or_create_key", "write_durably"]
