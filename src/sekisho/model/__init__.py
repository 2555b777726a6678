"""The nouns of compute governance: pure values, no file, socket or clock."""
