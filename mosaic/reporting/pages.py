"""One page in one file: a template of `reporting/report/`, its style and script inside, and nothing from anywhere else.

What a user's file holds never runs. Four walls, each of which would do: every value that the template writes is made printable
and escaped; data for the script stands in a block of JSON with `<`, `>` and `&` escaped, and is shown as text alone; the
Content-Security-Policy lets the page's own style and script in, by their hashes, and nothing else, no request, image, frame or
form; and Trusted Types refuse markup to the script itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from mosaic.printable import printable

FOLDER = Path(__file__).parent / "report"
SCRIPT_ESCAPES = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
POLICY = (
    "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def render(template: str, data: dict | list | None = None, **parts) -> bytes:
    """The page as UTF-8. data: what its script reads. parts: what the template shows; markup made here is `markupsafe.Markup`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value):
        return value if isinstance(value, Markup) else "" if value is None else printable(value)

    # Printable before it is escaped: a direction mark in a text would reorder the page around it.
    made = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, finalize=shown,
                       trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    style, script = (asset(name) for name in ("page.css", "page.js"))
    page = made.get_template(template).render(
        style=Markup(style),
        script=Markup(script),
        policy=POLICY.format(style=digest(style), script=digest(script)),
        data=Markup(as_block(data)),
        **parts,
    )
    return page.encode("utf-8", "backslashreplace")


def as_block(data) -> str:
    """JSON that may stand in a script element: nothing in it can end that, or begin a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "".join(SCRIPT_ESCAPES.get(character, character) for character in text)


def asset(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8").strip()


def digest(content: str) -> str:
    """As a policy names an element of this content."""
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
