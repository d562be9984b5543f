/** What ssh may say of the key of a host, and the whole texts that explain it. */
import { describe, expect, it } from '@jest/globals';
import { hostKeyFailure, parseHostKeyRefusal, type KnownHostsPlace } from '../../src/ssh/host-key-refusal.ts';
import { told } from '../support/failure-of.ts';

const last = 'Host key verification failed.';
const unknown = 'No ED25519 host key is known for git.test and you have requested strict checking.';
const changed = 'Host key for git.test has changed and you have requested strict checking.';
const offending = 'Offending ED25519 key in /known_hosts:3';

describe('what ssh says', () => {
  it.each([
    [[unknown, last], { host: 'git.test' }],
    [['before', unknown, 'between', last, 'after'], { host: 'git.test' }],
    [[offending, changed, last], { host: 'git.test', old: { file: '/known_hosts', line: '3' } }],
    [
      [offending, changed.replace('Host', 'RSA host'), last],
      { host: 'git.test', old: { file: '/known_hosts', line: '3' } },
    ],
    [[unknown.replace('git.test', '[::1]:2222'), last], { host: '[::1]:2222' }],
    [[unknown, `x ${last}`], undefined],
    [[unknown, `${last} x`], undefined],
    [[`x ${unknown}`, last], undefined],
    [[offending, `x ${changed}`, last], undefined],
    [[`x ${offending}`, changed, last], undefined],
    [[`${offending} x`, changed, last], undefined],
    [[offending, last], undefined],
    [[changed, last], undefined],
    [[last], undefined],
  ])('%j is read with any line ends', (lines, expected) => {
    for (const end of ['\n', '\r\n']) expect(parseHostKeyRefusal(lines.join(end))).toEqual(expected);
  });
});

describe('the text', () => {
  const place: KnownHostsPlace = { kind: 'host', file: '', own: '/own' };
  const says = (host: string, file: string | undefined, more: Partial<KnownHostsPlace> = {}): string => {
    const failure = hostKeyFailure(
      { host, ...(file !== undefined && { old: { file, line: '3' } }) },
      { ...place, ...more },
    );
    expect(failure.code).toBe('KNOWN_HOSTS_INVALID');
    return told(failure);
  };
  const whoever = 'somebody may stand between: ask whoever runs the host for the fingerprint of its new key.';

  it.each([
    ['git.test', 'ssh-keyscan git.test'],
    ['[git.test]:2222', 'ssh-keyscan -p 2222 git.test'],
    ['[::1]', "ssh-keyscan '[::1]'"],
    ['x[git.test]:2222', "ssh-keyscan 'x[git.test]:2222'"],
    ['[git.test]:2222x', "ssh-keyscan '[git.test]:2222x'"],
  ])('of the host %s that is not known compares fingerprints', (host, scan) => {
    expect(says(host, undefined, { kind: 'job' })).toBe(
      `no key of ${host} is known\ncompare what ${scan} | ssh-keygen -lf - prints with the fingerprint that the host publishes. If it is the same: add the lines of ${scan} to the input known-hosts`,
    );
  });

  it.each<[string, Partial<KnownHostsPlace>, string]>([
    [
      '/own/known_hosts',
      { kind: 'job' },
      'replace the line of git.test in the input known-hosts with what ssh-keyscan git.test prints',
    ],
    [
      '/home/known_hosts',
      { kind: 'job' },
      "ssh-keygen -R 'git.test' -f /home/known_hosts, then add the lines of ssh-keyscan git.test to the input known-hosts",
    ],
    [
      '/own/pinned_hosts',
      { kind: 'exec' },
      'ssh-keyscan git.test >>FILE, and pass --known-hosts FILE to exec',
    ],
    [
      '/own/known_hosts',
      { file: '/f' },
      "ssh-keygen -R 'git.test' -f /own/known_hosts, then ssh-keyscan git.test >>/f",
    ],
    ['/owned/x', { file: '/f' }, "ssh-keygen -R 'git.test' -f /owned/x, then ssh-keyscan git.test >>/f"],
    ['/own/x', { file: '/f' }, 'ssh-keyscan git.test >>/f'],
  ])('of a key that is not the one in %s, with %j, asks first', (file, more, replace) => {
    expect(says('git.test', file, more)).toBe(
      `the key of git.test has changed: it is not the one in ${file}, line 3\n${whoever} Only if ssh-keyscan git.test | ssh-keygen -lf - prints it: ${replace}`,
    );
  });

  it('of a host whose keys are built in names them', () => {
    const message = 'the key of github.com has changed: it is not the one in';
    expect(says('github.com', '/own/pinned')).toBe(
      `${message} /own/pinned, line 3\nsomebody may stand between. github.com publishes the fingerprints of its keys on its web site: if they have changed, upgrade ssm-ssh-agent, which has the keys built in`,
    );
    expect(says('github.com', '/x')).toBe(
      `${message} /x, line 3\nthe key of github.com that is built in is used if this line is gone: ssh-keygen -R 'github.com' -f /x`,
    );
  });
});
