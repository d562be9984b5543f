/** Keys in the forms in which people store them, through the built action: on the local AWS and on moto. */
import { expect } from '@jest/globals';
import type { Backend } from '../../support/backend.ts';
import type { NamedKey } from '../../support/stored-forms.ts';
import { told, type Stage } from '../stage.ts';

export interface StoredKey {
  readonly key: NamedKey;
  /** Makes the stored value of the file. */
  readonly store: (file: string) => string;
}

/** One job loads them all, in this order. */
export async function expectToLoad(
  stored: readonly StoredKey[],
  { stage, aws }: { stage: Stage; aws: Backend },
): Promise<void> {
  const names = stored.map((_, index) => `/ci/stored/${String(index)}`);
  await Promise.all(
    stored.map(({ key, store }, index) => aws.put(names[index] ?? '', store(key.privateKey))),
  );
  const job = stage.job({ env: aws.jobEnvironment() });
  const inputs = { keys: names.join('\n'), 'aws-region': aws.region, 'role-to-assume': aws.roleArn };
  const main = await job.uses({ with: inputs });
  expect(told(main).text).toBe('');
  const wanted = stored.map(({ key }) => key.fingerprint);
  expect(JSON.parse(main.outputs['fingerprints'] ?? '')).toEqual(wanted);
  const listed = (await job.run('ssh-add -l')).log.trim().split('\n');
  expect(listed.map((line) => line.split(' ')[1])).toEqual([...new Set(wanted)]);
}
