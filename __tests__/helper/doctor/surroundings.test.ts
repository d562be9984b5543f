import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sourceOf } from '../../../helper/doctor/credentials.ts';
import { problemWith, programOf, programOnPath } from '../../../helper/doctor/find-program.ts';
import { hostKind } from '../../../helper/doctor/host-kind.ts';
import { checkStarted } from '../../../helper/doctor/installation.ts';
import { isPrivateAddress, proxyFor } from '../../../helper/doctor/proxy-for.ts';
import { settingsIn } from '../../../src/git/listing.ts';

describe('the kind of machine', () => {
  const bare = { vendor: '', container: false };
  it.each([
    ['a machine outside EC2 (a laptop or a server)', {}, bare],
    ['an EC2 instance', {}, { vendor: 'Amazon EC2', container: false }],
    ['a GitHub-hosted runner', { GITHUB_ACTIONS: 'true', RUNNER_ENVIRONMENT: 'github-hosted' }, bare],
    [
      'a self-hosted runner of GitHub Actions, on an EC2 instance, in a container',
      { GITHUB_ACTIONS: 'true', RUNNER_ENVIRONMENT: 'self-hosted' },
      { vendor: 'Amazon EC2', container: true },
    ],
    ['a job of Forgejo Actions', { GITHUB_ACTIONS: 'true', FORGEJO_ACTIONS: 'true' }, bare],
    [
      'a job of GitLab CI, in a container',
      { CI: 'true', GITLAB_CI: 'true' },
      { vendor: '', container: true },
    ],
    ['a job of Bitbucket Pipelines', { CI: 'true', BITBUCKET_BUILD_NUMBER: '7' }, bare],
    ['a job of Azure Pipelines', { TF_BUILD: 'True' }, bare],
    ['a job of AWS CodeBuild', { CODEBUILD_BUILD_ID: 'lib:7' }, bare],
    ['a job of Jenkins', { CI: 'true', JENKINS_URL: 'https://ci.example.com/' }, bare],
    ['a job of Buildkite', { CI: 'true', BUILDKITE: 'true' }, bare],
    ['a job of CircleCI', { CI: 'true', CIRCLECI: 'true' }, bare],
    ['a job of Gitea Actions', { GITHUB_ACTIONS: 'true', GITEA_ACTIONS: 'true' }, bare],
    ['a job of a CI service', { CI: 'true' }, bare],
  ])('is %s', (kind, env, machine) => {
    expect(hostKind(env, machine)).toBe(kind);
  });
});

describe('the proxy of a URL', () => {
  const url = new URL('https://ssm.eu-west-1.amazonaws.com/');
  const HTTPS_PROXY = 'http://me:secret@proxy.example.com:3128';

  it('is that of HTTPS_PROXY, without its password', () => {
    expect(proxyFor(url, { HTTPS_PROXY })).toEqual({
      variable: 'HTTPS_PROXY',
      host: 'proxy.example.com:3128',
    });
  });

  it.each(['*', 'ssm.eu-west-1.amazonaws.com', '.amazonaws.com', 'other, *.amazonaws.com'])(
    'is none if NO_PROXY is %s',
    (NO_PROXY) => {
      expect(proxyFor(url, { HTTPS_PROXY, NO_PROXY })).toBeUndefined();
    },
  );

  it('is none for plain http, and if only other hosts are excepted it stays', () => {
    expect(proxyFor(new URL('http://127.0.0.1:4566/'), { HTTPS_PROXY })).toBeUndefined();
    expect(proxyFor(url, { HTTPS_PROXY, NO_PROXY: 'sts.amazonaws.com,.example.com' })).toBeDefined();
  });

  it('is not needed for a private address, which a VPC endpoint has', () => {
    expect(['10.0.0.5', '172.31.0.1', '192.168.1.1', 'fd00::1'].every(isPrivateAddress)).toBe(true);
    expect(['52.94.5.1', '172.32.0.1', '2600:1f18::1'].some(isPrivateAddress)).toBe(false);
  });
});

describe('the source of credentials', () => {
  const key = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'x' };
  it.each([
    ['the profile dev (AWS_PROFILE)', { AWS_PROFILE: 'dev', ...key }, ['CREDENTIALS_PROFILE_SSO']],
    ["the instance's role: the profile dev (AWS_PROFILE) names none", { AWS_PROFILE: 'dev', ...key }, []],
    ['AWS_ACCESS_KEY_ID of the environment', key, []],
    ['the default profile', {}, ['CREDENTIALS_PROFILE']],
    ['the web identity token in /t (AWS_WEB_IDENTITY_TOKEN_FILE)', { AWS_WEB_IDENTITY_TOKEN_FILE: '/t' }, []],
    [
      'the container (AWS_CONTAINER_CREDENTIALS_FULL_URI)',
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/' },
      [],
    ],
    ["the instance's role", {}, []],
  ])('is %s', (source, env, marks) => {
    expect(sourceOf(env, marks)).toBe(source);
  });
});

describe('the program of a command', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'programs-'));
    writeFileSync(join(folder, 'there'), '', { mode: 0o755 });
    writeFileSync(join(folder, 'closed'), '', { mode: 0o644 });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['/opt/ssm-ssh -v', '/opt/ssm-ssh'],
    ["'/opt/my folder/ssm-ssh' -v", '/opt/my folder/ssm-ssh'],
    ["sh '/opt/ssm-ssh'", '/opt/ssm-ssh'],
    ["!'/opt/git-credential-ssm' --store-prefix /x", '/opt/git-credential-ssm'],
    ['/opt/my\\ folder/ssm-ssh', '/opt/my folder/ssm-ssh'],
    ['ssh', 'ssh'],
    ['AWS_PROFILE=ci ssm-ssh', 'ssm-ssh'],
    ['AWS_PROFILE="c i" exec env A=b sh /opt/ssm-ssh', '/opt/ssm-ssh'],
    ['exec ssm-ssh', 'ssm-ssh'],
    ['~/bin/ssm-ssh -l $USER', '/my $home/bin/ssm-ssh'],
    ['"$HOME/bin/ssm-ssh"', '/my $home/bin/ssm-ssh'],
    ['${HOME}/b\\ n/ssm-ssh', '/my $home/b n/ssm-ssh'],
    ["'~/bin/ssm-ssh'", '~/bin/ssm-ssh'],
    ["'/opt/$x;y/ssm-ssh'", '/opt/$x;y/ssm-ssh'],
    ['!AWS_PROFILE=ci git-credential-ssm', 'git-credential-ssm'],
  ])('%s is %s', (command, program) => {
    expect(programOf(command, { HOME: '/my $home' })).toBe(program);
  });

  it.each([
    '$TOOLS/ssm-ssh',
    '"$HOME/$x/ssm-ssh"',
    '$HOMES/ssm-ssh',
    '~me/ssm-ssh',
    '`which ssm-ssh`',
    '"$(which ssm-ssh)"',
    'f() { ssm-ssh "$@"; }; f',
    'true && ssm-ssh',
    'env -u AWS_PROFILE ssm-ssh',
    'sh -c \'ssm-ssh "$@"\' sh',
  ])('is not looked for in %s', (command) => {
    expect(programOf(command, { HOME: '/home/me' })).toBeUndefined();
  });

  const started = (entries: readonly (readonly [string, string])[]): string[] => {
    const listed = entries.map(([name, value]) => ({
      ...{ name, value, scope: 'global', source: { name, scope: 'global' }, isWritable: true },
    }));
    const env = { PATH: folder, HOME: folder };
    const given = { env, installation: '/opt/x', node: '', version: '' };
    const found = checkStarted({ all: settingsIn(listed), entries: listed }, ['github.com'], given);
    return found.map(({ status }) => status);
  };

  it('is started by a shell, except for a helper without !', () => {
    const helper = 'credential.https://github.com.helper';
    for (const name of ['ssm-ssh', 'git-credential-ssm'])
      writeFileSync(join(folder, name), '', { mode: 0o755 });
    expect(started([['core.sshcommand', 'AWS_PROFILE=ci ~/ssm-ssh']])).toEqual(['ok']);
    expect(started([['core.sshcommand', '$X/ssm-ssh']])).toEqual(['skip']);
    expect(started([['core.sshcommand', 'AWS_PROFILE=ci ~/none/ssm-ssh']])).toEqual(['fail']);
    expect(started([[helper, '!AWS_PROFILE=ci ~/git-credential-ssm']])).toEqual(['skip', 'ok']);
    expect(started([[helper, '!$X/git-credential-ssm']])).toEqual(['skip', 'skip']);
    expect(started([[helper, '~/git-credential-ssm']])).toEqual(['skip', 'fail']);
  });

  it('is found on PATH only if it can be started', () => {
    const env = { PATH: `/nowhere:${folder}` };
    expect(programOnPath('there', env)).toBe(join(folder, 'there'));
    expect(programOnPath('closed', env)).toBeUndefined();
  });

  it('may be missing, not executable, or a folder', () => {
    expect(problemWith(join(folder, 'gone'))).toBe('missing');
    expect(problemWith(join(folder, 'closed'))).toBe('not executable');
    expect(problemWith(folder)).toBe('not executable');
    chmodSync(join(folder, 'closed'), 0o755);
    expect(problemWith(join(folder, 'closed'))).toBeUndefined();
  });
});
