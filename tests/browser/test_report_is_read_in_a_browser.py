"""The report in a real Chromium: from the headline to the theorem that replaces Theorem 4; filters, looks."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

LOOKS = pytest.mark.parametrize(
    "look",
    [{}, PHONE, {"color_scheme": "dark"}, {**PHONE, "color_scheme": "dark"}],
    ids=["laptop", "phone", "dark", "dark phone"],
)


def open_items(page):
    """The keys of the items that are open."""
    return page.eval_on_selector_all("details.item[open]", "items => items.map(item => item.id)")


def shown(page):
    """The keys of the items that the filter leaves."""
    return page.eval_on_selector_all(
        "details.item", "items => items.filter(i => i.checkVisibility()).map(i => i.id)"
    )


@LOOKS
def test_the_walk(opened, look, tmp_path):
    """Headline, Theorem 4 as printed, its telling counterexample, the script run elsewhere, corrected form, theorem."""
    page = opened(**look)
    assert page.locator(".headline").inner_text().startswith("Of 2 claims as printed,")
    page.locator(".foremost a", has_text="Weight recovery at the printed rate").click()
    printed = page.locator("[id='luckmatters.theorem4.printed']")
    assert printed.is_visible()
    assert printed.locator(".badge").first.inner_text() == "refuted"
    assert printed.get_by_text("Most telling counterexample").is_visible()
    printed.get_by_text("A sceptic's script").click()
    with page.expect_download() as download:
        printed.get_by_role("link", name="Save luckmatters.theorem4.printed.py").click()
    script = tmp_path / download.value.suggested_filename
    download.value.save_as(script)
    done = subprocess.run(
        [sys.executable, "-I", script.name], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "luckproof" not in script.read_text(encoding="utf-8").replace("luckproof show", "")
    assert done.stdout.strip()
    corrected = page.locator("[id='luckmatters.theorem4.corrected']")
    assert corrected.locator(".badge").first.inner_text() == "holds"
    assert open_items(page) == ["luckmatters.theorem4"]
    printed.get_by_role("link", name="Theorem D", exact=True).click()
    page.wait_for_timeout(200)
    proof = page.locator("details.part", has=page.locator("[id='our-theorems-theorem-d']"))
    assert proof.get_attribute("open") is not None
    assert proof.get_by_text("Proof.").first.is_visible()
    assert -1 < proof.bounding_box()["y"] < 844  # positions are scrolled to whole pixels


@LOOKS
def test_every_picture_is_there_and_nothing_is_wider_than_the_page(opened, look):
    """With everything open: pictures have loaded and have words; only what scrolls by itself leaves the page."""
    page = opened(**look)
    page.get_by_role("button", name="Open all").click()
    page.wait_for_timeout(300)
    pictures = page.eval_on_selector_all(
        "img", "all => all.map(i => [i.complete && i.naturalWidth > 0, i.alt.length > 20])"
    )
    assert len(pictures) >= 3
    assert all(all(pair) for pair in pictures)
    width = page.evaluate("document.documentElement.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_one_item_is_open_at_a_time(opened):
    """Opening one folds the other and gives the page its address; all can be opened and folded."""
    page = opened()
    assert open_items(page) == []
    for key in ("luckmatters.lemma4", "luckmatters.theorem4.basin"):
        page.locator(f"[id='{key}'] > summary").click()
        page.wait_for_timeout(100)
        assert open_items(page) == [key]
        assert page.url.endswith(f"#{key}")
    page.get_by_role("button", name="Open all").click()
    assert len(open_items(page)) == 5
    page.get_by_role("button", name="Fold all").click()
    assert open_items(page) == []


def test_an_address_opens_its_statement(opened):
    """Also where a filter hides it: the filter is then cleared."""
    page = opened("#luckmatters.theorem4.corrected")
    assert open_items(page) == ["luckmatters.theorem4"]
    assert abs(page.locator("[id='luckmatters.theorem4.corrected']").bounding_box()["y"]) < 60
    page.locator("select[name=paper]").select_option(label="Student Specialization in Deep ReLU Networks")
    page.locator(".map a[href='#luckmatters.lemma4.printed']").first.click()
    page.wait_for_timeout(200)
    assert open_items(page) == ["luckmatters.lemma4"]
    assert page.locator("select[name=paper]").input_value() == ""


def test_filters_search_and_order(opened):
    """Each narrows the list, the count says so, and clearing brings everything back."""
    page = opened()
    everything = shown(page)
    assert len(everything) == 5
    page.get_by_label("Outcome").select_option("refuted")
    refuted = shown(page)
    assert set(refuted) == {"luckmatters.lemma4", "luckmatters.theorem4", "specialization.corollary2"}
    assert "3 statements in 3 items" in page.locator("output").inner_text()
    page.get_by_label("Form").select_option(label="our reading")
    assert shown(page) == ["specialization.corollary2"]
    page.get_by_role("button", name="Clear").click()
    page.wait_for_timeout(50)
    assert shown(page) == everything
    page.get_by_label("Search").fill("vacuous three or more nodes")
    assert shown(page) == ["luckmatters.theorem4.vacuity"]
    page.get_by_label("Search").fill("no such words")
    assert shown(page) == []
    assert "Nothing fits" in page.locator("output").inner_text()
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Order").select_option(label="strongest first")
    page.wait_for_timeout(50)
    assert set(shown(page)) == set(everything)
    assert shown(page)[0] in {
        "luckmatters.lemma4",
        "luckmatters.theorem4.vacuity",
    }  # proved for all instances


def test_without_javascript_it_is_one_long_page(opened):
    """Every statement is open, and no control that would do nothing is shown."""
    page = opened(java_script_enabled=False)
    assert page.locator("details.item[open]").count() == page.locator("details.item").count() == 5
    assert not page.locator("form.filters").is_visible()


def test_by_keyboard(opened):
    """The first stop skips to the findings; an item opens by its summary."""
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    summary = page.locator("[id='luckmatters.lemma4'] > summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert open_items(page) == ["luckmatters.lemma4"]


def test_a_screen_reader_finds_its_way(opened):
    """Landmarks, one first heading, levels without gaps, headers of tables with a scope, a name for every control."""
    page = opened()
    for landmark in ("banner", "navigation", "main", "contentinfo", "search"):
        assert page.get_by_role(landmark).count() == 1, landmark
    levels = page.eval_on_selector_all("h1, h2, h3, h4, h5, h6", "all => all.map(h => Number(h.tagName[1]))")
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))
    assert page.locator("section:is(.map, .items, .run) th:not([scope])").count() == 0
    named = "all => all.every(c => c.textContent.trim() || c.title || c.labels?.length)"
    assert page.eval_on_selector_all("a, button, select, input", named)


def test_dark_is_dark_and_print_is_white(opened):
    """The ground follows the colour scheme; print leaves out what only a screen can do."""
    ground = "getComputedStyle(document.body).backgroundColor"
    assert opened(color_scheme="dark").evaluate(ground) == "rgb(19, 22, 26)"
    page = opened()
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert not page.locator("form.filters").is_visible()
    assert not page.locator("nav.contents").is_visible()
