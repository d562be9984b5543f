/** Checks where this package is, and whether git can start its programs. */
import { shortLivedWarning } from '../setup/short-lived.ts';
import { fail, ok, skip, warn, type Finding } from './finding.ts';
import { firstWordOf, problemWith, programOf, programOnPath, type ProgramProblem } from './find-program.ts';
import type { Configuration } from './configuration.ts';
import { sshCommandOf } from './ssh-command.ts';
import { helpersFor, isFor, isOurHelper } from '../../src/git/credential-settings.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { shownCommand } from '../../src/keys/shown-text.ts';
import { OwnPrograms } from './own-programs.ts';
import { replaceSetting, replaceValue, type PlacedSetting } from './setting-remedy.ts';

export interface Installed {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of the package. */
  readonly installation: string;
  readonly node: string;
  readonly version: string;
}

/** @returns where the package is, and whether an upgrade removes the folder */
export function checkInstallation({ installation, node, version }: Installed): Finding {
  const name = 'installation';
  const [problem, remedy = ''] = (shortLivedWarning(installation, node) ?? '').split('\nhint: ');
  return problem ? warn(name, problem, remedy) : ok(name, `version ${version} in ${installation}`);
}

/** @returns whether the programs that git is told to start are there */
export function checkStarted(
  { all, entries }: Pick<Configuration, 'all' | 'entries'>,
  places: readonly string[],
  { env, installation }: Installed,
): Finding[] {
  const { from, command } = sshCommandOf(all, env);
  const { ssh: ours, helper: ourHelper } = new OwnPrograms(installation);
  const check = 'ssh command';
  const setting = entries.findLast(({ name }) => name === 'core.sshcommand');
  const toOurs =
    setting && from === 'core.sshCommand' ? replaceSetting(setting, ours, env) : toVariable(ours);
  const first =
    from === 'ssh'
      ? skip(check, 'none is set: git starts ssh')
      : (programFinding({ check, command, program: programOf(command, env), from, toOurs }, env) ??
        ok(check, `${from} is ${shownCommand(command)}`));
  const helpers = places.flatMap((place) => ourHelpers(place, entries));
  const unique = new Map(helpers.map((one) => [one.value ?? '', one]));
  const others = [...unique.values()].map((one) => {
    const helper = one.value ?? '';
    const name = 'credential helper';
    const program = programOfHelper(helper, env);
    const named = {
      check: name,
      command: helper,
      program,
      from: 'credential.helper',
      toOurs: replaceValue(one, ourHelper, env),
    };
    return programFinding(named, env) ?? ok(name, program ?? '');
  });
  return [first, ...others];
}

/** @source gitcredentials(7): a shell runs what begins with `!` */
function programOfHelper(helper: string, env: Installed['env']): string | undefined {
  if (/^ssm(\s|$)/.test(helper)) return 'git-credential-ssm';
  return helper.startsWith('!') ? programOf(helper, env) : firstWordOf(helper);
}

/** The settings that name our helper for the host. */
function ourHelpers(place: string, entries: readonly PlacedSetting[]): PlacedSetting[] {
  const settings = entries.filter(({ name }) => isFor({ host: place }, name, 'helper'));
  const asked = new Set(helpersFor({ host: place }, settings).filter(isOurHelper));
  return settings.filter(({ value = '' }) => asked.has(value));
}

function toVariable(ours: string): string {
  return `export GIT_SSH_COMMAND=${quoteForShell(ours)}`;
}

interface Named {
  readonly check: string;
  /** As git has it. */
  readonly command: string;
  /** undefined: only a shell can tell. */
  readonly program: string | undefined;
  /** The variable or setting. */
  readonly from: string;
  /** The command that names the program of this installation there. */
  readonly toOurs: string;
}

/** @returns undefined if it can be started */
function programFinding(
  { command, check, program, from, toOurs }: Named,
  env: Installed['env'],
): Finding | undefined {
  if (program === undefined) return skip(check, `${from} is a shell command, not checked`);
  const isPath = program.includes('/');
  const found = isPath ? program : programOnPath(program, env);
  const problem = found === undefined ? 'missing' : problemWith(found);
  if (problem === undefined || (problem !== 'missing' && isReadBySh(command))) return undefined;
  const detail = `git cannot start ${program}, which ${from} names: ${said[problem]}`;
  if (problem === 'not executable') return fail(check, detail, `chmod +x ${quoteForShell(program)}`);
  if (problem === 'missing') return fail(check, detail, toOurs);
  return fail(check, detail, throughShell({ program, from }));
}

const said: Readonly<Record<ProgramProblem, string>> = {
  missing: 'it does not exist',
  'not executable': 'it is not executable',
  noexec: 'its disk is mounted with noexec',
};

/** `sh PROGRAM` needs no file that can be executed. */
function isReadBySh(command: string): boolean {
  return /^\s*(!\s*)?((\w+=\S*|exec|env)\s+)*(\/bin\/)?sh\s/.test(command);
}

/** sh reads a script from such a disk. */
function throughShell({ program, from }: { readonly program: string; readonly from: string }): string {
  if (from === 'credential.helper')
    return 'install the package on another disk, and run ssm-ssh-agent setup again';
  return `export GIT_SSH_COMMAND=${quoteForShell(`sh ${quoteForShell(program)}`)}`;
}
