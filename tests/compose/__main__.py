"""``make test-compose``: builds deploy/Dockerfile, starts docker-compose.yml, breaks what runs, and removes it all.

Ends with 1 if a promise broke, and then shows the end of every container's log. ``--keep`` leaves the images for the
next time, which spares most of the build; ``--only-images`` makes them and ends.
"""

import argparse
import logging
import signal
import sys
import tempfile
from pathlib import Path

import structlog

from services.cli.stack.ports import is_free
from tests.compose.diary import Diary
from tests.compose.engine import Engine
from tests.compose.images import Images
from tests.compose.stack import PROJECT, Stack, podman_compose
from tests.compose.story import CRASHING, Story
from tests.harness.go_programs import GoProgramMissingError
from tests.unit.deploy.files import ROOT, services

# Grafana is left out: there is no package of it.
_STARTED = ("kafka", "redis", "topics", "extractor", "indexer", "searcher", "gateway", "prometheus")
_PUBLISHED = sorted(
    int(port.split(":")[1]) for name in (*_STARTED, "minio") for port in services()[name].get("ports", [])
)


def main() -> int:
    arguments = _arguments()
    if taken := [port for port in _PUBLISHED if not is_free(port)]:
        sys.stderr.write(f"test-compose: something listens on {taken}, which docker-compose.yml publishes: stop it\n")
        return 2
    logging.disable(logging.CRITICAL)  # what the clients say of a broker that is gone is as it should be
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    diary = Diary()
    engine = Engine(ROOT / ".tools" / "containers")
    stack = Stack(engine, diary)
    done = False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what follows is removed then, too
    try:
        engine.clear()  # of a run that was killed
        has_minio = _make_images(engine, diary)
        if not arguments.only_images:
            _tell(engine, stack, diary, has_minio=has_minio)
        done = True
    finally:
        if not done:
            sys.stdout.write(stack.tails() + "\n")
        diary.say("remove the containers, the networks and the volumes")
        stack.down("--volumes", "--timeout", "10")
        _say_what_is_left(engine, diary)
        engine.clear()
        if not arguments.keep:
            diary.say("remove the images (KEEP=1 keeps them)")
            engine.forget()
    sys.stdout.write(diary.table() + "\n")
    diary.say("done")
    return 0


def _make_images(engine: Engine, diary: Diary) -> bool:
    """Whether MinIO is among them."""
    with tempfile.TemporaryDirectory(dir=ROOT / ".tools", prefix="images-") as folder:
        images = Images(engine, diary, folder=Path(folder))
        images.make_debian()
        images.make_standins()
        images.make_ours(podman_compose())
        try:
            images.make_minio()
        except GoProgramMissingError as missing:
            diary.say(f"NOT TESTED: the profile minio, since {missing}")
            return False
        return True


def _tell(engine: Engine, stack: Stack, diary: Diary, *, has_minio: bool) -> None:
    story = Story(engine, stack, diary)
    with diary.step("all is healthy, from nothing"):
        stack.up(_STARTED)
    story.isolation_holds()
    story.photos_are_found()
    story.prometheus_sees(extractor=1, indexer=1, searcher=2, gateway=1)
    for service in CRASHING:
        story.survives_a_crash(service)
    story.every_copy_is_right()
    with diary.step("up --scale searcher=3"):
        stack.scale("searcher", 3)
    story.prometheus_sees(extractor=1, indexer=1, searcher=3, gateway=1)
    story.every_copy_is_right()
    story.two_extractors_share_the_work()
    with diary.step("down, which keeps Kafka's log"):
        stack.down("--timeout", "40")
    with diary.step("all is healthy, from Kafka's log"):
        stack.up(_STARTED)
    story.panda_is_found()
    story.all_is_found()
    story.every_copy_is_right()
    if has_minio:
        stack.up(["minio", "bucket"], "minio")
        story.a_bucket_is_indexed()


def _say_what_is_left(engine: Engine, diary: Diary) -> None:
    lists = [["ps", "--all", "--format={{.Names}}"], ["volume", "ls", "--quiet"], ["network", "ls", "--quiet"]]
    left = [name for command in lists for name in engine(*command).split() if PROJECT in name]
    diary.say(f"LEFT: {left}" if left else "nothing is left of them")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="test-compose")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only-images", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
