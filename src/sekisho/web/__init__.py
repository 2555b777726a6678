"""The console and the HTTP API of one control plane: translates and renders, nothing else."""

from sekisho.web.server import create_app, serve

__all__ = ["create_app", "serve"]
