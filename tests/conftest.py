"""What several test modules share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Site


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--kill-rounds=500` for a night."""
    parser.addoption("--kill-rounds", type=int, default=20, help="rounds of the kill loop")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A server of this test's own; a normal day leaves its log empty."""
    site = Site(tmp_path / "data")
    yield site
    site.stop()
    assert site.log == []
