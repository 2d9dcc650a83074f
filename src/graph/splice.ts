import { ownValue } from '../records/own-value.ts';
import { type Disarmed, disarmedNodes } from './disarm.ts';
import { initialiserField, nodeField, opsetField, valueField } from './encode.ts';
import type { Initialiser, OnnxNode, ValueInfo } from './graph.ts';
import type { ModelStructure, Placed, ReadValue } from './read.ts';
import { type ElementType, GRAPH, MODEL } from './schema.ts';
import { ancestors, inputsOf, wire } from './walk.ts';
import { type ByteRange, join, messageField, type Pieces, textField } from './wire.ts';

/** What to make of a model. */
export interface GraphEdit {
  /** Tensors, old or appended, that become the only outputs; whatever they don't need is dropped. */
  readonly outputs: readonly string[];
  /** Appended after the model's own nodes. */
  readonly nodes?: readonly OnnxNode[];
  readonly initialisers?: readonly Initialiser[];
  /** New inputs. One with the name of an inner tensor replaces the nodes that made it. */
  readonly inputs?: readonly ValueInfo[];
  /** New shapes of inputs that are there; declared inner shapes are dropped with the old one. */
  readonly inputShapes?: Readonly<Record<string, readonly (number | string)[]>>;
}

const rangesToPieces = (bytes: Uint8Array, ranges: readonly ByteRange[]): Pieces => {
  const pieces: Uint8Array[] = [];
  let open: { from: number; to: number } | null = null;
  for (const { from, to } of ranges) {
    if (open !== null && open.to === from) open.to = to;
    else {
      if (open !== null) pieces.push(bytes.subarray(open.from, open.to));
      open = { from, to };
    }
  }
  if (open !== null) pieces.push(bytes.subarray(open.from, open.to));
  return pieces;
};

interface Kept {
  readonly nodes: ReadonlySet<number>;
  /** Every tensor that is read or made. */
  readonly tensors: ReadonlySet<string>;
}

const keptBy = (structure: ModelStructure, edit: GraphEdit): Kept => {
  const appended = edit.nodes ?? [];
  const given = new Set((edit.inputs ?? []).map(({ name }) => name));
  const made = new Set(appended.flatMap(({ outputs }) => outputs));
  for (const { name } of edit.initialisers ?? []) made.add(name);
  const wanted = [...edit.outputs, ...appended.flatMap(({ inputs }) => inputs)].filter(
    (name) => name !== '' && !made.has(name),
  );
  const nodes = ancestors(structure, wire(structure), wanted, given);
  const tensors = new Set(wanted);
  for (const index of nodes) {
    const node = structure.nodes[index]!;
    for (const name of [...inputsOf(node), ...node.outputs]) tensors.add(name);
  }
  for (const name of given) tensors.delete(name);
  return { nodes, tensors };
};

/** Kept nodes as bytes, but for those that others stand in for. */
const keptNodes = (
  bytes: Uint8Array,
  { nodes }: ModelStructure,
  kept: Kept,
  others: Disarmed['nodes'],
): Pieces => {
  const pieces: Uint8Array[] = [];
  let run: ByteRange[] = [];
  const close = (): void => {
    pieces.push(...rangesToPieces(bytes, run));
    run = [];
  };
  nodes.forEach(({ range }, index) => {
    if (!kept.nodes.has(index)) return;
    const other = others.get(index);
    if (other === undefined) run.push(range);
    else {
      close();
      pieces.push(...nodeField(other));
    }
  });
  close();
  return pieces;
};

const reshaped = (input: ReadValue, shape: readonly (number | string)[]): Pieces =>
  valueField(GRAPH.input, { name: input.name, type: input.type as ElementType, shape });

const keptInputs = (
  bytes: Uint8Array,
  inputs: readonly Placed<ReadValue>[],
  kept: Kept,
  shapes: NonNullable<GraphEdit['inputShapes']>,
): Pieces =>
  inputs
    .filter(({ name }) => kept.tensors.has(name))
    .flatMap((input) => {
      const shape = ownValue(shapes, input.name);
      return shape === undefined
        ? [bytes.subarray(input.range.from, input.range.to)]
        : reshaped(input, shape);
    });

const newDomains = (structure: ModelStructure, nodes: readonly OnnxNode[]): string[] => {
  const domains = new Set(nodes.map(({ domain }) => domain ?? ''));
  return [...domains].filter(
    (domain) => domain !== '' && ownValue(structure.opsets, domain) === undefined,
  );
};

/**
 * A copy of the model with other outputs, and with nodes, initialisers and inputs appended. Every node that the new
 * outputs don't need goes, as do initialisers, inputs and declared shapes that no longer belong to anything.
 * What stays is copied as bytes: no weight is decoded, and external data stays where it is. Nodes that onnxruntime would
 * merge wrongly are written in another way (`disarm.ts`). Outputs are written by name alone: onnxruntime infers their
 * type and shape.
 *
 * @param bytes the file that `structure` was read from.
 */
export const spliceModel = (
  bytes: Uint8Array,
  structure: ModelStructure,
  edit: GraphEdit,
): Uint8Array => {
  const kept = keptBy(structure, edit);
  const safe = disarmedNodes(bytes, structure);
  const appended = edit.nodes ?? [];
  const shapes = edit.inputShapes ?? {};
  const isKept = ({ name }: { readonly name: string }): boolean => kept.tensors.has(name);
  const ranges = (parts: readonly Placed<unknown>[]): Pieces =>
    rangesToPieces(
      bytes,
      parts.map(({ range }) => range),
    );
  // Shapes that were declared for another batch would contradict the new one.
  const values = Object.keys(shapes).length > 0 ? [] : structure.values.filter(isKept);
  const graph: Pieces = [
    ...keptNodes(bytes, structure, kept, safe.nodes),
    ...appended.flatMap(nodeField),
    ...rangesToPieces(bytes, structure.rest),
    ...ranges(structure.initialisers.filter(isKept)),
    ...ranges(structure.sparse.filter(isKept)),
    ...[...(edit.initialisers ?? []), ...safe.initialisers].flatMap(initialiserField),
    ...keptInputs(bytes, structure.inputs, kept, shapes),
    ...(edit.inputs ?? []).flatMap((input) => valueField(GRAPH.input, input)),
    ...edit.outputs.flatMap((name) => messageField(GRAPH.output, textField(1, name))),
    ...ranges(values),
  ];
  return join([
    ...rangesToPieces(bytes, structure.around),
    ...newDomains(structure, appended).flatMap((domain) => opsetField(domain, 1)),
    ...messageField(MODEL.graph, graph),
  ]);
};
