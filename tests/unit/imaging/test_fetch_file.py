import asyncio
import os
import socket
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.budget import ByteBudget
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.folder import NotAFile, open_below

CONTENT = b"the bytes of an image"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    root.mkdir()
    (root / "cat.png").write_bytes(CONTENT)
    (tmp_path / "secret.txt").write_text("secret")
    return root


async def fetched(uri: str, *roots: Path, max_bytes: int = 100) -> bytes:
    async with Fetcher(FetchPolicy(file_roots=roots, max_bytes=max_bytes)) as fetcher:
        return await fetcher.fetch(uri)


async def rejection(uri: str, *roots: Path, max_bytes: int = 100) -> RejectReason:
    with pytest.raises(PoisonInput) as caught:
        await fetched(uri, *roots, max_bytes=max_bytes)
    return caught.value.reason


async def test_a_file_below_a_root_is_read(root: Path) -> None:
    assert await fetched(f"file://{root}/cat.png", root) == CONTENT
    assert await fetched(f"file://localhost{root}/cat.png", root) == CONTENT


async def test_the_path_is_percent_decoded(root: Path) -> None:
    (root / "my cat #1?.png").write_bytes(CONTENT)
    assert await fetched(f"file://{quote(str(root))}/{quote('my cat #1?.png')}", root) == CONTENT


async def test_a_link_that_stays_below_the_root_is_followed(root: Path) -> None:
    (root / "alias.png").symlink_to(root / "cat.png")
    assert await fetched(f"file://{root}/alias.png", root) == CONTENT


async def test_without_roots_no_file_is_read(root: Path) -> None:
    assert await rejection(f"file://{root}/cat.png") is RejectReason.URI_NOT_ALLOWED


@pytest.mark.parametrize(
    "path",
    [
        "{root}/../secret.txt",
        "{root}/%2e%2e/secret.txt",
        "{root}/..%2fsecret.txt",
        "{root}/escape/secret.txt",
        "{root}-backup/cat.png",
        "/etc/passwd",
        "{root}/cat.png%00",
        "{root}/%ff.png",
    ],
)
async def test_no_path_leads_out_of_the_roots(root: Path, path: str) -> None:
    (root / "escape").symlink_to(root.parent)
    assert await rejection("file://" + path.format(root=root), root) is RejectReason.URI_NOT_ALLOWED


@pytest.mark.parametrize(
    "uri", ["file://nas.example{root}/cat.png", "file://{root}/cat.png?x", "file://{root}/cat.png#x"]
)
async def test_another_host_or_a_query_is_refused(root: Path, uri: str) -> None:
    assert await rejection(uri.format(root=root), root) is RejectReason.URI_NOT_ALLOWED


async def test_a_link_out_of_the_roots_is_refused(root: Path) -> None:
    (root / "alias.png").symlink_to(root.parent / "secret.txt")
    (root / "alias-of-alias.png").symlink_to("alias.png")
    assert await rejection(f"file://{root}/alias.png", root) is RejectReason.URI_NOT_ALLOWED
    assert await rejection(f"file://{root}/alias-of-alias.png", root) is RejectReason.URI_NOT_ALLOWED


@pytest.mark.parametrize("way", ["root", "cwd", "fd/0", "exe"])
async def test_the_links_of_proc_lead_nowhere(way: str) -> None:
    proc = Path("/proc/self")
    assert await rejection(f"file:///proc/self/{way}", proc) is RejectReason.URI_NOT_ALLOWED
    assert await rejection(f"file:///proc/self/{way}/etc/passwd", proc) is RejectReason.URI_NOT_ALLOWED


@pytest.mark.parametrize("names", [("link.png",), ("link", "secret.txt"), ("folder", "link", "secret.txt")])
def test_a_link_that_appears_after_the_check_is_not_followed(root: Path, names: tuple[str, ...]) -> None:
    (root / "link.png").symlink_to(root.parent / "secret.txt")
    (root / "link").symlink_to(root.parent)
    (root / "folder").mkdir()
    (root / "folder" / "link").symlink_to(root.parent)
    assert root.joinpath(*names).read_text() == "secret"
    with pytest.raises((NotAFile, NotADirectoryError)):
        open_below(root, names)


async def test_a_folder_that_is_swapped_for_a_link_all_the_time_never_leads_out(root: Path) -> None:
    outside, inside, spare = root.parent / "outside", root / "album", root / "spare"
    for folder in (outside, inside):
        folder.mkdir()
        (folder / "cat.png").write_bytes(CONTENT if folder is inside else b"secret")
    swapping, done = threading.Event(), threading.Event()

    def swap() -> None:
        while not done.is_set():
            inside.rename(spare)
            inside.symlink_to(outside)
            swapping.set()
            inside.unlink()
            spare.rename(inside)

    swapper = threading.Thread(target=swap)
    swapper.start()
    swapping.wait()
    read = set()
    policy = FetchPolicy(file_roots=(root,), attempts=1)
    try:
        async with Fetcher(policy) as fetcher:
            for _ in range(500):
                try:
                    read.add(await fetcher.fetch(f"file://{root}/album/cat.png"))
                except PoisonInput as refused:
                    read.add(refused.reason.encode())
    finally:
        done.set()
        swapper.join()
    assert b"secret" not in read


async def test_a_pipe_a_socket_and_a_device_are_no_files_and_hold_nobody_up(root: Path) -> None:
    os.mkfifo(root / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "socket.png"))
        for name in ("pipe.png", "socket.png"):
            assert await rejection(f"file://{root}/{name}", root) is RejectReason.NOT_FOUND
    assert await rejection("file:///dev/zero", Path("/dev")) is RejectReason.NOT_FOUND


def test_a_pipe_that_takes_the_place_of_a_file_does_not_block(root: Path) -> None:
    os.mkfifo(root / "pipe.png")
    with pytest.raises(NotAFile):
        open_below(root, ["pipe.png"])


async def test_a_file_that_says_it_is_empty_is_read_up_to_the_limit() -> None:
    assert (await fetched("file:///proc/self/comm", Path("/proc/self"))).endswith(b"\n")
    assert await rejection("file:///proc/self/maps", Path("/proc/self"), max_bytes=10) is RejectReason.TOO_MANY_BYTES


@pytest.mark.parametrize("name", ["dog.png", "", "cat.png/part"])
async def test_what_is_no_file_is_not_found(root: Path, name: str) -> None:
    assert await rejection(f"file://{root}/{name}", root) is RejectReason.NOT_FOUND


async def test_a_file_of_exactly_the_limit_is_read_and_a_larger_one_is_not(root: Path) -> None:
    uri = f"file://{root}/cat.png"
    assert await fetched(uri, root, max_bytes=len(CONTENT)) == CONTENT
    assert await rejection(uri, root, max_bytes=len(CONTENT) - 1) is RejectReason.TOO_MANY_BYTES


@pytest.mark.parametrize(
    "uri", ["", "cat.png", "/etc/passwd", "ftp://example.org/cat.png", "data:image/png;base64,AA=="]
)
async def test_a_scheme_that_is_not_listed_is_refused(uri: str, root: Path) -> None:
    assert await rejection(uri, root) is RejectReason.URI_NOT_ALLOWED


async def test_a_file_that_there_is_no_room_for_is_read_when_there_is(root: Path) -> None:
    budget = ByteBudget(len(CONTENT))
    async with Fetcher(FetchPolicy(file_roots=(root,), attempts=1)) as fetcher:
        with budget.room() as room:
            with budget.room() as other:
                other.claim(1, of=1)
                task = asyncio.create_task(fetcher.fetch(f"file://{root}/cat.png", room))
                while not budget.waiting:  # noqa: ASYNC110 - a thread looks at the file
                    await asyncio.sleep(0)
            assert await task == CONTENT
            assert budget.held == len(CONTENT)
