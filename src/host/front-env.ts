/** The environment that the process of the agent in front is told. */
import { isAbsolute, resolve } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** What the AWS SDK needs, and the names of the run. */
const neededNames =
  /^(AWS_|(HTTPS?|NO)_PROXY$|(https?|no)_proxy$|NODE_EXTRA_CA_CERTS$|HOME$|PATH$|GITHUB_(ACTIONS|REPOSITORY|RUN_ID|RUN_ATTEMPT)$|RUNNER_ENVIRONMENT$)/;

/**
 * For a job, whose environment may have secrets of others.
 *
 * @param more names of other variables
 * @returns the part of an environment that the agent needs
 */
export function frontEnv(env: Env, more?: RegExp): Record<string, string> {
  return select(env, (name) => neededNames.test(name) || more?.test(name) === true);
}

/**
 * What leads into the agent itself, into the repository that git works on, to our own settings, into the process's own
 * Node, or back to a folder in which the process is not.
 */
const callersNames = /^(SSH_|GIT_|SSM_SSH_|NODE_|(OLD)?PWD$)/;

/**
 * For a host: a `credential_process` may need any variable of its user, who runs this process, too.
 *
 * @returns the environment without what is the caller's only
 */
export function hostEnv(env: Env): Record<string, string> {
  return select(env, (name) => neededNames.test(name) || !callersNames.test(name));
}

/** Of files that the AWS SDK and Node read. */
const pathNames = [
  ...['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ...['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', 'AWS_LOGIN_CACHE_DIRECTORY'],
  ...['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'],
];

/**
 * The process outlives the caller, so it must not hold the caller's folder.
 *
 * @param folder that of the caller, asked for only if it is needed: it may be gone
 */
export function withAbsolutePaths(env: Env, folder: () => string): Env {
  const relative = pathNames.flatMap((name) => {
    const path = env[name];
    if (!path || isAbsolute(path) || beginsAtHome(name, path)) return [];
    return [[name, resolve(folder(), path)] as const];
  });
  return { ...env, ...Object.fromEntries(relative) };
}

/** @source @smithy/core, `loadSharedConfigFiles` */
function beginsAtHome(name: string, path: string): boolean {
  return /^AWS_(CONFIG|SHARED_CREDENTIALS)_FILE$/.test(name) && path.startsWith('~/');
}

function select(env: Env, isWanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && isWanted(name) ? [[name, value]] : [],
    ),
  );
}
