"""The page of figures is made of what the figures' files say, one section each."""

from __future__ import annotations

import dataclasses
import json

from verify.command.main import run
from verify.figures import figures
from verify.report.figure_page import HEADING, command_of, main, updated

TINY = ["--set", "networks=3", "--set", "epochs=0.05", "--set", "eval_samples=100"]


def test_a_section_replaces_itself_and_leaves_others(tmp_path):
    """Twice the same figure: one section; a section written by hand for another stays, in the papers' order."""
    page = updated(HEADING, {"specialization.12": "## specialization.12\n\nby hand\n"})
    page = updated(page, {"specialization.9": "## specialization.9\n\nas it was\n"})
    page = updated(page, {"specialization.9": "## specialization.9\n\nas it is\n"})
    assert page.startswith(HEADING)
    assert page.count("## specialization") == 2
    assert "as it was" not in page
    assert page.index("as it is") < page.index("by hand")
    assert updated(page, {}) == page


def test_the_page_of_a_figure_that_was_made(tmp_path):
    """Picture copied, command and every claim with its interval in the section; the command gives these settings."""
    (tmp_path / "docs").mkdir()
    assert run(["figure", "specialization.11", "--out", str(tmp_path), "--seed", "3", *TINY]) in (0, 1)
    main(tmp_path, tmp_path / "docs")
    text = (tmp_path / "docs" / "figures.md").read_text()
    assert (tmp_path / "docs" / "figures" / "specialization.11.png").read_bytes().startswith(b"\x89PNG")
    assert "![Student nodes" in text
    assert "(rank correlation)" in text
    assert (
        "luckproof figure specialization.11 --set networks=3 --set epochs=0.05 --seed 3 --set eval_samples=100"
        in text
    )


def test_the_command_is_the_shortest():
    """A budget's own settings need none of them named."""
    settings = json.loads(json.dumps(dataclasses.asdict(figures()["specialization.9"].settings["full"])))
    assert command_of("specialization.9", settings) == "luckproof figure specialization.9 --budget full"
    settings["networks"] = 8
    assert command_of("specialization.9", settings).endswith("--budget full --set networks=8")
