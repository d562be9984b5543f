/** ssm-ssh and git-credential-ssm on a host, beside plain ssh and the usual script around the AWS CLI. */
import { join } from 'node:path';
import { REGION, startReadyWorld } from '../../__tests__/support/aws/world.ts';
import { Ec2Host, launchInstance, project } from '../../__tests__/support/ec2-host.ts';
import { startGitHost, type GitHost } from '../../__tests__/support/git-host/git-host.ts';
import { makeSshKey } from '../../__tests__/support/ssh-keys.ts';
import { bundled } from '../bundled.ts';
import { takeTurns, wallOf, type Round } from '../measure.ts';
import { succeed, waysOn, type HostCommand } from '../on-host.ts';
import {
  awsCli,
  fastest,
  figureOf,
  processor,
  single,
  wall,
  waysOf,
  type Figure,
  type Section,
} from '../results.ts';

const atOnce = 100;
const crowds = 3;

interface Stage {
  readonly host: Ec2Host;
  readonly git: GitHost;
  /** An agent that has the key already. */
  readonly agent: string;
  readonly stop: () => Promise<void>;
}

async function open(): Promise<Stage> {
  const [world, git, key] = await Promise.all([
    startReadyWorld({ tls: true }),
    startGitHost({ server: 'openssh' }),
    makeSshKey(),
  ]);
  launchInstance(world);
  world.put('/ci/key', key.privateKey);
  world.put('/ci/token', 'token');
  await git.createRepository('acme/lib');
  git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey });
  const settings = { SSM_SSH_KEY: '/ci/key', AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION };
  const host = new Ec2Host(world, [git], settings);
  host.configure(['[ssm "git.example.com"]', 'credential = /ci/token']);
  const agent = join(host.home, 'plain-agent');
  await succeed(host, `ssh-agent -a ${agent} >/dev/null`);
  await succeed(host, `SSH_AUTH_SOCK=${agent} ${join(project, 'helper/ssm-ssh-agent')} add --quiet /ci/key`);
  return {
    ...{ host, git, agent },
    stop: async () => {
      host.dispose();
      await Promise.all([git.stop(), world.stop()]);
    },
  };
}

const flush = `${join(project, 'helper/ssm-ssh-agent')} flush`;
const credential = join(project, 'helper/git-credential-ssm');

interface Programs {
  readonly byHand: string;
  readonly cli: string | undefined;
}

/** The names of the ways, and their commands. */
function commandsOn({ host, git, agent }: Stage, { byHand, cli }: Programs): Record<string, HostCommand> {
  const known = `-o UserKnownHostsFile=${host.env['SSM_SSH_KNOWN_HOSTS'] ?? ''}`;
  const listing = `git ls-remote ${git.url('acme/lib')} >/dev/null`;
  const plain = `GIT_SSH_COMMAND='ssh ${known}'`;
  // As `setup` configures a host: without ssh.variant, git asks every time which program this is.
  const ours = `GIT_SSH_VARIANT=ssh ${listing}`;
  const script = join(host.home, 'by-the-cli');
  // Debian's AWS CLI wants a slash behind the endpoint of the metadata, and ignores AWS_ENDPOINT_URL.
  return {
    plain: { run: `${plain} SSH_AUTH_SOCK=${agent} ${listing}` },
    warm: { run: ours },
    cold: { before: flush, run: ours },
    'warm, without ssh.variant': { run: listing },
    'git-credential-ssm': {
      run: `printf 'protocol=https\\nhost=git.example.com\\n\\n' | ${credential} get | grep -q ^password=token$`,
    },
    'the parameter by hand': { run: `${process.execPath} ${byHand}` },
    'a shell and git config': { run: "sh -c 'git config --get-regexp ^ssm || :'" },
    'start of a program': { run: '/bin/true' },
    ...(cli !== undefined && {
      script: {
        before: `rm -f ${script}`,
        run: `eval "$(ssh-agent -a ${script})" >/dev/null
          AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_EC2_METADATA_SERVICE_ENDPOINT/ ${cli} ssm get-parameter \
            --name /ci/key --with-decryption --query Parameter.Value --output text --endpoint-url $AWS_ENDPOINT_URL |
            SSH_AUTH_SOCK=${script} ssh-add -q -
          SSH_AUTH_SOCK=${script} ${plain} ${listing}
          kill $SSH_AGENT_PID`,
      },
    }),
  };
}

function figuresOf(rounds: readonly Round[], hasScript: boolean): Record<string, Figure> {
  const of = (figure: (at: (name: string) => number) => number, unit?: string): Figure =>
    figureOf(rounds, (round) => figure((name) => wall(round, name)), unit);
  return {
    'warm - plain': of((at) => at('warm') - at('plain'), 'ms'),
    'warm - plain, of the fastest runs': single(fastest(rounds, 'warm') - fastest(rounds, 'plain'), 'ms'),
    'warm - plain, processor': figureOf(
      rounds,
      (round) => processor(round, 'warm') - processor(round, 'plain'),
      'ms',
    ),
    'warm - plain, without ssh.variant': of((at) => at('warm, without ssh.variant') - at('plain'), 'ms'),
    'cold - warm': of((at) => at('cold') - at('warm'), 'ms'),
    'cold - warm, of the fastest runs': single(fastest(rounds, 'cold') - fastest(rounds, 'warm'), 'ms'),
    ...(hasScript && {
      '(cold - plain) / (script - plain)': of(
        (at) => (at('cold') - at('plain')) / (at('script') - at('plain')),
      ),
    }),
    'git-credential-ssm / (cold - warm)': of((at) => at('git-credential-ssm') / (at('cold') - at('warm'))),
    '(cold - warm) / the parameter by hand': of(
      (at) => (at('cold') - at('warm')) / at('the parameter by hand'),
    ),
  };
}

/** A hundred git commands at the same time. */
async function crowd(stage: Stage, commands: Record<string, HostCommand>): Promise<Round> {
  const times = async (name: string): Promise<Round> => {
    const { run = '', before } = commands[name] ?? {};
    if (before !== undefined) await succeed(stage.host, before);
    const all = `for i in $(seq ${atOnce}); do (${run}) & pids="$pids $!"; done; for pid in $pids; do wait $pid; done`;
    return { [`${atOnce} at once, ${name}`]: await wallOf(() => succeed(stage.host, all)) };
  };
  return { ...(await times('plain')), ...(await times('cold')) };
}

export const ssmSsh: Section = {
  name: 'ssm-ssh',
  title: 'ssm-ssh and git-credential-ssm on a host',
  about: `\`git ls-remote\` from a real git host over SSH, with the role of an EC2 instance. "plain" is ssh with an agent that has the key. "warm" is \`ssm-ssh\` with the key in its agent, as \`setup\` leaves a host. "cold" is the first connection. "script" is \`aws ssm get-parameter | ssh-add -\` and git, with a new agent. "the parameter by hand" makes the same four requests as a cold start, without an SDK.`,
  run: async ({ rounds }) => {
    const cli = awsCli();
    const byHand = await bundled('floors/host');
    const stage = await open();
    try {
      const commands = commandsOn(stage, { byHand: byHand.path, cli });
      const measured = await takeTurns(rounds, waysOn(stage.host, commands));
      const crowded = await takeTurns(crowds, [() => crowd(stage, commands)]);
      const ratio = figureOf(
        crowded,
        (round) => wall(round, `${atOnce} at once, cold`) / wall(round, `${atOnce} at once, plain`),
      );
      return {
        ways: { ...waysOf(measured), ...waysOf(crowded) },
        figures: { ...figuresOf(measured, cli !== undefined), [`${atOnce} at once: cold / plain`]: ratio },
        notRun: cli === undefined ? ['the script: the AWS CLI is not on PATH'] : [],
      };
    } finally {
      await stage.stop();
      byHand.remove();
    }
  },
};
