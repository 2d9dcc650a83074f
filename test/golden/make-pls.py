"""Goldens of regression/pls: held-out and training predictions of scikit-learn's PLSRegression.

Run: /usr/bin/python3 test/golden/make-pls.py

pls.npz holds, for each case, features `<name>/x` (float32), targets `<name>/y`, the fold of each row `<name>/fold`,
held-out predictions `<name>/heldOut` and predictions of a fit on all rows `<name>/fitted`. Cases may share features and
targets (`data`). pls.json lists the cases.
"""

import json
import pathlib
import warnings

import numpy
import sklearn
from sklearn.cross_decomposition import PLSRegression

random = numpy.random.default_rng(20)
arrays = {}
cases = []


def targets(x, count, noise=0.5):
    """Responses driven by the features and by something else."""
    x = x - x.mean(0)
    drive = x @ random.normal(size=(x.shape[1], count))
    return drive / drive.std(0) + noise * random.normal(size=drive.shape)


def spectrum(rows, columns, decay):
    """Features whose principal components have standard deviations decay**k."""
    rank = min(rows, columns)
    u, _ = numpy.linalg.qr(random.normal(size=(rows, rank)))
    v, _ = numpy.linalg.qr(random.normal(size=(columns, rank)))
    return (u * decay ** numpy.arange(rank)) @ v.T * numpy.sqrt(rows)


def folds(rows, count):
    return random.permutation(numpy.arange(rows) % count).astype(numpy.int32)


def data(name, x, y, count=5):
    arrays[f"{name}/x"] = x.astype(numpy.float32)
    arrays[f"{name}/y"] = numpy.asarray(y, dtype=numpy.float64)
    arrays[f"{name}/fold"] = folds(len(x), count)
    return name


def case(name, source, components, tolerance=1e-6, iterations=500, stopping="scikit-learn", **more):
    x = arrays[f"{source}/x"].astype(numpy.float64)
    y = arrays[f"{source}/y"]
    fold = arrays[f"{source}/fold"]

    def model():
        return PLSRegression(components, scale=False, max_iter=iterations, tol=tolerance)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held_out = numpy.empty_like(y)
        for k in numpy.unique(fold):
            fitted = model().fit(x[fold != k], y[fold != k])
            held_out[fold == k] = fitted.predict(x[fold == k]).reshape(-1, y.shape[1])
        arrays[f"{name}/heldOut"] = held_out
        arrays[f"{name}/fitted"] = model().fit(x, y).predict(x).reshape(-1, y.shape[1])
    cases.append(
        {
            "name": name,
            "data": source,
            "components": components,
            "tolerance": tolerance,
            "maxIterations": iterations,
            "stopping": stopping,
            **more,
        }
    )


x = spectrum(60, 50, 0.93) + 3 * random.normal(size=50)
data("wide", x, targets(x, 3))
case("full rank", "wide", 8)

x = spectrum(90, 30, 0.9) + random.normal(size=30)
data("narrow", x, targets(x, 4))
case("fewer features than half the rows", "narrow", 10)

x = spectrum(50, 200, 0.95)
data("tall", x, targets(x, 6))
case("more features than rows", "tall", 12)
case("loose tolerance", "tall", 12, tolerance=1e-4)
case("hardly any iterations", "tall", 12, tolerance=1e-12, iterations=4)
# scikit-learn at a tolerance below rounding of its criterion and with room to get there.
case("converged", "tall", 12, tolerance=1e-25, iterations=100_000, stopping="converged")

data("single", x, targets(x, 1))
case("one target", "single", 12)

data("many", x, targets(x, 60))
case("more targets than rows", "many", 10)

x = spectrum(60, 80, 0.5) + random.normal(size=80)
data("ill", x, targets(x, 4, noise=0.05))
case("ill-conditioned", "ill", 16)

x = spectrum(50, 60, 0.9)
x[:, 7] = 0.3
x[:, 11] = 0
y = targets(x, 4)
y[:, 0] = 2.5
y[:, 2] = -4
data("constant", x, y)
case("constant features and targets", "constant", 6)

x = spectrum(60, 25, 0.9)
x[:, 3] = 1.7
y = targets(x, 3)
y[:, 0] = 2.5
data("constant narrow", x, y)
case("constant features and targets, narrow", "constant narrow", 6)

# Six directions and, through storage in float32, a floor of rounding at 1e-7 that scikit-learn fits as it is.
x = random.normal(size=(50, 6)) @ random.normal(size=(6, 60))
data("deficient", x, targets(x, 3))
case("rank-deficient but for float32 rounding", "deficient", 9)

x = random.normal(size=(80, 5)) @ random.normal(size=(5, 30))
data("deficient narrow", x, targets(x, 3))
case("rank-deficient but for float32 rounding, narrow", "deficient narrow", 8)

# Small integers: the rank is exactly 4, and scikit-learn's fifth component is rounding noise of float64.
x = random.integers(-3, 4, size=(50, 4)) @ random.integers(-3, 4, size=(4, 60))
data("integers", x, targets(x, 3))
case("rank spent", "integers", 4)

x = spectrum(120, 100, 0.95) + random.normal(size=100)
data("recorded", x, targets(x, 20, noise=2), count=10)
case("25 components", "recorded", 25)

folder = pathlib.Path(__file__).parent
numpy.savez_compressed(folder / "pls.npz", **{key.replace("/", "__"): value for key, value in arrays.items()})
versions = {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__}
(folder / "pls.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")
