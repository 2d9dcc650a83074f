import type { SameTable } from './compare-json.ts';

/** What a change may do to files. Whoever renames a field adds it here. */
export const table: SameTable = {
  renamed: {
    choice: 'nestedSelection',
    curve: 'learningCurve',
    figures: 'metrics',
    remark: 'warning',
    splitError: 'standardErrorOverSplits',
    strengths: 'alphas',
    subject: 'candidate',
    // What intervals are of.
    ...Object.fromEntries(
      ['interval', 'ceilingInterval', 'rawInterval'].flatMap((interval) =>
        ['images', 'sites'].map((of) => [`${interval}.${of}`, `n.${of}`]),
      ),
    ),
    // Of profiles and ceilings.
    protocol: 'provenance.protocol',
    seed: 'provenance.seed',
  },
  added: [
    // Which kind of file it is, where it had none.
    'kind',
    // Of protocols whose numbers changed.
    'revision',
    // Intervals that were ends alone.
    ...['level', 'n', 'approximate', 'undefinedDraws'].map((field) => `interval.${field}`),
    'n.sites',
    // Of profiles, which had none.
    'provenance',
  ],
  ignored: [
    ...['seconds', 'startedAt', 'format', 'version'],
    // The hash of a score file, in which the seconds stand.
    'score.sha256',
    // That of a protocol moves with its description and revision; test/records holds it.
    'protocol.sha256',
    // The wording of messages.
    ...['warnings', 'notes', 'note', 'method', 'description'],
  ],
  shapeless: ['provenance'],
};
