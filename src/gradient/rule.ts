import type { OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';

/** The cotangent of a tensor, that is, the gradient of the differentiated scalar with respect to it; null: none flows. */
export type Cotangent = string | null;

/**
 * The vector-Jacobian product of one operation: cotangents of a node's inputs (in their order, each of its input's shape
 * and type) from those of its outputs. What it adds to the sketch are operations that have rules themselves, so that the
 * result can be differentiated again.
 *
 * @param node the forward node; its tensors are in the sketch, outputs included.
 * @param cotangents one per output of the node; at least one is not null.
 * @param wanted `wanted[i]`: input `i` needs a cotangent. What is returned for others is ignored.
 */
export type Rule = (
  node: OnnxNode,
  cotangents: readonly Cotangent[],
  wanted: readonly boolean[],
  sketch: Sketch,
) => readonly Cotangent[];

/** Rules by operation, `domain.op` for those of another domain than ONNX's own: `ventral.ConvInput`. */
export type Rules = Readonly<Record<string, Rule>>;

/** One rule for several operations, named in one line. */
export const each = (operations: string, rule: Rule): Rules =>
  Object.fromEntries(operations.split(' ').map((operation) => [operation, rule]));

/** A result that does not change with its inputs, but for jumps: no cotangent flows. */
export const flat: Rule = (node) => node.inputs.map(() => null);

/** An operation with one differentiable input and one output. */
export const unary =
  (
    rule: (cotangent: string, x: string, y: string, sketch: Sketch, node: OnnxNode) => Cotangent,
  ): Rule =>
  (node, [cotangent], wanted, sketch) =>
    node.inputs.map((x, index) =>
      index === 0 && wanted[0] && cotangent != null
        ? rule(cotangent, x, node.outputs[0]!, sketch, node)
        : null,
    );
