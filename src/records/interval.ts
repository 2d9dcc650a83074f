import * as z from 'zod';

const count = z.int().min(0);

/** How far a value is known. */
export const intervalSchema = z
  .strictObject({
    low: z.number(),
    high: z.number(),
    level: z.number().describe('such as 0.95'),
    method: z
      .string()
      .describe(
        '`t over images` at 20 images or fewer, which is about these sites; else `bootstrap over images and sites`: value ± t · error, its variance from draws of images, of sites and of both (of the ceiling of best pairs, or of a single site: `bootstrap over images`); `percentile bootstrap …` of depths and of alignments',
      ),
    n: z
      .strictObject({
        images: count
          .nullable()
          .describe(
            'drawn; nearly equal ones are drawn together and count once; null where none are',
          ),
        sites: count
          .nullable()
          .describe('drawn, or that the value is of; null where sites have no part'),
      })
      .describe(
        'null, too, where a file of an older version does not say it; of a difference: of what has fewer',
      ),
    approximate: z.boolean().describe('from so few that it may cover too little'),
    undefinedDraws: count
      .optional()
      .describe('draws in which the value was not defined, where there are any'),
  })
  .describe('confidence interval in the unit of the value that it belongs to');
export type Interval = z.infer<typeof intervalSchema>;
