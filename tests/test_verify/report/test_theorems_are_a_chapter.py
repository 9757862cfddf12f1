"""The report holds the page of theorems as it is in docs, without links that lead nowhere."""

from __future__ import annotations

import html
import re
from pathlib import Path

from luckproof import statements
from verify.report.theorems_chapter import PAGE, chapter_html

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "theorems.md"
TEXT = DOCS.read_text(encoding="utf-8")
HTML = str(chapter_html())


def words(text: str) -> str:
    """Text without marks and spaces, to compare a page with what was made of it."""
    return re.sub(r"[\s*\\`#|_^{}\-\[\]()!]+", "", html.unescape(text))


def without_tags(made: str) -> str:
    """The text of HTML, its entities as they are."""
    return re.sub(r"</?[a-z][^>]*>", "", made)


WORDS = words(without_tags(HTML))


def test_there_is_one_page():
    """The chapter's source is the page in docs itself, so that neither is a copy."""
    assert PAGE.samefile(DOCS)


def test_every_heading_is_there_under_its_own_anchor():
    """One level lower, each with an id of its own."""
    headings = re.findall(r"^(#+) (.+)$", TEXT, re.MULTILINE)
    found = re.findall(r'<h(\d) id="([^"]+)">(.*?)</h\d>', HTML)
    assert [words(title) for _, title in headings] == [words(without_tags(title)) for _, _, title in found]
    assert [len(marks) + 1 for marks, _ in headings] == [int(level) for level, _, _ in found]
    assert len({anchor for _, anchor, _ in found}) == len(found)


def test_paragraphs_arrive_word_for_word():
    """Nothing is lost to Markdown: an unescaped asterisk of w* would open an emphasis and vanish."""
    for paragraph in TEXT.split("\n\n"):
        if not paragraph.startswith(("|", "![")):
            assert words(re.sub(r"\]\([^)]*\)", "]", paragraph)) in WORDS, paragraph


def test_an_emphasis_is_one():
    """Emphases begin and end with words, not in the middle of a formula."""
    for emphasis in re.findall(r"<em>(.*?)</em>", HTML, re.DOTALL):
        assert emphasis[0].isalnum()
        assert emphasis.count("(") == emphasis.count(")")


def test_it_stands_alone():
    """Pictures are embedded, links to files are words, links to statements lead to their verdicts."""
    assert not re.search(r'(src|href)="(?!data:|https?:)', HTML)
    assert HTML.count("data:image/png;base64,") == TEXT.count("![")
    linked = str(chapter_html({"luckmatters.theorem4.basin": "luckmatters.theorem4.basin.sharp"}))
    assert '<a href="#luckmatters.theorem4.basin.sharp"><code>luckmatters.theorem4.basin</code></a>' in linked


def test_markup_of_the_page_is_escaped(tmp_path: Path):
    """Whatever is written there."""
    page = tmp_path / "page.md"
    page.write_text("# A <b>title</b>\n\n1 < 2 & `x < y` <script>alert(1)</script> x_j\n", encoding="utf-8")
    made = str(chapter_html(page=page))
    assert "<script>" not in made
    assert "<b>" not in made
    assert "x<sub>j</sub>" in made


def test_the_page_names_everything_that_is_proved_by_machine():
    """Every statement with an exact margin or a proof, by its full name."""
    exact = [name for name, s in statements.items() if s.enclose is not None or s.prove is not None]
    assert [name for name in exact if f"`{name}`" not in TEXT] == []
