"""Why no connection came about, in nginx's form: ``111: Connection refused``."""

from os import strerror


def why_unreachable(error: OSError | UnicodeError) -> str:
    """Say what the last address that was tried did not like."""
    match error.__cause__:
        case BaseExceptionGroup(exceptions=(*_, last)):  # an address each
            why = last
        case _:
            why = error
    if isinstance(why, OSError) and why.errno and why.errno > 0:
        return f"{why.errno}: {strerror(why.errno)}"
    return str(why)
