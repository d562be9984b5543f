/** A GitHub App in Parameter Store, as people paste it, and what git gets for it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { answerGit } from '../../../helper/commands/credential.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { startGitHubApi, type App, type GitHubApi } from '../../support/github/github-api.ts';

let world: ReadyWorld;
let github: GitHubApi;
let app: App;

beforeAll(async () => {
  [world, github] = await Promise.all([startReadyWorld(), startGitHubApi()]);
  const userArn = `arn:aws:iam::${ACCOUNT}:user/reader`;
  const policies = [allow('ssm:GetParameter*', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/app`)];
  const key = world.aws.iam.createAccessKey({ userArn, policies });
  // The AWS SDK reads these where it stands, not in the environment that it is given.
  Object.assign(process.env, {
    ...{ AWS_ENDPOINT_URL: world.aws.endpoint, AWS_REGION: REGION },
    ...{ AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey },
  });
  app = github.createApp();
  github.install(app, { owner: 'acme', repositories: ['lib'] });
});
afterAll(async () => {
  await Promise.all([world.stop(), github.stop()]);
});

async function get(path: string): Promise<{ code: number; out: string; err: string }> {
  const told = { out: '', err: '' };
  const code = await answerGit(['get'], {
    env: {
      ...process.env,
      ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
      ...{ SSM_SSH_CREDENTIAL: '/ci/app', SSM_SSH_CREDENTIAL_HOST: 'github.example.com' },
    },
    input: () => Promise.resolve(Buffer.from(`protocol=https\nhost=github.example.com\npath=${path}\n\n`)),
    out: (text) => void (told.out += text),
    err: (text) => void (told.err += text),
  });
  return { code, ...told };
}

it.each([
  ['on one line', (text: string) => text],
  ['with real line ends inside the key', (text: string) => text.replaceAll('\\n', '\n')],
  ['with CRLF inside the key', (text: string) => text.replaceAll('\\n', '\r\n')],
])('an App that is stored %s gives a token', async (_, pasted) => {
  world.put('/ci/app', pasted(app.stored()));
  const { code, out, err } = await get('acme/lib.git');
  expect([code, err]).toEqual([0, '']);
  const [, password = ''] = /^password=(.+)$/m.exec(out) ?? [];
  expect(github.opens(password, 'acme/lib', 'write')).toBe(true);
});
