"""Parameters of a market-based statement that its book leaves open."""

from pydantic import Field

from aidc.config import Config


class MarketTerms(Config):
    """The block ``market`` of models/policies.yaml; printed on each market-based statement.

    Attributes:
        vintage_before_months: how long before the year of consumption generation may begin.
        vintage_after_months: how long after it generation may end.
        coarse_lots: whether the hourly book takes lots coarser than an hour, spread by their profile.
    """

    vintage_before_months: int = Field(ge=0)
    vintage_after_months: int = Field(ge=0)
    coarse_lots: bool
    source: str = Field(min_length=3)

    def __str__(self) -> str:
        coarse = "spread by their profile" if self.coarse_lots else "not applied in the hourly book"
        return (
            f"vintage window from {self.vintage_before_months} months before the year of consumption to "
            f"{self.vintage_after_months} after it; lots coarser than an hour are {coarse} ({self.source})"
        )
