"""The peer of bench/pls.ts: scikit-learn's PLSRegression on the same files, fold by fold.

    pls_peer.py FOLDER FOLDS   reads FOLDER/problem.json, x.f32, y.f64, fold.i32; fits the first FOLDS folds;
                               writes FOLDER/peer.f64 (held-out predictions) and prints JSON
"""
import json
import pathlib
import sys
import time

import numpy
import sklearn
from sklearn.cross_decomposition import PLSRegression

folder = pathlib.Path(sys.argv[1])
count = int(sys.argv[2])
problem = json.loads((folder / "problem.json").read_text())
rows = problem["rows"]
x = numpy.fromfile(folder / "x.f32", numpy.float32).reshape(rows, -1)
y = numpy.fromfile(folder / "y.f64").reshape(rows, -1)
fold = numpy.fromfile(folder / "fold.i32", numpy.int32)
predicted = numpy.full(y.shape, numpy.nan)

started, used = time.perf_counter(), time.process_time()
wide = x.astype(numpy.float64)
for k in range(count):
    model = PLSRegression(problem["components"], scale=False, tol=problem["tolerance"], max_iter=500)
    test = fold == k
    predicted[test] = model.fit(wide[~test], y[~test]).predict(wide[test])
seconds, processor = time.perf_counter() - started, time.process_time() - used

predicted.tofile(folder / "peer.f64")
status = pathlib.Path("/proc/self/status").read_text()
peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
version = f"scikit-learn {sklearn.__version__}, NumPy {numpy.__version__}"
print(json.dumps({"seconds": seconds, "processor": processor, "peak": peak, "version": version}))
