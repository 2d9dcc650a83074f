"""Goldens of regression/similarity and regression/cka, written out from their definitions.

Run: /usr/bin/python3 test/golden/make-similarity.py

Dissimilarities follow rsatoolbox 0.1's `calc_rdm` (methods `correlation` and `euclidean`: squared, divided by the number of
channels), comparisons its `compare` (methods `spearman`, `tau-a`, `corr`), ceilings its `cv_noise_ceiling` and
`boot_noise_ceiling` (subjects averaged by ranks, or z-scored for `corr`). Unbiased HSIC is the U-statistic of Gretton et al.
2005 and Song et al. 2012, a mean over ordered quadruples of distinct rows, added up one by one.
"""

import itertools
import json
import pathlib

import numpy
import scipy
from scipy import stats

random = numpy.random.default_rng(12)


def pairs(matrix):
    return matrix[numpy.triu_indices(len(matrix), 1)]


def correlation(x):
    return pairs(1 - numpy.corrcoef(x))


def squared_euclidean(x):
    return pairs(((x[:, None] - x[None]) ** 2).mean(-1))


def tau_a(a, b):
    signs = [numpy.sign(a[i] - a[j]) * numpy.sign(b[i] - b[j]) for i, j in itertools.combinations(range(len(a)), 2)]
    return float(numpy.mean(signs))


comparisons = {
    "spearman": lambda a, b: float(stats.spearmanr(a, b)[0]),
    "kendall-a": tau_a,
    "pearson": lambda a, b: float(stats.pearsonr(a, b)[0]),
}


def ceiling(subjects, name):
    compare = comparisons[name]
    if name == "pearson":
        pooled = (subjects - subjects.mean(1, keepdims=True)) / subjects.std(1, keepdims=True)
    else:
        pooled = numpy.array([stats.rankdata(subject) for subject in subjects])
    upper = numpy.mean([compare(subject, pooled.mean(0)) for subject in subjects])
    lower = [compare(subject, numpy.delete(pooled, k, 0).mean(0)) for k, subject in enumerate(subjects)]
    return {"upper": float(upper), "lower": float(numpy.mean(lower))}


def hsic_biased(k, l):
    n = len(k)
    h = numpy.eye(n) - 1 / n
    return float(numpy.trace(k @ h @ l @ h) / (n - 1) ** 2)


def hsic_unbiased(k, l):
    terms = [
        k[i, j] * l[i, j] + k[i, j] * l[q, r] - 2 * k[i, j] * l[i, q]
        for i, j, q, r in itertools.permutations(range(len(k)), 4)
    ]
    return float(numpy.mean(terms))


layers = []
for rows, columns, offset in ((9, 30, 0), (9, 4, 3), (9, 12, -20)):
    x = (random.normal(size=(rows, columns)) + offset * random.normal(size=columns)).astype(numpy.float32)
    wide = x.astype(float)
    layers.append(
        {
            "shape": [rows, columns],
            "data": x.ravel().tolist(),
            "correlation": correlation(wide).tolist(),
            "squared-euclidean": squared_euclidean(wide).tolist(),
        }
    )

grams = [numpy.array(layer["data"]).reshape(layer["shape"]) for layer in layers]
grams = [x @ x.T for x in grams]
alignments = []
for (a, k), (b, l) in itertools.combinations_with_replacement(enumerate(grams), 2):
    row = {"layers": [a, b]}
    for name, hsic in (("biased", hsic_biased), ("unbiased", hsic_unbiased)):
        row[name] = {"hsic": hsic(k, l), "cka": hsic(k, l) / numpy.sqrt(hsic(k, k) * hsic(l, l))}
    alignments.append(row)

# Five subjects who share a structure, over 8 stimuli; the second set is coarse, so that there are many ties.
truth = squared_euclidean(random.normal(size=(8, 5)))
subjects = truth + 0.8 * random.normal(size=(5, len(truth)))
sets = []
for values in (subjects, numpy.round(2 * subjects) / 2):
    sets.append(
        {
            "subjects": values.tolist(),
            "first two": {name: compare(values[0], values[1]) for name, compare in comparisons.items()},
            "ceilings": {name: ceiling(values, name) for name in comparisons},
        }
    )

# Little that varies beside a common level, and beside levels of rows that differ. Drawn apart, so that the layers above stay.
levelled = numpy.random.default_rng(13)
for level in (numpy.full((9, 1), 50.0), numpy.array([50, -20, 0, 1000, 3, 50, 50, 7, 0.1])[:, None]):
    x = (level + 1e-4 * levelled.normal(size=(9, 40))).astype(numpy.float32)
    wide = x.astype(float)
    layers.append(
        {
            "shape": [9, 40],
            "data": x.ravel().tolist(),
            "correlation": correlation(wide).tolist(),
            "squared-euclidean": squared_euclidean(wide).tolist(),
        }
    )

pathlib.Path(__file__).with_name("similarity.json").write_text(
    json.dumps(
        {
            "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
            "layers": layers,
            "alignments": alignments,
            "sets": sets,
        }
    )
    + "\n"
)
