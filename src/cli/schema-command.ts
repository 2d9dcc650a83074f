import type { Command } from 'commander';
import * as z from 'zod';
import { alignmentProtocolSchema, alignmentSchema } from '../records/alignment.ts';
import { inputError } from '../records/errors.ts';
import { loosened } from '../records/loosened.ts';
import { profileSchema } from '../records/profile.ts';
import { protocolSchema } from '../records/protocol.ts';
import { recordingHeaderSchema } from '../records/recording.ts';
import { saliencyRecordSchema } from '../records/saliency.ts';
import { scoreSchema } from '../records/score.ts';
import { siteCeilingsSchema } from '../records/site-ceiling.ts';

/** Files that people write have no fields but these; those that ventral writes may have more. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  score: loosened(scoreSchema),
  protocol: protocolSchema,
  recording: loosened(recordingHeaderSchema),
  alignment: loosened(alignmentSchema),
  'alignment-protocol': alignmentProtocolSchema,
  saliency: loosened(saliencyRecordSchema),
  profile: loosened(profileSchema),
  ceilings: loosened(siteCeilingsSchema),
};

export const addSchemaCommand = (program: Command): void => {
  const names = Object.keys(schemas).join(', ');
  program
    .command('schema')
    .description(`print the JSON Schema of a file: ${names}`)
    .argument('<file>', names)
    .action((file: string) => {
      const schema = schemas[file];
      if (schema === undefined)
        throw inputError({
          where: 'ventral schema',
          expected: names,
          got: `"${file}"`,
          mend: 'name one of them',
        });
      process.stdout.write(`${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`);
    });
};
