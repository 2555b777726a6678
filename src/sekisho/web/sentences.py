"""What an entry of the log says, in one sentence: for the pages; the words stand in the operations."""

from sekisho.ceremony import say_entry, say_kind

__all__ = ["say_entry", "say_kind"]
