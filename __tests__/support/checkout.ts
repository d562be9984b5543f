/**
 * actions/checkout as shell steps: what it writes to a repository's configuration and to RUNNER_TEMP, and removes
 * later.
 *
 * @source actions/checkout v6, src/git-auth-helper.ts and src/git-source-provider.ts; v4 and v5 write the token's
 *   header into the repository's own configuration, where v6 includes a file
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitHost, Repository } from './git-host/git-host.ts';
import type { Job, StepOptions, StepResult } from './runner/job.ts';
import type { SshKey } from './ssh-keys.ts';

export interface CheckoutOptions {
  readonly host: GitHost;
  readonly repository: Repository;
  /** `ssh-key`: the repository is fetched over SSH. */
  readonly key?: SshKey;
  readonly submodules?: boolean;
}

export interface Checkout {
  /** Runs in the job's workspace. */
  main(step?: StepOptions): Promise<StepResult>;
  post(): Promise<StepResult>;
  /** Its own files in RUNNER_TEMP. */
  readonly files: readonly string[];
}

const insteadOf = 'url.https://github.com/.insteadOf';
const header = 'http.https://github.com/.extraheader';

export function checkout(job: Job, options: CheckoutOptions): Checkout {
  const id = randomUUID();
  const names = { key: id, knownHosts: `${id}_known_hosts`, token: `git-credentials-${randomUUID()}.config` };
  const { key, host } = options;
  const secrets = key ? [names.key, names.knownHosts] : [];
  return {
    main(step = {}) {
      if (key) {
        writeFileSync(join(job.temp, names.key), `${key.privateKey.trim()}\n`, { mode: 0o600 });
        writeFileSync(join(job.temp, names.knownHosts), host.knownHosts);
      }
      return job.run([...setUp(options, names), ...(options.submodules ? submodules(key) : [])].join('\n'), {
        ...step,
        env: { GIT_TERMINAL_PROMPT: '0', GIT_LFS_SKIP_SMUDGE: '1', ...step.env },
      });
    },
    post: () => job.run(cleanUp([...secrets, names.token]).join('\n')),
    files: [...secrets, names.token].map((name) => join(job.temp, name)),
  };
}

interface Names {
  readonly key: string;
  readonly knownHosts: string;
  readonly token: string;
}

/** Without `ssh-key`, the fetch over HTTPS is replaced by a local folder: only the written files matter. */
function setUp({ host, repository, key }: CheckoutOptions, { token, ...names }: Names): string[] {
  const [url, source] = key
    ? [host.url(repository.name), 'origin']
    : [`https://github.com/${repository.name}`, repository.directory];
  const inTemp = (name: string): string => `\\$RUNNER_TEMP/${name}`;
  const command = [
    `\\"$(command -v ssh)\\" -i \\"${inTemp(names.key)}\\"`,
    '-o StrictHostKeyChecking=yes -o CheckHostIP=no',
    `-o \\"UserKnownHostsFile=${inTemp(names.knownHosts)}\\"`,
  ].join(' ');
  return [
    'git init --quiet --initial-branch=main .',
    `git remote add origin ${url}`,
    'git config --local gc.auto 0',
    ...(key
      ? [`export GIT_SSH_COMMAND="${command}"`, 'git config --local core.sshCommand "$GIT_SSH_COMMAND"']
      : []),
    `git config --file "$RUNNER_TEMP/${token}" ${header} 'AUTHORIZATION: basic AAAA'`,
    `git config --local "includeIf.gitdir:$PWD/.git.path" "$RUNNER_TEMP/${token}"`,
    `git -c protocol.version=2 fetch --quiet --no-tags --prune --no-recurse-submodules --depth=1 ${source} +refs/heads/main:refs/remotes/origin/main`,
    'git checkout --quiet --force -B main refs/remotes/origin/main',
  ];
}

/** The global settings are in a home folder that only exists for this step. */
function submodules(key: SshKey | undefined): string[] {
  const persisted = key
    ? `git config --local core.sshCommand '$GIT_SSH_COMMAND'`
    : `git config --local --add ${insteadOf} git@github.com:`;
  return [
    'home=$(mktemp -d "$RUNNER_TEMP/home-XXXXXX")',
    ...(key ? [] : [`HOME=$home git config --global --add ${insteadOf} git@github.com:`]),
    'HOME=$home git submodule --quiet sync',
    'HOME=$home git -c protocol.version=2 submodule --quiet update --init --force --depth=1',
    `git submodule --quiet foreach "${persisted}"`,
    'rm -r "$home"',
  ];
}

function cleanUp(files: readonly string[]): string[] {
  const unset = (name: string): string =>
    `sh -c "git config --local --name-only --get-regexp '${name}' && git config --local --unset-all '${name}' || :"`;
  return [
    ...files.map((name) => `rm -rf "$RUNNER_TEMP/${name}"`),
    'git config --local --unset-all core.sshCommand || :',
    `git submodule --quiet foreach --recursive ${JSON.stringify(unset('core.sshCommand'))}`,
    `git submodule --quiet foreach --recursive ${JSON.stringify(unset(header))}`,
    'git config --local --unset-all "includeIf.gitdir:$PWD/.git.path" || :',
  ];
}
