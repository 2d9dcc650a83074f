import * as z from 'zod';
import { baseName } from '../formats/paths.ts';
import { decodeText, encodeText } from '../formats/text.ts';
import { inputError, storageError, VentralError } from '../records/errors.ts';
import type { Files, Http, HttpReply, Ports, Watch } from '../records/ports.ts';

export type DownloadPorts = Pick<Ports, 'files' | keyof Watch> & {
  readonly http: Http;
  /** A line about what happens: a cut connection, another try. */
  readonly say: (line: string) => void;
};

/** Tries in a row that bring nothing new before a download is given up. */
const mostTries = 5;
/** Milliseconds before the second try; doubled with each further one. */
const firstPause = 500;
/** Bytes that are gathered before they are written. */
const pieceBytes = 2 ** 22;
/** Statuses that may be others a moment later. */
const passing: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

const stateSchema = z.strictObject({
  address: z.string(),
  /** ETag or date of the version that the part is of. */
  validator: z.string().nullable(),
  total: z.number().nullable(),
});
type State = z.infer<typeof stateSchema>;

const failed = {
  code: 'download-failed',
  field: 'from',
  mend: 'try again later, or name a mirror',
} as const;

const sizeOf = async (path: string, files: Files): Promise<number> =>
  (await files.info(path))?.size ?? 0;

const statePath = (part: string): string => `${part}.json`;

const readState = async (part: string, address: string, files: Files): Promise<State | null> => {
  if ((await files.info(statePath(part)))?.kind !== 'file') return null;
  const text = decodeText(await files.read(statePath(part)), statePath(part));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = stateSchema.safeParse(value);
  return parsed.success && parsed.data.address === address ? parsed.data : null;
};

const startOver = async (part: string, files: Files): Promise<void> => {
  await files.remove(part);
  await files.remove(statePath(part));
};

/** Weak validators cannot vouch for single bytes (RFC 9110, 13.1.5). */
const validatorOf = ({ headers }: HttpReply): string | null => {
  const { etag } = headers;
  if (etag?.startsWith('"')) return etag;
  return headers['last-modified'] ?? null;
};

const wholeNumber = (text: string | undefined): number | null =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : null;

interface ContentRange {
  readonly from: number | null;
  readonly total: number | null;
}

const contentRange = ({ headers }: HttpReply): ContentRange => {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  return { from: wholeNumber(match?.[1]), total: wholeNumber(match?.[2]) };
};

/** Bytes of a body; a cut connection comes as its last element. */
async function* untilCut(body: HttpReply['body']): AsyncGenerator<Uint8Array | VentralError> {
  try {
    yield* body;
  } catch (thrown) {
    if (!(thrown instanceof VentralError && thrown.kind === 'storage')) throw thrown;
    yield thrown;
  }
}

interface Target {
  readonly address: string;
  readonly part: string;
  /** As the catalogue has it. */
  readonly bytes: number | null;
}

/** Appends a body to the part, whatever happens on the way; answers what cut it, if anything did. */
const store = async (
  reply: HttpReply,
  from: number,
  total: number | null,
  { part }: Target,
  { files, progress, checkStop }: DownloadPorts,
): Promise<string | null> => {
  const task = baseName(part).replace(/\.part$/, '');
  const [unit, scale] = total !== null && total < 1e6 ? ['kB', 1e3] : ['MB', 1e6];
  const scaled = (bytes: number): number => Math.ceil((10 * bytes) / scale) / 10;
  let gathered: Uint8Array[] = [];
  let [size, done] = [0, from];
  const flush = async (): Promise<void> => {
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of gathered) {
      bytes.set(piece, at);
      at += piece.length;
    }
    [gathered, size] = [[], 0];
    if (bytes.length > 0) await files.append(part, bytes);
  };
  try {
    for await (const piece of untilCut(reply.body)) {
      if (piece instanceof VentralError) return piece.problem?.got ?? piece.message;
      checkStop();
      gathered.push(piece);
      size += piece.length;
      done += piece.length;
      if (total !== null && done > total) return `more than the ${total} bytes that were announced`;
      if (size >= pieceBytes) await flush();
      progress({ task, done: scaled(done), total: total === null ? null : scaled(total), unit });
    }
  } finally {
    await flush();
  }
  return total === null || done === total ? null : 'an end before the last byte';
};

const refused = (address: string, status: number): VentralError => {
  const meanings: Readonly<Record<number, string>> = { 401: 'not allowed', 403: 'not allowed' };
  const meaning = status === 404 || status === 410 ? 'not there' : (meanings[status] ?? 'refused');
  return storageError({
    code: 'download-refused',
    field: 'from',
    where: address,
    expected: 'a file',
    got: `status ${status} (${meaning})`,
    mend: 'name a mirror if the file has moved',
  });
};

/**
 * Whether a server said that there is no such file for us: 401, 403, 404, 410. Cloud stores answer 403 for what is not
 * there where their contents may not be listed.
 */
export const isRefusal = (thrown: unknown): boolean =>
  thrown instanceof VentralError &&
  thrown.kind === 'storage' &&
  /^status (401|403|404|410) /.test(thrown.problem?.got ?? '');

const ask = async (
  target: Target,
  range: { readonly from: number; readonly validator: string | null },
  http: Http,
): Promise<HttpReply | string> => {
  try {
    return await http.get(target.address, range);
  } catch (thrown) {
    if (!(thrown instanceof VentralError && thrown.kind === 'storage')) throw thrown;
    return thrown.problem?.got ?? thrown.message;
  }
};

const checkAnnounced = (total: number | null, reply: HttpReply, { bytes }: Target): void => {
  const { address, headers } = reply;
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw storageError({
      where: address,
      expected: 'the file as it is',
      got: `${encoding} encoding`,
      ...failed,
    });
  if (bytes === null || total === null || bytes === total) return;
  const expected = `${bytes} bytes`;
  throw storageError({ where: address, expected, got: `${total}`, ...failed });
};

/** One request, from the end of what is there; answers why it has to be repeated, or null where the file is whole. */
const attempt = async (target: Target, ports: DownloadPorts): Promise<string | null> => {
  const { files, http } = ports;
  const { address, part } = target;
  const state = await readState(part, address, files);
  if (state === null) await startOver(part, files);
  const there = await sizeOf(part, files);
  const reply = await ask(target, { from: there, validator: state?.validator ?? null }, http);
  if (typeof reply === 'string') return reply;
  const { status } = reply;
  const range = contentRange(reply);
  if (status === 416 && there > 0) {
    if (range.total === there) return null;
    await startOver(part, files);
    return 'another length than before';
  }
  if (passing.includes(status)) return `status ${status}`;
  if (status !== 200 && status !== 206) throw refused(reply.address, status);
  if (status === 206) {
    const known = state?.total ?? range.total;
    if (range.from !== there || range.total !== known) {
      await startOver(part, files);
      return 'another range than was asked for';
    }
  }
  const from = status === 206 ? there : 0;
  const total = status === 206 ? range.total : wholeNumber(reply.headers['content-length']);
  checkAnnounced(total, reply, target);
  if (from === 0) {
    await startOver(part, files);
    const fresh: State = { address, validator: validatorOf(reply), total };
    await files.write(statePath(part), [encodeText(JSON.stringify(fresh))]);
  }
  return store(reply, from, total, target, ports);
};

/**
 * Brings the file at `address` to `path`. What has come is kept in `<path>.part`, and a cut connection, or a run that
 * was stopped, goes on from there by a range request of the same version; a server without ranges begins anew.
 * Gives up (storage error) after five tries in a row that brought nothing new, and at once where the server says that
 * there is no such file, or announces another length than `bytes`.
 */
export const download = async (
  address: string,
  path: string,
  bytes: number | null,
  ports: DownloadPorts,
): Promise<void> => {
  const { files, http, say, checkStop } = ports;
  const part = `${path}.part`;
  let most = await sizeOf(part, files);
  for (let barren = 0; ; ) {
    checkStop();
    const reason = await attempt({ address, part, bytes }, ports);
    if (reason === null) break;
    checkStop();
    const there = await sizeOf(part, files);
    barren = there > most ? 0 : barren + 1;
    most = Math.max(most, there);
    if (barren >= mostTries) {
      const got = `${reason}, ${barren} times, with ${there} bytes there`;
      throw storageError({ where: address, expected: 'the whole file', got, ...failed });
    }
    say(`${baseName(path)}: ${reason} at ${there} bytes; trying again`);
    await http.pause(firstPause * 2 ** Math.max(0, barren - 1));
  }
  // A server that sends nothing leaves no part.
  if ((await files.info(part)) === null) {
    await startOver(part, files);
    throw inputError({ where: address, expected: 'a file', got: 'an empty one', ...failed });
  }
  await files.move(part, path);
  await files.remove(statePath(part));
};
