"""Goldens of numeric/statistics: SciPy correlations, ranks and t quantiles, NumPy quantiles.

Run: /usr/bin/python3 test/golden/make-statistics.py
"""

import json
import pathlib

import numpy
import scipy
from scipy import stats

random = numpy.random.default_rng(7)


def pair(name, x, y):
    return {
        "name": name,
        "x": list(map(float, x)),
        "y": list(map(float, y)),
        "pearson": float(stats.pearsonr(x, y)[0]),
        "spearman": float(stats.spearmanr(x, y)[0]),
        "ranksX": list(map(float, stats.rankdata(x))),
    }


smooth = random.normal(size=40)
pairs = [
    pair("smooth", smooth, smooth + random.normal(size=40)),
    pair("ties", random.integers(0, 5, 60), random.integers(0, 4, 60)),
    pair("ties on one side", random.poisson(2.0, 50), random.normal(size=50)),
    pair("negative", smooth, -(smooth**3)),
    pair("large offset", 1e8 + smooth, smooth * 2 + random.normal(size=40) * 0.1),
    pair("two values", [1.0, 2.0], [5.0, 3.0]),
]

lists = [
    random.normal(size=1),
    random.normal(size=2),
    random.normal(size=11),
    random.integers(0, 4, 30).astype(float),
    random.exponential(size=101) * 1e-3,
]
quantiles = [
    {
        "values": list(map(float, values)),
        "quantiles": [[p, float(numpy.quantile(values, p))] for p in (0, 0.025, 0.1, 0.3, 0.5, 0.75, 0.975, 1)],
        "median": float(numpy.median(values)),
        "mean": float(numpy.mean(values)),
        "population": float(numpy.std(values)),
        "sample": float(numpy.std(values, ddof=1)) if len(values) > 1 else None,
    }
    for values in lists
]


def t_quantile(p, df):
    """SciPy 1.10's own `ppf` is good to 3e-9 only; Newton steps on its distribution function mend that."""
    t = stats.t.ppf(p, df)
    for _ in range(4):
        t -= (stats.t.cdf(t, df) - p) / stats.t.pdf(t, df)
    return float(t)


t_quantiles = [
    [p, df, t_quantile(p, df)]
    for df in (1, 2, 3, 4.5, 9, 13, 19, 30, 100, 1000, 1e5)
    for p in (1e-6, 0.005, 0.025, 0.05, 0.3, 0.5, 0.6, 0.9, 0.975, 0.995, 0.9999)
]

path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text(
    json.dumps(
        {
            "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
            "pairs": pairs,
            "quantiles": quantiles,
            "tQuantiles": t_quantiles,
        }
    )
    + "\n"
)
