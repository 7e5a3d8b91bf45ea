"""Octets lent as a file, for functions that take nothing but a file's name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lend(data: bytes) -> Iterator[str]:
    """Give octets a file's name for a while. They never reach a disk.

    The name means something in this process only: memfd_create(2), proc(5).
    """
    descriptor = os.memfd_create("lent", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
