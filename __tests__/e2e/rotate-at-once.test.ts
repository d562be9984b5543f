/** Two processes rotate the same key. What is served was proven by the process that serves it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import { itInTurn as it } from '../support/parts.ts';
import { useRotateStage } from './rotate-stage.ts';
import { Rotating, walks } from './rotate-walks.ts';

describe('two rotations at once', () => {
  const stage = useRotateStage();
  const callsOf = (operation: string): number =>
    stage.host.world.aws.calls.filter((call) => call.operation === operation).length;
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await sleep(10);
  };

  it('of a secret do not serve the key that only the other one knows', async () => {
    const secret = new Rotating(stage, 'secret');
    const operation = 'secretsmanager:PutSecretValue';
    const staged = until(() => stage.registered.length > 1).then(() => secret.labelled('next'));
    stage.host.world.aws.faults.order({ operation, fault: { latency: staged }, times: 1 });
    stage.keys.delay = 3500;
    const late = stage.startRun(secret.args);
    await until(() => callsOf(operation) === 1);
    const early = stage.startRun(secret.args);
    const first = await staged;
    await until(() => secret.labelled('next') !== first);
    late.child.kill('SIGKILL');
    await late.ended;
    const { exitCode, stderr } = await early.ended;
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('was replaced by another process')]);
    expect([secret.served, stage.registered]).toEqual([stage.oldPublicKey, [stage.oldPublicKey]]);
    stage.keys.delay = 0;
    expect((await secret.run()).exitCode).toBe(0);
    walks.forward.check(secret);
  });

  it('of a parameter leave no third key, however late one of them stores its own', async () => {
    const parameter = new Rotating(stage, 'parameter');
    const operation = 'ssm:PutParameter';
    let isRotated = false;
    const rotated = until(() => isRotated);
    stage.host.world.aws.faults.order({ operation, fault: { latency: rotated }, times: 1 });
    const late = stage.startRun(parameter.args);
    await until(() => callsOf(operation) === 1);
    expect((await parameter.run()).exitCode).toBe(0);
    isRotated = true;
    const { exitCode, stderr } = await late.ended;
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('is not finished')]);
    walks.forward.check(parameter);
    expect((await parameter.run('--finish')).exitCode).toBe(0);
    walks.finish.check(parameter);
  });

  it.each(['parameter', 'secret'] as const)('of a %s that begin together end well', async (kind) => {
    const rotating = new Rotating(stage, kind);
    stage.keys.delay = 300;
    const both = await Promise.all([rotating.run(), rotating.run()]);
    const codes = both.map(({ exitCode }) => exitCode);
    expect([codes.includes(0), both.map(({ stderr }) => stderr)]).toEqual([true, expect.anything()]);
    walks.forward.check(rotating);
  });
});
