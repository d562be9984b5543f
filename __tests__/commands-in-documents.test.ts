/** Each command of the documents is run by a test, or stands here with the reason why none can. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commandsInDocuments, documents, onlyNames } from './support/commands-in-documents.ts';

/** The beginning of `DOCUMENT: COMMAND`; or whole commands, wherever they are. */
type Commands = RegExp | readonly string[];

interface Run {
  /** A pattern only if the test reads the commands from the document: it then runs whatever is written there. */
  readonly commands: Commands;
  readonly test: string;
  /** How the test reads the document, or how the commands are written in the test. */
  readonly as: string;
}

const read: readonly Run[] = [
  {
    commands: /: (aws (iam|sts|ssm put|ec2 modify)|cat|rm|read -rs|jq -n|printf '%s')/,
    test: 'e2e/scenarios/aws-commands.test.ts',
    as: 'shellBlocks',
  },
  {
    commands: /^docs\/templates\.md: aws cloudformation (deploy .*--template-file (?!vpc-)|describe-stacks)/,
    test: 'e2e/scenarios/aws-commands.test.ts',
    as: 'templateFolder',
  },
  {
    commands: /^docs\/templates\.md: aws cloudformation deploy .*--template-file vpc-endpoints/,
    test: 'e2e/scenarios/templates.test.ts',
    as: "deploy('vpc-endpoints'",
  },
  {
    commands: /^docs\/scale\.md: (sudo git config|ssm-ssh-agent exec)/,
    test: 'e2e/host/cache.test.ts',
    as: 'commandsInDocuments',
  },
  {
    commands: /: (sudo )?(ssm-ssh-agent (setup|exec|flush|--version)|git (config|ls-remote))( |$)/,
    test: 'e2e/ec2-guide.test.ts',
    as: 'commandsInDocuments',
  },
  {
    commands: /^docs\/ec2\.md: (git clone|ssm-ssh-agent add|eval)/,
    test: 'e2e/ec2-guide.test.ts',
    as: 'blocks(guide)',
  },
  {
    commands: /^README\.md: git clone git@github\.com:acme\/lib/,
    test: 'e2e/readme.test.ts',
    as: 'clone?.run',
  },
  {
    commands: /^docs\/troubleshooting\.md: (curl|GIT_\w+=.* git fetch)/,
    test: 'e2e/readme.test.ts',
    as: 'docs/troubleshooting.md',
  },
  {
    commands: /^README\.md: (git submodule|npm ci$|git clone git@github\.com:acme\/tools)/,
    test: 'e2e/whole-workflow.test.ts',
    as: "read('README.md')",
  },
  {
    commands: /: ssm-ssh-agent (keygen|put|public) /,
    test: 'e2e/make-and-store-keys-guide.test.ts',
    as: 'shellBlocks',
  },
  {
    commands: /^docs\/install\.md: (sudo|version|release|curl|sha256sum|ssm-ssh-agent)/,
    test: 'e2e/install-guide.test.ts',
    as: 'docs/install.md',
  },
  {
    commands:
      /^docs\/other-ci\.md: (ssm-ssh-agent|set|tokens|buildkite-agent|\.buildkite|export|printf %s|node)/,
    test: 'e2e/other-ci.test.ts',
    as: 'docs/other-ci.md',
  },
  {
    commands: /^docs\/other-ci\.md: (instances|\[|failed|for|rsync|ssm-ssh |done)/,
    test: 'e2e/ec2/tagged-instances.test.ts',
    as: 'docs/other-ci.md',
  },
  { commands: /^docs\/explain\.md: ssm-ssh-agent/, test: 'e2e/explain.test.ts', as: 'docs/explain.md' },
  { commands: /^docs\/policy\.md: ssm-ssh-agent/, test: 'e2e/policy.test.ts', as: 'docs/policy.md' },
  {
    commands: /^docs\/doctor\.md: ssm-ssh-agent doctor/,
    test: 'e2e/doctor.test.ts',
    as: "stage.run(['--json', '--url', stage.url, '--host', target])",
  },
  {
    commands: /^docs\/rotate\.md: ssm-ssh-agent rotate/,
    test: 'e2e/rotate-guide.test.ts',
    as: 'docs/rotate.md',
  },
  {
    commands: /^docs\/certificates\.md: /,
    test: 'e2e/certificates-guide.test.ts',
    as: 'docs/certificates.md',
  },
  { commands: /^docs\/kms\.md: (ssm-ssh-agent|git|eval)/, test: 'e2e/kms-guide.test.ts', as: 'docs/kms.md' },
];

const host = 'ec2-user@i-0123456789abcdef0';

const inOwnWords: readonly Run[] = [
  {
    commands: [`ssm-ssh ${host}`, `ssm-ssh ${host} uptime`],
    test: 'e2e/ec2-job/deploy.test.ts',
    as: 'ssm-ssh ${host()}',
  },
  {
    commands: [
      `rsync -az --delete -e ssm-ssh site/ ${host}:site/`,
      `ssm-ssh ${host} sudo systemctl reload nginx`,
    ],
    test: 'e2e/ec2-job/deploy.test.ts',
    as: 'deploy-to-ec2.yml',
  },
  { commands: [`scp -S ssm-ssh site.tar.gz ${host}:`], test: 'e2e/ec2/ssh.test.ts', as: 'scp -q -S' },
  {
    commands: [`rsync -az -e ssm-ssh site/ ${host}:site/`],
    test: 'e2e/ec2-job/deploy.test.ts',
    as: 'rsync -e ssm-ssh -a',
  },
  {
    commands: [`SSM_SSH_EC2_REMOTES=1 GIT_SSH_COMMAND=ssm-ssh git clone ${host}:notes.git`],
    test: 'e2e/ec2/git.test.ts',
    as: "SSM_SSH_EC2_REMOTES: '1'",
  },
  { commands: ['export AWS_PROFILE=dev'], test: 'e2e/journeys/laptop.test.ts', as: 'export AWS_PROFILE=dev' },
  { commands: [`ssh ${host}`], test: 'e2e/journeys/laptop.test.ts', as: 'ssh -F config ${target}' },
  { commands: ['ssh web', 'ssh -J web 10.0.1.7'], test: 'e2e/ec2/plain-ssh.test.ts', as: '-J web' },
  {
    commands: ['git clone https://github.com/acme/lib.git', 'git clone https://gitlab.com/acme/lib.git'],
    test: 'e2e/credential/git-credential-ssm.test.ts',
    as: 'git clone',
  },
  {
    commands: ["printf 'protocol=https\\nhost=github.com\\n\\n' | git credential reject"],
    test: 'e2e/credential/storage.test.ts',
    as: "tell('erase'",
  },
  { commands: ['exec ssm-ssh-agent flush'], test: 'e2e/host/after-setup.test.ts', as: 'flush' },
  {
    commands: ['ssh-keyscan -p 2222 git.example.com >git-hosts'],
    test: 'e2e/host-keys.test.ts',
    as: '${scan()} >>FILE',
  },
  {
    commands: ['ssm-ssh deploy@host.example.com systemctl --user restart app'],
    test: 'e2e/ec2-job/role-alone.test.ts',
    as: 'ssm-ssh git@github.com',
  },
  { commands: ['git log --show-signature'], test: 'e2e/job/disks.test.ts', as: 'git log --show-signature' },
  {
    commands: ['git submodule update --init --recursive'],
    test: 'e2e/whole-workflow.test.ts',
    as: 'build-with-three-keys.yml',
  },
  {
    commands: [
      "ssm-ssh-agent exec --key 'kms:alias/deploy github.com/acme/lib' -- git clone git@github.com:acme/lib.git",
    ],
    test: 'e2e/kms/exec.test.ts',
    as: "'exec', '--known-hosts'",
  },
  {
    commands: ['ssm-ssh-agent policy kms:alias/NAME', 'ssm-ssh-agent policy kms:alias/NAME --for rotate'],
    test: 'e2e/kms-guide.test.ts',
    as: 'policy .* --for rotate',
  },
  { commands: ['ssm-ssh-agent log'], test: 'e2e/kms/host.test.ts', as: '{agentProgram} log' },
  { commands: ['git clone git@github.com:acme/lib.git'], test: 'e2e/readme.test.ts', as: 'clone?.run' },
];

/** Which commands → why no test runs them. */
const runByNone: readonly (readonly [commands: Commands, reason: string])[] = [
  [
    /: (PROGRAMS_NODE=\S+ )?npm (ci|test|run|rebuild)/,
    'a test that runs the tests would run itself; .ci/run runs them',
  ],
  [/: npm audit$/, 'it asks the registry for what was reported, and fails when something was'],
  [/: aws sso login/, 'it opens a browser'],
  [/: gh api repos/, 'it asks GitHub for a repository'],
  [/: gh attestation verify/, 'it asks GitHub for a release that has been published'],
  [/: (docker (build|run)|apt-get update)/, 'no test has a container engine'],
  [/: shasum/, 'it is macOS that needs it; on Linux the same line has sha256sum'],
  [/: aws (cloudtrail lookup-events|ssm describe-instance-information)/, 'moto cannot answer them'],
  [/^CONTRIBUTING\.md: git grep -lz/, 'it writes the name of the owner into every file of the checkout'],
];

const lines = commandsInDocuments.map(({ document, command }) => `${document}: ${command}`);

function isAmong(commands: Commands, line: string): boolean {
  if (commands instanceof RegExp) return commands.test(line);
  return commands.some((command) => documents.some((document) => line === `${document}: ${command}`));
}

describe('a command of the documents', () => {
  it.each([
    ['a block of sh', 'README.md: ssm-ssh-agent keygen --region eu-west-1 /ci/deploy-key'],
    ['a step of a workflow', 'docs/workflows.md: git submodule update --init --recursive'],
    ['a job of another CI service', 'docs/other-ci.md: printf %s "$AWS_ID_TOKEN" >"$tokens/token"'],
    ['a sentence', 'docs/troubleshooting.md: GIT_SSH_COMMAND="$GIT_SSH_COMMAND -v" git fetch'],
    ['a table', 'README.md: sudo ssm-ssh-agent setup --system --remove'],
  ])('is found in %s', (_, line) => {
    expect(lines).toContain(line);
  });

  it.each(lines)('is run, or cannot be: %s', (line) => {
    const all = [
      ...[...read, ...inOwnWords].map(({ commands }) => commands),
      ...runByNone.map(([one]) => one),
    ];
    expect(all.filter((commands) => isAmong(commands, line)).length).toBeGreaterThan(0);
  });

  it.each([...read, ...inOwnWords])('$commands is run by $test', ({ commands, test, as }) => {
    const wanted = commands instanceof RegExp ? [commands] : commands.map((command) => [command]);
    expect(wanted.filter((one) => !lines.some((line) => isAmong(one, line)))).toEqual([]);
    expect(readFileSync(join(import.meta.dirname, test), 'utf8')).toContain(as);
  });

  it.each(runByNone)('%s cannot be run: %s', (commands) => {
    expect(lines.some((line) => isAmong(commands, line))).toBe(true);
  });

  it('is not only a name, which would stand in the list of names for nothing', () => {
    const all = documents
      .map((path) => readFileSync(join(import.meta.dirname, '..', path), 'utf8'))
      .join('\n');
    expect(onlyNames.filter((name) => !all.includes(`\`${name}\``))).toEqual([]);
  });
});
