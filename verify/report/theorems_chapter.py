"""The report's chapter on our own theorems: the very page ``docs/theorems.md``, made into a part of the report.

``theorems.md`` and its picture in this folder are links to the page in ``docs``; an installed package holds the files.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markupsafe import Markup
from PIL import Image

from verify.report.embedded_figure import COLOURS
from verify.report.mathtext import indexed_html

PAGE = Path(__file__).parent / "theorems.md"
ANCHOR = "our-theorems"
"""Of the chapter; its headings have ids that begin with it."""

EXACT_ANCHOR = f"{ANCHOR}-verdicts-in-exact-arithmetic"
"""Of the section on margins without tolerance, which is about verdicts and holds no theorem."""

_NAMED = re.compile(r"`((?:luckmatters|specialization)(?:\.[a-z0-9_]+)+)`")


def chapter_html(anchors: Mapping[str, str] | None = None, page: Path = PAGE) -> Markup:
    """The chapter as HTML that needs nothing else.

    Headings go down one level, indices become subscripts, pictures are embedded, and links to files become plain words,
    as the report stands alone; the name of a statement in backticks leads to its verdict.

    Args:
        anchors: the id of a statement's verdict in the report, by key and by name.
        page: the Markdown; pictures stand beside it.
    Raises:
        OSError: the page or a picture of it cannot be read.
    """
    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).enable("table")
    parser.add_render_rule("text", _indexed)
    tokens = parser.parse(page.read_text(encoding="utf-8"))
    _lower_headings(tokens)
    for token in tokens:
        if token.children is not None:
            token.children = list(_inline(token.children, anchors or {}, page.parent))
    html = str(parser.renderer.render(tokens, parser.options, {}))
    html = html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    opening, *sections = re.split(r"(?=<h3 )", html)
    return Markup(opening + "".join(map(_foldable, sections)))  # the renderer escapes the page's text


def _foldable(section: str) -> str:
    """A section that can be folded under its heading; it is open until a script folds it."""
    heading, _, rest = section.partition("</h3>")
    return f'<details class="part" open><summary>{heading}</h3></summary>{rest}</details>'


@dataclass(frozen=True)
class ChapterSection:
    """A section of the chapter: its heading and its anchor."""

    title: str
    anchor: str


def sections_naming(page: Path = PAGE) -> dict[str, list[ChapterSection]]:
    """The theorems of the chapter that name a statement in backticks, by that key or name.

    Raises:
        OSError: the page cannot be read.
    """
    found: dict[str, list[ChapterSection]] = {}
    parts = re.split(r"^##+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        section = ChapterSection(title, _anchor(2, title))
        for name in dict.fromkeys(_NAMED.findall(text)) if section.anchor != EXACT_ANCHOR else ():
            found.setdefault(name, []).append(section)
    return found


def _anchor(level: int, title: str) -> str:
    """Of a heading of the page; the page's own title is the chapter."""
    slug = re.sub(r"[^\w″′]+", "-", title.lower()).strip("-")
    return ANCHOR if level == 1 else f"{ANCHOR}-{slug}"


def _indexed(self: RendererProtocol, tokens: Sequence[Token], at: int, *_: object) -> str:
    return str(indexed_html(tokens[at].content))


def _lower_headings(tokens: Sequence[Token]) -> None:
    """``#`` becomes h2 with the chapter's anchor, ``##`` h3 with an anchor of its own."""
    for at, token in enumerate(tokens):
        if token.type not in ("heading_open", "heading_close"):
            continue
        level = int(token.tag[1:])
        token.tag = f"h{level + 1}"
        if token.type == "heading_open":
            token.attrSet("id", _anchor(level, tokens[at + 1].content))


def _inline(children: Sequence[Token], anchors: Mapping[str, str], folder: Path) -> Iterator[Token]:
    """The tokens of a line, with what leads out of the page taken out of them."""
    dropped: list[bool] = []
    for token in children:
        if token.type == "link_open":
            dropped.append(not str(token.attrGet("href")).startswith(("https://", "http://")))
            if dropped[-1]:
                continue
        if token.type == "link_close" and dropped.pop():
            continue
        if token.type == "image":
            token.attrSet("src", _embedded(folder / str(token.attrGet("src"))))
        if token.type == "code_inline" and token.content in anchors and not any(dropped):
            yield Token("link_open", "a", 1, attrs={"href": f"#{anchors[token.content]}"})
            yield token
            yield Token("link_close", "a", -1)
            continue
        yield token


def _embedded(picture: Path) -> str:
    """The picture in so few colours that the page stays light; lines and letters look the same."""
    stored = io.BytesIO()
    with Image.open(picture) as read:
        read.convert("RGB").quantize(COLOURS).save(stored, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stored.getvalue()).decode('ascii')}"
