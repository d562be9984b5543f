/** The proxy settings of the environment, as Node's agents take them. Pure. */
import { Failure } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Why Node connects without the proxy of the environment. Node 22.21 and 24.5 are the first of their lines that take a
 * proxy from it (`proxyEnv` of http.Agent), and only one that speaks HTTP.
 *
 * @param version `22.21.0`
 * @returns undefined if there is no proxy, or if it is used
 */
export function unusedProxy(
  env: Environment,
  version: string,
): { readonly why: string; readonly remedy: string } | undefined {
  const name = nameIn(env);
  if (name === undefined) return undefined;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNewEnough = major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
  if (!isNewEnough)
    return { why: `Node ${version} does not support ${name}`, remedy: 'use Node 22.21, 24.5 or newer' };
  const { scheme } = read(env[name]);
  if (/^https?$/.test(scheme)) return undefined;
  return { why: `${name} has the scheme ${scheme}`, remedy: 'name an http or https proxy, or unset it' };
}

/**
 * curl, git and the AWS CLI take a proxy without a scheme for one with http. Node passes over it, and over capitals.
 *
 * @throws INPUT_INVALID if it is no address: Node's own error has all of its text, with the password
 */
export function proxyEnvironment(env: Environment): Environment {
  const name = nameIn(env);
  if (name === undefined) return env;
  const { scheme, rest } = read(env[name]);
  const address = `${scheme}://${rest}`;
  if (URL.canParse(address)) return { ...env, [name]: address };
  throw new Failure('INPUT_INVALID', `${name} is not the address of a proxy`, {
    hint: 'write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with special characters of the password as %40 and the like',
  });
}

function nameIn(env: Environment): string | undefined {
  return ['https_proxy', 'HTTPS_PROXY'].find((one) => env[one]);
}

function read(text = ''): { readonly scheme: string; readonly rest: string } {
  const [, scheme = 'http', rest = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  return { scheme: scheme.toLowerCase(), rest };
}
