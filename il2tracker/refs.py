"""Random public names for rows: a URL never holds a number that can be counted up."""

import secrets

# No 0/O, 1/I/L and no vowels: nothing to misread on the telephone, and no accidental words.
LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"


def new_ref() -> str:
    """Ten random characters, about 47 bits: the name of a row in a URL."""
    return "".join(secrets.choice(LETTERS) for _ in range(10)).lower()


def new_code() -> str:
    """Four random characters: what a clinic calls a patient by."""
    return "".join(secrets.choice(LETTERS) for _ in range(4))


def new_token() -> str:
    """Twenty-two URL-safe characters, 128 bits: the secret part of a mailed link."""
    return secrets.token_urlsafe(16)
