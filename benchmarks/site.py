"""The built site as a browser loads it: bytes, requests, first and largest contentful paint, and elements, page by page.

    python benchmarks/site.py
    python benchmarks/site.py --profile minilm --repeats 3 --json site.json
    python benchmarks/site.py --most-ms 1500 --most-bytes 1000000

`mosaic serve`'s own server answers on loopback, headless Chromium asks, each page at two widths with nothing kept from before.
Bytes are those of the answers' bodies; what stands inside a page as a data address is part of the page. Times are
medians over --repeats, in milliseconds after the page was asked for; they depend on the machine, so that no bound is
checked unless one is given.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import threading
from pathlib import Path

from mosaic.reporting.serving import address, server

SITE = Path("build/site")
WIDTHS = {1280: 900, 390: 850}  # px: height
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")
MEASURED = """async () => {
  const largest = await new Promise(done => {
    let last = 0;
    new PerformanceObserver(list => { last = list.getEntries().at(-1).startTime })
      .observe({type: 'largest-contentful-paint', buffered: true});
    setTimeout(() => done(last), 400);
  });
  const [first] = performance.getEntriesByName('first-contentful-paint');
  const loaded = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter(entry => /^https?:/.test(entry.name));
  return {bytes: loaded.reduce((sum, entry) => sum + entry.encodedBodySize, 0), requests: loaded.length,
          first: first ? first.startTime : 0, largest, elements: document.querySelectorAll('*').length};
}"""
COLUMNS = ("page", "width", "kB", "requests", "first ms", "largest ms", "elements")


def pages(folder: Path) -> list[str]:
    """Every page of a book, below its folder; what Sphinx keeps of styles is none."""
    found = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html")))
    return [name for name in found if not name.startswith("_")]


def measure(browser, url: str, width: int) -> dict:
    """One visit in a fresh context, whose cache is empty."""
    context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]})
    page = context.new_page()
    page.goto(url, wait_until="networkidle", timeout=60_000)
    found = page.evaluate(MEASURED)
    context.close()
    return found


def measure_all(folder: Path, profile: str, repeats: int) -> list[dict]:
    """A row a page and width."""
    from playwright.sync_api import sync_playwright

    running = server(folder, 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    rows = []
    with running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        start = address(running, profile)
        measure(browser, start, 1280)  # the browser itself warms up
        for name in pages(folder / profile):
            for width in WIDTHS:
                visits = [measure(browser, start + name, width) for _ in range(repeats)]
                rows.append(
                    {
                        "page": name,
                        "width": width,
                        "bytes": visits[0]["bytes"],
                        "requests": visits[0]["requests"],
                        **{kind: statistics.median(visit[kind] for visit in visits) for kind in ("first", "largest")},
                        "elements": visits[0]["elements"],
                    }
                )
                print(".", end="", file=sys.stderr, flush=True)
        browser.close()
        running.shutdown()
    print(file=sys.stderr)
    return sorted(rows, key=lambda row: -row["largest"])


def table(rows: list[dict]) -> str:
    lines = [COLUMNS]
    for row in rows:
        kilobytes = f"{row['bytes'] / 1000:.0f}"
        times = (f"{row['first']:.0f}", f"{row['largest']:.0f}")
        lines.append((row["page"], str(row["width"]), kilobytes, str(row["requests"]), *times, str(row["elements"])))
    wide = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "\n".join(
        "  ".join([line[0].ljust(wide[0]), *(cell.rjust(w) for cell, w in zip(line[1:], wide[1:], strict=True))])
        for line in lines
    )


def beyond(rows: list[dict], most_ms: float | None, most_bytes: int | None) -> list[str]:
    """What is above a bound, in words."""
    found = []
    for row in rows:
        where = f"{row['page']} at {row['width']} px"
        if most_ms is not None and row["largest"] > most_ms:
            found.append(f"{where}: largest paint after {row['largest']:.0f} ms, the bound is {most_ms:.0f}")
        if most_bytes is not None and row["bytes"] > most_bytes:
            found.append(f"{where}: {row['bytes']:,} bytes, the bound is {most_bytes:,}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=SITE)
    parser.add_argument("--profile", default="mini")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--most-ms", type=float, help="end with 1 where a largest paint comes later")
    parser.add_argument("--most-bytes", type=int, help="end with 1 where a page loads more")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = measure_all(given.folder, given.profile, given.repeats)
    print(table(rows))
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    found = beyond(rows, given.most_ms, given.most_bytes)
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
