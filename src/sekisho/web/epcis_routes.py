"""Every route under /epcis, with what all of them have in common: errors, headers, what may be asked for."""

from __future__ import annotations

from litestar import Router

from sekisho.web.epcis import Epcis
from sekisho.web.epcis_headers import SPOKEN, check_asked
from sekisho.web.epcis_problems import respond_with_exception
from sekisho.web.epcis_queries import EpcisQueries
from sekisho.web.epcis_resources import EpcisResources

__all__ = ["make_epcis_router"]


def make_epcis_router() -> Router:
    """A router of its own for each application: registering one changes it."""
    return Router(
        path="/epcis",
        route_handlers=[Epcis, EpcisResources, EpcisQueries],
        exception_handlers={Exception: respond_with_exception},
        before_request=check_asked,
        response_headers=SPOKEN,
        tags=["EPCIS"],
    )
