"""How a browser comes to the page: by the address with the token, once, from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

import keepsake
from tests.ui.browser.conftest import PATIENCE_MS, Served, Watch


def test_the_token_leaves_the_address_and_the_page_stays_open_without_it(
    serve: Callable[[Path], Served], browser: Browser, watch: Watch, tmp_path: Path
) -> None:
    keepsake.Project(str(tmp_path / "repository"), tmp_path).experiments.create(quiet=True).stop()
    served = serve(tmp_path / "repository")
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch.follow(page)
    page.goto(served.address)
    assert page.url == f"{served.origin}/"
    page.reload()
    page.get_by_role("grid").wait_for()
    assert page.evaluate("document.cookie") == ""
    context.close()


def test_a_link_with_the_token_on_another_page_opens_it(
    serve: Callable[[Path], Served], browser: Browser, watch: Watch, tmp_path: Path
) -> None:
    keepsake.Project(str(tmp_path / "repository"), tmp_path).experiments.create(quiet=True).stop()
    served = serve(tmp_path / "repository")
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch.follow(page)
    page.set_content(f'<a href="{served.address}">the page</a>')  # of no site, so that it counts as another one
    page.get_by_text("the page").click()
    page.get_by_role("grid").wait_for()
    assert page.url == f"{served.origin}/"
    context.close()
