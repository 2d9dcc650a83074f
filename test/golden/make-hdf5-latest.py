"""A file of units and trials in the newest layout of HDF5, whose superblock, headers, heaps and indices carry checksums.

Writes hdf5/latest.nwb, and hdf5-latest.json: where the chunks behind the filter Fletcher32 stand, and the counts of spikes.
"""
import json
from pathlib import Path
import h5py, numpy

here = Path(__file__).parent
rng = numpy.random.default_rng(12)
found = {"versions": {"h5py": h5py.__version__, "numpy": numpy.__version__, "hdf5": h5py.version.hdf5_version}}

# Spikes: 3 units, 6 trials of 2 stimuli, 1 s apart; counts of spikes 50 to 150 ms after the start.
trials = ["x.png", "y.png", "x.png", "y.png", "x.png", "x.png"]
starts = 10.0 + numpy.arange(6)
spikes = [numpy.sort(rng.uniform(9.5, 16.5, n)) for n in (60, 0, 90)]
with h5py.File(here / "hdf5" / "latest.nwb", "w", libver="latest", track_order=True) as file:
    units = file.create_group("units")
    units["id"] = numpy.arange(3)
    times = units.create_dataset("spike_times", data=numpy.concatenate(spikes), chunks=(75,), fletcher32=True)
    units["spike_times_index"] = numpy.cumsum([len(s) for s in spikes]).astype("uint32")
    units.create_dataset("location", data=["V4", "IT", "IT"], dtype=h5py.string_dtype())
    units.attrs["colnames"] = ["spike_times", "location"]
    table = file.create_group("intervals/trials")
    table["id"] = numpy.arange(6)
    table.create_dataset("start_time", data=starts, maxshape=(None,), chunks=(4,))
    table["stop_time"] = starts + 0.3
    table.create_dataset("image", data=trials, dtype=h5py.string_dtype())
    table.attrs["colnames"] = ["start_time", "stop_time", "image"]
    for i in range(12):
        table.attrs[f"more{i}"] = i
    file.flush()
    chunks = [times.id.get_chunk_info(i) for i in range(times.id.get_num_chunks())]
    found["chunks"] = [[c.byte_offset, c.size] for c in chunks]
found["counts"] = [[int(((s - t >= 0.05) & (s - t < 0.15)).sum()) for s in spikes] for t in starts]
(here / "hdf5-latest.json").write_text(json.dumps(found) + "\n")
