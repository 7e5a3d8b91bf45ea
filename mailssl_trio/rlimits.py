"""What the system lets a process have: setrlimit(2)."""

import resource


def write_no_core_files() -> None:
    """Have nothing written when we crash: our memory holds keys and passwords."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def raise_descriptors(wanted: int | None = None) -> str:
    """Let us and our children have as many files open as may be; at least ``wanted``.

    Returns what keeps us from it, "" if nothing does. Only root gets beyond the hard
    limit, and nobody beyond the kernel's own.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(hard, wanted or 0)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError) as error:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return f"no more than {hard} files may be open, not {wanted}: {error}"
    return ""


def limit_descriptors(wanted: int | None) -> None:
    """Have no more files open than so many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if wanted is not None and wanted < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
