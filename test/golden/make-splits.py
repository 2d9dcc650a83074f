"""Goldens of numeric/mersenne and regression/sklearn-splits: NumPy's RandomState and scikit-learn's split sequences.

Run: /usr/bin/python3 test/golden/make-splits.py
"""

import json
import pathlib
import zlib

import numpy
import sklearn
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedShuffleSplit

streams = []
for seed in (0, 1, 42, 2**31, 2**32 - 1):
    state = numpy.random.RandomState(seed)
    first = state.randint(0, 2**32, size=4, dtype=numpy.uint32).tolist()
    state = numpy.random.RandomState(seed)
    samples = state.random_sample(3).tolist()
    bounded = [int(state.randint(n)) for n in (1, 2, 7, 8, 1000, 3200, 2**31, 2**32)]
    permutation = state.permutation(20).tolist()
    shuffled = state.permutation(numpy.array([5, 3, 9, 9, 1])).tolist()
    # Past the first 624 words, so that the state is made anew.
    long = zlib.crc32(state.permutation(2000).astype("<i4").tobytes())
    last = state.random_sample()
    streams.append(
        {
            "seed": seed,
            "words": first,
            "samples": samples,
            "bounded": bounded,
            "permutation": permutation,
            "shuffled": shuffled,
            "long": long,
            "last": last,
        }
    )

random = numpy.random.default_rng(5)
layouts = {
    "8 objects of 80": [f"object {k // 80}" for k in range(640)],
    "mixed": [str(name) for name in random.choice(["b", "A", "é", "10", "9", "\U0001f600", "\uff21"], 150)],
    "two uneven": ["x"] * 7 + ["y"] * 40,
    "ties": [name for name in "abcdefghij" for _ in range(5)],
}


def checksums(splits):
    """Sizes, and a checksum over the rows in order, of every split."""
    return [
        [len(train), len(test), zlib.crc32(train.astype("<i4").tobytes()), zlib.crc32(test.astype("<i4").tobytes())]
        for train, test in splits
    ]


k_folds = []
for rows, count, seed in ((640, 10, 1), (14, 14, 0), (101, 4, 7), (5, 2, 123)):
    folds = KFold(count, shuffle=True, random_state=seed)
    k_folds.append([rows, count, seed, [test.tolist() if rows < 200 else zlib.crc32(test.astype("<i4").tobytes()) for _, test in folds.split(numpy.zeros(rows))]])

shuffles = []
for rows, count, share, seed in (
    (640, 10, {"test": 0.1}, 1),
    (33, 3, {"test": 0.25}, 0),
    (3200, 2, {"train": 0.9}, 1),
    (777, 3, {"train": 0.9}, 99),
):
    size = {f"{key}_size": value for key, value in share.items()}
    shuffles.append([rows, count, share, seed, checksums(ShuffleSplit(count, **size, random_state=seed).split(numpy.zeros(rows)))])

stratified = []
for layout, count, share, seed in (
    ("8 objects of 80", 10, {"test": 0.1}, 1),
    ("8 objects of 80", 10, {"train": 0.9}, 1),
    ("mixed", 10, {"test": 0.1}, 1),
    ("mixed", 5, {"test": 0.33}, 2),
    ("two uneven", 6, {"test": 0.2}, 3),
    ("ties", 10, {"test": 0.25}, 4),
    ("ties", 4, {"train": 0.7}, 2**32 - 1),
):
    size = {f"{key}_size": value for key, value in share.items()}
    names = numpy.array(layouts[layout])
    splits = StratifiedShuffleSplit(count, **size, random_state=seed).split(numpy.zeros(len(names)), names)
    stratified.append([layout, count, share, seed, checksums(splits)])

small = StratifiedShuffleSplit(2, test_size=0.3, random_state=1).split(numpy.zeros(10), numpy.array(list("aabbbbbaab")))
written_out = [[train.tolist(), test.tolist()] for train, test in small]

pathlib.Path(__file__).with_name("splits.json").write_text(
    json.dumps(
        {
            "versions": {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__},
            "streams": streams,
            "layouts": layouts,
            "kFolds": k_folds,
            "shuffles": shuffles,
            "stratified": stratified,
            "writtenOut": written_out,
        }
    )
    + "\n"
)
