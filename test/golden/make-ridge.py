"""Goldens of regression/ridge: nested choices and held-out predictions of scikit-learn's Ridge and RidgeCV.

Run: /usr/bin/python3 test/golden/make-ridge.py

ridge.npz holds features `<data>__x` (float32), targets `<data>__y`, the fold of each row `<data>__fold`, and for each case
the alphas chosen on each fold's training rows `<case>__alphas` [folds, targets], the criterion there
`<case>__errors` [folds, targets], the held-out predictions `<case>__heldOut`, and the predictions of a fit on all rows,
with alphas chosen on all rows, `<case>__fitted`. ridge.json lists the cases.

Leave-one-out is RidgeCV's. Generalised cross-validation, which RidgeCV does not offer, is written out from the hat matrix,
with Ridge's predictions.
"""

import json
import pathlib

import numpy
import sklearn
from sklearn.linear_model import Ridge, RidgeCV

random = numpy.random.default_rng(31)
arrays = {}
cases = []


def data(name, rows, columns, targets, noise, offset=1.0, folds=5):
    scale = 0.97 ** numpy.arange(columns)
    x = (random.normal(size=(rows, columns)) * scale + offset * random.normal(size=columns)).astype(numpy.float32)
    drive = x @ (random.normal(size=(columns, targets)) * scale[:, None])
    y = drive / drive.std(0) + noise * random.normal(size=(rows, targets)) + random.normal(size=targets)
    # Targets of very different size tell a common alpha from one per target.
    y *= 3.0 ** numpy.arange(targets)
    arrays[f"{name}__x"] = x
    arrays[f"{name}__y"] = y
    arrays[f"{name}__fold"] = random.permutation(numpy.arange(rows) % folds).astype(numpy.int32)


def by_gcv(x, y, alphas, per_target):
    m = len(x)
    centred = x - x.mean(0)
    errors = []
    for alpha in alphas:
        hat = centred @ numpy.linalg.solve(centred.T @ centred + alpha * numpy.eye(x.shape[1]), centred.T) + 1 / m
        residual = y - Ridge(alpha=alpha).fit(x, y).predict(x)
        error = m * (residual**2).sum(0) / numpy.trace(numpy.eye(m) - hat) ** 2
        errors.append(error if per_target else numpy.full(y.shape[1], error.mean()))
    best = numpy.argmin(errors, axis=0)
    return numpy.array(alphas)[best], numpy.min(errors, axis=0)


def by_leave_one_out(x, y, alphas, per_target):
    model = RidgeCV(alphas=alphas, alpha_per_target=per_target).fit(x, y)
    width = y.shape[1]
    return numpy.broadcast_to(model.alpha_, width), numpy.broadcast_to(-numpy.asarray(model.best_score_), width)


def case(name, source, alphas, choose, per_target):
    x = arrays[f"{source}__x"].astype(numpy.float64)
    y = arrays[f"{source}__y"]
    fold = arrays[f"{source}__fold"]
    choice = by_gcv if choose == "gcv" else by_leave_one_out
    held_out = numpy.empty_like(y)
    chosen, errors = [], []
    for k in numpy.unique(fold):
        alpha, error = choice(x[fold != k], y[fold != k], alphas, per_target)
        held_out[fold == k] = Ridge(alpha=alpha).fit(x[fold != k], y[fold != k]).predict(x[fold == k])
        chosen.append(alpha)
        errors.append(error)
    arrays[f"{name}__heldOut"] = held_out
    arrays[f"{name}__alphas"] = numpy.array(chosen)
    arrays[f"{name}__errors"] = numpy.array(errors)
    alpha, _ = choice(x, y, alphas, per_target)
    arrays[f"{name}__fitted"] = Ridge(alpha=alpha).fit(x, y).predict(x)
    cases.append(
        {"name": name, "data": source, "alphas": list(alphas), "choose": choose, "perTarget": per_target}
    )


grid = [10.0**k for k in range(-3, 5)]
data("narrow", 90, 20, 5, noise=1.0)
data("wide", 60, 150, 5, noise=0.5)
# More rows than a leaf of the factorisation, on both sides of a half.
data("deep", 330, 40, 3, noise=2.0, offset=10.0, folds=3)
for source in ("narrow", "wide"):
    for choose in ("leave-one-out", "gcv"):
        for per_target in (True, False):
            shared = "per target" if per_target else "common"
            case(f"{source}, {choose}, {shared}", source, grid, choose, per_target)
case("deep, leave-one-out, per target", "deep", grid[2:], "leave-one-out", True)
case("wide, one alpha", "wide", [3.5], "leave-one-out", False)

folder = pathlib.Path(__file__).parent
numpy.savez_compressed(folder / "ridge.npz", **arrays)
versions = {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__}
(folder / "ridge.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")
