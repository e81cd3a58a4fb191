"""An ordinary test of the project, which knows nothing of the environment."""


def test_titles_are_sorted() -> None:
    """Titles are sorted."""
    assert sorted(["Ulysses", "Emma"]) == ["Emma", "Ulysses"]
