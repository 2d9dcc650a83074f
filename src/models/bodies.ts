import { type GraphParts, readBody } from '../graph/read.ts';
import type { ReadNode } from '../graph/read-node.ts';
import type { Source } from '../graph/wire.ts';
import type { Network } from './network.ts';
import { isProduct } from './operations.ts';

const bodiesOf = (source: Source, node: ReadNode): GraphParts[] =>
  Object.values(node.attributes).flatMap((attribute) =>
    'graph' in attribute ? [readBody(source, attribute.graph)] : [],
  );

const productsIn = (source: Source, body: GraphParts): number =>
  body.nodes.reduce(
    (sum, node) =>
      sum +
      (isProduct(node) ? 1 : 0) +
      bodiesOf(source, node).reduce((inner, each) => inner + productsIn(source, each), 0),
    0,
  );

/** In words, what a network may compute where no layers are looked for: the bodies of If, Loop and Scan. */
export const hiddenProducts = ({ bytes, name, structure }: Network): string[] => {
  const source = { bytes, name };
  const found = structure.nodes.flatMap((node) => {
    const products = bodiesOf(source, node).reduce(
      (sum, body) => sum + productsIn(source, body),
      0,
    );
    return products === 0 ? [] : [{ label: node.name || node.outputs[0] || node.op, products }];
  });
  const all = found.reduce((sum, { products }) => sum + products, 0);
  return found.length === 0
    ? []
    : [
        `${all} convolutions or products inside the bodies of If, Loop or Scan are not among the layers: ${found
          .map(({ label }) => label)
          .join(', ')}`,
      ];
};
