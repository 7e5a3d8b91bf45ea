"""Start a program as a unit of systemd's would confine it: sandbox.py FILE COMMAND.

FILE names the system calls that there are, a line each; all others fail with EPERM.
Memory that can be written is never executed, as MemoryDenyWriteExecute= has it.
"""

import ctypes
import os
import sys
from errno import EPERM
from mmap import PROT_EXEC, PROT_WRITE
from pathlib import Path

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | EPERM  # seccomp(2)
MASKED_EQUAL = 7  # SCMP_CMP_MASKED_EQ
PROTECTION = 2  # the argument of mmap(2) and mprotect(2), from 0

PROTECTIONS = {
    "mmap": (0, PROT_WRITE, PROT_EXEC),
    "mprotect": (0, PROT_WRITE),
    "pkey_mprotect": (0, PROT_WRITE),
}
"""What may be asked for, of writing and executing."""


class Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def main(file: str, *command: str) -> None:
    """Confine this process for ever, and become the program."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(REFUSE)))
    allow = seccomp.seccomp_rule_add_array
    mask = PROT_WRITE | PROT_EXEC
    for name in Path(file).read_text().split():
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # another architecture has it
            continue
        if name not in PROTECTIONS:
            allow(rules, ctypes.c_uint32(ALLOW), number, 0, None)
        for value in PROTECTIONS.get(name, ()):
            said = Comparison(PROTECTION, MASKED_EQUAL, mask, value)
            allow(rules, ctypes.c_uint32(ALLOW), number, 1, ctypes.byref(said))
    if seccomp.seccomp_load(rules):
        sys.exit("seccomp_load failed")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
