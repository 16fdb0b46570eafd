"""What several test modules share."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import Wire
from hypothesis import HealthCheck, settings
from serving import Site
from tornado.ioloop import IOLoop

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the servers of the tests would ignore it

# How long an example takes says how busy the machine is, and nothing else.
settings.register_profile(
    "busy", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")

# Without node or Chromium one line says so (at the end), instead of one for each test. CI has to
# fail. Both stand here because the process that writes the end reads no other conftest.
CI = os.environ.get("CI") == "true"
NODE = shutil.which("node") or CI
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or CI
collect_ignore = [] if NODE else ["test_page_rules.py", "test_planted.py", "test_recovery.py"]
collect_ignore += [] if CHROMIUM else ["browser"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not NODE:
        terminalreporter.write_line(
            "SKIPPED: the tests of the page's rules need node, on the path."
        )
    if not CHROMIUM and not terminalreporter.config.getoption("ignore"):
        terminalreporter.write_line(
            "SKIPPED: tests/browser needs Chromium, on the path or named by CHROMIUM."
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--kill-rounds=500` for a night."""
    parser.addoption("--kill-rounds", type=int, default=20, help="rounds of the kill loop")


@pytest.fixture(autouse=True, scope="module")
def what_a_module_leaves_open() -> Iterator[None]:
    """Is complained of there, and not in whichever test the collector happens to run."""
    yield
    gc.unfreeze()
    gc.collect()


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    """What a test puts in is closed at its end."""
    wires: list[Wire] = []
    yield wires
    for wire in wires:
        wire.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A server of this test's own; a normal day leaves its log empty."""
    site = Site(tmp_path / "data")
    yield site
    site.stop()
    assert site.log == []


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """The event loop of a gen_test. pytest-tornado's own asks for a loop that nobody has made yet,
    which Python warns of since 3.12 and refuses since 3.14.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield IOLoop.current()
    asyncio.set_event_loop(None)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
