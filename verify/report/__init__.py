"""The report: verdicts as one self-contained HTML page (:func:`write_html`) or as JSON (:func:`write_json`).

The names here are imported when first asked for: the page brings matplotlib and Jinja, which a command that only
writes a file does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynamics.lazy_names import lazy_names

if TYPE_CHECKING:
    from verify.report.html import render_html, write_html
    from verify.report.records import as_records, write_json
    from verify.report.run_info import RunInfo
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "verify.report.html": ["render_html", "write_html"],
            "verify.report.records": ["as_records", "write_json"],
            "verify.report.run_info": ["RunInfo"],
        },
    )

__all__ = [
    "RunInfo",
    "as_records",
    "render_html",
    "write_html",
    "write_json",
]
