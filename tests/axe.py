"""axe-core, the checker of accessibility: fetched by npm at test time, by version, and only used when its hash is this one.

It is not part of the project: 550 kB under another licence (MPL-2.0).
"""

import base64
import functools
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
SERIOUS = ("serious", "critical")
FINDINGS = """async () => (document.getAnimations().forEach(one => { try { one.finish(); } catch { /* endless */ } }), await axe.run(document, {resultTypes: ['violations']})).violations
  .map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 120) + ' ' + (n.any[0] || {message: ''}).message)])"""


@functools.cache
def source() -> str:
    """The script. Skips where there is no npm or no way to its registry; fails where what came is not the version pinned."""
    if shutil.which("npm") is None:
        pytest.skip("no npm installed: axe-core cannot be had")
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"axe-core@{VERSION}", "--silent"]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"npm could not fetch axe-core: {error}")
        (archive,) = Path(folder).glob("*.tgz")
        content = archive.read_bytes()
        got = base64.b64encode(hashlib.sha512(content).digest()).decode()
        assert got == SHA512, f"axe-core {VERSION} has another hash than the committed one: {got}"
        with tarfile.open(archive) as packed:
            return packed.extractfile("package/axe.min.js").read().decode("utf-8")


def serious(page) -> list:
    """[impact, rule, where] of every serious finding on the page that the browser shows, its transitions ended: a colour on its way
    to another is none that a reader reads."""
    page.evaluate(source())
    return [found for found in page.evaluate(FINDINGS) if found[0] in SERIOUS]
