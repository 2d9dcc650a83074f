// Protocols as the first edition writes them, with the hashes that it gives them. Run in a checkout of revision f5ea128:
// npx tsx make-protocols.ts > protocols.json

import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const load = (path: string) => import(pathToFileURL(`${process.cwd()}/src/${path}`).href);
const { protocols, defaultProtocol } = await load('scoring/protocols.ts');
const { alignmentProtocols } = await load('alignment/protocols.ts');
const { protocolSchema } = await load('records/protocol.ts');
const { canonicalJson } = await load('store/layer-cache.ts');

/** As somebody writes one: without the fields that have a default, with a ridge regression. */
const written = {
  name: 'mine',
  description: 'pooled layers, ridge, a quarter of the objects held out',
  layout: 'image',
  sampling: { kind: 'image', features: 'pool' },
  timeBin: { start: 70, end: 170 },
  regression: {
    kind: 'ridge',
    strengths: [0.01, 0.1, 1],
    unit: 'mean-square',
    choose: 'gcv',
    perTarget: true,
  },
  folds: { kind: 'k-fold', count: 4, shuffle: true, stratifyBy: null },
  correlation: 'spearman',
  ceiling: { kind: 'split-half', splits: 6, minimumReliability: 0.2 },
  aggregation: 'sites',
  layerChoice: 'nested',
  interval: { level: 0.9, replicates: 200 },
};

const sha256 = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex');
const neural = [...protocols, defaultProtocol('image', false), defaultProtocol('grid', false)];
const entries = [
  ...neural.map((protocol) => ({ of: 'score', protocol, sha256: sha256(protocol) })),
  ...alignmentProtocols.map((protocol: object) => ({
    of: 'alignment',
    protocol,
    sha256: sha256(protocol),
  })),
  { of: 'score', protocol: written, sha256: sha256(protocolSchema.parse(written)) },
];
process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
