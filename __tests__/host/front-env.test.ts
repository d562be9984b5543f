/** What the process of the agent in front is told of the environment of its caller. */
import { describe, expect, it } from '@jest/globals';
import { frontEnv, hostEnv, withAbsolutePaths } from '../../src/host/front-env.ts';

describe('the environment of the agent in front', () => {
  const names = [
    ...[
      'AWS_PROFILE',
      'AWS_X',
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'NO_PROXY',
      'http_proxy',
      'https_proxy',
      'no_proxy',
    ],
    ...['NODE_EXTRA_CA_CERTS', 'HOME', 'PATH', 'GITHUB_ACTIONS', 'GITHUB_REPOSITORY', 'GITHUB_RUN_ID'],
    ...['GITHUB_RUN_ATTEMPT', 'RUNNER_ENVIRONMENT'],
  ];

  it.each(names)('has %s, and no name that is longer', (name) => {
    expect(frontEnv({ [name]: 'x' })).toStrictEqual({ [name]: 'x' });
    expect(frontEnv({ [`X${name}`]: 'x' })).toStrictEqual({});
    if (!name.startsWith('AWS_')) expect(frontEnv({ [`${name}X`]: 'x' })).toStrictEqual({});
  });

  it('has other names only if they are wanted, and nothing without a value', () => {
    const env = { OTHER: 'a', MORE: 'b', HOME: '', AWS_PROFILE: undefined };
    expect(frontEnv(env)).toStrictEqual({ HOME: '' });
    expect(frontEnv(env, /^MORE$/)).toStrictEqual({ MORE: 'b', HOME: '' });
  });
});

describe('the environment of the agent in front on a host', () => {
  it('has what a credential_process may need', () => {
    const env = {
      PASSWORD_STORE_DIR: '/p',
      XDG_CONFIG_HOME: '/x',
      AWS_PROFILE: 'a',
      NODE_EXTRA_CA_CERTS: '/c',
    };
    expect(hostEnv({ ...env, EMPTY: '', NONE: undefined })).toStrictEqual({ ...env, EMPTY: '' });
  });

  it.each([
    ...['SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'SSH_ASKPASS', 'GIT_DIR', 'GIT_SSH_COMMAND', 'SSM_SSH_KEY'],
    ...['SSM_SSH_PASSPHRASE', 'NODE_OPTIONS', 'NODE_TLS_REJECT_UNAUTHORIZED', 'PWD', 'OLDPWD'],
  ])('does not have %s', (name) => {
    expect(hostEnv({ [name]: 'x' })).toStrictEqual({});
  });
});

it('paths of the caller’s folder are absolute, and others are as they were', () => {
  const env = {
    ...{ AWS_CONFIG_FILE: 'a/config', AWS_SHARED_CREDENTIALS_FILE: '../credentials' },
    ...{
      AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: 'b',
      AWS_LOGIN_CACHE_DIRECTORY: 'l',
      AWS_CA_BUNDLE: 'c',
    },
    ...{ NODE_EXTRA_CA_CERTS: '', AWS_PROFILE: 'a/b' },
  };
  expect(withAbsolutePaths(env, () => '/home/me')).toStrictEqual({
    ...{ AWS_CONFIG_FILE: '/home/me/a/config', AWS_SHARED_CREDENTIALS_FILE: '/home/credentials' },
    ...{
      AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/home/me/b',
      AWS_LOGIN_CACHE_DIRECTORY: '/home/me/l',
      AWS_CA_BUNDLE: '/home/me/c',
    },
    ...{ NODE_EXTRA_CA_CERTS: '', AWS_PROFILE: 'a/b' },
  });
  const home = { AWS_CONFIG_FILE: '~/config', AWS_SHARED_CREDENTIALS_FILE: '~/credentials' };
  // The AWS SDK itself looks for these two in the home folder.
  expect(withAbsolutePaths({ ...home, AWS_CA_BUNDLE: '~/c' }, () => '/me')).toStrictEqual({
    ...home,
    AWS_CA_BUNDLE: '/me/~/c',
  });
  const none = (): string => {
    throw new Error('the folder is gone');
  };
  expect(withAbsolutePaths({ AWS_CONFIG_FILE: '/a' }, none)).toStrictEqual({ AWS_CONFIG_FILE: '/a' });
});
