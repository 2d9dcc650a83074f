import { permuteAxes } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Dimension, Recording } from '../records/recording.ts';

const axes: readonly Dimension[] = ['time', 'site', 'stimulus', 'row', 'column', 'trial'];

/**
 * Mean response over trials at each fixation, `[site, stimulus, row, column]`, in one time bin of a recording on a
 * grid, in its unit; NaN where no trial is there. Input error where there is no grid.
 */
export const responseMaps = ({ header, responses }: Recording, bin: number): Float64Nd => {
  if (header.grid === null)
    throw inputError({
      where: header.name,
      expected: 'a recording with a response per fixation',
      got: 'one response per image',
      mend: 'maps need a grid',
    });
  const order = axes.filter((name) => header.dims.includes(name));
  const { data } = permuteAxes(
    responses,
    order.map((name) => header.dims.indexOf(name)),
  );
  const sizeOf = (name: Dimension): number => {
    const axis = header.dims.indexOf(name);
    return axis < 0 ? 1 : responses.shape[axis]!;
  };
  const shape = [sizeOf('site'), sizeOf('stimulus'), sizeOf('row'), sizeOf('column')];
  const places = shape.reduce((product, size) => product * size, 1);
  const trials = sizeOf('trial');
  const map = Float64Array.from({ length: places }, (_, place) => {
    let [sum, there] = [0, 0];
    const at = (bin * places + place) * trials;
    for (let trial = 0; trial < trials; trial++) {
      const value = data[at + trial]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      there++;
    }
    return there === 0 ? Number.NaN : sum / there;
  });
  return { data: map, shape };
};

/** Mean over stimuli of maps `[site, stimulus, row, column]`: `[site, row, column]`; NaN is passed over. */
export const meanOverStimuli = ({ data, shape }: Float64Nd): Float64Nd => {
  const [sites, stimuli, rows, columns] = shape as readonly [number, number, number, number];
  const cells = rows * columns;
  const mean = Float64Array.from({ length: sites * cells }, (_, index) => {
    const [site, cell] = [Math.floor(index / cells), index % cells];
    let [sum, there] = [0, 0];
    for (let stimulus = 0; stimulus < stimuli; stimulus++) {
      const value = data[(site * stimuli + stimulus) * cells + cell]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      there++;
    }
    return there === 0 ? Number.NaN : sum / there;
  });
  return { data: mean, shape: [sites, rows, columns] };
};
