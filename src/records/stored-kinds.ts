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
  mend: 'give the file that ventral score --out wrote',
};

export const profileFile: StoredKind<typeof profileSchema> = {
  kind: 'depth-profile',
  schema: profileSchema,
  migrations: [profileFromFirst],
  mend: 'give the file that ventral profile --out wrote',
};

export const siteCeilingsFile: StoredKind<typeof siteCeilingsSchema> = {
  kind: 'site-ceilings',
  schema: siteCeilingsSchema,
  migrations: [ceilingsFromFirst],
  mend: 'give the file that ventral ceiling --out wrote',
};

export const alignmentFile: StoredKind<typeof alignmentSchema> = {
  kind: 'human-alignment',
  schema: alignmentSchema,
  migrations: [alignmentFromFirst],
  mend: 'give the file that ventral align --out wrote',
};

export const saliencyFile: StoredKind<typeof saliencyRecordSchema> = {
  kind: 'saliency',
  schema: saliencyRecordSchema,
  migrations: [saliencyFromFirst],
  mend: 'give the saliency.json that ventral saliency wrote',
};

export const recordingFile: StoredKind<typeof recordingHeaderSchema> = {
  kind: 'recording',
  schema: recordingHeaderSchema,
  migrations: [recordingFromFirst],
  firstFormat: 'ventral-recording',
  mend: 'correct the field',
};
