"""Tests of the report in a real Chromium (``tox run -e browser``); skipped where there is none."""
