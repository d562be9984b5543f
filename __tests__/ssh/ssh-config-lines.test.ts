/** The lines of the block for ~/.ssh/config. ssh-config.test.ts asks ssh what they mean. */
import { describe, expect, it } from '@jest/globals';
import { allButEc2HostIds, ec2HostIds, quotable } from '../../src/keys/ec2-host-patterns.ts';
import { parseRepositoryPattern } from '../../src/keys/routes.ts';
import { renderSshConfig, type ConfigKey, type ConfigOptions } from '../../src/ssh/ssh-config.ts';
import { sshPath } from '../../src/ssh/ssh-path.ts';

const keyOf = (name: string, ...repositories: readonly string[]): ConfigKey => ({
  publicKey: `/${name}.pub`,
  repositories: repositories.map(parseRepositoryPattern),
});
const options: ConfigOptions = {
  ...{ temp: '/t', socket: '/agent', knownHosts: '/known', strictHostKeyChecking: 'yes' },
};
const inJob = (port: string, not = ''): string =>
  `exec "case $SSM_SSH_ROUTED:%p:$RUNNER_TEMP in ${not}:${port}:'/t') ;; *) false;; esac"`;
const offered = (...files: readonly string[]): string[] => [
  ...['  IdentityAgent "/agent"', '  AddKeysToAgent no', '  IdentitiesOnly yes'],
  ...['  ForwardAgent no', '  ControlPath none'],
  ...files.map((file) => `  IdentityFile "/${file}.pub"`),
];
const end = [
  `Match ${inJob('*')}`,
  '  UserKnownHostsFile "/known" ~/.ssh/known_hosts ~/.ssh/known_hosts2',
  '  StrictHostKeyChecking yes',
  'Match all',
];
const ec2 = { proxy: '/p%q proxy', socket: '/e%c2', knownHosts: '/ec2-known' };
const elsewhere = (hosts: readonly string[], place: string, file: string): string[] =>
  allButEc2HostIds(['*=*', ...hosts]).flatMap((words) => [`Match ${words} ${place}`, ...offered(file)]);

describe('the block', () => {
  it('of no key only has the known hosts', () => {
    expect(renderSshConfig([], options)).toEqual(end);
  });

  it('has exact hosts before wildcards, which leave them out at their port', () => {
    const keys = [
      keyOf('a', '*.example.com/x', 'git.example.com', 'git.example.com/y'),
      keyOf('b', 'git.example.com:2222', 'github.com', 'notexample.com'),
    ];
    expect(renderSshConfig(keys, options)).toEqual([
      ...[`Match host "git.example.com" ${inJob('22')}`, ...offered('a')],
      ...[`Match host "git.example.com" ${inJob('2222')}`, ...offered('b')],
      ...[`Match host "github.com" ${inJob('22')}`, ...offered('b')],
      ...[`Match host "notexample.com" ${inJob('22')}`, ...offered('b')],
      `Match host "*.example.com,!*.*.example.com,!git.example.com" ${inJob('22')}`,
      ...offered('a'),
      ...end,
    ]);
  });

  it('offers all keys of a host, with their certificates', () => {
    const certified = { ...keyOf('a', 'h.test/x'), certificate: '/a%-cert.pub' };
    expect(renderSshConfig([certified, keyOf('b', 'h.test/y')], options)).toEqual([
      `Match host "h.test" ${inJob('22')}`,
      ...[...offered(), '  CertificateFile "/a%%-cert.pub"', '  IdentityFile "/a.pub"'],
      ...['  IdentityFile "/b.pub"', ...end],
    ]);
  });

  it('offers a default key where no other key is for the host, by port', () => {
    const keys = [keyOf('a', 'h.test', 'p.test:2222'), keyOf('d')];
    const claimedBefore = [{ host: 'before.test', port: 2222 }];
    expect(renderSshConfig(keys, { ...options, claimedBefore })).toEqual([
      ...[`Match host "h.test" ${inJob('22')}`, ...offered('a')],
      ...[`Match host "p.test" ${inJob('2222')}`, ...offered('a')],
      ...elsewhere(['h.test'], inJob('22'), 'd'),
      ...elsewhere(['p.test', 'before.test'], inJob('2222'), 'd'),
      ...elsewhere([], inJob('*', ':22:*) false;; :2222:*) false;; '), 'd'),
      ...end,
    ]);
  });

  it('offers a default key at each port, if no key is for a host', () => {
    expect(renderSshConfig([keyOf('d')], options)).toEqual([...elsewhere([], inJob('*'), 'd'), ...end]);
  });

  it('reaches EC2 hosts through the tunnel', () => {
    const reach = [
      `Match host "${ec2HostIds}" ${quotable} ${inJob('*')}`,
      ...["  ProxyCommand /p%%q proxy -- '%n' %p '%r'", '  IdentityAgent "/e%%c2"'],
      ...['  AddKeysToAgent no', '  IdentitiesOnly no'],
      ...['  IdentityFile none', '  ForwardAgent no', '  ControlPath none'],
      ...['  UserKnownHostsFile "/ec2-known"', '  StrictHostKeyChecking accept-new'],
    ];
    expect(renderSshConfig([], { ...options, ec2 })).toEqual([...reach, ...end]);
    expect(renderSshConfig([keyOf('a', 'i-0123abcd', 'h.test')], { ...options, ec2 })).toEqual([
      `Match host "i-0123abcd" ${quotable} ${inJob('22')}`,
      "  ProxyCommand /p%%q proxy -- '%n' %p",
      ...[...offered('a'), `Match host "h.test" ${inJob('22')}`, ...offered('a'), ...reach, ...end],
    ]);
  });

  it.each([
    ['i-0123abcd', true],
    ['i-0123456789abcdef0', true],
    ['mi-0123456789abcdef0', true],
    ['mi-0123abcd', false],
    ['i-0123abcde', false],
    ['i-0123abcd.test', false],
    ['x-i-0123abcd', false],
    ['xmi-0123456789abcdef0', false],
  ])('takes %s for an EC2 host: %j', (host, expected) => {
    const [first = ''] = renderSshConfig([keyOf('a', host)], options);
    expect(first).toBe(`Match host "${host}" ${expected ? `${quotable} ` : ''}${inJob('22')}`);
  });

  it('has a question mark for characters of the folder that cannot be quoted, and no token', () => {
    const [first = ''] = renderSshConfig([], { ...options, temp: "/it's\\50% x" });
    expect(first).toContain(`:*:'/it'?'s'?'50%% x') ;;`);
  });
});

it('a path has no token of ssh', () => {
  expect(sshPath('/50%/%h x')).toBe('"/50%%/%%h x"');
});
