import { median } from '../numeric/statistics.ts';
import type { BinReliability, Inspection } from '../records/inspection.ts';
import type { TimeBin } from '../records/recording.ts';
import { hex, seriesColours, viridis } from './colours.ts';
import { pageStyle } from './page-style.ts';
import { barChart, type Course, courseChart, escaped } from './svg-charts.ts';

/** A picture as a `data:` address, with what stands below it. */
export interface PagePicture {
  readonly caption: string;
  readonly address: string;
}

export interface InspectionPage {
  readonly inspection: Inspection;
  /** Some of the stimuli, small. */
  readonly stimuli: readonly PagePicture[];
  /** Mean response map of each site in one bin, in the order of the sites; null where there is no grid. */
  readonly maps: { readonly bin: TimeBin; readonly pictures: readonly PagePicture[] } | null;
}

const binText = ({ start, end }: TimeBin): string => `${start}–${end} ms`;

const numbers = (values: readonly (number | null)[]): number[] =>
  values.filter((value) => value !== null);

const areaColours = ({ areas }: Inspection): Map<string, string> => {
  const colours = seriesColours(areas.length);
  return new Map(areas.map(({ area }, index) => [area, colours[index]!]));
};

/** A course for each area, out of values per bin and site. */
const courses = (
  inspection: Inspection,
  bins: readonly { readonly bin: TimeBin; readonly perSite: readonly (number | null)[] }[],
): Course[] =>
  Array.from(areaColours(inspection), ([area, colour]) => ({
    name: area,
    colour,
    bins: bins.map(({ bin, perSite }) => ({
      bin,
      values: numbers(perSite.filter((_, site) => inspection.sites[site]!.area === area)),
    })),
  }));

/** Which colour is which area, where there are several. */
const key = (inspection: Inspection): string => {
  const colours = areaColours(inspection);
  if (colours.size < 2) return '';
  const entries = Array.from(
    colours,
    ([area, colour]) =>
      `<span class="key"><i style="background:${colour}"></i>${escaped(area)}</span>`,
  );
  return ` ${entries.join(' ')}`;
};

const section = (title: string, says: string, content: string): string =>
  `<h2>${escaped(title)}</h2><p class="soft">${says}</p>${content}`;

/** The bin of the highest median reliability. */
const bestBin = ({ reliability }: Inspection): BinReliability | null =>
  (reliability?.bins ?? []).reduce<BinReliability | null>(
    (best, each) => ((each.median ?? -Infinity) > (best?.median ?? -Infinity) ? each : best),
    null,
  );

const factsOf = (inspection: Inspection): string => {
  const { areas, animals, dimensions, timeBins, trials, responses, missing } = inspection;
  const [first, last] = [timeBins[0]!, timeBins.at(-1)!];
  const several = timeBins.length > 1 ? `${timeBins.length} bins, ` : '';
  const byTrials =
    trials.least === trials.most
      ? `${trials.most}`
      : `${trials.least} to ${trials.most}, median ${trials.median}`;
  const facts: readonly (readonly [string, string | null])[] = [
    ['species', [...new Set([inspection.species, ...animals])].join(', ')],
    ['sites', areas.map(({ area, sites }) => `${area} ${sites}`).join(', ')],
    ['stimuli', `${inspection.stimuli.count}`],
    ['array', dimensions.map(({ name, size }) => `${name} ${size}`).join(' × ')],
    ['time', `${several}${first.start} to ${last.end} ms`],
    ['trials', `${byTrials} per stimulus and site`],
    [
      'responses',
      responses === null
        ? 'none'
        : `${responses.least.toPrecision(3)} to ${responses.most.toPrecision(3)}, mean ${responses.mean.toPrecision(3)}${inspection.unit === '' ? '' : ` (${inspection.unit})`}`,
    ],
    ['missing', `${(missing * 100).toFixed(1)} %`],
    ['licence', inspection.licence],
    ['citation', inspection.citation],
    ...inspection.notes.map((note) => ['note', note] as const),
    ...inspection.warnings.map((warning) => ['warning', warning] as const),
  ];
  const rows = facts.flatMap(([name, text]) =>
    text === null ? [] : [`<dt>${name}</dt><dd>${escaped(text)}</dd>`],
  );
  rows.push(`<dt>SHA-256</dt><dd><code>${inspection.hash}</code></dd>`);
  return `<dl>${rows.join('')}</dl>`;
};

const timeSection = (inspection: Inspection): string => {
  const { timeCourse, unit } = inspection;
  if (timeCourse.length < 2) return '';
  return section(
    'Time course',
    `Mean response of each site over all stimuli: median over sites, band from quartile to quartile.${key(inspection)}`,
    courseChart(courses(inspection, timeCourse), unit === '' ? 'response' : unit, 0),
  );
};

/** Reliability where trials repeat; else what other sites reach, which is none. */
const reliabilitySection = (inspection: Inspection): string => {
  const { reliability, otherSites } = inspection;
  if (reliability === null && otherSites !== null && otherSites.length > 1)
    return section(
      'Best other site by time bin',
      `No repeated trials, so no reliability: the best other site (Spearman of two sites’ maps, mean over stimuli), which is no upper bound; median over sites, quartiles.${key(inspection)}`,
      courseChart(courses(inspection, otherSites), 'correlation', 0),
    );
  if (reliability === null) {
    const instead =
      otherSites === null
        ? 'under the default protocol scores are uncorrected'
        : 'under the default protocol scores are divided by the best other site, which is no upper bound';
    return section('Reliability', `No repeated trials, so no reliability; ${instead}.`, '');
  }
  if (reliability.bins.length < 2) return '';
  return section(
    'Reliability by time bin',
    `Of the mean over trials: split halves, Spearman–Brown-corrected, mean of ${reliability.splits} splits; median over sites, quartiles. The ceiling of a score is its root.${key(inspection)}`,
    courseChart(courses(inspection, reliability.bins), 'reliability', 0),
  );
};

/** Indices of the sites with a reliability in the best bin, the highest first. */
const ranking = (best: BinReliability): number[] =>
  best.perSite
    .flatMap((value, site) => (value === null ? [] : [site]))
    .sort((a, b) => best.perSite[b]! - best.perSite[a]!);

const siteSection = (inspection: Inspection): string => {
  const best = bestBin(inspection);
  if (best === null) return '';
  const colours = areaColours(inspection);
  const ranked = ranking(best);
  const bars = ranked.map((site) => {
    const { id, area } = inspection.sites[site]!;
    return { name: `${id} (${area})`, value: best.perSite[site]!, colour: colours.get(area)! };
  });
  const rows = ranked.map((site) => {
    const { id, area, animal } = inspection.sites[site]!;
    const cells = [id, area, animal ?? '', best.perSite[site]!.toFixed(3)];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  const lost = best.perSite.length - ranked.length;
  const left = lost === 0 ? '' : ` Not defined for ${lost} of ${best.perSite.length} sites.`;
  const middle = median(numbers(best.perSite)).toFixed(3);
  return section(
    'Sites by reliability',
    `${binText(best.bin)}${inspection.timeBins.length > 1 ? ', the bin of the highest median' : ''}; median ${middle}.${left}${key(inspection)}`,
    `${barChart(bars, 'reliability')}<details><summary>as a table</summary><table><tr><th>site</th><th>area</th><th>animal</th><th>reliability</th></tr>${rows.join('')}</table></details>`,
  );
};

const figures = (pictures: readonly PagePicture[], kind: string): string =>
  `<div class="tiles ${kind}">${pictures
    .map(
      ({ caption, address }) =>
        `<value><img src="${address}" alt="${escaped(caption)}"><figcaption>${escaped(caption)}</figcaption></value>`,
    )
    .join('')}</div>`;

const colourScale = (): string => {
  const stops = Array.from({ length: 17 }, (_, step) => hex(viridis(step / 16))).join(', ');
  return `<div class="scale" style="background: linear-gradient(90deg, ${stops})"></div><div class="ends"><span>a site's least</span><span>its most</span></div>`;
};

const mapSection = ({ inspection, maps }: InspectionPage): string => {
  if (maps === null) return '';
  const best = bestBin(inspection);
  const order = best === null ? maps.pictures.map((_, site) => site) : ranking(best);
  const sorted = best === null ? '' : ', the most reliable sites first';
  return section(
    'Response maps',
    `Mean response at each fixation over all stimuli, ${binText(maps.bin)}${sorted}. Each site has a scale of its own.`,
    colourScale() +
      figures(
        order.map((site) => maps.pictures[site]!),
        'maps',
      ),
  );
};

/** An inspection as one page that needs nothing beside itself: no script, no style sheet, no address to fetch. */
export const inspectionPage = (page: InspectionPage): string => {
  const { inspection, stimuli } = page;
  const { name, areas, stimuli: all } = inspection;
  const kind = inspection.layout === 'grid' ? 'a response per fixation' : 'one response per image';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(name)} – ventral</title><style>${pageStyle}</style></head><body>
<h1>${escaped(name)}</h1><p class="soft">Recording from ${escaped(areas.map(({ area }) => area).join(', '))}, ${kind}</p>
${factsOf(inspection)}
${timeSection(inspection)}
${reliabilitySection(inspection)}
${siteSection(inspection)}
${mapSection(page)}
${section('Stimuli', stimuli.length < all.count ? `The first ${stimuli.length} of ${all.count}.` : `All ${all.count}.`, figures(stimuli, 'stimuli'))}
</body></html>
`;
};
