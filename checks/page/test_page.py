"""The page shows what a password needs, registers whoever fills it in, and fits every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.page.chromium import ORIGIN
from checks.people import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

    from checks.people import Crowd

pytestmark = pytest.mark.e2e

ICON_MOST_PX = 24
NARROWEST = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 800}


def fill_in(page: Page, email: str, password: str) -> None:
    """Fill in the form, and send it."""
    page.get_by_label("Name", exact=True).fill("Check")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Create account").click()


def test_form_registers(page: Page, email: str, people: Crowd) -> None:
    """Whoever fills in the form is welcomed, and logs in with what was filled in."""
    page.goto(ORIGIN)
    fill_in(page, email, PASSWORD)
    page.locator("#message[data-kind=done]").wait_for()
    assert page.locator("#message").inner_text() == "Welcome, Check. Your account is ready."
    assert people.log_in(email).status_code == 200


def test_rules_are_ticked_while_typing(page: Page) -> None:
    """Each rule that the password keeps is ticked, and no other."""
    page.goto(ORIGIN)
    for password, met in (("", 0), ("correct", 1), ("Correct", 2), ("Correct7", 3), ("Correct-7", 4), (PASSWORD, 5)):
        page.get_by_label("Password", exact=True).fill(password)
        ticks = page.locator("#rules li[data-met=true] .icon path")
        assert [each.is_visible() for each in ticks.all()] == [True] * met


def test_weak_password_is_not_sent(page: Page, email: str) -> None:
    """A password that breaks a rule does not leave the page, which says what is missing."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(ORIGIN)
    fill_in(page, email, "Correct-Horse")
    page.locator("#message[data-kind=refused]").wait_for()
    assert page.locator("#message").inner_text() == "The password is too weak. A digit"
    assert "POST" not in sent


@pytest.mark.parametrize("size", [NARROWEST, WIDE], ids=["narrow", "wide"])
def test_rule_icons_are_small(page: Page, size: dict[str, int]) -> None:
    """An icon beside a rule is seen, and at most 24 px wide and high."""
    page.set_viewport_size(size)  # type: ignore[arg-type]  # Playwright's own class of width and height
    page.goto(ORIGIN)
    page.locator("#rules .icon").first.wait_for()
    boxes = page.locator("#rules .icon").evaluate_all(
        "icons => icons.map(icon => icon.getBoundingClientRect()).map(box => [box.width, box.height])"
    )
    assert len(boxes) == 5
    assert all(0 < side <= ICON_MOST_PX for box in boxes for side in box), boxes


def test_nothing_overflows_a_narrow_screen(page: Page) -> None:
    """At 320 px nobody scrolls sideways, and nothing that is seen is cut off."""
    page.set_viewport_size(NARROWEST)  # type: ignore[arg-type]  # Playwright's own class of width and height
    page.goto(ORIGIN)
    page.locator("#rules .icon").first.wait_for()
    wide = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter(each => each.getBoundingClientRect().right > innerWidth + 0.5)
            .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST["width"]


def test_console_stays_quiet(page: Page, email: str) -> None:
    """Neither the page nor a registration has anything to complain of."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(ORIGIN)
    fill_in(page, email, PASSWORD)
    page.locator("#message[data-kind=done], #message[data-kind=refused]").wait_for()
    assert complaints == []
