"""How well encoders find pictures of the same class, in one run: `python -m benchmarks.families FOLDER ENCODER...`.

Each folder below FOLDER is a class. Every picture searches all others for those of its class, by the cosine.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from services.cli.sources import SUFFIXES
from shared.encoders.device import configure_threads
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.training.pictures import PictureFile, find_pictures
from shared.training.quality import among_classes

_BATCH = 32


def vectors(encoder: Encoder, files: list[PictureFile]) -> torch.Tensor:
    """Return what an extractor would make of the files, float32 (count, dim)."""
    wanted, found = encoder.preprocessing, []
    for start in range(0, len(files), _BATCH):
        pixels = [
            wanted.to_pixels(decode_rgb(file.path.read_bytes(), ImageLimits(), wanted.decode_size))
            for file in files[start : start + _BATCH]
        ]
        found.append(encoder.encode(torch.from_numpy(np.stack(pixels))))
    return torch.cat(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("encoders", nargs="+")
    given = parser.parse_args()
    configure_threads(1)
    files = find_pictures(given.folder, SUFFIXES)
    classes = sorted({file.folder for file in files})
    labels = torch.tensor([classes.index(file.folder) for file in files])
    print(f"{len(files)} pictures, {len(classes)} classes; means over classes")
    for name in given.encoders:
        encoder = load_encoder(name, device="cpu")
        quality = among_classes(vectors(encoder, files), labels)
        print(
            f"{name}: mAP {quality.mean_average_precision:.3f}, recall@1 {quality.recall_at_1:.3f}, dim {encoder.dim}"
        )


if __name__ == "__main__":
    main()
