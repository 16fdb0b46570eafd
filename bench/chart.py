"""docs/performance.svg out of bench/results/latest.json: what a glance should show."""

from __future__ import annotations

import html
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from servers import BENCH

RESULTS = BENCH / "results" / "latest.json"
CHART = BENCH.parent / "docs" / "performance.svg"

PANELS = (  # case, field, scale, title
    ("one-1000", "deliveries_per_s", 1e3, "One message at a time to 1,000: thousand deliveries/s"),
    ("many-1000", "deliveries_per_s", 1e3, "50 people at once to 1,000: thousand deliveries/s"),
    ("calm-1000", "p99_ms", 1.0, "10 messages/s to 1,000: p99 in ms (short is good)"),
    ("idle-5000", "bytes_per_connection", 1e3, "Memory of an idle person: kB (short is good)"),
)
WIDTH, LABEL, BAR, STEP, HEAD, GAP = 760, 240, 420, 22, 34, 18  # pixels

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  .limit { fill: #d0d7de }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #4493f8 }
    .limit { fill: #3d444d }
  }
"""


def panel(report: dict[str, Any], case: str, field: str, scale: float) -> list[tuple[str, float]]:
    """The servers of a case with their medians, in the order of the table."""
    found = []
    for key in report["labels"]:
        values = [
            run[field] / scale
            for run in report["runs"]
            if run["case"] == case and run["server"] == key and field in run
            if run.get("cut", 0) <= run.get("live", 0)
        ]
        if values:
            found.append((key, statistics.median(values)))
    return found


def draw(report: dict[str, Any]) -> str:
    """The whole picture; panels that were not measured are left out."""
    shapes: list[str] = []
    top = 0
    for case, field, scale, title in PANELS:
        values = panel(report, case, field, scale)
        if not values:
            continue
        top += HEAD
        shapes.append(f'<text class="title" x="8" y="{top - 10}">{html.escape(title)}</text>')
        longest = max(value for _, value in values) or 1
        for key, value in values:
            kind = "ours" if key == "ours" else "limit" if key.startswith("limit") else "bar"
            label = html.escape(report["labels"][key])
            width = max(1.0, BAR * value / longest)
            number = f"{value:,.0f}" if value >= 20 else f"{value:.1f}"
            shapes += [
                f'<text x="{LABEL - 8}" y="{top + 14}" text-anchor="end">{label}</text>',
                f'<rect class="{kind}" x="{LABEL}" y="{top + 2}" width="{width:.1f}" height="15"/>',
                f'<text x="{LABEL + width + 6:.1f}" y="{top + 14}">{number}</text>',
            ]
            top += STEP
        top += GAP
    machine = report["machine"]
    note = f"{machine['cpu']}, one core each for server and load; {machine['when']}"
    shapes.append(f'<text x="8" y="{top + 8}">{html.escape(note)}</text>')
    size = f'width="{WIDTH}" height="{top + 24}" viewBox="0 0 {WIDTH} {top + 24}"'
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" '
        f'aria-label="Performance beside other servers">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )


def main() -> int:
    """Writes the chart; 1 when nothing was measured yet."""
    if not Path(RESULTS).exists():
        print("nothing measured yet: make bench", file=sys.stderr)
        return 1
    CHART.write_text(draw(json.loads(RESULTS.read_text())))
    print(CHART.relative_to(BENCH.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
