"""make_app: constructs everything and wires it. The only module that does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
from pathlib import Path
from typing import Any

from tornado import autoreload
from tornado.httputil import HTTPServerRequest
from tornado.template import Loader
from tornado.web import Application, RequestHandler

from chat.config import Config
from chat.datafolder import Folder
from chat.faults import guarded
from chat.line.listening import leave, listen, network_link
from chat.line.plain import PlainSocket
from chat.line.server import RESERVE, Server, file_limit
from chat.line.sockets import ChatSocket
from chat.log.blobs import Blobs
from chat.log.health import Health
from chat.log.migrations import drop_before
from chat.log.overview import Overview
from chat.log.store import Store
from chat.log.sweep import Sweeper
from chat.room.authority import Authority
from chat.room.bans import Bans
from chat.room.charter import Charter
from chat.room.hooks import Hooks
from chat.room.hub import Hub, turn_away
from chat.room.links import Links
from chat.room.office import Office, Orders
from chat.room.origins import Origins
from chat.room.people import Directory
from chat.room.ranks import Ranks
from chat.room.removals import Removals
from chat.rules.hosts import Hosts
from chat.rules.pace import AtOnce, Pace
from chat.rules.places import EACH, Places
from chat.rules.proxies import Proxies
from chat.rules.quota import Quota
from chat.tasks import Tasks
from chat.web.devices import DevicePage, DevicesPage, InvitesPage
from chat.web.enter import EnterPage, LookPage
from chat.web.files import FilePage
from chat.web.history import MessagesPage
from chat.web.hooks import HookPage
from chat.web.installed import ManifestPage, WorkerPage
from chat.web.joining import JoinPage, NamePage, SignOutPage
from chat.web.members import MembersPage
from chat.web.orders import OrdersPage
from chat.web.owner import OwnerPage
from chat.web.pages import HealthPage, MissingPage, RoomFinder, RoomPage
from chat.web.people import PersonPage
from chat.web.qr import CodePage
from chat.web.site import Site
from chat.web.static import Compressed, Files, StaticPage
from chat.web.uploads import AT_ONCE, UploadPage
from chat.web.words import call, early, read_words
from chat.wire.codes import Refusal
from chat.wire.passing import Limits

log = logging.getLogger("chat")

HERE = Path(__file__).parent
# The page's files lie inside the installed package, and beside it in the repository.
ROOT = HERE if (HERE / "templates").is_dir() else HERE.parent
PAGES = 4  # pages of history of one person under way
TIDY = 600  # seconds between two looks at what is to be forgotten
COMEBACK = 60  # seconds after the start until the first of them: those who were here are back
SWEEP = 3600  # seconds between two looks for files that nobody sends any more
DRAIN = 1.5  # seconds for peers to answer the close of a restart


class ChatApp(Application):
    """The routes, and what lives as long as the process."""

    def __init__(
        self, site: Site, tasks: Tasks, folder: Folder, files: Files, sweeper: Sweeper
    ) -> None:
        self.site = site
        self.tasks = tasks
        self.folder = folder
        self.sweeper = sweeper
        self.server: Server | None = None
        given: dict[str, Any] = {"site": site}
        plain = [(r"/ws/([0-9]{1,20})", PlainSocket, given)] if site.config.plain else []
        templates = Loader(str(ROOT / "templates"))
        for path in (ROOT / "templates").glob("*.html"):
            templates.load(path.name)  # as they are now: a new version may be copied over this one
        super().__init__(
            [
                (r"/", RoomPage, given),
                (r"/r/", RoomFinder, given),
                (r"/r/([^/]+)", RoomPage, given),
                (r"/r/([^/]+)/ws", ChatSocket, given),
                (r"/r/([^/]+)/messages", MessagesPage, given),
                (r"/r/([^/]+)/files", UploadPage, given),
                (r"/r/([^/]+)/members", MembersPage, given),
                (r"/files/([A-Za-z0-9_-]{22})/[^/]*", FilePage, given),
                *plain,
                (r"/join", JoinPage, given),
                *((rf"/{path}", EnterPage, given) for path in ("enter", "i")),
                *((rf"/{path}/look", LookPage, given) for path in ("enter", "i")),
                (r"/devices", DevicesPage, given),
                (r"/devices/([A-Za-z0-9_-]{1,64})", DevicePage, given),
                (r"/invites", InvitesPage, given),
                (r"/orders", OrdersPage, given),
                (r"/people/([A-Za-z0-9_-]{1,64})", PersonPage, given),
                (r"/owner", OwnerPage, given),
                (r"/hook", HookPage, given),
                (r"/hook/([^/]+)", HookPage, given),
                (r"/name", NamePage, given),
                (r"/qr", CodePage, given),
                (r"/signout", SignOutPage, given),
                (r"/healthz", HealthPage, given),
                (r"/manifest\.json", ManifestPage, given),
                (r"/sw\.js", WorkerPage, {**given, "files": files}),
                (rf"/static/{files.build}/(.*)", StaticPage, {**given, "files": files}),
            ],
            default_handler_class=MissingPage,
            default_handler_args=given,
            template_loader=templates,
            cookie_secret=folder.secret.decode(),
            cross_origin_protection=True,
            transforms=[Compressed],
            log_function=_log_request,
        )

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> Any:
        """First of all learn from a proxy who asks, and over what; and no log is to tell a key."""
        proxies, peer = self.site.proxies, request.remote_ip or ""
        request.protocol = proxies.protocol(peer, request.headers, request.protocol)
        request.remote_ip = proxies.client(peer, request.headers)
        request.uri = re.sub("^/hook/.*", "/hook/…", request.uri or "", flags=re.DOTALL)
        return super().find_handler(request, **more)

    def start(self) -> None:
        """Start the writer and the once-a-second work, on the running event loop."""
        ChatSocket.live.clear()
        self.site.store.start()
        self.tasks.start(self._tick())
        self.site.hub.chores.wake()
        # What is there now stays. A delivery makes no garbage in cycles, so looking for some each
        # 700 allocations, over all connections, would be most of the work of a busy server.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 100)

    def start_listening(self) -> int:
        """Listen where the options say; the port, also of --port=0. Raises ListenError."""
        config = self.site.config
        sockets = listen(config)
        self.server = Server(self, places=self.site.places, proxies=self.site.proxies)
        self.server.add_sockets(sockets)
        return 0 if config.socket_file else int(sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop accepting, finish and confirm what is being saved, and ask everyone to come back."""
        if self.server is not None:
            self.server.stop()
            leave(self.site.config)
        self.site.hub.marks.close()
        self.site.hub.polls.close()
        await self.site.store.close()
        self.site.hub.flush()
        await ChatSocket.drain(DRAIN)
        if self.server is not None:
            await self.server.close_all_connections()
        await self.tasks.cancel()
        self.folder.close()

    async def _tick(self) -> None:
        loop, turn = asyncio.get_running_loop(), 0
        while True:
            await asyncio.sleep(1.0)
            turn += 1
            guarded(self.site.hub.tick)
            guarded(ChatSocket.sweep, loop.time(), turn)
            if self.server is not None:
                guarded(self.server.sweep, loop.time())
            if turn % TIDY == COMEBACK:
                self.tasks.start(self._tidy())
            if turn % SWEEP == 1:
                self.tasks.start(self.sweeper.sweep())
            self.site.health.ticked()

    async def _tidy(self) -> None:
        """Forget who made nothing of a name, and what is old; what is refused is done later."""
        drop_before(self.folder.database)
        with contextlib.suppress(Refusal):
            while await self.site.directory.tidy(self.site.hub.tabs):
                pass
            await self.site.hub.tidy()


def make_app(config: Config) -> ChatApp:
    """The application over its data folder. Raises FolderError or StoreError with one line."""
    folder = Folder(config.data)
    try:
        blobs = Blobs(folder.files)
        store = Store(folder.database, max_rooms=config.rooms, drop=blobs.drop)
        sweeper = Sweeper(store, blobs)
        sweeper.reconcile()
    except Exception:
        folder.close()
        raise
    tasks = Tasks()
    charter = Charter(store, config.name, config.door)
    words, said = _words(charter)
    files = Files(ROOT / "static", words)
    pace = Pace(config.rate)
    directory = Directory(store)
    authority = Authority(store, directory.knows)
    hub = Hub(store, tasks, pace, authority, directory.names)
    hub.limits = Limits(file=config.file_limit)
    _introduce(directory, hub, charter)
    office = Office(authority, pace)
    origins = Origins()
    office.take(_moderation(store, hub, directory, origins))
    links = Links(store, hub, directory, pace, folder.path)
    hooks = Hooks(store, authority, directory)
    links.end_hook = hooks.end
    office.take({**charter.orders, **hooks.orders, **links.orders})
    site = Site(
        config=config,
        hub=hub,
        office=office,
        links=links,
        origins=origins,
        overview=Overview(config.data, config.files_limit),
        hooks=hooks,
        directory=directory,
        store=store,
        blobs=blobs,
        health=Health(store),
        pace=pace,
        places=Places(file_limit() - RESERVE, EACH if config.connections_per_user else 0),
        proxies=Proxies(config.proxies),
        words=words,
        early=said,
        build=files.build,
        hosts=Hosts(config.hosts),
        reading=AtOnce(PAGES),
        quota=Quota(config.file_limit, config.files_limit),
        uploading=AtOnce(AT_ONCE),
        network=lambda: network_link(config, config.port),
    )
    if config.debug:
        _watch()
    return ChatApp(site, tasks, folder, files, sweeper)


def _moderation(store: Store, hub: Hub, directory: Directory, origins: Origins) -> Orders:
    """Who serves what moderators order."""
    authority, called, wake = hub.authority, directory.called, hub.chores.wake
    return {
        **Ranks(store, authority).orders,
        **Bans(store, authority, origins, called, wake).orders,
        **Removals(store, called, hub.remove, wake).orders,
    }


def _introduce(directory: Directory, hub: Hub, charter: Charter) -> None:
    """Who is to be told of what the others know."""
    authority = hub.authority
    directory.renamed, directory.left, directory.badge = hub.rename, hub.sign_out, authority.badge
    directory.parted = lambda device: hub.tabs.sign_out(device.person, device.id)
    authority.door = lambda: charter.door
    charter.moved = lambda: turn_away(hub)


def _watch() -> None:
    """Start again when a file of the page changes."""
    for path in [*ROOT.glob("static/**/*"), *ROOT.glob("templates/*")]:
        autoreload.watch(str(path))
    autoreload.start()


def _words(charter: Charter) -> tuple[dict[str, str], dict[str, str]]:
    """The catalogue, and what of it stands in pages; both with the chat's name as it is."""
    words = read_words(ROOT / "templates" / "en.json")
    said, default = early(words), words["app.name"]
    charter.renamed = lambda name: call(name or default, words, said)
    charter.renamed(charter.name)
    return words, said


def _log_request(handler: RequestHandler) -> None:
    """A normal day is quiet: only what the server did wrong is worth a line."""
    if handler.get_status() >= 500 and handler.get_status() not in (503, 507):
        log.error("%d %r", handler.get_status(), handler.request.uri)
