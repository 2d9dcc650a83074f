// The kinds of files that are read again.

import { alignmentSchema } from './alignment.ts';
import {
  alignmentFromFirst,
  ceilingsFromFirst,
  profileFromFirst,
  recordingFromFirst,
  saliencyFromFirst,
  scoreFromFirst,
} from './format-1.ts';
import { profileSchema } from './profile.ts';
import { recordingHeaderSchema } from './recording.ts';
import { saliencyRecordSchema } from './saliency.ts';
import { scoreSchema } from './score.ts';
import { siteCeilingsSchema } from './site-ceiling.ts';
import type { StoredKind } from './stored.ts';

export const scoreFile: StoredKind<typeof scoreSchema> = {
  kind: 'neural-predictivity',
  schema: scoreSchema,
  migrations: [scoreFromFirst],
  remedy: { code: 'score-file', field: null, mend: 'give a score that ventral wrote' },
};

export const profileFile: StoredKind<typeof profileSchema> = {
  kind: 'depth-profile',
  schema: profileSchema,
  migrations: [profileFromFirst],
  remedy: { code: 'profile-file', field: null, mend: 'give a profile that ventral wrote' },
};

export const siteCeilingsFile: StoredKind<typeof siteCeilingsSchema> = {
  kind: 'site-ceilings',
  schema: siteCeilingsSchema,
  migrations: [ceilingsFromFirst],
  remedy: { code: 'ceilings-file', field: null, mend: 'give ceilings that ventral wrote' },
};

export const alignmentFile: StoredKind<typeof alignmentSchema> = {
  kind: 'human-alignment',
  schema: alignmentSchema,
  migrations: [alignmentFromFirst],
  remedy: { code: 'alignment-file', field: null, mend: 'give an alignment that ventral wrote' },
};

export const saliencyFile: StoredKind<typeof saliencyRecordSchema> = {
  kind: 'saliency',
  schema: saliencyRecordSchema,
  migrations: [saliencyFromFirst],
  remedy: {
    code: 'saliency-file',
    field: null,
    mend: 'give a list of saliency maps that ventral wrote',
  },
};

export const recordingFile: StoredKind<typeof recordingHeaderSchema> = {
  kind: 'recording',
  schema: recordingHeaderSchema,
  migrations: [recordingFromFirst],
  firstFormat: 'ventral-recording',
  remedy: 'correct the field',
};
