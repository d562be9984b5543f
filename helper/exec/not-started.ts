/** Why the command of exec cannot be started, as its user can repair it. */
import { lstatSync, statSync } from 'node:fs';
import { quoteForShell } from '../../src/process/quote.ts';
import { invalid } from '../command-line/parse.ts';
import { pathsOf, problemWith } from '../doctor/find-program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param env the environment of the command
 * @param error what starting it said
 * @returns the error as it was if the command is not its cause
 * @source execve(2), ERRORS
 */
export function notStarted(program: string, env: Environment, error: unknown): unknown {
  const code = String((error as { code?: unknown }).code);
  // Without a file, EACCES tells only that a folder of PATH is closed to this user: the command is still not found.
  const path = pathsOf(program, env).find(isThere);
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR') {
    if (path !== undefined) return unfit(path, code);
    if (!program.includes('/'))
      return invalid(`${program} is not on PATH`, 'check the name of the command behind --');
  }
  const [problem, hint] = problems[code] ?? [];
  return problem === undefined || hint === undefined ? error : invalid(problem(program), hint);
}

type Problem = readonly [(program: string) => string, string];

const checkPath = 'check the path of the command behind --';

const problems: Readonly<Record<string, Problem>> = {
  ENOENT: [(program) => `there is no file ${program}`, checkPath],
  ENOTDIR: [(program) => `${program} goes through a file that is no folder`, checkPath],
  ENAMETOOLONG: [(program) => `the name ${program} is too long for this system`, checkPath],
  ELOOP: [
    (program) => `${program} leads through too many symbolic links`,
    'ls -l shows where each link leads: one leads back to itself',
  ],
  EACCES: [
    (program) => `a folder of ${program} is closed to this user`,
    'ls -ld shows the rights of each folder of the path: the user needs x on all of them',
  ],
  ENOEXEC: [
    (program) => `${program} is no program for this system`,
    'a script needs a first line such as #!/bin/sh; a program must be built for this system (uname -sm)',
  ],
  ETXTBSY: [(program) => `${program} is being written`, 'wait until it is complete, then run it again'],
  E2BIG: [
    (program) => `the arguments of ${program} and the environment are too long for this system`,
    'write them to a file that the command reads, or start it with fewer',
  ],
};

/** What is wrong with a file that is there. */
function unfit(path: string, code: string): unknown {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return invalid(`${path} is a folder`, 'name a program behind --');
  const problem = problemWith(path);
  if (problem === 'not executable') {
    const hint = `chmod +x ${quoteForShell(path)}, or write the program that runs it (sh, python3) in front of it`;
    return invalid(`${path} is not executable`, hint);
  }
  if (problem === 'missing')
    return invalid(`${path} is a link to a file that is not there`, 'ls -l shows where it leads');
  if (problem === 'noexec')
    return invalid(
      `this user may not start ${path}`,
      'ls -l shows who may; mount shows whether its disk has the option noexec',
    );
  return invalid(
    `${path} needs a program that ${code === 'EACCES' ? 'may not be started' : 'is not there'}`,
    'check the first line of a script (#!/bin/sh, without a Windows line end), or the loader of a program (file, ldd)',
  );
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
