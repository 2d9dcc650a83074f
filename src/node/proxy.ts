import { inputError } from '../records/errors.ts';

const variable = (
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
): string | null => environment[name.toLowerCase()] || environment[name] || null;

const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80');

/** One entry of NO_PROXY: `*`, a host with all below it (`example.org`, `.example.org`), with a port or without. */
const spares = (entry: string, target: URL): boolean => {
  if (entry === '*') return true;
  const [, name, port] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase())!;
  if (port !== undefined && port !== portOf(target)) return false;
  const host = target.hostname.toLowerCase();
  const bare = name!.replace(/^\*?\./, '');
  return bare !== '' && (host === bare || host.endsWith(`.${bare}`));
};

/**
 * The proxy that the environment names for an address, or null: `HTTPS_PROXY`, `HTTP_PROXY`, else `ALL_PROXY`, unless
 * `NO_PROXY` spares the host; small letters count before capitals. Input error where the proxy is no http(s) address.
 */
export const proxyFor = (
  target: URL,
  environment: Readonly<Record<string, string | undefined>>,
): URL | null => {
  const own = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const named = variable(environment, own) ?? variable(environment, 'ALL_PROXY');
  if (named === null) return null;
  const spared = (variable(environment, 'NO_PROXY') ?? '').split(/[\s,]+/);
  if (spared.some((entry) => entry !== '' && spares(entry, target))) return null;
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(named) ? named : `http://${named}`;
  const proxy = URL.canParse(address) ? new URL(address) : null;
  if (proxy !== null && (proxy.protocol === 'http:' || proxy.protocol === 'https:')) return proxy;
  throw inputError({
    where: own,
    expected: 'the address of an HTTP proxy, such as http://proxy:3128',
    got: `${proxy?.protocol ?? 'no'} address`,
    mend: 'correct the variable, or unset it',
  });
};

/** `Proxy-Authorization`, where the proxy's address holds a name. */
export const proxyCredentials = ({ username, password }: URL): Record<string, string> => {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
};
