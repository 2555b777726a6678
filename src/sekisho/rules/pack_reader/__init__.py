"""From the text of a rule pack to a `Pack`, or an error with file, line and remedy."""

from sekisho.rules.pack_reader.top import parse_pack

__all__ = ["parse_pack"]
