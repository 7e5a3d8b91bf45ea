"""Inputs by the million are tried only when they are asked for by their mark."""

import pytest


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Skip what is marked ``fuzz`` unless ``-m`` names it."""
    if "fuzz" in config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="takes hours; ask for it by -m fuzz")
    for item in items:
        if item.get_closest_marker("fuzz"):
            item.add_marker(skip)
