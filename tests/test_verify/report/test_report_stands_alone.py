"""The report needs nothing but its file, escapes what it is given, and shows what was found."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from dynamics.files.places import check_writable
from luckproof import Evidence, Form, RunInfo, judge, make_context, statements, write_html, write_json
from tests.test_verify.judging.toy_statements import ALL, HOLDS, REFUTED, VACUOUS
from verify.report import as_records, render_html
from verify.report.mathtext import claim_html, indexed_html
from verify.report.page.assets import script
from verify.report.page.numbers import duration, number_html
from verify.report.verdict_picture import figure_of

CONTEXT = make_context("quick", "cpu", 0)
RUN = RunInfo.of(CONTEXT, seconds=1.5)
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """The tags of a page, checked for balance as they close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def verdicts():
    return [judge(statement, CONTEXT) for statement in ALL]


@pytest.fixture(scope="module")
def page(verdicts):
    return Page(render_html(verdicts, RUN))


def test_page_is_balanced_and_loads_nothing(page):
    """Every tag is closed; nothing comes from outside the file; the one script is the project's own."""
    assert page.open == []
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert scripts == [{}]
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object")
        embedded = ("data:image/svg+xml,", "data:image/png;base64,")
        assert "src" not in attributes or attributes["src"].startswith(embedded)
        elsewhere = ("#", "https://arxiv.org/abs/", "data:text/x-python;charset=utf-8,")
        assert attributes.get("href", "#").startswith(elsewhere)
        assert not any(name.startswith("on") for name in attributes)


def test_our_theorems_stand_beside_the_papers_statements(verdicts):
    """The chapter with its map of basins is there where one of the papers' is judged, under the papers' heading."""
    papers = judge(statements["luckmatters.theorem4.index.printed"], CONTEXT)
    text = render_html([*verdicts, papers], RUN)
    assert text.count("data:image/png;base64,") == 1
    assert "<h1>Two theory papers" in text
    assert "<h1>Statements put to the test</h1>" in render_html(verdicts, RUN)


def test_only_the_projects_script_may_run(page):
    """The page's policy allows scripts of one hash, that of the script it holds, and loads pictures in it."""
    (policy,) = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(str(script()).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'; img-src data:;" in policy
    assert str(script()) in page.text


def test_style_fetches_nothing(verdicts):
    """No url() or @import in the inlined style sheet."""
    text = render_html(verdicts, RUN)
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_statements_cannot_inject_markup(page):
    """A title with a script tag arrives as text."""
    assert any("<script>alert('b & c')</script>" in text for text in page.text)


def test_each_statement_has_row_section_and_picture(page, verdicts):
    """Anchors resolve; every judged statement has its figure with an alternative text."""
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    hrefs = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    links = {href[1:] for href in hrefs if href.startswith("#")}
    assert links <= set(ids)
    assert {verdict.statement.name for verdict in verdicts} <= links
    pictures = [
        a for tag, a in page.tags if tag == "img"
    ]  # no chapter on our theorems: these are not the papers'
    assert len(pictures) == sum(figure_of(verdict) is not None for verdict in verdicts) > 0
    for picture in pictures:
        assert "measured over predicted" in picture["alt"]
        ElementTree.fromstring(unquote(picture["src"].partition(",")[2]))


def test_counterexample_comes_with_its_command(verdicts):
    """The shell command in page and JSON names the statement, the instance and options that are not default."""
    run = dataclasses.replace(RUN, seed=7, budget="full")
    (record,) = [r for r in as_records(verdicts, run) if r["counterexamples"]["smallest"]]
    command = record["counterexamples"]["smallest"]["command"]
    assert command == (
        "luckproof verify toy.bound.printed --instance "
        """'{"a": 0, "b": 51, "scale": 1.0}' --budget full --seed 7"""
    )
    assert command in "".join(Page(render_html(verdicts, run)).text)


def test_broken_figure_does_not_cost_the_report(verdicts):
    """The place of the picture says what went wrong."""

    def broken(verdict):
        raise RuntimeError("no ink")

    statement = dataclasses.replace(HOLDS, figure=broken)
    text = render_html([dataclasses.replace(verdicts[-1], statement=statement)], RUN)
    assert "could not be drawn: RuntimeError: no ink" in text


def test_own_figure_is_used(verdicts):
    """A statement's figure takes the place of the default one."""
    mine = Figure()
    statement = dataclasses.replace(HOLDS, figure=lambda verdict: mine)
    assert figure_of(dataclasses.replace(verdicts[-1], statement=statement)) is mine


@pytest.mark.parametrize(
    ("evidence", "ylabel"),
    [
        (lambda p, c: Evidence.at_most(1.0 + p.b, bound=2.0 + 2 * p.b, tolerance=0.0), "measured"),
        (lambda p, c: Evidence.close(1e-16 * (p.b % 5), predicted=0.0, tolerance=1e-15), None),
        (lambda p, c: Evidence.at_most(p.b, bound=2000.0, tolerance=0.0), "share of instances below"),
        (lambda p, c: Evidence.at_most(p.b % 3, bound=2.0 + p.b % 3, tolerance=0.0), None),
        (lambda p, c: Evidence(predicted=math.inf, measured=p.b, margin=1.0), None),
        (
            lambda p, c: Evidence(predicted=1.0 + p.b, measured=1.0 + p.b, margin=1.0, standard_error=0.1),
            "measured",
        ),
    ],
    ids=["bound", "identity", "common bound", "few values", "infinite", "sampled"],
)
def test_default_figure_fits_the_evidence(evidence, ylabel):
    """A scatter for bounds, shares below a common one; nothing for equalities met to rounding or few values."""
    figure = figure_of(judge(dataclasses.replace(HOLDS, evidence=evidence), CONTEXT))
    assert (figure.axes[0].get_ylabel() if figure else None) == ylabel


def test_json_is_strict_and_has_every_field(verdicts, tmp_path):
    """NaN and infinity become null; the counts and verdicts are those of the objects."""
    broken = dataclasses.replace(
        HOLDS,
        form=Form.PRINTED,
        evidence=lambda p, c: Evidence(predicted=np.float64("inf"), measured=math.nan, margin=math.nan),
    )
    path = tmp_path / "verdicts.json"
    write_json(path, [*verdicts, judge(broken, CONTEXT)], RUN)

    def refuse(constant):
        raise AssertionError(constant)

    records = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)["statements"]
    needed = (
        "name form outcome expected relation predicted_name measured_name strength scope attack controls "
        "counterexamples confirmation place impact"
    )
    for record in records:
        assert set(needed.split()) <= set(record)
    assert [record["outcome"] for record in records[:-1]] == ["refuted", "holds", "vacuous", "holds"]
    assert records[-1]["outcome"] == "inconclusive"
    assert records[-1]["worst_margin"] is records[-1]["worst"]["predicted"] is None
    assert records[0]["confirmation"]["margin"] == -1


def test_files_are_written_whole_or_not_at_all(verdicts, tmp_path, monkeypatch):
    """When the last step fails the older file is untouched and nothing else is left in the folder."""
    path = tmp_path / "report.html"
    path.write_text("older")
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_html(path, verdicts, RUN)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_output_paths_are_checked_before_the_run(tmp_path):
    """A missing folder, or a folder in the file's place, is refused by name."""
    with pytest.raises(ValueError, match=r"--report: the folder .* does not exist"):
        check_writable("--report", tmp_path / "missing" / "report.html")
    with pytest.raises(ValueError, match="--json: expected a file"):
        check_writable("--json", tmp_path)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.123456, "0.1235"),
        (-2.5, "−2.5"),
        (1.234e-12, "1.234·10<sup>−12</sup>"),
        (-1e20, "−1·10<sup>20</sup>"),
        (1e10, "1·10<sup>10</sup>"),
        (math.inf, "∞"),
        (math.nan, "not a number"),
        (12345, "12345"),
        ([1.0, 2.0], "1, 2"),
        ("<b>", "&lt;b&gt;"),
        (np.float64(0.5), "0.5"),
    ],
)
def test_numbers_read_well(value, shown):
    """Four digits, true minus signs, powers of ten as superscripts."""
    assert str(number_html(value)) == shown


def test_durations_read_well():
    """From hundredths of a second to minutes."""
    assert [duration(s) for s in (0.001, 0.25, 3.44, 42.0, 125.2)] == [
        "< 0.01 s",
        "0.25 s",
        "3.4 s",
        "42 s",
        "2 min 5 s",
    ]


def test_formulas_are_set_and_bad_ones_stay_as_source():
    """``$...$`` becomes an inline picture; the text around it is escaped; broken mathtext is shown as typed."""
    good, bad = str(claim_html(r"a < b: $\lambda_{\max}$")), str(claim_html(r"$\nosuchmacro{x}$"))
    assert good.startswith('a &lt; b: <img class="formula" alt="\\lambda_{\\max}"')
    assert bad == r"<code>$\nosuchmacro{x}$</code>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("d*_jk ≤ ε_d", "d*<sub>jk</sub> ≤ ε<sub>d</sub>"),
        ("β*_{jj°}(x)", "β*<sub>jj°</sub>(x)"),
        ("e^{−λt} and x^2", "e<sup>−λt</sup> and x<sup>2</sup>"),
        ("near_teacher, a_b_c", "near_teacher, a_b<sub>c</sub>"),
        ("a_1 < b & c", "a<sub>1</sub> &lt; b &amp; c"),
        ("x_{<i>}", "x<sub>&lt;i&gt;</sub>"),
        ("‖w_j‖_Σ; w*_j;", "‖w<sub>j</sub>‖<sub>Σ</sub>; w*<sub>j</sub>;"),
    ],
)
def test_indices_are_set_low_and_names_left_alone(text, shown):
    """Subscripts and superscripts of plain-text formulas, escaped first."""
    assert str(indexed_html(text)) == shown


def test_keys_between_backticks_are_code_that_breaks_behind_dots():
    """No backtick is shown, no index is set inside, and what somebody wrote stays words."""
    assert str(indexed_html("see `luckmatters.d_jk` and d_jk")) == (
        "see <code>luckmatters.<wbr>d_jk</code> and d<sub>jk</sub>"
    )
    assert str(indexed_html("`<b>.a`")) == "<code>&lt;b&gt;.<wbr>a</code>"
    assert str(indexed_html("one ` alone")) == "one ` alone"


def test_vacuous_and_refuted_are_told_in_words(page):
    """Colour is never the only sign: the verdict is a word, and so is what was expected."""
    text = " ".join(page.text)
    for word in ("refuted", "vacuous", "holds", "as expected", "must be rejected", "non-vacuous of"):
        assert word in text
    assert judge(VACUOUS, CONTEXT).as_expected
    assert REFUTED.title in text


def test_what_was_lost_is_said_and_nothing_is_praised_for_it(verdicts):
    """A statement without verdict is named with how; of no verdict at all "expected" is not said."""
    lost = {"toy.lost.sharp": "its process was killed (signal 9)"}
    some = "".join(Page(render_html(verdicts[:2], RUN, lost=lost)).text)
    assert (
        "1 of 3 statements have no verdict: toy.lost.sharp (its process was killed (signal 9))."
        in " ".join(some.split())
    )
    none = render_html([], RUN, lost=lost)
    assert "No statement was judged." in none
    assert "verdicts are the expected ones" not in none
