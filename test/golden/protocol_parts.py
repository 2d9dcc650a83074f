"""What protocols.py is made of: correlations and regressions, each from its documentation."""

import numpy as np
from scipy.stats import rankdata
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import RidgeCV

COMPONENTS = 25
STRENGTHS = [0.1, 1.0, 10.0, 100.0, 1000.0]


# Correlations


def correlate(a, b, kind):
    """One number for two lists, over the places that both have; NaN where one of them is constant."""
    there = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[there], b[there]
    if len(a) < 2:
        return np.nan
    if kind == "spearman":
        a, b = rankdata(a), rankdata(b)
    a, b = a - a.mean(), b - b.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def by_site(recorded, predicted, kind):
    return np.array([correlate(recorded[:, s], predicted[:, s], kind) for s in range(recorded.shape[1])])


# Regressions


def pls(tolerance):
    def predict(x, y, test):
        model = PLSRegression(COMPONENTS, scale=False, max_iter=500, tol=tolerance)
        return model.fit(x, y).predict(test).reshape(len(test), -1)

    return predict


def ridge(x, y, test):
    """The strength of each site by the squared error of leaving one training row out."""
    return RidgeCV(STRENGTHS, alpha_per_target=True).fit(x, y).predict(test).reshape(len(test), -1)


def regress(predict, x, y, left_out, test):
    """
    Predictions of the rows `test` from all rows but `left_out`. A site that lacks responses is predicted without the rows
    that it lacks; all sites are fitted together each time, what others lack filled with their mean.
    """
    missing = np.isnan(y)
    filled = np.where(missing, np.nanmean(y, 0), y)
    found = np.full((len(test), y.shape[1]), np.nan)
    for pattern in {tuple(np.flatnonzero(column)) for column in missing.T}:
        train = np.setdiff1d(np.arange(len(y)), [*left_out, *pattern])
        own = [s for s in range(y.shape[1]) if tuple(np.flatnonzero(missing[:, s])) == pattern]
        found[:, own] = predict(x[train], filled[train], x[test])[:, own]
    return np.where(missing[test], np.nan, found)
