/** Which proxy Node uses for a URL. Pure. */

type Environment = Readonly<Record<string, string | undefined>>;

export interface UsedProxy {
  readonly variable: string;
  /** Without user and password: `proxy.example.com:3128`. */
  readonly host: string;
}

/**
 * Only https goes through a proxy here (src/aws/connection.ts).
 *
 * @source Node's documentation, "Built-in proxy support": HTTPS_PROXY, NO_PROXY
 */
export function proxyFor(url: URL, env: Environment): UsedProxy | undefined {
  const variable = ['https_proxy', 'HTTPS_PROXY'].find((name) => env[name]);
  if (variable === undefined || url.protocol !== 'https:') return undefined;
  if (isExcepted(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined;
  const text = env[variable] ?? '';
  return { variable, host: URL.canParse(text) ? new URL(text).host : 'an address that is not a URL' };
}

function isExcepted({ hostname, port }: URL, list: string): boolean {
  const entries = list.split(/[\s,]+/).filter(Boolean);
  return entries.some((entry) => {
    const name = entry.toLowerCase();
    if (name === '*' || name === hostname || name === `${hostname}:${port || '443'}`) return true;
    const suffix = name.replace(/^\*?\./, '.');
    return suffix.startsWith('.') && hostname.endsWith(suffix);
  });
}

/** An address of a private network (RFC 1918, RFC 4193): an endpoint in a VPC has one. */
export function isPrivateAddress(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|f[cd][0-9a-f]{2}:)/i.test(address);
}
