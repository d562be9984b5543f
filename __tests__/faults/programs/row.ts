/** One row of the table of faults of the programs: a command with a fault in one call, and then the same without it. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePrivateKey } from '../../../src/keys/private-key.ts';
import { authorizedKeysLine } from '../../../src/keys/public-key.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, program, project, type Ran } from '../../support/ec2-host.ts';
import { startEc2Instance, type Ec2Instance } from '../../support/ec2-instance.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { startGitHubApi, type GitHubApi } from '../../support/github/github-api.ts';
import { publicKeyOf } from '../../support/kms-keys.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { furnish, renewInstance } from '../calls.ts';
import { judge, type LocalOutcome } from '../local/judge.ts';
import { openPlaces, placesFor, type Places } from '../places.ts';
import { troubles, type Trouble } from '../troubles.ts';
import { programCalls, type ProgramCall } from './calls.ts';

export interface ProgramRow {
  readonly call: ProgramCall;
  readonly trouble: Trouble;
  readonly promised: ReturnType<Trouble['promise']> & {};
  /** Whether a session may stay open for each call with the fault: its id was in an answer that was lost. */
  readonly losesSessions: boolean;
}

/**
 * The clients of AWS are those of main, whose table has each fault twice. Of these each one is here once, and what passes is here
 * where a program is not main: it waits for its turn, and renews its credentials.
 */
const isHere = ({ name }: Trouble): boolean =>
  /^(throttled|expired), once$/.test(name) ||
  !/, once$|^(503|502|stall|half of|HTML|throttled to)/.test(name);

/** AWS has done what was asked, and nobody learns it. */
const lost = /^(drip|cut body|100 MB|wrong JSON)$/;

function promisedBy(call: ProgramCall, trouble: Trouble): ReturnType<Trouble['promise']> {
  if (call.harmless?.some((name) => name === trouble.name) === true) return 'ok';
  const promised = trouble.promise(call);
  const isError = typeof promised === 'object';
  return isError && call.mayBeLate === true ? [...promised, 'TIMEOUT'] : promised;
}

export const programRows: readonly ProgramRow[] = programCalls.flatMap((call) =>
  troubles.filter(isHere).flatMap((trouble) => {
    const promised = promisedBy(call, trouble);
    const losesSessions = call.namesSession === true && lost.test(trouble.name);
    return promised === undefined ? [] : [{ call, trouble, promised, losesSessions }];
  }),
);

export const nameOfProgramRow = ({ call, trouble }: ProgramRow): string =>
  `${call.program}, ${call.operation} × ${trouble.name}`;

/** Seconds: SSM_SSH_TIMEOUT of a row that is promised a TIMEOUT, and of all else, which a busy machine may slow down. */
const [short, usual] = [8, 25];
/** Seconds that a command in trouble may take. rotate makes several calls. */
const [limit, limitOfRotate] = [30, 150];

interface Around {
  readonly key: SshKey;
  readonly other: SshKey;
  readonly places: Places;
}

export interface ProgramGround {
  readonly run: (row: ProgramRow) => Promise<LocalOutcome>;
  readonly close: () => Promise<void>;
}

export async function openProgramGround(): Promise<ProgramGround> {
  const [key, other, { places, close }] = await Promise.all([makeSshKey(), makeSshKey(), openPlaces()]);
  return { run: async (row) => await runRow(row, { key, other, places }), close };
}

/** The servers of one row. */
class Scene {
  readonly world: ReadyWorld;
  readonly git: GitHost;
  readonly github: GitHubApi | undefined;
  readonly instance: Ec2Instance | undefined;
  readonly host: Ec2Host;

  private constructor(servers: Pick<Scene, 'world' | 'git' | 'github' | 'instance' | 'host'>) {
    ({
      world: this.world,
      git: this.git,
      github: this.github,
      instance: this.instance,
      host: this.host,
    } = servers);
  }

  static async open({ call, trouble }: ProgramRow, { key, other }: Around): Promise<Scene> {
    const { ahead = 0 } = trouble;
    const [world, git] = await Promise.all([
      startReadyWorld({ clock: () => new Date(Date.now() + ahead) }),
      startGitHost(),
    ]);
    await git.createRepository('acme/lib');
    const inKms = furnish(world.aws, [key.privateKey, other.privateKey], [allow('*', '*')]);
    const publicKeys = [key.publicKey, publicKeyOf(inKms)];
    const github = call.needs === 'github' ? await startGitHubApi({ deployKeys: { git } }) : undefined;
    const given = { repository: 'acme/lib', title: 'CI', readOnly: false };
    if (github) github.keys.add({ ...given, key: key.publicKey });
    else for (const publicKey of publicKeys) git.addDeployKey({ ...given, publicKey, write: true });
    world.put(
      '/ci/token',
      github?.createToken({ repositories: ['acme/lib'], administration: 'write' }) ?? token,
    );
    const instance = call.needs === 'instance' ? await openInstance(world, key) : undefined;
    return new Scene({ world, git, github, instance, host: new Ec2Host(world, [git]) });
  }

  get env(): Record<string, string> {
    const { address, port, user, knownHosts } = this.git;
    const { home } = this.host;
    const known = join(home, 'known');
    writeFileSync(known, knownHosts);
    const { user: login = '', instanceId = '' } = this.instance ?? {};
    return {
      // Without a Region the metadata service is asked for it, too.
      AWS_REGION: REGION,
      ...{ SSM_SSH_TIMEOUT: `${usual}s`, SSM_SSH_KEY: '/ci/key', SSM_SSH_KNOWN_HOSTS: known, KNOWN: known },
      ...{ SSM_SSH: program, AGENT: join(project, 'helper/ssm-ssh-agent'), KEY_FILE: join(home, 'login') },
      ...{ CREDENTIAL: join(project, 'helper/git-credential-ssm'), URL: this.git.url('acme/lib') },
      ...{ LOGIN: `-p ${port} ${user}@${address}`, HOST: `${address}:${port}` },
      ...{ EC2: `${login}@${instanceId}`, EC2_NAME: `${login}@Name=web-1` },
      API_URL: this.github?.url ?? '',
    };
  }

  async close(): Promise<void> {
    this.host.dispose();
    await this.instance?.stop();
    await Promise.all([this.github?.stop(), this.git.stop(), this.world.stop()]);
  }
}

const token = 'ghp_0123456789abcdefghij';

async function openInstance(world: ReadyWorld, { publicKey }: SshKey): Promise<Ec2Instance> {
  const instance = await startEc2Instance(world.aws, {
    ...{ account: ACCOUNT, region: REGION, tags: { Name: 'web-1' } },
    authorizedKeys: [publicKey],
  });
  const { instanceId, ports } = instance;
  world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports });
  return instance;
}

async function runRow(row: ProgramRow, around: Around): Promise<LocalOutcome> {
  const { call, trouble, promised } = row;
  const scene = await Scene.open(row, around);
  try {
    const { world, host, github } = scene;
    const env = { ...scene.env, ...call.env };
    writeFileSync(join(host.home, 'login'), around.key.privateKey, { mode: 0o600 });
    chmodSync(host.home, 0o700);
    const first = await host.run(call.before ?? ':', env);
    const clean = [...host.files().keys()];
    const faults = github && call.kind === 'github' ? github.faults : world.aws.faults;
    const named = { ...call, operation: call.kind === 'github' ? `${call.operation}*` : call.operation };
    const arranged = trouble.arrange(named, { aws: world.aws, faults }, placesFor(call, around.places));
    const timeout = [promised].flat().includes('TIMEOUT') ? short : usual;
    const inTrouble = { ...env, SSM_SSH_TIMEOUT: `${timeout}s`, ...arranged.env };
    const ran = await host.run(call.run, inTrouble);
    const asked = callsOf(scene, call).filter(({ operation }) => operation.startsWith(call.operation));
    faults.clear();
    renewInstance(world.aws);
    const next = await host.run(call.again ?? call.run, env);
    await host.run('"$AGENT" flush', env);
    const secrets = [around.key.privateKey];
    const ended = { ...ran, milliseconds: ran.took };
    const outcome = judge(ended, { promised: [promised].flat(), isMute: false, secrets });
    const wrong = [
      ...outcome.wrong,
      ...(first.code === 0 ? [] : [`before the fault: ${first.stderr}`]),
      ...(arranged.env !== undefined || asked.length > 0 ? [] : [`${call.operation} was never asked for`]),
      ...(outcome.code === 'ok' ? [] : errorWrong(ran, row)),
      ...(next.code === 0 ? [] : [`after the fault: ${next.code} ${next.stderr}`]),
      ...leftOf(scene, clean, row.losesSessions ? asked.length : 0).map((one) => `left: ${one}`),
      ...halfDone(scene),
    ];
    const most = call.program === 'rotate' ? limitOfRotate : limit;
    return { ...outcome, late: ran.took > most * 1000, wrong };
  } finally {
    await scene.close();
  }
}

function callsOf({ world, github }: Scene, { kind }: ProgramCall): readonly { operation: string }[] {
  return kind === 'github' ? (github?.calls ?? []) : world.aws.calls;
}

function errorWrong({ stderr }: Ran, { call, trouble }: ProgramRow): string[] {
  return [
    call.names.test(stderr) || /expired/.test(stderr) ? [] : `does not name the service: ${stderr}`,
    // The words are those about AWS.
    call.kind === 'github' || !trouble.says || trouble.says.test(stderr)
      ? []
      : `does not say ${String(trouble.says)}: ${stderr}`,
  ].flat();
}

/**
 * The folders of caches stay.
 *
 * @param lostSessions may be open
 */
function leftOf({ host, world }: Scene, clean: readonly string[], lostSessions: number): string[] {
  const files = [...host.files().keys()].filter(
    (path) => !clean.includes(path) && !/\/(known_hosts|\.gitconfig)$/.test(path),
  );
  const sessions = world.aws.sessions.open.slice(lostSessions).map(() => 'an open session');
  return [...host.processes().map(({ command }) => command), ...files, ...sessions];
}

/** After a rotation: the host knows the stored key, and no other. */
function halfDone({ github, world }: Scene): string[] {
  if (!github) return [];
  const place = { account: ACCOUNT, region: REGION };
  const found = world.aws.parameters.find(place, '/ci/key');
  const version = found?.versions.at(-1);
  if (!found || !version) return ['no key is stored'];
  const stored = parsePrivateKey(world.aws.parameters.reveal(version, found.arn), '/ci/key');
  const known = github.keys.of('acme/lib').map(({ key }) => key);
  const wanted = authorizedKeysLine({ ...stored.publicKey, comment: '' }).trim();
  return known.length === 1 && known[0] === wanted ? [] : [`the host knows ${known.length} keys`];
}
