"""A file that holds what was last written to it, or what it held before: never a part of it."""

import os
from contextlib import suppress
from pathlib import Path
from threading import get_ident

__all__ = ["write_whole"]

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Write beside the file, then rename; also a full disk leaves what was there. Raises OSError.

    mode: who may read and write the file, as the process's umask allows. The temporary file begins with a dot and
    ends with no suffix of the path's, so that who reads all files of a folder by their suffix does not see it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    with suppress(FileNotFoundError):  # what a crash amid this has left
        temporary.unlink()
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
