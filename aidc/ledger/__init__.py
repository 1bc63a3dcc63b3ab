"""The carbon ledger: facts in a chained journal, emissions derived by book, the pathway to 2050."""

from aidc.ledger.inventory import reported_years
from aidc.ledger.journal.chain import Verification
from aidc.ledger.journal.file import verify_file
from aidc.ledger.ledger import Ledger
from aidc.ledger.pathway.projection import Pathway, ReportedYear, project
from aidc.ledger.statements.books import BookMixError, Total
from aidc.ledger.statements.statement import Statement
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
