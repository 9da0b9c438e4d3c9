import pytest

from shared.runtime.durations import duration_ms


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("90s", 90_000), ("15m", 900_000), ("12h", 43_200_000), ("30d", 2_592_000_000), (" 2w ", 1_209_600_000)],
)
def test_a_number_with_its_unit_is_a_duration(text: str, milliseconds: int) -> None:
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-1d", "1.5h", "30 d", "30days", "99999999d"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 30d"):
        duration_ms(text)
