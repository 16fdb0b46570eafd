"""What a handshake does at once, and what happens to one that has to wait after all."""

import asyncio

import pytest

from chat.line.handshake import at_once


def test_what_waits_for_nothing_is_done_at_once() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("all")

    async def run() -> None:
        future = at_once(work())
        assert done == ["all"]
        await future

    asyncio.run(run())


def test_what_has_to_wait_goes_on_where_it_was() -> None:
    done: list[str] = []

    async def work(gate: asyncio.Future[str]) -> None:
        done.append("begun")
        done.append(await gate)
        await asyncio.sleep(0)
        done.append("ended")

    async def run() -> None:
        gate = asyncio.get_running_loop().create_future()
        rest = asyncio.ensure_future(at_once(work(gate)))
        assert done == ["begun"]
        await asyncio.sleep(0)  # it waits by now
        gate.set_result("told")
        await rest

    asyncio.run(run())
    assert done == ["begun", "told", "ended"]


def test_what_fails_fails_where_it_stands() -> None:
    caught: list[Exception] = []

    async def work(gate: asyncio.Future[str]) -> None:
        try:
            await gate
        except ValueError as error:
            caught.append(error)
            raise

    async def run() -> None:
        gate = asyncio.get_running_loop().create_future()
        rest = asyncio.ensure_future(at_once(work(gate)))
        gate.set_exception(ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            await rest

    asyncio.run(run())
    assert len(caught) == 1
