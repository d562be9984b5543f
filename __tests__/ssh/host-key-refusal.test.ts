import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { hostKeyFailure, parseHostKeyRefusal, type KnownHostsPlace } from '../../src/ssh/host-key-refusal.ts';

const last = 'Host key verification failed.\r\n';
const unknown = `No ED25519 host key is known for [git.test]:2222 and you have requested strict checking.\r\n${last}`;
const changed = (file: string): string => `@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
Add correct host key in /home/me/.ssh/known_hosts to get rid of this message.\r
Offending ECDSA key in ${file}:12\r
  remove with:\r
  ssh-keygen -f "${file}" -R "git.test"\r
Host key for git.test has changed and you have requested strict checking.\r
${last}`;

describe('what ssh says of the key of a host', () => {
  it('names the host that no file knows', () => {
    expect(parseHostKeyRefusal(`debug1: x\r\n${unknown}`)).toEqual({ host: '[git.test]:2222' });
  });

  it('names the host whose key has changed, and where the old one is', () => {
    expect(parseHostKeyRefusal(changed('/a b/known:hosts'))).toEqual({
      host: 'git.test',
      old: { file: '/a b/known:hosts', line: '12' },
    });
  });

  it.each([
    '',
    'me@git.test: Permission denied (publickey).\r\n',
    'ssh: connect to host git.test port 22: Connection refused\r\n',
    `Host key git.test is revoked.\r\n${last}`,
    // A URL chose the name, which people would copy into a shell.
    `No ED25519 host key is known for $(touch\${IFS}x) and you have requested strict checking.\r\n${last}`,
    // It would be an option of ssh-keyscan.
    `No ED25519 host key is known for -fx and you have requested strict checking.\r\n${last}`,
    `No ED25519 host key is known for [-fx]:22 and you have requested strict checking.\r\n${last}`,
    // What a host says before it lets anybody in.
    'No ED25519 host key is known for evil and you have requested strict checking.\n',
  ])('is nothing of ours to explain: %j', (said) => {
    expect(parseHostKeyRefusal(said)).toBeUndefined();
  });
});

describe('what to do about the key of a host', () => {
  const hintOf = (said: string, place: Partial<KnownHostsPlace>): string => {
    const refusal = parseHostKeyRefusal(said);
    if (!refusal) throw new Error('ssh refused nothing');
    return hostKeyFailure(refusal, { kind: 'host', file: '', own: '/state', ...place }).hint;
  };
  const scan = 'ssh-keyscan -p 2222 git.test';

  it.each([
    [{ kind: 'job' }, `same: add the lines of ${scan} to the input known-hosts`],
    [{ kind: 'exec' }, `same: ${scan} >>FILE, and pass --known-hosts FILE to exec`],
    [{ file: '/etc/ssh/git_hosts' }, `same: ${scan} >>/etc/ssh/git_hosts`],
    [{ file: '~/.ssh/git hosts' }, `same: ${scan} >>~/'.ssh/git hosts'`],
    [
      {},
      `same: ${scan} >>FILE, and ssm-ssh-agent setup --global --known-hosts FILE (or >>~/.ssh/known_hosts)`,
    ],
  ] as const)('says where to add one that is not known: %j', (place, hint) => {
    expect(hintOf(unknown, place)).toContain(hint);
  });

  it('replaces a pinned key by adding the new one, since the pinned file is ours', () => {
    const hint = hintOf(changed('/state/pinned_hosts'), { file: '/etc/ssh/git_hosts' });
    expect(hint).toMatch(
      /^somebody may stand between: .* Only if ssh-keyscan git\.test \| ssh-keygen -lf - prints it: ssh-keyscan git\.test >>\/etc\/ssh\/git_hosts$/,
    );
  });

  it('takes the old one out where it was learned or written by the user', () => {
    for (const file of ['/state/known_hosts', '/home/me/.ssh/known_hosts'])
      expect(hintOf(changed(file), {})).toContain(
        `prints it: ssh-keygen -R 'git.test' -f ${file}, then ssh-keyscan`,
      );
  });

  it.each(['/a b/known_hosts', "/it's/known_hosts", '/$(touch x)/known_hosts', '/x;y/known_hosts'])(
    'prints commands that a shell runs as meant, whatever the path is: %s',
    (file) => {
      const [, remove = '', add = ''] =
        /prints it: (ssh-keygen .*), then (ssh-keyscan .*)$/.exec(hintOf(changed(file), { file })) ?? [];
      const said = (line: string): string =>
        execFileSync('sh', ['-c', line.replace(/^\S+/, "printf '%s|'")], { encoding: 'utf8' });
      expect(said(remove)).toBe(`-R|git.test|-f|${file}|`);
      expect(said(add.replace(/ >>/, ' '))).toBe(`git.test|${file}|`);
    },
  );

  it('leads to the line of the input in a job', () => {
    const hint = hintOf(changed('/tmp/job/known_hosts'), { kind: 'job', own: '/tmp/job' });
    expect(hint).toContain(
      'replace the line of git.test in the input known-hosts with what ssh-keyscan git.test',
    );
  });

  it('never takes what the network shows for a host whose keys are built in', () => {
    const said = changed('/tmp/job/known_hosts').replaceAll('git.test', 'github.com');
    const own = hintOf(said, { kind: 'job', own: '/tmp/job' });
    expect(own).toContain('upgrade ssm-ssh-agent');
    const learned = hintOf(said.replace('/tmp/job', '/home/me/.ssh'), {});
    expect(learned).toContain("is gone: ssh-keygen -R 'github.com' -f /home/me/.ssh/known_hosts");
    for (const hint of [own, learned]) expect(hint).not.toContain('ssh-keyscan');
  });
});
