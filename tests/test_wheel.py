"""The package: what `pip install` brings is whole and starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from client import PATIENCE, request
from serving import free_port

from chat import __version__

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; the libraries are those of this Python."""
    folder = tmp_path_factory.mktemp("wheel")
    source, home = folder / "source", folder / "home"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("chat", "templates", "static"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(home)
    python = home / "bin" / "python"
    inside = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    Path(inside.strip(), "libraries.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, source]
    subprocess.run([*pip, *wheel], check=True)
    (built,) = folder.glob("*.whl")
    assert built.name == f"room_chat-{__version__}-py3-none-any.whl"
    install = ["--python", python, "install", "--no-deps", "--no-index", built]
    subprocess.run([*pip, *install], check=True)
    return home


def test_an_installed_chat_starts_and_serves_its_page(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    where = [f"--port={port}", "--address=127.0.0.1", f"--data={tmp_path / 'data'}"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(
        [installed / "bin" / "chat", *where],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert f"http://127.0.0.1:{port}/" in server.stdout.readline()
        page = request(port, "GET", "/")
        assert page.status == 200
        style, *_ = re.findall(r'href="(static/[^"]+\.css)"', page.body.decode())
        assert request(port, "GET", f"/{style}").status == 200
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0
        server.stdout.close()


def test_an_installed_chat_has_every_file_of_the_page(installed: Path) -> None:
    (package,) = installed.glob("lib/python*/site-packages/chat")
    for folder in ("templates", "static"):
        here = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.*")}
        there = {path.relative_to(package) for path in (package / folder).rglob("*.*")}
        assert here == there
