"""The report: verdicts as one self-contained HTML page (:func:`write_html`) or as JSON (:func:`write_json`)."""

from __future__ import annotations

from verify.report.findings import findings
from verify.report.html import render_html, write_html
from verify.report.records import as_records, write_json
from verify.report.run_info import RunInfo
from verify.report.writing import check_writable, write_atomically

__all__ = [
    "RunInfo",
    "as_records",
    "check_writable",
    "findings",
    "render_html",
    "write_atomically",
    "write_html",
    "write_json",
]
