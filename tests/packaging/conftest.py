"""Packages are built, for a minute and from a registry, only when asked for."""

import pytest


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Skip what is marked ``package`` unless ``-m`` names it."""
    if "package" in config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="builds a package; ask for it by -m package")
    for item in items:
        if item.get_closest_marker("package"):
            item.add_marker(skip)
