from services.searcher.stopwatch import Stopwatch


def test_the_stages_of_a_query_add_up_to_no_more_than_the_whole() -> None:
    watch = Stopwatch()
    watch.lap("queue")
    watch.lap("fetch")
    watch.split("decode", 0.0, "encode")
    watch.lap("search")
    timings = watch.timings(0.5)
    assert timings.queue_ms >= 500
    parts = (timings.queue_ms, timings.fetch_ms, timings.decode_ms, timings.encode_ms, timings.search_ms)
    assert sum(parts) <= timings.total_ms + 0.01


def test_what_a_stage_says_of_itself_is_taken_from_the_lap() -> None:
    watch = Stopwatch()
    watch.split("decode", 0.25, "encode")
    assert watch.seconds["decode"] == 0.25
    assert abs(watch.seconds["encode"] + 0.25) < 0.1  # this lap was shorter than what was claimed of it
