"""What faiss makes of the same vectors. Run as a program, since faiss and USearch do not live in one process.

Arguments: a .npy file of vectors, and recipes. Prints, as JSON, the mean squared error of each.
"""

import json
import sys

import faiss
import numpy as np


def distortion(vectors: np.ndarray, recipe: str) -> float:
    faiss.omp_set_num_threads(1)
    kind, places = recipe.rstrip("0123456789"), int(recipe.lstrip("abcdefghijklmnopqrstuvwxyz"))
    if kind == "opq":
        rotation = faiss.OPQMatrix(vectors.shape[1], places)
        rotation.train(vectors)
        vectors = rotation.apply(vectors)
    if kind == "vq":
        quantizer = faiss.ResidualQuantizer(vectors.shape[1], places, 8)
        quantizer.train_type = faiss.ResidualQuantizer.Train_default
        quantizer.max_beam_size = 1
    else:
        quantizer = faiss.ProductQuantizer(vectors.shape[1], places, 8)
    quantizer.train(vectors)
    found = quantizer.decode(quantizer.compute_codes(vectors))
    return float(np.square(found - vectors).sum(axis=1).mean())


if __name__ == "__main__":
    loaded = np.load(sys.argv[1])
    print(json.dumps({recipe: distortion(loaded, recipe) for recipe in sys.argv[2:]}))  # noqa: T201
