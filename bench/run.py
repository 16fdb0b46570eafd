"""`make bench`: every case against every server, interleaved and repeated; one table.

Method and reading are in bench/README.md. Results land in bench/results/latest.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cases import FAULTS, QUICK, TOLD, Case, Measure, Plan, Result, cases
from servers import BENCH, LOAD_CORE, SERVER_CORE, SERVERS, Missing, Server, compile_c, running

RESULTS = BENCH / "results" / "latest.json"
LIMITS = ("limit", "limit-batch")  # the C programs; the better of the two is "the limit"
TUTORIAL = "tutorial"


def main() -> int:
    """Measures and prints; 1 when a check of our own server failed."""
    options = _options()
    plan = QUICK if options.quick else Plan()
    plan_cases = [case for case in cases(plan) if _named(case.key, options.cases)]
    compile_c("load")
    servers, missing = _build([s for s in SERVERS if _named(s.key, options.servers)])
    report: dict[str, Any] = {
        "machine": _machine(),
        "quick": options.quick,
        "missing": missing,
        "labels": {server.key: server.label for server in SERVERS},
        "runs": [],
        "skipped": 0,
    }
    repeats = options.repeat or plan.repeats
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a started server is ended
    _measure(plan_cases, servers, repeats, plan.budget, report)
    _save(report)
    print(table(report, plan_cases))
    ours = {server.key for server in servers if server.ours}
    return int(any(run.get(f) for run in report["runs"] if run["server"] in ours for f in FAULTS))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a rough look in three minutes")
    parser.add_argument("--repeat", type=int, help="times each case runs against each server")
    parser.add_argument("--cases", help="only these, with commas; one- stands for all of them")
    parser.add_argument("--servers", help="only these, with commas")
    return parser.parse_args()


def _named(key: str, wanted: str | None) -> bool:
    return wanted is None or any(
        key == name or (name.endswith("-") and key.startswith(name)) for name in wanted.split(",")
    )


def _build(wanted: Sequence[Server]) -> tuple[list[Server], dict[str, str]]:
    found, missing = [], {}
    for server in wanted:
        try:
            server.build()
            found.append(server)
        except Missing as why:
            missing[server.key] = str(why)
    return found, missing


def _measure(
    plan_cases: Sequence[Case],
    servers: Sequence[Server],
    repeats: int,
    budget: float,
    report: dict[str, Any],
) -> None:
    """Repetition by repetition, case by case, every server in turn; each result is saved."""
    start = time.monotonic()
    for repeat in range(repeats):
        for case in plan_cases:
            turn = repeat % max(1, len(servers))  # another one goes first each time
            for server in [*servers[turn:], *servers[:turn]]:
                if not case.fits(server) or (case.once and repeat):
                    continue
                if time.monotonic() - start > budget:
                    report["skipped"] += 1
                    continue
                _say(f"{repeat + 1}/{repeats}  {case.key:<12} {server.label}")
                before = _used()
                result = _one(case, server)
                others = [b - a for a, b in zip(before, _used(), strict=True)]
                result["others"] = max(0.0, (others[0] - others[1]) / others[2])  # cores
                here = {"case": case.key, "server": server.key, "repeat": repeat}
                report["runs"].append(here | result)
                _save(report)
    _say("")


def _one(case: Case, server: Server) -> Result:
    try:
        with running(server) as run:
            return case.run(run)
    except (Missing, RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
        return {"error": str(error).partition("\n")[0][:100]}


def _used() -> tuple[float, float, float]:
    """CPU seconds of the whole machine, those of this run, and the seconds that went by."""
    words = Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    busy = sum(int(word) for i, word in enumerate(words) if i not in (3, 4))  # idle, iowait
    own = os.times()
    ours = own.user + own.system + own.children_user + own.children_system
    return busy / os.sysconf("SC_CLK_TCK"), ours, time.monotonic()


def _say(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _machine() -> dict[str, Any]:
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "server_core": SERVER_CORE,
        "load_core": LOAD_CORE,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _save(report: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def value(run: Result, measure: Measure) -> float | None:
    """The number this run counts for; None when it failed or half the people were cut off."""
    got = run.get(measure.field)
    if "error" in run or got is None or run.get("cut", 0) > run.get("live", 0):
        return None
    return float(got) / measure.scale


def ratio(runs: Sequence[Result], case: str, key: str, to: Sequence[str], measure: Measure) -> str:
    """Median over the repetitions of this server's value by the best of the `to` servers'."""
    values: dict[tuple[str, int], float] = {}
    for run in runs:
        got = value(run, measure)
        if run["case"] == case and got:
            values[run["server"], run["repeat"]] = got
    found = []
    for (server, repeat), got in values.items():
        others = [values[name, repeat] for name in to if (name, repeat) in values]
        if server == key and others:
            found.append(got / (min(others) if measure.low else max(others)))
    return f"{statistics.median(found):.2f}" if found else "-"


HEADER = ("", "median", "min", "max", "/limit", "/tutorial", "CPU s/M", "p50 ms", "p99 ms",
          "CPU of server, load", "checks")  # fmt: skip


def table(report: dict[str, Any], plan_cases: Sequence[Case]) -> str:
    """Everything measured, one block for each measure, one line for each server."""
    rows: list[tuple[str, ...]] = [HEADER]
    runs = report["runs"]
    for case in plan_cases:
        mine = [run for run in runs if run["case"] == case.key]
        for measure in case.measures if mine else ():
            rows.append((f"{measure.title}, {measure.unit}",))
            for key, label in report["labels"].items():
                if these := [run for run in mine if run["server"] == key]:
                    rows.append(_row(f"  {label}", these, runs, measure))
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[i]) for row in full) for i in range(len(HEADER))]
    lines = []
    for row in rows:
        if len(row) == 1:
            lines += ["", row[0]]
            continue
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    lines += [f"missing: {report['labels'][k]}: {why}" for k, why in report["missing"].items()]
    if runs and (others := statistics.median(run["others"] for run in runs)) > 0.1:
        lines.append(f"NOT ALONE: other programs used {others:.1f} cores meanwhile (median)")
    if report["skipped"]:
        lines.append(f"left out for lack of time: {report['skipped']} runs")
    return "\n".join(lines)


def _row(label: str, these: list[Result], runs: list[Result], measure: Measure) -> tuple[str, ...]:
    values = [got for run in these if (got := value(run, measure)) is not None]
    checks = _checks(these)
    if not values:
        return (label, *["-"] * 9, checks)
    case, key = these[0]["case"], these[0]["server"]
    span = [f"{f(values):,.{measure.digits}f}" for f in (statistics.median, min, max)]
    good = [run for run in these if "error" not in run]
    talked = any(run.get("deliveries") for run in good)
    cpu = _middle(good, "cpu_per_million", 2) if talked else "-"
    p50, p99 = (_middle(good, name, 2) if talked else "-" for name in ("p50_ms", "p99_ms"))
    shares = f"{_middle(good, 'server_cpu', 2)}, {_middle(good, 'own_cpu', 2)}" if talked else "-"
    limit = ratio(runs, case, key, LIMITS, measure)
    tutorial = ratio(runs, case, key, (TUTORIAL,), measure)
    return (label, *span, limit, tutorial, cpu, p50, p99, shares, checks)


def _middle(runs: list[Result], name: str, digits: int) -> str:
    values = [run[name] for run in runs if name in run]
    return f"{statistics.median(values):.{digits}f}" if values else "-"


def _checks(these: list[Result]) -> str:
    said = [run["error"] for run in these if "error" in run]
    for name in (*FAULTS, *TOLD):
        count = sum(run.get(name, 0) for run in these)
        if count:
            said.append(f"{name.replace('_', ' ')} {count:,}")
    return "; ".join(said) or "ok"


if __name__ == "__main__":
    sys.exit(main())
