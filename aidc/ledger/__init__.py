"""The carbon ledger: facts in a chained journal, emissions derived by book, the pathway to 2050."""

from aidc.ledger.books import BookMixError, Total
from aidc.ledger.chain import Verification
from aidc.ledger.inventory import reported_years
from aidc.ledger.journal import verify_file
from aidc.ledger.ledger import Ledger
from aidc.ledger.pathway import Pathway, ReportedYear, project
from aidc.ledger.statement import Statement
from aidc.ledger.trace_entries import post_trace

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
