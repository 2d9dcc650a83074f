// Graphs: ONNX files decoded, rewritten, differentiated and encoded.

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
export { CANONICAL_OPSET, canonical } from './sketch/canonical.ts';
export {
  HARMONIZER_INPUTS,
  HARMONIZER_OUTPUTS,
  type HarmonizerOptions,
  harmonizerCodeLoss,
} from './training/harmonizer-loss.ts';
