"""Failures here show the logs of the programs that run."""

from tests.interop.report import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]  # pytest finds its hooks here
