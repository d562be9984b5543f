/** A container whose credentials do not come, or not as they should: told in time, with whose fault it is. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { Job } from '../support/runner/job.ts';
import { actionPath, told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('in a container', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let server: Server;
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeAll(async () => {
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
    server = createServer((request, response) => {
      response.on('error', () => undefined);
      answer(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await world.stop();
  });

  const place = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/credentials`;
  const jobOf = (): Job =>
    stage.job({ env: { ...world.aws.environment(), AWS_CONTAINER_CREDENTIALS_FULL_URI: place() } });

  const stall = (response: ServerResponse): void => void response.write('{');
  const cut = (response: ServerResponse, { socket }: IncomingMessage): void => {
    response.writeHead(200, { 'content-length': '5000' });
    response.write('{', () => socket.destroy());
  };

  it.each([
    ['is cut', cut],
    ['stalls', stall],
  ])('an answer that %s is the container’s, to main and to exec', async (_, trouble) => {
    answer = trouble;
    const job = jobOf();
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'timeout-seconds': '30' };
    const { code, text } = told(await job.uses({ with: inputs }));
    expect(code).toBe('CREDENTIALS_MISSING');
    expect(text).toContain("this container's credentials: no whole answer");
    expect(text).toContain(`hint: check that this container may ask ${place()}`);
    expect([job.processes(), job.files()]).toEqual([[], []]);
    const exec = `${actionPath}/helper/ssm-ssh-agent exec --region ${REGION} --key /ci/deploy-key -- true`;
    const began = Date.now();
    const { log } = await job.run(`${exec} || true`);
    expect(log).toContain("CREDENTIALS_MISSING: no AWS credentials for /ci/deploy-key: this container's");
    expect(Date.now() - began).toBeLessThan(40_000);
  });

  it('the role of the task reads the key, also where the first answer is cut', async () => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = world.aws.iam.createSession({
      roleArn: 'arn:aws:iam::111122223333:role/ci',
    });
    const whole = JSON.stringify({
      ...{ RoleArn: 'arn:aws:iam::111122223333:role/ci', AccessKeyId: accessKeyId },
      ...{ SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration: expiration.toISOString() },
    });
    let asked = 0;
    answer = (response, request) => {
      if (asked++ === 0) cut(response, request);
      else response.end(whole);
    };
    const main = await jobOf().uses({ with: { keys: '/ci/deploy-key', 'aws-region': REGION } });
    expect(told(main).text).toBe('');
    expect(main.log).toContain(stage.key.fingerprint);
  });
});
