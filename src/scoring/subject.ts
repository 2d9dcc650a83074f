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
import { type FitShape, featureBudget } from './effort.ts';

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
  readonly provenance: Pick<Provenance, 'model' | 'activations' | 'preprocessing' | 'engineCheck'>;
}

/** What a subject is shown, and for what: the stimuli in use of a recording, for so many regressions. */
export interface SubjectContext {
  readonly recording: Recording;
  readonly shape: FitShape;
  /** SHA-256 of the stimuli. */
  readonly stimuli: string;
  /** Globs over layer names; null: all. */
  readonly layers: readonly string[] | null;
  /** Bytes that the run may take. */
  readonly memory: number;
}

/** Opens a model or a file of activations for the stimuli in use. */
export const openSubject = (
  subject: SubjectRequest,
  context: SubjectContext,
  ports: Ports,
): Promise<Subject> =>
  subject.kind === 'activations'
    ? openFile(subject, context, ports)
    : openModel(subject, context, ports);

const openFile = async (
  { path, order }: ActivationsRequest,
  { layers, recording, shape: { layout } }: SubjectContext,
  ports: Ports,
): Promise<Subject> => {
  const { features, sha256 } = await openActivations(
    {
      path,
      layers,
      order: order ?? null,
      stimuli: recording.stimuli,
      used: layout.stimuli,
      grid: layout.grid,
      minimumFeatures: leastFeatures(layout.protocol.regression),
    },
    ports,
  );
  const activations = { name: baseName(path), sha256 };
  return {
    features,
    provenance: { model: null, activations, preprocessing: null, engineCheck: null },
  };
};

const openModel = async (
  subject: ModelRequest,
  context: SubjectContext,
  ports: Ports,
): Promise<Subject> => subjectOf(await openNetwork(networkRequest(subject, context, ports), ports));

const subjectOf = ({ features, network, preprocessing, engineCheck }: OpenNetwork): Subject => {
  const model = { name: network.name, sha256: network.sha256 };
  return { features, provenance: { model, activations: null, preprocessing, engineCheck } };
};

const showingOf = (
  { recording, shape, stimuli, memory }: SubjectContext,
  ports: Ports,
): Showing => {
  const { layout } = shape;
  const shown = Array.from(layout.stimuli, (index) => recording.stimuli[index]!);
  return {
    sampling: layout.protocol.sampling,
    grid: layout.grid,
    images: shown.length,
    pixelsOf: (image) => readStimulus(recording, shown[image]!, ports),
    budget: featureBudget(shape, memory),
    stimuli,
  };
};

const networkRequest = (
  { path, preprocess }: ModelRequest,
  context: SubjectContext,
  ports: Ports,
): NetworkRequest => ({
  ...showingOf(context, ports),
  path,
  layers: context.layers,
  preprocess,
  minimumFeatures: leastFeatures(context.shape.layout.protocol.regression),
});

/** The model's random-weight twin, its layers chosen as the model's are; or in words why there is none. */
export const openTwinSubject = async (
  subject: ModelRequest,
  context: SubjectContext,
  seed: number,
  ports: Ports,
): Promise<
  | { readonly subject: Subject; readonly note: string | null }
  | { readonly subject: null; readonly note: string }
> => {
  const { opened, note } = await openTwin(networkRequest(subject, context, ports), seed, ports);
  return opened === null ? { subject: null, note } : { subject: subjectOf(opened), note };
};

/** The stimuli as a network with this preprocessing would see them, in place of a layer. */
export const openPixelsSubject = async (
  preprocessing: Preprocessing,
  context: SubjectContext,
  ports: Ports,
): Promise<Subject> => {
  const showing = showingOf(context, ports);
  const { features, engineCheck } = await openPixels(showing, preprocessing, ports);
  return { features, provenance: { model: null, activations: null, preprocessing, engineCheck } };
};
