"""The tables of what was measured."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.codes.plain_sklearn import Agreement
from benchmarks.codes.plan import DEFAULT, Fit
from benchmarks.index.workload import RowNumbers, Workload
from benchmarks.table import Measured, Part

TOLD = {
    "i8": "recall_lost_by_fitted_i8",
    "opq320": "recall_lost_by_opq_16th",
    "opq320+f16": "recall_lost_by_opq_16th_f16",
}

Fits = Mapping[str, Fit]


def recalls(title: str, workload: Workload, found: Fits, by_faiss: Fits, by_default: RowNumbers) -> Part:
    """by_default: what the service's default code finds."""
    recall = workload.recall(by_default)
    rows = [Measured(name=f"{DEFAULT}, the default code", values=[100 * recall])]
    ratios = {"recall_lost_by_i8": 1 - recall}
    for recipe, each in found.items():
        recall = workload.recall(each.found)
        if recipe in TOLD:
            ratios[TOLD[recipe]] = 1 - recall
        rows.append(Measured(name=recipe, values=[100 * recall], note=f"{each.code_bytes} bytes a vector"))
        if recipe in by_faiss:
            rows.append(Measured(name=f"{recipe} by faiss", values=[100 * workload.recall(by_faiss[recipe].found)]))
    return Part(title=f"Recall@10 of the nearest by float32, {title}", unit="points of 100", rows=rows, ratios=ratios)


def distortions(title: str, found: Fits, by_faiss: Fits) -> Part:
    """Of the pictures that were searched, which nothing was fitted to."""
    rows, ratios = [], {}
    for recipe, each in found.items():
        if each.distortion is None:
            continue
        rows.append(Measured(name=recipe, values=[1000 * each.distortion]))
        if other := by_faiss.get(recipe):
            assert other.distortion is not None
            rows.append(Measured(name=f"{recipe} by faiss", values=[1000 * other.distortion]))
            ratios[f"distortion_over_faiss_{_key(recipe)}"] = each.distortion / other.distortion
    return Part(
        title=f"Squared error, {title}", unit="thousandths of a vector's squared length", rows=rows, ratios=ratios
    )


def fits(title: str, found: Fits, by_faiss: Fits) -> Part:
    return _compared(f"Fitting, {title}", "s of the processor", found, by_faiss, lambda fit: [1 / fit.fit_s], "fit")


def encodings(title: str, found: Fits, by_faiss: Fits) -> Part:
    return _compared(
        f"Encoding, {title}", "vectors/s of the processor", found, by_faiss, lambda fit: fit.encoded_per_s, "encode"
    )


def agreement(title: str, found: Agreement) -> Part:
    rows = []
    for what, pair in (("principal components", found.pca_s), ("k-means", found.kmeans_s)):
        rows += [Measured(name=f"{what}{by}", values=[s]) for by, s in zip(("", " by scikit-learn"), pair, strict=True)]
    return Part(
        title=f"scikit-learn, {title}",
        unit="s of the processor",
        rows=rows,
        ratios={
            "pca_speed_over_sklearn": found.pca_s[1] / found.pca_s[0],
            "pca_variance_over_sklearn": found.variance,
            "kmeans_speed_over_sklearn": found.kmeans_s[1] / found.kmeans_s[0],
            "kmeans_inertia_over_sklearn": found.inertia,
        },
    )


def _compared(
    title: str, unit: str, found: Fits, by_faiss: Fits, speeds: Callable[[Fit], Sequence[float]], what: str
) -> Part:
    """speeds: the larger the faster; shown are those of encoding, and seconds of fitting."""
    rows, ratios = [], {}
    for recipe, each in found.items():
        both = [(recipe, each), *([(f"{recipe} by faiss", by_faiss[recipe])] if recipe in by_faiss else [])]
        rows += [Measured(name=name, values=[fit.fit_s] if what == "fit" else fit.encoded_per_s) for name, fit in both]
        if recipe in by_faiss:
            mine, theirs = (float(np.median(speeds(fit))) for _, fit in both)
            ratios[f"{what}_speed_over_faiss_{_key(recipe)}"] = mine / theirs
    return Part(title=title, unit=unit, rows=rows, ratios=ratios, notes=["over: how many times as fast as faiss"])


def _key(recipe: str) -> str:
    return recipe.replace(",", "_")
