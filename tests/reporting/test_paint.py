"""What `benchmarks/site.py` says of a site whose figures are known."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "site.py"
PAGE = '<!doctype html><title>x</title><link rel="stylesheet" href="style.css"><h1>Words</h1><p>More.</p>'


@pytest.mark.site
def test_weight_requests_and_paint_of_each_page(tmp_path):
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("no Chromium installed (Debian: apt-get install chromium)")
    book = tmp_path / "site" / "mini"
    (book / "_static").mkdir(parents=True)
    (book / "_static" / "no_page.html").write_text("no page")
    (tmp_path / "site" / "index.html").write_text("front")
    (book / "index.html").write_text(PAGE)
    (book / "style.css").write_text("p { color: red }" + " " * 5000)
    # Its largest thing comes long after its first one, on any machine.
    late = "<script>setTimeout(() => document.body.append(Object.assign(document.createElement('h1'), {textContent: 'late '.repeat(200)})), 300)</script>"
    (book / "late.html").write_text(PAGE + late)
    out = tmp_path / "out.json"
    command = [sys.executable, str(SCRIPT), "--folder", str(tmp_path / "site"), "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text())
    assert sorted((row["page"], row["requests"]) for row in rows) == [("index.html", 2)] * 2 + [("late.html", 2)] * 2
    assert rows == sorted(rows, key=lambda row: -row["largest"]), "the latest paint first"
    assert {row["width"] for row in rows} == {1280, 390} and len(rows) == 4
    plain = [row for row in rows if row["page"] == "index.html"]
    assert all(row["bytes"] == len(PAGE) + 5016 and row["elements"] == 7 for row in plain)
    assert all(0 < row["first"] <= row["largest"] for row in rows)
    assert all(row["largest"] > row["first"] + 100 for row in rows if row["page"] == "late.html")
    assert done.stdout.splitlines()[0].split()[:3] == ["page", "width", "kB"] and len(done.stdout.splitlines()) == 5


def test_a_bound_is_checked_where_it_is_given():
    spec = importlib.util.spec_from_file_location("site_paint", SCRIPT)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    rows = [
        {"page": "a.html", "width": 390, "bytes": 5100, "largest": 90.4},
        {"page": "b.html", "width": 1280, "bytes": 5099, "largest": 91.6},
    ]
    assert bench.beyond(rows, None, None) == [] == bench.beyond(rows, 91.6, 5100)
    assert bench.beyond(rows, None, 5099) == ["a.html at 390 px: 5,100 bytes, the bound is 5,099"]
    assert bench.beyond(rows, 91, None) == ["b.html at 1280 px: largest paint after 92 ms, the bound is 91"]
