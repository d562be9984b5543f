/** Checks which ssh command git runs, and with which arguments. Pure. */
import { isProtected } from '../../src/git/listing.ts';
import { isOurs } from '../../src/host/foreign-command.ts';
import { shownCommand } from '../../src/keys/shown-text.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import type { Configuration } from './configuration.ts';
import { fail, ok, warn, type Finding } from './finding.ts';
import { placeOfSetting, replaceSetting, unsetSettings, type Environment } from './setting-remedy.ts';
import { sshCommandOf } from './ssh-command.ts';

export interface SshCommandCheck {
  readonly configuration: Configuration;
  readonly env: Environment;
  /** The ssh command of this installation, as a word of sh. */
  readonly ours: string;
}

/** Whether git runs ssm-ssh at all. */
export function checkWinner(check: SshCommandCheck): Finding {
  const name = 'git ssh command';
  const { configuration, env, ours } = check;
  const { from, command } = sshCommandOf(configuration.all, env);
  if (isOurs(command)) return ok(name, `git runs ssm-ssh (${from})`);
  const program = shownCommand(command);
  if (configuration.compiled.keys.length === 0) return ok(name, `git runs ${program}: no key is configured`);
  if (from === 'GIT_SSH_COMMAND' || from === 'GIT_SSH') {
    const rest = sshCommandOf(configuration.all, { ...env, [from]: undefined });
    const remedy = isOurs(rest.command) ? `unset ${from}` : `export GIT_SSH_COMMAND=${quoteForShell(ours)}`;
    return warn(name, `${from} is ${program}, which takes precedence: git does not run ssm-ssh`, remedy);
  }
  if (from === 'ssh')
    return fail(name, 'keys are configured, but git runs plain ssh', inConfiguration(check));
  const own = commandsOf(configuration).at(-1);
  const where = own === undefined ? '' : ` (${placeOfSetting(own)})`;
  const whose = own !== undefined && !isProtected(own) ? 'of this repository ' : '';
  const detail = `core.sshCommand ${whose}is ${program}${where}: git does not run ssm-ssh`;
  return warn(name, detail, inConfiguration(check));
}

/** In the file whose value counts; a repository's own value is removed if git then runs ssm-ssh. */
function inConfiguration({ configuration, env, ours }: SshCommandCheck): string {
  const commands = commandsOf(configuration);
  const last = commands.at(-1);
  if (last === undefined) return `git config --global --replace-all core.sshCommand ${quoteForShell(ours)}`;
  const rest = commands.filter(isProtected).at(-1)?.value ?? '';
  if (!isProtected(last) && isOurs(rest))
    return unsetSettings(
      commands.filter((entry) => !isProtected(entry)),
      env,
    );
  return replaceSetting(last, ours, env);
}

function commandsOf({ entries }: Configuration): Configuration['entries'] {
  return entries.filter((entry) => entry.name === 'core.sshcommand');
}

/** @source git-config(1), ssh.variant: `simple` passes no port and no option, plink and putty have others */
export function checkVariant({ configuration, env }: SshCommandCheck): Finding {
  const name = 'ssh.variant';
  const last = configuration.entries.findLast((entry) => entry.name === 'ssh.variant');
  const ofVariable = env['GIT_SSH_VARIANT'] ?? '';
  const value = ofVariable === '' ? (last?.value ?? '') : ofVariable;
  if (['', 'auto', 'ssh'].includes(value)) return ok(name, value === '' ? 'not set: git finds it' : value);
  const isVariable = ofVariable !== '' || last === undefined;
  const from = isVariable ? 'GIT_SSH_VARIANT' : `ssh.variant (${placeOfSetting(last)})`;
  const remedy = isVariable ? 'export GIT_SSH_VARIANT=ssh' : replaceSetting(last, 'ssh', env);
  return fail(name, `${from} is ${value}: git passes the arguments of another program to ssm-ssh`, remedy);
}
