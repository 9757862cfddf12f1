"""The documentation as a site: ``tox run -e docs`` builds it into ``site/``, with every link inside it checked."""

from __future__ import annotations

import re
from typing import Any

from dynamics.version import project_version

project = "luckproof"
copyright = "The luckproof authors"
release = project_version()

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
myst_enable_extensions = ["deflist"]
nb_execution_mode = "force"  # the tutorials are run whenever the site is built
nb_execution_in_temp = True
nb_execution_timeout = 240
nb_execution_raise_on_error = True
myst_heading_anchors = 3
nitpicky = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # fields are described once
napoleon_custom_sections = ["Cost", "Memory", "Source", ("Assumptions", "params_style")]

html_theme = "furo"
html_title = "luckproof"
html_last_updated_fmt = "%Y-%m-%d"
html_static_path = ["_static"]
html_css_files = ["site.css"]

_INTO_THE_CODE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)\)")


def setup(app: Any) -> None:
    """What the pages need beyond Sphinx: paths in place of links into the code, and norms in docstrings."""
    app.connect("source-read", _name_paths)
    app.connect("autodoc-process-docstring", _prepare, priority=400)  # before the sections are read


def _name_paths(app: Any, page: str, source: list[str]) -> None:
    def named(link: re.Match[str]) -> str:
        if page.startswith("tutorials/") and link[2].endswith(".md"):
            return link[0]  # another page of the site
        return link[1] if link[2] in link[1] else f"{link[1]} (`{link[2]}`)"

    source[0] = _INTO_THE_CODE.sub(named, source[0])


def _prepare(app: Any, what: str, name: str, about: Any, options: Any, lines: list[str]) -> None:
    """A docstring as Sphinx reads it: sections that begin on their own line, formulas set as they stand, and norms."""
    lines[:] = [_without_marks(line) for line in _with_formulas(_with_sections(lines))]


_SECTION = re.compile(r"(Cost|Memory|Source): (.+)")


def _with_sections(lines: list[str]) -> list[str]:
    """``Cost: words`` as a section: its name, then the words, indented as the lines after them are."""
    found: list[str] = []
    for line in lines:
        section = _SECTION.fullmatch(line)
        found += ["", f"{section[1]}:", f"    {section[2]}"] if section else [line]
    return found


def _with_formulas(lines: list[str]) -> list[str]:
    """Blocks that are set in, after an empty line, become literal: formulas and small tables."""
    found: list[str] = []
    last, literal = "", False
    for line in lines:
        if line.strip():
            deeper = _indent(line) >= _indent(last) + 4
            if not literal and deeper and last and found and not found[-1].strip():
                if not last.rstrip().endswith("::"):
                    found += [" " * _indent(last) + "::", ""]
                literal, edge = True, _indent(line)
            elif literal and _indent(line) < edge:
                literal = False
            if not literal:
                last = line
        found.append(line)
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _without_marks(line: str) -> str:
    """Bars and asterisks in words are those of norms and teachers, not marks; inside literals they need no help."""
    if _indent(line) >= 8:  # a literal block
        return line
    parts = line.split("``")
    parts[::2] = [part.replace("|", r"\|").replace("*", r"\*") for part in parts[::2]]
    return "``".join(parts)
