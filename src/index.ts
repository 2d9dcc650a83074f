// The public entry, for any host. The ports of Node are in `ventral/node`.

export {
  type AlignPlan,
  type AlignPorts,
  type AlignRequest,
  align,
  planAlignment,
} from './align.ts';
export { alignmentProtocols } from './alignment/protocols.ts';
export {
  type CeilingRequest,
  type ProfileRequest,
  profile,
  siteCeilings,
} from './analyze.ts';
export { type ArcaroImport, importArcaro } from './data/arcaro.ts';
export { type BrainioImport, importBrainio } from './data/brainio.ts';
export { catalogue } from './data/catalogue.ts';
export {
  type Fetched,
  type FetchPorts,
  type FetchRequest,
  fetchRecording,
} from './data/fetch.ts';
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
export { readRecording } from './formats/recording.ts';
export { type RecordingParts, writeRecording } from './formats/recording-write.ts';
export { type DifferentiateOptions, differentiate } from './gradient/differentiate.ts';
export { lower } from './gradient/lower.ts';
export { withoutAliases } from './graph/aliases.ts';
export { decodeModel } from './graph/decode.ts';
export { encodeModel } from './graph/encode.ts';
export { foldConstants } from './graph/fold-constants.ts';
export type { Attribute, Initialiser, OnnxGraph, OnnxNode, ValueInfo } from './graph/graph.ts';
export { renamed } from './graph/names.ts';
export { withoutRepeats } from './graph/repeats.ts';
export {
  append,
  cut,
  fixInputs,
  initialisersToInputs,
  inputsToInitialisers,
  sorted,
  withoutDeadCode,
} from './graph/rewrite.ts';
export { nodeFacts, staticShapes, type TensorFact } from './graph/static-shapes.ts';
export { widened } from './graph/widen.ts';
export { type ClassExplainer, openClassSaliency } from './models/class-saliency.ts';
export { framedImage, framedMap } from './models/frame.ts';
export { listLayers } from './models/layers.ts';
export { loadNetwork, type Network } from './models/network.ts';
export { type NullPlan, planNulls, scoreNulls } from './nulls.ts';
export type {
  Alignment,
  AlignmentMetrics,
  AlignmentProtocol,
  HumanCeilingSettings,
} from './records/alignment.ts';
export type { NdArray } from './records/array.ts';
export { type FailureKind, type Problem, VentralError } from './records/errors.ts';
export type { Hdf5 } from './records/hdf5.ts';
export type { HumanMap, HumanMaps } from './records/human-map.ts';
export type { Interval } from './records/interval.ts';
export type { Layer, Preprocessing } from './records/model.ts';
export type { Engine, Files, Hash, Http, Images, Locks, Ports } from './records/ports.ts';
export type { Profile } from './records/profile.ts';
export { type Protocol, protocolSchema } from './records/protocol.ts';
export type { Provenance, ProvenanceInput, Run } from './records/provenance.ts';
export {
  type Recording,
  type RecordingHeader,
  recordingHeaderSchema,
  type Stimulus,
} from './records/recording.ts';
export type { SaliencySettings } from './records/saliency.ts';
export type {
  LayerScore,
  NullScore,
  Score,
  SiteScore,
} from './records/score.ts';
export type { SiteCeiling, SiteCeilings } from './records/site-ceiling.ts';
export { linearCka } from './regression/cka.ts';
export { type RowGram, rowGram } from './regression/row-gram.ts';
export {
  ceilingBounds,
  compareDissimilarities,
  dissimilarities,
} from './regression/similarity.ts';
export {
  shuffleSplits,
  sklearnKFold,
  stratifiedShuffleSplits,
} from './regression/sklearn-splits.ts';
export { alignmentLines } from './report/alignment-report.ts';
export { planLines } from './report/plan-report.ts';
export { profileLines } from './report/profile.ts';
export { profilePage } from './report/profile-page.ts';
export { scoreLines } from './report/score-report.ts';
export { siteCeilingLines } from './report/site-ceiling.ts';
export {
  planScore,
  readoutOf,
  type ScorePlan,
  type ScoreRequest,
  type ScoreResult,
  score,
  withLearningCurve,
} from './score.ts';
export { defaultProtocol, protocols } from './scoring/protocols.ts';
export { CANONICAL_OPSET, canonical } from './sketch/canonical.ts';
export { encodeAlignment, readAlignment } from './store/alignment-files.ts';
export { encodeScore } from './store/score-files.ts';
export {
  encodeScoreCsv,
  encodeScoreParquet,
  type ScoreRow,
  scoreRows,
} from './store/score-table.ts';
export {
  HARMONIZER_INPUTS,
  HARMONIZER_OUTPUTS,
  type HarmonizerOptions,
  harmonizerCodeLoss,
} from './training/harmonizer-loss.ts';
export { ventralVersion } from './version.ts';
