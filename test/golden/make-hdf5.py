"""HDF5 files as MATLAB 7.3, netCDF-4 (BrainIO) and NWB lay them out, written by h5py, with the numbers that are in them.

Writes hdf5/: matlab73.mat, cyclic.mat, assembly.nc, units.nwb, and hdf5.json with what a reader must find.
"""
import json
from pathlib import Path
import h5py, numpy

folder = Path(__file__).with_name("hdf5")
folder.mkdir(exist_ok=True)
rng = numpy.random.default_rng(11)
found = {"versions": {"h5py": h5py.__version__, "numpy": numpy.__version__, "hdf5": h5py.version.hdf5_version}}


def matlab_file(name):
    path = folder / name
    file = h5py.File(path, "w", userblock_size=512, track_order=False)
    return path, file


def finish(path, file):
    file.close()
    with open(path, "r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, by h5py".ljust(124) + b"\x00\x02IM")


def put(group, name, array, kind, **options):
    """An array as MATLAB puts it: dimensions turned around."""
    data = group.create_dataset(name, data=numpy.asarray(array).T, **options)
    data.attrs["MATLAB_class"] = numpy.bytes_(kind)
    return data


def text(group, name, value):
    units = numpy.frombuffer(value.encode("utf-16-le"), "<u2").reshape(1, -1)
    data = put(group, name, units, "char")
    data.attrs["MATLAB_int_decode"] = numpy.int32(2)
    return data


path, file = matlab_file("matlab73.mat")
refs = file.create_group("#refs#")
doubles = rng.normal(size=(3, 4, 2, 5))
put(file, "doubles", doubles, "double", chunks=(5, 2, 2, 1), compression="gzip")
put(file, "counts", rng.integers(0, 200, (2, 3)).astype("uint8"), "uint8")
put(file, "flags", numpy.array([[1, 0, 1]], "uint8"), "logical").attrs["MATLAB_int_decode"] = numpy.int32(1)
text(file, "title", "naïve ✓")
names = ["C:\\set\\b.png", "C:\\set\\a.png"]
cells = [text(refs, f"n{i}", value).ref for i, value in enumerate(names)]
put(file, "paths", numpy.array([cells], dtype=h5py.ref_dtype), "cell")
empty = put(file, "empty", numpy.array([0, 3], "uint64"), "double")
empty.attrs["MATLAB_empty"] = numpy.uint8(1)
record = file.create_group("record")
record.attrs["MATLAB_class"] = numpy.bytes_("struct")
put(record, "a", numpy.array([[1.5]]), "double")
text(record, "b", "x")
records = file.create_group("records")
records.attrs["MATLAB_class"] = numpy.bytes_("struct")
values = [put(refs, f"v{i}", numpy.full((1, i + 1), float(i)), "double").ref for i in range(2)]
records.create_dataset("value", data=numpy.array([values], dtype=h5py.ref_dtype).T)
sparse = file.create_group("sparse")
sparse.attrs["MATLAB_class"] = numpy.bytes_("double")
sparse.attrs["MATLAB_sparse"] = numpy.uint64(3)
put(file, "complex", numpy.array([[1 + 2j]]), "double")
file["outside"] = h5py.ExternalLink("/etc/hostname", "/x")
finish(path, file)
found["matlab73"] = {"doubles": doubles.ravel().tolist()}

path, file = matlab_file("cyclic.mat")
loop = file.create_dataset("loop", (1, 2), dtype=h5py.ref_dtype)
loop.attrs["MATLAB_class"] = numpy.bytes_("cell")
loop[0, 0] = loop.ref
loop[0, 1] = loop.ref
finish(path, file)

# An assembly: 3 images, 2 to 3 repetitions in mixed order, 4 sites of 2 areas and 2 animals, 2 time bins.
images = ["b7", "a1", "c9"]
shown = [("a1", 0), ("c9", 0), ("b7", 0), ("c9", 1), ("a1", 1), ("b7", 1), ("a1", 2)]
objects = {"a1": "dog", "b7": "car", "c9": "pear"}
responses = rng.normal(size=(len(shown), 4, 2)).astype("float32")
with h5py.File(folder / "assembly.nc", "w") as file:
    strings = h5py.string_dtype()
    for name, size in [("presentation", len(shown)), ("neuroid", 4), ("time_bin", 2)]:
        scale = file.create_dataset(name, data=numpy.zeros(size, ">f4"))
        scale.make_scale(f"This is a netCDF dimension but not a netCDF variable.{size:10d}")

    def variable(name, dims, data, dtype=None):
        data = file.create_dataset(name, data=data, dtype=dtype)
        for axis, dim in enumerate(dims):
            data.dims[axis].attach_scale(file[dim])

    variable("image_id", ["presentation"], [i for i, _ in shown], strings)
    variable("repetition", ["presentation"], [r for _, r in shown])
    variable("object_name", ["presentation"], [objects[i] for i, _ in shown], strings)
    variable("neuroid_id", ["neuroid"], ["n1", "n2", "n3", "n4"], strings)
    variable("region", ["neuroid"], ["V4", "V4", "IT", "IT"], strings)
    variable("animal", ["neuroid"], ["Chabo", "Tito", "Chabo", "Tito"], strings)
    variable("time_bin_start", ["time_bin"], [70, 170])
    variable("time_bin_end", ["time_bin"], [170, 270])
    variable("dicarlo.Made.public", ["presentation", "neuroid", "time_bin"], responses)
found["assembly"] = {
    "shown": [[i, r] for i, r in shown],
    "objects": objects,
    "responses": responses.astype(float).ravel().tolist(),
}

# Spikes: 3 units, 6 trials of 2 stimuli, 1 s apart; counts of spikes 50 to 150 and 150 to 250 ms after the start.
trials = ["x.png", "y.png", "x.png", "y.png", "x.png", "x.png"]
starts = 10.0 + numpy.arange(6)
spikes = [numpy.sort(rng.uniform(9.5, 16.5, n)) for n in (200, 0, 350)]
with h5py.File(folder / "units.nwb", "w") as file:
    file.attrs["nwb_version"] = "2.6.0"
    units = file.create_group("units")
    units["id"] = numpy.arange(3)
    units["spike_times"] = numpy.concatenate(spikes)
    units["spike_times_index"] = numpy.cumsum([len(s) for s in spikes]).astype("uint32")
    units.create_dataset("location", data=["V4", "IT", "IT"], dtype=h5py.string_dtype())
    units.attrs["colnames"] = ["spike_times", "location"]
    table = file.create_group("intervals/trials")
    table["id"] = numpy.arange(6)
    table["start_time"] = starts
    table["stop_time"] = starts + 0.3
    table.create_dataset("image", data=trials, dtype=h5py.string_dtype())
    table.attrs["colnames"] = ["start_time", "stop_time", "image"]
windows = [(0.05, 0.15), (0.15, 0.25)]
counts = [
    [[int(((s - t >= a) & (s - t < b)).sum()) for a, b in windows] for s in spikes] for t in starts
]
found["units"] = {"trials": trials, "counts": counts}
Path(__file__).with_name("hdf5.json").write_text(json.dumps(found) + "\n")
