"""Names as people write them: when two of them are the same."""

import unicodedata


def plain_name(text: str) -> str:
    r"""A name without what does not tell two apart: case, width, composition, blanks around and doubled.

    Examples:
        >>> plain_name(" Farm\u3000\uff21 "), plain_name("Re\u0301g") == plain_name("r\u00e9g")
        ('farm a', True)
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's; an empty one is nobody's second name."""
    return plain_name(one) == plain_name(other) or not plain_name(one) or not plain_name(other)
