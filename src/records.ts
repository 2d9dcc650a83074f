// The records that cross the library's border, and the schemas of those that are files.

export type {
  Alignment,
  AlignmentMetrics,
  AlignmentProtocol,
  HumanCeilingSettings,
} from './records/alignment.ts';
export type { NdArray } from './records/array.ts';
export type { Comparison } from './records/comparison.ts';
export { type FailureKind, type Problem, VentralError } from './records/errors.ts';
export type { Hdf5 } from './records/hdf5.ts';
export type { HumanMap, HumanMaps } from './records/human-map.ts';
export type { Interval } from './records/interval.ts';
export type { Layer, Preprocessing } from './records/model.ts';
export { planSchema, type ScorePlan } from './records/plan.ts';
export type { Engine, Files, Hash, Http, Images, Locks, Ports, Watch } from './records/ports.ts';
export { type ProblemCode, problemCodes } from './records/problem-codes.ts';
export type { Profile } from './records/profile.ts';
export { type Protocol, protocolSchema } from './records/protocol.ts';
export type { Provenance, ProvenanceInput, Run } from './records/provenance.ts';
export {
  type Recording,
  type RecordingHeader,
  recordingHeaderSchema,
  type Stimulus,
} from './records/recording.ts';
export type { SaliencyRecord, SaliencySettings } from './records/saliency.ts';
export {
  type HeldOut,
  type LayerScore,
  type NullScore,
  type Score,
  type SiteScore,
  scoreSchema,
} from './records/score.ts';
export type { SiteCeiling, SiteCeilings } from './records/site-ceiling.ts';
