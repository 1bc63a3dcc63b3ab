"""Names of people and places: the same one written in another way is the same."""

import unicodedata


def plain(name: str) -> str:
    """A name without what does not tell two apart: case, width, spaces at its ends and in rows.

    Examples:
        >>> plain("  MALLORY ") == plain("mallory")
        True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def same_person(one: str, other: str) -> bool:
    """Whether two names are one: a second name has to differ in more than its writing."""
    return plain(one) == plain(other)
