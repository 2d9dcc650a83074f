// The public entry, for any host: the ways, and the records that they take and give. Other entries: `ventral/node` (this
// computer's ports), `ventral/onnx` (graphs), `ventral/report` (text and pages), `ventral/records` (schemas and types).

export { type ActivationsOptions, activations } from './activations.ts';
export {
  type AlignPlan,
  type AlignPorts,
  type AlignRequest,
  align,
  planAlignment,
} from './align.ts';
export { alignmentProtocols } from './alignment/protocols.ts';
export { compare, type StoredContender } from './analysis/compare.ts';
export type { Contender } from './analysis/paired-sites.ts';
export { type CeilingRequest, type ProfileRequest, profile, siteCeilings } from './analyze.ts';
export { type ArcaroImport, importArcaro } from './data/arcaro.ts';
export { type BrainioImport, importBrainio } from './data/brainio.ts';
export { catalogue } from './data/catalogue.ts';
export { type Fetched, type FetchPorts, type FetchRequest, fetchRecording } from './data/fetch.ts';
export { type HumanMapsRequest, openHumanMaps } from './data/human-maps.ts';
export {
  type Hdf5Import,
  importHdf5,
  importMat,
  importNpy,
  importNpz,
  type MatImport,
  type NpyImport,
  type NpzImport,
} from './data/import.ts';
export { inspectRecording } from './data/inspect.ts';
export { importNwb, type NwbImport } from './data/nwb.ts';
export { openRecording, type RecordingInMemory } from './data/open-recording.ts';
export { readRecording } from './formats/recording.ts';
export { type RecordingParts, writeRecording } from './formats/recording-write.ts';
export { linearCka } from './kernels/cka.ts';
export { type RowGram, rowGram } from './kernels/row-gram.ts';
export { ceilingBounds, compareDissimilarities, dissimilarities } from './kernels/similarity.ts';
export type { NamedArrays } from './models/activation-file.ts';
export { framedImage, framedMap } from './models/frame.ts';
export { listLayers } from './models/layers.ts';
export { type NamedModel, type Network, openNetwork } from './models/network.ts';
export { type NullPlan, planNulls } from './nulls.ts';
export { type OpenScore, planLearningCurve, type ScoreResult } from './predictivity.ts';
export { type FailureKind, type Problem, VentralError } from './records/errors.ts';
export type { ScorePlan } from './records/plan.ts';
export type { Engine, Files, Hash, Http, Images, Locks, Ports, Watch } from './records/ports.ts';
export type { ProblemCode } from './records/problem-codes.ts';
export type { Signal } from './records/watch.ts';
export {
  shuffleSplits,
  sklearnKFold,
  stratifiedShuffleSplits,
} from './regression/sklearn-splits.ts';
export { type ClassExplainer, openClassSaliency } from './saliency/class-saliency.ts';
export { type ClassChoice, type KeepMap, type SaliencyRequest, saliency } from './saliency.ts';
export {
  planScore,
  reopen,
  type ScoreJob,
  type ScoreOptions,
  type ScoreRequest,
  score,
  writeScore,
} from './score.ts';
export type { GivenActivations } from './scoring/candidate.ts';
export { defaultProtocol, protocols } from './scoring/protocols.ts';
export { encodeAlignment, readAlignment } from './store/alignment-files.ts';
export { encodeScore, readPredictions, readScore } from './store/score-files.ts';
export type { Keep, ScoreFiles } from './store/score-outputs.ts';
export {
  encodeScoreCsv,
  encodeScoreParquet,
  type ScoreRow,
  scoreRows,
} from './store/score-table.ts';
export { ventralVersion } from './version.ts';
