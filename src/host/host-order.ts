/** What the agent in front is told on a host: the keys, and how AWS is called there. Importing this file loads the AWS SDK. */
import { callerOnHost, type Host } from './caller.ts';
import { hostEnv, withAbsolutePaths } from './front-env.ts';
import type { Order, SigningOrder } from './front-order.ts';

/** @param env of the caller, with the profile that was asked for */
export async function hostOrder(
  keys: readonly SigningOrder[],
  host: Host,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Order> {
  const references = keys
    .flatMap(({ line: { reference, signing } }) => [reference, signing.certificate?.authority])
    .filter((asked) => asked !== undefined && asked.kind !== 'new');
  const { missing, role, ...caller } = await callerOnHost(host, env, references);
  const wanted = { ...caller, role: role ?? null, allowedAccounts: [] };
  return { keys, wanted, missing, env: hostEnv(withAbsolutePaths(env, () => process.cwd())) };
}
