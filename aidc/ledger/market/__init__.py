"""Market-based electricity: claims, matching by year and hour, the Shanghai scheme."""
