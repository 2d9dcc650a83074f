import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { inputError, reasonOf, storageError, VentralError } from '../records/errors.ts';
import type { Http, HttpReply } from '../records/ports.ts';
import { proxyCredentials, proxyFor } from './proxy.ts';

/** Environment variables, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface NodeHttpOptions {
  /** Where the proxies are named. */
  readonly environment?: Environment;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly silence?: number;
}

const mostRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

const stories: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'a refused connection',
  ECONNRESET: 'a connection that was cut',
  EPIPE: 'a connection that was cut',
  ENOTFOUND: 'no host of that name',
  EAI_AGAIN: 'no answer of the name server',
  ETIMEDOUT: 'no answer in time',
};

const failure = (where: string, thrown: unknown): VentralError => {
  if (thrown instanceof VentralError) return thrown;
  const code =
    thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
      ? thrown.code
      : '';
  return storageError(
    {
      where,
      expected: 'an answer',
      got: stories[code] ?? reasonOf(thrown),
      mend: 'check the network (HTTP_PROXY and HTTPS_PROXY name a proxy), or name a mirror',
    },
    thrown,
  );
};

const refuse = (where: string, expected: string, got: string): VentralError =>
  inputError({ where, expected, got, mend: 'correct the address, or name another mirror' });

/** An address without the name and password that it may hold. */
const shown = (url: URL): string => {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare.href;
};

const parse = (address: string, base?: URL): URL => {
  const where = base === undefined ? address : shown(base);
  if (!URL.canParse(address, base?.href)) throw refuse(where, 'an address', `"${address}"`);
  const url = new URL(address, base?.href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refuse(where, 'an address with http:// or https://', url.protocol);
  if (base?.protocol === 'https:' && url.protocol === 'http:')
    throw refuse(where, 'redirects that stay with https', shown(url));
  return url;
};

/** Requests under way, so that they can be cut together. */
interface Traffic {
  readonly silence: number;
  readonly environment: Environment;
  readonly underWay: Set<ClientRequest>;
}

const answerOf = (
  request: ClientRequest,
  event: 'response' | 'connect',
  { silence, underWay }: Traffic,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    underWay.add(request);
    request.setTimeout(silence, () =>
      request.destroy(new Error(`silence for ${Math.round(silence / 1000)} s`)),
    );
    request.on('error', reject);
    request.on('close', () => underWay.delete(request));
    request.on(event, (message: IncomingMessage) => resolve(message));
    request.end();
  });

const requestTo = (url: URL, options: RequestOptions): ClientRequest =>
  (url.protocol === 'https:' ? https : http).request({
    ...urlToHttpOptions(url),
    // One connection a request: nothing lingers when the work is done.
    agent: false,
    ...options,
  });

/** A socket through the proxy to the target's host (RFC 9110, 9.3.6). */
const tunnel = async (target: URL, proxy: URL, traffic: Traffic): Promise<Socket> => {
  const authority = `${target.hostname}:${target.port || '443'}`;
  const request = requestTo(proxy, {
    auth: null,
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...proxyCredentials(proxy) },
  });
  const message = await answerOf(request, 'connect', traffic);
  if (message.statusCode === 200) return message.socket;
  message.socket.destroy();
  throw storageError({
    where: shown(target),
    expected: `a way through the proxy ${proxy.host}`,
    got: `status ${message.statusCode}`,
    mend: 'check HTTPS_PROXY, or spare the host with NO_PROXY',
  });
};

const send = async (
  target: URL,
  headers: Readonly<Record<string, string>>,
  traffic: Traffic,
): Promise<IncomingMessage> => {
  const proxy = proxyFor(target, traffic.environment);
  if (proxy === null) return answerOf(requestTo(target, { headers }), 'response', traffic);
  if (target.protocol === 'http:') {
    const through = { ...headers, host: target.host, ...proxyCredentials(proxy) };
    const { auth } = urlToHttpOptions(target);
    const request = requestTo(proxy, { path: shown(target), auth: auth ?? null, headers: through });
    return answerOf(request, 'response', traffic);
  }
  const socket = await tunnel(target, proxy, traffic);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const secured = connect({ socket, host, ...(isIP(host) ? {} : { servername: host }) });
  // The request rejects first; the socket then says the same to whoever listens, and somebody must.
  secured.on('error', () => undefined);
  return answerOf(
    requestTo(target, { headers, createConnection: () => secured }),
    'response',
    traffic,
  );
};

async function* bodyOf(message: IncomingMessage, where: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of message) yield chunk as Uint8Array;
  } catch (thrown) {
    throw failure(where, thrown);
  }
}

const headersOf = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );

const requestHeaders = (
  range: { readonly from: number; readonly validator: string | null } | undefined,
): Record<string, string> => ({
  'user-agent': 'ventral',
  // What is packed on the way could neither be resumed nor compared with a published hash.
  'accept-encoding': 'identity',
  ...(range === undefined || range.from === 0
    ? {}
    : {
        range: `bytes=${range.from}-`,
        ...(range.validator === null ? {} : { 'if-range': range.validator }),
      }),
});

const follow = async (
  address: string,
  headers: Readonly<Record<string, string>>,
  traffic: Traffic,
): Promise<HttpReply> => {
  let url = parse(address);
  const first = shown(url);
  for (let redirected = 0; redirected <= mostRedirects; redirected++) {
    const message = await send(url, headers, traffic).catch((thrown: unknown) => {
      throw failure(shown(url), thrown);
    });
    const status = message.statusCode ?? 0;
    const { location } = message.headers;
    const answer = { status, headers: headersOf(message), address: shown(url) };
    if (status >= 200 && status < 300) return { ...answer, body: bodyOf(message, answer.address) };
    message.destroy();
    if (!redirects.includes(status) || location === undefined)
      return { ...answer, body: (async function* () {})() };
    url = parse(location, url);
  }
  throw refuse(first, `at most ${mostRedirects} redirects`, 'more');
};

/**
 * HTTP and HTTPS of this computer, through the proxies that the environment names (Node 20's own `fetch` passes them
 * by). A status other than 2xx comes without its body. Input error: an address that is none, redirects that go in
 * circles or from https to http.
 */
export const createNodeHttp = ({
  environment = process.env,
  silence = 30_000,
}: NodeHttpOptions = {}): Http => {
  const traffic: Traffic = { silence, environment, underWay: new Set() };
  const waiting = new Set<() => void>();
  let closed = false;
  const checkOpen = (address: string): void => {
    if (closed) throw failure(address, new Error('a closed connection'));
  };
  return {
    get: async (address, range) => {
      checkOpen(address);
      return follow(address, requestHeaders(range), traffic);
    },
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, closed ? 0 : milliseconds);
        waiting.add(done);
      }),
    close: () => {
      closed = true;
      for (const request of traffic.underWay)
        request.destroy(new Error('a connection that was closed'));
      for (const done of [...waiting]) done();
    },
  };
};
