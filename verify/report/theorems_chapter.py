"""The report's chapter on our own theorems: the very page ``docs/theorems.md``, made into a part of the report.

``theorems.md`` and its picture in this folder are links to the page in ``docs``; an installed package holds the files.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markupsafe import Markup

from verify.report.mathtext import indexed_html

PAGE = Path(__file__).parent / "theorems.md"
ANCHOR = "our-theorems"
"""Of the chapter; its headings have ids that begin with it."""


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
    return Markup(html)  # the renderer escapes the page's text


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
            slug = re.sub(r"[^\w″′]+", "-", tokens[at + 1].content.lower()).strip("-")
            token.attrSet("id", ANCHOR if level == 1 else f"{ANCHOR}-{slug}")


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
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode('ascii')}"
