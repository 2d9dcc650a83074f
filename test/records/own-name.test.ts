import { describe, expect, it } from 'vitest';
import { withOwnName } from '../../src/records/own-name.ts';
import { protocolSchema } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import { protocolNamed, protocols, resolveProtocol } from '../../src/scoring/protocols.ts';
import { createMemoryFiles } from '../memory-files.ts';

const imageCv = protocolNamed('image-cv', 'image')!;

describe('a protocol from a file', () => {
  it('keeps the name of a known protocol where its content is that, whatever it is described as', () => {
    const again = protocolSchema.parse(JSON.parse(JSON.stringify(imageCv)));
    expect(withOwnName(again, protocols).name).toBe('image-cv');
    expect(withOwnName({ ...again, description: 'mine' }, protocols).name).toBe('image-cv');
    const own = { ...again, name: 'mine', layerChoice: 'nested' as const };
    expect(withOwnName(own, protocols).name).toBe('mine');
  });

  it('is not printed under a known name where its content differs', async () => {
    const folds = { kind: 'leave-one-image-out' } as const;
    const changed = { ...imageCv, folds, correlation: 'spearman' as const };
    expect(withOwnName(changed, protocols).name).toBe('image-cv (changed: folds, correlation)');
    const regression = { ...imageCv.regression, components: 10 };
    const files = createMemoryFiles({ 'p.json': JSON.stringify({ ...imageCv, regression }) });
    const recording = { header: { grid: null } } as unknown as Recording;
    const { name } = await resolveProtocol('p.json', recording, files);
    expect(name).toBe('image-cv (changed: regression)');
  });

  it('may be any of those that a name stands for', async () => {
    for (const protocol of protocols.filter(({ name }) => name === 'ventral'))
      expect(withOwnName(protocol, protocols).name).toBe('ventral');
  });
});
