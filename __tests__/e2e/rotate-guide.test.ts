/** The commands and the policy of docs/rotate.md, with the addresses of local servers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { it, itInRest } from '../support/parts.ts';
import { shellBlocks } from '../support/commands-in-documents.ts';
import { KmsRotating, kmsWalks } from './kms-rotating.ts';
import { policies, useRotateStage } from './rotate-stage.ts';
import { actionPath } from './stage.ts';

const [shortest, byHand, back, inKms] = shellBlocks
  .filter(({ document }) => document === 'docs/rotate.md')
  .map(({ commands }) => commands);

describe('docs/rotate.md', () => {
  const stage = useRotateStage();

  const run = async (command = ''): Promise<[number | null, string]> => {
    const [, , ...words] = command.split(' ');
    const args = words.filter((word, index) => word !== '--test' && words[index - 1] !== '--test');
    const api = args.includes('--github-repo') ? ['--api-url', stage.github.url] : [];
    const { exitCode, stdout } = await stage.run([...args, ...api, ...stage.testing]);
    return [exitCode, stdout];
  };

  it('rotates by the two commands of its beginning', async () => {
    for (const command of shortest ?? []) expect(await run(command)).toEqual([0, '']);
    expect(stage.registered).toEqual([stage.publicKey()]);
  });

  itInRest('rotates by hand by its three commands, and goes back by the one after them', async () => {
    const [first, ...others] = byHand ?? [];
    expect((await run(first))[1]).toContain(stage.staged ?? 'nothing');
    stage.keys.add({ repository: 'acme/lib', title: 'new', key: stage.staged ?? '', readOnly: false });
    for (const command of others) expect((await run(command))[0]).toBe(0);
    expect(stage.publicKey()).not.toBe(stage.oldPublicKey);
    const served = stage.publicKey();
    await run(shortest?.[0]);
    expect((await run(back?.[0]))[0]).toBe(0);
    expect(stage.publicKey()).toBe(served);
  });

  itInRest('rotates a key in KMS by the commands for it', async () => {
    const key = new KmsRotating(stage);
    for (const command of inKms ?? []) expect(await run(command)).toEqual([0, '']);
    kmsWalks.finish.check(key);
    expect(inKms).toHaveLength(2);
  });

  it('has the policy that all tests of rotate run with', () => {
    const text = readFileSync(join(actionPath, 'docs/rotate.md'), 'utf8');
    const [, json = ''] = /```json\n(.*?)```/s.exec(text) ?? [];
    const { Statement } = JSON.parse(json) as { Statement: unknown };
    expect(Statement).toEqual(policies.slice(0, 3).flatMap((policy) => policy.Statement));
  });
});
