// From format 1, which files had before they said so, to format 2. Names are mapped where the old one is there: files of the
// last days of format 1 have some of the new ones. Numbers stay as they are.

import { withPresentNames } from './protocol-form.ts';
import { type Fields, isFields } from './stored.ts';

const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const renamed = (value: unknown, names: Readonly<Record<string, string>>): unknown => {
  if (!isFields(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const name = Object.hasOwn(names, key) ? names[key]! : key;
    return [name in value ? key : name, inner] as const;
  });
  return Object.fromEntries(entries);
};

/** With a field changed where there is one. */
const changed = (fields: Fields, key: string, change: (value: unknown) => unknown): Fields =>
  key in fields ? { ...fields, [key]: change(fields[key]) } : fields;

const each =
  (change: (value: unknown) => unknown) =>
  (value: unknown): unknown =>
    Array.isArray(value) ? value.map(change) : value;

const inFields =
  (change: (fields: Fields) => Fields) =>
  (value: unknown): unknown =>
    isFields(value) ? change(value) : value;

/** What an interval of ends alone was: unknown but for this. */
type Else = (interval: Fields) => Fields;

const nothingElse: Else = () => ({});

const intervalFields = ['interval', 'ceilingInterval', 'rawInterval'];

/** Every interval in the value as a whole record: `images` and `sites` are its `n`. */
const withIntervals = (value: unknown, otherwise: Else): unknown => {
  if (Array.isArray(value)) return value.map((inner) => withIntervals(inner, otherwise));
  if (!isFields(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const below = withIntervals(inner, otherwise);
    // The interval of a protocol has no ends: it says how they are to be found.
    const isInterval = intervalFields.includes(key) && isFields(below) && 'low' in below;
    return [key, isInterval && !('n' in below) ? wholeInterval(below, otherwise) : below] as const;
  });
  return Object.fromEntries(entries);
};

const wholeInterval = (interval: Fields, otherwise: Else): Fields => {
  const { low, high, images = null, sites = null, ...rest } = interval;
  return { low, high, n: { images, sites }, ...otherwise(interval), ...rest };
};

const runFields = ['versions', 'seed', 'threads', 'device', 'seconds', 'startedAt'];

/** Roles of what was a field of its own. */
const roles: Readonly<Record<string, string>> = {
  model: 'model',
  activations: 'activations',
  recording: 'recording',
  stimuli: 'stimuli',
  images: 'images',
  maps: 'human-maps',
  preprocessing: 'preprocessing',
  protocol: 'protocol',
};

const provenanceOf = (old: unknown): unknown => {
  if (!isFields(old) || 'run' in old) return old;
  const { logit } = old;
  const inputs = Object.entries(roles).flatMap(([field, role]): Fields[] => {
    const value = old[field];
    if (!isFields(value)) return [];
    if (role === 'preprocessing')
      return [{ role, name: value.name, sha256: null, settings: value }];
    const name = value.name ?? fieldsOf(old.recording).name;
    return [{ role, ...value, name, ...(role === 'model' && logit ? { tensor: logit } : {}) }];
  });
  const taken = [...runFields, ...Object.keys(roles), 'logit', 'engineCheck'];
  const rest = Object.entries(old).filter(([key]) => !taken.includes(key));
  const run = Object.fromEntries(runFields.map((field) => [field, old[field] ?? null]));
  return { run, inputs, engineCheck: old.engineCheck ?? null, ...Object.fromEntries(rest) };
};

/** Of files that said no more of their run than version and seed. */
const runOf = ({ version, seed }: Fields): Fields => ({
  ...{ versions: { ventral: version }, seed },
  ...{ threads: null, device: null, seconds: null, startedAt: null },
});

/** What was done with missing responses before a protocol could say so. */
const protocolOf = (value: unknown): unknown =>
  inFields((protocol) => ({ missing: 'drop-sites', ...protocol }))(withPresentNames(value));

const layerOf = (value: unknown): unknown => renamed(value, { strengths: 'alphas' });

/** Nulls that are means of draws, and of how many, before they said so. */
const permuted = ['permuted-stimuli', 'permuted-maps', 'shuffled-positions'];
const permutations = 20;

/** `choice`, `curve` and `splitError` are `nestedSelection`, `learningCurve` and `standardErrorOverSplits`; `strengths` `alphas`. */
export const scoreFromFirst = (file: Fields): Fields => {
  const isApproximate = fieldsOf(file.interval).approximate ?? true;
  const names = {
    ...{ choice: 'nestedSelection', curve: 'learningCurve' },
    splitError: 'standardErrorOverSplits',
  };
  const nullOf = inFields((found) => {
    const isPermuted = permuted.includes(String(found.name));
    const differenceOf = inFields((difference) => {
      const around = { level: 0.95, method: difference.method, approximate: isApproximate };
      // What permutations reach lies around the score as it lies around their mean.
      const all = isPermuted ? fieldsOf(found.interval) : around;
      return changed(
        difference,
        'interval',
        inFields((interval) => ({ ...all, ...interval })),
      );
    });
    return {
      ...(isPermuted ? { draws: permutations } : {}),
      ...changed(found, 'difference', differenceOf),
    };
  });
  const steps: readonly (readonly [string, (value: unknown) => unknown])[] = [
    ['protocol', protocolOf],
    ['layers', each(layerOf)],
    ['nestedSelection', inFields((selection) => changed(selection, 'scores', layerOf))],
    ['nulls', each(nullOf)],
    ['provenance', provenanceOf],
  ];
  const present = steps.reduce<Fields>(
    (fields, [key, change]) => changed(fields, key, change),
    fieldsOf(renamed(file, names)),
  );
  return fieldsOf(withIntervals(present, nothingElse));
};

/** `subject` is `candidate`. Intervals had ends alone: the rest stands with the areas. */
export const profileFromFirst = (file: Fields): Fields => {
  const { version, seed, ...rest } = fieldsOf(renamed(file, { subject: 'candidate' }));
  const areas = listOf(rest.areas).filter(isFields);
  const level = rest.level ?? 0.95;
  const drawnOf = (names: readonly unknown[]): Fields => {
    const drawn = areas
      .filter(({ name }) => names.includes(name))
      .map(({ resampled }) => fieldsOf(resampled));
    const kinds = [...new Set(drawn.map(({ what }) => what))];
    const fewest = (of: string): number | null =>
      Math.min(...drawn.map((each) => Number(each[of]))) || null;
    return {
      level,
      method: ['percentile bootstrap', ...(kinds.length === 1 ? [`over ${kinds[0]}`] : [])].join(
        ' ',
      ),
      approximate: drawn.some(({ approximate }) => approximate === true),
      n: { images: fewest('images'), sites: fewest('sites') },
    };
  };
  const whole = (value: unknown, names: readonly unknown[]): unknown =>
    withIntervals(value, () => drawnOf(names));
  const inputs = areas.flatMap(({ file: path, recording }) => [
    { role: 'recording', ...fieldsOf(recording) },
    { role: 'score', name: path, sha256: null },
  ]);
  return {
    networkLayers: null,
    ...rest,
    areas: each((area) => whole(area, [fieldsOf(area).name]))(rest.areas),
    orders: each((order) => whole(order, [fieldsOf(order).first, fieldsOf(order).second]))(
      rest.orders,
    ),
    provenance: { run: runOf({ version, seed }), inputs, engineCheck: null },
  };
};

/** Protocol, seed and version stand in the provenance. */
export const ceilingsFromFirst = (file: Fields): Fields => {
  const { version, seed, protocol, ...rest } = file;
  const sides = listOf(rest.ceilings)
    .flatMap((ceiling) => [fieldsOf(ceiling).target, fieldsOf(ceiling).predictor])
    .filter(isFields);
  const recordings = new Map(sides.map(({ recording: name, sha256 }) => [sha256, name]));
  const inputs = [
    ...Array.from(recordings, ([sha256, name]) => ({ role: 'recording', name, sha256 })),
    { role: 'protocol', ...fieldsOf(protocol) },
  ];
  return fieldsOf(
    withIntervals(
      {
        ...rest,
        provenance: { run: runOf({ version, seed }), inputs, engineCheck: null },
      },
      nothingElse,
    ),
  );
};

/** `halves` were not kept; the ceiling of single images stays where it is, as a field that nothing reads. */
const metricsOf = inFields((metrics) =>
  Object.fromEntries(
    Object.entries(metrics).map(([name, metric]) => [
      name,
      inFields((fields) => ({ halves: null, ...fields }))(metric),
    ]),
  ),
);

/** `figures` are `metrics`. */
export const alignmentFromFirst = (file: Fields): Fields => {
  const withMetrics = inFields((fields) =>
    changed(fieldsOf(renamed(fields, { figures: 'metrics' })), 'metrics', metricsOf),
  );
  const present = fieldsOf(withMetrics(file));
  return fieldsOf(
    withIntervals(
      {
        ...present,
        controls: each(withMetrics)(present.controls),
        images: each(inFields((image) => ({ split: null, ...image })))(present.images),
        provenance: provenanceOf(present.provenance),
      },
      nothingElse,
    ),
  );
};

/** `remark` is `warning`. */
export const saliencyFromFirst = (file: Fields): Fields => {
  const provenance = fieldsOf(provenanceOf(file.provenance));
  const { score } = fieldsOf(file.of);
  const scores = isFields(score) ? [{ role: 'score', ...score }] : [];
  return {
    ...file,
    images: each((image) => renamed(image, { remark: 'warning' }))(file.images),
    provenance: { ...provenance, inputs: [...listOf(provenance.inputs), ...scores] },
  };
};

/** `"format": "ventral-recording", "version": 1` was all that it said. */
export const recordingFromFirst = ({ version: _, ...file }: Fields): Fields => file;
