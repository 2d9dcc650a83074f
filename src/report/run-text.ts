import type { Run } from '../records/provenance.ts';
import { counted, durationText } from './table.ts';

/** `2 threads on cpu, seed 1, 3 s`; what the file does not say is left out. */
export const runText = ({ threads, device, seed, seconds }: Run): string =>
  [
    ...(threads === null || device === null ? [] : [`${counted(threads, 'thread')} on ${device}`]),
    `seed ${seed}`,
    ...(seconds === null ? [] : [durationText(seconds)]),
  ].join(', ');
