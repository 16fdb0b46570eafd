"""Adding a kind of thing (docs/design.md): a place that was forgotten is told here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from worlds import held

from chat.log.operations import Deposit
from chat.log.reader import Asked
from chat.log.store import Store
from chat.room.orders import operation
from chat.rules.access import TABLE, Answer, Role
from chat.wire.frames import Saved
from chat.wire.orders import Command
from chat.wire.protocol import (
    Attachment,
    Change,
    File,
    Lasting,
    Person,
    Say,
    decode,
    decode_change,
    encode,
    kinds,
)

ANA = Person("ana", "Ana", 1)
DEN = ("den", "Den")
FILE = "a-file-of-the-test-22c"
LASTING = kinds(Lasting)
VALUES: dict[str, Any] = {"int": 1, "str": "👍", "bool": True, "dict": {"den": "Den"}}


def sample(kind: type[Any]) -> Any:
    """One of its kind, about the message 1, with all that it can say."""
    fields = {field.name: value(field.type) for field in msgspec.structs.fields(kind)}
    if "cid" in fields:
        fields["cid"] = "cid-of-the-test"
    if kind in (Attachment, File):
        fields["id"] = FILE
    return kind(**fields)


def value(type: Any) -> Any:
    """One of this type; of an optional one, one that is there."""
    if get_origin(type) in (Union, UnionType):
        return value(get_args(type)[0])
    if get_origin(type) is Literal:
        return get_args(type)[-1]
    if get_origin(type) is tuple:
        kind = get_args(type)[0]
        return (sample(kind) if hasattr(kind, "__struct_fields__") else value(kind),)
    if get_origin(type) is Annotated:
        least = [meta.ge for meta in type.__metadata__ if meta.ge]
        return least[0] if least else value(type.__origin__)
    return VALUES[getattr(type, "__origin__", type).__name__]


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


@pytest.mark.parametrize("kind", kinds(Command), ids=tag)
def test_every_command_is_decoded(kind: type[Command]) -> None:
    command = sample(kind)
    assert decode(encode(command)) == command


@pytest.mark.parametrize("kind", LASTING, ids=tag)
def test_every_lasting_command_is_an_operation_that_access_knows(kind: type[Lasting]) -> None:
    asked = operation(sample(kind), ANA, DEN, 1)
    assert asked.author == ANA.user
    for role in Role:
        assert asked.verb in TABLE[role]
    assert TABLE[Role.OWNER][asked.verb] in (Answer.YES, Answer.OWN)


@pytest.mark.parametrize("kind", kinds(Change), ids=tag)
def test_every_change_says_which_thing_it_is_of(kind: type[Change]) -> None:
    change = sample(kind)
    assert decode_change(encode(change)) == change
    assert change.key[0] == tag(kind)
    assert "cid" in get_type_hints(kind), "what a command makes carries its cid"


@pytest.mark.parametrize("kind", LASTING, ids=tag)
def test_every_lasting_command_is_done_once_and_read_again(
    kind: type[Lasting], tmp_path: Path
) -> None:
    async def scenario() -> None:
        store = Store(tmp_path / "chat.db")
        store.start()
        held(tmp_path / "chat.db", ANA.user, role="owner")
        first = operation(Say("first-of-all", "hello"), ANA, DEN, 1)
        await store.wrote(first)
        await store.wrote(Deposit(FILE, "den", ANA.user, "image/png", 1, 1, 1, b"", 1))
        asked = operation(sample(kind), ANA, DEN, 2)
        made = await store.wrote(asked)
        assert isinstance(made, Saved)
        change = decode_change(made.body)
        assert change == made.change
        assert change.rev == 2
        assert getattr(change, "cid", None) == "cid-of-the-test"
        again = await store.wrote(asked)
        assert (again.cid, again.rev) == ("cid-of-the-test", 2)
        (missed,) = await store.changes("den", 1, 2, 50)
        page = await store.page("den", Asked("since", 1, 50))
        assert missed.body == made.body
        assert [kept.body for kept in page.changes] == [made.body]
        await store.close()

    asyncio.run(scenario())
