/** The helper's answers, without git. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, project, type Ran } from '../../support/ec2-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

const helper = join(project, 'helper/git-credential-ssm');
const token = 'ghp_0123456789abcdefghij';
const answer = (password: string, username = 'x-access-token'): string =>
  `username=${username}\npassword=${password}\n`;
const asked = (more: readonly string[] = [], place = 'protocol=https\nhost=git.example.com'): string =>
  `${[place, 'path=acme/lib.git', ...more].join('\n')}\n\n`;
const nothing = { code: 0, stdout: '', stderr: '' };
/** Starting Node fails with it. */
const withoutNode = { SSM_SSH_NODE: '/nowhere' };

describe('git-credential-ssm', () => {
  let world: ReadyWorld;
  let host: Ec2Host;

  beforeEach(async () => {
    world = await startReadyWorld();
    const secrets = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:ci/*`;
    launchInstance(world, [allow('secretsmanager:GetSecretValue', secrets)]);
    world.put('/ci/token', token);
    host = new Ec2Host(world, []);
    configure('credential = /ci/token');
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });

  const configure = (...lines: string[]): void => {
    host.configure(['[ssm "git.example.com/acme"]', ...lines]);
  };
  const run = async (args: string, request: string, env = {}): Promise<Omit<Ran, 'took'>> => {
    const input = request.replaceAll('\n', '\\n').replaceAll('\0', '\\0');
    const { code, stdout, stderr } = await host.run(`printf '%b' '${input}' | ${helper} ${args}`, env);
    return { code, stdout, stderr };
  };
  const get = (request: string, env = {}): Promise<Omit<Ran, 'took'>> => run('get', request, env);
  const calls = (): string[] =>
    world.aws.calls.filter(({ service }) => service === 'ssm').map(({ operation }) => operation);

  it('answers with a token and a user name, and asks AWS once', async () => {
    expect(await get(asked())).toEqual({ ...nothing, stdout: answer(token) });
    expect(calls()).toEqual(['ssm:GetParameter']);
  });

  it('answers with all attributes of JSON', async () => {
    const later = Math.floor(Date.now() / 1000) + 3600;
    const stored = { username: 'u', password: token, password_expiry_utc: later, oauth_refresh_token: 'r' };
    world.put('/ci/token', JSON.stringify(stored, null, 2));
    const { stdout } = await get(asked());
    expect(stdout).toBe(`${answer(token, 'u')}password_expiry_utc=${later}\noauth_refresh_token=r\n`);
  });

  it('answers with authtype if git announces the capability', async () => {
    world.put('/ci/token', '{"authtype": "Bearer", "credential": "abc"}');
    const { stdout } = await get(asked(['capability[]=authtype']));
    expect(stdout).toBe('capability[]=authtype\nauthtype=Bearer\ncredential=abc\n');
    const older = await get(asked());
    expect([older.stdout, older.stderr]).toEqual(['', expect.stringContaining('git 2.46')]);
  });

  it('reads a key of a secret in Secrets Manager', async () => {
    world.putSecret('ci/git', '{"token": "from-a-secret"}');
    configure('credential = secretsmanager:ci/git:token', 'username = bot');
    expect(await get(asked())).toEqual({ ...nothing, stdout: answer('from-a-secret', 'bot') });
  });

  it('answers only for the user name that git asks for', async () => {
    world.put('/ci/token', JSON.stringify({ username: 'bot', password: token }));
    expect(await get(asked(['username=me']))).toEqual(nothing);
    expect(await get(asked(['username=bot']))).toEqual({ ...nothing, stdout: answer(token, 'bot') });
  });

  it('uses a credential from the environment, for its one host', async () => {
    host.configure([]);
    const env = { SSM_SSH_CREDENTIAL: '/ci/token', SSM_SSH_CREDENTIAL_HOST: 'git.example.com' };
    expect(await get(asked(), env)).toEqual({ ...nothing, stdout: answer(token) });
    expect(await get(asked([], 'protocol=https\nhost=evil.example.com'), env)).toEqual(nothing);
    expect(calls().length).toBe(1);
  });

  it.each([
    ['http', asked([], 'protocol=http\nhost=git.example.com')],
    ['another host', asked([], 'protocol=https\nhost=git.example.org')],
    ['another port', asked([], 'protocol=https\nhost=git.example.com:8443')],
    ['another owner', asked(['path=acme-evil/lib'])],
    ['an empty input', ''],
    ['no protocol', asked([], 'host=git.example.com')],
    ['no request', 'nonsense\n'],
    ['a carriage return', asked(['username=a\r'])],
  ])('does not answer %s, and makes no AWS call', async (...[, request]) => {
    expect(await get(request)).toEqual(nothing);
    expect(calls()).toEqual([]);
  });

  it('does not answer, and does not start Node, if nothing is configured', async () => {
    host.configure(['[ssm]', 'key = /ci/key', '[ssm "github.com/acme"]', 'key = /ci/key']);
    expect(await get(asked(), withoutNode)).toEqual(nothing);
  });

  it.each(['store', 'erase', 'frobnicate', '--verbose'])(
    'does nothing, and does not start Node, for %j without a store prefix',
    async (operation) => {
      expect(await run(operation, asked(['username=u', 'password=p']), withoutNode)).toEqual(nothing);
      expect(calls()).toEqual([]);
    },
  );

  it('announces its capabilities without Node', async () => {
    const { stdout } = await run('capability', '', withoutNode);
    expect(stdout).toBe('version 0\ncapability authtype\n');
  });

  it('ignores a credential for every host, with a warning', async () => {
    host.configure(['[ssm]', 'credential = /ci/token']);
    const { code, stdout, stderr } = await get(asked());
    expect([code, stdout, calls()]).toEqual([0, '', []]);
    expect(stderr).toMatch(/^git-credential-ssm: warning: ssm\.credential is ignored: .*\n$/);
  });

  it('gives a hint if git does not send the path', async () => {
    const { code, stdout, stderr } = await get('protocol=https\nhost=git.example.com\n\n');
    expect([code, stdout, calls()]).toEqual([0, '', []]);
    expect(stderr).toContain('git config --global credential.https://git.example.com.useHttpPath true');
  });

  it.each([
    ['with a line break at its end', `${token}\n`, 'CREDENTIAL_INVALID'],
    ['with a second line', `${token}\nhost=evil`, 'CREDENTIAL_INVALID'],
    ['with a NUL', `{"password": "${token}\\u0000"}`, 'CREDENTIAL_INVALID'],
    ['that has expired', `{"password": "${token}", "password_expiry_utc": "1"}`, 'CREDENTIAL_INVALID'],
    ['that is incomplete JSON', `{"password": "${token}"`, 'CREDENTIAL_INVALID'],
  ])('refuses a credential %s, and does not repeat it', async (...[, value, code]) => {
    world.put('/ci/token', value);
    const ran = await get(asked());
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toMatch(new RegExp(`^git-credential-ssm: ${code}: /ci/token.*\nhint: .*\n$`));
    expect(ran.stderr).not.toContain(token.slice(4, 12));
  });

  it('names the missing parameter and its section', async () => {
    configure('credential = /ci/nowhere');
    const { code, stdout, stderr } = await get(asked());
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^git-credential-ssm: KEY_NOT_FOUND: .*\/ci\/nowhere.*\nhint: .*\n$/);
  });

  it('does not repeat a token instead of its name', async () => {
    configure(`credential = ${token}`);
    const { code, stdout, stderr } = await get(asked());
    expect([code, stdout, calls()]).toEqual([2, '', []]);
    expect(stderr).toMatch(
      /^git-credential-ssm: INPUT_INVALID: \[ssm "git\.example\.com\/acme"\] has a token/,
    );
    expect(stderr).not.toContain(token);
  });
});
