import type { OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';

/**
 * One operation in operations of onnxruntime: the tensors that stand for its outputs; null leaves the node as it is.
 * `isFixed(i)`: input `i` is constant, and what is made of it alone costs nothing at run time.
 */
export type Lowering = (
  node: OnnxNode,
  sketch: Sketch,
  isFixed: (input: number) => boolean,
) => readonly string[] | null;

/** By operation, `domain.op` for those of another domain than ONNX's own. */
export type Lowerings = Readonly<Record<string, Lowering>>;
