"""Every statement kind of the protocol: one typed predicate each, in one table of wire words."""

from __future__ import annotations

from sekisho.model.statements.access import *  # noqa: F403
from sekisho.model.statements.access import __all__ as _access
from sekisho.model.statements.applications import *  # noqa: F403
from sekisho.model.statements.applications import __all__ as _applications
from sekisho.model.statements.custody import *  # noqa: F403
from sekisho.model.statements.custody import __all__ as _custody
from sekisho.model.statements.deposits import *  # noqa: F403
from sekisho.model.statements.deposits import __all__ as _deposits
from sekisho.model.statements.governance import *  # noqa: F403  # this package is the one shop window of the kinds
from sekisho.model.statements.governance import __all__ as _governance
from sekisho.model.statements.impact import *  # noqa: F403
from sekisho.model.statements.impact import __all__ as _impact
from sekisho.model.statements.licensing import *  # noqa: F403
from sekisho.model.statements.licensing import __all__ as _licensing
from sekisho.model.statements.orders import *  # noqa: F403
from sekisho.model.statements.orders import __all__ as _orders
from sekisho.model.statements.scopes import *  # noqa: F403
from sekisho.model.statements.scopes import __all__ as _scopes
from sekisho.model.statements.shapes import *  # noqa: F403
from sekisho.model.statements.shapes import __all__ as _shapes
from sekisho.model.statements.statement import *  # noqa: F403
from sekisho.model.statements.statement import __all__ as _statement
from sekisho.model.statements.succession import *  # noqa: F403
from sekisho.model.statements.succession import __all__ as _succession

__all__ = [  # noqa: PLE0604
    *_access,
    *_applications,
    *_custody,
    *_deposits,
    *_governance,
    *_impact,
    *_licensing,
    *_orders,
    *_scopes,
    *_shapes,
    *_statement,
    *_succession,
]
