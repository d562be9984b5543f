/** Lines for other files than git's configuration, for people to copy; and what setup --remove prints. Pure. */
import type { Scope, Setting } from '../../src/git/listing.ts';
import { withoutSecrets } from '../../src/keys/secret-text.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { ec2HostIds, quotable } from '../../src/keys/ec2-host-patterns.ts';

/**
 * If GIT_SSH_COMMAND is not set, npm and Go set one, which takes precedence over core.sshCommand.
 *
 * @param sshCommand as a word of sh
 */
export function environmentLines(sshCommand: string): string {
  const quoted = /["']/.test(sshCommand);
  // pam_env removes one pair of quotes; systemd knows % and \ (systemd.exec(5), systemd.unit(5)).
  const forLogins = quoted ? `"${sshCommand}"` : sshCommand;
  const forSystemd = sshCommand.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%');
  return `# /etc/environment, for logins
GIT_SSH_COMMAND=${forLogins}

# .env in the folder of an Actions runner, for its jobs (restart the runner)
GIT_SSH_COMMAND=${sshCommand}

# /etc/systemd/system/SERVICE.service.d/ssm-ssh.conf, for a service (systemctl daemon-reload, and restart it)
[Service]
Environment="GIT_SSH_COMMAND=${forSystemd}"
`;
}

/** The places of the agent for pushed keys, as paths of ssh_config(5) with its tokens. */
export interface StatePlaces {
  /** The folder that a login makes, and that a service may not have. */
  readonly runtime: string;
  /** For where there is no such folder. */
  readonly otherwise: string;
  /** Of the state folder. */
  readonly name: string;
}

/**
 * AWS never uses an id again, so the first host key that is seen there is the right one. With IdentitiesOnly ssh would have
 * to know the key before the program has made it.
 *
 * ssh looks for the folder of a login at each connection: setup may run before the login, or for a service. The program takes
 * the folder that ssh has chosen.
 *
 * @param program ssm-ssh-agent, as a word of sh
 */
export function sshConfigLines(program: string, { runtime, otherwise, name }: StatePlaces): string {
  const hosts = `Match host "${ec2HostIds}" ${quotable}`;
  return `# ~/.ssh/config, for plain ssh, scp, sftp and rsync: ssh ec2-user@i-0123456789abcdef0
# Below your own names for hosts: Host web, HostName i-0123456789abcdef0
${hosts} exec "test -w ${runtime}"
${statePlace(program, `${runtime}/${name}`)}
${hosts}
${statePlace(program, `${otherwise}/${name}`)}
  AddKeysToAgent no
  IdentitiesOnly no
  IdentityFile none
  ForwardAgent no
  StrictHostKeyChecking accept-new
`;
}

/** ProxyCommand knows neither ~ nor %i: the program replaces them. */
function statePlace(program: string, folder: string): string {
  const command = `${program} proxy --state ${quoteForShell(folder)}`;
  return `  ProxyCommand ${command.replaceAll('%', '%%')} -- '%h' %p '%r'
  IdentityAgent "${folder}/ec2/agent"
  UserKnownHostsFile "${folder}/ec2/known_hosts"`;
}

/** The report of `setup --remove`: what it removed, and what people have to remove themselves. */
export function removedLines(
  removed: readonly Setting[],
  { scope, dryRun }: { readonly scope: Scope; readonly dryRun: boolean },
): string {
  const where = `git's ${scope} configuration`;
  const settings = removed.map(({ name, value = '' }) => visible(`  ${name} (was ${withoutSecrets(value)})`));
  const what =
    removed.length === 0
      ? `there is nothing of setup in ${where}`
      : `${dryRun ? 'would be removed' : 'removed'} from ${where}:`;
  return `${[`ssm-ssh-agent: ${what}`, ...settings].join('\n')}
hint: setup cannot remove the lines that you copied from its output. Take out GIT_SSH_COMMAND in /etc/environment, in the .env of an Actions
  runner and in /etc/systemd/system/SERVICE.service.d/ssm-ssh.conf, and the block of ~/.ssh/config that begins with
  Match host "${ec2HostIds.split(',')[0] ?? ''}
`;
}
