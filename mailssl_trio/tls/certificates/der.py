"""DER (ITU-T X.690): just enough to walk from one element to the next."""

INTEGER, SEQUENCE = 0x02, 0x30


def element(data: bytes, start: int = 0) -> tuple[int, bytes, int]:
    """Return an element's tag, its content, and where the next one begins.

    Raises ValueError where it ends too early.
    """
    tag, *head = data[start : start + 2] or b"\0"
    if not head:
        raise ValueError("ends too early")
    (length,), begin = head, start + 2
    if length & 0x80:  # then so many octets of length follow
        begin += length & 0x7F
        length = int.from_bytes(data[start + 2 : begin])
    if (end := begin + length) > len(data):
        raise ValueError("ends too early")
    return tag, data[begin:end], end
