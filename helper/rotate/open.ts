/** Opens what a rotation works with: the versions of the key, the host's API, and the proof by ssh. Loads the AWS SDK. */
import { hostAppSigner } from '../../src/host/app-signer.ts';
import { openKeyVersions } from '../../src/host/key-versions.ts';
import { readHostSecrets } from '../../src/host/read-keys.ts';
import type { Voice } from '../../src/host/voice.ts';
import type { DeployKeys } from '../../src/keys/deploy-key.ts';
import type { Running } from '../command-line/command.ts';
import { readKnownHosts } from '../command-line/known-hosts-option.ts';
import type { Account } from '../command-line/settings.ts';
import { today } from '../command-line/today.ts';
import { openHost } from './host.ts';
import { newKey } from './new-key.ts';
import { parseSshUrl, type Plan } from './plan.ts';
import { prove } from './prove.ts';
import type { Rotation } from './rotation.ts';
import { commandAgain, refusalsOf, unproven } from './texts.ts';

/** Seconds for one region to answer. */
const timeoutSeconds = 30;

export interface Around extends Pick<Running, 'env' | 'signal'> {
  readonly say: (line: string) => void;
  readonly voice: Voice;
}

/** @throws the errors of reading the token; INPUT_INVALID, KNOWN_HOSTS_INVALID, CREDENTIAL_INVALID, PROVIDER_FAILED */
export async function openRotation(plan: Plan, account: Account, around: Around): Promise<Rotation> {
  if (!plan.host && plan.test === undefined && plan.registered) throw unproven('--registered');
  const { region, roles, profile } = account;
  const { signal, voice, say } = around;
  const env = profile === undefined ? around.env : { ...around.env, AWS_PROFILE: profile };
  const place = { region, roles, timeoutSeconds };
  const knownHosts = await readKnownHosts(plan.knownHosts, signal);
  const options = { env, signal, voice };
  const [store, host] = await Promise.all([
    openKeyVersions(plan.reference, place, options),
    plan.host && openApi(plan.host, place, options),
  ]);
  return {
    ...{ plan, store, host, say },
    refusals: refusalsOf(plan.reference.text, commandAgain(plan, account)),
    makeKey: (old) => newKey(old, plan.type),
    prove: async ({ key }, which) => {
      const url = await addressFor(plan, host);
      const resource = `${which} of ${plan.reference.text}`;
      const isNew = plan.action === 'rotate';
      await prove({ key, resource, url, knownHosts, isNew, hint: hintFor(plan) }, around);
    },
    today: today(),
  };
}

async function openApi(
  host: NonNullable<Plan['host']>,
  place: { region: string | undefined; roles: readonly string[]; timeoutSeconds: number },
  options: { env: Running['env']; signal: AbortSignal; voice: Voice },
): Promise<DeployKeys> {
  const line = { reference: host.token, repositories: [] };
  const [secret] = await readHostSecrets({ keys: [line], ...place }, options);
  const signInKms = hostAppSigner(place, options);
  return await openHost(host, secret?.text ?? '', { ...options, signInKms });
}

async function addressFor({ test, action }: Plan, host: DeployKeys | undefined): Promise<string> {
  if (test !== undefined) return test;
  if (host) return parseSshUrl(await host.url(), `the address of ${host.place}`);
  throw unproven(`--${action}`);
}

function hintFor({ action, host }: Plan): string {
  if (action === 'abort') {
    return 'nothing was changed: the old public key is gone, so go on with the new key and --finish';
  }
  const where = host
    ? 'the list of deploy keys of the repository'
    : 'that the new public key is registered there';
  return `nothing was changed for readers of the key: check ${where} and --test, then run the same command again`;
}
