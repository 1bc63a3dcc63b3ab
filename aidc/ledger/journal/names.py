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


def one_line(text: str) -> str:
    r"""A text for a terminal: signs that steer it, break its line or turn its direction are written out.

    Examples:
        >>> print(one_line("hq\ntotal 0 t \x1b[2J"))
        hq\ntotal 0 t \x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(
        sign.encode("unicode_escape").decode()
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else sign
        for sign in text
    )
