"""The report: verdicts as one self-contained HTML page (:func:`write_html`) or as JSON (:func:`write_json`)."""

from __future__ import annotations

from verify.report.findings import findings
from verify.report.html import render_html, write_html
from verify.report.records import as_records, write_json
from verify.report.run_info import RunInfo

__all__ = [
    "RunInfo",
    "as_records",
    "findings",
    "render_html",
    "write_html",
    "write_json",
]
