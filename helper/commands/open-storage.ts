/** Whether git-credential-ssm may store, below which prefix, and as whom: by its options and git's configuration. */
import { parseArgs } from 'node:util';
import type { Settings } from '../../src/git/config-file.ts';
import { abortable } from '../../src/deadline.ts';
import { settingsOf } from '../../src/host/settings.ts';
import { parsePrefix } from '../../src/git/stored-name.ts';
import { parseHostPlace } from '../command-line/host-place.ts';
import { timeLimit } from '../command-line/time-limit.ts';
import type { CredentialStorage } from './credential-storage.ts';

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: (message: string) => void;
}

/**
 * @param args the option of `credential.helper = "ssm --store-prefix /git-credentials"` wins over `ssm.storePrefix`; an empty
 * one takes it back
 * @throws INPUT_INVALID
 */
export function storageFor(
  args: readonly string[],
  settings: Settings,
  { env, warn }: Surroundings,
): CredentialStorage | undefined {
  const option = storePrefixOf(args);
  const setting = option === undefined ? 'ssm.storePrefix' : '--store-prefix';
  const prefix = option ?? settings.get('ssm.storeprefix')?.at(-1) ?? '';
  if (prefix === '') return undefined;
  const place = parseHostPlace(settingsOf(settings, env));
  const kmsKeyId = settings.get('ssm.kmskeyid')?.at(-1) || undefined;
  return {
    prefix: parsePrefix(prefix, setting),
    nowSeconds: Date.now() / 1000,
    /** All that hangs on the AWS SDK is loaded here. */
    open: async () => {
      const { openHostFolder } = await import('../../src/host/parameter-folder.ts');
      const signal = timeLimit(place.timeoutSeconds, 'asking Parameter Store');
      const voice = { info: () => undefined, mask: () => undefined, warn };
      const host = { ...place, kmsKeyId };
      return await abortable(openHostFolder(host, { env, signal, voice }), signal);
    },
  };
}

/** Options that a newer git-credential-ssm may have are passed over: one configuration may serve several hosts. */
function storePrefixOf(args: readonly string[]): string | undefined {
  const options = { 'store-prefix': { type: 'string' } } as const;
  const { values } = parseArgs({ args: args.slice(0, -1), options, strict: false, allowPositionals: true });
  const value = values['store-prefix'];
  return typeof value === 'string' ? value : undefined;
}
