"""deploy/: the chat behind nginx and Caddy, set up as the examples say, over https.

The examples are run as they are shipped; only addresses, ports and the certificate's place differ.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from client import PATIENCE, Answer, free_name
from serving import Process, free_port
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

pytestmark = pytest.mark.slow

DEPLOY = Path(__file__).parent.parent / "deploy"
NAMES = ("chat.example.org", "www.example.org")
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {example}
}}
"""
CADDY = """
{{
    admin off
    local_certs
    skip_install_trust
    http_port {http}
    https_port {https}
}}
{example}
"""


class Visit:
    """Somebody outside, who reaches the proxy by the name of the chat and a path below it."""

    def __init__(self, name: str, base: str, port: int, plain: int) -> None:
        self.host, self.base, self.port, self.plain = name, base, port, plain
        self.data = Path()  # the folder of the chat
        self.origin = f"https://{name}:{port}"
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def socket(self) -> ssl.SSLSocket:
        """A connection to the proxy, as if its name stood in the DNS."""
        bare = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        return self.context.wrap_socket(bare, server_hostname=self.host)

    def http(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request."""
        line = http.client.HTTPSConnection(self.host, self.port, timeout=PATIENCE)
        line.sock = self.socket()
        fields, body = dict(headers or {}), None
        if form is not None:
            body = urllib.parse.urlencode(form)
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            line.request(method, path, body, fields)
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            line.close()

    def join(self, room: str) -> Answer:
        """Send the form of the join card."""
        form = {"name": free_name(), "room": room}
        return self.http("POST", f"{self.base}join", {"Origin": self.origin}, form)

    def line(self, room: str, cookie: str, origin: str = "") -> ClientConnection:
        """The WebSocket of a room's page."""
        return connect(
            f"wss://{self.host}:{self.port}{self.base}r/{room}/ws",
            sock=socket.create_connection(("127.0.0.1", self.port), PATIENCE),
            ssl=self.context,
            server_hostname=self.host,
            origin=origin or self.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            open_timeout=PATIENCE,
        )


def certificate(folder: Path) -> None:
    """A certificate of our own, where the example looks for it."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", f"/CN={NAMES[0]}", "-days", "2"),
            *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
        ],
        check=True, capture_output=True,
    )  # fmt: skip


def moved(example: str, chat: int, https: int, plain: int) -> str:
    """The example with the ports of this test, on the loopback address only."""
    example = re.sub(r"\n *listen \[::\].*", "", example)
    example = example.replace("listen 443", f"listen 127.0.0.1:{https}")
    example = example.replace("listen 80", f"listen 127.0.0.1:{plain}")
    assert "127.0.0.1:8000" in example
    return example.replace("127.0.0.1:8000", f"127.0.0.1:{chat}")


def nginx(folder: Path, example: str, https: int) -> list[str]:
    """What starts nginx with this configuration; a path's example goes into a site."""
    certificate(folder)
    if "server {" not in example:
        example = f"""server {{
            listen 127.0.0.1:{https} ssl; server_name {NAMES[1]};
            ssl_certificate /etc/letsencrypt/live/{NAMES[0]}/fullchain.pem;
            ssl_certificate_key /etc/letsencrypt/live/{NAMES[0]}/privkey.pem;
            {example} }}"""
    example = example.replace(f"/etc/letsencrypt/live/{NAMES[0]}", str(folder))
    user = "user root;" if os.geteuid() == 0 else ""
    text = NGINX.format(folder=folder, user=user, example=example)
    (folder / "nginx.conf").write_text(text)
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def caddy(folder: Path, example: str, https: int, plain: int) -> list[str]:
    """What starts Caddy with this configuration."""
    (folder / "Caddyfile").write_text(CADDY.format(http=plain, https=https, example=example))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@pytest.fixture(
    scope="module",
    params=[
        ("nginx", "nginx.conf", NAMES[0], "/"),
        ("nginx", "nginx-subpath.conf", NAMES[1], "/chat/"),
        ("caddy", "Caddyfile", NAMES[0], "/"),
        ("caddy", "Caddyfile", NAMES[1], "/chat/"),
    ],
    ids=["nginx", "nginx-subpath", "caddy", "caddy-subpath"],
)
def visit(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visit]:
    """The chat behind one of the proxies."""
    program, file, name, base = request.param
    path = f"{os.environ['PATH']}:/usr/sbin"
    if not shutil.which(program, path=path):
        assert os.environ.get("CI") != "true", f"CI needs {program}"
        pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp(program)
    https, plain = free_port(), free_port()
    with Process(folder / "data", f"--host={name}").ready() as server:
        example = moved((DEPLOY / file).read_text(), server.port, https, plain)
        command = (
            nginx(folder, example, https)
            if program == "nginx"
            else caddy(folder, example, https, plain)
        )
        environment = {**os.environ, "PATH": path, "HOME": str(folder)}
        environment |= {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        with (folder / "log").open("wb") as log:
            proxy = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            visit = ready(Visit(name, base, https, plain), proxy, folder / "log")
            visit.data = server.data
            yield visit
        finally:
            proxy.terminate()
            proxy.wait(PATIENCE)


def ready(visit: Visit, proxy: subprocess.Popen[bytes], log: Path) -> Visit:
    """Wait until the proxy answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):
            assert visit.http("GET", f"{visit.base}healthz").body == b"ok\n"
            return visit
        assert proxy.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def cookie_of(answer: Answer) -> str:
    return (answer.headers["Set-Cookie"] or "").partition(";")[0]


def test_the_cookie_is_of_this_name_and_of_https_only(visit: Visit) -> None:
    answer = visit.join("lobby")
    assert answer.status == 303
    name, *rest = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith("__Host-device=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"} <= set(rest)
    assert answer.headers["Strict-Transport-Security"]


def test_whoever_joins_is_sent_on_below_the_path(visit: Visit) -> None:
    answer, address = visit.join("garden"), f"{visit.origin}{visit.base}join"
    cookie = cookie_of(answer)
    while answer.status == 303:
        address = urllib.parse.urljoin(address, answer.headers["Location"])
        assert address.startswith(f"{visit.origin}{visit.base}")
        answer = visit.http("GET", address.removeprefix(visit.origin), {"Cookie": cookie})
    assert answer.status == 200
    assert address != f"{visit.origin}{visit.base}join"


def test_the_page_finds_its_files_below_the_path(visit: Visit) -> None:
    cookie = cookie_of(visit.join("garden"))
    address = f"{visit.origin}{visit.base}r/garden"
    page = visit.http("GET", f"{visit.base}r/garden", {"Cookie": cookie}).body.decode()
    files = re.findall(r'(?:href|src)="([^"]*static/[^"]+)"', page)
    assert files
    for file in files:
        target = urllib.parse.urlsplit(urllib.parse.urljoin(address, file))
        assert visit.http("GET", target.path).status == 200, file


def test_messages_pass_live(visit: Visit) -> None:
    cookie = cookie_of(visit.join("lobby"))
    with visit.line("lobby", cookie) as line:
        line.send(json.dumps({"type": "say", "cid": "cid-through-proxy", "text": "hello"}))
        while True:
            event = json.loads(line.recv(timeout=PATIENCE))
            if event["type"] == "message" and event.get("cid") == "cid-through-proxy":
                return


def test_a_page_of_another_site_gets_no_line_and_no_form(visit: Visit) -> None:
    cookie = cookie_of(visit.join("lobby"))
    with pytest.raises(InvalidStatus, match="403"):
        visit.line("lobby", cookie, origin="https://evil.example")
    form = {"name": free_name(), "room": "lobby"}
    answer = visit.http("POST", f"{visit.base}join", {"Origin": "https://evil.example"}, form)
    assert answer.status == 403


def test_the_key_of_a_hook_reaches_the_chat_and_no_log(visit: Visit) -> None:
    key = "s" * 22
    answer = visit.http("POST", f"{visit.base}hook/{key}", {}, {"text": "hello"})
    assert (answer.status, json.loads(answer.body)["code"]) == (401, "bad_key")
    assert visit.http("GET", f"{visit.base}healthz").status == 200  # by now it would be logged
    logs = [file for name in ("log", "*.log") for file in visit.data.parent.glob(name)]
    assert logs
    assert not any(key in file.read_text() for file in logs)


@contextlib.contextmanager
def upload(visit: Visit, size: int) -> Iterator[tuple[ssl.SSLSocket, http.client.HTTPResponse]]:
    """The head of an upload is sent; the line, and the answer that is to come."""
    cookie = cookie_of(visit.join("lobby"))
    lines = [
        f"POST {visit.base}r/lobby/files?name=a.bin HTTP/1.1",
        *(f"Host: {visit.host}:{visit.port}", f"Origin: {visit.origin}", f"Cookie: {cookie}"),
        f"Content-Length: {size}",
    ]
    with visit.socket() as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        with contextlib.closing(http.client.HTTPResponse(line, method="POST")) as answer:
            yield line, answer


def test_a_file_comes_through_as_it_is_sent(visit: Visit) -> None:
    """The first half is on the chat's disk before the second half is sent."""
    size = 4 * 2**20
    with upload(visit, size) as (line, answer):
        line.sendall(bytes(size // 2))
        deadline = time.monotonic() + PATIENCE
        while not any(p.stat().st_size for p in (visit.data / "files" / "part").iterdir()):
            assert time.monotonic() < deadline, "the proxy keeps it"
            time.sleep(0.02)
        line.sendall(bytes(size // 2))
        answer.begin()
        assert answer.status == 200
        assert json.load(answer)["file"]["size"] == size


def test_a_file_that_is_too_large_is_refused_by_the_chat_and_in_words(visit: Visit) -> None:
    size = 26 * 2**20
    with upload(visit, size) as (line, answer):
        with contextlib.suppress(OSError):  # it may have heard enough
            for _ in range(size // 2**20):
                line.sendall(bytes(2**20))
        answer.begin()
        assert (answer.status, json.load(answer)["code"]) == (413, "too_big")


def test_plain_http_and_a_path_without_its_slash_lead_to_the_chat(visit: Visit) -> None:
    if visit.base != "/":
        answer = visit.http("GET", visit.base.rstrip("/"))
        where = urllib.parse.urljoin(f"{visit.origin}/chat", answer.headers["Location"])
        assert (answer.status in (301, 302), where) == (True, f"{visit.origin}{visit.base}")
        return
    line = http.client.HTTPConnection("127.0.0.1", visit.plain, timeout=PATIENCE)
    line.request("GET", "/r/garden", headers={"Host": visit.host})
    answer = line.getresponse()
    assert answer.status in (301, 308)
    assert re.fullmatch(rf"https://{visit.host}(:\d+)?/r/garden", answer.headers["Location"])
    line.close()
