"""What a failure of these tests shows."""

from collections.abc import Generator

import pytest

from tests.interop.background import Background


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the programs had to say."""
    report = yield
    if report.failed:
        for program in Background.RUNNING:
            report.sections.append((f"log of {program.name}", program.logged()[-8000:]))
    return report
