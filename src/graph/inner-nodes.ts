import { type ModelStructure, readBody } from './read.ts';
import { type ReadNode, readNode } from './read-node.ts';
import type { ReadTensor } from './read-tensor.ts';
import { MODEL } from './schema.ts';
import { damaged, type Field, fieldsOf, type Source, textOf } from './wire.ts';

/** A node, and what is constant where it stands: its own graph and those around it, the innermost first. */
export interface PlacedNode {
  readonly node: ReadNode;
  readonly scopes: readonly Scope[];
}

export interface Scope {
  readonly nodes: readonly ReadNode[];
  readonly initialisers: readonly ReadTensor[];
}

type Functions = ReadonlyMap<string, Scope>;

/** FunctionProto: name 1, node 7, domain 10. */
const readFunction = (source: Source, field: Field): [string, Scope] => {
  let [name, domain] = ['', ''];
  const nodes: ReadNode[] = [];
  for (const part of fieldsOf(source, field.from, field.to)) {
    if (part.number === 1) name = textOf(source, part);
    if (part.number === 7) nodes.push(readNode(source, part.from, part.to));
    if (part.number === 10) domain = textOf(source, part);
  }
  return [`${domain}:${name}`, { nodes, initialisers: [] }];
};

const functionsOf = (source: Source, { around }: ModelStructure): Functions =>
  new Map(
    around.flatMap(({ from, to }) =>
      [...fieldsOf(source, from, to)]
        .filter(({ number }) => number === MODEL.functions)
        .map((field) => readFunction(source, field)),
    ),
  );

/** Deeper calls are no network but a function that calls itself. */
const DEEPEST = 32;

function* within(
  source: Source,
  functions: Functions,
  placed: PlacedNode,
  depth: number,
): Generator<PlacedNode> {
  if (depth > DEEPEST) throw damaged(source.name, `nodes nested more than ${DEEPEST} deep`);
  const { node, scopes } = placed;
  const own = functions.get(`${node.domain}:${node.op}`);
  if (own === undefined) yield placed;
  else
    for (const inner of own.nodes)
      yield* within(source, functions, { node: inner, scopes: [own] }, depth + 1);
  for (const attribute of Object.values(node.attributes)) {
    if (!('graph' in attribute)) continue;
    const body = readBody(source, attribute.graph);
    for (const inner of body.nodes)
      yield* within(source, functions, { node: inner, scopes: [body, ...scopes] }, depth + 1);
  }
}

/**
 * For a node of a model's graph: itself, unless it calls one of the model's own functions, and all nodes of the bodies
 * that it holds (If, Loop, Scan) and of the functions that it calls. Input error: a damaged file.
 *
 * @param bytes the file that `structure` was read from.
 */
export const innerNodes = (
  bytes: Uint8Array,
  structure: ModelStructure,
): ((node: ReadNode) => Generator<PlacedNode>) => {
  const source = { bytes, name: structure.name };
  const functions = functionsOf(source, structure);
  return (node) => within(source, functions, { node, scopes: [structure] }, 0);
};
