// The design of the study, as stored: which worlds there are, and which cells.

import { readFileSync } from 'node:fs';

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Latent variables and their nonlinear functions, of a part of the basis. */
type Part = readonly [linear: number, nonlinear: number];

interface Basis {
  readonly common: Part;
  /** Of each of two networks. */
  readonly own: Part;
  /** Latent variables that no site knows, of each of two networks. */
  readonly nuisance: number;
  /** Of a layer. */
  readonly features: number;
  /** Of the ridge, absolute. */
  readonly alpha: number;
}

export interface Design {
  readonly pool: { readonly images: number; readonly sites: number };
  readonly drawnForGrids: number;
  /** Of a site's single trial. */
  readonly reliability: Range;
  /** Share of the noise variance that sites have in common in a trial. */
  readonly sharedNoise: number;
  /** Share of a site's variance that both networks can know. */
  readonly commonShare: Range;
  readonly splits: number;
  readonly replicates: number;
  readonly image: Basis & { readonly folds: number };
  readonly grid: Basis & { readonly side: number; readonly waves: number };
  readonly cells: Readonly<Record<'images' | 'grids' | 'sites' | 'trials', readonly number[]>>;
  readonly power: { readonly of: readonly string[]; readonly handicaps: readonly number[] };
}

export interface Cell {
  readonly name: string;
  readonly layout: 'image' | 'grid';
  readonly images: number;
  readonly sites: number;
  readonly trials: number;
  /** What is added to the second network's nuisance: 0 where both are equal. */
  readonly handicap: number;
}

export const design = JSON.parse(
  readFileSync(new URL('./design.json', import.meta.url), 'utf8'),
) as Design;

const equalCells: readonly Cell[] = (['image', 'grid'] as const).flatMap((layout) =>
  design.cells[layout === 'image' ? 'images' : 'grids'].flatMap((images) =>
    design.cells.sites.flatMap((sites) =>
      design.cells.trials.map((trials) => ({
        name: `${layout}-${images}x${sites}-${trials}`,
        ...{ layout, images, sites, trials, handicap: 0 },
      })),
    ),
  ),
);

/** `layout-imagesxsites-trials`, and for the power of comparisons `-handicap` behind it. */
export const cells: readonly Cell[] = [
  ...equalCells,
  ...design.power.of.flatMap((of) =>
    design.power.handicaps.map((handicap) => ({
      ...equalCells.find(({ name }) => name === of)!,
      name: `${of}-${handicap}`,
      handicap,
    })),
  ),
];
