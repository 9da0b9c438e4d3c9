"""A worker that cannot start, as a process: it says why in a sentence, and ends."""

from pathlib import Path

from tests.harness.workers import WorkerProcess


def test_a_searcher_that_lacks_its_weights_says_so_and_ends_without_another_error(tmp_path: Path) -> None:
    missing = tmp_path / "missing.safetensors"
    searcher = WorkerProcess(
        "searcher",
        bootstrap_servers="127.0.0.1:1",
        redis_url="redis://127.0.0.1:1",
        folder=tmp_path,
        env={"AFTERIMAGE_ENCODER_WEIGHTS": str(missing)},
    )
    searcher.spawn()
    try:
        assert searcher.wait_ended(60) == 2
    finally:
        searcher.stop()
    assert str(missing) in searcher.tail()
    assert "Traceback" not in searcher.tail(10_000)
