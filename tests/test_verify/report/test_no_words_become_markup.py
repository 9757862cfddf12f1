"""Whatever a word says, it is text: in the report no string opens a tag or leaves its attribute."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

import hypothesis.strategies as st
import jinja2
import pytest

from luckproof import (
    Assumption,
    Context,
    Evidence,
    Instance,
    Item,
    OneOf,
    RunInfo,
    drawn,
    judge,
    make_context,
)
from tests.test_verify.judging.toy_statements import ALL, FEW, TOY
from tests.test_verify.report.test_report_stands_alone import Page
from verify.report import render_html

CONTEXT = make_context("quick", "cpu", 0)
INJECTED = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;"


@dataclass(frozen=True)
class Named(Instance):
    """An instance with a word of the user's own, as ``--instance`` gives one."""

    kind: str = drawn(INJECTED, st.just(INJECTED), OneOf((INJECTED, "plain")))


@Item("toy.named", TOY).claim(
    "corrected",
    expected="holds",
    on=Named,
    assume=lambda named: (Assumption(f"a kind {INJECTED}", 1.0),),
    examples=(Named(),),
    cost=FEW,
    note=INJECTED,
)
def named(instance: Named, context: Context) -> Evidence:
    """A title $x$ <script>alert(1)</script>

    $x < y$ and $<script>alert(1)</script>$ and x_{<img src=x onerror=alert(2)>}
    """
    return Evidence(
        predicted=1.0,
        measured=0.0,
        margin=1.0,
        details={INJECTED: 1.0, "words": INJECTED, "list": [INJECTED]},
    )


def planted(value: Any) -> Any:
    """``value`` with every string in it, keys of mappings included, followed by what would be markup."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return value + INJECTED if value else value  # what is left out where it is empty stays out
    if isinstance(value, dict):
        return {planted(key): planted(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(planted(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = object.__new__(type(value))  # the checks of these classes would refuse such words
        for field in dataclasses.fields(value):
            object.__setattr__(made, field.name, planted(getattr(value, field.name)))
        return made
    return value


@pytest.fixture(scope="module")
def verdicts() -> list[Any]:
    return [judge(statement, CONTEXT) for statement in (*ALL, named)]


def tags(page: Page) -> Counter[Any]:
    """Each tag with the names of its attributes: what a browser would act on."""
    return Counter((tag, *sorted(attributes)) for tag, attributes in page.tags)


def test_words_of_an_instance_are_text(verdicts: list[Any]) -> None:
    """A field's value, an assumption's name, a detail's name and value, the claim and a remark, formulas included."""
    page = Page(render_html(verdicts, RunInfo.of(CONTEXT, seconds=1.0)))
    assert [dict(attributes) for tag, attributes in page.tags if tag == "script"] == [{}]  # the page's own
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert sum(INJECTED in text for text in page.text) >= 5


def test_every_string_of_a_verdict_is_text(verdicts: list[Any]) -> None:
    """Statement, source, erratum, controls, records, evidence and run: the tags are those without the words."""
    run = RunInfo.of(CONTEXT, seconds=1.0)
    plain = Page(render_html(verdicts, run))
    versions = {name: planted(version) for name, version in run.versions.items()}
    told = dataclasses.replace(
        planted(run), versions=versions
    )  # the page's head asks for one of them by name
    altered = Page(render_html([planted(verdict) for verdict in verdicts], told))
    assert tags(altered) == tags(plain)
    assert "".join(altered.text).count(INJECTED) > 50


def test_without_escaping_it_is_seen(verdicts: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the same page by a template that escapes nothing has scripts."""
    plain = jinja2.Environment
    monkeypatch.setattr(jinja2, "Environment", lambda **options: plain(**options | {"autoescape": False}))
    page = render_html([planted(verdict) for verdict in verdicts], RunInfo.of(CONTEXT, seconds=1.0))
    assert "<script>alert(1)" in page
