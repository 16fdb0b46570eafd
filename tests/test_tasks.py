"""chat/tasks.py: background tasks end once and for all."""

import asyncio

from chat.tasks import Tasks


def test_what_a_late_timer_starts_after_the_end_is_dropped() -> None:
    """Else the loop is closed over a task that never ran, and the log says so."""
    ran = []

    async def work(name: str) -> None:
        ran.append(name)
        await asyncio.Event().wait()

    async def scenario() -> set[str]:
        tasks = Tasks()
        tasks.start(work("in time"))
        await asyncio.sleep(0)
        await tasks.cancel()
        tasks.start(work("too late"))
        await asyncio.sleep(0)
        return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}

    assert asyncio.run(scenario()) == set()
    assert ran == ["in time"]
