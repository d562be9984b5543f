/** Endpoints that an earlier step, an injection into GITHUB_ENV or a profile has put instead of AWS's own. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { StepResult } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe("an endpoint that is not AWS's", () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeAll(async () => {
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  beforeEach(() => {
    world.aws.forgetCalls();
  });
  afterAll(async () => {
    await world.stop();
  });

  const inputs = {
    keys: '/ci/deploy-key',
    'aws-region': REGION,
    'role-to-assume': ROLE_ARN,
    'max-attempts': '1',
  };
  const operations = (): string[] => world.aws.calls.map(({ operation }) => operation);

  /** @param set what an earlier step sets for the later ones */
  const load = async (set: Record<string, string>, config = ''): Promise<StepResult> => {
    const job = stage.job({ env: world.jobEnvironment() });
    const file = join(job.home, 'aws-config');
    if (config) writeFileSync(file, config);
    const variables = { ...set, ...(config && { AWS_CONFIG_FILE: file, AWS_ENDPOINT_URL: '' }) };
    const lines = Object.entries(variables).map(
      ([name, value]) => `echo '${name}=${value}' >> "$GITHUB_ENV"`,
    );
    await job.run(lines.join('\n'));
    return await job.uses({ with: inputs });
  };

  // An address of RFC 5737, which nobody has.
  const evil = 'http://192.0.2.7:8080';

  it.each([
    ['AWS_ENDPOINT_URL', { AWS_ENDPOINT_URL: evil }, ''],
    ['AWS_ENDPOINT_URL_STS', { AWS_ENDPOINT_URL_STS: evil }, ''],
    ['a profile', {}, `[default]\nendpoint_url = ${evil}\n`],
    [
      'a service of a profile',
      {},
      `[default]\nservices = s\n[services s]\nsts =\n  endpoint_url = ${evil}\n`,
    ],
  ])('gets no OIDC token unencrypted, set by %s', async (_, set, config) => {
    const { code, text } = told(await load(set, config));
    expect(code).toBe('INPUT_INVALID');
    expect(text).toContain(
      `the endpoint of sts is ${evil}, and the OIDC token would be sent there unencrypted`,
    );
    expect(text).toContain('hint: an earlier step, GITHUB_ENV or an AWS profile has set it');
    expect(operations()).toEqual(['oidc:token']);
  });

  it.each(['http://sts.eu-west-1.amazonaws.com', 'http://127.0.0.1:9', 'http://localhost:9'])(
    'gets no OIDC token through HTTP_PROXY, where it is %s',
    async (endpoint) => {
      const received: string[] = [];
      const proxy = createServer((request, response) => {
        received.push(request.url ?? '');
        response.writeHead(500).end();
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const set = { AWS_ENDPOINT_URL_STS: endpoint, HTTP_PROXY: url, http_proxy: url };
      const { code } = told(await load(set));
      proxy.close();
      expect(received).toEqual([]);
      expect(['INPUT_INVALID', 'NETWORK_UNREACHABLE']).toContain(code);
    },
  );

  it("is named in the log, where it is below AWS's own domain, but a customer's", async () => {
    const endpoint = 'https://abcdef1234.execute-api.eu-west-1.amazonaws.com';
    const main = await load({ AWS_ENDPOINT_URL_STS: endpoint, HTTPS_PROXY: 'http://127.0.0.1:9' });
    expect(main.log).toContain(`sts is asked at ${endpoint}, which is not AWS's own endpoint\n`);
  });

  it('gets no token of the default credential chain unencrypted', async () => {
    const token = join(stage.job().home, 'token');
    writeFileSync(token, 'ey.ey.ey');
    const env = {
      ...{ ...world.aws.environment(), AWS_ENDPOINT_URL: evil },
      ...{ AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: ROLE_ARN },
    };
    const main = await stage.job({ env }).uses({ with: { ...inputs, 'role-to-assume': '' } });
    expect(told(main).text).toContain('the OIDC token would be sent there unencrypted');
  });

  it('gets no token of IAM Identity Center unencrypted', async () => {
    const job = stage.job();
    const cache = join(job.home, '.aws/sso/cache');
    mkdirSync(cache, { recursive: true });
    const token = { accessToken: 'bearer', expiresAt: '2099-01-01T00:00:00Z' };
    const name = createHash('sha1').update('https://a.awsapps.com/start').digest('hex');
    writeFileSync(join(cache, `${name}.json`), JSON.stringify(token));
    const config = join(job.home, 'aws-config');
    const account = 'sso_account_id = 111122223333\nsso_role_name = r\nsso_region = eu-west-1\n';
    writeFileSync(config, `[profile p]\nsso_start_url = https://a.awsapps.com/start\n${account}`);
    const env = { AWS_PROFILE: 'p', AWS_CONFIG_FILE: config, HOME: job.home, AWS_ENDPOINT_URL_SSO: evil };
    const main = await job.uses({ env, with: { ...inputs, 'role-to-assume': '' } });
    expect(told(main).code).toBe('CREDENTIALS_MISSING');
    expect(told(main).text).toContain(
      `the endpoint of sso is ${evil}, and the token of IAM Identity Center would be sent there unencrypted`,
    );
  });

  it.each([
    [
      'AWS_ENDPOINT_URL',
      'localhost:4566',
      'the endpoint of sts is localhost://4566, which is not http or https',
    ],
    [
      'AWS_ENDPOINT_URL_SSM',
      'ftp://127.0.0.1:9',
      'the endpoint of ssm is ftp://127.0.0.1:9, which is not http',
    ],
    ['AWS_ENDPOINT_URL_SSM', 'http://127.0.0.1:99999', 'the endpoint of ssm is not a URL'],
    ['AWS_ENDPOINT_URL_STS', 'here', 'the endpoint of sts is not a URL'],
  ])('is refused where %s is %s', async (name, value, message) => {
    const { code, text } = told(await load({ [name]: value }));
    expect(code).toBe('INPUT_INVALID');
    expect(text).toContain(message);
    expect(text).toContain(
      'hint: write http://HOST:PORT or https://HOST: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_',
    );
  });

  it('for the token itself is refused, where it is read on the way', async () => {
    const { code, text } = told(await load({ ACTIONS_ID_TOKEN_REQUEST_URL: `${evil}/token` }));
    expect(code).toBe('OIDC_REQUEST_FAILED');
    expect(text).toContain(`would be asked at ${evil}, where the token could be read on the way`);
  });

  it('is named in the log', async () => {
    const main = await load({});
    expect(told(main).text).toBe('');
    expect(main.log).toContain(`sts is asked at ${world.aws.endpoint}, which is not AWS's own endpoint\n`);
  });

  it('is what an error names, and not a host of AWS', async () => {
    const { code, text } = told(await load({ AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:9' }));
    expect(code).toBe('NETWORK_UNREACHABLE');
    expect(text).toContain('check that this machine reaches http://127.0.0.1:9');
    expect(text).toContain('AWS_ENDPOINT_URL_SSM');
    expect(text).not.toContain('amazonaws.com');
  });
});
