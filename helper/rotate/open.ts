/** Opens what a rotation works with: the store of the key, the host's API, and the proof by ssh. Loads the AWS SDK. */
import { hostAppSigner } from '../../src/host/app-signer.ts';
import type { Host } from '../../src/host/caller.ts';
import { openKeyVersions } from '../../src/host/key-versions.ts';
import { readHostSecrets } from '../../src/host/read-keys.ts';
import type { Voice } from '../../src/host/voice.ts';
import type { DeployKeys } from '../../src/keys/deploy-key.ts';
import type { Signer } from '../../src/keys/signer.ts';
import type { Running } from '../command-line/command.ts';
import { readKnownHosts } from '../command-line/known-hosts-option.ts';
import type { Account } from '../command-line/account.ts';
import { today } from '../command-line/today.ts';
import { openHost } from './host.ts';
import { kmsStore } from './kms-store.ts';
import { newKey } from './new-key.ts';
import { parseSshUrl, type Plan } from './plan.ts';
import type { StoredKey } from './progress.ts';
import { prove } from './prove.ts';
import type { Rotation } from './rotation.ts';
import { storedStore } from './stored-store.ts';
import {
  commandAgain,
  kmsWords,
  refusalsOf,
  storedWords,
  unproven,
  type Refusals,
  type Words,
} from './texts.ts';

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
  const [opened, host] = await Promise.all([
    openStore(plan, place, { ...options, say, again: commandAgain(plan, account) }),
    plan.host && openApi(plan.host, place, options),
  ]);
  const { store, words, refusals, signer } = opened;
  const common = {
    ...{ plan, host, say, words, refusals, today: today() },
    prove: async (key: StoredKey, which: string) => {
      const url = await addressFor(plan, host);
      const resource = `${which} of ${plan.reference.text}`;
      const isNew = plan.action === 'rotate';
      const proof = { key: key.key, resource, url, knownHosts, isNew, hint: hintFor(plan) };
      await prove({ ...proof, signer: await signer(key) }, around);
    },
  };
  return { ...common, store };
}

interface Opened {
  readonly store: Rotation['store'];
  readonly words: Words;
  readonly refusals: Refusals;
  /** Absent for a key that is read. */
  readonly signer: (key: StoredKey) => Promise<Signer | undefined>;
}

type Opening = Pick<Running, 'env' | 'signal'> & Pick<Around, 'voice' | 'say'> & { readonly again: string };

async function openStore(plan: Plan, place: Host, { say, again, ...options }: Opening): Promise<Opened> {
  const { reference, type } = plan;
  if (reference.kind === 'kms') {
    // Loaded here: it loads another client of the AWS SDK.
    const { openKmsRotation } = await import('../../src/host/kms-rotation.ts');
    const words = kmsWords(reference);
    const refusals = refusalsOf(reference.text, again, words);
    const { keys, signer } = await openKmsRotation(reference, place, options);
    const store = kmsStore(keys, { reference, type, refusals, say });
    const open = async ({ alias = '', version }: StoredKey): Promise<Signer> => {
      const opened = await signer(alias);
      // Another process may have moved the alias.
      if (opened.keyArn.endsWith(version)) return opened;
      throw refusals.replaced();
    };
    return { store, words, refusals, signer: open };
  }
  const versions = await openKeyVersions(reference, place, options);
  const words = storedWords(versions.staging);
  const refusals = refusalsOf(reference.text, again, words);
  const store = storedStore(versions, { reference, refusals, makeKey: (old) => newKey(old, type) });
  return { store, words, refusals, signer: () => Promise.resolve(undefined) };
}

async function openApi(
  host: NonNullable<Plan['host']>,
  place: Host,
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
