import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { expect, test } from '@jest/globals';

import { ROLE_ARN, startReadyWorld } from '../../support/aws/world.ts';
import { runClient, runNode } from './client-process.ts';
import { failureOf, ssmClient } from './clients.ts';

test('over HTTPS only a client with the local authority trusts it', async () => {
  const world = await startReadyWorld({ tls: true });
  try {
    world.put('/ci/key', 'text');
    const environment = world.aws.environment({
      credentials: world.aws.iam.createSession({ roleArn: ROLE_ARN }),
    });
    expect(environment['AWS_ENDPOINT_URL']).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect((await runClient(environment)).stdout).toContain('"value":"text"');
    const distrustful = { ...environment, NODE_EXTRA_CA_CERTS: '' };
    expect((await runClient(distrustful)).stdout).toMatch(/certificate/i);
  } finally {
    await world.stop();
  }
});

test('stop closes waiting connections at once, removes its files, and may be called again', async () => {
  const world = await startReadyWorld({ tls: true });
  const caFile = world.aws.environment()['NODE_EXTRA_CA_CERTS'] ?? '';
  expect(existsSync(caFile)).toBe(true);
  await world.stop();
  await world.stop();
  expect(existsSync(caFile)).toBe(false);

  const hanging = await startReadyWorld();
  hanging.aws.faults.order({ operation: '*', fault: 'hang' });
  const credentials = hanging.aws.iam.createSession({ roleArn: ROLE_ARN });
  const waiting = failureOf(
    ssmClient(hanging.aws, credentials).send(new GetParameterCommand({ Name: '/ci/key' })),
  );
  while (hanging.aws.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await hanging.stop();
  expect(await waiting).toMatchObject({ message: expect.stringMatching(/ECONNRESET|hang up|aborted/) });
});

test('runs in plain node, and does not keep a process alive', async () => {
  const world = fileURLToPath(new URL('../../support/aws/world.ts', import.meta.url));
  const program = `
    const { startReadyWorld } = await import(${JSON.stringify(world)});
    const { aws } = await startReadyWorld();
    console.log((await fetch(aws.oidc.url + '/.well-known/jwks')).status);
  `;
  expect(await runNode(['--input-type=module', '--eval', program])).toMatchObject({
    stdout: '200\n',
    code: 0,
  });
});
