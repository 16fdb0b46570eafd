"""What is measured: how each server is built, started on its own core, and ended by its pid."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

BENCH = Path(__file__).resolve().parent
BUILD = BENCH / "build"
PEERS = BENCH / "peers"
VENV = BUILD / "venv"
NODE = BUILD / "node"
BUN = NODE / "node_modules" / "@oven" / "bun-linux-x64" / "bin" / "bun"
GO_SOURCES = Path("/usr/share/gocode")  # where Debian puts Go packages

SERVER_CORE, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]
START = 15.0  # seconds a server has to answer its port
INSTALL = 600.0  # seconds for a package and what it needs
STOP = 15.0  # seconds it has to leave after SIGTERM
PORTS = range(21_000, 29_000)  # below the range that outgoing connections take theirs from
PEOPLE = 50  # identities that share the connections of our server


class Missing(Exception):
    """This server can't be built here, and why."""


@dataclass(frozen=True, slots=True)
class Server:
    """One competitor. `command` gets a port and a data folder; `build` raises Missing."""

    key: str
    label: str
    command: Callable[[int, Path], list[str]]
    build: Callable[[], object]
    rooms: bool = False  # keeps more than one room
    ours: bool = False  # speaks the JSON wire and stores
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Running:
    """A started server; `cookies` is the file of identities the load may use, if it needs any."""

    server: Server
    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    cookies: Path | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def load(self, *options: str) -> list[str]:
        """The command line of the load generator against this server."""
        line = [str(BUILD / "load"), f"--port={self.port}", f"--pid={self.pid}", *options]
        return [*line, "--json", f"--cookies={self.cookies}"] if self.cookies else line

    def restart(self) -> None:
        """Ends the server politely and starts it again with the same port and data."""
        _end(self.process)
        self.process = _spawn(self.server, self.port, self.folder)
        _await_port(self)


def pin(core: int) -> Callable[[], None]:
    """For Popen: the child runs on this core alone, and so does everything it starts."""
    return lambda: os.sched_setaffinity(0, {core})


@contextmanager
def running(server: Server) -> Iterator[Running]:
    """The server, started with an empty data folder on the project's disk; ended on leaving."""
    (BUILD / "runs").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=BUILD / "runs"))
    (BUILD / f"{server.key}.log").unlink(missing_ok=True)
    port = _free_port()
    run = Running(server, port, folder / "data", _spawn(server, port, folder / "data"))
    try:
        _await_port(run)
        if server.ours:
            run.cookies = folder / "cookies"
            run.cookies.write_text("\n".join(_join(port)) + "\n")
        yield run
    finally:
        _end(run.process)
        shutil.rmtree(folder, ignore_errors=True)


def _spawn(server: Server, port: int, folder: Path) -> subprocess.Popen[bytes]:
    with (BUILD / f"{server.key}.log").open("ab") as log:
        return subprocess.Popen(
            server.command(port, folder),
            cwd=BENCH.parent,
            env={**os.environ, **server.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=pin(SERVER_CORE),
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_port(run: Running) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and run.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", run.port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise Missing(f"{run.server.label} did not start; see bench/build/{run.server.key}.log")


_ports = iter(PORTS)


def _free_port() -> int:
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port left")


def _join(port: int) -> list[str]:
    """The cookies of PEOPLE people who joined through the form, as without scripts."""
    cookies = []
    origin = f"http://127.0.0.1:{port}"
    for i in range(PEOPLE):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        form = urllib.parse.urlencode({"name": f"Bench {i:03}", "room": "bench-0"})
        kind = "application/x-www-form-urlencoded"
        line.request("POST", "/join", form, {"Content-Type": kind, "Origin": origin})
        answer = line.getresponse()
        given = [value for key, value in answer.getheaders() if key.lower() == "set-cookie"]
        if answer.status != 303 or not given:
            raise RuntimeError(f"POST /join answered {answer.status}")
        cookies.append("; ".join(value.split(";")[0] for value in given))
        line.close()
    return cookies


def _run(*command: str | Path, hint: str, environment: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(
            [str(word) for word in command],
            check=True,
            capture_output=True,
            timeout=INSTALL,
            env={**os.environ, **(environment or {})},
        )
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
        raise Missing(f"{hint}: {output.splitlines()[-1] if output else error}") from error


@cache
def compile_c(name: str) -> Path:
    """build/<name> from <name>.c, when it is not there or older than its source."""
    source, target = BENCH / f"{name}.c", BUILD / name
    BUILD.mkdir(exist_ok=True)
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        _run("cc", "-O2", "-o", target, source, hint=f"cc can't compile {name}.c")
    return target


@cache
def _venv() -> Path:
    python = VENV / "bin" / "python"
    if not python.exists():
        venv.create(VENV, with_pip=True)
    return python


@cache
def _pip(package: str) -> None:
    name = package.partition("[")[0]
    if not list(VENV.glob(f"lib/*/site-packages/{name}-*.dist-info")):
        _run(_venv(), "-m", "pip", "install", "-q", package, hint=f"pip can't install {package}")


@cache
def _npm(package: str) -> None:
    if (NODE / "node_modules" / package).exists():
        return
    NODE.mkdir(parents=True, exist_ok=True)
    (NODE / "package.json").write_text("{}\n")
    options = ("--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix", str(NODE))
    # Both at once: npm removes what package.json does not name.
    _run("npm", "install", *options, "ws", "bun", hint=f"npm can't install {package}")


def _bun() -> None:
    _npm("bun")
    if not BUN.exists():
        raise Missing("npm's bun has no binary for this machine")


@cache
def _go() -> None:
    if not shutil.which("go"):
        raise Missing("no Go compiler (Debian: golang-go)")
    if not (GO_SOURCES / "src/github.com/gorilla/websocket").exists():
        raise Missing("no gorilla/websocket (Debian: golang-github-gorilla-websocket-dev)")
    source, target = PEERS / "gorilla_hub.go", BUILD / "gorilla_hub"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        setting = {"GO111MODULE": "off", "GOPATH": str(GO_SOURCES), "GOCACHE": str(BUILD / "go")}
        _run(
            "go", "build", "-o", target, source, hint="go can't build the hub", environment=setting
        )


def _python(key: str, label: str, file: str, *packages: str) -> Server:
    def build() -> None:
        for package in packages:
            _pip(package)

    def command(port: int, _folder: Path) -> list[str]:
        return [str(VENV / "bin" / "python"), str(PEERS / file), str(port)]

    return Server(key, label, command, build)


def _ours(port: int, folder: Path) -> list[str]:
    return [
        sys.executable, str(BENCH.parent / "run.py"), f"--port={port}", "--address=127.0.0.1",
        f"--data={folder}", "--rate=0", "--connections-per-user=0",
    ]  # fmt: skip


def _build_ours() -> None:
    if not (BENCH.parent / "run.py").exists():
        raise Missing("there is no run.py")


def _limit(key: str, label: str, *options: str) -> Server:
    def command(port: int, _folder: Path) -> list[str]:
        return [str(BUILD / "limit"), *options, str(port)]

    return Server(key, label, command, lambda: compile_c("limit"), rooms=True)


SERVERS = (
    _limit("limit", "C, one send per peer (limit)"),
    _limit("limit-batch", "C, batching (limit)", "--batch"),
    Server("ours", "this server", _ours, _build_ours, rooms=True, ours=True),
    _python(
        "tutorial", "the tutorial: FastAPI, uvicorn", "tutorial.py", "fastapi", "uvicorn[standard]"
    ),
    _python("tornado", "plain Tornado: write_message", "tornado_plain.py", "tornado"),
    _python("websockets", "websockets: broadcast()", "websockets_broadcast.py", "websockets"),
    _python("aiohttp", "aiohttp: send_str", "aiohttp_loop.py", "aiohttp"),
    _python("picows", "picows on uvloop", "picows_loop.py", "picows", "uvloop"),
    Server(
        "node",
        "Node ws",
        lambda port, _: ["node", str(PEERS / "node_ws.js"), str(port)],
        lambda: _npm("ws"),
        environment={"NODE_PATH": str(NODE / "node_modules")},
    ),
    Server(
        "bun",
        "Bun: publish",
        lambda port, _: [str(BUN), str(PEERS / "bun_publish.js"), str(port)],
        _bun,
        rooms=True,
    ),
    Server(
        "go",
        "Go: gorilla's hub",
        lambda port, _: [str(BUILD / "gorilla_hub"), str(port)],
        _go,
    ),
)
