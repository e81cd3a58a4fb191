"""The page as it is written: labels, messages, icons, and nothing from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[1]
ICON_MAX_PX = 24

Element = tuple[str, dict[str, str | None]]


class Elements(HTMLParser):
    """Collects every element of a page with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.all.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def elements() -> list[Element]:
    """Parse the page."""
    parser = Elements()
    parser.feed((FRONTEND / "index.html").read_text(encoding="utf-8"))
    return parser.all


@pytest.fixture(scope="module")
def style() -> str:
    """Read the style sheet."""
    return (FRONTEND / "style.css").read_text(encoding="utf-8")


def _attributes(elements: list[Element], tag: str) -> list[dict[str, str | None]]:
    return [attributes for name, attributes in elements if name == tag]


def test_every_field_has_a_label(elements: list[Element]) -> None:
    """A screen reader names each field, and a click on the name reaches it."""
    labelled = [label["for"] for label in _attributes(elements, "label")]
    assert (
        labelled == [field["id"] for field in _attributes(elements, "input")] == ["display_name", "email", "password"]
    )


def test_the_password_is_described_by_its_rules(elements: list[Element]) -> None:
    """Who cannot see the rules beside the field hears them."""
    password = next(field for field in _attributes(elements, "input") if field["id"] == "password")
    assert password["aria-describedby"] == "rules"
    assert any(attributes.get("id") == "rules" for attributes in _attributes(elements, "ul"))


def test_messages_are_announced(elements: list[Element]) -> None:
    """What the backend answers is read out without taking the focus."""
    message = next(attributes for attributes in _attributes(elements, "p") if attributes.get("id") == "message")
    assert message["aria-live"] == "polite"


def test_rule_icons_are_small_with_and_without_the_style_sheet(elements: list[Element], style: str) -> None:
    """An icon is at most 24 px by its own attributes, and the style sheet keeps to that."""
    icons = _attributes(elements, "svg")
    rule = re.search(r"\.icon \{(.*?)\}", style, re.DOTALL)
    assert rule is not None
    sizes = [int(icon[side] or 0) for icon in icons for side in ("width", "height")]
    sizes += [int(size) for size in re.findall(r"\b(?:width|height): (\d+)px", rule[1])]
    assert len(sizes) == 4
    assert all(0 < size <= ICON_MAX_PX for size in sizes)


def test_the_page_adapts_to_narrow_screens(elements: list[Element], style: str) -> None:
    """The viewport is the device's, and no width is wider than a small phone."""
    viewport = next(meta for meta in _attributes(elements, "meta") if meta.get("name") == "viewport")
    assert viewport["content"] == "width=device-width, initial-scale=1"
    assert all(int(width) <= 320 for width in re.findall(r"width: (\d+)px", style))


def test_nothing_is_loaded_from_elsewhere(elements: list[Element], style: str) -> None:
    """Every file of the page is its own."""
    sources = [value for _, attributes in elements for name, value in attributes.items() if name in {"src", "href"}]
    assert sources
    assert all(source is not None and source.startswith(("/", "data:")) for source in sources)
    assert "url(" not in style
    assert "@import" not in style
