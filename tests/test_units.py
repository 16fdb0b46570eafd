"""deploy/: the units of systemd, as systemd itself reads them. It need not run for that."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chat.config import parse

DEPLOY = Path(__file__).parent.parent / "deploy"
PYTHON = "/opt/chat/.venv/bin/python"
SERVICES = ["chat.service", "chat-backup.service"]


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """systemd-analyze, or a test that is skipped."""
    if not shutil.which("systemd-analyze"):
        assert os.environ.get("CI") != "true", "CI needs systemd-analyze"
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a Python that exists; that of the example does not have to be here."""
    for path in DEPLOY.glob("chat*.*"):
        (tmp_path / path.name).write_text(path.read_text().replace(PYTHON, sys.executable))
    return tmp_path


def read(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / name)
    return unit


def test_systemd_finds_nothing_to_complain_about(units: Path) -> None:
    """It warns of a mistyped key, but its exit code is 0 even then."""
    done = analyze("verify", *sorted(units.iterdir()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_next_to_nothing(units: Path, name: str) -> None:
    done = analyze("security", "--offline=true", "--no-pager", units / name)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done
    assert float(found[1]) <= 1.0


def test_a_fault_that_lasts_does_not_end_the_service_for_good() -> None:
    """systemd alone gives up after 5 starts in 10 seconds."""
    unit = read("chat.service")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Service"]["Restart"] == "always"
    assert float(unit["Service"]["RestartSec"]) >= 1


def test_the_commands_of_the_units_are_ours() -> None:
    """Their options are variables, so that /etc/default/chat can change them."""
    start, save = read("chat.service")["Service"], read("chat-backup.service")["Service"]
    assert start["ExecStart"] == f"{PYTHON} /opt/chat/run.py"
    assert save["ExecStart"] == f"{PYTHON} /opt/chat/run.py backup"
    variables = dict(word.split("=", 1) for word in start["Environment"].split())
    config = parse([], variables)
    assert config.loopback
    assert save["Environment"] == f"CHAT_DATA={config.data}"
