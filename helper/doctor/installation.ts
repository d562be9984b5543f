/** Checks where this package is, and whether git can start its programs. */
import { shortLivedWarning } from '../setup/short-lived.ts';
import { fail, ok, skip, warn, type Finding } from './finding.ts';
import { problemWith, programOf, programOnPath, type ProgramProblem } from './find-program.ts';
import type { Configuration } from './configuration.ts';
import { isOurCommand, sshCommandOf } from './ssh-command.ts';
import { helpersFor, isOurHelper } from '../../src/git/credential-settings.ts';
import { quoteForShell } from '../../src/process/quote.ts';

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
  installed: Installed,
): Finding[] {
  const { from, command } = sshCommandOf(all, installed.env);
  const ssh = 'ssh command';
  const first =
    from === 'ssh'
      ? skip(ssh, 'none is set: git starts ssh')
      : (programFinding(ssh, programOf(command), { ...installed, from }) ?? ok(ssh, `${from} is ${command}`));
  const helpers = new Set(
    places.flatMap((place) => helpersFor({ host: place }, entries).filter(isOurHelper)),
  );
  const others = [...helpers].map((helper) => {
    const check = 'credential helper';
    const program = /^ssm(\s|$)/.test(helper) ? 'git-credential-ssm' : programOf(helper);
    return programFinding(check, program, { ...installed, from: 'credential.helper' }) ?? ok(check, program);
  });
  return [first, ...others];
}

/** @returns undefined if it can be started */
function programFinding(
  check: string,
  program: string,
  { env, installation, from }: Installed & { readonly from: string },
): Finding | undefined {
  const isPath = program.includes('/');
  const found = isPath ? program : programOnPath(program, env);
  const problem = found === undefined ? 'missing' : problemWith(found);
  if (problem === undefined) return undefined;
  const name = isOurCommand(program) ? 'ssm-ssh' : 'git-credential-ssm';
  const ours = `${installation}/helper/${name}`;
  const detail = `git cannot start ${program}, which ${from} names: ${said[problem]}`;
  return fail(check, detail, remedyFor(problem, { program, ours, from }));
}

const said: Readonly<Record<ProgramProblem, string>> = {
  missing: 'it does not exist',
  'not executable': 'it is not executable',
  noexec: 'its disk is mounted with noexec',
};

function remedyFor(
  problem: ProgramProblem,
  { program, ours, from }: { readonly program: string; readonly ours: string; readonly from: string },
): string {
  if (problem === 'not executable') return `chmod +x ${quoteForShell(program)}`;
  if (problem === 'noexec')
    return `install the package on another disk, or set GIT_SSH_COMMAND="sh ${program}"`;
  if (from === 'GIT_SSH_COMMAND') return `export GIT_SSH_COMMAND=${quoteForShell(ours)}, or unset it`;
  if (from === 'GIT_SSH') return 'unset GIT_SSH';
  return `run ssm-ssh-agent setup again; or git config --global ${from} ${quoteForShell(ours)}`;
}
