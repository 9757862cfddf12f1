"""The last line of a file that we write: the SHA-256 of all before it.

HDF5 and its readers take no notice of bytes behind their own. The line covers everything (numbers, names, attributes
and the format's own bookkeeping), and is checked before a parser sees any of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import IO

_LINE = "\nluckproof sha256 {digest} of the {size:020d} bytes before\n"
LENGTH = len(_LINE.format(digest="0" * 64, size=0))
_PATTERN = re.compile(rb"\nluckproof sha256 ([0-9a-f]{64}) of the ([0-9]{20}) bytes before\n")
_CHUNK = 1 << 20


class DamagedFileError(ValueError):
    """What stands in a file is not what was written there."""


def last_line(data: bytes | memoryview) -> bytes:
    """The line to put behind ``data``."""
    return last_line_of(hashlib.sha256(data).hexdigest(), len(data))


def last_line_of(digest: str, size: int) -> bytes:
    """The line to put behind ``size`` bytes of that SHA-256, in hexadecimal."""
    return _LINE.format(digest=digest, size=size).encode()


def is_sealed(file: IO[bytes]) -> bool:
    """Check the last line of an open file.

    Returns:
        True where there is one and it is right, False where there is none.

    Raises:
        DamagedFileError: the line is there and what stands before it is something else.
    """
    size = file.seek(0, os.SEEK_END) - LENGTH
    if size < 0:
        return False
    file.seek(size)
    found = _PATTERN.fullmatch(file.read(LENGTH))
    if found is None:
        return False
    if int(found[2]) != size or _digest(file, size) != found[1].decode():
        raise DamagedFileError("its content does not fit its checksum: it was changed after it was written")
    return True


def _digest(file: IO[bytes], size: int) -> str:
    file.seek(0)
    found = hashlib.sha256()
    while size > 0:
        chunk = file.read(min(size, _CHUNK))
        if not chunk:
            break
        found.update(chunk)
        size -= len(chunk)
    return found.hexdigest()
