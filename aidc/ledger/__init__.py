"""The carbon ledger: facts in a chained journal, emissions derived by book, the pathway to 2050."""

from aidc.ledger.ledger import Ledger, post_trace
from aidc.ledger.statement import Statement

__all__ = ["Ledger", "Statement", "post_trace"]
