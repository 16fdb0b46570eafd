"""What is done to each server: the cases, and the numbers read from each."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from servers import LOAD_CORE, Running, Server, pin

Result = dict[str, Any]

SENDERS = 50
OFFERED = 20_000  # messages a second, more than anyone can carry to 1,000 peers one by one
KEY = ("limit", "limit-batch", "ours", "tutorial", "bun")  # the servers of a brief comparison
PATIENCE = 300.0  # seconds one run of the load may take

FAULTS = ("lost", "repeated", "disordered", "bad_rev", "bad_frames", "cut", "refused_for_good")
TOLD = ("refused", "gapped", "unsent", "backlog")  # limits that were reached, and said so


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how much: the full run, or --quick."""

    seconds: float = 3.0
    warm: float = 0.7
    drain: float = 5.0  # seconds to wait for what a flooded server still owes
    calm: float = 10.0  # seconds of 10 messages each
    repeats: int = 3
    messages: int = 1_000_000  # "an hour's traffic", and the history that pages are read from
    back: int = 5_000
    sizes: tuple[int, ...] = (100, 1_000, 5_000)
    idle: tuple[int, ...] = (5_000, 20_000)
    budget: float = float("inf")  # seconds after which nothing new is started
    brief: bool = False  # the secondary cases once, and against KEY only


QUICK = Plan(
    seconds=0.8,
    warm=0.3,
    drain=1.0,
    calm=1.5,
    repeats=2,
    messages=50_000,
    back=1_000,
    sizes=(1_000,),
    idle=(1_000,),
    budget=160.0,
    brief=True,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a case: `field` of the result divided by `scale`."""

    title: str
    field: str
    unit: str
    scale: float = 1.0
    low: bool = False  # the lower the better
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """Something done to one server: `run` gives one result, `measures` are read from it."""

    key: str
    run: Callable[[Running], Result]
    measures: tuple[Measure, ...]
    fits: Callable[[Server], bool] = lambda _: True
    once: bool = False  # too long to repeat


def cases(plan: Plan) -> list[Case]:
    """Everything that a run with this plan measures, in order."""
    found: list[Case] = []
    timing = (f"--warm={plan.warm}", f"--seconds={plan.seconds}")
    for n in plan.sizes:
        title = f"One message at a time to {n:,} people"
        measures = (_rate(title), Measure(f"{title}: CPU", "cpu_per_million", "s/M", 1, True, 2))
        found.append(_talk(f"one-{n}", measures, f"--n={n}", *timing))
    for n in plan.sizes:
        options = (f"--n={n}", f"--senders={SENDERS}", *timing)
        found.append(_talk(f"many-{n}", (_rate(f"50 in flight to {n:,} people"),), *options))
    flood = (_rate("50 people offering 20,000/s to 1,000"),)
    options = ("--n=1000", f"--senders={SENDERS}", f"--rate={OFFERED}", f"--drain={plan.drain}")
    found.append(_talk("flood-1000", flood, *options, *timing))
    calm = (
        Measure("10 messages/s to 1,000 people: p50", "p50_ms", "ms", 1, True, 2),
        Measure("10 messages/s to 1,000 people: p99", "p99_ms", "ms", 1, True, 2),
    )
    options = ("--n=1000", "--rate=10", f"--warm={plan.warm}", f"--seconds={plan.calm}")
    found.append(_talk("calm-1000", calm, *options))
    found.append(
        _talk(
            "rooms",
            (_rate("200 rooms of 25 people, all talking"),),
            "--n=5000",
            "--senders=5000",
            "--rooms=200",
            *timing,
            fits=lambda server: server.rooms,
        )
    )
    found.extend(_idle(n) for n in plan.idle)
    found.append(_back(plan))
    found.append(_hour(plan))
    return [_brief(case) for case in found] if plan.brief else found


def _brief(case: Case) -> Case:
    if case.key.startswith(("one-", "many-")):
        return case
    return replace(case, once=True, fits=lambda server: server.key in KEY and case.fits(server))


def _rate(title: str) -> Measure:
    return Measure(title, "deliveries_per_s", "k deliveries/s", 1e3)


def load(run: Running, *options: str) -> Result:
    """One run of the load generator on its own core: its one line of JSON."""
    done = subprocess.run(
        run.load(*options),
        capture_output=True,
        timeout=PATIENCE,
        preexec_fn=pin(LOAD_CORE),
    )
    return _line(done.stdout, done.stderr)


def _line(output: bytes, complaint: bytes = b"") -> Result:
    lines = output.decode().splitlines()
    if not lines:
        return {"error": complaint.decode(errors="replace").strip() or "the load said nothing"}
    result: Result = json.loads(lines[-1])
    return result


def _talk(
    key: str,
    measures: tuple[Measure, ...],
    *options: str,
    fits: Callable[[Server], bool] = lambda _: True,
) -> Case:
    return Case(key, lambda run: load(run, *options), measures, fits)


def _idle(wanted: int) -> Case:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    n = min(wanted, files - 200)

    def run(server: Running) -> Result:
        if server.server.ours:  # in a room where something was said
            load(server, "--n=2", "--messages=60", "--warm=0")
        return load(server, f"--n={n}", "--mode=idle")

    measures = (
        Measure(f"Memory of one of {n:,} idle people", "bytes_per_connection", "bytes", 1, True),
        Measure(f"Handshakes, {n:,} people", "handshakes_per_s", "per s"),
    )
    return Case(f"idle-{wanted}", run, measures)


def _back(plan: Plan) -> Case:
    def run(server: Running) -> Result:
        line = server.load("--mode=back", f"--n={plan.back}", "--messages=100")
        with subprocess.Popen(line, stdout=subprocess.PIPE, preexec_fn=pin(LOAD_CORE)) as process:
            assert process.stdout
            try:
                first = process.stdout.readline()
                if b"ready" in first:
                    server.restart()
                return _line(first + process.communicate(timeout=PATIENCE)[0])
            finally:
                process.kill()

    measures = (
        Measure(f"{plan.back:,} people back after a restart, 100 messages missed", "back_s",
                "s", 1, True, 2),
        Measure("From the first line closed to the first one open again", "away_s",
                "s", 1, True, 2),
    )  # fmt: skip
    return Case("back", run, measures, lambda server: server.ours)


def _hour(plan: Plan) -> Case:
    tenth = plan.messages // 10

    def run(server: Running) -> Result:
        parts = []
        for _ in range(10):
            options = (f"--messages={tenth}", "--warm=0", f"--seconds={PATIENCE / 2}")
            part = load(server, "--n=100", "--senders=100", *options)
            if "error" in part:
                return part
            parts.append(part)
        pages = load(server, "--mode=pages", "--n=4", f"--top={plan.messages}", "--seconds=3")
        if "error" in pages:
            return pages
        return _early_and_late(parts, pages)

    n = f"{plan.messages:,}"
    measures = (
        Measure(f"{n} messages through one room", "messages_per_s", "messages/s"),
        Measure("... memory after the second tenth", "rss_early", "MB", 1e6, True, 1),
        Measure("... memory after all of them", "rss_late", "MB", 1e6, True, 1),
        Measure("... growth between the two", "growth", "%", 1, True, 1),
        Measure("... p99 in the second tenth", "p99_early", "ms", 1, True, 2),
        Measure("... p99 in the last tenth", "p99_ms", "ms", 1, True, 2),
        Measure(f"A page of 50 out of {n}, 4 readers: p50", "page_p50_ms", "ms", 1, True, 2),
        Measure(f"A page of 50 out of {n}, 4 readers: p99", "page_p99_ms", "ms", 1, True, 2),
        Measure(f"Pages of 50 out of {n}, 4 readers", "pages_per_s", "per s"),
    )
    return Case("hour", run, measures, lambda server: server.ours, once=True)


def _early_and_late(parts: list[Result], pages: Result) -> Result:
    second, last = parts[1], parts[-1]
    faults = {key: sum(part[key] for part in [*parts, pages]) for key in FAULTS}
    return {
        **{key: last[key] for key in ("p50_ms", "p99_ms", "cpu_per_million", "server_cpu")},
        **faults,
        "own_cpu": last["own_cpu"],
        "rss_early": second["rss"],
        "rss_late": last["rss"],
        "growth": 100 * (last["rss"] / second["rss"] - 1),
        "p99_early": second["p99_ms"],
        "messages_per_s": sum(p["messages"] for p in parts) / sum(p["seconds"] for p in parts),
        "page_p50_ms": pages.get("p50_ms"),
        "page_p99_ms": pages.get("p99_ms"),
        "pages_per_s": pages.get("deliveries_per_s"),
        "parts": parts,
    }
