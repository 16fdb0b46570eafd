"""chat/log/files.py: an uploaded file becomes one message's, and goes with it."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from client import Answer, Wire
from serving import Site
from test_store import append, in_store, remove, rewrite, table

from chat.log.files import held, ids, used
from chat.log.operations import Append, Deposit, Probe, Sweep
from chat.log.reader import Asked
from chat.log.store import Store
from chat.wire.codes import ABOUT_LIMIT, FILES_LIMIT, REFUSALS, Refusal
from chat.wire.frames import Frame, Saved
from chat.wire.passing import Done
from chat.wire.protocol import Attachment, File, Message

_numbers = itertools.count()


def deposit(*, room: str = "lobby", person: str = "a", size: int = 7, at: int = 1000) -> Deposit:
    id = f"file-{next(_numbers):017}"
    return Deposit(id, room, person, "image/png", size, 3, 2, b"sha", at)


def with_files(*files: Deposit, text: str = "", room: str = "lobby", author: str = "a") -> Append:
    named = tuple(Attachment(file.id, f"{n}.png", "a cat") for n, file in enumerate(files))
    return replace(append(text=text, room=room, author=author), files=named)


async def sent(store: Store, *files: Deposit, text: str = "") -> Message:
    """Upload them, and send them in one message."""
    for file in files:
        await store.wrote(file)
    saved = await store.wrote(with_files(*files, text=text))
    assert isinstance(saved.change, Message)
    return saved.change


def test_a_file_becomes_its_messages(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        file = deposit()
        message = await sent(store, file)
        assert message.text == ""
        assert message.files == (File(file.id, "0.png", "image/png", 7, 3, 2, "a cat"),)
        found = await store.read(held, file.id)
        assert found is not None
        assert (found.room, found.message, found.file) == ("lobby", 1, message.files[0])
        assert found.sha == b"sha"
        page = await store.page("lobby", Asked("before", 99, 9))
        assert [saved.change for saved in page.changes] == [message]

    in_store(tmp_path, body)


def test_a_file_may_begin_a_room(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        file = deposit(room="den")
        await store.wrote(file)
        assert (await store.wrote(with_files(file, room="den"))).rev == 1

    in_store(tmp_path, body)


@pytest.mark.parametrize("wrong", ["unknown", "anothers", "of another room", "taken", "twice"])
def test_a_file_that_is_not_to_be_had_refuses_the_message_and_no_file_is_bound(
    tmp_path: Path, wrong: str
) -> None:
    async def body(store: Store) -> None:
        good, other = deposit(), deposit()
        await store.wrote(good)
        if wrong == "anothers":
            other = deposit(person="b")
        elif wrong == "of another room":
            other = deposit(room="den")
        elif wrong == "twice":
            other = good
        if wrong in ("anothers", "of another room"):
            await store.wrote(other)
        elif wrong == "taken":
            await sent(store, other)
        with pytest.raises(Refusal, match="no_file"):
            await store.wrote(with_files(good, other, text="look"))
        assert await store.read(held, good.id) is None
        head = 1 if wrong == "taken" else 0
        assert (await store.wrote(with_files(good, text="look"))).rev == head + 1

    in_store(tmp_path, body)


def test_a_retry_is_known_whatever_its_files_are_called_by_then(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        first, anew = deposit(), deposit()
        await store.wrote(first)
        await store.wrote(anew)
        said = with_files(first, text="look")
        await store.wrote(said)
        again = replace(said, files=with_files(anew).files)
        assert await store.wrote(said) == Done(said.cid, 1)
        assert await store.wrote(again) == Done(said.cid, 1)
        assert await store.read(held, anew.id) is None

    in_store(tmp_path, body)


def test_too_many_files_and_an_endless_description_are_refused(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        files = [deposit() for _ in range(FILES_LIMIT + 1)]
        for file in files:
            await store.wrote(file)
        with pytest.raises(Refusal, match="too_many_files"):
            await store.wrote(with_files(*files))
        about = "x" * ABOUT_LIMIT
        told = Attachment(files[0].id, "a.png", f" {about[:-1]} \n x")
        with pytest.raises(Refusal, match="bad_file"):
            await store.wrote(replace(append(), files=(told,)))
        told = Attachment(files[0].id, "a.png", f" {about}\n")
        saved = await store.wrote(replace(append(), files=(told,)))
        assert saved.change.files[0].about == about
        told = Attachment(files[1].id, "a.png", " \u200b ")
        assert (await store.wrote(replace(append(), files=(told,)))).change.files[0].about is None
        await store.wrote(with_files(*files[2:FILES_LIMIT]))

    in_store(tmp_path, body)


def test_a_message_without_text_needs_a_file(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        with pytest.raises(Refusal, match="empty"):
            await store.wrote(with_files())
        message = await sent(store, deposit(), text=" \n")
        assert message.text == ""

    in_store(tmp_path, body)


def test_an_edit_keeps_the_files_and_may_leave_no_text(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        file = deposit()
        message = await sent(store, file, text="look")
        await store.wrote(append())
        edited = (await store.wrote(rewrite(1, ""))).change
        assert (edited.text, edited.files) == ("", message.files)
        assert await store.read(held, file.id)
        with pytest.raises(Refusal, match="empty"):
            await store.wrote(rewrite(2, ""))

    in_store(tmp_path, body)


def test_a_deleted_message_takes_its_files(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        file, other, elsewhere = deposit(), deposit(), deposit(room="den")
        await sent(store, file)
        await sent(store, other)
        await store.wrote(elsewhere)
        assert (await store.wrote(with_files(elsewhere, room="den"))).rev == 1
        await store.wrote(remove(1))
        assert await store.read(held, file.id) is None
        assert await store.read(ids) == {other.id, elsewhere.id}
        assert await store.read(held, other.id)

    in_store(tmp_path, body)


def test_what_never_became_a_messages_is_swept(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        old, young, bound = deposit(at=10, size=5), deposit(at=20), deposit(at=10)
        for file in (old, young, bound):
            await store.wrote(file)
        await store.wrote(with_files(bound))
        assert await store.wrote(Sweep(20)) == (1, 5)
        assert await store.read(ids) == {young.id, bound.id}
        assert await store.wrote(Sweep(20)) == (0, 0)
        with pytest.raises(Refusal, match="no_file"):
            await store.wrote(with_files(old))

    in_store(tmp_path, body)


def test_only_what_is_dropped_for_good_is_said_to_be_gone(tmp_path: Path) -> None:
    """Bytes that are unlinked cannot be brought back: a write that is undone unlinks none."""
    gone: list[str] = []

    async def body(store: Store) -> None:
        things = store._commits._writer.things
        files = [deposit(), deposit(at=10), deposit()]
        await sent(store, files[0])
        await store.wrote(files[1])
        await store.wrote(files[2])
        put = things.put
        things.put = lambda *_: 1 / 0  # type: ignore[method-assign]
        with pytest.raises(Refusal, match="failed"):
            await store.wrote(remove(1))
        things.put = put  # type: ignore[method-assign]
        await store.wrote(Probe())
        assert gone == []
        await store.wrote(remove(1))
        await store.wrote(Sweep(1000))
        await store.wrote(Probe())
        assert gone == [file.id for file in files[:2]]

    in_store(tmp_path, body, drop=gone.extend)


def test_what_everybody_uses_is_counted_with_what_is_not_sent_yet(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await sent(store, deposit(size=5))
        await store.wrote(deposit(size=6))
        await store.wrote(deposit(person="b", size=1))
        assert await store.read(used) == {"a": 11, "b": 1}

    in_store(tmp_path, body)


def test_a_message_without_files_asks_nothing_of_them(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        asked: list[str] = []
        store._db.set_trace_callback(asked.append)
        await store.wrote(append())
        await store.wrote(rewrite(1, "hello"))
        store._db.set_trace_callback(None)
        assert any("things" in sql for sql in asked)
        assert not [sql for sql in asked if "files" in sql]

    in_store(tmp_path, body)


def test_a_row_has_no_text_of_people(tmp_path: Path) -> None:
    """It may move inside the database file, which would leave copies of a text behind."""

    async def body(store: Store) -> None:
        await sent(store, deposit(), text="look")

    in_store(tmp_path, body)
    (row,) = table(tmp_path, "SELECT * FROM files")
    assert not {"0.png", "a cat", "look"} & set(row)


def test_the_messages_that_have_files_are_a_page_of_their_own(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        with_files = []
        for number in range(6):
            await store.wrote(append())
            with_files.append((await sent(store, deposit(), deposit(), text=f"{number}")).id)
        other = deposit(room="den")
        await store.wrote(other)
        await store.wrote(replace(append(room="den"), files=(Attachment(other.id, "a"),)))
        await store.wrote(remove(with_files.pop()))

        async def page(before: int, limit: int) -> tuple[list[int], bool]:
            found = await store.page("lobby", Asked("before", before, limit, files=True))
            return [saved.key[1] for saved in found.changes], found.more

        assert await page(99, 9) == (with_files, False)
        assert await page(99, 3) == (with_files[2:], True)
        assert await page(with_files[2], 2) == (with_files[:2], False)
        assert await page(with_files[2], 1) == (with_files[1:2], True)
        assert await page(1, 3) == ([], False)

    in_store(tmp_path, body)


def test_the_plain_dialect_is_told_the_names_of_files() -> None:
    def line(text: str, *names: str) -> bytes:
        files = tuple(File("f" * 22, name, "image/png", 1) for name in names)
        message = Message(1, 1, "a", "Ana", 0, 1, text, files=files)
        frame = Frame.keeping(Saved(1, message.key, "a", b"", message)).plain("b")
        return frame.data[2:]

    assert line("look", "cat.jpg", "b.pdf") == b"Ana: look [cat.jpg] [b.pdf]"
    assert line("", "cat.jpg") == b"Ana: [cat.jpg]"
    assert line(" two  blanks ") == b"Ana:  two  blanks "


# -- over HTTP


def uploaded(site: Site, cookie: str, room: str = "lobby") -> str:
    """The id of a file that the person of this cookie has uploaded to the room."""
    wire = Wire(site.port, f"/r/{room}/ws", cookie=cookie).opened()
    file = deposit(room=room, person=wire.hear("welcome")["you"]["user"])
    site.call(site.app.site.store.wrote, file)
    wire.close()
    return file.id


def test_a_form_sends_files_too(site: Site) -> None:
    cookie = site.join()
    headers = {"Cookie": cookie, "Accept": "application/json"}
    named = [{"id": uploaded(site, cookie, "den"), "name": "cat.png", "about": "a cat"}]

    def post(files: object, **fields: str) -> Answer:
        form = {"files": json.dumps(files), **fields}
        return site.http("POST", "/r/den", headers=headers, form=form)

    for wrong in ({}, 1, [{"id": "short", "name": ""}], [{"name": "x"}], [{**named[0], "x": 1}]):
        answer = post(wrong)
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_frame")
    assert json.loads(post(named, cid="abcdefgh-1").body) == {"id": 1}
    assert json.loads(post(named, cid="abcdefgh-1").body) == {"id": 1}
    answer = post(named)
    assert json.loads(answer.body)["code"] == "no_file"
    answer = site.http("GET", "/r/den/messages?before=9&files", headers=headers)
    (message,) = json.loads(answer.body)["changes"]
    assert message["files"] == [
        {**named[0], "type": "image/png", "size": 7, "width": 3, "height": 2}
    ]


def test_what_is_wrong_with_files_is_said_over_the_socket_and_nothing_is_bound(site: Site) -> None:
    ana, ben = site.join(), site.join()
    mine, elsewhere, bens = uploaded(site, ana), uploaded(site, ana, "den"), uploaded(site, ben)
    wire = Wire(site.port, "/r/lobby/ws", cookie=ana).opened()
    good = {"id": mine, "name": "a.png"}

    def refused(*files: object) -> str:
        wire.command("say", text="", files=files)
        refusal = wire.hear("refused")
        assert refusal["detail"] == REFUSALS[refusal["code"]] or refusal["code"] == "bad_frame"
        return str(refusal["code"])

    for id in (bens, elsewhere, "x" * 22):
        assert refused(good, {"id": id, "name": "b.png"}) == "no_file"
    assert refused(good, good) == "no_file"
    assert refused(*[good] * (FILES_LIMIT + 1)) == "too_many_files"
    assert refused({**good, "about": "x" * (ABOUT_LIMIT + 1)}) == "bad_file"
    for bad in ({"id": "../../secret", "name": "a"}, {**good, "type": "text/html"}, {"id": mine}):
        assert refused(bad) == "bad_frame"
    cid = wire.command("say", text="", files=[good])
    assert [file["id"] for file in wire.hear("message", cid=cid)["files"]] == [mine]
    wire.close()


@pytest.mark.parametrize(
    "query", ["after=1&files", "ids=1&files", "since=1&files", "around=1&files"]
)
def test_a_page_of_files_goes_only_back(site: Site, query: str) -> None:
    headers = {"Cookie": site.join(), "Accept": "application/json"}
    answer = site.http("GET", f"/r/lobby/messages?{query}", headers=headers)
    assert json.loads(answer.body)["code"] == "bad_page"


def test_pages_are_told_how_large_files_may_be(tmp_path: Path) -> None:
    site = Site(tmp_path, file_mb=3)
    try:
        cookie = site.join()
        wire = Wire(site.port, "/r/lobby/ws", cookie=cookie).opened()
        limits = wire.hear("welcome")["limits"]
        assert (limits["file"], limits["files"]) == (3_000_000, FILES_LIMIT)
        wire.close()
        page = site.http("GET", "/", headers={"Cookie": cookie}).body.decode()
        assert f'"file":{3_000_000},"files":{FILES_LIMIT}' in page
    finally:
        site.stop()
