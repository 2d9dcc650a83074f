import { readStimulus } from '../data/stimuli.ts';
import { type NamedArrays, openActivations } from '../models/activation-file.ts';
import type { Network } from '../models/network.ts';
import { openPixels } from '../models/pixels.ts';
import {
  type NetworkRequest,
  type Presentation,
  type ProbedNetwork,
  probeNetwork,
  probeTwin,
} from '../models/probe-network.ts';
import type { Features } from '../records/activations.ts';
import type { Preprocessing } from '../records/model.ts';
import type { Ports } from '../records/ports.ts';
import { type Provenance, preprocessingInput } from '../records/provenance.ts';
import type { Recording } from '../records/recording.ts';
import { leastFeatures } from '../regression/regress.ts';
import { type FitShape, featureBudget } from './cost.ts';

/** What is scored: a network, or activations that were computed elsewhere. */
export type CandidateRequest = ModelCandidate | ActivationsCandidate;

/** Activations that were computed elsewhere: a file, or arrays by the names of their layers. */
export interface GivenActivations {
  readonly activations: string | NamedArrays;
  /** Of a file whose rows have no ids: `name`, `number`, or a file of names in the order of its rows. */
  readonly order?: string;
}

interface ActivationsCandidate extends GivenActivations {
  readonly kind: 'activations';
}

interface ModelCandidate {
  readonly kind: 'model';
  readonly network: Network;
  readonly preprocess: string | Preprocessing | null;
}

/** What is scored, opened: its layers' activations, and what they come from. */
export interface Candidate {
  readonly features: Features;
  readonly provenance: Pick<Provenance, 'inputs' | 'engineCheck'>;
}

/** What a candidate is shown, and for what: the stimuli in use of a recording, for so many regressions. */
export interface CandidateContext {
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
export const openCandidate = (
  candidate: CandidateRequest,
  context: CandidateContext,
  ports: Ports,
): Promise<Candidate> =>
  candidate.kind === 'activations'
    ? openGiven(candidate, context, ports)
    : openModel(candidate, context, ports);

const openGiven = async (
  { activations: given, order }: ActivationsCandidate,
  { layers, recording, shape: { layout } }: CandidateContext,
  ports: Ports,
): Promise<Candidate> => {
  const { name, features, sha256 } = await openActivations(
    {
      activations: given,
      layers,
      order: order ?? null,
      stimuli: recording.stimuli,
      used: layout.stimuli,
      grid: layout.grid,
      minimumFeatures: leastFeatures(layout.protocol.regression),
    },
    ports,
  );
  const inputs = [{ role: 'activations', name, sha256 }];
  return { features, provenance: { inputs, engineCheck: null } };
};

const openModel = async (
  candidate: ModelCandidate,
  context: CandidateContext,
  ports: Ports,
): Promise<Candidate> =>
  candidateOf(await probeNetwork(networkRequest(candidate, context, ports), ports), ports);

const candidateOf = async (
  { features, network, preprocessing, engineCheck }: ProbedNetwork,
  { hash }: Ports,
): Promise<Candidate> => {
  const inputs = [
    { role: 'model', name: network.name, sha256: network.sha256 },
    await preprocessingInput(preprocessing, hash),
  ];
  return { features, provenance: { inputs, engineCheck } };
};

const presentationOf = (
  { recording, shape, stimuli, memory }: CandidateContext,
  ports: Ports,
): Presentation => {
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
  { network, preprocess }: ModelCandidate,
  context: CandidateContext,
  ports: Ports,
): NetworkRequest => ({
  ...presentationOf(context, ports),
  network,
  layers: context.layers,
  preprocess,
  minimumFeatures: leastFeatures(context.shape.layout.protocol.regression),
});

/** The model's random-weight twin, its layers chosen as the model's are; or in words why there is none. */
export const openTwinCandidate = async (
  candidate: ModelCandidate,
  context: CandidateContext,
  seed: number,
  ports: Ports,
): Promise<
  | { readonly candidate: Candidate; readonly note: string | null }
  | { readonly candidate: null; readonly note: string }
> => {
  const { opened, note } = await probeTwin(networkRequest(candidate, context, ports), seed, ports);
  return opened === null
    ? { candidate: null, note }
    : { candidate: await candidateOf(opened, ports), note };
};

/** The stimuli as a network with this preprocessing would see them, in place of a layer. */
export const openPixelsCandidate = async (
  preprocessing: Preprocessing,
  context: CandidateContext,
  ports: Ports,
): Promise<Candidate> => {
  const presentation = presentationOf(context, ports);
  const { features, engineCheck } = await openPixels(presentation, preprocessing, ports);
  const inputs = [await preprocessingInput(preprocessing, ports.hash)];
  return { features, provenance: { inputs, engineCheck } };
};
