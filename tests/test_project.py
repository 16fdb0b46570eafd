"""The rules of the house that a machine can check."""

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import chat.wire.passing  # noqa: F401  (the kinds of events it adds)
from chat.wire.orders import Command
from chat.wire.protocol import Event, kinds

ROOT = Path(__file__).parent.parent
CHAT = ROOT / "chat"
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))

# Imports point only upwards in this list, inside a package too (docs/design.md).
ORDER = [
    *("faults", "tasks", "datafolder", "turn"),
    *("wire.codes", "wire.orders", "wire.protocol", "wire.passing", "wire.frames", "wire.rfc6455"),
    *("rules.unseen", "rules.lookalikes", "rules.names", "rules.text", "rules.pace"),
    *("rules.access", "rules.presence", "rules.places", "rules.proxies", "rules.hosts"),
    *("rules.mentions", "rules.kept", "rules.quota", "rules.filenames"),
    *("rules.ranges", "rules.slack", "rules.github", "rules.posted"),
    *("rules.tokens", "rules.labels"),
    *("rules.walks", "rules.boxes", "rules.items", "rules.webm"),
    *("rules.metadata", "rules.media"),
    "config",
    "log.blobs",
    *("log.things", "log.migrations", "log.database", "log.operations", "log.heads", "log.cids"),
    *(
        "log.arrivals",
        "log.files",
        "log.reads",
        "log.devices",
        "log.users",
        "log.powers",
        "log.meant",
        "log.audit",
        "log.wiping",
        "log.ranks",
        "log.tokens",
        "log.ownerlink",
        "log.bans",
        "log.hooks",
        "log.charter",
        "log.upkeep",
        "log.writer",
        "log.commits",
        "log.reader",
        "log.store",
        "log.sweep",
        "log.copying",
        "log.backup_files",
        "log.backup",
        "log.restore",
        "log.storage",
        "log.health",
        "log.overview",
    ),
    *(
        "room.polls",
        "room.titles",
        "room.devices",
        "room.people",
        "room.authority",
        "room.recent",
        "room.seat",
        "room.belongings",
    ),
    *("room.tidings", "room.unwritten", "room.marks"),
    *("room.orders", "room.room"),
    *("room.tabs", "room.chores", "room.hub"),
    *("room.office", "room.links", "room.ranks", "room.origins", "room.bans", "room.removals"),
    *("room.charter", "room.hooks"),
    *(
        "web.status",
        "web.words",
        "web.asking",
        "web.cards",
        "web.site",
        "web.people",
        "web.joining",
        "web.enter",
        "web.devices",
        "web.members",
        "web.rows",
        "web.wording",
        "web.pages",
        "web.qr",
        "web.orders",
        "web.phrases",
        "web.desk",
        "web.owner",
        "web.hooks",
        "web.history",
        "web.files",
        "web.static",
        "web.installed",
        "web.uploads",
    ),
    *("line.handshake", "line.connection", "line.sockets", "line.plain"),
    *("line.listening", "line.systemd", "line.server"),
    *("app", "main"),
]
MODULES = sorted(
    ".".join(path.relative_to(CHAT).with_suffix("").parts)
    for path in CHAT.rglob("*.py")
    if path.stem != "__init__"
)

# The same for packages. Of what lies beside them, only the order above decides.
PACKAGES = ["wire", "rules", "log", "room", "web", "line"]
BESIDE = {"faults", "tasks", "datafolder", "turn", "config", "app", "main"}

LINES = 300  # of a module; what is longer is split
HANDLERS = {"get", "head", "post", "prepare", "open", "on_message"}
LOCAL = {"peers", "rooms"}  # names of copies that functions of chat/ walk


def source(module: str) -> str:
    return CHAT.joinpath(*module.split(".")).with_suffix(".py").read_text()


def imports(module: str) -> Iterator[tuple[str, bool]]:
    """The modules that one imports, for types too, and whether it does so at the top level."""
    tree = ast.parse(source(module))
    for node in ast.walk(tree):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for name in names:
            yield name, node in tree.body


def test_every_module_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_upwards_and_stand_at_the_top(module: str) -> None:
    for name, at_top in imports(module):
        assert at_top, f"{module} imports {name} inside a function"
        if name.startswith("chat."):
            other = name.removeprefix("chat.")
            assert ORDER.index(other) < ORDER.index(module), f"{module} imports {other}"


@pytest.mark.parametrize("module", MODULES)
def test_packages_are_imported_in_one_direction(module: str) -> None:
    """Also where an import is for types only: who reads one package reads those before it."""
    mine = module.split(".")[0]
    assert mine in BESIDE or mine in PACKAGES
    for name, _ in imports(module):
        other = name.split(".")[1] if name.startswith("chat.") else ""
        if other in PACKAGES and mine in PACKAGES:
            assert PACKAGES.index(other) <= PACKAGES.index(mine), f"{module} imports {name}"


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("tornado.websocket", {"line.handshake", "line.sockets"}),
        ("sqlite3", {module for module in MODULES if module.startswith("log.")}),
        ("argparse", {"config"}),
        (
            "tornado",
            {
                *(
                    "web.uploads",
                    "web.asking",
                    "web.site",
                    "web.pages",
                    "web.owner",
                    "web.files",
                    "web.hooks",
                    "web.static",
                    "line.handshake",
                    "line.connection",
                ),
                *("line.sockets", "line.server", "line.listening", "app"),
            },
        ),
    ],
)
def test_a_library_is_used_only_where_it_belongs(library: str, allowed: set[str]) -> None:
    users = {
        module
        for module in MODULES
        for name, _ in imports(module)
        if name == library or name.startswith(library + ".")
    }
    assert users <= allowed


@pytest.mark.parametrize("module", MODULES)
def test_functions_classes_and_files_stay_readable(module: str) -> None:
    text = source(module)
    assert len(text.splitlines()) <= LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 55, f"{module}.{node.name} has {length} lines"
            arguments = [*node.args.args, *node.args.kwonlyargs]
            count = sum(argument.arg not in ("self", "cls") for argument in arguments)
            assert count <= 5, f"{module}.{node.name} has {count} parameters"


def classes() -> Iterator[type]:
    """Every class of chat/."""
    for module in MODULES:
        for found in vars(importlib.import_module(f"chat.{module}")).values():
            if isinstance(found, type) and found.__module__ == f"chat.{module}":
                yield found


def public(kind: type) -> set[str]:
    """The methods and properties that a class is used by.

    Counted is what its own body defines under a name without an underscore. Not counted: what it
    inherits, fields, and methods that the frameworks prescribe: those that a base class from
    outside chat/ has too (a handler's `get`, `prepare`, `open`, `write_message`).
    """
    foreign = [base for base in kind.__mro__ if not base.__module__.startswith("chat.")]
    return {
        name
        for name, what in vars(kind).items()
        if (callable(what) or isinstance(what, property | classmethod | staticmethod))
        and not isinstance(what, type)
        and not name.startswith("_")
        and not any(hasattr(base, name) for base in foreign)
    }


@pytest.mark.parametrize(
    "kind", list(classes()), ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
def test_a_class_is_used_by_a_dozen_methods_at_most(kind: type) -> None:
    assert len(public(kind)) <= 12, sorted(public(kind))


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.startswith("web.") or m in ("line.plain", "line.sockets")]
)
def test_handlers_translate_and_decide_nothing(module: str) -> None:
    for node in ast.walk(ast.parse(source(module))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in HANDLERS:
            body = node.body[bool(ast.get_docstring(node)) :]
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1
            assert length <= 15, f"{module}.{node.name} has {length} lines"


@pytest.mark.parametrize("module", MODULES)
def test_public_things_say_what_they_are(module: str) -> None:
    tree = ast.parse(source(module))
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name}"


def test_no_module_is_called_after_nothing_and_nothing_is_left_to_do() -> None:
    assert not {"utils", "helpers", "base", "manager", "common"} & {
        module.split(".")[-1] for module in MODULES
    }
    for path in [*CHAT.rglob("*.py"), *SCRIPTS, ROOT / "run.py"]:
        assert not re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", path.read_text()), path.name


def test_tasks_are_started_in_one_place() -> None:
    for module in MODULES:
        if module != "tasks":
            assert not re.search(r"create_task|ensure_future", source(module)), module


def test_no_loop_walks_a_live_container_while_its_body_writes_to_peers() -> None:
    """A write that fails removes its peer from wherever it stands, in the middle of such a loop."""
    writes = re.compile(r"\.(write_message|reply|dismiss|close|cut|_keep|beat|tick|flush)\(")
    for module in MODULES:
        for loop in ast.walk(ast.parse(source(module))):
            if isinstance(loop, ast.For) and writes.search("\n".join(map(ast.unparse, loop.body))):
                walked = ast.unparse(loop.iter)
                shared = re.search(r"\b(connections|live|behind|rooms|peers)\b", walked)
                copied = walked.startswith(("tuple(", "list("))
                assert copied or not shared or walked in LOCAL, f"{module}: for ... in {walked}"


def test_tests_of_the_page_wait_in_a_way_that_its_policy_allows() -> None:
    for path in Path("tests/browser").glob("*.py"):
        assert "wait_for_function" not in path.read_text(), f"{path}: Visitor.until"


def test_frames_are_spelt_in_one_module_on_each_side() -> None:
    for module in MODULES:
        # "rules.slack": whose blocks have a type of their own
        if module not in ("wire.orders", "wire.protocol", "rules.slack"):
            assert not re.search(r"""["']type["']""", source(module)), module
    tags = [frame.__struct_config__.tag for kind in (Command, Event) for frame in kinds(kind)]
    for path in SCRIPTS:
        if path.stem != "protocol":
            spelt = rf"""\btype["']?\s*(:|===?)\s*["']({"|".join(tags)})["']"""
            assert not re.search(spelt, path.read_text()), path.name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_build_nodes_and_never_html(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert ("new WebSocket" in text) == (path.stem == "connection")
    if path.stem in ("connection", "outbox", "protocol"):
        assert not re.search(r"\bdocument\.(query|get|create|body)", text), "no DOM here"


@pytest.mark.parametrize(
    "path",
    [*(ROOT / "templates").glob("*.html"), *SCRIPTS, *(ROOT / "static" / "css").glob("*.css")],
    ids=lambda path: path.name,
)
def test_nothing_is_inline_or_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    if path.suffix == ".html":
        assert not re.search(r"""\sstyle=|\son\w+=["']|<style|<script(?![^>]*(src|json))""", text)
    for url in re.findall(r"https?://[^\s\"'`)]+", text):
        assert url.startswith("http://www.w3.org/"), url


def test_files_of_the_page_stay_readable() -> None:
    for path in SCRIPTS:
        assert len(path.read_text().splitlines()) <= 250, path.name
    for path in (ROOT / "static" / "css").glob("*.css"):
        assert len(path.read_text().splitlines()) <= 200, path.name


def test_colours_come_from_the_tokens() -> None:
    for path in (ROOT / "static" / "css").glob("*.css"):
        if path.stem != "tokens":
            assert not re.search(r":[^;{]*#[0-9a-f]{3,8}\b", path.read_text()), path.name


def test_the_top_level_holds_what_it_should() -> None:
    """Counted are the files of the project, not what an editor or a build leaves beside them."""
    known = {
        *("chat", "templates", "static", "tests", "docs", "bench", "deploy", ".ci", ".gitignore"),
        *("setup.cfg", "pyproject.toml", "run.py", "Makefile"),
        *("README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md"),
    }
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {name.split("/")[0] for name in files} <= known
