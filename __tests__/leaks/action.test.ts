/** The action leaks no secret: on its good paths, and in a situation of each code of the catalogue. */
import { afterAll, afterEach, beforeEach, expect } from '@jest/globals';
import {
  key,
  locked,
  passphrase,
  removeSituations,
  situations,
  type ActionCode,
} from '../e2e/code-situations.ts';
import { calls, furnish } from '../faults/calls.ts';
import { startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { usualInputs } from '../support/bad-inputs/bad-input.ts';
import { describeWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { secretsOfKey, textOfKey } from './keys.ts';
import type { Secret } from './secrets.ts';
import { situationsOf } from './short.ts';
import { runTracedJob } from './traced-job.ts';

const other = await makeSshKey();
/** Keys go to the agent, and nowhere else. A passphrase goes nowhere. */
const secrets: readonly Secret[] = [
  ...secretsOfKey('the key', key.privateKey, ['agent']),
  ...secretsOfKey('the other key', other.privateKey, ['agent']),
  textOfKey('the encrypted key', locked.privateKey, []),
  { name: 'the passphrase', text: passphrase, mayGo: [] },
];

describeWith('strace')('the action', () => {
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
    world.put('/ci/key', key.privateKey);
  });
  afterEach(async () => {
    await world.stop();
  });
  afterAll(removeSituations);

  const good = calls.filter(
    (call, at) => calls.findIndex(({ inputs, env }) => inputs === call.inputs && env === call.env) === at,
  );
  it.each(situationsOf(good, 4).map((call) => [call.operation, call] as const))(
    'that calls %s leaks nothing',
    async (operation, { inputs, env }) => {
      furnish(world.aws, [key.privateKey, other.privateKey]);
      const name = `action: ${operation}`;
      const hasFront = operation.startsWith('kms:');
      const outcome = await runTracedJob({ name, inputs, env: env(world), secrets, hasFront });
      expect(outcome).toEqual({ code: '', leaks: [], hidesMemory: true });
    },
  );

  it('that decrypts a key leaks neither the key nor the passphrase', async () => {
    world.put('/ci/key', locked.privateKey);
    world.put('/ci/passphrase', passphrase);
    const inputs = { ...usualInputs, keys: '/ci/key passphrase=/ci/passphrase' };
    const outcome = await runTracedJob({
      ...{ name: 'action: passphrase', inputs, env: world.jobEnvironment(), secrets },
    });
    expect(outcome).toEqual({ code: '', leaks: [], hidesMemory: true });
  });

  it.each(situationsOf(Object.keys(situations) as ActionCode[], 8))(
    'that ends with %s leaks nothing',
    async (code) => {
      const { given, more, env = world.jobEnvironment(), ...place } = situations[code](world);
      const inputs = { ...usualInputs, ...given };
      const outcome = await runTracedJob({
        ...{ name: `action: ${code}`, inputs, env: { ...env, ...more }, secrets, ...place },
      });
      expect(outcome).toMatchObject({ code, leaks: [] });
    },
  );
});
