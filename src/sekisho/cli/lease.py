"""`sekisho lease`: leases by hand, from the issuer's side and from the host's."""

from __future__ import annotations

import typer

from sekisho.cli import lease_carrying, lease_issuing

__all__ = ["app"]

app = typer.Typer(help="Ask for, grant, carry and list leases.", no_args_is_help=True)
lease_carrying.add_to(app)
lease_issuing.add_to(app)
