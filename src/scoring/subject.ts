import { readStimulus } from '../data/stimuli.ts';
import { baseName } from '../formats/paths.ts';
import { openActivations } from '../models/activation-file.ts';
import {
  type NetworkRequest,
  type OpenNetwork,
  openNetwork,
  openTwin,
  type Showing,
} from '../models/open-network.ts';
import { openPixels } from '../models/pixels.ts';
import type { Features } from '../records/activations.ts';
import type { Preprocessing } from '../records/model.ts';
import type { Ports } from '../records/ports.ts';
import type { Recording } from '../records/recording.ts';
import type { Provenance } from '../records/score.ts';
import { leastFeatures } from '../regression/regress.ts';
import { featureBudget } from './effort.ts';
import type { Target } from './target.ts';

/** What is scored: a model file, or activations that were computed elsewhere. */
export type SubjectRequest = ModelRequest | ActivationsRequest;

interface ActivationsRequest {
  readonly kind: 'activations';
  readonly path: string;
  /** Order of rows without ids: `name`, `number` or a file of names; default: none is given. */
  readonly order?: string;
}

interface ModelRequest {
  readonly kind: 'model';
  readonly path: string;
  readonly preprocess: string | null;
}

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
    ? openFile(subject, limits, recording, target, ports)
    : openModel(subject, limits, recording, target, stimuli, ports);

const openFile = async (
  { path, order }: ActivationsRequest,
  { layers }: SubjectLimits,
  recording: Recording,
  target: Target,
  ports: Ports,
): Promise<Subject> => {
  const { features, sha256 } = await openActivations(
    {
      path,
      layers,
      order: order ?? null,
      stimuli: recording.stimuli,
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
  subject: ModelRequest,
  limits: SubjectLimits,
  recording: Recording,
  target: Target,
  stimuli: string,
  ports: Ports,
): Promise<Subject> =>
  subjectOf(
    await openNetwork(networkRequest(subject, limits, recording, target, stimuli, ports), ports),
  );

const subjectOf = ({ features, network, preprocessing }: OpenNetwork): Subject => {
  const model = { name: network.name, sha256: network.sha256 };
  return { features, provenance: { model, activations: null, preprocessing } };
};

const showingOf = (
  memory: number,
  recording: Recording,
  target: Target,
  stimuli: string,
  ports: Ports,
): Showing => {
  const shown = Array.from(target.stimuli, (index) => recording.stimuli[index]!);
  return {
    sampling: target.protocol.sampling,
    grid: recording.header.grid,
    images: shown.length,
    pixelsOf: (image) => readStimulus(recording, shown[image]!, ports),
    budget: featureBudget(target, memory),
    stimuli,
  };
};

const networkRequest = (
  { path, preprocess }: ModelRequest,
  { layers, memory }: SubjectLimits,
  recording: Recording,
  target: Target,
  stimuli: string,
  ports: Ports,
): NetworkRequest => ({
  ...showingOf(memory, recording, target, stimuli, ports),
  path,
  layers,
  preprocess,
  minimumFeatures: leastFeatures(target.protocol.regression),
});

/** The model's random-weight twin, its layers chosen as the model's are; or in words why there is none. */
export const openTwinSubject = async (
  subject: ModelRequest,
  limits: SubjectLimits,
  recording: Recording,
  target: Target,
  stimuli: string,
  seed: number,
  ports: Ports,
): Promise<
  | { readonly subject: Subject; readonly note: string | null }
  | { readonly subject: null; readonly note: string }
> => {
  const request = networkRequest(subject, limits, recording, target, stimuli, ports);
  const { opened, note } = await openTwin(request, seed, ports);
  return opened === null ? { subject: null, note } : { subject: subjectOf(opened), note };
};

/** The stimuli as a network with this preprocessing would see them, in place of a layer. */
export const openPixelsSubject = async (
  preprocessing: Preprocessing,
  memory: number,
  recording: Recording,
  target: Target,
  stimuli: string,
  ports: Ports,
): Promise<Subject> => ({
  features: await openPixels(
    showingOf(memory, recording, target, stimuli, ports),
    preprocessing,
    ports,
  ),
  provenance: { model: null, activations: null, preprocessing },
});
