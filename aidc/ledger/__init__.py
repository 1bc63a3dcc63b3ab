"""The carbon ledger: facts in a chained journal, emissions derived by book, the pathway to 2050."""

from aidc.ledger.books import BookMixError, Total
from aidc.ledger.inventory import reported_years
from aidc.ledger.journal import Verification, verify_file
from aidc.ledger.ledger import Ledger, post_trace
from aidc.ledger.pathway import Pathway, ReportedYear, project
from aidc.ledger.statement import Statement

__all__ = [
    "BookMixError",
    "Ledger",
    "Pathway",
    "ReportedYear",
    "Statement",
    "Total",
    "Verification",
    "post_trace",
    "project",
    "reported_years",
    "verify_file",
]
