import type { Initialiser, OnnxGraph } from './graph.ts';

/**
 * Every weight under its own name: PyTorch's exporter keeps one of several tensors that happen to be equal (the scales of
 * norms before training) and makes the others by Identity. Here they are initialisers again, which share their numbers
 * but can be varied one by one. Outputs of the graph stay computed.
 */
export const withoutAliases = (graph: OnnxGraph): OnnxGraph => {
  const weights = new Map(graph.initialisers.map((each) => [each.name, each]));
  const published = new Set(graph.outputs.map(({ name }) => name));
  const added: Initialiser[] = [];
  const nodes = graph.nodes.filter(({ op, domain = '', inputs, outputs }) => {
    const weight = weights.get(inputs[0] ?? '');
    const [name = ''] = outputs;
    if (op !== 'Identity' || domain !== '' || weight === undefined || published.has(name)) {
      return true;
    }
    const own = { ...weight, name };
    weights.set(name, own);
    added.push(own);
    return false;
  });
  return added.length === 0
    ? graph
    : { ...graph, nodes, initialisers: [...graph.initialisers, ...added] };
};
