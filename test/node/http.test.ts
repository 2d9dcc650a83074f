import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeHttp } from '../../src/node/http.ts';
import { proxyFor } from '../../src/node/proxy.ts';
import type { Http, HttpReply } from '../../src/records/ports.ts';
import { storageLine } from '../contracts/contract.ts';
import { inputLine } from '../formats/failure.ts';
import { type LocalServer, startCuttingServer, startServer } from '../http-server.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const all = async ({ body }: HttpReply): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
};

let server: LocalServer;
let http: Http;
beforeEach(async () => {
  server = await startServer({ 'a/b.txt': { bytes: text('0123456789'), etag: '"1"' } });
  http = createNodeHttp({ environment: {}, silence: 300 });
});
afterEach(async () => {
  http.close();
  await server.close();
});

describe('createNodeHttp', () => {
  it('gets the whole and the rest, of the same version only', async () => {
    const address = `${server.address}/a/b.txt`;
    const whole = await http.get(address);
    expect([whole.status, whole.headers['content-length'], whole.headers.etag]).toEqual([
      200,
      '10',
      '"1"',
    ]);
    expect(await all(whole)).toBe('0123456789');
    const rest = await http.get(address, { from: 7, validator: '"1"' });
    expect([rest.status, rest.headers['content-range'], await all(rest)]).toEqual([
      206,
      'bytes 7-9/10',
      '789',
    ]);
    const changed = await http.get(address, { from: 7, validator: '"0"' });
    expect([changed.status, await all(changed)]).toEqual([200, '0123456789']);
    expect(server.asked.map(({ headers }) => headers['accept-encoding'])).toEqual(
      Array(3).fill('identity'),
    );
  });

  it('gives a refusal as its status', async () => {
    const reply = await http.get(`${server.address}/none`);
    expect([reply.status, await all(reply)]).toEqual([404, '']);
  });

  it('follows redirects, relative ones too, with the range, and not for ever', async () => {
    server.files.set('here', { bytes: text(''), redirect: '/there' });
    server.files.set('there', { bytes: text(''), redirect: `${server.address}/a/b.txt` });
    const reply = await http.get(`${server.address}/here`, { from: 4, validator: null });
    expect([reply.address, await all(reply)]).toEqual([`${server.address}/a/b.txt`, '456789']);
    server.files.set('round', { bytes: text(''), redirect: '/round' });
    expect(await inputLine(() => http.get(`${server.address}/round`))).toContain(
      'expected at most 5 redirects, got more',
    );
    server.files.set('out', { bytes: text(''), redirect: 'file:///etc/passwd' });
    expect(await inputLine(() => http.get(`${server.address}/out`))).toContain('got file:');
  });

  it('says what cut a connection, and that nobody answers', async () => {
    server.files.set('cut', { bytes: text('0123456789'), cut: () => 4 });
    const reply = await http.get(`${server.address}/cut`);
    expect(await storageLine(all(reply))).toContain('got a connection that was cut');
    const { port } = server;
    await server.close();
    expect(await storageLine(http.get(`http://127.0.0.1:${port}/x`))).toContain(
      'got a refused connection',
    );
    server = await startServer();
  });

  it('refuses redirects that go round through several addresses', async () => {
    for (const [from, to] of ['ab', 'bc', 'ca'].map((pair) => [...pair]) as [string, string][])
      server.files.set(from, { bytes: text(''), redirect: `/${to}` });
    expect(await inputLine(() => http.get(`${server.address}/a`))).toContain(
      'expected at most 5 redirects, got more',
    );
    expect(server.asked).toHaveLength(6);
  });

  it('says that the connection was cut, wherever it is: in the headers, between, in the body', async () => {
    const head = 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 20\r\n\r\n';
    const answer = text(`${head}${'0123456789'.repeat(2)}`);
    const cutting = await startCuttingServer(answer, (request) =>
      request < answer.length ? request : null,
    );
    try {
      for (let length = 0; length < answer.length; length++)
        expect(await storageLine(http.get(cutting.address).then(all)), `${length} bytes`).toMatch(
          /^http:\/\/127.* expected an answer, got (a connection that was cut|.*hang up)/,
        );
      expect(await all(await http.get(cutting.address))).toHaveLength(20);
    } finally {
      await cutting.close();
    }
  });

  it('refuses what is no address, and shows no password', async () => {
    expect(await inputLine(() => http.get('ftp://host/x'))).toContain('got ftp:');
    expect(await inputLine(() => http.get('nonsense'))).toContain('"nonsense"');
    const { port } = server;
    await server.close();
    const line = await storageLine(http.get(`http://me:secret@127.0.0.1:${port}/x`));
    expect(line).not.toContain('secret');
    server = await startServer();
  });
});

describe('a server that says nothing', () => {
  let silent: Server;
  let address: string;
  beforeEach(async () => {
    silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const found = silent.address();
    address = `http://127.0.0.1:${typeof found === 'object' ? found?.port : ''}/x`;
  });
  afterEach(() => {
    silent.close();
  });

  it('is given up', async () => {
    expect(await storageLine(http.get(address))).toContain('got silence for');
  });

  it('is cut by close, which ends pauses too', async () => {
    const patient = createNodeHttp({ environment: {}, silence: 60_000 });
    const waiting = storageLine(patient.get(address));
    const pause = patient.pause(60_000);
    setTimeout(patient.close, 20);
    expect(await waiting).toContain('got a connection that was closed');
    await pause;
    expect(await storageLine(patient.get(address))).toContain('closed');
  });
});

describe('proxies', () => {
  const proxyOf = (address: string, environment: NodeJS.ProcessEnv): string | null =>
    proxyFor(new URL(address), environment)?.href ?? null;

  it.each([
    ['http://host/x', { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['https://host/x', { HTTP_PROXY: 'http://p:1' }, null],
    ['https://host/x', { HTTPS_PROXY: 'p:1' }, 'http://p:1/'],
    ['https://host/x', { https_proxy: 'http://q:2', HTTPS_PROXY: 'http://p:1' }, 'http://q:2/'],
    ['http://host/x', { ALL_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['http://host/x', { HTTP_PROXY: '' }, null],
    ['http://host/x', { HTTP_PROXY: 'http://p:1', NO_PROXY: 'other, host' }, null],
    ['http://a.host/x', { HTTP_PROXY: 'http://p:1', no_proxy: '.host' }, null],
    ['http://ahost/x', { HTTP_PROXY: 'http://p:1', NO_PROXY: 'host' }, 'http://p:1/'],
    ['http://host:8/x', { HTTP_PROXY: 'http://p:1', NO_PROXY: 'host:9' }, 'http://p:1/'],
    ['http://host:8/x', { HTTP_PROXY: 'http://p:1', NO_PROXY: 'host:8' }, null],
    ['http://host/x', { HTTP_PROXY: 'http://p:1', NO_PROXY: '*' }, null],
  ])('%s with %j goes through %s', (address, environment, proxy) => {
    expect(proxyOf(address, environment)).toBe(proxy);
  });

  it('refuses other proxies', async () => {
    const line = await inputLine(async () =>
      proxyOf('http://host', { HTTP_PROXY: 'socks5://p:1' }),
    );
    expect(line).toContain('HTTP_PROXY: expected the address of an HTTP proxy');
  });

  it('asks an HTTP proxy for the whole address, with its password, and hands on ranges', async () => {
    // To the proxy the target is a path; this server answers by path alone.
    const through = createNodeHttp({
      environment: { HTTP_PROXY: `http://me:se%20cret@127.0.0.1:${server.port}` },
    });
    const reply = await through.get('http://data.invalid/a/b.txt', { from: 5, validator: null });
    expect(await all(reply)).toBe('56789');
    const [asked] = server.asked;
    expect(asked?.path).toBe('http://data.invalid/a/b.txt');
    expect(asked?.headers.host).toBe('data.invalid');
    expect(asked?.headers['proxy-authorization']).toBe(
      `Basic ${Buffer.from('me:se cret').toString('base64')}`,
    );
    expect(asked?.headers.authorization).toBeUndefined();
    through.close();
  });

  it('tunnels HTTPS, and says where the proxy refuses', async () => {
    const heard: string[] = [];
    const proxy = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (request) => {
        heard.push(request.toString().split('\r\n')[0]!);
        const refuses = request.toString().includes('refused.invalid');
        socket.write(`HTTP/1.1 ${refuses ? '403 No' : '200 Yes'}\r\n\r\n`);
        socket.once('data', (hello) => {
          // The first byte of a TLS handshake is 22.
          heard.push(`${hello[0]}`);
          socket.destroy();
        });
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const found = proxy.address();
    const port = typeof found === 'object' ? found?.port : '';
    const through = createNodeHttp({ environment: { HTTPS_PROXY: `http://127.0.0.1:${port}` } });
    await storageLine(through.get('https://data.invalid/x'));
    expect(heard).toEqual(['CONNECT data.invalid:443 HTTP/1.1', '22']);
    expect(await storageLine(through.get('https://refused.invalid:8443/x'))).toContain(
      `expected a way through the proxy 127.0.0.1:${port}, got status 403`,
    );
    expect(heard[2]).toBe('CONNECT refused.invalid:8443 HTTP/1.1');
    through.close();
    proxy.close();
  });
});
