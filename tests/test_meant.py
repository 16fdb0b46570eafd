"""Whom a message is meant for: what is said to somebody, what the log keeps of it, who is told."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from client import Wire
from serving import Site
from test_store import append, in_store, react, remove, rewrite, said, table
from worlds import Listener, World, in_world

from chat.log.operations import Append
from chat.log.store import Store
from chat.rules.mentions import HERE, MANY
from chat.wire.codes import Refusal
from chat.wire.passing import Done
from chat.wire.protocol import Edit, Person, Say


def answer(reply: int | None, text: str = "yes", author: str = "b", cid: str = "") -> Append:
    return replace(append(cid, text, author=author), reply=reply)


def meant(path: Path) -> list[tuple[str, int]]:
    """What is kept of whom the messages of the lobby are meant for."""
    return table(path, "SELECT person, id FROM meant ORDER BY id, person")


# -- answers


def test_who_is_answered_is_meant_unless_named_or_the_author(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append())
        assert (await said(store, answer(1))).mentions == {"a": ""}
        named = replace(answer(1, "@A yes"), mentions={"a": "A", "c": "C"})
        assert (await said(store, named)).mentions == {"a": "A", "c": "C"}
        own = replace(answer(1, "@A @B", author="a"), mentions={"a": "A", "b": "B"})
        assert (await said(store, own)).mentions == {"b": "B"}
        assert (await said(store, answer(4, author="a"))).reply == 4

    in_store(tmp_path, body)
    assert meant(tmp_path) == [("a", 2), ("a", 3), ("c", 3), ("b", 4)]


def test_what_is_gone_can_be_answered_and_what_never_was_cannot(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        with pytest.raises(Refusal, match="not_found"):
            await store.wrote(answer(1))
        assert store.standings() == {}, "no room is made for it"
        await store.wrote(append())
        await store.wrote(remove(1))
        for id in (0, 3, 2**53 - 1):
            with pytest.raises(Refusal, match="not_found"):
                await store.wrote(answer(id))
        message = await said(store, answer(1))
        assert (message.reply, message.mentions) == (1, {})

    in_store(tmp_path, body)


def test_an_edit_keeps_what_is_answered_and_finds_people_anew(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append())
        await store.wrote(replace(answer(1, "@C @D"), mentions={"c": "C", "d": "D"}))
        edit = replace(rewrite(2, "@C @E", author="b"), mentions={"x": "C", "e": "E"})
        message = await said(store, edit)
        assert (message.reply, message.mentions) == (1, {"a": "", "c": "C", "e": "E"})
        await store.wrote(remove(1))
        message = await said(store, rewrite(2, "nobody", author="b"))
        assert (message.reply, message.mentions) == (1, {"a": ""})

    in_store(tmp_path, body)
    assert meant(tmp_path) == [("a", 2)]


def test_an_answer_that_comes_again_without_what_it_answers_is_known(tmp_path: Path) -> None:
    """In another epoch a page does not say it any more."""

    async def body(store: Store) -> None:
        await store.wrote(append())
        await store.wrote(answer(1, cid="cid00001"))
        assert await store.wrote(answer(None, cid="cid00001")) == Done("cid00001", 2)

    in_store(tmp_path, body)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_of_it_is_what_the_living_messages_say(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    async def body(store: Store) -> None:
        await store.wrote(append())
        head = 1
        for _ in range(300):
            id, who = chance.randint(1, head), chance.choice("abc")
            people = {user: user.upper() for user in chance.sample("abcdef", chance.randint(0, 3))}
            text = " ".join(f"@{name}" for name in people.values()) or "nobody"
            op = chance.choice(
                [
                    replace(answer(chance.choice([None, id]), text, who), mentions=people),
                    replace(rewrite(id, text, author=who), mentions=people),
                    remove(id, author=who),
                    react(id, author=who),
                ]
            )
            try:
                head = max(head, (await store.wrote(op)).rev)
            except Refusal:
                continue

    in_store(tmp_path, body)
    bodies = table(tmp_path, "SELECT body FROM things WHERE kind = 'message' ORDER BY id")
    messages = [json.loads(body) for (body,) in bodies]
    told = [(user, m["id"]) for m in messages for user in sorted(m.get("mentions", {}))]
    assert len(told) > 20
    assert meant(tmp_path) == told


def test_what_damage_left_behind_keeps_no_message_from_being_saved(tmp_path: Path) -> None:
    in_store(tmp_path, lambda store: store.wrote(append()))
    table(tmp_path, "INSERT INTO meant VALUES ('a', 1, 2)")
    in_store(tmp_path, lambda store: store.wrote(answer(1)))
    assert meant(tmp_path) == [("a", 2)]


# -- who is called so


def mentions(peer: Listener) -> dict[str, str]:
    """Of the newest message."""
    found: dict[str, str] = peer.changes[-1].get("mentions", {})
    return found


def test_names_are_found_in_what_is_said_and_in_what_is_edited(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        for name, user in (("Ana", "ana"), ("Bob", "bob"), ("Bob Lee", "lee")):
            world.names.add(name, user)
        ana.ask(Say("cid-first", "@bob lee, @Bob and @ana"))
        await world.settle()
        assert mentions(bob) == {"lee": "bob lee", "bob": "Bob"}
        world.names.drop("Bob", "bob")
        world.names.add("Rob", "bob")
        world.names.add("Bob", "new")
        ana.ask(Edit("cid-second", 1, "@Bob, @cob lee"))
        await world.settle()
        assert mentions(bob) == {"bob": "Bob"}, "it was said to who was Bob then"
        ana.ask(Say("cid-third", "@Bob"))
        await world.settle()
        assert mentions(bob) == {"new": "Bob"}

    in_world(tmp_path, body)


def test_here_means_who_is_there_but_strangers_and_the_author(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, _, _ = (world.join(user) for user in ("ana", "bob", "stranger"))
        world.join("elsewhere", room="other")
        world.strangers.add("stranger")
        ana.ask(Say("cid-first", "@here: lunch"))
        await world.settle()
        assert mentions(ana) == {"bob": HERE}
        world.join("cat")
        ana.ask(Edit("cid-second", 1, "@here: lunch!"))
        await world.settle()
        assert mentions(ana) == {"bob": HERE}, "who was there when it was said"

    in_world(tmp_path, body)


def test_in_a_large_room_here_means_nobody(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, *others = (world.join(f"p{number}") for number in range(MANY))
        ana.ask(Say("cid-first", "@here"))
        await world.settle()
        assert mentions(ana) == {peer.person.user: HERE for peer in others}
        world.join("one more")
        ana.ask(Say("cid-second", "@here"))
        await world.settle()
        assert mentions(ana) == {}

    in_world(tmp_path, body)


# -- over the wire


@pytest.fixture
def people(site: Site) -> Iterator[tuple[Wire, Wire]]:
    """Ana and Ben in the house room."""
    both = site.wire(cookie=site.join(name="Ana")), site.wire(cookie=site.join(name="Ben"))
    yield both
    for wire in both:
        wire.close()


def test_everybody_with_a_name_is_found_and_nobody_without(
    site: Site, people: tuple[Wire, Wire]
) -> None:
    """Also who is in another room, or nowhere; not who signed out."""
    ana, _ = people
    site.join(name="Cid")
    dee = site.join(name="Dee")
    named = {
        person.name: person.user
        for person in map(site.app.site.directory.find, site.app.site.directory._users)
        if person
    }
    assert site.http("POST", "/signout", headers={"Cookie": dee}).status == 303
    said = ana.hear("message", cid=ana.say("@Ben @cid @Dee @Ana"))
    assert said["mentions"] == {named["Ben"]: "Ben", named["Cid"]: "cid"}
    cookie = site.join(name="Eva")
    assert (
        site.http("POST", "/name", headers={"Cookie": cookie}, form={"name": "Eve"}).status == 303
    )
    said = ana.hear("message", cid=ana.say("@Eva @Eve"))
    assert list(said["mentions"].values()) == ["Eve"]


def test_in_the_plain_dialect_one_reads_who_is_answered(
    site: Site, people: tuple[Wire, Wire]
) -> None:
    ana, ben = people
    plain = Wire(site.port, "/ws/7").opened()
    ana.say("tea?")
    first = ben.hear("message", text="tea?")["id"]
    ben.command("say", text="yes", reply=first)
    second = ana.hear("message", text="yes")["id"]
    ben.command("react", id=first, emoji="🍵", on=True)
    ana.command("say", text="good", reply=second)
    ana.command("delete", id=first)
    ana.hear("gone")
    ana.command("say", text="or coffee", reply=first)
    lines = [plain.read()[1].decode() for _ in range(4)]
    assert lines == ["Ana: tea?", "Ben (to Ana): yes", "Ana (to Ben): good", "Ana: or coffee"]
    plain.close()


def test_a_form_answers_a_message_of_its_own_epoch(site: Site) -> None:
    """What waits in a room that no page has open is sent by a form."""
    cookie, epoch = site.join(name="Ana"), site.app.site.store.epoch
    wire = site.wire(cookie=cookie)
    wire.hear("message", cid=wire.say("first"))
    post = {"text": "an answer", "reply": "1", "epoch": epoch}
    sent = [post, post | {"epoch": "another"}, post | {"reply": "x"}, post | {"reply": "9"}]
    headers = {"Cookie": cookie, "Accept": "application/json"}
    answers = [site.http("POST", "/r/lobby", headers=headers, form=form) for form in sent]
    assert [answer.status for answer in answers] == [200, 200, 400, 404]
    assert wire.hear("message", text="an answer")["reply"] == 1
    assert "reply" not in wire.hear("message", text="an answer")
    wire.close()


def test_a_person_whose_name_is_taken_over_is_meant_no_more(site: Site) -> None:
    directory = site.app.site.directory

    async def take() -> Person:
        await directory.leave(directory._holders["ana"])
        return await directory.join("Ana")

    site.join(name="Ana")
    new = site.call(take)
    assert directory.names.find("@Ana", ()) == {new.user: "Ana"}
