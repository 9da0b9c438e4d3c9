"""The stack's log lines in one terminal."""

import io

from services.cli.stack import Console


def test_lines_are_aligned_behind_their_names() -> None:
    stream = io.StringIO()
    console = Console(stream, width=9)
    console.line("redis", "up")
    console.line("extractor", "up")
    assert stream.getvalue() == "redis     | up\nextractor | up\n"


def test_each_name_keeps_a_colour_of_its_own_on_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(stream, colour=True)
    for name in ("redis", "broker", "redis"):
        console.line(name, "up")
    first, second, third = (line.partition("m")[0] for line in stream.getvalue().splitlines())
    assert first == third
    assert first != second
