/** Which ssh command git runs. Pure. */
import type { Settings } from '../../src/git/listing.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface SshCommand {
  /** The variable or setting that wins; `ssh` if there is none. */
  readonly from: 'GIT_SSH_COMMAND' | 'core.sshCommand' | 'GIT_SSH' | 'ssh';
  readonly command: string;
}

/** @source git(1), GIT_SSH and GIT_SSH_COMMAND; git-config(1), core.sshCommand */
export function sshCommandOf(all: Settings, env: Environment): SshCommand {
  const command = env['GIT_SSH_COMMAND'];
  if (command) return { from: 'GIT_SSH_COMMAND', command };
  const configured = all.get('core.sshcommand')?.at(-1);
  if (configured) return { from: 'core.sshCommand', command: configured };
  const program = env['GIT_SSH'];
  return program ? { from: 'GIT_SSH', command: program } : { from: 'ssh', command: 'ssh' };
}
