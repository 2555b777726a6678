"""Sekisho (関所): the compute pause button. Rules, enforcement and verification for AI compute."""

__version__ = "0.1.0"
__all__ = ["__version__"]
