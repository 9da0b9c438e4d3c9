"""The labelled sample photos, and how well features find them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from shared.encoders.pixels.preprocessing import Preprocessing
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits

FILES = sorted(Path("tests/data/photos").glob("*/*.webp"))


@dataclass(frozen=True)
class Photos:
    names: list[str]
    labels: list[str]
    images: torch.Tensor


def decoded_photos(preprocessing: Preprocessing) -> Photos:
    pixels = [
        preprocessing.to_pixels(decode_rgb(file.read_bytes(), ImageLimits(), preprocessing.decode_size))
        for file in FILES
    ]
    return Photos(
        names=[file.stem for file in FILES],
        labels=[file.parent.name for file in FILES],
        images=torch.from_numpy(np.stack(pixels)),
    )


def nearest(vectors: torch.Tensor, k: int) -> torch.Tensor:
    """The k nearest others of each vector by cosine, (rows, k)."""
    unit = torch.nn.functional.normalize(vectors.double())
    similarity = (unit @ unit.T).fill_diagonal_(-2)
    return similarity.topk(k).indices


def leave_one_out_accuracy(vectors: torch.Tensor, labels: list[str]) -> float:
    """How many have a nearest neighbour with their own label."""
    found = nearest(vectors, 1)[:, 0].tolist()
    return sum(labels[row] == labels[other] for row, other in enumerate(found)) / len(labels)


def recall(vectors: torch.Tensor, exact: torch.Tensor, k: int) -> float:
    """Recall@k: how many of the exact k nearest neighbours are still among the k nearest."""
    pairs = zip(nearest(vectors, k).tolist(), nearest(exact, k).tolist(), strict=True)
    return sum(len(set(found) & set(wanted)) for found, wanted in pairs) / (k * len(exact))


def cross_recall(queries: torch.Tensor, index: torch.Tensor, k: int) -> float:
    """Recall@k of queries in an index of other codes for the same images, against the search among themselves."""
    queries, index = (torch.nn.functional.normalize(codes.double()) for codes in (queries, index))
    found, wanted = ((queries @ codes.T).topk(k).indices.tolist() for codes in (index, queries))
    return sum(len(set(row) & set(own)) for row, own in zip(found, wanted, strict=True)) / (k * len(queries))
