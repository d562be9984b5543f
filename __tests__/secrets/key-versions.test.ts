/** What a rotation reads of a key while another process changes the key. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseReference, type ParameterReference, type SecretReference } from '../../src/keys/reference.ts';
import type { ChangeOptions, KeyVersionStore } from '../../src/secrets/key-versions.ts';
import { parameterVersions } from '../../src/secrets/parameter-versions.ts';
import { secretVersions } from '../../src/secrets/secret-versions.ts';
import { everything, openWriteStage, place, type WriteStage } from './write-stage.ts';

let stage: WriteStage;
beforeEach(async () => {
  stage = await openWriteStage();
});
afterEach(() => stage.close());

const options = (): ChangeOptions => ({
  ...stage.options(everything),
  sleep: () => Promise.resolve(),
  explain: (error) => error,
});

/** Milliseconds. */
const late = 400;

/** Until the call was answered. */
async function answered(operation: string): Promise<void> {
  const isDone = (): boolean =>
    stage.world.aws.calls.some((call) => call.operation === operation && call.finishedAt !== undefined);
  while (!isDone()) await sleep(5);
}

describe('the versions of a parameter', () => {
  const store = (): KeyVersionStore =>
    parameterVersions(parseReference('/ci/key') as ParameterReference, options());

  beforeEach(() => {
    stage.world.put('/ci/key', 'old', { labels: ['previous'] });
    stage.world.aws.parameters.put({ ...place, name: '/ci/key.next', value: 'new' });
  });

  it('are of one moment if a version is stored between the calls', async () => {
    stage.world.aws.faults.order({
      operation: 'ssm:GetParameterHistory',
      fault: { latency: late },
      times: 1,
    });
    const reading = store().read();
    await answered('ssm:GetParameter');
    stage.world.put('/ci/key', 'new', { labels: ['current'] });
    expect(await reading).toMatchObject({
      latest: { text: 'new', version: '2' },
      ...{ previous: { text: 'old', version: '1' }, current: '2' },
    });
  });

  it('are read again if the history does not have the latest version yet', async () => {
    stage.world.aws.faults.order({ operation: 'ssm:GetParameter', fault: { latency: late }, times: 2 });
    const reading = store().read();
    await answered('ssm:GetParameterHistory');
    stage.world.put('/ci/key', 'new');
    expect(await reading).toMatchObject({ latest: { text: 'new', version: '2' } });
  });

  it('are refused if the parameter is not encrypted, with its type', async () => {
    stage.world.put('/ci/plain', 'old', { type: 'StringList' });
    const plain = parameterVersions(parseReference('/ci/plain') as ParameterReference, options());
    await expect(plain.read()).rejects.toMatchObject({
      ...{ code: 'INPUT_INVALID', message: '/ci/plain is a plain StringList, and no SecureString' },
      hint: expect.stringContaining('in a new parameter of the type SecureString'),
    });
  });
});

describe('the versions of a secret', () => {
  it('are of one moment if the label moves between the calls', async () => {
    const reference = parseReference('secretsmanager:ci/key') as SecretReference;
    stage.world.putSecret('ci/key', 'old');
    const rotation = secretVersions(reference, options());
    await rotation.read();
    await rotation.stage('new');
    const begun = await rotation.read();
    await rotation.label('previous', begun.latest.version, begun);
    const kept = await rotation.read();
    stage.world.aws.forgetCalls();
    const fault = { latency: late };
    stage.world.aws.faults.order({ operation: 'secretsmanager:GetSecretValue', fault, skip: 1, times: 3 });
    const reading = secretVersions(reference, options()).read();
    await answered('secretsmanager:GetSecretValue');
    const served = await rotation.serveNext(kept);
    await rotation.label('current', served, kept);
    expect(await reading).toMatchObject({ latest: { text: 'new' }, previous: { text: 'old' } });
  });
});
