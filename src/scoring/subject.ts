import { readStimulus } from '../data/stimuli.ts';
import { baseName } from '../formats/paths.ts';
import { openActivations } from '../models/activation-file.ts';
import { openNetwork } from '../models/open-network.ts';
import type { Features } from '../records/activations.ts';
import type { Ports } from '../records/ports.ts';
import type { Recording } from '../records/recording.ts';
import type { Provenance } from '../records/score.ts';
import { leastFeatures } from '../regression/regress.ts';
import { featureBudget } from './effort.ts';
import type { Target } from './target.ts';

/** What is scored: a model file, or activations that were computed elsewhere. */
export type SubjectRequest =
  | { readonly kind: 'model'; readonly path: string; readonly preprocess: string | null }
  | { readonly kind: 'activations'; readonly path: string };

/** What is scored, opened: its layers' activations, and what they come from. */
export interface Subject {
  readonly features: Features;
  readonly provenance: Pick<Provenance, 'model' | 'activations' | 'preprocessing'>;
}

/** Globs over layer names (null: all), and the bytes that the run may take. */
export interface SubjectLimits {
  readonly layers: readonly string[] | null;
  readonly memory: number;
}

/** Opens a model or a file of activations for the stimuli in use. `stimuli` is their SHA-256. */
export const openSubject = (
  subject: SubjectRequest,
  limits: SubjectLimits,
  recording: Recording,
  target: Target,
  stimuli: string,
  ports: Ports,
): Promise<Subject> =>
  subject.kind === 'activations'
    ? openFile(subject.path, limits, recording, target, ports)
    : openModel(subject, limits, recording, target, stimuli, ports);

const openFile = async (
  path: string,
  { layers }: SubjectLimits,
  recording: Recording,
  target: Target,
  ports: Ports,
): Promise<Subject> => {
  const { features, sha256 } = await openActivations(
    {
      path,
      layers,
      stimulusIds: recording.stimuli.map(({ id }) => id),
      used: target.stimuli,
      grid: recording.header.grid,
      minimumFeatures: leastFeatures(target.protocol.regression),
    },
    ports,
  );
  const activations = { name: baseName(path), sha256 };
  return { features, provenance: { model: null, activations, preprocessing: null } };
};

const openModel = async (
  { path, preprocess }: Extract<SubjectRequest, { kind: 'model' }>,
  { layers, memory }: SubjectLimits,
  recording: Recording,
  target: Target,
  stimuli: string,
  ports: Ports,
): Promise<Subject> => {
  const shown = Array.from(target.stimuli, (index) => recording.stimuli[index]!);
  const { protocol } = target;
  const { features, network, preprocessing } = await openNetwork(
    {
      path,
      layers,
      preprocess,
      sampling: protocol.sampling,
      grid: recording.header.grid,
      images: shown.length,
      pixelsOf: (image) => readStimulus(recording, shown[image]!, ports),
      budget: featureBudget(target, memory),
      minimumFeatures: leastFeatures(protocol.regression),
      stimuli,
    },
    ports,
  );
  const model = { name: network.name, sha256: network.sha256 };
  return { features, provenance: { model, activations: null, preprocessing } };
};
