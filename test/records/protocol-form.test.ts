import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alignmentProtocols, resolveAlignmentProtocol } from '../../src/alignment/protocols.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { alignmentProtocolSchema } from '../../src/records/alignment.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import { protocolSchema } from '../../src/records/protocol.ts';
import { firstForm, protocolHash, withPresentNames } from '../../src/records/protocol-form.ts';
import type { Recording } from '../../src/records/recording.ts';
import {
  defaultProtocol,
  protocols,
  resolveProtocol,
  revisionOf,
} from '../../src/scoring/protocols.ts';
import { createMemoryFiles } from '../memory-files.ts';

interface Written {
  readonly of: 'score' | 'alignment';
  readonly protocol: { readonly name: string; readonly layout?: 'image' | 'grid' };
  readonly sha256: string;
}

const first: readonly Written[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'format-1/protocols.json'), 'utf8'),
);
const hash = createNodeHash();
const parsed = ({ of, protocol }: Written) =>
  (of === 'score' ? protocolSchema : alignmentProtocolSchema).parse(withPresentNames(protocol));
const known = [
  ...protocols,
  defaultProtocol('image', false),
  defaultProtocol('grid', false),
  ...alignmentProtocols,
];

describe('the hash of a protocol', () => {
  it('is that of the first edition for every protocol that it had, and for one written by hand', async () => {
    expect(first).toHaveLength(14);
    for (const written of first)
      expect(await protocolHash(parsed(written), hash), written.protocol.name).toBe(written.sha256);
  });

  it('is over what the first edition wrote: a new field is absent at its default', () => {
    for (const written of first) {
      const { protocol } = written;
      const full =
        protocol.name === 'mine'
          ? {
              ...protocol,
              normalisation: 'r/c',
              folds: { kind: 'k-fold', count: 4, shuffle: true, stratifyBy: null, groupBy: null },
            }
          : protocol;
      expect(firstForm(parsed(written)), protocol.name).toEqual(full);
    }
  });

  it('moves with a field that is used, and with the revision', async () => {
    const own = parsed(first.at(-1)!) as Protocol;
    const hashes = [own, { ...own, missing: 'drop-sites' }, { ...own, revision: 2 }].map((each) =>
      protocolHash(each, hash),
    );
    expect(new Set(await Promise.all(hashes)).size).toBe(3);
  });

  it('is another one for every named protocol whose numbers changed since', async () => {
    const before = new Set(first.map(({ sha256 }) => sha256));
    for (const protocol of known) {
      const { name, revision } = protocol;
      expect(revision, name).toBe(/linsley|clickme/.test(name) ? 1 : 2);
      if (revision > 1) expect(before.has(await protocolHash(protocol, hash)), name).toBe(false);
    }
    expect(before.has(await protocolHash(alignmentProtocols[1]!, hash))).toBe(true);
  });
});

describe('a protocol file', () => {
  const recording = { header: { grid: null } } as unknown as Recording;
  const resolve = (protocol: object) =>
    resolveProtocol('p.json', recording, createMemoryFiles({ 'p.json': JSON.stringify(protocol) }));

  it('of the first edition goes on working, its strengths read as alphas', async () => {
    const { regression } = await resolve(first.at(-1)!.protocol);
    expect(regression).toMatchObject({ kind: 'ridge', alphas: [0.01, 0.1, 1] });
  });

  it('with both names is refused', async () => {
    const own = parsed(first.at(-1)!) as Protocol;
    const regression = { ...own.regression, strengths: [1] };
    await expect(resolve({ ...own, regression })).rejects.toThrow('unknown field "strengths"');
  });

  it('that is a named protocol has the revision that is computed, whichever version wrote it', async () => {
    const named = protocols.find(({ name }) => name === 'brainscore-like-2026')!;
    const { revision: _, ...silent } = named;
    expect(await resolve(silent)).toEqual(named);
    expect(await resolve(named)).toEqual(named);
    await expect(resolve({ ...named, revision: 3 })).rejects.toThrow(
      'protocol brainscore-like-2026: revision: expected 2, which this version computes, got 3',
    );
    const maps = { ...alignmentProtocols[0]!, revision: 7 };
    const files = createMemoryFiles({ 'a.json': JSON.stringify(maps) });
    await expect(resolveAlignmentProtocol('a.json', files)).rejects.toThrow('human-maps: revision');
  });

  it('has the revision of what it asks for: that of named protocols is of the same rule', async () => {
    const { revision: _, ...imageCv } = protocols.find(({ name }) => name === 'image-cv')!;
    expect((await resolve({ ...imageCv, name: 'mine' })).revision).toBe(2);
    const bare = {
      ...imageCv,
      name: 'mine',
      aggregation: 'images-of-sites',
      ceiling: { kind: 'none' },
    };
    expect((await resolve(bare)).revision).toBe(1);
    for (const named of protocols) expect(named.revision, named.name).toBe(revisionOf(named));
  });

  it('may have a revision of its own', async () => {
    const own = parsed(first.at(-1)!) as Protocol;
    expect((await resolve({ ...own, revision: 4 })).revision).toBe(4);
  });
});
