"""Our codes, fitted and applied."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.codes.plan import DEFAULT, RESCORED, Fit
from benchmarks.index.timing import Timer
from benchmarks.index.workload import K, RowNumbers, Vectors, Workload
from shared.codes.fitted_file import FittedCode, pack
from shared.codes.fitting.fit import fit
from shared.codes.fitting.loss import loss_of
from shared.codes.recipe import Recipe
from shared.codes.registry import load_code
from shared.evaluation.coding import coded
from shared.index.ranking import rank_codes


class Ours:
    """Lives in a child. Recipes that differ by +f16 alone are fitted once."""

    def __init__(self, learned: Vectors, workload: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        self._learned = torch.from_numpy(learned)
        loaded = Workload.load(workload)
        self._base, self._queries = np.array(loaded.base), np.array(loaded.queries)
        self._fitted: dict[str, tuple[FittedCode, float]] = {}

    def measure(self, recipe: str, rounds: int) -> Fit:
        """Fit, encode the base several times, and search it for the queries as the index does."""
        fitted, fit_s = self._fit(Recipe.parse(recipe))
        base = torch.from_numpy(self._base)
        with TemporaryDirectory() as folder:
            file = Path(folder, "code.safetensors")
            file.write_bytes(pack(fitted))
            code = load_code(str(file))
            rates = []
            for _ in range(rounds):
                with Timer() as timer:
                    code.encode(base)
                rates.append(timer.rate(len(base)).cpu)
            found = self._found(file, K)
            if fitted.recipe.rescored:
                file.write_bytes(pack(replace(fitted, recipe=replace(fitted.recipe, rescored=False))))
                halves = [code.encode(torch.from_numpy(each)).float().numpy() for each in (self._base, self._queries)]
                found = _ranked(self._found(file, RESCORED), *halves)
        return Fit(
            fit_s=fit_s,
            encoded_per_s=rates,
            code_bytes=code.bytes_per_vector(base.shape[1]),
            found=found,
            distortion=loss_of(fitted, base).distortion,
        )

    def found_by_default(self) -> RowNumbers:
        """What a search by the service's default code gives, which needs no fitting."""
        return self._found(DEFAULT, K)

    def _fit(self, recipe: Recipe) -> tuple[FittedCode, float]:
        plain = replace(recipe, rescored=False)
        if str(plain) not in self._fitted:
            with Timer() as timer:
                fitted = fit(self._learned, plain)
            self._fitted[str(plain)] = fitted, timer.cpu_s
        fitted, fit_s = self._fitted[str(plain)]
        return replace(fitted, recipe=recipe), fit_s

    def _found(self, setting: Path | str, k: int) -> RowNumbers:
        stored, asked = coded(str(setting), self._base), coded(str(setting), self._queries)
        every = np.ones(len(self._base), np.bool_)
        rankings = rank_codes(stored.codes, asked.queries, k, stored.vector_format, every)
        return np.array([ranking.rows[:k] for ranking in rankings])


def _ranked(found: RowNumbers, base: Vectors, queries: Vectors) -> RowNumbers:
    """The best `K` of the rows found, (queries, many), by the product with the query."""
    scores = np.einsum("qrd,qd->qr", base[found], queries)
    return np.take_along_axis(found, np.argsort(-scores, axis=1)[:, :K], axis=1)
