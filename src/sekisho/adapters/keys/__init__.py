"""Private keys where they lie: files today, modules later."""

from sekisho.adapters.keys.files import create_key, load_key, load_or_create_key

__all__ = ["create_key", "load_key", "load_or_create_key"]
