/** The entry of the command line. */
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { stdioOfProcess } from './stdio.ts';
import type { Input } from './command-line/command.ts';
import { run } from './command-line/program.ts';
import { writeError, writeOutput } from './write-text.ts';

/**
 * @param file the path of the bundle
 * @returns the exit code
 */
export async function main(args: readonly string[], file: string): Promise<number> {
  const { env, execPath } = process;
  // A copy without the AWS SDK's variable below, for the programs that are started.
  const given = { ...env };
  // On Node 20 the AWS SDK prints a warning that the user cannot act on.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

  return await run(args, {
    env: given,
    out: writeOutput,
    err: writeError,
    signals: process,
    stdio: stdioOfProcess,
    input: inputOfProcess,
    terminal: [0, 1, 2].some((descriptor) => isatty(descriptor)),
    installation: join(dirname(file), '../..'),
    node: execPath,
    useProfile: (name) => {
      env['AWS_PROFILE'] = name;
      // The AWS SDK prints a warning if a profile and access keys are both set.
      delete env['AWS_ACCESS_KEY_ID'];
      delete env['AWS_SECRET_ACCESS_KEY'];
      delete env['AWS_SESSION_TOKEN'];
    },
  });
}

function inputOfProcess(): Input {
  const { stdin } = process;
  if (!stdin.isTTY) return { stream: stdin, isTerminal: false };
  const setRaw = (on: boolean): void => {
    stdin.setRawMode(on);
  };
  return { stream: stdin, isTerminal: true, setRaw };
}
