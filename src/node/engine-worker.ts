import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';
import type { ArrayData, NdArray } from '../records/array.ts';
import { reasonOf } from '../records/errors.ts';
import type { Held, TensorInfo } from '../records/ports.ts';
import {
  type Answers,
  type Command,
  FLAG,
  type Reply,
  type Request,
  type SentFeed,
  type SentWeights,
} from './engine-protocol.ts';

// The engine's thread: it alone talks to onnxruntime, whose `run` blocks whichever thread calls it.

interface OpenSession {
  readonly session: ort.InferenceSession;
  /** Element types of the inputs. */
  readonly types: ReadonlyMap<string, string>;
}

/** An array with its element type, which its class does not always tell (`carriers`). */
interface TypedArray extends NdArray {
  readonly type: string;
}

const port = parentPort!;
const flags = workerData as Int32Array;
const sessions = new Map<number, OpenSession>();
const arrays = new Map<number, TypedArray>();
let settings: { readonly threads: number; readonly device: string } = { threads: 1, device: 'cpu' };
let lastId = 0;

const typeOf = (data: ArrayData): string => {
  const name = Object.prototype.toString.call(data).slice(8, -1);
  const names: Readonly<Record<string, string>> = {
    Float32Array: 'float32',
    Float64Array: 'float64',
    BigInt64Array: 'int64',
    BigUint64Array: 'uint64',
  };
  return names[name] ?? name.replace('Array', '').toLowerCase();
};

/** Storage classes that carry an ONNX type without a class of its own. */
const carriers: Readonly<Record<string, string>> = { bool: 'uint8', float16: 'uint16' };

const infoOf = (metadata: readonly ort.InferenceSession.ValueMetadata[]): TensorInfo[] =>
  metadata.map((value) => {
    if (!value.isTensor) throw new Error(`"${value.name}" is not a tensor`);
    return { name: value.name, type: value.type, shape: [...value.shape] };
  });

/**
 * A model in memory has no folder: onnxruntime would look into the working directory for what was not handed over. Nothing
 * is below a regular file.
 */
const nowhere = `${process.execPath}/none`;

const externalOptions = (weights: SentWeights) => {
  const folder = 'folder' in weights ? weights.folder : nowhere;
  return {
    // An empty list is one, too: weights that it lacks are then refused by their name.
    ...('files' in weights ? { externalData: [...weights.files] } : {}),
    session: { model_external_initializers_file_folder_path: folder },
  };
};

const open = async (command: Command & { kind: 'open' }): Promise<Answers['open']> => {
  const { session: external, ...outside } = externalOptions(command.weights);
  const session = await ort.InferenceSession.create(command.bytes, {
    ...outside,
    executionProviders: [settings.device],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // 'all' lays convolutions out anew, which makes them 1.4 to 3 times as fast as 'basic' and moves values by up to 1e-5
    // of a tensor's largest. Reruns, numbers of threads and batch sizes give the same bytes; so do other taps, but for a
    // convolution that is tapped although a sum follows it (6e-7): alone, it is fused with the sum.
    // What it merges wrongly is found by comparison with 'disabled' (`models/engine-check.ts`).
    graphOptimizationLevel: command.optimised ? 'all' : 'disabled',
    // A pattern is one block for all tensors of a run, planned during the first run and taken beside what that run had
    // taken: a third to two thirds more memory at the peak (532 against 467 MB for ResNet-50 in eights, 2487 against
    // 1537 MB for its training step), and no time gained.
    enableMemPattern: false,
    logSeverityLevel: 4,
    extra: {
      session: {
        // Threads that wait by spinning would take a core from the caller's own work between two runs.
        intra_op: { allow_spinning: '0' },
        ...external,
      },
    },
  });
  const inputs = infoOf(session.inputMetadata);
  const id = ++lastId;
  sessions.set(id, { session, types: new Map(inputs.map(({ name, type }) => [name, type])) });
  return { session: id, inputs, outputs: infoOf(session.outputMetadata) };
};

const sessionOf = (id: number): OpenSession => {
  const found = sessions.get(id);
  if (found === undefined) throw new Error('the session was released');
  return found;
};

const heldArray = (id: number): TypedArray => {
  const held = arrays.get(id);
  if (held === undefined)
    throw new Error('a held array that was taken or dropped, or is of another engine');
  return held;
};

const heldRows = (id: number, rows: readonly [number, number] | null): TypedArray => {
  const held = heldArray(id);
  if (rows === null) return held;
  const [from, to] = rows;
  const [count = 0, ...rest] = held.shape;
  if (!(0 <= from && from <= to && to <= count))
    throw new Error(`rows ${from} to ${to} of a held array with ${count} rows`);
  const width = count === 0 ? 0 : held.data.length / count;
  return {
    type: held.type,
    data: held.data.subarray(from * width, to * width),
    shape: [to - from, ...rest],
  };
};

const tensorOf = (name: string, feed: SentFeed, expected: string | undefined): ort.Tensor => {
  const { data, shape, type } =
    'id' in feed ? heldRows(feed.id, feed.rows) : { ...feed, type: typeOf(feed.data) };
  if (expected === undefined) throw new Error(`the model has no input "${name}"`);
  if (type !== expected && type !== carriers[expected])
    throw new Error(`input "${name}" takes ${expected}, fed ${type}`);
  return new ort.Tensor(expected as ort.Tensor.Type, data as Float32Array, shape);
};

const arrayOf = (name: string, value: ort.OnnxValue): TypedArray => {
  if (!('data' in value)) throw new Error(`output "${name}" is not a tensor`);
  const { data, dims, type } = value;
  if (Array.isArray(data)) throw new Error(`output "${name}" holds text`);
  const numbers = data as ArrayData;
  // Newer Nodes have a Float16Array, which our records do not know.
  const kept =
    type === 'float16'
      ? new Uint16Array(numbers.buffer, numbers.byteOffset, numbers.length)
      : numbers;
  return { type, data: kept, shape: [...dims] };
};

const hold = (array: TypedArray): Held => {
  arrays.set(++lastId, array);
  return { id: lastId, type: array.type, shape: array.shape };
};

const plain = ({ data, shape }: TypedArray): NdArray => ({ data, shape });

const run = async (command: Command & { kind: 'run' }): Promise<Answers['run']> => {
  const { session, types } = sessionOf(command.session);
  const keep = [...new Set(command.keep)];
  const fetch = command.fetch ?? session.outputNames.filter((name) => !keep.includes(name));
  // What is fetched leaves this thread with its memory.
  const twice = fetch.find((name) => keep.includes(name));
  if (twice !== undefined) throw new Error(`output "${twice}" both fetched and kept`);
  const feeds = Object.fromEntries(
    Object.entries(command.feeds).map(([name, feed]) => [
      name,
      tensorOf(name, feed, types.get(name)),
    ]),
  );
  const values = await session.run(feeds, [...fetch, ...keep]);
  // All are looked at before the first is kept: a run that fails keeps nothing.
  const outputs = new Map(
    Object.entries(values).map(([name, value]) => [name, arrayOf(name, value)]),
  );
  return {
    fetched: Object.fromEntries(fetch.map((name) => [name, plain(outputs.get(name)!)])),
    kept: Object.fromEntries(keep.map((name) => [name, hold(outputs.get(name)!)])),
  };
};

const obey = async (command: Command): Promise<Answers[keyof Answers]> => {
  switch (command.kind) {
    case 'start':
      settings = command;
      lastId = command.firstId;
      ort.env.logLevel = 'fatal';
      return { version: ort.env.versions.node ?? ort.env.versions.common };
    case 'open':
      return open(command);
    case 'run':
      return run(command);
    case 'release': {
      const { session } = sessionOf(command.session);
      sessions.delete(command.session);
      await session.release();
      return null;
    }
    case 'hold':
      return hold({ ...command.array, type: typeOf(command.array.data) });
    case 'read': {
      const { data, shape } = heldArray(command.id);
      return { data: data.slice(), shape };
    }
    case 'take': {
      const array = heldArray(command.id);
      arrays.delete(command.id);
      return plain(array);
    }
    case 'drop':
      heldArray(command.id);
      arrays.delete(command.id);
      return null;
  }
};

/** Buffers that may leave this thread with the answer, each once. */
const transferable = (command: Command, answer: Answers[keyof Answers]): ArrayBuffer[] => {
  const sent =
    command.kind === 'run'
      ? Object.values((answer as Answers['run']).fetched)
      : command.kind === 'take' || command.kind === 'read'
        ? [answer as NdArray]
        : [];
  return [...new Set(sent.map(({ data }) => data.buffer as ArrayBuffer))];
};

const reply = (call: number, command: Command, answer: Answers[keyof Answers]): void => {
  try {
    port.postMessage({ call, answer } satisfies Reply, transferable(command, answer));
  } catch (thrown) {
    // Nobody would know of what was kept.
    if (command.kind === 'run')
      for (const { id } of Object.values((answer as Answers['run']).kept)) arrays.delete(id);
    throw thrown;
  }
};

/** One line, without the source file and the condition that onnxruntime's own assertions begin with. */
const failureOf = (thrown: unknown): string =>
  reasonOf(thrown).replace(/^\/?onnxruntime_src\/.* was false\.\s*/, '');

const serve = async (call: number, command: Command): Promise<void> => {
  Atomics.store(flags, FLAG.busy, 1);
  try {
    if (Atomics.load(flags, FLAG.closing) === 1) return;
    reply(call, command, await obey(command));
  } catch (thrown) {
    port.postMessage({ call, failure: failureOf(thrown) } satisfies Reply);
  } finally {
    Atomics.store(flags, FLAG.busy, 0);
    Atomics.notify(flags, FLAG.busy);
  }
};

// One command after the other, in the order in which they were sent.
let before: Promise<void> = Promise.resolve();
port.on('message', (request: Request) => {
  before = before.then(() =>
    request === null ? process.exit() : serve(request.call, request.command),
  );
});
