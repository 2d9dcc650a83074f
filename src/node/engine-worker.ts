import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';
import type { ArrayData, NdArray } from '../records/array.ts';
import { reasonOf } from '../records/errors.ts';
import type { TensorInfo } from '../records/ports.ts';
import {
  type Answers,
  type Command,
  type Device,
  FLAG,
  type Reply,
  type Request,
  type SentFeed,
} from './engine-protocol.ts';

// The engine's thread: it alone talks to onnxruntime, whose `run` blocks whichever thread calls it.

interface OpenSession {
  readonly session: ort.InferenceSession;
  readonly types: ReadonlyMap<string, string>;
}

const port = parentPort!;
const flags = workerData as Int32Array;
const sessions = new Map<number, OpenSession>();
const arrays = new Map<number, NdArray>();
let settings: { readonly threads: number; readonly device: Device } = { threads: 1, device: 'cpu' };
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

const open = async (command: Command & { kind: 'open' }): Promise<Answers['open']> => {
  const session = await ort.InferenceSession.create(command.bytes, {
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
        ...(command.externalDataFolder === null
          ? {}
          : { model_external_initializers_file_folder_path: command.externalDataFolder }),
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

const heldRows = (id: number, [from, to]: readonly [number, number]): NdArray => {
  const held = arrays.get(id);
  if (held === undefined) throw new Error('the held array was taken back');
  const [rows = 1, ...rest] = held.shape;
  if (from < 0 || to > rows || from > to)
    throw new Error(`rows ${from} to ${to} of a held array with ${rows} rows`);
  const width = rows === 0 ? 0 : held.data.length / rows;
  return { data: held.data.subarray(from * width, to * width), shape: [to - from, ...rest] };
};

const tensorOf = (name: string, feed: SentFeed, expected: string | undefined): ort.Tensor => {
  const { data, shape } = 'id' in feed ? heldRows(feed.id, feed.rows) : feed;
  const type = typeOf(data);
  if (expected === undefined) throw new Error(`the model has no input "${name}"`);
  if (type !== expected && type !== carriers[expected])
    throw new Error(`input "${name}" takes ${expected}, fed ${type}`);
  return new ort.Tensor(expected as ort.Tensor.Type, data as Float32Array, shape);
};

const arrayOf = (name: string, value: ort.OnnxValue): NdArray => {
  if (!('data' in value)) throw new Error(`output "${name}" is not a tensor`);
  const { data, dims, type } = value;
  if (Array.isArray(data)) throw new Error(`output "${name}" holds text`);
  const numbers = data as ArrayData;
  // Newer Nodes have a Float16Array, which our records do not know.
  const kept =
    type === 'float16'
      ? new Uint16Array(numbers.buffer, numbers.byteOffset, numbers.length)
      : numbers;
  return { data: kept, shape: [...dims] };
};

const run = async (command: Command & { kind: 'run' }): Promise<Answers['run']> => {
  const { session, types } = sessionOf(command.session);
  const feeds = Object.fromEntries(
    Object.entries(command.feeds).map(([name, feed]) => [
      name,
      tensorOf(name, feed, types.get(name)),
    ]),
  );
  const fetched = await session.run(feeds, command.fetch ?? session.outputNames);
  return Object.fromEntries(
    Object.entries(fetched).map(([name, value]) => [name, arrayOf(name, value)]),
  );
};

const obey = async (command: Command): Promise<Answers[keyof Answers]> => {
  switch (command.kind) {
    case 'start':
      settings = command;
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
      arrays.set(++lastId, command.array);
      return lastId;
    case 'take': {
      const array = arrays.get(command.id);
      if (array === undefined) throw new Error('the held array was taken back before');
      arrays.delete(command.id);
      return array;
    }
  }
};

/** Buffers that may leave this thread with the answer, each once. */
const transferable = (command: Command, answer: Answers[keyof Answers]): ArrayBuffer[] => {
  const sent =
    command.kind === 'run'
      ? Object.values(answer as Answers['run'])
      : command.kind === 'take'
        ? [answer as NdArray]
        : [];
  return [...new Set(sent.map(({ data }) => data.buffer as ArrayBuffer))];
};

/** One line, without the source file and the condition that onnxruntime's own assertions begin with. */
const failureOf = (thrown: unknown): string =>
  reasonOf(thrown).replace(/^\/?onnxruntime_src\/.* was false\.\s*/, '');

const serve = async (call: number, command: Command): Promise<void> => {
  Atomics.store(flags, FLAG.busy, 1);
  try {
    if (Atomics.load(flags, FLAG.closing) === 1) return;
    const answer = await obey(command);
    port.postMessage({ call, answer } satisfies Reply, transferable(command, answer));
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
