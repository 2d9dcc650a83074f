"""Nested choice of a layer, and Brain-Score-like shuffle splits, with scikit-learn.

    /usr/bin/python3 test/golden/make-nested.py

Writes test/golden/nested.json (figures) and nested.npz (features of three layers, responses).
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import KFold, StratifiedShuffleSplit

OUT = pathlib.Path(__file__).parent
COMPONENTS = 5
ROWS, SITES, FOLDS = 60, 6, 5

random = np.random.RandomState(7)
latent = random.randn(ROWS, 8)
responses = latent @ random.randn(8, SITES) + 2.0 * random.randn(ROWS, SITES)
layers = {
    name: (latent @ random.randn(8, width) + noise * random.randn(ROWS, width)).astype(np.float32)
    for name, width, noise in [("early", 40, 1.0), ("middle", 80, 1.1), ("late", 50, 0.95)]
}
classes = np.array([f"class {i % 4}" for i in range(ROWS)])


def predict(features, train, test):
    model = PLSRegression(n_components=COMPONENTS, scale=False, tol=1e-6, max_iter=500)
    model.fit(features[train].astype(np.float64), responses[train])
    return model.predict(features[test].astype(np.float64))


def median_r(recorded, predicted):
    return float(np.median([np.corrcoef(recorded[:, s], predicted[:, s])[0, 1] for s in range(SITES)]))


folds = [test for _, test in KFold(FOLDS).split(responses)]
rows = np.arange(ROWS)


def out_of_fold(features, inside):
    """
    Recorded and predicted responses of the rows `inside`, each fold's from the other rows of `inside`, and both less the mean
    of these others: what is correlated over several folds.
    """
    predicted = np.full((ROWS, SITES), np.nan)
    recorded = np.full((ROWS, SITES), np.nan)
    for test in folds:
        if not np.isin(test, inside).all():
            continue
        train = np.setdiff1d(inside, test)
        mean = responses[train].mean(0)
        predicted[test] = predict(features, train, test) - mean
        recorded[test] = responses[test] - mean
    return recorded[inside], predicted[inside]


best = {name: median_r(*out_of_fold(x, rows)) for name, x in layers.items()}
chosen, choice = [], []
nested = np.full((ROWS, SITES), np.nan)
around = np.full((ROWS, SITES), np.nan)
for test in folds:
    inside = np.setdiff1d(rows, test)
    figures = {name: median_r(*out_of_fold(x, inside)) for name, x in layers.items()}
    choice.append(figures)
    taken = max(figures, key=figures.get)
    chosen.append(taken)
    nested[test] = predict(layers[taken], inside, test) - responses[inside].mean(0)
    around[test] = responses[test] - responses[inside].mean(0)

splits = []
for train, test in StratifiedShuffleSplit(10, test_size=0.2, random_state=1).split(rows, classes):
    splits.append(
        {name: median_r(responses[test], predict(x, train, test)) for name, x in layers.items()}
    )

np.savez_compressed(OUT / "nested.npz", responses=responses, **layers)
(OUT / "nested.json").write_text(
    json.dumps(
        {
            "versions": {
                "numpy": np.__version__,
                "scipy": scipy.__version__,
                "sklearn": sklearn.__version__,
            },
            "components": COMPONENTS,
            "folds": FOLDS,
            "classes": classes.tolist(),
            "best": best,
            "choice": choice,
            "chosen": chosen,
            "nested": median_r(around, nested),
            "splits": splits,
        },
        indent=1,
    )
    + "\n"
)
print(best, chosen, median_r(around, nested))
