"""``python -m tests.golden.write`` writes the golden files anew."""

from tests.golden.models import FILES, lp_text

if __name__ == "__main__":
    for family, path in FILES.items():
        path.write_text(lp_text(family), encoding="utf-8", newline="\n")
