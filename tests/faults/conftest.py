"""What takes minutes runs only when it is asked for by its mark."""

import pytest


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Skip what is marked ``exhaustive`` unless ``-m`` names it."""
    if "exhaustive" in config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="takes many minutes; ask for it by -m exhaustive")
    for item in items:
        if item.get_closest_marker("exhaustive"):
            item.add_marker(skip)
