/** The proxy settings of the environment, as Node's agents take them. Pure. */
import { Failure } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * curl, git and the AWS CLI take a proxy without a scheme for one with http. Node passes over it, and over capitals.
 *
 * @throws INPUT_INVALID if it is no address: Node's own error has all of its text, with the password
 */
export function proxyEnvironment(env: Environment): Environment {
  const name = ['https_proxy', 'HTTPS_PROXY'].find((one) => env[one]);
  if (name === undefined) return env;
  const [, scheme, rest = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(.*)$/is.exec(env[name]?.trim() ?? '') ?? [];
  const address = `${scheme?.toLowerCase() ?? 'http'}://${rest}`;
  if (URL.canParse(address)) return { ...env, [name]: address };
  throw new Failure('INPUT_INVALID', `${name} is not the address of a proxy`, {
    hint: 'write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with special characters of the password as %40 and the like',
  });
}
