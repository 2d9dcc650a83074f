import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { encodeModel } from '../graph/encode.ts';
import { externalTensors } from '../graph/external-tensors.ts';
import type { ArrayData, NdArray } from '../records/array.ts';
import {
  engineError,
  inputError,
  reasonOf,
  type StatedProblem,
  stoppedError,
} from '../records/errors.ts';
import type {
  Engine,
  EngineModel,
  EngineSession,
  Feed,
  Held,
  WeightsFile,
} from '../records/ports.ts';
import {
  type Answers,
  type Command,
  FLAG,
  type Reply,
  type Request,
  type SentFeed,
  type SentWeights,
} from './engine-protocol.ts';
import { isHostFiles } from './files.ts';
import { startWorker } from './start-worker.ts';

export interface NodeEngineOptions {
  /** Threads that one operation is spread over; default: the cores that this process may use. */
  readonly threads?: number;
  /** `cpu` (default), `webgpu`, `cuda`, or whatever else this onnxruntime has. */
  readonly device?: string;
}

/** A copy with a buffer of its own, which may be given away. `slice` will not do: Node's Buffer makes it a view. */
const copyOf = <T extends ArrayData>(data: T): T => {
  const make = (data instanceof Uint8Array ? Uint8Array : data.constructor) as new (
    length: number,
  ) => T;
  const copy = new make(data.length);
  (copy as Float64Array).set(data as Float64Array);
  return copy;
};

const ownsBuffer = (data: ArrayData): boolean =>
  data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength;

/** Feeds as they are sent: held arrays by id, others copied; and the copies' buffers, to be transferred. */
const outgoing = (
  feeds: Readonly<Record<string, Feed>>,
): { sent: Record<string, SentFeed>; transfer: ArrayBuffer[] } => {
  // An input may be called `__proto__`, to which an object cannot be set.
  const sent = new Map<string, SentFeed>();
  const transfer: ArrayBuffer[] = [];
  for (const [name, feed] of Object.entries(feeds)) {
    if ('held' in feed) {
      sent.set(name, { id: feed.held.id, rows: feed.rows ?? null });
    } else {
      const data = copyOf(feed.data);
      sent.set(name, { data, shape: feed.shape });
      transfer.push(data.buffer as ArrayBuffer);
    }
  }
  return { sent: Object.fromEntries(sent), transfer };
};

/** Milliseconds that a process which exits waits for a run to end. */
const LONGEST_WAIT = 60_000;

interface Line {
  ask<K extends Command['kind']>(
    command: Command & { readonly kind: K },
    transfer?: readonly ArrayBuffer[],
  ): Promise<Answers[K]>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (answer: Answers[keyof Answers]) => void;
  readonly reject: (error: Error) => void;
}

/** Numbers calls and answers them; the worker keeps the process alive only while a call is waiting. */
const connect = (): Line => {
  const flags = new Int32Array(new SharedArrayBuffer(FLAG.count * Int32Array.BYTES_PER_ELEMENT));
  const worker = startWorker(import.meta.url, 'engine-worker', flags);
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let ended: (() => Error) | null = null;

  const end = (error: () => Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended());
    waiting.clear();
  };
  const lost = (reason: string) => (): Error =>
    engineError({
      where: 'onnxruntime',
      expected: 'an engine that keeps running',
      got: `an engine that ended (${reason})`,
      mend: 'run again; if it ends again, give it less memory to fill or fewer threads',
    });

  // At `process.exit` Node would end the thread in the middle of a run: wait for the run that is under way, but not for
  // ever, since a thread that died in one never says so.
  const leave = (): void => {
    Atomics.store(flags, FLAG.closing, 1);
    Atomics.wait(flags, FLAG.busy, 1, LONGEST_WAIT);
  };
  process.on('exit', leave);
  worker.unref();
  worker.on('message', (reply: Reply) => {
    const asked = waiting.get(reply.call);
    waiting.delete(reply.call);
    // A late answer must not let the process end before the thread that `close` waits for.
    if (waiting.size === 0 && ended === null) worker.unref();
    if ('failure' in reply) asked?.reject(new Error(reply.failure));
    else asked?.resolve(reply.answer);
  });
  worker.on('error', (thrown) => end(lost(reasonOf(thrown))));
  worker.on('exit', (code) => {
    process.off('exit', leave);
    end(lost(`exit code ${code}`));
  });

  return {
    ask: <K extends Command['kind']>(
      command: Command & { readonly kind: K },
      transfer: readonly ArrayBuffer[] = [],
    ): Promise<Answers[K]> =>
      new Promise((resolve, reject) => {
        if (ended !== null) {
          reject(ended());
          return;
        }
        const call = ++calls;
        worker.postMessage({ call, command } satisfies Request, transfer);
        waiting.set(call, { resolve: resolve as Waiting['resolve'], reject });
        worker.ref();
      }),
    close: async () => {
      const exited = worker.threadId < 0 ? null : once(worker, 'exit');
      end(stoppedError);
      Atomics.store(flags, FLAG.closing, 1);
      worker.ref();
      worker.postMessage(null satisfies Request);
      await exited;
    },
  };
};

/** Failures that the worker reports become one engine error; the line's own errors pass. */
const explained = async <T>(
  answer: Promise<T>,
  problem: Omit<StatedProblem, 'got'>,
): Promise<T> => {
  try {
    return await answer;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'VentralError') throw thrown;
    throw engineError({ ...problem, got: reasonOf(thrown) }, thrown);
  }
};

const createSession = (line: Line, opened: Answers['open']): EngineSession => ({
  inputs: opened.inputs,
  outputs: opened.outputs,
  run: (feeds, { fetch = null, keep = [] } = {}) => {
    const { sent, transfer } = outgoing(feeds);
    const command = { kind: 'run', session: opened.session, feeds: sent, fetch, keep } as const;
    return explained(line.ask(command, transfer), {
      where: 'onnxruntime',
      expected: 'a run of the model',
      mend: 'check the model and what it is fed',
    });
  },
  release: async () => {
    await explained(line.ask({ kind: 'release', session: opened.session }), {
      where: 'onnxruntime',
      expected: 'an open session',
      mend: 'release a session once',
    });
  },
});

/** The folder of this computer below which all files lie as the model names them; null where there is none. */
const hostFolder = (files: readonly WeightsFile[]): string | null => {
  const folders = new Set(
    files.map(({ name, path, files: from }) =>
      isHostFiles(from) && path.endsWith(`/${name}`)
        ? path.slice(0, -name.length - 1) || '/'
        : null,
    ),
  );
  const [folder = null] = folders;
  return folders.size === 1 ? folder : null;
};

/** Whether a model names no other files than these: in a folder, onnxruntime would read those, too. */
const areAll = (files: readonly WeightsFile[], bytes: Uint8Array): boolean => {
  const names = new Set(files.map(({ name }) => name));
  const named = externalTensors({ bytes, name: 'model' });
  return named.every(({ external }) => names.has(external!.location));
};

/**
 * Files of this computer are left to onnxruntime, which maps them; of weights in memory it makes copies (1.3 instead of
 * 0.6 GB for 0.5 GB of weights). Others are read whole.
 */
const weightsOf = async (
  files: readonly WeightsFile[],
  model: Uint8Array,
): Promise<{ readonly weights: SentWeights; readonly transfer: readonly ArrayBuffer[] }> => {
  const folder = hostFolder(files);
  if (folder !== null && areAll(files, model)) return { weights: { folder }, transfer: [] };
  const read = files.map(async ({ name, path, files: from }) => {
    const data = await from.read(path);
    return { path: name, data: ownsBuffer(data) ? data : copyOf(data) };
  });
  const sent = await Promise.all(read);
  const transfer = sent.map(({ data }) => data.buffer as ArrayBuffer);
  return { weights: { files: sent }, transfer };
};

const open = async (
  line: Line,
  { bytes, externalData = [], given = false, optimised = true }: EngineModel,
): Promise<EngineSession> => {
  const sent = given && ownsBuffer(bytes) ? bytes : copyOf(bytes);
  const { weights, transfer } = await weightsOf(externalData, sent);
  const command = { kind: 'open', bytes: sent, weights, optimised } as const;
  const opened = await explained(line.ask(command, [sent.buffer as ArrayBuffer, ...transfer]), {
    where: 'onnxruntime',
    expected: 'an ONNX model that it can load',
    mend: 'check that the file is whole and that its operations are supported',
  });
  return createSession(line, opened);
};

const hold = (line: Line, array: NdArray): Promise<Held> => {
  const data = ownsBuffer(array.data) ? array.data : copyOf(array.data);
  const command = { kind: 'hold', array: { data, shape: array.shape } } as const;
  return line.ask(command, [data.buffer as ArrayBuffer]);
};

/** What concerns one held array. */
const askFor = <K extends 'read' | 'take' | 'drop'>(
  line: Line,
  kind: K,
  { id }: Held,
): Promise<Answers[K]> =>
  explained(line.ask({ kind, id } as Command & { readonly kind: K }), {
    where: 'onnxruntime',
    expected: 'an array that this engine holds',
    mend: 'take or drop an array once, in the engine that holds it',
  });

/** A session of one operation shows whether the device can be used at all. */
const tryDevice = async (line: Line, device: string): Promise<void> => {
  const value = (name: string) => ({ name, type: 'float32' as const, shape: [1] });
  const bytes = encodeModel({
    name: 'probe',
    opset: 17,
    inputs: [value('x')],
    outputs: [value('y')],
    initialisers: [],
    nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
  });
  const answer = open(line, { bytes }).then(async (session) => {
    await session.run({ x: { data: Float32Array.of(1), shape: [1] } });
    await session.release();
  });
  try {
    await answer;
  } catch (thrown) {
    throw engineError(
      {
        code: 'device-unusable',
        field: 'device',
        where: `device: ${device}`,
        expected: `a ${device} device that onnxruntime can use`,
        got: reasonOf(thrown instanceof Error && thrown.cause ? thrown.cause : thrown),
        mend:
          device === 'cuda'
            ? 'install the CUDA files (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node) or use the device cpu'
            : 'use the device cpu',
      },
      thrown,
    );
  }
};

/** No two engines of a process give the same id, so that one refuses what another holds. */
const idsOfAnEngine = 2 ** 32;
let engines = 0;

/** onnxruntime starts as many as it is told to, each with memory of its own, until the machine has none left. */
const mostThreads = 256;

/**
 * onnxruntime-node in a worker thread. Arrays move to the worker by transfer, never through shared memory, which
 * onnxruntime refuses. A held array that is a view of a larger buffer is copied instead of detached. After `close`,
 * waiting and later calls reject with the `stopped` error; an engine that is not closed does not keep the process alive.
 * Throws an engine error where the device cannot be used, an input error for an impossible number of threads.
 */
export const createNodeEngine = async (options: NodeEngineOptions = {}): Promise<Engine> => {
  const threads = options.threads ?? availableParallelism();
  const device = options.device ?? 'cpu';
  const most = Math.max(mostThreads, availableParallelism());
  if (!Number.isInteger(threads) || threads < 1 || threads > most) {
    throw inputError({
      code: 'threads-out-of-range',
      field: 'threads',
      where: 'threads',
      expected: `a whole number from 1 to ${most}`,
      got: String(threads),
      mend: 'leave it out to use every core',
    });
  }
  const line = connect();
  try {
    const firstId = engines++ * idsOfAnEngine;
    const { version } = await line.ask({ kind: 'start', threads, device, firstId });
    if (device !== 'cpu') await tryDevice(line, device);
    return {
      device,
      threads,
      version: `onnxruntime-node ${version}`,
      open: (model) => open(line, model),
      hold: (array) => hold(line, array),
      read: (held) => askFor(line, 'read', held),
      take: (held) => askFor(line, 'take', held),
      drop: async (held) => {
        await askFor(line, 'drop', held);
      },
      close: line.close,
    };
  } catch (thrown) {
    await line.close();
    throw thrown;
  }
};
