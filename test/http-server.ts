import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

/** A file on the server, and what goes wrong with it. */
export interface Served {
  readonly bytes: Uint8Array;
  readonly etag?: string;
  /** Whether range requests are honoured; default: yes. */
  readonly ranges?: boolean;
  /** Whether a length is announced; default: yes. */
  readonly sized?: boolean;
  /** Bytes of the body after which the n-th request is cut; null: not at all. */
  readonly cut?: (request: number) => number | null;
  /** Status of the n-th request, instead of an answer; null: none. */
  readonly status?: (request: number) => number | null;
  /** Another range than was asked for. */
  readonly shifted?: boolean;
  readonly redirect?: string;
}

export interface Asked {
  readonly path: string;
  readonly range: string | null;
  readonly headers: IncomingMessage['headers'];
}

export interface LocalServer {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly address: string;
  readonly port: number;
  readonly asked: Asked[];
  /** Path without its first slash → what is served there. */
  readonly files: Map<string, Served>;
  close(): Promise<void>;
}

const body = (response: ServerResponse, bytes: Uint8Array, cut: number | null): void => {
  if (cut === null || cut >= bytes.length) {
    response.end(bytes);
    return;
  }
  response.flushHeaders();
  response.write(bytes.subarray(0, cut), () => {
    // What was written has to leave before the connection is cut.
    setTimeout(() => response.destroy(), 5);
  });
};

const answer = (
  { bytes, etag, ranges = true, sized = true, shifted = false }: Served,
  cut: number | null,
  request: IncomingMessage,
  response: ServerResponse,
): void => {
  if (etag !== undefined) response.setHeader('etag', etag);
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const validator = request.headers['if-range'];
  const isPart =
    ranges && request.headers.range !== undefined && (validator ?? etag) === (etag ?? validator);
  if (isPart && from >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const sent = isPart ? bytes.subarray(from) : bytes;
  if (isPart) {
    const start = shifted ? from + 1 : from;
    response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  }
  if (sized) response.setHeader('content-length', sent.length);
  response.writeHead(isPart ? 206 : 200);
  body(response, sent, cut);
};

/** A server on the loopback interface that misbehaves as it is told. */
export const startServer = async (
  initial: Readonly<Record<string, Served | Uint8Array>> = {},
): Promise<LocalServer> => {
  const files = new Map<string, Served>(
    Object.entries(initial).map(([path, served]) => [
      path,
      served instanceof Uint8Array ? { bytes: served } : served,
    ]),
  );
  const asked: Asked[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '', 'http://host').pathname.slice(1);
    const { headers } = request;
    asked.push({ path: request.url ?? '', range: headers.range ?? null, headers });
    const served = files.get(path);
    const count = counts.get(path) ?? 0;
    counts.set(path, count + 1);
    const status = served === undefined ? 404 : (served.status?.(count) ?? null);
    if (status !== null) response.writeHead(status).end('a page about the failure');
    else if (served?.redirect !== undefined)
      response.writeHead(302, { location: served.redirect }).end();
    else answer(served!, served!.cut?.(count) ?? null, request, response);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    port,
    asked,
    files,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};

/**
 * A server that answers the n-th request with the first `cut(n)` bytes of `answer`, headers included, and then cuts the
 * connection; null: with all of it, as HTTP has it.
 */
export const startCuttingServer = async (
  answer: Uint8Array,
  cut: (request: number) => number | null,
): Promise<{ readonly address: string; close(): Promise<void> }> => {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const length = cut(count++);
      if (length === null) socket.end(answer);
      else if (length === 0) socket.destroy();
      else socket.write(answer.subarray(0, length), () => setTimeout(() => socket.destroy(), 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};
