"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017) as files: clothes in 28 x 28 grey pixels, of ten classes."""

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

CLASSES = ("t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")
_UNSIGNED_BYTES = 8


def lay_out(dataset: Path, target: Path, *, per_class: int, seed: int = 0) -> None:
    """Write some test pictures of each class, drawn by the seed, as PNG below `target`, a folder for each class."""
    images = read_idx(dataset / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(dataset / "t10k-labels-idx1-ubyte.gz")
    generator = np.random.default_rng(seed)
    for label, name in enumerate(CLASSES):
        folder = target / name
        folder.mkdir(parents=True)
        for row in sorted(generator.permutation(np.flatnonzero(labels == label))[:per_class].tolist()):
            Image.fromarray(images[row]).save(folder / f"{row}.png")


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an array in the form of the MNIST database: 0, 0, a type, the number of sides, their lengths, and the bytes.

    Raises ValueError where it is of another type or length.
    """
    data = gzip.decompress(path.read_bytes())
    sides = np.frombuffer(data, ">i4", data[3], offset=4)
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])
    if data[:3] != bytes([0, 0, _UNSIGNED_BYTES]) or len(values) != sides.prod():
        raise ValueError(f"{path} has no array of unsigned bytes in the form of MNIST")
    return values.reshape(sides)
