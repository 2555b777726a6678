"""One step each, never changed after its release."""
