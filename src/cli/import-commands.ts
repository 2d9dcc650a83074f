import type { Command } from 'commander';
import { importArcaro } from '../data/arcaro.ts';
import { importBrainio } from '../data/brainio.ts';
import { importHdf5, importMat, importNpy, importNpz } from '../data/import.ts';
import type { ArrayImport } from '../data/import-array.ts';
import { inspectRecording } from '../data/inspect.ts';
import { importNwb } from '../data/nwb.ts';
import type { StoragePorts } from '../node/index.ts';
import { inputError } from '../records/errors.ts';
import type { Recording, TimeBin } from '../records/recording.ts';
import { inspectionLines } from '../report/inspection.ts';
import {
  parseList,
  parseNumber,
  parsePath,
  parseText,
  parseWhole,
  parseWindow,
  parseWindows,
} from './options.ts';
import { withStorage } from './session.ts';
import { printLines } from './typed.ts';

/** Options that every import has. */
interface CommonOptions {
  readonly out: string;
  readonly name?: string;
  readonly licence?: string;
  readonly citation?: string;
}

interface Quiet {
  readonly quiet?: boolean;
}

interface ArrayOptions extends CommonOptions {
  readonly responses: string;
  readonly dims: readonly string[];
  readonly stimuli: string;
  readonly order?: string;
  readonly area: string;
  readonly species: string;
  readonly window?: TimeBin;
  readonly timeStart?: number;
  readonly timeStep?: number;
  readonly bins?: readonly TimeBin[];
  readonly unit?: string;
  readonly animal?: string;
  readonly columns?: string;
}

export const addImportCommands = (data: Command): void => {
  const imports = data.command('import').description('make a recording folder from other files');
  addArrayCommand(imports, 'npy', 'a NumPy array').action(arrayAction(importNpy));
  addArrayCommand(imports, 'npz', 'an array of a NumPy archive')
    .option('--array <name>', 'the array, where there are several')
    .action(arrayAction(importNpz));
  addArrayCommand(imports, 'mat', 'a variable of a MATLAB file (version 5 to 7.3)')
    .requiredOption(
      '--variable <name>',
      'the array, or a field (data.resp); its --dims are in the order of MATLAB',
    )
    .option(
      '--names <variable>',
      'cell array with the names of the images in order (paths, with / or \\)',
    )
    .action(arrayAction(importMat));
  addArrayCommand(imports, 'hdf5', 'a dataset of an HDF5 file (h5py, Julia, PyTables, netCDF-4, …)')
    .requiredOption(
      '--dataset <path>',
      'the array; its --dims are in the order of the file, as h5py and h5ls show it',
    )
    .option('--names <dataset>', 'names of the images in order')
    .action(arrayAction(importHdf5));
  addBrainioCommand(imports);
  addNwbCommand(imports);
  addArcaroCommand(imports);
};

const common = (command: Command): Command =>
  command
    .requiredOption('--out <folder>', 'new folder', parsePath)
    .option('--name <name>', 'default: the last part of --out', parseText)
    .option('--licence <name>')
    .option('--citation <text>')
    .option('--quiet', 'no progress on standard error');

const addArrayCommand = (imports: Command, kind: string, what: string): Command =>
  common(
    imports
      .command(kind)
      .description(`from ${what} of responses and the images`)
      .requiredOption(
        `--responses <file.${kind === 'hdf5' ? 'h5' : kind}>`,
        'array of numbers; NaN marks a missing trial',
        parsePath,
      )
      .requiredOption(
        '--dims <names>',
        'its dimensions in order: stimulus, and site, row, column, time, trial where they are',
        // One order: given again, it is another, not more of it.
        (text: string) => parseList(text),
      )
      .requiredOption(
        '--stimuli <folder|zip>',
        'images; sorted by name they are the stimuli in order',
        parsePath,
      )
      .option(
        '--order <name|number|file>',
        'order of the stimuli in the array: of their names, of the numbers in these, or as a list says',
        parsePath,
      )
      .requiredOption('--area <name>', 'V4, IT, …', parseText)
      .requiredOption('--species <name>', 'such as macaque', parseText)
      .option('--window <ms>', 'start-end from stimulus onset, such as 0-100', parseWindow)
      .option('--time-start <ms>', 'start of the first time bin, instead of --window', parseNumber)
      .option('--time-step <ms>', 'length of a time bin', parseNumber)
      .option(
        '--bins <ms>',
        'average the time bins in these instead, such as 50-90,90-130',
        parseWindows,
      )
      .option('--unit <unit>', 'what a number is, such as "spike count"')
      .option('--animal <name>')
      .option(
        '--columns <file.csv>',
        'further columns of the stimuli, joined by stimulus_id',
        parsePath,
      ),
  );

/** Runs an importer and shows what it made. */
const withImport = (
  quiet: boolean,
  work: (ports: StoragePorts) => Promise<Recording>,
): Promise<void> =>
  withStorage({ quiet }, async (ports, say) => {
    const recording = await work(ports);
    for (const warning of recording.warnings) say(`note: ${warning}`);
    printLines(inspectionLines(inspectRecording(recording)));
  });

/** `More`: options beyond those of every array, named as the importer names them. */
const arrayAction =
  <More extends ArrayImport>(
    importer: (request: More, ports: StoragePorts) => Promise<Recording>,
  ) =>
  ({ quiet = false, ...options }: ArrayOptions & Omit<More, keyof ArrayImport> & Quiet) =>
    withImport(quiet, (ports) => {
      const { timeStart, timeStep, window, ...rest } = options;
      const request = { ...rest, window: window ?? null, time: timeOf(timeStart, timeStep) };
      return importer(request as unknown as More, ports);
    });

const timeOf = (start: number | undefined, step: number | undefined) => {
  if (start === undefined && step === undefined) return null;
  if (start !== undefined && step !== undefined) return { start, step };
  throw inputError({
    where: 'ventral data import',
    expected: '--time-start and --time-step together',
    got: 'one of them',
    mend: 'give both, or --window',
  });
};

interface BrainioOptions extends CommonOptions, Quiet {
  readonly assembly: string;
  readonly stimuli: string;
  readonly images: string;
  readonly species: string;
  readonly area?: readonly string[];
  readonly bins?: readonly TimeBin[];
  readonly window?: TimeBin;
  readonly unit?: string;
}

const addBrainioCommand = (imports: Command): void => {
  common(
    imports
      .command('brainio')
      .description('from a BrainIO (Brain-Score) assembly and its stimulus set')
      .requiredOption('--assembly <file.nc>', 'netCDF-4 file of responses', parsePath)
      .requiredOption('--stimuli <file.csv>', 'stimulus set', parsePath)
      .requiredOption('--images <folder|zip>', 'images of the stimulus set', parsePath)
      .requiredOption('--species <name>', 'such as macaque', parseText)
      .option(
        '--area <names>',
        'regions to take (default: all), or the area of a file without regions',
        parseList,
      )
      .option('--bins <ms>', 'average its time bins in these instead, such as 70-170', parseWindows)
      .option('--window <ms>', 'start-end, for an assembly without time bins', parseWindow)
      .option('--unit <unit>', 'what a number is'),
  ).action(({ quiet = false, area, ...options }: BrainioOptions) =>
    withImport(quiet, (ports) =>
      importBrainio({ ...options, ...(area === undefined ? {} : { areas: area }) }, ports),
    ),
  );
};

interface NwbOptions extends CommonOptions, Quiet {
  readonly file: string;
  readonly intervals: string;
  readonly stimulusColumn: string;
  readonly stimuli: string;
  readonly skip?: readonly string[];
  readonly bins: readonly TimeBin[];
  readonly area?: string;
  readonly areaColumn?: string;
  readonly species: string;
  readonly animal?: string;
  readonly columns?: string;
}

const areaOf = ({ area, areaColumn }: NwbOptions) => {
  if (area !== undefined && areaColumn === undefined) return { name: area };
  if (areaColumn !== undefined && area === undefined) return { column: areaColumn };
  throw inputError({
    where: 'ventral data import nwb',
    expected: '--area or --area-column',
    got: area === undefined ? 'neither' : 'both',
    mend: 'give one area for all units, or the column of units that has it',
  });
};

const addNwbCommand = (imports: Command): void => {
  common(
    imports
      .command('nwb')
      .description('from the spike times of the units of an NWB file')
      .requiredOption('--file <file.nwb>', 'units with spike times, and intervals', parsePath)
      .option('--intervals <table>', 'table of intervals in which stimuli were shown', 'trials')
      .requiredOption('--stimulus-column <name>', 'its column with the names of the images')
      .requiredOption('--stimuli <folder|zip>', 'the images', parsePath)
      .option('--skip <names>', 'names in that column to leave out, such as blank', parseList)
      .requiredOption(
        '--bins <ms>',
        'count spikes in these, from the start of the interval: 50-90,90-130',
        parseWindows,
      )
      .option('--area <name>', 'area of all units', parseText)
      .option('--area-column <name>', 'column with the areas, of the units or of their electrodes')
      .requiredOption('--species <name>', 'such as macaque', parseText)
      .option('--animal <name>')
      .option(
        '--columns <file.csv>',
        'further columns of the stimuli, joined by stimulus_id',
        parsePath,
      ),
  ).action((options: NwbOptions) =>
    withImport(options.quiet ?? false, (ports) => {
      const { quiet: _quiet, area: _area, areaColumn: _column, ...rest } = options;
      return importNwb({ ...rest, area: areaOf(options) }, ports);
    }),
  );
};

interface ArcaroOptions extends Quiet {
  readonly archive: string;
  readonly out: string;
  readonly posterior?: number;
}

const addArcaroCommand = (imports: Command): void => {
  imports
    .command('arcaro2020')
    .description('the three recordings of Linsley et al. 2023, from their release')
    .requiredOption('--archive <zip|folder>', 'Arcaro2020.zip, or what it unpacks to', parsePath)
    .requiredOption('--out <folder>', 'folder for m1-ml, m1-pl and m2-ml', parsePath)
    .option(
      '--posterior <n>',
      "first channels of monkey 1 that lie in PL; default: the paper's 31",
      parseWhole(1),
    )
    .option('--quiet', 'no progress on standard error')
    .action(({ quiet = false, ...request }: ArcaroOptions) =>
      withStorage({ quiet }, async (ports) => {
        const made = await importArcaro(request, ports);
        printLines(made);
      }),
    );
};
