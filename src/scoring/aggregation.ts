import type { Protocol } from '../records/protocol.ts';

/** How correlations become one value; `aggregation` of a protocol in two words. */
export interface Aggregation {
  /** What the mean is over, of medians over sites: nothing more (`rows`), held-out images, or overlapping splits. */
  readonly over: 'rows' | 'images' | 'splits';
  /** Whether each correlation is divided by its ceiling, or the aggregate by one ceiling. */
  readonly ceiling: 'before' | 'after';
}

const meanings: Readonly<Record<Protocol['aggregation'], Aggregation>> = {
  sites: { over: 'rows', ceiling: 'before' },
  'images-of-sites': { over: 'images', ceiling: 'before' },
  'images-of-sites-then-ceiling': { over: 'images', ceiling: 'after' },
  'splits-of-sites-then-ceiling': { over: 'splits', ceiling: 'after' },
};

/** What the word of a protocol means. */
export const aggregationOf = ({ aggregation }: Pick<Protocol, 'aggregation'>): Aggregation =>
  meanings[aggregation];
