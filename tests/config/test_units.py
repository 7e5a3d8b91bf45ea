"""nginx's notation of times and sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.config.units import (
    format_size,
    format_time,
    parse_size,
    parse_time,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300", 300),
        ("300s", 300),
        ("5m", 300),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1m30", 90),
        ("500ms", 0.5),
        ("1s500ms", 1.5),
        ("1d", 86400),
        ("1w", 604800),
        ("1M", 2592000),
        ("1y", 31536000),
        ("1y1M1w1d1h1m1s1ms", 34822861.001),
    ],
)
def test_units_add_up(text: str, seconds: float) -> None:
    assert parse_time(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "m",
        "5x",
        "-5",
        "1.5s",
        "30m1h",
        "1h1h",
        "1 1",
        "5 m",
        "1e3",
        "٣",
        "9" * 11,
    ],
)
def test_everything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_time(text)


@given(st.integers(0, 10**12))
def test_time_that_is_written_is_read_as_the_same(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_time(format_time(seconds)) == pytest.approx(seconds, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "octets"),
    [("0", 0), ("32768", 32768), ("32k", 32768), ("10M", 10485760), ("1K", 1024)],
)
def test_sizes_are_octets_kilo_or_mega(text: str, octets: int) -> None:
    assert parse_size(text) == octets


@pytest.mark.parametrize("text", ["", "k", "1g", "-1", "1 k", "1kb", "1.5m", "٣"])
def test_everything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@given(st.integers(0, 10**10 - 1))
def test_size_that_is_written_is_read_as_the_same(octets: int) -> None:
    assert parse_size(format_size(octets)) == octets
