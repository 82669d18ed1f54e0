"""Passwords against bcrypt hashes, by the package of that name."""

from manometer.errors import ConfigError

__all__ = ["cost", "matches", "never_matched", "require"]

_BYTES = 72
"""Of a password; bcrypt takes no notice of more."""


def require() -> None:
    """Raise ConfigError where the package is not there."""
    try:
        import bcrypt  # noqa: F401
    except ImportError:
        raise ConfigError("basic_auth_users needs an extra: pip install 'manometer[web]'") from None


def matches(password: bytes, hashed: str) -> bool:
    """Whether the hash is of that password; without the GIL, in a time that the hash alone decides."""
    import bcrypt

    try:
        return bcrypt.checkpw(password[:_BYTES], hashed.encode())
    except ValueError:  # a NUL, which some versions refuse
        return False


def cost(hashed: str) -> int:
    """What a check of the hash costs, as the logarithm to base 2."""
    return int(hashed.split("$")[2])


def never_matched(like: str) -> str:
    """A hash of no password that takes as long to check as this one."""
    return f"$2b${cost(like):02d}${'.' * 53}"
