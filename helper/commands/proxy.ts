/** `proxy`: ssh's ProxyCommand for EC2 hosts, for people's ~/.ssh/config. */
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import type { Settings } from '../../src/git/listing.ts';
import type { HostSettings } from '../../src/host/settings.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { command, type Running } from '../command-line/command.ts';
import { voiceOf } from '../command-line/keys.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { parseAccount } from '../command-line/account.ts';
import { reach, type Wanted } from '../proxy/reach.ts';
import type { Outcome } from '../proxy/report.ts';
import { ways } from '../../src/aws/ec2-session-policy.ts';
import { parseHost, parsePort, parseWay } from '../proxy/way.ts';

const options = {
  via: {
    ...({ type: 'string', value: 'WAY' } as const),
    choices: ways,
    help: 'session-manager (default), instance-connect-endpoint or direct',
  },
  state: {
    ...({ type: 'string', value: 'FOLDER' } as const),
    help: "where the block of ssh's configuration looks for the agent, with ~/ and %i as there",
  },
} as const;

export const proxy = command({
  name: 'proxy',
  summary: "Reach an EC2 host through AWS: ssh's ProxyCommand",
  synopsis: 'HOST PORT [USER] [OPTION …]',
  examples: [
    [
      "proxy -- '%h' %p '%r'",
      'as ProxyCommand in ~/.ssh/config: setup prints the block. USER gets a key by EC2 Instance Connect',
    ],
    ['proxy i-0123456789abcdef0 22', 'for a host that knows a key of yours'],
  ],
  options,
  run: runProxy,
});

const sshPort = 22;

async function runProxy(line: Line<typeof options>, running: Running): Promise<number> {
  const { values } = line;
  const [host = '', port = '', user, ...more] = [...line.words, ...(line.behind ?? [])];
  if (port === '' || more.length > 0)
    throw invalid('proxy takes HOST PORT [USER]', "write ProxyCommand ssm-ssh-agent proxy -- '%h' %p '%r'");
  // Loaded here, because other commands do not need it.
  const { allowsEc2Remotes, sectionFor, settingsOf } = await import('../../src/host/settings.ts');
  const configured = await readGitSettings(running);
  const section = sectionFor(configured, { host, path: '' }, sshPort);
  const { sectionOfHost } = await import('../../src/host/ec2-places.ts');
  const settings = settingsOf(configured, running.env, sectionOfHost(configured, host));
  const via = parseWay(
    values.via ?? settings.via,
    values.via === undefined ? 'ssm.via (SSM_SSH_VIA)' : '--via',
  );
  const target = parseHost(host, via);
  // Anybody may have written the URL of a submodule: it only reaches hosts that a setting allows or names.
  if (isFromGit(running.env) && section === undefined && !allowsEc2Remotes(configured, running.env)) {
    throw invalid(
      `git was given the EC2 host ${host}, which nothing allows it to reach`,
      'if the URL is yours: git config --global ssm.ec2Remotes true, or SSM_SSH_EC2_REMOTES=1',
    );
  }
  const pushes = user !== undefined && target.kind !== 'managed';
  const place = await placeOf(line, settings, running);
  const { agentFolder } = await import('../proxy/agent-folder.ts');
  const folder = await agentFolder(values.state, place.job, running);
  const wanted = {
    ...{ host: target, port: parsePort(port), user: user ?? '', via },
    ...(pushes && { push: { folder } }),
    place,
  };
  const { failure } = await reachUntilEnd(wanted, line, running);
  if (!failure) return 0;
  // Not thrown: ssh has ended this process by then, and what is thrown after a signal is its own end.
  running.err(`${failure.render('ssm-ssh-agent')}\n`);
  return failure.exitCode;
}

/** By what git tells its ssh command: the version of its protocol, or that a submodule's URL is not the user's own. */
function isFromGit(env: Running['env']): boolean {
  return Boolean(env['GIT_PROTOCOL']) || env['GIT_PROTOCOL_FROM_USER'] === '0';
}

async function reachUntilEnd(
  wanted: Wanted,
  { values }: Line<typeof options>,
  running: Running,
): Promise<Outcome> {
  const stdio = running.stdio();
  const { env, installation, terminal } = running;
  const { profile, quiet } = values;
  try {
    return await reach(wanted, {
      ...stdio,
      env: profile === undefined ? env : { ...env, AWS_PROFILE: profile },
      helper: join(installation, 'helper'),
      voice: voiceOf(values, running),
      wait: (text) => {
        if (terminal && !quiet) running.err(`ssm-ssh-agent: ${visible(text)}\n`);
      },
    });
  } catch (error) {
    // A signal ended it: no message is needed.
    if (stdio.signal.aborted) return { refused: false };
    throw error;
  }
}

/** Without git there are no settings. With a git that hangs nobody knows them. */
async function readGitSettings({ env, signal }: Running): Promise<Settings> {
  const { readProtectedSettings } = await import('../../src/git/config-file.ts');
  return await readProtectedSettings({ env, signal }).then(
    ({ settings }) => settings,
    (error: unknown) => {
      if (error instanceof Failure && error.code === 'TIMEOUT') throw error;
      return new Map<string, string[]>();
    },
  );
}

/** Options take precedence over settings. In a job, the launcher of `ssm-ssh-agent` sets SSM_SSH_JOB. */
async function placeOf(
  { values }: Line<typeof options>,
  settings: HostSettings,
  { env }: Running,
): Promise<Wanted['place']> {
  const { region, roles } = parseAccount(values);
  const { parseHostPlace } = await import('../command-line/host-place.ts');
  return {
    ...parseHostPlace({
      region: region ?? settings.region,
      roles: roles.length > 0 ? roles : settings.roles,
      timeout: settings.timeout,
    }),
    job: env['SSM_SSH_JOB'] || undefined,
    ownRoles: roles.length > 0,
  };
}
