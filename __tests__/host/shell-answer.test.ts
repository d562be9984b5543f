import { expect, it } from '@jest/globals';
import { compile } from '../../src/host/compile.ts';
import { renderAnswer, renderKept } from '../../src/host/shell-answer.ts';

const connection = { byGit: true, jobRegion: '' };
type Entries = readonly (readonly [name: string, value: string, scope?: string])[];

/** The assignments, without the quotes around the values. */
function answerTo(entries: Entries): Record<string, string> {
  const compiled = compile(
    { entries: entries.map(([name, value, scope = 'global']) => ({ name, value, scope })) },
    {},
    connection,
  );
  const lines = renderAnswer(compiled, '/state').matchAll(/^_ssm_set_(\w+)='((?:[^']|'\\'')*)'$/gm);
  return Object.fromEntries(
    [...lines].map(([, name = '', value = '']) => [name, value.replaceAll(`'\\''`, `'`)]),
  );
}

it('without any key, names the state folder, the known hosts and the time limit', () => {
  expect(answerTo([])).toEqual({
    ...{ state: '/state', routes: '', command: '', known: '', ec2: '', told: '' },
    strict: expect.any(String) as unknown as string,
    hosts: '"/state/known_hosts" "/state/pinned_hosts" ~/.ssh/known_hosts ~/.ssh/known_hosts2',
    ...{ place: `'--timeout=30s'`, place_of_host: '' },
  });
});

it('puts the known hosts of a setting before the user’s', () => {
  expect(answerTo([['ssm.knownhosts', '/etc/known 100%']])).toMatchObject({
    known: '"/etc/known 100%%" ',
    hosts:
      '"/state/known_hosts" "/state/pinned_hosts" "/etc/known 100%%" ~/.ssh/known_hosts ~/.ssh/known_hosts2',
  });
});

it('has the options of ssh and the settings for each key', () => {
  const answer = answerTo([
    ['ssm.github.com/acme.key', '/ci/acme'],
    ['ssm.github.com/acme.timeout', '2m'],
    ['ssm.key', '/ci/all'],
  ]);
  const folder = answer['key_0'] ?? '';
  expect(folder).toMatch(/^\/state\/keys\/./);
  expect(answer).toMatchObject({
    key_0: folder,
    socket_0: '/state/agent',
    identity_0: `-o 'IdentityAgent="/state/agent"' -o 'IdentityFile="${folder}/key.pub"'`,
    certificate_0: `-o 'CertificateFile="${folder}/key-cert.pub"'`,
    place_0: `'--timeout=2m'`,
    limit_0: '120',
    limit_1: '30',
  });
  expect(answer['routes']).toBe('0 protected github.com 22 acme\n1 protected -');
  expect(answer['routes']).not.toMatch(/repository|\s$/);
});

it('marks the key of a section that a repository wrote', () => {
  expect(answerTo([['ssm.github.com/acme.key', '/ci/own', 'local']])['routes']).toContain('repository');
});

it('has Region, role and way as options', () => {
  const { place } = answerTo([
    ['ssm.region', 'eu-west-1'],
    ['ssm.rolearn', 'arn:aws:iam::111122223333:role/a'],
    ['ssm.via', 'session-manager'],
  ]);
  expect(place).toBe(
    `'--timeout=30s' '--via=session-manager' '--region=eu-west-1' '--role-arn=arn:aws:iam::111122223333:role/a'`,
  );
});

it('waits one second at least, and where the duration is wrong', () => {
  const limit = (timeout: string) =>
    answerTo([
      ['ssm.key', '/ci/key'],
      ['ssm.timeout', timeout],
    ])['limit_0'];
  expect([limit('soon'), limit('0'), limit('1s'), limit('90')]).toEqual(['1', '1', '1', '90']);
});

it('says which settings of the repository are ignored, and how to set them', () => {
  expect(answerTo([['ssm.rolearn', 'arn:aws:iam::111122223333:role/a', 'local']])['told']).toBe(
    `ssm-ssh: warning: ssm.roleArn of the repository's own configuration is ignored
hint: set it with git config --global or --system, or set its environment variable`,
  );
});

it('says which sections name no repository', () => {
  expect(answerTo([['ssm.no host.key', '/ci/key']])['told']).toBe(
    `ssm-ssh: the section [ssm "no host"] of git's configuration names no repository: it is ignored`,
  );
});

it('says that EC2 hosts can be remotes of git, if so', () => {
  expect(answerTo([['ssm.ec2remotes', 'true']])['ec2']).toBe('yes');
});

it('is kept as a case of the text that it answers', () => {
  expect(renderKept(`it's`, 'a=1\n')).toBe(
    `case $_ssm_text in\n'it'\\''s')\na=1\n_ssm_set_found=1\n;;\nesac\n`,
  );
});
