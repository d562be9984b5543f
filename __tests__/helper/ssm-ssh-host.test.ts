/** The matcher of hosts, which reads git's configuration, under the same table as the other two. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callersVariables, readVariables } from '../support/assigned-names.ts';
import { withRunUser } from '../support/ec2-host.ts';
import { describeOnHost } from '../support/on-host.ts';
import { shells } from '../support/shells.ts';
import { routingCases, sshForms, userChoices } from '../support/routing-cases.ts';

const program = join(dirname(dirname(import.meta.dirname)), 'helper/ssm-ssh');
const bootId = '/proc/sys/kernel/random/boot_id';

interface Starting {
  readonly shell?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

describeOnHost('helper/ssm-ssh on a host', () => {
  let home: string;
  let state: string;
  let agent: Server;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'host-'));
    state = join(home, '.cache', `ssm-ssh-agent-${userInfo().uid}`);
    mkdirSync(state, { recursive: true, mode: 0o700 });
    if (existsSync(bootId)) writeFileSync(join(state, 'boot'), readFileSync(bootId));
    agent = createServer();
    await new Promise<void>((resolve) => agent.listen(join(state, 'agent'), resolve));
    mkdirSync(join(home, 'bin'));
    mkdirSync(join(home, 'run-user'));
    // What ssh is started with, and an agent that has whatever it is asked for.
    for (const [name, script] of [
      ['ssh', 'printf "%s\\n" "$@"'],
      ['ssh-add', 'for n in 0 1 2 3; do echo "256 SHA256:$n k (ED25519)"; done'],
    ] as const) {
      writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(home, 'bin', name), 0o755);
    }
    for (const number of [0, 1, 2, 3]) {
      const folder = join(state, `keys/%2Fkey-${number}||||||`);
      mkdirSync(folder, { recursive: true });
      for (const [name, text] of [
        ['live', '0'],
        ['fingerprint', `SHA256:${number}`],
        ['key.pub', 'x'],
      ] as const)
        writeFileSync(join(folder, name), `${text}\n`);
    }
  });
  afterAll(() => {
    agent.close();
    rmSync(home, { recursive: true });
  });

  const start = (
    ssh: readonly string[],
    lines: readonly string[],
    { shell: [shell = 'sh', ...options] = [], env: more = {} }: Starting = {},
  ): { args: string[]; offered: number[] } => {
    writeFileSync(join(home, '.gitconfig'), `${lines.join('\n')}\n`);
    const env = {
      PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      ...more,
    };
    const argv = withRunUser(join(home, 'run-user'), [shell, ...options, program, ...ssh]);
    const output = execFileSync(argv[0] ?? '', argv.slice(1), {
      cwd: home,
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const args = output.trim().split('\n');
    const offered = args.flatMap((arg) => /^IdentityFile=.*key-(\d+)\|/.exec(arg)?.[1] ?? []).map(Number);
    return { args, offered };
  };
  /** As people would write the keys of a case: a section for each repository. */
  const sections = (keys: readonly string[]): string[] =>
    keys.flatMap((repositories, number) =>
      repositories === ''
        ? ['[ssm]', `key = /key-${number}`]
        : repositories.split(' ').flatMap((name) => [`[ssm "${name}"]`, `key = /key-${number}`]),
    );

  describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('under %s', (...[, shell]) => {
    // git's configuration has one value where the last one counts: there is one default key. A managed node without a
    // key, and a host by its tag without AWS, are refused before ssh: below.
    const cases = Object.entries(routingCases).filter(
      ([, { keys, ssh, offered }]) =>
        keys.filter((key) => key === '').length < 2 &&
        !(offered.length === 0 && /@(mi-|Name=)/.test(ssh.join(' '))),
    );
    it.each(cases)('offers the key for %s', (_, { keys, ssh, offered }) => {
      expect(start(ssh, sections(keys), { shell }).offered).toEqual(offered);
    });

    it.each(Object.entries(sshForms))('understands %s', (_, [ssh, offered]) => {
      const keys = ['github.com/acme/lib', 'github.com:2222/acme/lib'];
      expect(start(ssh, sections(keys), { shell }).offered).toEqual([offered]);
    });
  });

  it('offers one identity, from the agent of this user, to hosts that are known', () => {
    const { args } = start(['git@github.com', "git-upload-pack 'acme/lib'"], sections(['github.com']));
    const folder = join(state, 'keys/%%2Fkey-0||||||');
    expect(args).toEqual([
      ...['-o', 'IdentitiesOnly=yes', '-o', `IdentityAgent="${state}/agent"`],
      '-o',
      `UserKnownHostsFile="${state}/known_hosts" "${state}/pinned_hosts" ~/.ssh/known_hosts ~/.ssh/known_hosts2`,
      ...[
        '-o',
        'ControlPath=none',
        '-o',
        `IdentityFile="${folder}/key.pub"`,
        '-o',
        'StrictHostKeyChecking=yes',
      ],
      ...['git@github.com', "git-upload-pack 'acme/lib'"],
    ]);
  });

  it.each(['i-0123456789abcdef0', 'i-01234567'])('has no default key for the EC2 host %s', (name) => {
    const { args, offered } = start([`ec2-user@${name}`], sections(['']));
    expect([offered, args.at(-1)]).toEqual([[], `ec2-user@${name}`]);
  });

  it.each([
    ['mi-0123456789abcdef0', 'INPUT_INVALID: mi-0123456789abcdef0 is no EC2 instance'],
    ['Name=web-1', 'REGION_MISSING'],
    ["Name=the team's", 'REGION_MISSING'],
  ])('has no default key for the EC2 host %s, which it refuses', (name, says) => {
    for (const target of [`ec2-user@${name}`, name])
      expect(() => start([target], sections(['']))).toThrow(says);
  });

  it('is ssh where no host is named: no key is fetched for that', () => {
    expect(start(['-V'], sections([''])).args).toEqual(['-V']);
  });

  it.each(shells.map((shell) => [shell]))('has one key for roles on lines of their own under %p', (shell) => {
    const folder = join(state, 'keys/%2Fkey-0||a%2Fb%0Ac%0A||||');
    cpSync(join(state, 'keys/%2Fkey-0||||||'), folder, { recursive: true });
    const env = { SSM_SSH_ROLE_ARN: 'a/b\nc\n' };
    const { args } = start(['git@github.com', "git-upload-pack 'acme/lib'"], sections(['']), { shell, env });
    rmSync(folder, { recursive: true });
    expect(args.filter((arg) => arg.startsWith('IdentityFile='))).toEqual([
      `IdentityFile="${folder.replaceAll('%', '%%')}/key.pub"`,
    ]);
  });

  it.each([
    ['fails', 'echo failed >"$4/outcome"; exit 255'],
    ['has no newer key', 'echo ok >"$4/outcome"'],
  ])('leaves it at what ssh said, and its exit code, where the store %s', (_, script) => {
    const ssh = readFileSync(join(home, 'bin/ssh'));
    const node = join(home, 'bin/a-node');
    const [asked, tried] = ['asked', 'tried'].map((name) => join(home, name)) as [string, string];
    const answer = `[ "$1" != --version ] || exec echo v24.0.0\nshift\necho x >>'${asked}'\n${script}`;
    writeFileSync(node, `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
    writeFileSync(join(home, 'bin/ssh'), `#!/bin/sh\necho x >>'${tried}'\nexit 255\n`);
    const env = { SSM_SSH_NODE: node };
    const args = ['git@github.com', "git-upload-pack 'acme/lib'"];
    try {
      expect(() => start(args, sections(['']), { env })).toThrow(expect.objectContaining({ status: 255 }));
      expect([asked, tried].map((path) => readFileSync(path, 'utf8'))).toEqual(['x\n', 'x\n']);
    } finally {
      writeFileSync(join(home, 'bin/ssh'), ssh);
      for (const path of [asked, tried, node, join(state, 'keys/%2Fkey-0||||||/asked')])
        rmSync(path, { force: true });
    }
  });

  it('leaves a clone to ssh that starts in the folder of a repository with an ssh command of its own', () => {
    const args = ['git@github.com', "git-upload-pack 'acme/lib'"];
    execFileSync('git', ['init', '--quiet', home]);
    execFileSync('git', ['-C', home, 'config', 'core.sshCommand', 'false']);
    try {
      expect(start(args, sections(['gitlab.com'])).args).toEqual(args);
    } finally {
      rmSync(join(home, '.git'), { recursive: true });
    }
  });

  it('starts git once, and nothing else but ssh, for a key that the agent has', () => {
    const started = join(home, 'started');
    const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    writeFileSync(join(home, 'bin/git'), `#!/bin/sh\necho "$@" >>'${started}'\nexec ${git} "$@"\n`, {
      mode: 0o755,
    });
    start(['git@github.com', "git-upload-pack 'acme/lib'"], sections(['github.com/acme/lib']));
    rmSync(join(home, 'bin/git'));
    expect(readFileSync(started, 'utf8').trim().split('\n').length).toBe(1);
  });

  it.each(userChoices)('leaves everything to ssh where the user says %s %s', (...choice) => {
    const args = [...choice, 'git@github.com'];
    expect(start(args, sections(['github.com'])).args).toEqual(args);
  });

  it.each(["git-upload-pack 'acme/lib'", 'ls'])(
    "hands the caller's environment on to ssh for %s",
    (command) => {
      const ssh = readFileSync(join(home, 'bin/ssh'));
      writeFileSync(join(home, 'bin/ssh'), '#!/bin/sh\nexec env\n');
      for (const shell of shells) {
        const more = { shell, env: callersVariables };
        const { args } = start(['git@github.com', command], sections(['github.com']), more);
        expect([shell, readVariables(args.join('\n'))]).toEqual([shell, callersVariables]);
      }
      writeFileSync(join(home, 'bin/ssh'), ssh);
    },
  );
});
