"""The least that a page can take: pages that do one thing, by HTML and uPlot, from a server that only hands out bytes.

What they take is the browser's, the connection's and the machine's, and stands beside what Keepsake's page takes in the
same run: nothing is selected, reduced, looked up or laid out for them. `python -m benchmarks.page_bare` serves them.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from array import array
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from keepsake.ui.server import address_of, make_server, open_socket

UPLOT = Path(__file__).parent.parent / "src/keepsake/ui/static/vendor/uplot.js"
SHOWN_ROWS = 30
"""About as many as the table of Keepsake's page shows at once."""
EMPTY = "<!doctype html><title>bare</title><p id=here>here"
LIST = """<!doctype html><title>bare</title><search><input></search><p class=count>all</p><table></table><script>
const [input, count, table] = ["input", ".count", "table"].map((one) => document.querySelector(one));
input.addEventListener("input", async () => {
  const found = await (await fetch("/select/" + encodeURIComponent(input.value))).json();
  table.innerHTML = found.rows.map((row) => `<tr><td>${row}<td>${found.filter}`).join("");
  count.textContent = found.filter;
});
</script>"""
CHARTS = """<!doctype html><title>bare</title><body><script type=module>
import uPlot from "/uplot.js";
const [charts, curves, points] = location.pathname.split("/").slice(2).map(Number);
const width = Math.floor(innerWidth / Math.min(charts, 4)) - 20;
window.drawn = 0;
for (let chart = 0; chart < charts; chart++) {
  const element = document.body.appendChild(document.createElement("div"));
  element.style = "float: left";
  fetch(`/points/${curves}/${points}/${chart}`).then((answer) => answer.arrayBuffer()).then((bytes) => {
    const data = Array.from({ length: curves + 1 }, (_, one) => new Float32Array(bytes, 4 * points * one, points));
    const series = data.map(() => ({ stroke: "teal", width: 1, points: { show: false } }));
    const looks = { width, height: 220, legend: { show: false }, scales: { x: { time: false } } };
    new uPlot({ ...looks, series, hooks: { ready: [() => drawn++] } }, data, element);
  });
}
</script>"""
EMPTY_SHOWS = "document.querySelector('#here')"


def charts_show(charts: int) -> str:
    """Return JavaScript that is true when so many charts are drawn."""
    return f"window.drawn >= {charts}"


@contextmanager
def serving_bare() -> Iterator[str]:
    """Serve the pages from a process of its own; yield its address: `/`, `/list` and `/charts/CHARTS/CURVES/POINTS`."""
    command = [sys.executable, "-m", "benchmarks.page_bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def answer(path: str) -> tuple[str, bytes]:
    """Return the media type and the bytes of what a path names."""
    name, *rest = path.strip("/").split("/")
    if name == "list":
        return "text/html", LIST.encode()
    if name == "charts":
        return "text/html", CHARTS.encode()
    if name == "uplot.js":
        return "text/javascript", UPLOT.read_bytes()
    if name == "select":
        document = {"filter": unquote(rest[0]) if rest else "", "rows": list(range(SHOWN_ROWS))}
        return "application/json", json.dumps(document).encode()
    if name == "points":
        curves, points, seed = map(int, rest)
        return "application/octet-stream", draw_points(curves, points, seed)
    return "text/html", EMPTY.encode()


def draw_points(curves: int, points: int, seed: int) -> bytes:
    """Return x and then falling curves with noise, each as 32-bit floats."""
    draw = random.Random(seed)
    values = array("f", range(points))
    for _ in range(curves):
        floor = draw.random()
        values.extend(floor + 1 / (1 + 10 * step / points) + 0.05 * draw.gauss(0, 1) for step in range(points))
    return values.tobytes()


def make_application() -> Callable[..., Awaitable[None]]:
    """Return the server's application, which makes each answer once."""
    made: dict[str, tuple[str, bytes]] = {}

    async def application(scope: MutableMapping[str, Any], _receive: Any, send: Any) -> None:
        path = scope["path"]
        kind, body = made[path] if path in made else made.setdefault(path, answer(path))
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application


def main() -> None:
    """Print the address and serve until the process is ended."""
    listening = open_socket(port=0)
    print(address_of(listening), flush=True)
    asyncio.run(make_server(make_application()).serve(sockets=[listening]))


if __name__ == "__main__":
    main()
