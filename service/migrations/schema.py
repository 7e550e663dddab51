"""Every room's tables on one MetaData."""

import service.activity
import service.auth.tables
import service.central.tables
import service.deliveries.tables
import service.invoices.indexing
import service.invoices.tables
import service.ledger.tables
import service.reconciliation.tables
import service.reprints.feedback
import service.reprints.materials
import service.reprints.payments
import service.reprints.preferences
import service.reprints.tables  # noqa: F401
from service.db import metadata

__all__ = ["metadata"]
