"""On which line each key stands."""

from __future__ import annotations

from pytest_devenv.settings.lines import line_of, lines_of

TEXT = '''\
# [not.a.table]
top = 1

[ a . "b.c" ]  # a comment with = and [
one = """
[not.a.table]
two = 3
"""
'two' = [
  # three = 3
  "x = ]",
  { y = 1 },
]
dotted . 'key' = '] = "'
last = \'\'\'""\'\'\'\'
"esc\\u0061ped" = "a \\" # b"
[[many]]
key = 1
'''


def test_every_key_and_table_has_its_line() -> None:
    """Strings and arrays of several lines, comments and quoted keys mislead nobody."""
    assert lines_of(TEXT) == {
        ("top",): 2,
        ("a",): 4,
        ("a", "b.c"): 4,
        ("a", "b.c", "one"): 5,
        ("a", "b.c", "two"): 9,
        ("a", "b.c", "dotted"): 14,
        ("a", "b.c", "dotted", "key"): 14,
        ("a", "b.c", "last"): 15,
        ("a", "b.c", "escaped"): 16,
        ("many",): 17,
        ("many", "key"): 18,
    }


def test_a_key_inside_an_inline_table_stands_where_the_table_does() -> None:
    """What has no line of its own has that of the nearest table around it."""
    lines = lines_of("[a]\nb = { c = { d = 1 } }\n")

    assert line_of(lines, ("a", "b", "c", "d")) == 2
    assert line_of(lines, ("z",)) is None
