/** A connection to AWS that is reset (RST) during a transfer, with the installed programs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { startGateway } from '../../support/aws/wire/gateway.ts';
import { ACCOUNT, REGION } from '../../support/aws/world.ts';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { TcpRelay } from '../../support/tcp-relay.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');
const size = 1_000_000;
/** Bytes before a socket is reset. */
const resetAfter = size / 6;
const learned = /^Warning: Permanently added .*\r\n/;

describeOnHost('a socket to Session Manager that is reset five times', () => {
  const stage = useEc2();
  beforeEach(() => {
    const { instanceId, ports } = stage.instance;
    // As slow as the real agent: data that a reset loses on its way to the client is repeated at 10 KB/s.
    const agentOptions = { account: ACCOUNT, region: REGION, instanceId, ports, pace: 1 };
    stage.world.aws.sessions.connectAgent(agentOptions);
  });
  afterEach(() => {
    const { sessions } = stage.world.aws;
    sessions.faults = {};
    sessions.stop();
    sessions.forget();
  });

  const up = (ssh: string): string => `${ssh} "cat >$PWD/there" <here`;
  const down = (ssh: string): string => `mv here there; ${ssh} "cat $PWD/there" >here`;

  it.each([
    ['up, by ssm-ssh', 'toAgent', () => up(stage.ssh)],
    ['down, by ssm-ssh', 'toClient', () => down(stage.ssh)],
    ['up, by ssh and its proxy', 'toAgent', () => up(`ssh -F config ${stage.target}`)],
    ['down, by ssh and its proxy', 'toClient', () => down(`ssh -F config ${stage.target}`)],
  ])('loses no byte of a transfer %s', async (_, direction, transfer) => {
    const { host, world } = stage;
    const { sessions } = world.aws;
    sessions.faults = { resetAfterBytes: { [direction]: resetAfter } };
    const { code, stderr } = await host.run(
      `${agent} setup --global --via session-manager >config 2>/dev/null
      head -c ${size} /dev/urandom >here; ${transfer()}; cmp here there`,
    );
    expect([stderr.replace(learned, ''), code]).toEqual(['', 0]);
    expect(sessions.ended.at(-1)?.sockets).toBeGreaterThan(5);
    expect(sessions.violations).toEqual([]);
  });
});

const commands = {
  up: (ssh: string) => `${ssh} 'cat >/dev/null' </dev/zero`,
  down: (ssh: string) => `${ssh} 'cat /dev/zero' >/dev/null`,
} as const;
type Direction = keyof typeof commands;

describeOnHost('a tunnel with a single connection that is reset', () => {
  const stage = useEc2({ via: 'instance-connect-endpoint', instance: { privateIp: '127.0.0.1' } });

  /** The error output if the relay resets the connections during the command. */
  const told = async (
    command: string,
    relay: TcpRelay,
    env: Readonly<Record<string, string>>,
  ): Promise<{ code: unknown; stderr: string }> => {
    const { host } = stage;
    const [file = '', ...args] = host.argv(['bash', '-c', `exec ${command}`]);
    const options = { cwd: host.home, env: { ...host.env, ...env }, stdio: 'pipe' } as const;
    const child = spawn(file, args, options);
    const [stderr, exited] = [text(child.stderr), once(child, 'exit')];
    while (relay.bytes < 2_000_000 && child.exitCode === null) await sleep(10);
    relay.reset();
    const [code] = (await exited) as unknown[];
    relay.close();
    return { code, stderr: await stderr };
  };
  const endpoint = async (ssh: string, direction: Direction): ReturnType<typeof told> => {
    const gateway = await startGateway();
    const relay = await TcpRelay.start(Number(new URL(gateway.url).port));
    const env = { HTTPS_PROXY: `http://127.0.0.1:${relay.port}` };
    const outcome = await told(commands[direction](`${ssh} ${stage.target}`), relay, env);
    gateway.close();
    return outcome;
  };
  const direct = async (ssh: string, direction: Direction): ReturnType<typeof told> => {
    const relay = await TcpRelay.start(stage.instance.port);
    const command = commands[direction](`${ssh} -p ${relay.port} ${stage.target}`);
    return await told(command, relay, { SSM_SSH_VIA: 'direct' });
  };
  const ways = { 'an endpoint': endpoint, 'the network': direct };

  it.each([
    ['up', 'an endpoint', 'ssm-ssh'],
    ['down', 'an endpoint', 'ssm-ssh'],
    ['down', 'an endpoint', 'ssm-ssh-agent'],
    ['up', 'the network', 'ssm-ssh'],
    ['down', 'the network', 'ssm-ssh'],
    ['down', 'the network', 'ssm-ssh-agent'],
  ] as const)('reports it: %s through %s, with %s', async (direction, way, name) => {
    const { host, instance } = stage;
    await host.run(`${agent} setup --global --via session-manager >config 2>/dev/null`);
    const ssh = name === 'ssm-ssh' ? program : 'ssh -F config';
    const { code, stderr } = await ways[way](ssh, direction);
    expect(stderr).toMatch(
      new RegExp(`^${name}: TUNNEL_FAILED: the .* to ${instance.instanceId} .*\\nhint: connect again$`, 'm'),
    );
    expect(code).toBe(255);
  });
});
