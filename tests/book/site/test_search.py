"""Search: it works from a server and from a folder, and finds what the course is about."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("word", ["Viterbi", "underflow"])
def test_finds_the_chapter(visit, word: str) -> None:
    page = visit.open(f"search.html?q={word}")
    hit = page.locator('#search-results a[href*="02_hmm.html"]').first
    hit.wait_for(timeout=10_000)
    hit.click()
    page.wait_for_url("**/02_hmm.html*")
    assert not visit.faults, visit.faults


def test_quotes_prose_with_each_formula_once(browser, served: str) -> None:
    """A quote is not full of what KaTeX keeps for machines (only where pages can be fetched)."""
    page = browser.new_page()
    page.goto(f"{served}/search.html?q=mistakes")
    quote = page.locator("#search-results li", has=page.locator('a[href*="mistakes.html"]'))
    quote.locator(".context").first.wait_for(timeout=10_000)
    text = page.evaluate(
        """async () => Search.htmlToText(await (await fetch("book/02_hmm.html")).text(), null)"""
    )
    page.close()
    assert "Hidden Markov models" in text
    assert "\\alpha" not in text  # the TeX of a formula, kept for copying


def test_says_so_when_nothing_is_found(visit) -> None:
    page = visit.open("search.html?q=xylophonequartet")
    page.get_by_text("did not match any documents").wait_for(timeout=10_000)
    assert page.locator("#search-results li").count() == 0
    assert not visit.faults, visit.faults


def test_box_on_a_page_leads_to_results(visit) -> None:
    """Ctrl+K, a word and Enter."""
    page = visit.open("book/index.html")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill("Viterbi")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=Viterbi*")
    page.locator('#search-results a[href*="02_hmm.html"]').first.wait_for(timeout=10_000)
    assert not visit.faults, visit.faults
